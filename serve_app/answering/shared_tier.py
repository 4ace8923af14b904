"""The tier of exact answers as one question sees it: memory, then Redis, each read checked against the versions."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from serve_app.answering.voices import Stamp
from serve_app.domain.messages import NO_ASIDES, Ask, Kind, Language, Tier
from serve_app.domain.question import Understanding
from serve_app.domain.sharing import AnswerKeyParts, SharedAnswer, Stale, VersionView, answer_key, question_id, stale_because
from serve_app.ports import AnswerTiers, Clock, TierCounts


@dataclass(frozen=True, slots=True)
class Held:
    """A shared answer that is true now, and where it stood."""

    answer: SharedAnswer
    tier: Tier


class SharedTier:
    """Reads and keeps shared answers. What is not surely true now is a miss."""

    def __init__(
        self,
        tiers: AnswerTiers,
        *,
        view: Callable[[str], VersionView | None],
        shops: Mapping[str, str],
        stamp: Callable[[str], Stamp],
        clock: Clock,
        ttl_s: int,
        serve_stale_s: float,
        counts: TierCounts,
    ) -> None:
        self._tiers = tiers
        self._view = view
        self._shops = shops
        self._stamp = stamp
        self._clock = clock
        self._ttl_s = ttl_s
        self._serve_stale_s = serve_stale_s
        self._counts = counts
        self._keeping: set[asyncio.Task[None]] = set()

    def key(self, ask: Ask, understood: Understanding) -> str | None:
        """The answer's key, or None when this question may touch no shared tier."""
        if understood.kind is not Kind.PUBLIC or not understood.self_contained or understood.foreign:
            return None
        if ask.asides != NO_ASIDES:
            return None
        return self.key_of(
            ask.caller.tenant, understood.language, understood.canonical, order_id=ask.order_id, sku_id=ask.sku_id
        )

    def key_of(
        self, tenant: str, language: Language, canonical: str, *, order_id: str | None = None, sku_id: str | None = None
    ) -> str:
        """The key of a public question that is self-contained."""
        stamp = self._stamp(tenant)
        return answer_key(
            AnswerKeyParts(
                tenant=tenant,
                shop=self._shops[tenant],
                kind=Kind.PUBLIC,
                language=language,
                canonical=canonical,
                prompt_version=stamp.prompt_version,
                system_digest=stamp.system_digest,
                model=stamp.model,
                sampling=stamp.sampling,
                order_id=order_id,
                sku_id=sku_id,
            )
        )

    def question(self, ask: Ask, understood: Understanding) -> str | None:
        """The question's id, whatever kind of answer it gets; None when it does not stand on its own."""
        if not understood.self_contained or understood.foreign:
            return None
        tenant = ask.caller.tenant
        return question_id(tenant, self._shops[tenant], understood.language, understood.canonical, ask.order_id, ask.sku_id)

    def is_set_aside(self, tenant: str, question: str | None) -> bool:
        """Whether a customer found wrong what the question was answered with, and nobody has looked yet."""
        view = self._view(tenant)
        return view is not None and question in view.set_aside

    def has_in_memory(self, tenant: str, key: str | None) -> bool:
        """Now, for all that is known; who wants to say it reads it."""
        answer = SharedAnswer.loads(self._tiers.get_from_memory(key) or b"") if key else None
        return answer is not None and key is not None and self._stale(tenant, key, answer) is None

    def in_memory(self, tenant: str, key: str) -> Held | None:
        answer = self._checked(tenant, key, self._tiers.get_from_memory(key))
        return Held(answer, "memory") if answer is not None else None

    def arrived(self, tenant: str, key: str, raw: bytes | None) -> Held | None:
        """What a round trip brought from under `key`."""
        answer = self._checked(tenant, key, raw)
        if answer is None or raw is None:
            return None
        self._tiers.remember(key, raw)
        return Held(answer, "redis")

    async def anywhere(self, tenant: str, key: str) -> Held | None:
        """Memory, then a round trip."""
        return self.in_memory(tenant, key) or self.arrived(tenant, key, await self._tiers.get_from_common(key))

    def keep(self, key: str, answer: SharedAnswer) -> None:
        """Off the customer's path."""
        left_s = math.ceil((answer.expires_at - self._clock.now()).total_seconds()) if answer.expires_at else self._ttl_s
        self._put(key, answer.dumps(), min(self._ttl_s, left_s))

    def forget(self, key: str) -> None:
        """Off the customer's path. Another process may hold it in its memory for a minute."""
        self._put(key, b"", 0)

    def _put(self, key: str, value: bytes, ttl_s: int) -> None:
        task = asyncio.ensure_future(self._tiers.put(key, value, ttl_s))
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    async def settled(self) -> None:
        """Returns when what was kept is written."""
        await asyncio.gather(*self._keeping)

    def adopt(self, key: str, answer: SharedAnswer) -> None:
        """Keeps an answer that was made before it is asked for: in memory when this returns, whatever the view shows yet."""
        self._tiers.remember(key, answer.dumps())
        self.keep(key, answer)

    def _checked(self, tenant: str, key: str, raw: bytes | None) -> SharedAnswer | None:
        """The answer, if it can be read and everything that it was built from is as it was."""
        answer = SharedAnswer.loads(raw) if raw else None
        if answer is None:
            return None
        stale = self._stale(tenant, key, answer)
        if stale is not None:
            self._counts.not_said(stale)
        return answer if stale is None else None

    def _stale(self, tenant: str, key: str, answer: SharedAnswer) -> Stale | None:
        now, monotonic_now = self._clock.now(), self._clock.monotonic()
        return stale_because(answer, key, self._view(tenant), now, monotonic_now, self._serve_stale_s)
