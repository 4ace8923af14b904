"""What is each measure worth, and all of them together, beside the claim's own "before"?

    python -m benchmarks.before_after

Every row is the same shop, asked the same conversations: the whole application in one process (without Ray) over HTTP, two
replicas of the packaged model, three systems of the shop that take 250, 270 and 300 ms. "Before" asks these in turn, keeps no
answer, computes every prompt whole, takes replicas in turn and gives an engine one request at a time. Each further row adds one
measure to that, the last one all that ZeroWait has. Facts at hand is what fetching ahead could be worth at most: ZeroWait does
not do it.

The engines share one core, all else another. The load is in before_after.yaml. The table goes to stderr; the last line is one
JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from benchmarks.answering.installation import valkey_server
from benchmarks.context import REPLIES, services
from benchmarks.ending import exit_on_sigterm
from benchmarks.hits.cost import family, pin
from benchmarks.load.quantiles import Spread, spread_ms
from benchmarks.local_run import CACHE
from benchmarks.measures.conversations import Asked, Conversation, Load, conversations, drive
from benchmarks.measures.shop import TENANT, configuration, first_rules, publish
from benchmarks.measures.switches import Measures, SwitchedReplicas
from benchmarks.serving.fixed_length import WORDS, FixedLength
from benchmarks.serving.servers import engines_of, spent_s
from deployments.one_process import serving_with
from serve_app.adapters.customer_tokens import new_token
from serve_app.adapters.tokenizer import HfTokenizer
from serve_app.adapters.vllm_engine import VllmEngine
from serve_app.config import Config, ModelSettings
from serve_app.fleet import Fleet
from serve_app.local.setup import prepare
from serve_app.packaged_model import prepare as prepare_model
from serve_app.ports import Engine

SCENARIO = Path(__file__).with_suffix(".yaml")
DAY_S = 86_400
MODEL_TIERS = frozenset({"model"})


@dataclass(frozen=True)
class Row:
    """One arm's answers: at a light load, and at a full one within its window."""

    light: list[Asked]
    full: list[Asked]
    full_s: float
    engine_cores: float  # that the engines used in the window of the full load
    cores: int

    @property
    def whole(self) -> list[Asked]:
        return [asked for asked in self.full if asked.answer.failed is None]

    @property
    def tokens_per_s(self) -> float:
        return sum(asked.answer.tokens or 0 for asked in self.whole) / self.full_s

    def told(self, most_tokens_per_s: float) -> dict[str, Any]:
        said = [asked for asked in self.light if asked.answer.first_s is not None]
        failed = Counter(asked.answer.failed for asked in self.light + self.full if asked.answer.failed is not None)
        return {
            "first_word_ms": _first(said),
            "first_turn_ms": _first([asked for asked in said if asked.turn == 0]),
            "by_model_ms": _first([asked for asked in said if asked.answer.tier in MODEL_TIERS]),
            "without_model_ms": _first([asked for asked in said if asked.answer.tier not in MODEL_TIERS]),
            "questions_per_s": round(len(self.whole) / self.full_s, 2),
            "model_tokens_per_s": round(self.tokens_per_s, 1),
            "engines_busy": round(self.engine_cores / self.cores, 2),
            "tokens_per_s_of_most": round(self.tokens_per_s / most_tokens_per_s, 2) if most_tokens_per_s else None,
            "full_first_word_ms": _first(self.whole),
            "questions": len(self.light) + len(self.full),
            "failed": {str(reason)[:120]: count for reason, count in failed.items()},
            "tiers": dict(Counter(asked.answer.tier for asked in self.light + self.full)),
        }


def _first(asked: Sequence[Asked]) -> Spread:
    return spread_ms([one.answer.first_s for one in asked if one.answer.first_s is not None])


class Bench:
    def __init__(
        self, scenario: Mapping[str, Any], model: Mapping[str, Any], engines: Mapping[str, Engine], cores: int
    ) -> None:
        self.scenario, self.model, self.engines, self.cores = scenario, model, engines, cores
        self._rules = first_rules(scenario["entries"])
        self._pids = engines_of(_children())
        self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))

    async def row(self, measures: Measures) -> Row:
        async with self._shop(measures) as (url, key, config):
            # The systems know one customer, who has all the conversations.
            customer = str(REPLIES["customer"]["id"])
            token = new_token(customer, config.tenants[TENANT], DAY_S, datetime.now(UTC), config.home)
            light, full = self.scenario["light"], self.scenario["full"]

            def some(count: int, seed: int) -> tuple[Conversation, ...]:
                return tuple(conversations(count, self.scenario["turns"], self._rules.wordings, token, seed))

            await self._drive(Load(url, key, some(2, seed=1), at_a_time=2))
            calm, _ = await self._drive(Load(url, key, some(light["conversations"], seed=2), at_a_time=1))
            closed = some(full["at_a_time"] * full["seconds"] * 4, seed=3)
            until_s = full["warm_up_s"] + full["seconds"]
            load = asyncio.ensure_future(self._drive(Load(url, key, closed, full["at_a_time"], until_s)))
            await asyncio.sleep(full["warm_up_s"])
            busy, began = self._engine_s(), time.perf_counter()
            found, _ = await load
            window_s, spent = time.perf_counter() - began, self._engine_s() - busy
            within = [one for one in found if full["warm_up_s"] <= one.at_s + one.answer.ended_s <= until_s]
            return Row(calm, within, full["seconds"], spent / window_s, self.cores)

    @asynccontextmanager
    async def _shop(self, measures: Measures) -> AsyncGenerator[tuple[str, str, Config]]:
        lookups = dict.fromkeys(self.scenario["lookups_ms"], 0) if measures.at_hand else self.scenario["lookups_ms"]
        async with AsyncExitStack() as stack:
            home = Path(stack.enter_context(TemporaryDirectory(prefix="zerowait-before-")))
            redis_url = stack.enter_context(valkey_server(home))
            urls = stack.enter_context(services(lookups))
            config = configuration(measures, urls, self.model, home, redis_url)
            (home / "models").symlink_to((CACHE / "models").resolve())
            prepared = await asyncio.to_thread(prepare, config, lambda _: None)
            await publish(config, self._rules.answering if measures.tiers else self._rules.silent)
            replicas = SwitchedReplicas(self.engines, measures, Fleet(time.monotonic))
            host, port = await stack.enter_async_context(serving_with(config, replicas))
            yield f"http://{host}:{port}", prepared.key, config

    async def _drive(self, load: Load) -> tuple[list[Asked], float]:
        return await asyncio.get_running_loop().run_in_executor(self._pool, drive, load)

    def _engine_s(self) -> float:
        return spent_s(self._pids)["engine"]

    def close(self) -> None:
        self._pool.shutdown()


