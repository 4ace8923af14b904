"""What would 120,000 questions a second take, and what stands in the way first?

    python -m benchmarks.capacity

Starts the whole application as `zerowait run` does (Ray, HAProxy, Valkey; its engine scripted: 128 tokens, one every 14 ms)
and measures what one question of each tier costs, by process, on one core; the same with several ingress processes; and what
many open WebSockets take, most of them silent. From that it computes what the peak of `benchmarks/peak/peak.yaml` needs, for
several mixes, and which part is full first. The arithmetic is checked on mixes that its figures do not come from.
"""

from __future__ import annotations

import argparse
import copy
import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import orjson
import uvloop
import yaml

from benchmarks.cache_hit import TREE
from benchmarks.hits.autogroup import without_autogroups
from benchmarks.hits.cost import family, pin
from benchmarks.local_run import LocalRun, running
from benchmarks.peak.sizing import Costs, Shares, needed
from benchmarks.peak.sockets import Crowd, allow_files, memory_mb
from benchmarks.peak.tiers import WANTED, Tiers

# Mixes that the costs are not taken from.
CHECKS: tuple[Shares, ...] = (
    {"memory": 0.9, "template": 0.1},
    {"memory": 0.7, "template": 0.2, "suggestion": 0.1},
    {"memory": 0.6, "template": 0.3, "model": 0.1},
)
WANTED_SHARE_MIN = 0.95
# A model's answer takes two seconds: enough of them must be under way to fill a core. Of 16 suggestions, 36 ms of the core
# each, the last would come after `deadlines.cache_ms`, without its embedding.
CONCURRENCY = {"memory": 16, "template": 16, "suggestion": 8, "model": 192}
DEGRADED_MAX = 0.05
MODEL_S = 2.5  # of the engine's answer while the core is full
SOCKETS_QUESTIONS = ["How much is shipping?", "退货政策是什么?", "How long does delivery take?", "怎么开发票"]


def configuration(ingresses: int, sockets: int = 0) -> dict[str, Any]:
    tree = copy.deepcopy(TREE)
    shop = tree["applications"] = [tree["applications"][0]]
    shop[0]["import_path"] = "benchmarks.peak.applications:shop"
    shop[0]["args"] = {
        "model": {"max_tokens": 160, "answers": {"languages": ["en"], "kinds": ["chat"]}},
        "limits": {"sockets": max(4096, sockets + 100)},
        "rooms": {"ingress": {"replicas": ingresses, "max_ongoing_requests": max(8192, 2 * sockets)}},
    }
    return tree


def under_way(shares: Shares, per_s: float) -> int:
    """So many questions at once fill the core: those that the model answers wait for the engine most of their time."""
    return CONCURRENCY["memory"] + round(per_s * shares.get("model", 0.0) * MODEL_S)


def share_of(by_tier: Mapping[str, int], wanted: frozenset[str]) -> float:
    """Of the answers, those by the tiers that were wanted."""
    return sum(count for tier, count in by_tier.items() if tier in wanted) / max(1, sum(by_tier.values()))


async def costs_and_checks(run: LocalRun, options: argparse.Namespace) -> tuple[Costs, list[dict[str, Any]], dict[str, Any]]:
    tiers = Tiers(run, options)
    await tiers.prepare(("memory", "template", "suggestion", "model"))
    idle = await tiers.idle()
    cpu_ms: dict[str, dict[str, float]] = {}
    seen: dict[str, Any] = {}
    for tier in CONCURRENCY:
        tiers.bench.seen.told()
        (spent,) = await tiers.asked(({tier: 1.0}, CONCURRENCY[tier]))
        cpu_ms[tier] = spent.per_question_ms(idle)
        seen[tier] = tiers.bench.seen.told()
        demand_whole(tier, seen[tier])
        say(f"{tier}: {sum(cpu_ms[tier].values()):.2f} ms a question, {spent.rate:.0f}/s on one core; {seen[tier]}")
    costs = Costs(cpu_ms, idle)
    checks = [await checked(tiers, costs, shares) for shares in CHECKS]
    return costs, checks, seen


