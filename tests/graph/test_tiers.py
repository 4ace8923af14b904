"""Every answer says which tier gave it, and the counts by tier add up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from deployments import one_process
from serve_app.adapters.memory_tier_counts import MemoryTierCounts
from tests.graph.front import Front, serving
from tests.graph.socket_client import greeted
from tests.graph.test_asking import asking, events_of
from tests.graph.test_capable_model import MODEL
from tests.packaged import saying

PUBLISHED = "退货政策是什么?"
PARCEL = "我的快递到哪了?"
PERSON = "转人工"
# Public, and no published variant.
UNPUBLISHED = ("Do you deliver to Antarctica?", "Do you deliver to Greenland?", "Do you deliver to the moon?")


@pytest.fixture(scope="module")
async def front(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, packaged_model: Path) -> AsyncGenerator[Front]:
    engine = saying("I would look at the policy.", max_model_len=32768)
    async with serving(tmp_path_factory.mktemp("tiers"), valkey_url, packaged_model, engine, model=MODEL) as running:
        yield running


@asynccontextmanager
async def beside(front: Front) -> AsyncGenerator[Front]:
    """Another process on the same record and the same Redis."""
    counts = MemoryTierCounts()
    async with AsyncExitStack() as stack:
        host, port = await stack.enter_async_context(one_process.serving(front.config, front.engine, counts))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=30))
        yield replace(front, client=client, host=host, port=port, counts=counts)


async def shared(front: Front, question: str) -> None:
    """Asks until the answer stands in the shared tier: it is kept off the customer's path."""
    while (await front.ask(question))["tier"] == "model":
        await asyncio.sleep(0.01)


async def tier_of(front: Front, question: str, customer: str | None = None) -> str:
    """As the body and the header say it."""
    response = await front.post("/v1/ask", customer=customer, json={"question": question})
    assert response.status_code == 200, response.text
    assert response.headers["x-zerowait-tier"] == response.json()["tier"]
    return response.json()["tier"]


async def test_each_tier_says_that_it_answered(front: Front) -> None:
    assert await tier_of(front, PUBLISHED) == "memory"
    assert await tier_of(front, UNPUBLISHED[0]) == "model"
    await shared(front, UNPUBLISHED[0])
    assert await tier_of(front, UNPUBLISHED[0], "C1001") == "memory"
    assert await tier_of(front, PARCEL, "C1002") == "template"
    assert await tier_of(front, PERSON) == "none"
    async with beside(front) as other:
        assert await tier_of(other, PUBLISHED) == "memory", "what is published is warm before a process is ready"


async def test_redis_gives_what_another_process_has_kept(front: Front) -> None:
    question = UNPUBLISHED[1]
    async with beside(front) as other:
        await shared(front, question)
        assert [await tier_of(other, question), await tier_of(other, question)] == ["redis", "memory"]
        assert other.counts.ages_s[0] >= 0


async def test_an_entry_found_by_its_intent_is_shared_from_then_on(front: Front) -> None:
    answers = []
    for _ in range(3):
        session = await front.ask(PUBLISHED)
        answers.append(await front.ask("那运费呢?", session_id=session["session_id"]))
    tiers = [answer["tier"] for answer in answers]
    assert (tiers[0], tiers[-1]) == ("faq", "memory")
    assert {answer["source"] for answer in answers} == {"faq"}, "the words are the shop's, wherever they stood"
    assert len({answer["text"] for answer in answers}) == 1


async def test_the_tier_is_told_wherever_an_answer_is(front: Front) -> None:
    async with asking(front, PUBLISHED) as response:
        events = [event async for event in events_of(response)]
    assert (events[0][0], events[0][1]["tier"]) == ("meta", "memory")
    async with greeted(front) as socket:
        frames = await socket.ask(PUBLISHED)
    assert [frame["data"]["tier"] for frame in frames if frame["event"] == "meta"] == ["memory"]
    messages = [{"role": "user", "content": PUBLISHED}]
    completion = await front.post("/v1/chat/completions", json={"model": "zerowait", "messages": messages})
    assert completion.headers["x-zerowait-tier"] == "memory"


async def test_a_repeated_message_gets_the_tier_that_answered_it(front: Front) -> None:
    first = await front.ask(UNPUBLISHED[2], message_id="m1")
    before = sum(front.counts.answers.values())
    again = await front.ask(UNPUBLISHED[2], message_id="m1", session_id=first["session_id"])
    assert (first["tier"], again["tier"]) == ("model", "model")
    assert sum(front.counts.answers.values()) == before, "no new question"
    turns = (await front.get(f"/v1/sessions/{first['session_id']}")).json()["turns"]
    assert turns[0]["answer"]["tier"] == "model"


async def test_the_counts_by_tier_add_up_to_all_questions(front: Front) -> None:
    async with beside(front) as other:
        questions = [
            (PUBLISHED, None),
            (UNPUBLISHED[0], None),
            (PARCEL, "C1002"),
            (PARCEL, None),
            (PERSON, None),
            ("你好", None),
        ]
        tiers = [await tier_of(other, question, customer) for question, customer in questions]
        other.engine.fail()
        failed = await other.post("/v1/ask", json={"question": "Do you deliver to Mars?"})
        await other.engine.start()
        counts = other.counts
    assert failed.status_code == 503
    assert sum(counts.answers.values()) == len(questions) + 1
    assert dict(counts.answers) == {tier: [*tiers, "none"].count(tier) for tier in {*tiers, "none"}}
    assert counts.sources["error"] == 1
    assert all(counts.answers[tier] <= counts.eligible[tier] for tier in counts.answers if tier != "none")
    assert counts.eligible["template"] == 1, "who has not signed in cannot be told of their parcels"
    assert counts.head["memory"] >= 1
    assert sum(counts.head.values()) <= sum(counts.answers.values())
