"""From what customers ask to answers that are made before they ask: with a model that may, the record and a person between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from serve_app.adapters import record
from serve_app.adapters.csv_knowledge import read_csv
from serve_app.adapters.scripted_engine import ScriptedEngine
from serve_app.adapters.sql_drafts import SqlDrafts
from serve_app.adapters.sql_jobs import SqlJobs
from serve_app.adapters.sql_knowledge import SqlKnowledge
from serve_app.adapters.sql_proposals import SqlProposals
from serve_app.adapters.sql_question_log import SqlQuestionLog
from serve_app.api.pregenerated import PREGENERATED
from serve_app.domain.generation import Generate
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Template
from serve_app.domain.messages import Kind
from serve_app.domain.question_log import Asked
from serve_app.first_questions import FirstQuestions, make_understander
from serve_app.knowledge_editing import KnowledgeEditor
from serve_app.pregeneration.assembling import Pregeneration, Stores, pregeneration
from serve_app.pregeneration.choosing import Wish
from serve_app.pregeneration.publishing import Signature
from serve_app.pregeneration.watching import Progress, watched
from tests.graph.front import Front, serving
from tests.graph.test_capable_model import MODEL
from tests.packaged import packaged_tokenizer

# Public, and no published variant.
ANTARCTICA = "Do you deliver to Antarctica?"
GIFT = "Who pays return shipping for a gift?"


class Words:
    """What the model says, by what stands in its prompt: the first that fits."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}
        self.prompts: list[str] = []

    def __call__(self, request: Generate) -> Sequence[int]:
        tokenizer = packaged_tokenizer()
        prompt = tokenizer.decode(request.prompt_token_ids)
        self.prompts.append(prompt)
        question = prompt.rpartition("user\n")[2]
        said = next((said for words, said in self.of.items() if words in question), "Our policy tells you.")
        return [token_id for character in said for token_id in tokenizer.encode_plain(character)]


@dataclass
class Desk:
    """A front, and a person at its command line: another process on the same record."""

    front: Front
    words: Words
    stores: Stores
    pre: Pregeneration
    said: list[str]

    async def logged(self, question: str, times: int = 1) -> Asked:
        """Asks, and waits until it is counted."""
        for _ in range(times):
            await self.front.ask(question)
        while True:
            for asked in await self.stores.log.head("demo", 100):
                if asked.text == question and asked.count >= times:
                    return asked
            await asyncio.sleep(0.1)

    async def made(self, wish: Wish) -> tuple[tuple[str, ...], Progress]:
        ids = await self.pre.choosing.put("demo", wish)
        return ids, await watched(self.pre.jobs, "demo", ids, self.said.append, nobody_s=60)

    async def until(self, question: str, text: str) -> dict[str, Any]:
        """Asks until the answer is this: a heartbeat after it was published."""
        while (answer := await self.front.ask(question))["text"] != text:
            await asyncio.sleep(0.05)
        return answer


@asynccontextmanager
async def desk_of(front: Front, words: Words) -> AsyncIterator[Desk]:
    engine = record.connect(str(front.config.record.url))
    said: list[str] = []

    def now() -> datetime:
        return datetime.now(UTC)

    proposals, knowledge = SqlProposals(engine), SqlKnowledge(engine)
    understand = FirstQuestions(front.config.tenants, make_understander, now)
    editor = KnowledgeEditor(knowledge, SqlDrafts(engine), proposals, now, understand)
    stores = Stores(editor, knowledge, SqlQuestionLog(engine), proposals, SqlJobs(engine))
    try:
        yield Desk(front, words, stores, pregeneration(front.config, stores, now, said.append), said)
    finally:
        await engine.dispose()


@pytest.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, packaged_model: Path) -> AsyncGenerator[Desk]:
    words = Words()
    engine = ScriptedEngine(words, max_model_len=32768)
    async with (
        serving(tmp_path_factory.mktemp("desk"), valkey_url, packaged_model, engine, model=MODEL) as front,
        desk_of(front, words) as desk,
    ):
        yield desk


