"""What does ZeroWait cost, beside the same vLLM's own OpenAI server?

    python -m benchmarks.overhead

Starts the whole application as `zerowait run` does (Ray, HAProxy, Valkey, all rooms, vLLM with the packaged model) and vLLM's
OpenAI server with the same engine settings. Both stay up; one is asked at a time, in turns, the same requests at the same
instants: the same prompt tokens, answers of the same length, none asked twice, none answered by a tier before the model. The
engines' processes run on one core, all else, the load too, on the other.

All of it is small talk, for which nothing is looked up. The loads are in overhead.yaml. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from itertools import islice
from pathlib import Path
from statistics import mean, median
from typing import Any

import yaml

from benchmarks.hits.autogroup import without_autogroups
from benchmarks.hits.cost import family, pin
from benchmarks.load.arrivals import arrivals
from benchmarks.load.quantiles import difference, spread, spread_ms
from benchmarks.local_run import CACHE, running
from benchmarks.serving.asking import CompletionsForm, Form, Prompt, ZeroWaitForm, ask
from benchmarks.serving.driving import Slice, at, client
from benchmarks.serving.questions import small_talk
from benchmarks.serving.servers import MODEL, Server, bare_vllm, engines_of, serve_llm, spent_s, vllm_router
from serve_app.config import ModelSettings
from serve_app.packaged_model import prepare

SCENARIO = Path(__file__).with_suffix(".yaml")
BARE, OURS = "vllm", "zerowait"
# The engine's threads share a core: they must not wait for each other by spinning, and more than one gains nothing.
ONE_THREAD = {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "1", "GOMP_SPINCOUNT": "1000"}


class Arm:
    """A server, the form in which it is asked, and every slice that it was given, by load, with its CPU seconds."""

    def __init__(self, name: str, server: Server, form: Form, behind: Server | None = None) -> None:
        """`behind`: the server that does the work, where `server` only stands in front of it."""
        self.name, self.server, self.form = name, server, form
        self._behind = behind
        self.slices: dict[str, list[Slice]] = {}
        self.cpu: dict[str, list[dict[str, float]]] = {}

    @property
    def pids(self) -> list[int]:
        return self.server.pids + (self._behind.pids if self._behind is not None else [])

    def first_s(self, load: str) -> list[float]:
        answers = (answer for one in self.slices.get(load, ()) for answer in one.whole)
        return [answer.first_s for answer in answers if answer.first_s is not None]

    def cpu_ms(self, load: str) -> dict[str, float]:
        """Of each request, by process."""
        spent = self.cpu[load]
        count = sum(len(one.answers) for one in self.slices[load])
        names = sorted({name for one in spent for name in one})
        each = {name: round(sum(one.get(name, 0.0) for one in spent) / count * 1000, 2) for name in names}
        without_engine = round(sum(value for name, value in each.items() if name != "engine"), 2)
        return {"engine": each.pop("engine", 0.0), "all_else": without_engine, **each}

    def steps_ms(self, load: str) -> dict[str, float]:
        """Of ZeroWait's answers: each step's median, and what lies around the steps, until the first word is here."""
        whole = [answer for one in self.slices[load] for answer in one.whole if answer.steps_ms and answer.first_s is not None]
        names = {name for answer in whole for name in answer.steps_ms}
        found = {name: spread([a.steps_ms.get(name, 0.0) for a in whole], 2)["p50"] or 0.0 for name in sorted(names)}
        # `queue` is a part of `model`.
        known = [sum(ms for name, ms in a.steps_ms.items() if name != "queue") for a in whole]
        around = [(a.first_s or 0.0) * 1000 - ms for a, ms in zip(whole, known, strict=True)]
        return found | {"around": spread(around, 2)["p50"] or 0.0}


class Bench:
    def __init__(self, scenario: Mapping[str, Any], prompts: Iterator[Prompt], arms: list[Arm]) -> None:
        self.scenario, self.prompts, self.arms = scenario, prompts, arms
        self.idle_cores: list[float] = []  # that ZeroWait uses while another is asked
        self.unlike: Counter[str] = Counter()

    async def measure(self) -> None:
        async with AsyncExitStack() as stack:
            sessions = {arm.name: await stack.enter_async_context(client(arm.server.url)) for arm in self.arms}

            async def slice_of(arm: Arm, prompts: list[Prompt], instants: list[float]) -> Slice:
                return await at(instants, lambda number, due: ask(sessions[arm.name], arm.form, prompts[number], due))

            for load, settings in self._loads():
                for number in range(settings.get("rounds", 1)):
                    await self._round(load, settings, number, slice_of)

    def _loads(self) -> list[tuple[str, Mapping[str, Any]]]:
        scenario = self.scenario
        return [("warm_up", scenario["warm_up"]), *scenario["loads"].items(), ("saturated", scenario["saturated"])]

    async def _round(self, load: str, settings: Mapping[str, Any], number: int, slice_of: Any) -> None:
        """Every arm once, each round another one first. Each engine reads a prompt once, so they may be the same."""
        prompts = list(islice(self.prompts, settings["count"]))
        if len(prompts) < settings["count"]:
            raise RuntimeError("there are not so many different questions: ask fewer, or fewer rounds")
        instants = arrivals(len(prompts), settings["per_s"], seed=number, cv=settings.get("cv", 1))
        first = number % len(self.arms)
        for arm in self.arms[first:] + self.arms[:first]:
            before, idle_before = spent_s(arm.pids), self._idle_s(arm)
            found = await slice_of(arm, prompts, instants)
            after, idle_after = spent_s(arm.pids), self._idle_s(arm)
            if idle_before is not None and idle_after is not None:
                self.idle_cores.append((idle_after - idle_before) / found.wall_s)
            arm.slices.setdefault(load, []).append(found)
            arm.cpu.setdefault(load, []).append({name: spent - before.get(name, 0.0) for name, spent in after.items()})
            self._check(arm, found, prompts)
        self._say(load, number)

    def _idle_s(self, asked: Arm) -> float | None:
        """CPU seconds so far of ZeroWait, while another is asked."""
        ours = next(arm for arm in self.arms if arm.name == OURS)
        return None if asked.server is ours.server else sum(spent_s(ours.pids).values())

    def _check(self, arm: Arm, found: Slice, prompts: list[Prompt]) -> None:
        """Every answer must have been the same work."""
        for answer, prompt in zip(found.answers, prompts, strict=True):
            if answer.failed is not None:
                self.unlike[f"{arm.name}: {answer.status} {answer.failed[:120]}"] += 1
            elif answer.tier not in ("", "model"):
                self.unlike[f"{arm.name}: tier {answer.tier}"] += 1
            elif answer.tokens != self.scenario["answer_tokens"]:
                self.unlike[f"{arm.name}: {answer.tokens} tokens"] += 1
            elif answer.prompt_tokens != len(prompt.token_ids):
                self.unlike[f"{arm.name}: prompts of {answer.prompt_tokens} for {len(prompt.token_ids)} tokens"] += 1

    def _say(self, load: str, number: int) -> None:
        told = ", ".join(
            f"{arm.name} {arm.slices[load][-1].tokens_per_s:.0f} tokens/s, first word {_ms(arm, load)} ms" for arm in self.arms
        )
        say(f"{load} {number + 1}: {told}")

    def told(self) -> dict[str, Any]:
        by_name = {arm.name: arm for arm in self.arms}
        ours = by_name[OURS]
        light = next(iter(self.scenario["loads"]))
        rates = {
            arm.name: [one.tokens_per_s for one in arm.slices["saturated"]] for arm in self.arms if "saturated" in arm.slices
        }
        ratio, least, largest = ratio_of_slices(rates[OURS], rates[BARE])
        p50_ms = {arm.name: spread_ms(arm.first_s(light))["p50"] for arm in self.arms}
        asked = [one for arm in self.arms for slices in arm.slices.values() for one in slices]
        return {
            "benchmark": "overhead",
            "throughput_ratio": round(ratio, 3),
            "throughput_ratio_from_to": [round(least, 3), round(largest, 3)],
            "ttft_p50_added_ms": difference(p50_ms[OURS], p50_ms[BARE]),
            "others": {
                arm.name: {
                    "throughput_ratio": round(ratio_of_slices(rates[arm.name], rates[BARE])[0], 3),
                    "ttft_p50_added_ms": difference(p50_ms[arm.name], p50_ms[BARE]),
                }
                for arm in self.arms
                if arm.name not in (BARE, OURS)
            },
            "ttft_ms": {load: {arm.name: spread_ms(arm.first_s(load)) for arm in self.arms} for load in self.scenario["loads"]},
            "saturated": {
                name: {
                    "tokens_per_s": round(mean(found), 1),
                    "answers_per_s": round(mean(one.answers_per_s for one in by_name[name].slices["saturated"]), 2),
                    "slices": len(found),
                }
                for name, found in rates.items()
            },
            "cpu_ms_per_request": {
                load: {arm.name: arm.cpu_ms(load) for arm in self.arms if load in arm.cpu} for load in (light, "saturated")
            },
            "steps_ms": ours.steps_ms(light),
            "requests": sum(len(one.answers) for one in asked),
            "failed": sum(len(one.answers) - len(one.whole) for one in asked),
            "unlike": dict(self.unlike),
            "sent_late_ms": round(max(one.late_s for one in asked) * 1000, 1),
            "idle_zerowait_cores": round(mean(self.idle_cores), 3) if self.idle_cores else None,
            "load_average": round(os.getloadavg()[0], 2),
        }


def ratio_of_slices(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """Median, least and largest ratio of slices that ran one after the other: what else the machine did fell on both."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return median(ratios), min(ratios), max(ratios)