def _children() -> list[int]:
    return family(os.getpid())


async def compare(options: argparse.Namespace, scenario: Mapping[str, Any]) -> dict[str, Any]:
    model = model_of(options, scenario)
    settings = ModelSettings.model_validate(model)
    folder = settings.path or str(prepare_model(CACHE, say))
    words = HfTokenizer.load(folder).encode_plain(WORDS)
    engines: dict[str, Engine] = {}
    async with AsyncExitStack() as stack:
        for number in range(scenario["replicas"]):
            if options.gpus:
                os.environ["CUDA_VISIBLE_DEVICES"] = str(number)
            engine = VllmEngine(settings, folder)
            stack.push_async_callback(engine.close)
            await engine.start()
            engines[f"replica-{number}"] = FixedLength(engine, words)
            say(f"engine {number + 1} of {scenario['replicas']} is ready")
        cores = 1
        if not options.unpinned:
            pin(_children(), options.front_core)
            pin(engines_of(_children()), options.engine_core)
        else:
            cores = scenario["replicas"]
        bench = Bench(scenario, model, engines, cores)
        stack.callback(bench.close)
        rows: dict[str, Row] = {}
        for name, measures in scenario["arms"].items():
            if options.arm and name not in options.arm:
                continue
            rows[name] = await bench.row(Measures(**dict.fromkeys(measures, True)))
            say(f"{name}: {rows[name].told(0)}")
    most = max(row.tokens_per_s for row in rows.values())
    told = {name: row.told(most) for name, row in rows.items()}
    for line in table(told):
        say(line)
    return {
        "benchmark": "before_after",
        "rows": told,
        "replicas": scenario["replicas"],
        "pinned": not options.unpinned,
        "load_average": round(os.getloadavg()[0], 2),
    }


def table(told: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """As Markdown."""
    columns = (
        "first word p50 / p90 ms",
        "p99 ms",
        "without the model p50 ms",
        "questions/s",
        "engines busy",
        "tokens/s of the most",
    )
    head = f"| | {' | '.join(columns)} |"
    lines = [head, "|---|---|---|---|---|---|---|"]
    for name, row in told.items():
        first, cached = row["first_word_ms"], row["without_model_ms"]
        p99 = first["p99"] if first["p99"] is not None else f"n = {first['n']}"
        lines.append(
            f"| {name} | {first['p50']} / {first['p90']} | {p99} | {cached['p50']} | {row['questions_per_s']} | "
            f"{row['engines_busy']} | {row['tokens_per_s_of_most']} |"
        )
    return lines


def model_of(options: argparse.Namespace, scenario: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: yaml.safe_load(value) for name, _, value in (one.partition("=") for one in options.engine)}
    settings: dict[str, Any] = {
        "max_tokens": scenario["answer_tokens"],
        "answers": {"languages": ["zh", "en"], "kinds": ["public", "personal", "chat"]},
        "engine": {**scenario["engine"], **given},
    }
    return settings | ({"path": str(Path(options.model).resolve())} if options.model else {})


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.before_after", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--config", default=str(SCENARIO), help="arms and load (default: before_after.yaml beside it)")
    parser.add_argument("--arm", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument("--model", help="a folder with tokenizer.json (default: the packaged model)")
    parser.add_argument("--engine", action="append", default=[], metavar="NAME=VALUE", help="to vLLM; may be repeated")
    parser.add_argument("--gpus", action="store_true", help="give each replica a GPU of its own")
    parser.add_argument("--engine-core", type=int, default=1, help="the core of the engines (default %(default)s)")
    parser.add_argument("--front-core", type=int, default=0, help="the core of all else (default %(default)s)")
    parser.add_argument("--unpinned", action="store_true", help="leave every process where the system puts it (a GPU machine)")
    return parser.parse_args(arguments)


def main() -> None:
    options = parsed(sys.argv[1:])
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("VLLM_LOGGING_STREAM", "ext://sys.stderr")
    if not options.unpinned:
        os.environ |= {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "1", "GOMP_SPINCOUNT": "1000"}
    with exit_on_sigterm():
        print(json.dumps(asyncio.run(compare(options, yaml.safe_load(Path(options.config).read_text())))))


if __name__ == "__main__":
    main()
