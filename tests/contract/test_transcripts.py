"""What every store of clients' transcripts does: in memory, in Valkey and in Redis 7, in one server and in a cluster."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from serve_app.adapters.memory_answers import MemoryAnswers
from serve_app.adapters.memory_transcripts import MemoryTranscripts
from serve_app.adapters.redis_answers import RedisAnswers
from serve_app.adapters.redis_client import connect
from serve_app.adapters.redis_transcripts import TURN_BYTES_MAX, RedisTranscripts
from serve_app.config import RedisSettings
from serve_app.domain.errors import StoreFailed
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Kind, Option
from serve_app.domain.question import Focus
from serve_app.domain.session import AnswerRecord, QuestionRecord, Turn
from serve_app.domain.transcripts import KnownTurn
from serve_app.ports import SharedAnswers, Transcripts
from tests.postgres import free_port

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)

Kept = tuple[Transcripts, SharedAnswers]


def a_turn(answer: str = "满99元包邮。") -> KnownTurn:
    question = QuestionRecord("demo", "completions/1", "m1", "a1", "C1001", "运费多少?\u2028", NOW, new_session=True)
    record = AnswerRecord(
        "a1",
        answer,
        "zh",
        Kind.PUBLIC,
        "model",
        "stop",
        NOW,
        model="m",
        events=({"event": "choices", "data": {"prompt": "哪个?", "options": [{"id": "1", "label": "一"}]}},),
        rendered={"m": tuple(range(2000))},
        facts_digest="d",
    )
    focus = Focus(language="zh", intent=Intent.PARCEL, order_id="ZW202611220001", offered=(Option("ZW1", "11月22日"),))
    return KnownTurn(Turn(1, question, record), focus, from_client=False)


def a_digest() -> str:
    return uuid4().hex


@pytest.fixture(scope="module", params=["memory", "valkey", "valkey_cluster", "redis7", "redis7_cluster"])
async def kept(request: pytest.FixtureRequest) -> AsyncGenerator[Kept]:
    if request.param == "memory":
        answers = MemoryAnswers()
        yield MemoryTranscripts(answers), answers
        return
    url: str = request.getfixturevalue(f"{request.param}_url")
    link = connect(RedisSettings(url=url))
    yield RedisTranscripts(link, ttl_s=60), RedisAnswers(link)
    await link.aclose()


async def test_a_turn_returns_exactly_as_it_was(kept: Kept) -> None:
    turns, _ = kept
    digest, turn = a_digest(), a_turn()
    await turns.keep(digest, turn)
    assert await turns.find([digest]) == ({digest: turn}, None)


async def test_those_that_are_known_are_found_among_others(kept: Kept) -> None:
    turns, _ = kept
    known = {a_digest(): a_turn(), a_digest(): replace(a_turn(), from_client=True)}
    for digest, turn in known.items():
        await turns.keep(digest, turn)
    first, second = known
    assert await turns.find([a_digest(), first, a_digest(), second]) == (known, None)


async def test_a_shared_answer_is_read_along(kept: Kept) -> None:
    turns, answers = kept
    digest, key = a_digest(), a_digest()
    await turns.keep(digest, a_turn())
    await answers.put(key, b"an answer", 60)
    assert await turns.find([digest], key) == ({digest: a_turn()}, b"an answer")
    assert await turns.find([], key) == ({}, b"an answer")
    assert await turns.find([], a_digest()) == ({}, None)
    assert await turns.find([]) == ({}, None)


async def test_the_same_answer_given_again_is_the_one_that_stays(kept: Kept) -> None:
    turns, _ = kept
    digest = a_digest()
    await turns.keep(digest, a_turn("一"))
    await turns.keep(digest, a_turn("二"))
    assert (await turns.find([digest]))[0] == {digest: a_turn("二")}


async def test_a_turn_is_found_by_its_answer(kept: Kept) -> None:
    turns, _ = kept
    turn, answer_id, digest = a_turn(), f"ans_{a_digest()}", a_digest()
    assert turn.turn.answer is not None
    named = replace(turn, turn=replace(turn.turn, answer=replace(turn.turn.answer, answer_id=answer_id)))
    await turns.keep(digest, named)
    assert await turns.of_answer("demo", answer_id) == named
    assert await turns.of_answer("other", answer_id) is None
    assert await turns.of_answer("demo", "ans_unknown") is None
    await turns.keep(digest, turn)
    assert await turns.of_answer("demo", answer_id) == named, "also when the same was said again, as another answer"


async def test_one_that_is_too_long_is_not_kept(kept: Kept) -> None:
    turns, _ = kept
    digest = a_digest()
    with pytest.raises(StoreFailed):
        await turns.keep(digest, a_turn("长" * TURN_BYTES_MAX))
    assert await turns.find([digest]) == ({}, None)


class TestInRedis:
    """What only a store outside the process has to do."""

    async def test_a_turn_lives_on_while_its_conversation_does(self, valkey_url: str) -> None:
        link = connect(RedisSettings(url=valkey_url))
        digest = a_digest()
        await RedisTranscripts(link, ttl_s=60).keep(digest, a_turn())
        assert 0 < await link.client.ttl(f"zw:t:{digest}") <= 60
        await RedisTranscripts(link, ttl_s=600).find([digest])
        assert await link.client.ttl(f"zw:t:{digest}") > 60
        await link.aclose()

    @pytest.mark.parametrize("stored", [b"{}", b"\xff", b'{"turn": 1}'])
    async def test_what_another_version_wrote_is_not_known(self, valkey_url: str, stored: bytes) -> None:
        link = connect(RedisSettings(url=valkey_url))
        digest = a_digest()
        await link.client.set(f"zw:t:{digest}", stored, ex=60)
        assert await RedisTranscripts(link, ttl_s=60).find([digest]) == ({}, None)
        await link.aclose()

    async def test_a_server_that_is_away_is_a_failed_store(self) -> None:
        link = connect(RedisSettings(url=f"redis://127.0.0.1:{free_port()}/0"))
        turns = RedisTranscripts(link, ttl_s=60)
        with pytest.raises(StoreFailed):
            await turns.find([a_digest()])
        with pytest.raises(StoreFailed):
            await turns.keep(a_digest(), a_turn())
        await link.aclose()
