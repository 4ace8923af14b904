"""Publishes so that the head of what is asked is warm: its answers are made of what comes first, then it is switched."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from serve_app.adapters.sql_knowledge import Published
from serve_app.domain.draft_effects import Touched
from serve_app.domain.errors import StoreFailed
from serve_app.domain.messages import Kind
from serve_app.domain.model_card import ModelCard
from serve_app.domain.pregeneration import Job, renewal_jobs, wordings
from serve_app.domain.publication import Publication
from serve_app.domain.question_log import LOGGED_MAX, Asked
from serve_app.knowledge_editing import KnowledgeEditor
from serve_app.ports import Jobs, QuestionLog
from serve_app.pregeneration.choosing import languages_of
from serve_app.pregeneration.watching import watched

logger = logging.getLogger(__name__)

# Renewals are read for so long, by processes that hear late of the publication or start after it.
RENEWALS_KEPT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Signature:
    by: str
    note: str = ""


class HeadFirst:
    """`now` gives aware instants; `say` is told how far it is."""

    def __init__(
        self,
        editor: KnowledgeEditor,
        log: QuestionLog,
        jobs: Jobs,
        card: ModelCard,
        now: Callable[[], datetime],
        say: Callable[[str], None],
    ) -> None:
        self._editor = editor
        self._log = log
        self._jobs = jobs
        self._card = card
        self._now = now
        self._say = say

    async def publish(
        self, tenant: str, signature: Signature, *, revision: str | None = None, head: int = 50, within_s: float = 60.0
    ) -> Published:
        """Makes at most `head` answers anew, within `within_s`; then publishes, whatever is ready. Raises as the editor does.

        What was not made in time is made when it is asked for.
        """
        draft, content = await self._editor.drafted(tenant)
        # A draft that cannot be published keeps nobody waiting.
        if draft is not None and revision in (None, draft.revision) and draft.base == await self._editor.latest(tenant):
            revision = draft.revision
            await self._make(tenant, content, revision, head, within_s)
        try:
            return await self._editor.publish(tenant, by=signature.by, note=signature.note, revision=revision)
        finally:
            if draft is not None:
                await self._tidy(tenant, draft.revision)

    async def rollback(
        self, tenant: str, version: int | None, signature: Signature, *, head: int = 50, within_s: float = 0.0
    ) -> Published:
        """As `publish`, of what `version` held (default: the one before the last). Raises as the editor does.

        What is live is wrong, as a rule: so nothing is waited for unless that is asked for.
        """
        back = await self._editor.way_back(tenant, version)
        await self._make(tenant, await self._editor.content(tenant, back.to), back.revision, head, within_s)
        try:
            return await self._editor.rollback(tenant, back, by=signature.by, note=signature.note)
        finally:
            await self._tidy(tenant, back.revision)

    async def _make(self, tenant: str, content: Publication, revision: str, head: int, within_s: float) -> None:
        """The answers of the head that the publication of `content`, which is known as `revision`, ends."""
        if head <= 0 or within_s <= 0:
            return
        try:
            if asked := await self._log.head(tenant, LOGGED_MAX):
                self._say("looking which of the most asked answers change")
                touched = await self._editor.touched(tenant, content)
                wanted = await asyncio.to_thread(renewals, asked, touched, self._card, revision, self._now(), head)
                await self._renew(tenant, wanted, within_s)
        except StoreFailed as error:
            self._say(f"the most asked answers are not made first, each is made when it is asked for: {error}")

    async def _tidy(self, tenant: str, revision: str) -> None:
        """What is not made yet is not wanted any more. That it stays where it is must not hide that the draft was published."""
        try:
            await self._jobs.drop_renewals(tenant, self._now() - RENEWALS_KEPT, revision)
        except StoreFailed as error:
            logger.warning("old renewals stay in the queue: %s", error)

    async def _renew(self, tenant: str, wanted: list[Job], within_s: float) -> None:
        if not wanted:
            return
        if not languages_of(self._card):
            self._say("the configured model may answer no question about the shop: published without making answers first")
            return
        self._say(f"making {len(wanted)} of the most asked answers anew, for at most {within_s:g} s")
        await self._jobs.put(wanted)
        done = await watched(self._jobs, tenant, [job.id for job in wanted], self._say, within_s=within_s)
        if done.nobody:
            self._say("no running server makes answers: published without them, each is made when it is asked for")
        elif not done.is_over:
            self._say(f"{done.total - done.made - done.failed} were not ready in time: each is made when it is asked for")


def renewals(head: Sequence[Asked], touched: Touched, card: ModelCard, revision: str, now: datetime, limit: int) -> list[Job]:
    """The head's questions whose shared answers a publication ends, as jobs: those that used what it changes.

    Takes about 0.1 ms a published question, if there are any.
    """
    languages = languages_of(card)

    def is_touched(asked: Asked) -> bool:
        is_spoken = not languages or asked.language in languages
        return is_spoken and asked.tier != "none" and not touched.changed.isdisjoint(asked.sources)

    ending = [asked for asked in head if asked.kind is Kind.PUBLIC and is_touched(asked)]
    return renewal_jobs(ending, wordings(touched.served.entries, now), revision, now, limit) if ending else []
