"""Answers that are made before they are asked for: which are worth it, and how a job of it stands."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from serve_app.domain.errors import InternalError
from serve_app.domain.expiry import earliest
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Passage, SourceVersion, Template
from serve_app.domain.messages import Citation, Kind, Language
from serve_app.domain.normalise import canonical_form
from serve_app.domain.question_log import Asked
from serve_app.domain.sharing import SharedAnswer

# "renewal": an answer of the head, made of a draft, to be shared in the moment that the draft is published.
JobKind = Literal["answer", "template", "renewal"]
JobState = Literal["waiting", "made", "failed", "accepted", "rejected"]
# A job whose makers end without a word is not tried for ever.
ATTEMPTS_MAX = 4


class CannotMake(InternalError):
    """Why a job gives nothing, for people. To try it again would not help."""


@dataclass(frozen=True, slots=True)
class MadeOf:
    """A passage of which an answer was made. `digest` is of its words: they are the same in a draft and when it is published,
    while the version is known only then."""

    id: str
    title: str
    digest: str


@dataclass(frozen=True, slots=True)
class Renewal:
    """A model's answer made of a draft. `stamp`: a digest of what could change it besides its question and its passages
    (prompt, model, sampling); `ends_at`: when it is not true any more, besides its passages' own ends."""

    text: str
    stamp: str
    made_of: tuple[MadeOf, ...]
    ends_at: datetime | None = None


Made = Entry | Template | Renewal


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to be made by a model. `count`: how often it was asked for. `made` is an entry, a template or a renewal, as
    `kind` says; `reason` says why it failed, or what is missing in what was made."""

    tenant: str
    kind: JobKind
    language: Language
    canonical: str
    text: str
    intent: Intent
    count: int
    created_at: datetime
    revision: str = ""  # of the draft, for a renewal
    state: JobState = "waiting"
    attempts: int = 0
    made: Made | None = None
    model: str = ""
    made_at: datetime | None = None
    reason: str = ""
    decided_by: str = ""

    @property
    def id(self) -> str:
        """The same for the same thing, so that it is made once; a renewal is one draft's."""
        parts = (self.kind, self.language, self.canonical, self.revision)
        return f"pre_{hashlib.blake2b(chr(0).join(parts).encode(), digest_size=8).hexdigest()}"

    @property
    def item_id(self) -> str:
        """Of the entry that is made of it; a job that is done again makes the same entry anew."""
        return f"asked-{self.id.removeprefix('pre_')}"


def answer_jobs(asked: Iterable[Asked], answered: Collection[str], now: datetime, limit: int) -> list[Job]:
    """Of the head (`asked`, the most often asked first): the public questions that are not `answered` (`wordings`)."""
    found = (one for one in asked if one.kind is Kind.PUBLIC and one.canonical not in answered)
    return [
        Job(one.tenant, "answer", one.language, one.canonical, one.text, one.intent, one.count, now)
        for one, _ in zip(found, range(limit), strict=False)
    ]


def template_jobs(
    asked: Iterable[Asked], lacking: Callable[[Asked], bool], now: datetime, limit: int, tenant: str
) -> list[Job]:
    """Of the head: the intents of templated questions for which nothing is published, or not every case. One job an intent, in
    both languages."""
    counts: dict[Intent, int] = {}
    for one in asked:
        if one.kind is Kind.TEMPLATED and lacking(one):
            counts[one.intent] = counts.get(one.intent, 0) + one.count
    most = sorted(counts, key=lambda intent: (-counts[intent], intent))
    return [Job(tenant, "template", "zh", f"@{intent}", "", intent, counts[intent], now) for intent in most[:limit]]


def renewal_jobs(asked: Iterable[Asked], answered: Collection[str], revision: str, now: datetime, limit: int) -> list[Job]:
    """Of questions whose shared answers end with the publication of a draft (`asked`, the most often asked first): those that
    are not `answered` by its own wordings."""
    found = (one for one in asked if one.canonical not in answered)
    return [
        Job(one.tenant, "renewal", one.language, one.canonical, one.text, one.intent, one.count, now, revision)
        for one, _ in zip(found, range(limit), strict=False)
    ]


def to_do(
    wanted: Iterable[Job], known: Mapping[str, Job], versions: Mapping[str, int], *, failed_too: bool = False
) -> list[Job]:
    """Those of `wanted` that wait to be put in the queue. What was made stays made while its sources are what they were, also
    when a person has rejected it; what failed stays so unless `failed_too`."""

    def is_open(job: Job) -> bool:
        before = known.get(job.id)
        if before is None or (before.state == "failed" and failed_too):
            return True
        return before.state in ("made", "accepted", "rejected") and not is_current(before.made, versions)

    return [job for job in wanted if is_open(job)]


def is_current(made: Made | None, versions: Mapping[str, int]) -> bool:
    """Whether everything that an entry was derived from is published as it was then. `versions`: by source id."""
    return not isinstance(made, Entry) or all(versions.get(source.id) == source.version for source in made.derived_from)