def _ms(arm: Arm, load: str) -> str:
    value = spread_ms(answer.first_s for answer in arm.slices[load][-1].whole if answer.first_s is not None)["p50"]
    return "none" if value is None else f"{value:.0f}"


def model_of(options: argparse.Namespace, scenario: Mapping[str, Any]) -> dict[str, Any]:
    """The model's settings: small talk in English alone, so that every prompt is known without asking."""
    settings: dict[str, Any] = {
        "max_tokens": scenario["answer_tokens"],
        "answers": {"languages": ["en"], "kinds": ["chat"]},
        "engine": scenario["engine"]
        | {name: yaml.safe_load(value) for name, _, value in (one.partition("=") for one in options.engine)},
    }
    return settings | ({"path": str(Path(options.model).resolve())} if options.model else {})


def configuration(model: Mapping[str, Any]) -> dict[str, Any]:
    """The demo shop."""
    application = {
        "name": "zerowait",
        "route_prefix": "/",
        "import_path": "benchmarks.serving.fixed_length:zerowait",
        # vLLM's server has no deadline either: under more than an engine answers, all wait.
        "args": {"model": dict(model), "deadlines": {"request_s": 300, "first_token_s": 300}},
    }
    return {"proxy_location": "HeadOnly", "http_options": {"keep_alive_timeout_s": 75}, "applications": [application]}