async def test_the_head_is_answered_reviewed_published_and_then_in_memory(desk: Desk) -> None:
    asked = await desk.logged(ANTARCTICA, 2)
    assert (asked.language, asked.tier, asked.count) == ("en", "memory", 2)
    assert asked.sources
    desk.words.of = {
        "Translate into simplified Chinese": "你们送到南极吗",
        "你们送到南极吗": "抱歉，不送到南极。",
        ANTARCTICA: "Sorry, we do not deliver there.",
    }
    ids, progress = await desk.made(Wish(top=10))
    assert (progress.made, progress.failed) == (progress.total, 0)
    assert desk.said[-1] == f"{progress.total} of {progress.total} made"
    jobs = await desk.pre.reviewing.list("demo", ["made"], 9)
    job = next(job for job in jobs if job.text == ANTARCTICA)
    assert job.id in ids
    assert isinstance(job.made, Entry)
    assert (job.made.answers, job.model, job.reason) == (
        {"en": "Sorry, we do not deliver there.", "zh": "抱歉，不送到南极。"},
        "capable",
        "",
    )
    assert job.made.questions["zh"] == ("你们送到南极吗",)
    assert {source.id for source in job.made.derived_from} >= set(asked.sources)
    # Every prompt was a customer's: rules and passages, no customer.
    generations = len(desk.front.engine.requests)
    again, _ = await desk.made(Wish(top=10))
    assert again == ids
    assert len(desk.front.engine.requests) == generations, "what is made is made"

    edited = await desk.pre.reviewing.edit("demo", job.id, {}, {"en": "Not yet, sorry."})
    assert isinstance(edited.made, Entry)
    entry = await desk.pre.reviewing.accept("demo", job.id, by="ann")
    await desk.pre.head_first.publish("demo", Signature("ann", "asked"), head=0)
    # The first one may have been asked for in the moment of the switch, when only the Cache room had it.
    await desk.until(ANTARCTICA, "Not yet, sorry.")
    answer = await desk.front.ask(ANTARCTICA)
    assert (answer["source"], answer["tier"], answer["citations"][0]["id"]) == ("faq", "memory", entry.id)
    assert (await desk.front.ask("你们送到南极吗"))["text"] == "抱歉，不送到南极。"
    assert len(desk.front.engine.requests) == generations


async def test_a_figure_that_stands_in_no_source_fails_the_job_and_says_so(desk: Desk) -> None:
    question = "Do you deliver to the moon?"
    await desk.logged(question)
    desk.words.of = {question: "Yes, for 4711 yuan."}
    ids, progress = await desk.made(Wish(top=10))
    assert progress.failed == 1
    (job,) = [job for job in await desk.pre.reviewing.list("demo", ["failed"], 9) if job.id in ids]
    assert (job.text, job.reason) == (question, "the model's answer held a figure that stands in no published source")
    desk.words.of = {question: "Not yet.", "Translate": "送到月球吗"}
    assert (await desk.made(Wish(top=10)))[1].failed == 1
    assert (await desk.made(Wish(top=10, failed_too=True)))[1].failed == 0


async def test_a_template_is_proposed_checked_by_sample_facts_and_taken_into_the_draft(desk: Desk) -> None:
    await desk.stores.editor.withdraw("demo", ["tier"], by="ann")
    await desk.pre.head_first.publish("demo", Signature("ann"), head=0)
    question = "我是什么会员?"
    while (await desk.front.ask(question, "C1001"))["source"] != "faq":
        await asyncio.sleep(0.05)
    while not any(asked.intent is Intent.TIER for asked in await desk.stores.log.head("demo", 9, Kind.TEMPLATED)):
        await asyncio.sleep(0.1)
    good = {"when": "", "zh": "您是{customer.tier_name}。", "en": "You are {customer.tier_name}."}
    bad = {**good, "en": "You are {customer.rank}."}
    desk.words.of = {
        "cannot be published": json.dumps({"cases": [good]}, ensure_ascii=False),
        "membership tier": json.dumps({"cases": [bad]}, ensure_ascii=False),
    }
    ids, progress = await desk.made(Wish(questions=False, templates=True))
    assert (progress.made, progress.failed) == (1, 0)
    assert "customer.rank" in desk.words.prompts[-1], "it is told what is wrong"
    job = await desk.pre.reviewing.find("demo", ids[0])
    assert isinstance(job.made, Template)
    await desk.pre.reviewing.accept("demo", job.id, by="ann")
    await desk.pre.head_first.publish("demo", Signature("ann"), head=0)
    async with asyncio.timeout(20):
        while (answer := await desk.front.ask(question, "C1001"))["source"] != "template":
            await asyncio.sleep(0.05)
    assert answer["text"].startswith("您是")