def withheld(derived: Mapping[str, Sequence[SourceVersion]], versions: Mapping[str, int]) -> frozenset[str]:
    """Which of the derived entries are not served: something that they were made of is published as another version, not at
    all, or is withheld itself. Whoever reads an answer cannot see that its figures are old, so none is better."""
    gone: set[str] = set()
    while True:
        more = {
            entry_id
            for entry_id, sources in derived.items()
            if entry_id not in gone
            and any(source.id in gone or versions.get(source.id) != source.version for source in sources)
        }
        if not more:
            return frozenset(gone)
        gone |= more


def stale_after(entries: Iterable[Entry], changed: Collection[str], versions: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """The derived entries that will be withheld after a publication that changes `changed`, by id, each with the sources that
    are why. `versions` are those before it, by source id."""
    derived = {entry.id: entry.derived_from for entry in entries if entry.derived_from}
    kept = {source_id: version for source_id, version in versions.items() if source_id not in changed}
    gone = withheld(derived, kept)
    return {
        entry_id: tuple(source.id for source in derived[entry_id] if source.id in gone or kept.get(source.id) != source.version)
        for entry_id in sorted(gone)
    }


def entry_of(
    job: Job,
    questions: Mapping[Language, str],
    answers: Mapping[Language, str],
    passages: Sequence[Passage],
    changes_at: datetime | None = None,
) -> Entry:
    """The entry that a person is shown, true as long as the first of its passages is, and until something else would have been
    found (`changes_at`).

    It answers to its questions alone, unless the question stands for an intent.
    """
    valid_to = earliest(changes_at, *(passage.valid_to for passage in passages))
    intent = Intent(job.canonical[1:]) if job.canonical.startswith("@") else Intent.OTHER
    return Entry(
        id=job.item_id,
        version=0,
        intent=intent,
        questions={language: (text,) for language, text in questions.items()},
        answers=dict(answers),
        derived_from=tuple(dict.fromkeys(passage.source for passage in passages)),
        valid_to=valid_to,
    )


def made_of(passages: Iterable[Passage]) -> tuple[MadeOf, ...]:
    return tuple(MadeOf(passage.source.id, passage.title, _digest(passage)) for passage in passages)


def _digest(passage: Passage) -> str:
    words = "\0".join((passage.title, passage.text, passage.valid_to.isoformat() if passage.valid_to else ""))
    return hashlib.blake2b(words.encode(), digest_size=16).hexdigest()


def shared_answer(job: Job, published: Mapping[str, Entry], stamp: str) -> SharedAnswer | None:
    """The renewed answer as it may be shared now under `stamp`; None when it was made under another, or when what is published
    is not what it was made of, word for word.

    `published`: the entries by id. So it does not matter who published what meanwhile, nor in which order it is heard of.
    """
    made = job.made
    if not isinstance(made, Renewal) or job.made_at is None or made.stamp != stamp or not made.made_of:
        return None
    passages = [passage_of(published[one.id], job.language) for one in made.made_of if one.id in published]
    if made_of(passages) != made.made_of:
        return None
    return SharedAnswer(
        text=made.text,
        language=job.language,
        source="model",
        created_at=job.made_at,
        model=job.model,
        citations=tuple(Citation(one.id, one.title) for one in made.made_of),
        sources=tuple(passage.source for passage in passages),
        expires_at=earliest(made.ends_at, *(passage.valid_to for passage in passages)),
    )


def passage_of(entry: Entry, language: Language) -> Passage:
    return Passage(entry.source, entry.questions[language][0], entry.answers[language], entry.valid_to)


def drafted_passages(
    found: Sequence[Passage], drafted: Mapping[str, Entry], intent: Intent, language: Language, now: datetime, most: int
) -> tuple[Passage, ...]:
    """What a question will find when a draft is published: the draft's entry of its own intent, then those that it finds today,
    in the draft's words; what the draft withdraws is left out.

    An entry that the draft adds, of another intent, is not among them: only its publication tells how near it is.
    """
    own = [entry for entry in drafted.values() if entry.intent is intent and intent is not Intent.OTHER and entry.suggested]
    near = [drafted[passage.source.id] for passage in found if passage.source.id in drafted]
    chosen = {entry.id: entry for entry in (*own, *near) if entry.is_valid(now)}
    return tuple(passage_of(entry, language) for entry in list(chosen.values())[:most])


def wordings(entries: Iterable[Entry], now: datetime) -> frozenset[str]:
    """The canonical questions that valid entries answer: in their own words, and in any words where an intent is certain."""
    valid = [entry for entry in entries if entry.is_valid(now)]
    own = {canonical_form(text) for entry in valid for texts in entry.questions.values() for text in texts}
    return frozenset(own | {f"@{entry.intent}" for entry in valid})


def is_news(before: Mapping[str, Entry | Template], after: Mapping[str, Entry | Template]) -> frozenset[str]:
    """The ids of what is said otherwise after a publication, or not any more, whatever the versions are."""
    ids = before.keys() | after.keys()
    return frozenset(key for key in ids if _unversioned(before.get(key)) != _unversioned(after.get(key)))


def _unversioned(item: Entry | Template | None) -> Entry | Template | None:
    return None if item is None else replace(item, version=0)
