"""What does an exact hit cost, beside a FastAPI application that does nothing?

    python -m benchmarks.cache_hit

Starts Ray, HAProxy, Valkey and the whole application as `zerowait run` does, only its engine scripted (no hit asks it), and in
the same Ray a FastAPI no-op under the ingress's own options. All that answers (rooms, no-op, HAProxy, Valkey) runs on one core,
the load on another; what Ray does besides (dashboard, agents, controller) on the load's, or where `--house-core` says. Hits and
no-op take turns in short slices of a closed loop, so that what else the machine does falls on both; then no-op, hits, and
templated answers with live facts, come at random instants at 70 % of their own peak.

A hit is a whole question: API key and (every second customer) a customer's token checked, text validated and understood,
session kept in Valkey with a new message id each, timings told, and of every twentieth the spans sent to a collector.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

import jwt
import orjson
import uvloop

from benchmarks.hits.applications import NOOP_PREFIX
from benchmarks.hits.autogroup import without_autogroups
from benchmarks.hits.collector import collecting
from benchmarks.hits.cost import Usage, between, family, pin_apart, usage
from benchmarks.hits.customers import Customer, Seen, Silent, endlessly, published_wordings
from benchmarks.hits.load import Caller, Load, Slice, for_s, times
from benchmarks.local_run import LocalRun, running

EXACT = frozenset({"memory", "redis"})
TEMPLATED = frozenset({"template"})
TEMPLATE_QUESTIONS = (
    "我的快递到哪了",
    "我的会员等级是什么",
    "我有哪些订单",
    "Where is my parcel?",
    "What is my membership tier?",
    "show me my orders",
)
CUSTOMERS = 512
SHARE_OF_PEAK = 0.7

TREE: dict[str, Any] = {
    "proxy_location": "HeadOnly",
    "http_options": {"keep_alive_timeout_s": 75},
    "applications": [
        {"name": "zerowait", "route_prefix": "/", "import_path": "benchmarks.hits.applications:shop", "args": {}},
        {"name": "noop", "route_prefix": NOOP_PREFIX, "import_path": "benchmarks.hits.applications:noop", "args": {}},
    ],
}


@dataclass
class Measured:
    """One side's slices, each with the CPU seconds that the server spent in it."""

    slices: list[Slice]
    cpu: list[dict[str, float]]

    @property
    def rate(self) -> float:
        return statistics.median(one.rate for one in self.slices)

    def cpu_ms(self) -> dict[str, float]:
        """Of each request, by process."""
        count = sum(len(one.times_s) for one in self.slices)
        names = {name for one in self.cpu for name in one}
        each = {name: round(sum(one.get(name, 0.0) for one in self.cpu) / count * 1000, 4) for name in names}
        return {"all": round(sum(each.values()), 4), **dict(sorted(each.items(), key=lambda item: -item[1]))}


class Bench:
    def __init__(self, run: LocalRun, server_pid: int, options: argparse.Namespace) -> None:
        address = urlsplit(run.url)
        assert address.hostname is not None
        assert address.port is not None
        self.run, self.options = run, options
        self.load = Load(address.hostname, address.port)
        self._server_pid = server_pid
        self.seen = Seen()

    def customers(
        self, questions: Callable[[int], Iterator[str]], name: str, wanted: frozenset[str], *, signed_in: bool
    ) -> deque[Caller]:
        """`questions` of customer n; `signed_in`: all of them, else every second one."""
        ids, secret = self._customer_ids(), (self.run.home / "token-secret").read_text().strip()
        ends = datetime.now(UTC) + timedelta(hours=2)
        found: deque[Caller] = deque()
        for number in range(CUSTOMERS):
            claims = {"sub": ids[number % len(ids)], "exp": ends, "jti": f"{name}-{number}"}
            token = jwt.encode(claims, secret, algorithm="HS256") if signed_in or number % 2 else None
            found.append(Customer(questions(number), self.run.key, token, f"{name}{number}", wanted, self.seen))
        return found

    def _customer_ids(self) -> list[str]:
        with sqlite3.connect(self.run.home / "shop.db") as shop:
            return [row[0] for row in shop.execute("SELECT id FROM customers ORDER BY id")]

    async def closed(self, callers: deque[Caller], seconds: float) -> tuple[Slice, dict[str, float]]:
        self.pin()
        before = self.usage()
        got = await self.load.closed(callers, self.options.concurrency, for_s(seconds))
        return got, between(before, self.usage())

    async def side_by_side(self, sides: dict[str, deque[Caller]]) -> dict[str, Measured]:
        found = {name: Measured([], []) for name in sides}
        for number in range(self.options.slices + 1):
            for name, callers in sides.items():
                got, spent = await self.closed(callers, self.options.slice_s)
                if number:  # the first ones warm up
                    found[name].slices.append(got)
                    found[name].cpu.append(spent)
            say(" ".join(f"{name} {found[name].slices[-1].rate:.0f}/s" for name in sides if found[name].slices))
        return found

    def pin(self) -> None:
        """HAProxy is started anew with each change of the replicas, where the one who starts it runs."""
        pin_apart(family(self._server_pid), self.options.server_core, self.options.house_core)

    def usage(self) -> Usage:
        return usage(family(self._server_pid))

    async def at_share_of_peak(self, callers: deque[Caller], peak: float) -> Slice:
        self.pin()
        return await self.load.open(callers, peak * SHARE_OF_PEAK, self.options.open_s)


