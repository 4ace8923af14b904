"""The known turns of clients' transcripts, in Redis."""

# redis-py types its arguments only in part.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import orjson
from pydantic import TypeAdapter, ValidationError

from serve_app.adapters.redis_client import answer_key_in_redis
from serve_app.adapters.redis_link import Calls, Command
from serve_app.domain.errors import StoreFailed
from serve_app.domain.transcripts import KnownTurn

# One turn must not fill the store, nor slow every later question of its conversation.
TURN_BYTES_MAX = 256 * 1024

_KNOWN = TypeAdapter(KnownTurn)


def turn_json(turn: KnownTurn) -> bytes:
    """Raises StoreFailed for a turn that cannot be kept."""
    try:
        record = orjson.dumps(turn)
    except TypeError as error:
        raise StoreFailed(f"a turn cannot be written: {error}") from error
    if len(record) > TURN_BYTES_MAX:
        raise StoreFailed(f"a turn takes {len(record)} bytes, more than {TURN_BYTES_MAX}")
    return record


def turn_of(record: Any) -> KnownTurn | None:
    """None when there is none, or none that this version can read."""
    if not isinstance(record, bytes):
        return None
    try:
        return _KNOWN.validate_json(record)
    except ValidationError:
        return None


class RedisTranscripts:
    """The port `Transcripts`. A turn lives `ttl_s` from the last time that its conversation went on."""

    def __init__(self, calls: Calls, ttl_s: int) -> None:
        self._calls = calls
        self._ttl_s = ttl_s

    async def find(self, digests: Sequence[str], answer_key: str | None = None) -> tuple[Mapping[str, KnownTurn], bytes | None]:
        """See the port. No round trip when there is nothing to ask for."""
        if not digests and answer_key is None:
            return {}, None
        commands: list[Command] = [("GETEX", _key(digest), "EX", self._ttl_s) for digest in digests]
        if answer_key is not None:
            commands.append(("GET", answer_key_in_redis(answer_key)))
        replies = await self._calls.together(*commands)
        shared = replies[len(digests)] if answer_key is not None else None
        turns = {digest: turn for digest, reply in zip(digests, replies, strict=False) if (turn := turn_of(reply))}
        return turns, shared if isinstance(shared, bytes) else None

    async def keep(self, digest: str, turn: KnownTurn) -> None:
        """See the port."""
        record = turn_json(turn)
        commands: list[Command] = [("SET", _key(digest), record, "EX", self._ttl_s)]
        if turn.turn.answer is not None:
            named = _answer_key(turn.turn.question.tenant, turn.turn.answer.answer_id)
            commands.append(("SET", named, digest, "EX", self._ttl_s))
        for reply in await self._calls.together(*commands):
            if isinstance(reply, Exception):
                raise StoreFailed(f"Redis did not keep a turn: {reply}") from reply

    async def of_answer(self, tenant: str, answer_id: str) -> KnownTurn | None:
        """See the port."""
        digest: Any = await self._calls.call("GET", _answer_key(tenant, answer_id))
        record: Any = await self._calls.call("GET", _key(digest.decode())) if isinstance(digest, bytes) else None
        return named_so(turn_of(record), answer_id)


def named_so(turn: KnownTurn | None, answer_id: str) -> KnownTurn | None:
    """The turn as the one with this answer: the same words, said again to the same question, are kept once."""
    if turn is None or turn.turn.answer is None:
        return None
    return replace(turn, turn=replace(turn.turn, answer=replace(turn.turn.answer, answer_id=answer_id)))


def _key(digest: str) -> str:
    return f"zw:t:{digest}"


def _answer_key(tenant: str, answer_id: str) -> str:
    return f"zw:t:of:{quote(tenant, safe='')}/{answer_id}"