def pin_all(servers: list[Server], options: argparse.Namespace) -> None:
    for server in servers:
        engines = engines_of(server.pids)
        pin(engines, options.engine_core)
        pin([pid for pid in family(server.pid) if pid not in engines], options.front_core)
    os.sched_setaffinity(0, {options.front_core if options.load_core is None else options.load_core})


def compare(options: argparse.Namespace) -> dict[str, Any]:
    scenario = yaml.safe_load(Path(options.scenario).read_text())
    model = model_of(options, scenario)
    settings = ModelSettings.model_validate(model)
    CACHE.mkdir(exist_ok=True)
    folder = Path(settings.path) if settings.path else prepare(CACHE, say)
    with ExitStack() as stack:
        undivided = None if options.unpinned else stack.enter_context(without_autogroups(say))
        run = stack.enter_context(running(configuration(model), say))
        ours = Server(run.url, run.pid)
        say("ZeroWait is ready")
        bare = stack.enter_context(bare_vllm(settings, folder))
        say("vLLM's OpenAI server is ready")
        completions = CompletionsForm(MODEL, scenario["answer_tokens"])
        arms = [
            Arm(BARE, bare, completions),
            Arm(OURS, ours, ZeroWaitForm(run.key)),
        ]
        python = Path(options.rivals_python)
        if "vllm-router" in options.rivals:
            arms.append(Arm("vllm-router", stack.enter_context(vllm_router(python, bare)), completions, bare))
        if "ray.serve.llm" in options.rivals:
            arms.append(Arm("ray.serve.llm", stack.enter_context(serve_llm(python, settings, folder)), completions))
        if not options.unpinned:
            pin_all([arm.server for arm in arms], options)
        bench = Bench(scenario, small_talk(settings, folder, seed=options.seed), arms)
        asyncio.run(bench.measure())
        return bench.told() | {"pinned": not options.unpinned, "autogroups_off": undivided}


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--scenario", default=str(SCENARIO), help="the loads (default: overhead.yaml beside this file)")
    parser.add_argument("--model", help="a folder with tokenizer.json (default: the packaged model)")
    parser.add_argument("--engine", action="append", default=[], metavar="NAME=VALUE", help="to vLLM on both sides; repeat it")
    parser.add_argument(
        "--rivals", nargs="*", default=[], choices=("vllm-router", "ray.serve.llm"), help="also these, where they are installed"
    )
    parser.add_argument("--rivals-python", default=sys.executable, help="a Python that has them, and vLLM (default: this one)")
    parser.add_argument("--engine-core", type=int, default=1, help="the core of the engines (default %(default)s)")
    parser.add_argument("--front-core", type=int, default=0, help="the core of all else (default %(default)s)")
    parser.add_argument("--load-core", type=int, help="the core of the load (default: that of all else)")
    parser.add_argument("--unpinned", action="store_true", help="leave every process where the system puts it (a GPU machine)")
    parser.add_argument("--seed", type=int, default=1, help="of the questions (default %(default)s)")
    return parser.parse_args(arguments)


def main() -> None:
    options = parsed(sys.argv[1:])
    if not options.unpinned:
        os.environ |= ONE_THREAD
    print(json.dumps(compare(options)))


if __name__ == "__main__":
    main()
