"""The rows of `benchmarks.before_after` with scripted engines: the whole application over HTTP, no model."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
import yaml

from benchmarks.before_after import SCENARIO, Bench, Row, table
from benchmarks.local_run import CACHE
from benchmarks.measures.switches import Measures
from serve_app.adapters.scripted_engine import ScriptedEngine
from serve_app.packaged_model import is_prepared

pytestmark = [
    pytest.mark.skipif(not is_prepared(CACHE), reason="the packaged model is not prepared: run a benchmark once"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def scenario() -> dict[str, Any]:
    small = {"conversations": 2}
    full = {"at_a_time": 2, "seconds": 1, "warm_up_s": 0.2}
    whole: dict[str, Any] = yaml.safe_load(SCENARIO.read_text())
    return {**whole, "light": small, "full": full, "lookups_ms": {"orders": 100, "parcels": 100, "customer": 100}}


@pytest.fixture(scope="module")
async def engines() -> dict[str, ScriptedEngine]:
    found = {f"replica-{number}": ScriptedEngine(lambda _: [260, 281, 253]) for number in range(2)}
    for engine in found.values():
        await engine.start()
    return found


@pytest.fixture(scope="module")
def bench(scenario: dict[str, Any], engines: dict[str, ScriptedEngine]) -> Generator[Bench]:
    model = {"max_tokens": 16, "answers": {"languages": ["zh", "en"], "kinds": ["public", "personal", "chat"]}}
    made = Bench(scenario, model, engines, cores=1)
    yield made
    made.close()


def _tiers(row: Row, sort: str) -> set[str]:
    return {asked.answer.tier for asked in row.light if asked.sort == sort}


async def test_before_asks_the_model_everything_and_the_shop_in_turn(bench: Bench, engines: dict[str, ScriptedEngine]) -> None:
    row = await bench.row(Measures())
    assert [asked.answer.failed for asked in row.light] == [None] * 8
    assert _tiers(row, "open") == _tiers(row, "public") == {"model"}
    assert all((asked.answer.first_s or 0) > 0.3 for asked in row.light if asked.sort == "open")
    salts = [request.cache_salt for engine in engines.values() for request in engine.requests]
    assert len(salts) == len(set(salts))
    asked = [len(engine.requests) for engine in engines.values()]
    assert abs(asked[0] - asked[1]) <= 1
    assert "| before |" in table({"before": row.told(1.0)})[2]


async def test_after_says_what_is_published_without_the_model_and_keeps_conversations_where_they_are(
    bench: Bench, engines: dict[str, ScriptedEngine]
) -> None:
    for engine in engines.values():
        engine.requests.clear()
    row = await bench.row(Measures(parallel=True, batching=True, reuse=True, affinity=True, tiers=True))
    assert [asked.answer.failed for asked in row.light] == [None] * 8
    assert _tiers(row, "open") == {"model"}
    assert _tiers(row, "public") == {"memory"}
    homes: dict[str | None, set[str]] = {}
    for name, engine in engines.items():
        for request in engine.requests:
            homes.setdefault(request.session_key, set()).add(name)
    assert homes
    assert {request.cache_salt for engine in engines.values() for request in engine.requests} == {"shop"}
    # At a light load nothing spills.
    sessions = {asked.answer.session_id for asked in row.light}
    assert all(len(names) == 1 for session, names in homes.items() if session in sessions)
