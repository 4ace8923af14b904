"""After a publication the most asked questions come again at once: each is generated once, and only so many at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from serve_app.domain.sharing import SharedAnswer
from tests.graph.front import Front, serving
from tests.packaged import saying

MODEL = {
    "demo": False,
    "name": "capable",
    "max_model_len": 32768,
    "answers": {"languages": ["zh", "en"], "kinds": ["public", "personal", "chat"]},
}
KNOWLEDGE = "/v1/admin/knowledge"
# Public, and no published wording.
ONE, OTHER = "Who pays return shipping for a birthday gift?", "Who pays return shipping for a broken gift?"
COMING = "Do you deliver to Jupiter?"


@pytest.fixture(scope="module")
async def front(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, packaged_model: Path) -> AsyncGenerator[Front]:
    engine = saying("I would look at the policy.", max_model_len=32768)
    home = tmp_path_factory.mktemp("flush")
    async with serving(home, valkey_url, packaged_model, engine, model=MODEL, limits={"regenerations": 1}) as running:
        yield running


@pytest.fixture(scope="module")
async def admin(front: Front) -> dict[str, str]:
    return {"authorization": f"Bearer {await front.new_key(frozenset({'admin'}))}"}


async def publish(front: Front, admin: dict[str, str], csv: str) -> None:
    drafted = await front.client.put(f"{KNOWLEDGE}/draft", content=csv, headers=admin | {"content-type": "text/csv"})
    assert drafted.status_code == 200, drafted.text
    done = await front.client.post(f"{KNOWLEDGE}/publish", headers=admin, json={"head": 0})
    assert done.status_code == 200, done.text


async def shared(front: Front, question: str) -> dict[str, Any]:
    """Asks until it comes from a shared tier."""
    async with asyncio.timeout(20):
        while (answer := await front.ask(question))["tier"] not in ("memory", "redis"):
            await asyncio.sleep(0.02)
    return answer


async def test_questions_of_the_head_wait_for_a_place_and_are_not_all_put_to_the_model(
    front: Front, admin: dict[str, str]
) -> None:
    used = {citation["id"] for question in (ONE, OTHER) for citation in (await shared(front, question))["citations"]}
    changed = "".join(f"{name},zh,新的问法{name},新的答案。\n{name},en,new words {name},A new answer.\n" for name in used)
    front.engine.freeze()
    await publish(front, admin, "id,language,questions,answer\n" + changed)
    asked = len(front.engine.requests)
    async with asyncio.timeout(30):
        # The first that is not answered from a shared tier any more waits for the model.
        while True:
            first = asyncio.create_task(front.ask(ONE))
            done, _ = await asyncio.wait([first], timeout=1.0)
            if not done:
                break
    joined = asyncio.create_task(front.ask(ONE, "C1001"))
    shed = await front.ask(OTHER, "C1002")
    assert shed["tier"] == "none"
    assert shed["degraded"] == ["model"]
    assert shed["suggestions"], "what is near is offered"
    new = asyncio.create_task(front.ask("Do you deliver to the moon?"))
    async with asyncio.timeout(20):
        # The first, the one beside it (here nothing joins them), and the new one.
        while len(front.engine.requests) < asked + 3:
            await asyncio.sleep(0.02)
    front.engine.thaw()
    assert [(await one)["tier"] for one in (first, joined, new)] == ["model"] * 3, "a new question needs no place"
    assert (await shared(front, OTHER))["tier"] in ("memory", "redis")
    assert front.counts.regenerations["shed"] == 1
    assert front.counts.regenerations["began"] >= 3


async def test_an_answer_ends_when_an_entry_begins_that_would_have_been_in_it(
    front: Front, admin: dict[str, str], valkey_url: str
) -> None:
    begins = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=5)
    rows = [
        "id,language,questions,answer,valid_from",
        f"jupiter,zh,能寄到木星吗,能。,{begins.isoformat()}",
        f"jupiter,en,Can you deliver to Jupiter?,Yes.,{begins.isoformat()}",
        "mark,zh,新版本的标记,看到了。,",
        "mark,en,mark of the new version,Seen.,",
    ]
    await publish(front, admin, "\n".join(rows) + "\n")
    async with asyncio.timeout(20):
        while (await front.ask("mark of the new version"))["text"] != "Seen.":
            await asyncio.sleep(0.02)
    assert (await front.ask(COMING))["tier"] == "model"

    async def ends() -> set[datetime]:
        async with Redis.from_url(valkey_url) as redis:
            values = [await redis.get(key) async for key in redis.scan_iter("zw:a:*")]
        answers = [SharedAnswer.loads(value) for value in values if isinstance(value, bytes)]
        return {answer.expires_at for answer in answers if answer is not None and answer.expires_at is not None}

    async with asyncio.timeout(10):
        while begins not in await ends():
            await asyncio.sleep(0.02)


async def test_an_answer_ends_when_an_entry_is_added_that_would_have_been_in_it(front: Front, admin: dict[str, str]) -> None:
    question = "Do you deliver parcels to Saturn?"
    before = await shared(front, question)
    assert "saturn" not in {citation["id"] for citation in before["citations"]}
    rows = "saturn,zh,能寄到土星吗,能。\nsaturn,en,Can you ship to Saturn?,Yes.\n"
    await publish(front, admin, "id,language,questions,answer\n" + rows)
    async with asyncio.timeout(30):
        while "saturn" not in {citation["id"] for citation in (await front.ask(question))["citations"]}:
            await asyncio.sleep(0.1)
