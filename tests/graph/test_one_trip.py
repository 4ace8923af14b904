"""An exact hit from memory takes one trip to Redis, and the conversation is kept all the same."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from tests.graph.front import Front

POLICY, FEE = "退货政策是什么?", "运费怎么算"
CUSTOMER = "C1013"


async def scripts_run(front: Front) -> int:
    async with Redis.from_url(str(front.config.redis.url)) as redis:
        stats = await redis.info("commandstats")
    return sum(stats[name]["calls"] for name in ("cmdstat_evalsha", "cmdstat_eval") if name in stats)


async def test_question_and_answer_are_kept_in_one_trip(front: Front) -> None:
    await front.ask(POLICY, CUSTOMER)  # the server knows the scripts then
    before = await scripts_run(front)
    first = await front.ask(POLICY, CUSTOMER)
    second = await front.ask(FEE, CUSTOMER, session_id=first["session_id"])
    assert (first["tier"], second["tier"]) == ("memory", "memory")
    assert await scripts_run(front) - before == 2
    kept = (await front.get(f"/v1/sessions/{first['session_id']}", customer=CUSTOMER)).json()
    assert [turn["question"] for turn in kept["turns"]] == [POLICY, FEE]
    assert [turn["answer"]["text"] for turn in kept["turns"]] == [first["text"], second["text"]]


async def test_a_repeated_message_gets_the_same_answer(front: Front) -> None:
    first = await front.ask(POLICY, CUSTOMER, message_id="again-1")
    again = await front.ask(POLICY, CUSTOMER, message_id="again-1", session_id=first["session_id"])
    assert (again["answer_id"], again["text"]) == (first["answer_id"], first["text"])
    kept = (await front.get(f"/v1/sessions/{first['session_id']}", customer=CUSTOMER)).json()
    assert len(kept["turns"]) == 1


async def test_what_another_process_said_meanwhile_counts(front: Front) -> None:
    """This process takes the conversation to be about returns; another one has spoken of a parcel since."""
    first = await front.ask(POLICY, CUSTOMER)
    async with Redis.from_url(str(front.config.redis.url)) as redis:
        (head,) = [name async for name in redis.scan_iter(f"*{first['session_id']}*:head")]
        await redis.hset(head, "focus", b'{"language":"zh","intent":"parcel"}')
    second = await front.ask(FEE, CUSTOMER, session_id=first["session_id"])
    assert second["tier"] == "template", "the freight of that parcel's order"


async def test_questions_at_once_in_one_session_are_answered_each_in_its_turn(front: Front) -> None:
    first = await front.ask(POLICY, CUSTOMER)
    asks = [front.ask(text, CUSTOMER, session_id=first["session_id"]) for text in (FEE, POLICY, FEE, POLICY)]
    answers = await asyncio.gather(*asks)
    assert {answer["tier"] for answer in answers} == {"memory"}
    kept = (await front.get(f"/v1/sessions/{first['session_id']}", customer=CUSTOMER)).json()
    assert len(kept["turns"]) == 5
    assert all(turn["answer"] is not None for turn in kept["turns"])


async def test_a_foreign_session_is_refused_also_for_a_hit(front: Front) -> None:
    first = await front.ask(POLICY, CUSTOMER)
    refused = await front.post("/v1/ask", customer="C1001", json={"question": FEE, "session_id": first["session_id"]})
    assert refused.status_code == 403
    unknown = await front.post("/v1/ask", customer=CUSTOMER, json={"question": FEE, "session_id": "ses_nowhere"})
    assert unknown.status_code == 404
