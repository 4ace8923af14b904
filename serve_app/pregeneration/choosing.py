"""Chooses what is worth making before it is asked, and puts it in the queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from serve_app.domain.errors import Conflict
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Kind, Language
from serve_app.domain.model_card import ModelCard, may_answer
from serve_app.domain.normalise import canonical_form
from serve_app.domain.pregeneration import Job, answer_jobs, template_jobs, to_do, wordings
from serve_app.domain.question_log import LOGGED_MAX, Asked
from serve_app.domain.template_proposing import uncovered_by
from serve_app.knowledge_editing import KnowledgeEditor
from serve_app.ports import Jobs, KnowledgeRecord, Proposals, QuestionLog


@dataclass(frozen=True, slots=True)
class Wish:
    """What to make. `top`: so many of each kind at most; `language` None: every one that the model speaks."""

    top: int = 50
    language: Language | None = None
    questions: bool = True  # the head of what is asked
    variants: bool = False  # proposed wordings, and entries that are withheld
    templates: bool = False
    failed_too: bool = False


def languages_of(card: ModelCard) -> tuple[Language, ...]:
    """In which the model may answer public questions."""
    languages: tuple[Language, ...] = ("zh", "en")
    return tuple(language for language in languages if may_answer(card, language, Kind.PUBLIC, chat=False))


def refuse(card: ModelCard) -> None:
    """Raises Conflict saying what to do, where the model may make nothing."""
    if not languages_of(card):
        raise Conflict(
            f"The configured model, {card.name}, may answer no question about the shop, so it can make no answers. Name one "
            f"that may with model.path, for example Qwen/Qwen3-32B-FP8, and the kind `public` in model.answers."
        )


class Choosing:
    """`now` gives aware instants. Raises StoreFailed."""

    def __init__(
        self,
        editor: KnowledgeEditor,
        record: KnowledgeRecord,
        log: QuestionLog,
        proposals: Proposals,
        jobs: Jobs,
        card: ModelCard,
        now: Callable[[], datetime],
    ) -> None:
        self._editor = editor
        self._record = record
        self._log = log
        self._proposals = proposals
        self._jobs = jobs
        self._card = card
        self._now = now

    async def put(self, tenant: str, wish: Wish) -> tuple[str, ...]:
        """The ids of everything that the wish is for; what of it is not made yet waits in the queue. Raises Conflict."""
        refuse(self._card)
        wanted = {job.id: job for job in await self._wanted(tenant, wish)}
        known = await self._jobs.read(tenant, wanted)
        versions = await self._record.versions(tenant)
        await self._jobs.put(to_do(wanted.values(), known, versions, failed_too=wish.failed_too))
        return tuple(wanted)

    async def _wanted(self, tenant: str, wish: Wish) -> list[Job]:
        now = self._now()
        entries, templates = await self._record.published(tenant)
        # Ten thousand entries take seconds, and customers are answered meanwhile.
        answered = await asyncio.to_thread(wordings, entries, now)
        spoken = languages_of(self._card)
        languages: list[Language] = [one for one in spoken if wish.language is None or one == wish.language]
        wanted: list[Job] = []
        if wish.questions:
            head = await self._log.head(tenant, LOGGED_MAX)
            wanted += answer_jobs((one for one in head if one.language in languages), answered, now, wish.top)
        if wish.variants:
            wanted += await self._variants(tenant, answered, languages, wish.top)
            wanted += await self._withheld(tenant, languages)
        if wish.templates and len(spoken) == 2:
            by_intent = {template.intent: template for template in templates}

            def lacks(asked: Asked) -> bool:
                known = by_intent.get(asked.intent)
                return known is None or (asked.tier == "none" and bool(uncovered_by(known)))

            counted = await self._log.head(tenant, LOGGED_MAX, Kind.TEMPLATED)
            wanted += template_jobs(counted, lacks, now, wish.top, tenant)
        return wanted

    async def _variants(self, tenant: str, answered: Collection[str], languages: Collection[Language], top: int) -> list[Job]:
        """Proposed wordings: each as a question of its own, should it not just be one more way to ask for its entry."""
        found: list[Job] = []
        for one in await self._proposals.list(tenant, "proposed", top):
            canonical, language = canonical_form(one.variant.text), one.variant.language
            if canonical not in answered and language in languages:
                text = one.variant.text
                found.append(Job(tenant, "answer", language, canonical, text, Intent.OTHER, one.count, self._now()))
        return found

    async def _withheld(self, tenant: str, languages: Collection[Language]) -> list[Job]:
        """Those that were made before, of what has changed since."""
        withheld = await self._editor.withheld(tenant)
        made = await self._jobs.list(tenant, ["answer"], ["accepted"], LOGGED_MAX) if withheld else ()
        return [job for job in made if job.item_id in withheld and job.language in languages]