async def checked(tiers: Tiers, costs: Costs, shares: Shares) -> dict[str, Any]:
    """The CPU time of a question of the mix, computed and measured, each less what processes do by themselves.

    Computed from its tiers asked alone, in turns with the mix: the core's own speed changes within minutes.
    """
    tiers.bench.seen.told()
    alone = [({tier: 1.0}, CONCURRENCY[tier]) for tier in shares]
    *parts, mix = await tiers.asked(*alone, (shares, under_way(shares, costs.peak_per_s(shares))))
    told = tiers.bench.seen.told()
    each_ms = [sum(part.per_question_ms(costs.idle).values()) for part in parts]
    predicted_ms = sum(share * ms for share, ms in zip(shares.values(), each_ms, strict=True))
    measured_ms = sum(mix.per_question_ms(costs.idle).values())
    found = {
        "mix": dict(shares),
        "predicted_ms": round(predicted_ms, 3),
        "measured_ms": round(measured_ms, 3),
        "error": round(predicted_ms / measured_ms - 1, 3),
        "per_s": round(mix.rate, 1),
        "busy_cores": round(mix.cpu_s.total() / mix.wall_s, 3),
        "by_tier": told["by_tier"],
        "degraded": told["degraded"],
    }
    say(f"check {found}")
    return found


def demand_whole(tier: str, told: Mapping[str, Any]) -> None:
    """Raises RuntimeError where questions were not answered by the tier they are meant for, or without a part."""
    if (share := share_of(told["by_tier"], WANTED[tier])) < WANTED_SHARE_MIN:
        raise RuntimeError(f"only {share:.0%} of the questions for {tier} were answered so: {told}")
    if told["degraded"] > DEGRADED_MAX * sum(told["by_tier"].values()):
        raise RuntimeError(f"too many of the questions for {tier} were answered without a part: {told}")


async def hits_with(ingresses: int, run: LocalRun, options: argparse.Namespace) -> dict[str, Any]:
    tiers = Tiers(run, options)
    await tiers.prepare(("memory",))
    idle = await tiers.idle()
    (spent,) = await tiers.asked(({"memory": 1.0}, CONCURRENCY["memory"]))
    cost = spent.per_question_ms(idle)
    return {
        "ingresses": ingresses,
        "per_s": round(spent.rate, 1),
        "cpu_ms": round(sum(cost.values()), 3),
        "ingress_cpu_ms": round(cost["Ingress"], 3),
        "idle_cores": round(sum(idle.values()), 3),
    }


