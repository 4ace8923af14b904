"""What is Redis's own: round trips, leases, time to live, slots, and what happens when a process or the server goes away."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio.connection import AbstractConnection

from serve_app.adapters import session_scripts as scripts
from serve_app.adapters.redis_client import connect, session_keys
from serve_app.adapters.redis_link import ClusterLink, RedisLink
from serve_app.adapters.redis_sessions import RedisSessions
from serve_app.config import RedisSettings
from serve_app.domain.errors import ConfigError, Conflict, StoreFailed
from serve_app.domain.messages import Kind
from serve_app.domain.question import Focus
from serve_app.domain.session import AnswerRecord, Begun, QuestionRecord
from tests.postgres import free_port
from tests.redis_servers import everywhere

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
WORKER = Path(__file__).with_name("session_worker.py")


def ask(session_id: str, message_id: str, *, new: bool = False) -> QuestionRecord:
    return QuestionRecord("demo", session_id, message_id, f"a-{message_id}", "C1001", message_id, NOW, new)


def answer(text: str) -> AnswerRecord:
    return AnswerRecord("a", text, "zh", Kind.PUBLIC, "faq", "stop", NOW)


@pytest.fixture(scope="module", params=["valkey", "valkey_cluster", "redis7"])
def url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
async def link(url: str) -> AsyncGenerator[RedisLink]:
    made = connect(RedisSettings(url=url, timeout_ms=5000))
    yield made
    await made.aclose()


@pytest.fixture
async def sessions(link: RedisLink) -> AsyncGenerator[RedisSessions]:
    made = RedisSessions(link, ttl_s=3600, turn_wait_s=20)
    yield made
    await made.aclose()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.005)


async def test_a_turn_takes_two_round_trips(link: RedisLink, sessions: RedisSessions, monkeypatch: pytest.MonkeyPatch):
    if isinstance(link, ClusterLink):
        pytest.skip("several servers get their parts of it at the same time")
    warm = uuid4().hex
    await sessions.begin(ask(warm, "m1", new=True), "key")
    await sessions.finish("demo", warm, 1, answer("x"), Focus())
    sent: list[int] = []
    send = AbstractConnection.send_packed_command

    async def counted(self: AbstractConnection, *arguments: Any, **options: Any) -> None:
        sent.append(1)
        await send(self, *arguments, **options)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", counted)
    for message_id, session_id, new in (("m2", warm, False), ("m1", uuid4().hex, True)):
        begun = await sessions.begin(ask(session_id, message_id, new=new), "key")
        assert len(sent) == 1
        await sessions.finish("demo", session_id, begun.number, answer("x"), Focus())
        assert len(sent) == 2
        sent.clear()


async def test_the_time_to_live_is_refreshed_at_each_turn(link: RedisLink):
    sessions = RedisSessions(link, ttl_s=3600, turn_wait_s=1)
    name = uuid4().hex
    keys = session_keys("demo", name)

    async def age() -> None:
        for key in keys:
            await link.client.expire(key, 10)

    async def is_young() -> bool:
        return all([3590 < await link.client.ttl(key) <= 3600 for key in keys if await link.client.exists(key)])

    await sessions.begin(ask(name, "m1", new=True))
    assert await is_young()
    await age()
    await sessions.finish("demo", name, 1, answer("x"), Focus())
    assert await is_young()
    await age()
    await sessions.begin(ask(name, "m1"))
    assert await is_young(), "a repeated message is a use, too"
    await sessions.aclose()


async def test_a_session_that_is_gone_takes_no_answer(sessions: RedisSessions, link: RedisLink):
    name = uuid4().hex
    await sessions.begin(ask(name, "m1", new=True))
    await link.client.delete(*session_keys("demo", name))
    with pytest.raises(StoreFailed):
        await sessions.finish("demo", name, 1, answer("x"), Focus())
    assert not await link.client.exists(*session_keys("demo", name))


async def test_an_answer_is_not_recorded_as_another_question_s(sessions: RedisSessions, link: RedisLink):
    """A failover lost the turn, and its number was given to another message, which nobody holds."""
    name = uuid4().hex
    await sessions.begin(ask(name, "m1", new=True))
    await link.client.delete(*session_keys("demo", name))
    elsewhere = RedisSessions(link, ttl_s=3600, turn_wait_s=20)
    begun = await elsewhere.begin(ask(name, "m2", new=True))
    await elsewhere.abandon("demo", name, begun.number)
    with pytest.raises(StoreFailed):
        await sessions.finish("demo", name, 1, answer("x"), Focus())
    assert [turn.answer for turn in (await sessions.read("demo", name, "C1001")).turns] == [None]
    await elsewhere.aclose()


async def test_a_lease_is_renewed_while_the_turn_is_held(link: RedisLink):
    sessions = RedisSessions(link, ttl_s=3600, turn_wait_s=1, lease_s=0.3)
    name = uuid4().hex
    head = session_keys("demo", name)[0]
    await sessions.begin(ask(name, "m1", new=True))
    first = await link.client.hget(head, "l:1")

    async def renewed() -> bool:
        return await link.client.hget(head, "l:1") not in (first, None)

    await until(renewed)
    await sessions.finish("demo", name, 1, answer("x"), Focus())
    assert await link.client.hget(head, "l:1") is None
    await sessions.aclose()


async def test_a_turn_that_nobody_ends_is_given_up(link: RedisLink):
    sessions = RedisSessions(link, ttl_s=3600, turn_wait_s=20, lease_s=0.05, hold_max_s=0)
    name = uuid4().hex
    await sessions.begin(ask(name, "m1", new=True))
    begun = await sessions.begin(ask(name, "m2"))
    assert begun.number == 2
    await sessions.finish("demo", name, 1, answer("late"), Focus())
    session = await sessions.read("demo", name, "C1001")
    assert session.turns[0].answer == answer("late"), "a late answer is recorded all the same"
    await sessions.aclose()


async def test_who_lost_a_turn_cannot_answer_it(link: RedisLink, sessions: RedisSessions):
    stale = RedisSessions(link, ttl_s=3600, turn_wait_s=20, lease_s=0.05, hold_max_s=0)
    name = uuid4().hex
    await stale.begin(ask(name, "m1", new=True))
    begun = await sessions.begin(ask(name, "m1"))
    assert (begun.number, begun.repeated) == (1, None)
    with pytest.raises(Conflict):
        await stale.finish("demo", name, 1, answer("stale"), Focus())
    await sessions.finish("demo", name, 1, answer("fresh"), Focus())
    assert [turn.answer for turn in (await sessions.read("demo", name, "C1001")).turns] == [answer("fresh")]


async def test_turns_left_at_the_end_are_given_up_at_once(link: RedisLink, sessions: RedisSessions):
    leaving = RedisSessions(link, ttl_s=3600, turn_wait_s=20, lease_s=60)
    name = uuid4().hex
    await leaving.begin(ask(name, "m1", new=True))
    await leaving.aclose()
    assert (await sessions.begin(ask(name, "m2"))).number == 2


async def test_a_turn_is_let_go_when_the_answer_could_not_be_sent(
    link: RedisLink, sessions: RedisSessions, monkeypatch: pytest.MonkeyPatch
):
    holding = RedisSessions(link, ttl_s=3600, turn_wait_s=20, lease_s=60)
    name = uuid4().hex
    await holding.begin(ask(name, "m1", new=True))
    run = scripts.FINISH.run_beside

    async def fails_once(*_arguments: Any) -> Any:
        monkeypatch.setattr(scripts.FINISH, "run_beside", run)
        raise StoreFailed("away")

    monkeypatch.setattr(scripts.FINISH, "run_beside", fails_once)
    with pytest.raises(StoreFailed):
        await holding.finish("demo", name, 1, answer("x"), Focus())
    async with asyncio.timeout(2):
        assert (await sessions.begin(ask(name, "m2"))).number == 2
    await holding.aclose()


async def worker(url: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, str(WORKER), url, *arguments, stdout=asyncio.subprocess.PIPE)


async def line_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        return (await process.stdout.readline()).decode().strip()


async def test_a_killed_process_blocks_nobody_and_its_question_stays(url: str, sessions: RedisSessions):
    name = uuid4().hex
    process = await worker(url, "hold", name)
    assert await line_of(process) == "holds"
    process.send_signal(signal.SIGKILL)
    await process.wait()
    begun = await sessions.begin(ask(name, "m2"))
    assert [(turn.question.message_id, turn.answer) for turn in begun.session.turns] == [("m1", None)]
    await sessions.finish("demo", name, 2, answer("second"), Focus())
    again = await sessions.begin(ask(name, "m1"))
    assert (again.number, again.repeated) == (1, None), "the same message takes its turn up again"
    await sessions.finish("demo", name, 1, answer("first"), Focus())
    session = await sessions.read("demo", name, "C1001")
    assert [turn.answer and turn.answer.text for turn in session.turns] == ["first", "second"]


async def test_what_a_killed_process_acknowledged_is_kept(url: str, sessions: RedisSessions):
    name = uuid4().hex
    process = await worker(url, "answer", name)
    acknowledged = [await line_of(process) for _ in range(25)]
    process.send_signal(signal.SIGKILL)
    assert process.stdout is not None
    acknowledged += (await process.stdout.read()).decode().split()
    await process.wait()
    turns = (await sessions.read("demo", name, "C1001")).turns
    recorded = {f"{turn.number}:{turn.answer.text}" for turn in turns if turn.answer}
    assert set(acknowledged) <= recorded
    assert [turn.number for turn in turns] == list(range(1, len(turns) + 1))


async def test_the_keys_of_a_session_lie_in_one_slot(valkey_cluster_url: str):
    link = connect(RedisSettings(url=valkey_cluster_url))
    sessions = RedisSessions(link, ttl_s=60, turn_wait_s=1)
    for name in ("plain", "}", "{x}", "a/b{", ""):
        await sessions.begin(ask(name, "m1", new=True), "key")
        await sessions.finish("demo", name, 1, answer("x"), Focus())
        assert len((await sessions.read("demo", name, "C1001")).turns) == 1
    await link.aclose()


async def test_scripts_are_sent_again_when_the_server_has_forgotten_them(sessions: RedisSessions, link: RedisLink):
    name = uuid4().hex
    await sessions.begin(ask(name, "m1", new=True))
    await everywhere(link, "SCRIPT", "FLUSH")
    await sessions.finish("demo", name, 1, answer("x"), Focus())
    await everywhere(link, "SCRIPT", "FLUSH")
    assert (await sessions.begin(ask(name, "m2"))).number == 2


async def test_a_connection_that_the_server_closed_is_replaced(url: str, sessions: RedisSessions):
    name = uuid4().hex
    await sessions.begin(ask(name, "m1", new=True))
    other = connect(RedisSettings(url=url))
    await everywhere(other, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await sessions.finish("demo", name, 1, answer("x"), Focus())
    assert (await sessions.begin(ask(name, "m2"))).number == 2
    await other.aclose()


async def test_a_shared_answer_of_another_type_is_a_miss(sessions: RedisSessions, link: RedisLink):
    key = uuid4().hex
    await link.client.rpush(f"zw:a:{key}", "x")
    assert (await sessions.begin(ask(uuid4().hex, "m1", new=True), key)).shared is None


async def test_a_cancelled_call_leaves_no_reply_for_another(url: str):
    link = connect(RedisSettings(url=url, pool_size=2))
    sessions = RedisSessions(link, ttl_s=60, turn_wait_s=5, lease_s=0.05)
    names = [uuid4().hex for _ in range(40)]
    for rounds, name in enumerate(names):
        call = asyncio.create_task(sessions.begin(ask(name, f"cancelled-{name}", new=True)))
        for _ in range(rounds % 8):
            await asyncio.sleep(0)
        call.cancel()
        if not isinstance((await asyncio.gather(call, return_exceptions=True))[0], BaseException):
            await sessions.abandon("demo", name, 1)  # it had ended before
        begun = await sessions.begin(ask(name, name, new=True))
        assert begun.session.id == name
        assert {turn.question.session_id for turn in begun.session.turns} <= {name}
        await sessions.finish("demo", name, begun.number, answer(name), Focus())
        session = await sessions.read("demo", name, "C1001")
        assert {turn.number: turn.answer for turn in session.turns}[begun.number] == answer(name)
    await sessions.aclose()
    await link.aclose()


async def test_cancelled_calls_give_their_connections_back(url: str):
    link = connect(RedisSettings(url=url, pool_size=2, timeout_ms=5000))
    sessions = RedisSessions(link, ttl_s=60, turn_wait_s=20)
    calls = [asyncio.create_task(sessions.begin(ask(uuid4().hex, "m1", new=True))) for _ in range(100)]
    for n, call in enumerate(calls):
        await asyncio.sleep(0)
        if n % 3:
            call.cancel()
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(one) for one in ended} <= {Begun, asyncio.CancelledError}
    assert [one.number for one in await asyncio.gather(*(sessions.begin(ask(str(n), "m1", new=True)) for n in range(4)))]
    await sessions.aclose()
    await link.aclose()


async def test_a_turn_whose_asker_went_away_is_given_up_at_once(url: str, link: RedisLink):
    sessions = RedisSessions(link, ttl_s=60, turn_wait_s=0.05, lease_s=60)
    for steps in range(1, 12):
        name = uuid4().hex
        call = asyncio.create_task(sessions.begin(ask(name, "m1", new=True)))
        for _ in range(steps):
            await asyncio.sleep(0)
        call.cancel()
        if not isinstance((await asyncio.gather(call, return_exceptions=True))[0], BaseException):
            continue  # it had ended before

        async def is_free(name: str = name) -> bool:
            return await link.client.zcard(session_keys("demo", name)[2]) == 0

        await until(is_free)
    await sessions.aclose()


async def test_an_answer_is_recorded_though_its_caller_goes_away(link: RedisLink, sessions: RedisSessions):
    for steps in range(1, 6):
        name = uuid4().hex
        await sessions.begin(ask(name, "m1", new=True))
        call = asyncio.create_task(sessions.finish("demo", name, 1, answer("x"), Focus()))
        for _ in range(steps):
            await asyncio.sleep(0)
        call.cancel()
        begun = await sessions.begin(ask(name, "m2"))
        assert [turn.answer for turn in begun.session.turns] == [answer("x")]


async def test_a_server_that_is_away_is_a_failed_store():
    link = connect(RedisSettings(url=f"redis://127.0.0.1:{free_port()}/0"))
    sessions = RedisSessions(link, ttl_s=60, turn_wait_s=1)
    with pytest.raises(StoreFailed):
        await sessions.begin(ask("s", "m1", new=True))
    with pytest.raises(StoreFailed):
        await sessions.read("demo", "s", "C1001")
    with pytest.raises(StoreFailed):
        await sessions.finish("demo", "s", 1, answer("x"), Focus())
    with pytest.raises(StoreFailed):
        await link.ping()
    await link.aclose()


async def test_a_server_that_is_silent_is_a_failed_store():
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    link = connect(RedisSettings(url=f"redis://127.0.0.1:{port}/0", timeout_ms=50))
    sessions = RedisSessions(link, ttl_s=60, turn_wait_s=1)
    async with asyncio.timeout(10):
        with pytest.raises(StoreFailed):
            await sessions.begin(ask("s", "m1", new=True))
    await link.aclose()
    silent.close()


def test_an_address_that_cannot_be_read_is_named_without_its_password():
    with pytest.raises(ConfigError, match="redis://HOST") as refused:
        connect(RedisSettings(url="http://:hidden@shop"))
    assert "hidden" not in str(refused.value)


async def test_a_record_that_cannot_be_read_is_a_failed_store(sessions: RedisSessions, link: RedisLink):
    name = uuid4().hex
    await sessions.begin(ask(name, "m1", new=True))
    await link.client.rpush(session_keys("demo", name)[1], "nonsense")
    with pytest.raises(StoreFailed):
        await sessions.read("demo", name, "C1001")


async def test_a_repeat_by_another_process_waits_for_the_first(url: str, sessions: RedisSessions):
    other_client = connect(RedisSettings(url=url))
    other = RedisSessions(other_client, ttl_s=3600, turn_wait_s=20)
    name = uuid4().hex
    question = ask(name, "m1", new=True)
    await sessions.begin(question)
    repeat = asyncio.create_task(other.begin(replace(question, answer_id="b")))
    await asyncio.sleep(0)
    await sessions.finish("demo", name, 1, answer("once"), Focus())
    assert (await repeat).repeated == answer("once")
    await other_client.aclose()
