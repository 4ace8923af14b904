"""Makes what jobs of pre-generation ask for: entries for a person to look at, and answers that a publication renews."""

from __future__ import annotations

from collections.abc import Mapping

from serve_app.domain.knowledge import Passage
from serve_app.domain.messages import Language
from serve_app.domain.pregeneration import CannotMake, Job, JobKind, Renewal, drafted_passages, entry_of, made_of
from serve_app.domain.reach import leads_elsewhere
from serve_app.knowledge import SUGGESTIONS_MAX
from serve_app.ports import Clock
from serve_app.pregeneration.asking import Asking
from serve_app.pregeneration.drafts import Drafts
from serve_app.pregeneration.worker import Done, Maker
from serve_app.pregeneration.writing import Writer


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
        answered = await self._asking.answer(work, found.passages)
        questions: dict[Language, str] = {job.language: job.text}
        answers: dict[Language, str] = {job.language: answered.text}
        passages = list(answered.passages)
        other: Language = "en" if job.language == "zh" else "zh"
        note = ""
        try:
            question, answer, more = await self._in(other, job)
        except CannotMake as error:
            note = f"{other} is missing: {error}"
        else:
            questions[other], answers[other] = question, answer
            passages += more
        return Done(entry_of(job, questions, answers, passages), note)

    async def _in(self, language: Language, job: Job) -> tuple[str, str, tuple[Passage, ...]]:
        """The question in the other language, and its answer from the same entries."""
        same = await self._asking.look_up(self._asking.work(job.tenant, job.text, language))
        question = await self._writer.translated(job.tenant, job.text, language)
        answered = await self._asking.answer(self._asking.work(job.tenant, question, language), same.passages)
        return question, answered.text, answered.passages


class RenewalMaker:
    """The answer that a question will get when a draft is published."""

    def __init__(self, asking: Asking, drafts: Drafts, clock: Clock) -> None:
        self._asking = asking
        self._drafts = drafts
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
        answered = await self._asking.answer(work, passages, drafted.voice)
        return Done(Renewal(answered.text, drafted.voice.stamp.system_digest, made_of(answered.passages)))


class Makers:
    """A maker for each kind of job."""

    def __init__(self, makers: Mapping[JobKind, Maker]) -> None:
        self._makers = makers

    async def make(self, job: Job) -> Done:
        """See `Maker`."""
        return await self._makers[job.kind].make(job)
