"""What a person does with what was made: look at it, edit it, take it into the draft, or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from serve_app.domain.errors import Conflict, NotFound
from serve_app.domain.knowledge import Entry, Template
from serve_app.domain.messages import Language
from serve_app.domain.pregeneration import Job, JobKind, JobState
from serve_app.knowledge_editing import KnowledgeEditor
from serve_app.ports import Jobs

# A renewal is nobody's to review: it goes with its draft.
REVIEWED: tuple[JobKind, ...] = ("answer", "template")
_LANGUAGES: tuple[Language, ...] = ("zh", "en")


class Reviewing:
    """Every method raises StoreFailed."""

    def __init__(self, editor: KnowledgeEditor, jobs: Jobs) -> None:
        self._editor = editor
        self._jobs = jobs

    async def list(self, tenant: str, states: Sequence[JobState], limit: int) -> Sequence[Job]:
        return await self._jobs.list(tenant, REVIEWED, states, limit)

    async def find(self, tenant: str, job_id: str) -> Job:
        """Raises NotFound."""
        job = await self._jobs.find(tenant, job_id)
        if job is None or job.kind not in REVIEWED:
            raise NotFound(f"Nothing was made as {job_id}; `zerowait knowledge pregenerated list` shows what was.")
        return job

    async def edit(self, tenant: str, job_id: str, questions: Mapping[Language, str], answers: Mapping[Language, str]) -> Job:
        """Puts a person's words in the place of a model's, language by language. Raises NotFound, Conflict."""
        made = (await self._undecided(tenant, job_id)).made
        if not isinstance(made, Entry):
            raise Conflict(f"{job_id} is no entry: edit a template with a file.")
        asked: dict[Language, tuple[str, ...]] = {language: (text,) for language, text in questions.items()}
        edited = replace(made, questions=made.questions | asked, answers=made.answers | dict(answers))
        return await self._keep(tenant, job_id, edited)

    async def replace(self, tenant: str, job_id: str, item: Entry | Template) -> Job:
        """Puts a person's item in the place of what was made, under its id. Raises NotFound, Conflict."""
        made = (await self._undecided(tenant, job_id)).made
        if made is None or type(item) is not type(made):
            raise Conflict(f"{job_id} is another kind of thing: write an entry for an answer, a template for a template.")
        if isinstance(item, Entry) and isinstance(made, Entry):
            origins = item.derived_from or made.derived_from
            return await self._keep(tenant, job_id, replace(item, id=made.id, derived_from=origins))
        assert isinstance(made, Template)
        return await self._keep(tenant, job_id, replace(item, id=made.id))

    async def accept(self, tenant: str, job_id: str, *, by: str) -> Entry | Template:
        """Puts it into the draft. Raises NotFound, Conflict (decided already, a language is missing), and Unreadable (it cannot
        be published as it is)."""
        made = (await self._undecided(tenant, job_id)).made
        if not isinstance(made, Entry | Template):
            raise Conflict(f"{job_id} is not made yet.")
        if isinstance(made, Entry):
            missing = [language for language in _LANGUAGES if not (made.questions.get(language) and made.answers.get(language))]
            if missing:
                raise Conflict(
                    f"{job_id} has no question or no answer in {missing[0]}: `zerowait knowledge pregenerated edit {job_id} "
                    f"--question-{missing[0]} … --answer-{missing[0]} …` gives it one."
                )
        await self._editor.put(tenant, made, by=by)
        await self._jobs.decide(tenant, job_id, "accepted", by)
        return made

    async def reject(self, tenant: str, job_id: str, *, by: str) -> None:
        """Raises NotFound, Conflict."""
        await self._undecided(tenant, job_id)
        await self._jobs.decide(tenant, job_id, "rejected", by)

    async def _undecided(self, tenant: str, job_id: str) -> Job:
        job = await self.find(tenant, job_id)
        if job.state in ("accepted", "rejected"):
            raise Conflict(f"{job_id} was {job.state} already.")
        return job

    async def _keep(self, tenant: str, job_id: str, item: Entry | Template) -> Job:
        await self._jobs.edit(tenant, job_id, item)
        return await self.find(tenant, job_id)