async def crowded(run: LocalRun, count: int, stay_s: float) -> dict[str, Any]:
    pids = family(run.pid)
    crowd = Crowd(run.url, run.key, SOCKETS_QUESTIONS)
    before = memory_mb(pids)
    took_s = await crowd.enter(count)
    say(f"{crowd.held.opened} of {count} sockets open after {took_s:.0f} s; refused: {dict(crowd.held.refused)}")
    during = memory_mb(family(run.pid))
    grown = {name: mb - before[name] for name, mb in during.items() if mb - before[name] >= 1}
    await crowd.stay(stay_s)
    held = crowd.held
    await crowd.leave()
    opened = max(1, held.opened)
    times = sorted(held.times_s) or [0.0]
    return {
        "sockets": held.opened,
        "lost": held.lost,
        "refused": dict(held.refused),
        "closed": dict(held.closed),
        "asked": held.asked,
        "answered": held.answered,
        "tiers": dict(held.tiers),
        "answer_p50_ms": round(times[len(times) // 2] * 1000, 1),
        "answer_p99_ms": round(times[int(len(times) * 0.99)] * 1000, 1),
        "opened_per_s": round(held.opened / took_s, 1),
        "kb_each": {name: round(mb * 1024 / opened, 1) for name, mb in grown.items()},
    }


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    options = _parsed()
    sockets = min(options.sockets, allow_files(options.sockets))
    if sockets < options.sockets:
        say(f"this machine lets a process open files for {sockets} sockets only (ulimit -n)")
    with without_autogroups(say) as undivided:
        found = parts(options, sockets) | {"autogroups_off": undivided}
    print(orjson.dumps(found | {"cores": os.cpu_count(), "load_average": round(os.getloadavg()[0], 2)}).decode())


def parts(options: argparse.Namespace, sockets: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "costs" in options.parts:
        with pinned(configuration(1), options, options.server_cores[:1]) as run:
            costs, checks, seen = uvloop.run(costs_and_checks(run, options))
        found |= sized(costs, checks) | {"seen": seen}
    if "scaling" in options.parts:
        found["scaling"] = []
        for ingresses in options.ingresses:
            with pinned(configuration(ingresses), options, options.server_cores) as run:
                found["scaling"].append(uvloop.run(hits_with(ingresses, run, options)))
                say(f"{found['scaling'][-1]}")
    if "sockets" in options.parts:
        with pinned(configuration(1, sockets), options, options.server_cores) as run:
            found["sockets"] = uvloop.run(crowded(run, sockets, options.stay_s))
        found["lost"] = found["sockets"]["lost"]
    return found


def sized(costs: Costs, checks: list[dict[str, Any]]) -> dict[str, Any]:
    peak = yaml.safe_load((files("benchmarks.peak") / "peak.yaml").read_text())
    needs = {name: needed(peak["peak_per_s"], shares, costs, peak["given"]) for name, shares in peak["mixes"].items()}
    for name, need in needs.items():
        say(f"{name}: {need.told()}")
    return {
        "cpu_ms": {
            tier: {name: round(ms, 3) for name, ms in sorted(each.items(), key=lambda item: -item[1]) if ms >= 0.001}
            for tier, each in costs.cpu_ms.items()
        },
        "checks": checks,
        "worst_check": max((check["error"] for check in checks), key=abs),
        "peak_per_s": peak["peak_per_s"],
        "needs": {name: need.told() for name, need in needs.items()},
        "first_wall": {name: next(iter(need.walls.items())) for name, need in needs.items()},
    }


@contextmanager
def pinned(config: dict[str, Any], options: argparse.Namespace, cores: list[int]) -> Generator[LocalRun]:
    """The application on these cores, and this process on the load's."""
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    with running(config, say) as run:
        pin(family(run.pid), *cores)
        os.sched_setaffinity(0, {options.load_core})
        yield run


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--parts", default="costs,scaling,sockets", help="which are run (default %(default)s)")
    parser.add_argument("--slice-s", type=float, default=3.0, help="length of a slice of closed load (default %(default)s)")
    parser.add_argument("--slices", type=int, default=5, help="slices of each load (default %(default)s)")
    parser.add_argument("--concurrency", type=int, default=16, help="while wordings are chosen (default %(default)s)")
    parser.add_argument("--zipf", type=float, default=0.9, help="how uneven the wordings are asked (default %(default)s)")
    parser.add_argument("--ingresses", type=_numbers, default=[1, 2, 4], help="ingress processes (default 1,2,4)")
    parser.add_argument("--sockets", type=int, default=10_000, help="open WebSockets (default %(default)s)")
    parser.add_argument("--stay-s", type=float, default=120.0, help="how long they stay (default %(default)s)")
    parser.add_argument("--server-cores", type=_numbers, default=[0], help="the server's; costs on the first (default 0)")
    parser.add_argument("--load-core", type=int, default=1, help="the load's (default %(default)s)")
    options = parser.parse_args()
    options.parts = options.parts.split(",")
    return options


if __name__ == "__main__":
    main()