async def test_what_is_made_is_reviewed_over_http_as_well(desk: Desk) -> None:
    question = "Do you deliver to Mars?"
    await desk.logged(question)
    desk.words.of = {question: "Not yet.", "Translate": "送到火星吗"}
    headers = {"authorization": f"Bearer {await desk.front.new_key(frozenset({'admin'}))}"}

    async def call(method: str, path: str, expected: int = 200, **body: Any) -> Any:
        sent = body if method in ("POST", "PUT") else None
        response = await desk.front.client.request(method, f"{PREGENERATED}{path}", headers=headers, json=sent)
        assert response.status_code == expected, response.text
        return response.json() if response.content else None

    queued = await call("POST", "", 202, top=20, templates=False)
    texts = {key: (await call("GET", f"/{key}"))["text"] for key in queued["ids"]}
    job_id = next(key for key, text in texts.items() if text == question)
    async with asyncio.timeout(20):
        while (await call("GET", f"/{job_id}"))["state"] != "made":
            await asyncio.sleep(0.05)
    assert job_id in [one["id"] for one in (await call("GET", "?state=made"))["pregenerated"]]
    assert (await call("GET", f"/{job_id}"))["made"]["en"] == {"questions": [question], "answer": "Not yet."}
    await call("PUT", f"/{job_id}", answers={"en": "Some day."})
    accepted = await call("POST", f"/{job_id}/accept")
    await call("POST", f"/{job_id}/reject", 409)
    await call("GET", "/pre_none", 404)
    await call("GET", "?state=odd", 422)
    await call("POST", "/confirm", 409, entries=["return-policy"])
    path = "/v1/admin/knowledge/publish"
    done = await desk.front.client.post(path, headers=headers, json={"within_s": 20})
    assert accepted["item_id"] in done.json()["added"]
    await desk.until(question, "Some day.")
    assert (await desk.front.ask(question))["tier"] == "memory"


async def test_publishing_makes_the_head_anew_first_and_nothing_is_missed_after_the_switch(desk: Desk) -> None:
    desk.words.of = {GIFT: "As the policy says."}
    asked = await desk.logged(GIFT, 3)
    source = asked.sources[0]
    content = await desk.stores.editor.content("demo")
    entry = next(entry for entry in content.entries if entry.id == source)
    lines = [f'{source},{language},"{"|".join(entry.questions[language])}",换了。new' for language in ("zh", "en")]
    reading = read_csv("faq.csv", "id,language,questions,answer\n" + "\n".join(lines), "UTC")
    await desk.stores.editor.take("demo", reading, replacing=False, by="ann")

    desk.words.of = {GIFT: "As the new policy says."}
    desk.said.clear()
    prompts = len(desk.words.prompts)
    # Customers go on asking all the while.
    asking = asyncio.create_task(desk.until(GIFT, "As the new policy says."))
    await desk.pre.head_first.publish("demo", Signature("ann"))
    assert any(line.startswith("making ") for line in desk.said)
    async with asyncio.timeout(20):
        answer = await asking
    assert (answer["source"], answer["tier"]) == ("cache", "memory")
    assert [citation["id"] for citation in answer["citations"]].count(source) == 1
    # The model was asked once, and before the switch.
    (renewed,) = [prompt for prompt in desk.words.prompts[prompts:] if GIFT in prompt]
    assert "换了。new" in renewed


async def test_a_rollback_makes_the_head_anew_first_as_well(desk: Desk) -> None:
    desk.words.of = {GIFT: "As the first policy says again."}
    prompts = len(desk.words.prompts)
    asking = asyncio.create_task(desk.until(GIFT, "As the first policy says again."))
    await desk.pre.head_first.rollback("demo", None, Signature("ann"), within_s=60)
    async with asyncio.timeout(20):
        answer = await asking
    assert (answer["source"], answer["tier"]) == ("cache", "memory")
    (renewed,) = [prompt for prompt in desk.words.prompts[prompts:] if GIFT in prompt]
    assert "换了。new" not in renewed
