"""Nothing of one customer reaches another by a shared answer, and what is everybody's is shared all the same.

The model here is the worst there could be: it tells every customer's canary that its prompt holds. The canaries stand in each
customer's own facts (name, address, coupons, parcels) and nowhere else.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from serve_app import assembly
from serve_app.adapters.auth import ensure_visitor_secret
from serve_app.adapters.memory_answers import MemoryAnswers
from serve_app.adapters.record import connect
from serve_app.adapters.scripted_engine import ScriptedEngine, says
from serve_app.adapters.sql_keys import SqlKeys
from serve_app.demo.knowledge import publish_demo
from serve_app.domain.expiry import day_ends_at
from serve_app.domain.generation import Generate
from serve_app.domain.sharing import SharedAnswer
from tests.graph.front import Front, serving
from tests.packaged import packaged_tokenizer

MODEL = {
    "demo": False,
    "name": "parrot",
    "max_model_len": 32768,
    "max_tokens": 400,
    "answers": {"languages": ["zh", "en"], "kinds": ["public", "personal", "chat"]},
}
TENANTS = {
    "demo": {},
    "other": {"shop": {"id": "other"}, "tokens": {"secret": "file:other-secret"}},
}
CUSTOMERS = ["C1001", "C1002", "C1003", "C1004"]
CANARY = re.compile(r"kn[bcdfghjklmpqrstvwxz]{4}")
# What the model's answers are told by: one that is too long, and one that speaks of today.
LONG, TODAY = "gift wrap in another country", "deliver to Saturn"

# Public, and no published wording: the model answers them, for everyone.
PUBLIC = [
    "Who pays return shipping for a gift?",
    "Do you deliver to Antarctica?",
    "Is there a warranty on shoes for kids?",
    "保修期内换电池要钱吗",
    "我想问发票抬头可以写两个公司吗",
]
ASKED_OF_OWN_THINGS = [
    "我的快递到哪了?",
    "Where is my parcel?",
    "我的订单什么状态",
    "我有哪些优惠券",
    "What is my tier?",
    "我的退款到哪了",
    "What is my address on the order?",
    "Why is the parcel of my shoes so slow, honestly?",
    "我买的东西怎么这么慢，到底怎么回事",
    "Tell me everything that you know about me.",
    "Who am I, and where do I live?",
    "重复一遍我的资料",
]


def canary(customer: str) -> str:
    return "kn" + "".join("bcdfghjklm"[int(digit)] for digit in customer[-4:])


def parroted(request: Generate) -> Sequence[int]:
    tokenizer = packaged_tokenizer()
    prompt = tokenizer.decode(request.prompt_token_ids)
    known = " ".join(sorted(set(CANARY.findall(prompt)))) or "nobody"
    asked = prompt.rpartition("assistant")[0][-400:]
    text = f"I know {known}. " + ("It ends today. " if TODAY in asked else "") + ("and so on " * 100 if LONG in asked else "")
    return says(text, tokenizer)(request)


def plant(home: Path) -> None:
    """Each customer's canary in that customer's facts."""
    with sqlite3.connect(home / "shop.db") as shop:
        for (customer,) in shop.execute("SELECT id FROM customers").fetchall():
            mine = canary(customer)
            own = "(SELECT id FROM orders WHERE customer_id = ?)"
            shop.execute("UPDATE customers SET name = ? WHERE id = ?", (mine, customer))
            shop.execute("UPDATE coupons SET title_zh = ?, title_en = ? WHERE customer_id = ?", (mine, mine, customer))
            shop.execute("UPDATE orders SET address = ? WHERE customer_id = ?", (mine, customer))
            shop.execute(f"UPDATE parcels SET pickup_point = ? WHERE order_id IN {own}", (mine, customer))
            events = f"SELECT id FROM parcels WHERE order_id IN {own}"
            shop.execute(f"UPDATE parcel_events SET place = ?, text = ? WHERE parcel_id IN ({events})", (mine, mine, customer))


class Noted(MemoryAnswers):
    """Keeps everything that was ever put into memory."""

    values: list[bytes] = []  # noqa: RUF012 of all of them

    def put_now(self, key: str, value: bytes, ttl_s: float) -> None:
        self.values.append(value)
        super().put_now(key, value, ttl_s)


@pytest.fixture(scope="module")
async def front(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, packaged_model: Path) -> AsyncGenerator[Front]:
    engine = ScriptedEngine(parroted, max_model_len=32768)
    home = tmp_path_factory.mktemp("leaks")
    (home / "other-secret").write_text("another secret, of at least 32 bytes\n")
    ensure_visitor_secret(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assembly, "MemoryAnswers", Noted)
        settings: dict[str, Any] = {"model": MODEL, "tenants": TENANTS, "limits": {"requests_in_flight": 64}}
        async with serving(home, valkey_url, packaged_model, engine, **settings) as running:
            plant(home)
            yield running


async def shared_answers(valkey_url: str) -> dict[str, bytes]:
    """Everything in Valkey that customers may share."""
    async with Redis.from_url(valkey_url) as redis:
        keys = [key async for key in redis.scan_iter("zw:a:*")]
        values = await redis.mget(keys) if keys else []
        return {key.decode(): value for key, value in zip(keys, values, strict=True) if isinstance(value, bytes)}


async def kept(valkey_url: str, text: str) -> SharedAnswer:
    """The shared answer that says this, when it has been written."""
    async with asyncio.timeout(10):
        while True:
            for value in (await shared_answers(valkey_url)).values():
                answer = SharedAnswer.loads(value)
                if answer is not None and text in answer.text:
                    return answer
            await asyncio.sleep(0.01)


async def is_from_model(front: Front, question: str, customer: str | None = None, **fields: Any) -> bool:
    """Whether the model was asked for it."""
    before = len(front.engine.requests)
    answer = await front.ask(question, customer, **fields)
    assert (answer["tier"] == "model") == (len(front.engine.requests) > before), answer
    return answer["tier"] == "model"


async def test_no_customers_facts_are_ever_in_a_shared_answer(front: Front, valkey_url: str) -> None:
    for customer in CUSTOMERS:
        session = (await front.ask(ASKED_OF_OWN_THINGS[0], customer))["session_id"]
        for question in (*ASKED_OF_OWN_THINGS, *PUBLIC, "那运费呢?", *PUBLIC):
            answer = await front.ask(question, customer, session_id=session)
            said = set(CANARY.findall(str(answer)))
            assert said <= {canary(customer)}, (question, customer, answer)
    # The canaries were there to be told.
    told = [
        request for request in front.engine.requests if CANARY.search(packaged_tokenizer().decode(request.prompt_token_ids))
    ]
    assert told
    assert all(request.join_key is None for request in told), "a prompt with facts is nobody else's"
    values = [*Noted.values, *(await shared_answers(valkey_url)).values()]
    assert values, "something is shared"
    assert not [value for value in values if CANARY.search(value.decode())]


async def test_two_customers_share_what_is_everybodys(front: Front, valkey_url: str) -> None:
    """An isolation that drives the hit rate to zero is a defect, too."""
    question = "Who pays return shipping for a birthday gift?"
    await front.ask(question, "C1001")
    await kept(valkey_url, "nobody")
    for customer in ("C1002", None, "C1003"):
        assert not await is_from_model(front, question, customer)


async def test_a_question_that_is_nearly_anothers_gets_no_answer_of_anothers(front: Front) -> None:
    mine = await front.ask("Tell me everything that you know about me, please do.", "C1001")
    assert canary("C1001") in mine["text"]
    for near in ("Tell me everything that you know about me, please do.", "Tell me everything that you know about me please!"):
        theirs = await front.ask(near, "C1002")
        assert theirs["tier"] == "model"
        assert canary("C1001") not in str(theirs)


async def test_tenants_share_nothing(front: Front) -> None:
    question = PUBLIC[1]
    await front.ask(question)
    engine = connect(str(front.config.record.url))
    try:
        await publish_demo(engine, "other", datetime.now(UTC))
        _, key = await SqlKeys(engine).create("other", frozenset({"ask"}), "test", datetime.now(UTC))
    finally:
        await engine.dispose()
    assert not await is_from_model(front, question)
    asked = len(front.engine.requests)
    response = await front.client.post("/v1/ask", json={"question": question}, headers={"authorization": f"Bearer {key}"})
    assert response.status_code == 200, response.text
    assert response.json()["tier"] not in ("memory", "redis")
    assert response.json()["tier"] != "model" or len(front.engine.requests) == asked + 1


async def test_an_attached_order_or_article_is_part_of_the_question(front: Front) -> None:
    question = PUBLIC[2]
    await front.ask(question, "C1001")
    assert not await is_from_model(front, question, "C1002")
    order = front.order_of("C1002")
    attached = await front.ask(question, "C1002", order_id=order)
    assert attached["tier"] not in ("memory", "redis")
    about = await front.ask(question, "C1002", sku_id="SKU-10001")
    assert about["tier"] not in ("memory", "redis")
    assert not await is_from_model(front, question, "C1003")


@pytest.mark.parametrize(
    "said",
    [
        [{"role": "system", "content": "You are a pirate."}],
        [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Shipping is free for ever."}],
    ],
    ids=["its own instructions", "its own transcript"],
)
async def test_what_a_client_brings_is_in_nobody_elses_answer(
    front: Front, said: list[dict[str, str]], valkey_url: str
) -> None:
    question = f"Who pays return shipping for a {'broken' if len(said) == 1 else 'wooden'} gift?"
    before = set(await shared_answers(valkey_url))
    body = {"model": "zerowait", "messages": [*said, {"role": "user", "content": question}]}
    response = await front.post("/v1/chat/completions", json=body)
    assert response.status_code == 200, response.text
    assert set(await shared_answers(valkey_url)) == before
    answer = await front.ask(question)
    assert answer["tier"] not in ("memory", "redis")


async def test_an_answer_that_was_cut_off_is_not_shared(front: Front) -> None:
    question = f"Do you offer {LONG}?"
    first = await front.ask(question)
    assert (first["tier"], first["finish_reason"]) == ("model", "length")
    assert await is_from_model(front, question)


async def test_the_same_words_after_another_turn_are_another_question(front: Front) -> None:
    returns = await front.ask("怎么退货?", "C1001")
    first = await front.ask("那运费呢?", "C1001", session_id=returns["session_id"])
    other = await front.ask("可以寄到海外吗?", "C1002")
    second = await front.ask("那运费呢?", "C1002", session_id=other["session_id"])
    alone = await front.ask("那运费呢?")
    assert first["text"] != second["text"] or first["citations"] != second["citations"]
    assert alone["text"] != first["text"]


async def test_an_answer_of_today_ends_with_the_shops_day_and_one_of_now_is_nobody_elses(front: Front, valkey_url: str) -> None:
    asked_at = datetime.now(UTC)
    today = f"Do you {TODAY}?"
    assert (await front.ask(today))["tier"] == "model"
    ends = {day_ends_at(asked_at, "Asia/Shanghai"), day_ends_at(asked_at + timedelta(minutes=5), "Asia/Shanghai")}
    async with asyncio.timeout(10):
        while not ends & {answer.expires_at for answer in map(SharedAnswer.loads, Noted.values) if answer is not None}:
            await asyncio.sleep(0.01)
    assert not await is_from_model(front, today)
    now = "Do you deliver to Venus right now?"
    assert (await front.ask(now))["tier"] == "model"
    assert await is_from_model(front, now)


async def test_a_thumb_down_takes_an_answer_out_until_a_person_has_looked(front: Front, valkey_url: str) -> None:
    question = "Can my dog pay for a gift with a card?"
    admin = {"authorization": f"Bearer {await front.new_key(frozenset({'admin'}))}"}
    path = "/v1/admin/knowledge/aside"
    given = await front.ask(question, "C1001")
    assert given["tier"] == "model"
    async with asyncio.timeout(10):
        while await is_from_model(front, question, "C1002"):
            await asyncio.sleep(0.01)
    again = await front.ask(question, "C1002")
    foreign = await front.post("/v1/feedback", customer="C1001", json={"answer_id": again["answer_id"], "rating": "down"})
    assert foreign.status_code == 404, "only who got an answer may complain of it"
    down = await front.post("/v1/feedback", customer="C1002", json={"answer_id": again["answer_id"], "rating": "down"})
    assert down.status_code == 204
    async with asyncio.timeout(20):
        while not await is_from_model(front, question, "C1003"):
            await asyncio.sleep(0.05)
    assert await is_from_model(front, question, "C1004"), "the next answer is not shared either"

    assert (await front.get(path)).status_code == 403
    listed = (await front.client.get(path, headers=admin)).json()["set_aside"]
    (mine,) = [one for one in listed if one["question"] == question]
    assert (mine["state"], mine["count"], mine["model"]) == ("aside", 1, "parrot")
    assert "C1002" not in str(mine)
    shown = await front.client.get(f"{path}/{mine['id']}", headers=admin)
    assert shown.json() == mine
    restored = await front.client.post(f"{path}/{mine['id']}/restore", headers=admin)
    assert restored.json()["state"] == "restored"
    async with asyncio.timeout(20):
        while await is_from_model(front, question, "C1003"):
            await asyncio.sleep(0.05)
    assert (await front.client.post(f"{path}/unknown/drop", headers=admin)).status_code == 404
    assert (await front.client.get(f"{path}?state=lost", headers=admin)).status_code == 422


async def test_a_thumb_down_on_a_published_wording_leaves_it_and_lists_it(front: Front) -> None:
    admin = {"authorization": f"Bearer {await front.new_key(frozenset({'admin'}))}"}
    question = "退货政策是什么?"
    given = await front.ask(question, "C1001")
    assert given["tier"] == "memory"
    down = await front.post("/v1/feedback", customer="C1001", json={"answer_id": given["answer_id"], "rating": "down"})
    assert down.status_code == 204
    listed = (await front.client.get("/v1/admin/knowledge/aside?state=listed", headers=admin)).json()["set_aside"]
    assert [one["entry_ids"] for one in listed] == [["return-policy"]]
    assert (await front.ask(question, "C1002"))["text"] == given["text"]
    refused = await front.client.post(f"/v1/admin/knowledge/aside/{listed[0]['id']}/drop", headers=admin)
    assert refused.status_code == 409
