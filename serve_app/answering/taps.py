"""Learns from taps on suggestions, off the customer's path: what was asked before may be one more way to ask for the entry."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from serve_app.domain.errors import StoreFailed
from serve_app.domain.messages import Ask
from serve_app.domain.proposals import Variant, variant_tapped
from serve_app.domain.question import Understanding
from serve_app.domain.reach import leads_elsewhere
from serve_app.domain.session import Session
from serve_app.ports import Clock, Proposals

logger = logging.getLogger(__name__)

# More than these at a time are not learned from: the record is slow, and nothing may pile up.
WAITING_MAX = 64


class Taps:
    """A failure is logged, and nothing is lost but a proposal."""

    def __init__(self, proposals: Proposals, clock: Clock) -> None:
        self._proposals = proposals
        self._clock = clock
        self._waiting: set[asyncio.Task[None]] = set()

    def learn(self, ask: Ask, before: Session, understand: Callable[[str], Understanding]) -> None:
        """Returns at once. `before` is the session as the tap found it; `understand` reads a text without it.

        A question that means nothing alone (那运费呢), or that no entry would answer, is no way to ask for one.
        """
        if ask.choice is None or len(self._waiting) >= WAITING_MAX:
            return
        variant = variant_tapped(ask.choice, before)
        if variant is None or leads_elsewhere(understand(variant.text)) is not None:
            return
        task = asyncio.create_task(self._keep(ask.caller.tenant, variant))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def aclose(self) -> None:
        """Returns when what was learned is kept."""
        await asyncio.gather(*self._waiting)

    async def _keep(self, tenant: str, variant: Variant) -> None:
        try:
            await self._proposals.keep(tenant, variant, self._clock.now())
        except StoreFailed as error:
            logger.warning("a proposed variant was not kept: %s", error)
