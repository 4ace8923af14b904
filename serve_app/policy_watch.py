"""The scaling policy in force, as the record has it, never older than a few seconds while the record answers."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from serve_app.domain.errors import ConfigError
from serve_app.domain.scaling_policy import ScalingPolicy
from serve_app.ports import PolicyEdit, ScalingRecord
from serve_app.scaling_file import read_policy
from serve_app.spending import Spending

logger = logging.getLogger(__name__)

EVERY_S = 2.0
# A record that takes longer is as good as away.
PATIENCE_S = 5.0
# How far back a policy that can be read is looked for.
LOOKED_AT = 20
NEWS_MAX = 50

Refusal = Literal["refused", "unreadable"]


@dataclass(frozen=True, slots=True)
class InForce:
    policy: ScalingPolicy
    version: int  # 0: none was applied


class PolicyWatch:
    """Reads the record again and again. What cannot be read leaves the last good policy in force.

    `in_force` may be read from any thread; it is None until the record has answered once. `count` is told of edits that were
    refused by the command (`refused`), and of versions that stand as applied and cannot be read here: put there by hand, or by
    a newer ZeroWait (`unreadable`).
    """

    def __init__(
        self,
        record: ScalingRecord,
        default: ScalingPolicy,
        count: Callable[[Refusal], None],
        prepare: Callable[[], Awaitable[None]] | None = None,
        spending: Spending | None = None,
    ) -> None:
        """`prepare` is awaited before the record is first asked, until it has succeeded. `spending` is kept in the record, and
        known when a policy is."""
        self.in_force: InForce | None = None
        self._record = record
        self._prepare = prepare
        self._spending = spending or Spending()
        self._default = InForce(default, 0)
        self._count = count
        self._seen: int | None = None
        self._unreadable: set[int] = set()

    async def refresh(self) -> None:
        """Raises StoreFailed."""
        if self._prepare is not None:
            await self._prepare()
            self._prepare = None
        await self._spending.keep(self._record)
        latest = await self._record.latest()
        if latest == self._seen:
            return
        if self._seen is not None:
            await self._tell_refused(self._seen)
        found = self._readable(await self._record.history(LOOKED_AT, applied_only=True))
        in_force = found or self.in_force or self._default
        if self.in_force is None or in_force.version != self.in_force.version:
            replicas = in_force.policy.replicas
            logger.info("scaling policy %d is in force: %d to %d replicas", in_force.version, replicas.min, replicas.max)
        self.in_force, self._seen = in_force, latest

    async def run(self, stop: threading.Event) -> None:
        """Until `stop`, whatever happens: an error is logged when it is another than the last one."""
        last = ""
        while not stop.is_set():
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self.refresh()
                last = ""
            # Whatever it is, it must not end the watch: nobody would start it again.
            except Exception as error:  # noqa: BLE001
                told = f"{type(error).__name__}: {error}"
                if told != last:
                    logger.warning("the scaling policy cannot be read again, what is in force stays: %s", told)
                last = told
            await asyncio.sleep(EVERY_S)

    async def _tell_refused(self, seen: int) -> None:
        for edit in reversed(await self._record.history(NEWS_MAX)):
            if edit.version > seen and edit.refused is not None:
                logger.warning("scaling policy %d of %s was refused: %s", edit.version, edit.by or "somebody", edit.refused)
                self._count("refused")

    def _readable(self, edits: Sequence[PolicyEdit]) -> InForce | None:
        """The newest that can be read."""
        for edit in edits:
            try:
                return InForce(read_policy(edit.text, f"version {edit.version}"), edit.version)
            except ConfigError as error:
                if edit.version not in self._unreadable:
                    self._unreadable.add(edit.version)
                    logger.error("scaling policy %d cannot be read, the last good one stays: %s", edit.version, error)
                    self._count("unreadable")
        return None