async def measure(run: LocalRun, server_pid: int, options: argparse.Namespace) -> dict[str, Any]:
    bench = Bench(run, server_pid, options)
    bench.pin()
    wordings = await exact_wordings(bench)
    hits = bench.customers(partial(endlessly, wordings, options.zipf), "h", EXACT, signed_in=False)
    nothing: deque[Caller] = deque(Silent(customer, NOOP_PREFIX) for customer in list(hits)[:2])
    both = await bench.side_by_side({"noop": nothing, "hits": hits})
    empty = await bench.at_share_of_peak(nothing, both["noop"].rate)
    steady = await bench.at_share_of_peak(hits, both["hits"].rate)
    seen_of_hits = bench.seen.told()
    templates = bench.customers(partial(endlessly, TEMPLATE_QUESTIONS, 0.0), "t", TEMPLATED, signed_in=True)
    alone = await bench.side_by_side({"templates": templates})
    live = await bench.at_share_of_peak(templates, alone["templates"].rate)
    sides = {**both, **alone}
    return {
        "hits_over_noop": round(both["hits"].rate / both["noop"].rate, 3),
        "p99_ms": steady.quantile_ms(0.99),
        "template_p99_ms": live.quantile_ms(0.99),
        "noop_p99_ms": empty.quantile_ms(0.99),
        "per_s": {name: round(side.rate, 1) for name, side in sides.items()},
        "cpu_ms": {name: side.cpu_ms() for name, side in sides.items()},
        "steady_per_s": {"noop": round(empty.rate, 1), "hits": round(steady.rate, 1), "templates": round(live.rate, 1)},
        "p50_ms": {"noop": empty.quantile_ms(0.5), "hits": steady.quantile_ms(0.5), "templates": live.quantile_ms(0.5)},
        "sent_late_ms": round(max(empty.late_s, steady.late_s, live.late_s) * 1000, 1),
        "tiers": {"hits": seen_of_hits, "templates": bench.seen.told()},
        "wordings": len(wordings),
        "load_average": round(os.getloadavg()[0], 2),
    }


async def exact_wordings(bench: Bench) -> list[str]:
    """Of the published wordings those that are exact hits when they are asked for the third time, in any conversation."""
    asked = published_wordings(seed=1)
    for _ in range(3):
        bench.seen.told()
        round_robin = cycle(asked)
        callers = bench.customers(lambda _: round_robin, "w", EXACT, signed_in=False)  # noqa: B023
        await bench.load.closed(callers, bench.options.concurrency, times(len(asked)))
    told = bench.seen.told(most=len(asked))
    found = [question for question in asked if question not in told["missed"]]
    say(f"{len(found)} of {len(asked)} public wordings are exact hits; the others: {told['by_tier']} {told['failed']}")
    return found


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cache_hit", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--slice-s", type=float, default=2.0, help="length of a slice of closed load (default %(default)s)")
    parser.add_argument("--slices", type=int, default=9, help="slices of each side (default %(default)s)")
    parser.add_argument("--open-s", type=float, default=30.0, help="length of each open load (default %(default)s)")
    parser.add_argument("--concurrency", type=int, default=16, help="requests under way in a closed loop (default %(default)s)")
    parser.add_argument(
        "--zipf", type=float, default=0.9, help="how uneven the wordings are asked; 0: evenly (default %(default)s)"
    )
    parser.add_argument(
        "--traced", type=float, default=0.05, help="share of the questions whose spans go to a collector (default %(default)s)"
    )
    parser.add_argument("--server-core", type=int, default=0, help="the core of all that answers (default %(default)s)")
    parser.add_argument("--load-core", type=int, default=1, help="the core that the load runs on (default %(default)s)")
    parser.add_argument("--house-core", type=int, help="the core of what Ray does besides (default: the load's)")
    options = parser.parse_args()
    if options.house_core is None:
        options.house_core = options.load_core
    with collecting(options.traced) as (environment, received):
        os.environ |= environment
        with without_autogroups(say) as undivided, running(TREE, say) as run:
            os.sched_setaffinity(0, {options.load_core})
            found = uvloop.run(measure(run, run.pid, options))
            print(orjson.dumps(found | {"spans": received.spans, "autogroups_off": undivided}).decode())


if __name__ == "__main__":
    main()
