"""What stands in Redis, put together: what answers wait for within its budget, the rest within Redis's own time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from serve_app.adapters import redis_client
from serve_app.adapters.gathered_calls import GatheredCalls
from serve_app.adapters.redis_answers import RedisAnswers
from serve_app.adapters.redis_live import RedisLive
from serve_app.adapters.redis_sessions import RedisSessions
from serve_app.adapters.redis_transcripts import RedisTranscripts
from serve_app.adapters.resilient_link import ResilientLink
from serve_app.adapters.resilient_sessions import ResilientSessions
from serve_app.adapters.stand_in_sessions import StandInSessions
from serve_app.config import Config
from serve_app.domain.errors import StoreFailed
from serve_app.ports import LiveAnswers, LiveSessions, SharedAnswers, Transcripts

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RedisStores:
    """The adapters, over one pool of connections. `check` raises StoreFailed while Redis is slow or away."""

    sessions: LiveSessions
    answers: SharedAnswers
    transcripts: Transcripts
    live: LiveAnswers
    check: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class RedisWatch:
    """Told what an operator sees: whether Redis is left alone, at first and at each change; a shared answer that is too large
    to be kept; a conversation that this process kept meanwhile and had no more room for."""

    left_alone: Callable[[bool], None] = lambda _: None
    too_large: Callable[[], None] = lambda: None
    lost: Callable[[], None] = lambda: None


async def open_redis(config: Config, watch: RedisWatch, stack: AsyncExitStack) -> RedisStores:
    """`stack` closes what was opened.

    Also when Redis is away: then it is used when it is back. Raises ConfigError.
    """
    settings, turn_wait_s = config.redis, config.limits.turn_wait_s
    link = redis_client.connect(settings, config.home)
    stack.push_async_callback(link.aclose)
    breaker = settings.breaker
    within_budget = ResilientLink(
        link, budget_s=settings.budget_ms / 1000, failures=breaker.failures, reset_s=breaker.reset_s, watch=watch.left_alone
    )
    make = partial(
        RedisSessions, ttl_s=settings.session_ttl_s, turn_wait_s=turn_wait_s, turns_shown=settings.session_turns, off_path=link
    )
    stand_in = StandInSessions(turn_wait_s=turn_wait_s, turns_shown=settings.session_turns, lost=watch.lost)
    # Of a cluster each command goes to its own server, and one that is away must not fail the others' calls.
    prompt = within_budget if settings.is_cluster else GatheredCalls(within_budget)
    sessions = ResilientSessions(make(prompt), make(link), within_budget, stand_in, turn_wait_s=turn_wait_s)
    stack.push_async_callback(sessions.aclose)
    giving_back = asyncio.create_task(sessions.run())

    async def end() -> None:
        giving_back.cancel()
        await asyncio.wait([giving_back])

    stack.push_async_callback(end)
    try:
        # The first connection takes longer than the budget, above all a cluster's.
        await link.ping()
    except StoreFailed as error:
        logger.warning("conversations are kept in this process for now: %s", error)
    return RedisStores(
        sessions=sessions,
        answers=RedisAnswers(within_budget, settings.value_bytes_max, off_path=link, too_large=watch.too_large),
        transcripts=RedisTranscripts(within_budget, settings.session_ttl_s),
        live=RedisLive(link, keep_s=config.limits.resume_s),
        check=within_budget.ping,
    )
