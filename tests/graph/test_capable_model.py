"""A model that may answer for the shop: what enters its prompts, and what of its answers may be shared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from serve_app.adapters import record
from serve_app.adapters.sql_knowledge import SqlKnowledge
from serve_app.adapters.tokenizer import HfTokenizer
from serve_app.domain.errors import StoreFailed
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry
from tests.graph.front import Front, serving
from tests.packaged import saying

MODEL = {
    "demo": False,
    "name": "capable",
    "max_model_len": 32768,
    "answers": {"languages": ["zh", "en"], "kinds": ["public", "personal", "chat"]},
}
# Public, and no published variant.
UNPUBLISHED = "Do you deliver to Antarctica?"


@pytest.fixture(scope="module")
async def capable(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, packaged_model: Path) -> AsyncGenerator[Front]:
    engine = saying("I would look at the policy.", max_model_len=32768)
    async with serving(tmp_path_factory.mktemp("capable"), valkey_url, packaged_model, engine, model=MODEL) as front:
        yield front


@pytest.fixture(scope="module")
def tokenizer(packaged_model: Path) -> HfTokenizer:
    return HfTokenizer.load(packaged_model)


async def published(front: Front) -> list[Entry]:
    engine = record.connect(str(front.config.record.url))
    try:
        entries, _ = await SqlKnowledge(engine, lambda: datetime.now(UTC)).published("demo")
    finally:
        await engine.dispose()
    return [entry for entry in entries if entry.is_valid(datetime.now(UTC))]


def last_prompt(front: Front, tokenizer: HfTokenizer) -> str:
    return tokenizer.decode(front.engine.requests[-1].prompt_token_ids)


async def test_a_personal_prompt_holds_the_customers_facts_and_no_one_elses(capable: Front, tokenizer: HfTokenizer) -> None:
    answer = await capable.ask("Why is the parcel of my shoes so slow, honestly?", "C1002")
    assert (answer["source"], answer["kind"]) == ("model", "personal")
    prompt = last_prompt(capable, tokenizer)
    assert capable.order_of("C1002") in prompt
    assert capable.order_of("C1001") not in prompt


async def test_a_turns_prompt_begins_with_the_last_ones_and_its_answer(capable: Front) -> None:
    first = await capable.ask("Why is the parcel of my shoes so slow, honestly?", "C1002")
    before = capable.engine.requests[-1].prompt_token_ids
    await capable.ask("My colleague says that is normal, is he right?", "C1002", session_id=first["session_id"])
    after = capable.engine.requests[-1].prompt_token_ids
    assert after[: len(before)] == before
    assert len(after) > len(before) + 4


async def test_a_public_prompt_holds_no_facts_and_no_turns(capable: Front, tokenizer: HfTokenizer) -> None:
    first = await capable.ask("My dog ate the shoes from my order, can you believe it?", "C1002")
    answer = await capable.ask(UNPUBLISHED, "C1002", session_id=first["session_id"])
    assert (answer["source"], answer["kind"]) == ("model", "public")
    prompt = last_prompt(capable, tokenizer)
    assert capable.order_of("C1002") not in prompt
    assert "dog" not in prompt


async def test_a_public_prompt_holds_no_published_text_but_what_its_answer_cites(
    capable: Front, tokenizer: HfTokenizer
) -> None:
    entries = {entry.id: entry for entry in await published(capable)}

    def told() -> set[str]:
        prompt = last_prompt(capable, tokenizer)
        return {entry.id for entry in entries.values() if any(text in prompt for text in entry.answers.values())}

    answer = await capable.ask("Who pays return shipping for something that I gave away?")
    assert (answer["source"], answer["kind"]) == ("model", "public")
    assert told() == {citation["id"] for citation in answer["citations"]} != set()
    await capable.ask("Why is the parcel of my boots so slow, honestly?", "C1002")
    assert told() == set(entries), "a conversation's prompt begins with all rules"


async def test_a_models_public_answer_is_shared_with_its_citations_and_its_name(capable: Front) -> None:
    question = "Who pays return shipping for a gift?"
    first = await capable.ask(question, "C1001")
    again = await capable.ask(question)
    assert (first["source"], again["source"]) == ("model", "cache")
    assert (again["text"], again["citations"], again["model"]) == (first["text"], first["citations"], "capable")


async def test_what_was_answered_while_the_record_was_away_is_not_shared(
    capable: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = "Who pays return shipping for a wedding gift?"
    await capable.ask("What is your return policy?")

    async def away(*_: object) -> int:
        raise StoreFailed("away")

    with monkeypatch.context() as patched:
        patched.setattr(SqlKnowledge, "version", away)
        async with asyncio.timeout(20):
            while "knowledge" not in (answer := await capable.ask(question + " Really?"))["degraded"]:
                await asyncio.sleep(0.05)
        answer = await capable.ask(question)
        assert (answer["tier"], answer["degraded"]) == ("model", ["knowledge"])
        assert (await capable.ask(question))["tier"] == "model"
        worded = await capable.ask("What is your return policy?")
        assert (worded["source"], worded["degraded"]) == ("faq", ["knowledge"]), "the Cache room still knows what it read last"
    async with asyncio.timeout(20):
        # Nothing of that time is given again.
        while (answer := await capable.ask(question))["degraded"]:
            assert answer["tier"] == "model"
            await asyncio.sleep(0.05)
    assert answer["tier"] == "model"
    async with asyncio.timeout(20):
        while (await capable.ask(question))["tier"] == "model":
            await asyncio.sleep(0.05)


async def test_an_anonymous_question_gets_the_published_passages(capable: Front, tokenizer: HfTokenizer) -> None:
    answer = await capable.ask("My neighbour wonders whether shoes that broke can go back to you somehow")
    assert answer["source"] == "model"
    assert "退货" in last_prompt(capable, tokenizer) or "return" in last_prompt(capable, tokenizer)


async def test_a_rewritten_follow_up_is_never_put_to_a_public_prompt(capable: Front) -> None:
    first = await capable.ask("退货政策是什么?")
    asked = len(capable.engine.requests)
    answer = await capable.ask("那运费呢?", session_id=first["session_id"])
    assert answer["source"] in ("faq", "cache")
    assert len(capable.engine.requests) == asked


async def test_what_a_model_told_one_customer_is_told_to_no_other_from_a_shared_tier(capable: Front) -> None:
    question = "Why is the parcel of my shoes so slow, honestly?"
    await capable.ask(question, "C1002")
    asked = len(capable.engine.requests)
    answer = await capable.ask(question, "C1001")
    assert answer["source"] == "model"
    assert len(capable.engine.requests) == asked + 1


async def test_a_generation_carries_how_many_questions_were_asked_since_the_last_one(capable: Front) -> None:
    """Those that the shop answered without the model, too: the number of replicas depends on how many need it."""
    chat = "My cousin thinks that your slippers are ugly, what do you say?"
    await capable.ask(chat, "C1002")
    for question in ("What is your return policy?", "运费怎么算?", "What is your return policy?"):
        assert (await capable.ask(question))["source"] in ("faq", "cache")
    await capable.ask(chat, "C1002")
    assert capable.engine.requests[-1].asked == 4
    await capable.ask(chat, "C1002")
    assert capable.engine.requests[-1].asked == 1


async def test_small_talk_in_published_words_is_the_shops_own(tmp_path: Path, valkey_url: str, packaged_model: Path) -> None:
    """Who it is that answers, say: no model tells that in its own words."""
    question, told = "Who are you?", "I am the shop's assistant, a program."
    model = {**MODEL, "answers": {"languages": ["en"], "kinds": ["chat"]}}
    async with serving(tmp_path, valkey_url, packaged_model, saying("I am a person."), model=model) as front:
        assert (await front.ask(question))["source"] == "model"
        engine = record.connect(str(front.config.record.url))
        try:
            entry = Entry("who", 0, Intent.OTHER, {"zh": ("你是谁",), "en": (question,)}, {"zh": "我是程序。", "en": told})
            await SqlKnowledge(engine, lambda: datetime.now(UTC)).publish("demo", [entry], [], [], datetime.now(UTC))
        finally:
            await engine.dispose()
        async with asyncio.timeout(15):
            while (answer := await front.ask(question))["source"] != "faq":
                await asyncio.sleep(0.05)
        assert answer["text"] == told
