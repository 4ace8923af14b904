"""Makes what jobs of pre-generation ask for: entries for a person to look at, and answers that a publication renews."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from serve_app.answering.voices import Voices
from serve_app.domain.errors import ConfigError
from serve_app.domain.expiry import Lasts, day_ends_at, earliest
from serve_app.domain.knowledge import Template
from serve_app.domain.messages import Language
from serve_app.domain.policies import Policy, fill_template
from serve_app.domain.pregeneration import CannotMake, Job, JobKind, Renewal, drafted_passages, entry_of, made_of
from serve_app.domain.reach import leads_elsewhere
from serve_app.domain.template_check import check_template
from serve_app.domain.template_proposing import instructions, proposed, uncovered_by, wish
from serve_app.knowledge import SUGGESTIONS_MAX
from serve_app.knowledge_editing import KnowledgeEditor
from serve_app.ports import Clock
from serve_app.pregeneration.asking import Answered, Asking
from serve_app.pregeneration.drafts import Drafts
from serve_app.pregeneration.worker import Done, Maker
from serve_app.pregeneration.writing import Writer

# A model that cannot mend its template by then will not.
ROUNDS = 3
TEMPLATE_TOKENS = 1500


class EntryMaker:
    """An entry of its own for a question, in both languages: one id holds both, and its other customers ask the same."""

    def __init__(self, asking: Asking, writer: Writer) -> None:
        self._asking = asking
        self._writer = writer

    async def make(self, job: Job) -> Done:
        """See `Maker`."""
        work = self._asking.work(job.tenant, job.text, job.language)
        elsewhere = leads_elsewhere(work.understood)
        if elsewhere is not None and work.understood.canonical != job.canonical:
            raise CannotMake(elsewhere)
        found = await self._asking.look_up(work)
        if found.entry is not None:
            raise CannotMake(f"the entry {found.entry.id} answers it")
        answered: dict[Language, Answered] = {job.language: await self._asking.answer(work, found.passages)}
        questions: dict[Language, str] = {job.language: job.text}
        notes: list[str] = []
        other: Language = "en" if job.language == "zh" else "zh"
        try:
            questions[other], answered[other] = await self._in(other, job)
        except CannotMake as error:
            notes.append(f"{other} is missing: {error}")
        if any(one.lasts is Lasts.TODAY for one in answered.values()):
            notes.append("it speaks of these days: look how long that is true")
        answers: dict[Language, str] = {language: one.text for language, one in answered.items()}
        passages = [passage for one in answered.values() for passage in one.passages]
        return Done(entry_of(job, questions, answers, passages, found.changes_at), "; ".join(notes))

    async def _in(self, language: Language, job: Job) -> tuple[str, Answered]:
        """The question in the other language, and its answer from the same entries."""
        same = await self._asking.look_up(self._asking.work(job.tenant, job.text, language))
        question = await self._writer.translated(job.tenant, job.text, language)
        return question, await self._asking.answer(self._asking.work(job.tenant, question, language), same.passages)


class RenewalMaker:
    """The answer that a question will get when a draft is published."""

    def __init__(self, asking: Asking, drafts: Drafts, voices: Voices, clock: Clock) -> None:
        self._asking = asking
        self._drafts = drafts
        self._voices = voices
        self._clock = clock

    async def make(self, job: Job) -> Done:
        """See `Maker`."""
        drafted = await self._drafts.of(job.tenant, job.revision)
        work = self._asking.work(job.tenant, job.text, job.language)
        if work.understood.canonical != job.canonical:
            raise CannotMake("it is understood otherwise now")
        found = await self._asking.look_up(work)
        if found.entry is not None:
            raise CannotMake(f"the entry {found.entry.id} answers it")
        passages = drafted_passages(
            found.passages, drafted.entries, work.understood.intent, job.language, self._clock.now(), SUGGESTIONS_MAX
        )
        voice = self._voices.of(job.tenant)
        answered = await self._asking.answer(work, passages)
        now = self._clock.now()
        midnight = day_ends_at(now, voice.time_zone) if answered.lasts is Lasts.TODAY else None
        ends_at = earliest(midnight, found.changes_at, drafted.changes_at(now))
        return Done(Renewal(answered.text, voice.stamp.digest(), made_of(answered.passages), ends_at))


class TemplateMaker:
    """A template for an intent, or more cases of the one that there is. It must pass every check that a person's must."""

    def __init__(self, editor: KnowledgeEditor, writer: Writer) -> None:
        self._editor = editor
        self._writer = writer

    async def make(self, job: Job) -> Done:
        """See `Maker`. The model is told what is wrong with what it wrote, and tries `ROUNDS` times."""
        _, content = await self._editor.drafted(job.tenant)
        known = next((template for template in content.templates if template.intent is job.intent), None)
        policies = {policy.id: policy for policy in content.policies}
        uncovered = await asyncio.to_thread(_uncovered, known, policies)
        if known is not None and not uncovered:
            raise CannotMake(f"the template {known.id} has words for every situation")
        problems = ""
        for _ in range(ROUNDS):
            asked = wish(job.intent, known, uncovered, content.policies, problems)
            said = await self._writer.write(job.tenant, instructions(), asked, "en", TEMPLATE_TOKENS)
            try:
                template = proposed(said, job.intent, known)
                left = await asyncio.to_thread(_checked, template, policies)
            except (CannotMake, ConfigError) as error:
                problems = str(error)
            else:
                return Done(template, f"says nothing in: {'; '.join(left)}" if left else "")
        raise CannotMake(problems)


def _uncovered(known: Template | None, policies: Mapping[str, Policy]) -> tuple[str, ...]:
    return () if known is None else uncovered_by(fill_template(known, policies))


def _checked(template: Template, policies: Mapping[str, Policy]) -> tuple[str, ...]:
    """The situations that it leaves without words. Raises ConfigError."""
    served = fill_template(template, policies)
    check_template(served)
    return uncovered_by(served)


class Makers:
    """A maker for each kind of job."""

    def __init__(self, makers: Mapping[JobKind, Maker]) -> None:
        self._makers = makers

    async def make(self, job: Job) -> Done:
        """See `Maker`."""
        return await self._makers[job.kind].make(job)
