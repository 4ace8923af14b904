"""What became of each question, and what the day comes to."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from benchmarks.replay.canaries import customers_in, questions_canary, questions_in, sources_in
from benchmarks.replay.publications import BEFORE_CAMPAIGN, CAMPAIGN, MIDNIGHT, Truth
from benchmarks.replay.questions import Question
from serve_app.domain.messages import Kind, Tier
from serve_app.domain.normalise import canonical_form
from serve_app.domain.question import Understanding

# What was published or began later than this before a question must have reached every process.
GRACE = timedelta(seconds=1)
HITS: frozenset[Tier] = frozenset({"memory", "redis", "template", "faq"})
SHARED: frozenset[Tier] = frozenset({"memory", "redis", "faq"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A question and what came of it. `sources`: what it cites."""

    question: Question
    asked_at: datetime
    customer: int | None
    tier: Tier
    source: str
    kind: Kind
    reason: str  # how it ended; an error's class before its first word
    shown: str  # whatever the customer sees: words, cards, options
    sources: tuple[str, ...]
    degraded: tuple[str, ...] = ()


@dataclass(slots=True)
class _Key:
    """A shareable question: its askings in order, and the answers to it that others could have been given."""

    asked: list[Answer] = field(default_factory=list[Answer])
    given: list[tuple[datetime, tuple[str, ...]]] = field(default_factory=list[tuple[datetime, tuple[str, ...]]])
    set_aside_at: datetime | None = None


class Judge:
    """`understand` reads a text as the first of a conversation."""

    def __init__(self, truth: Truth, understand: Callable[[str], Understanding]) -> None:
        self._truth = truth
        self._understand = understand
        self._keys: defaultdict[tuple[str, str], _Key] = defaultdict(_Key)
        self._tiers: Counter[str] = Counter()
        self._by_sort: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._head: Counter[str] = Counter()
        self._paraphrases: Counter[str] = Counter()
        self._published: Counter[str] = Counter()
        self._degraded: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self.stale: list[Answer] = []
        self.leaks: list[Answer] = []
        self.set_aside: list[Answer] = []  # given again although a customer had found it wrong
        self.others: list[Answer] = []  # words that a model said to another question
        self._set_aside_at: dict[str, datetime] = {}  # by the canary of the question that its words were made for
        self._templated: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()  # of the head
        self.wrong: Counter[tuple[str, str, str]] = Counter()  # question, what answered, what should have

    def hear(self, answer: Answer) -> None:
        question = answer.question
        self._tiers[answer.tier] += 1
        self._by_sort[question.sort][answer.tier] += 1
        self._degraded.update(answer.degraded)
        if answer.reason not in ("stop", "handoff"):
            self._failed[answer.reason] += 1
        if any(self._truth.is_stale(said, answer.asked_at, GRACE) for said in sources_in(answer.shown)):
            self.stale.append(answer)
        whose = customers_in(answer.shown)
        if whose - {answer.customer}:
            self.leaks.append(answer)
        aside = (self._set_aside_at[said] for said in questions_in(answer.shown) if said in self._set_aside_at)
        if answer.tier in SHARED and any(answer.asked_at > at + GRACE for at in aside):
            self.set_aside.append(answer)
        if answer.tier == "template":
            self._templated["said"] += 1
            self._templated["marked"] += bool(whose)
        if question.entry is not None:
            self._hear_published(answer, question.entry)
        self._hear_shareable(answer)

    def _hear_published(self, answer: Answer, entry: str) -> None:
        if not self._is_published(entry, answer.asked_at):
            return
        if entry == CAMPAIGN and answer.asked_at < MIDNIGHT:
            entry = BEFORE_CAMPAIGN
        hit = answer.tier in SHARED
        right = hit and entry in answer.sources
        counts = self._head if answer.question.sort == "head" else self._paraphrases
        counts["asked"] += 1
        counts["right"] += right
        counts["wrong"] += hit and not right
        if answer.question.sort == "head" and not right:
            self.missed[answer.question.text] += 1
        if hit and not right:
            self.wrong[answer.question.text, " ".join(answer.sources), entry] += 1

    def _is_published(self, entry: str, at: datetime) -> bool:
        times = [times for (owner, _), times in self._truth.words.items() if owner == entry]
        return entry == CAMPAIGN or any(one.begins <= at < one.ends for one in times)

    def _hear_shareable(self, answer: Answer) -> None:
        """What an endless cache would have held: see `endless`."""
        hit = answer.tier in SHARED
        if self._is_published_wording(answer):
            self._published["could"] += 1
            self._published["hits"] += hit
            return
        found = self._key_of(answer)
        if found is None:
            return
        canonical, key = found
        key.asked.append(answer)
        if hit and questions_in(answer.shown) - {questions_canary(canonical)}:
            self.others.append(answer)
        if (
            answer.kind is Kind.PUBLIC
            and answer.sources
            and answer.reason == "stop"
            and answer.source in ("model", "faq", "cache")
        ):
            key.given.append((answer.asked_at, answer.sources))

    def may_complain(self, answer: Answer) -> bool:
        """Whether others could get this answer of a model, and its question's is not set aside yet."""
        found = self._key_of(answer)
        if found is None or answer.source not in ("model", "cache") or answer.reason != "stop":
            return False
        may_be_kept = answer.kind is Kind.PUBLIC and bool(answer.sources) and bool(questions_in(answer.shown))
        return may_be_kept and found[1].set_aside_at is None

    def complain(self, answer: Answer, at: datetime) -> None:
        """From then on these words must not be given again, and the question has no shared answer."""
        if found := self._key_of(answer):
            found[1].set_aside_at = at
        self._set_aside_at |= dict.fromkeys(questions_in(answer.shown), at)

    def _is_published_wording(self, answer: Answer) -> bool:
        question = answer.question
        return question.sort != "follow" and self._truth.owner(_form(question.text), answer.asked_at) is not None

    def _key_of(self, answer: Answer) -> tuple[str, _Key] | None:
        """With the canonical form. None for a published wording, and for a question that is not for everyone."""
        if answer.question.sort == "follow" or self._is_published_wording(answer):
            return None
        understood = self._understand(answer.question.text)
        if understood.kind is not Kind.PUBLIC or not understood.canonical:
            return None
        return understood.canonical, self._keys[understood.language, understood.canonical]

    def endless(self) -> Counter[str]:
        """Of the questions that are in no wording and had an answer that may be shared: how many had it at an earlier asking of
        the same key, cited by sources of which none has changed since, and that no customer found wrong ("could"), and how many
        of those were hits.

        The answer counts from the instant of its question: without delay.
        """
        found: Counter[str] = Counter()
        for key in self._keys.values():
            for answer in key.asked:
                found["asked"] += 1
                if self._was_kept(key, answer.asked_at):
                    found["could"] += 1
                    found["hits"] += answer.tier in SHARED
        return found

    def not_kept(self) -> Counter[str]:
        """The questions that an endless cache would have had and ours had not, by how they were answered."""
        return Counter(
            f"{answer.tier}: {answer.question.text}"
            for key in self._keys.values()
            for answer in key.asked
            if answer.tier not in SHARED and self._was_kept(key, answer.asked_at)
        )

    def _was_kept(self, key: _Key, at: datetime) -> bool:
        # Of several answers the last holds longest.
        if key.set_aside_at is not None and at >= key.set_aside_at:
            return False
        key.given.sort()
        before = bisect_left(key.given, (at,))
        if not before:
            return False
        given_at, sources = key.given[before - 1]
        return not any(self._truth.changed(source, given_at, at) for source in sources)

    def told(self) -> dict[str, Any]:
        asked, kept = self._tiers.total(), self.endless()
        could, hits = kept["could"] + self._published["could"], kept["hits"] + self._published["hits"]
        return {
            "questions": asked,
            "hit_rate": _ratio(sum(self._tiers[tier] for tier in HITS), asked),
            "by_tier": {tier: _ratio(count, asked) for tier, count in sorted(self._tiers.items())},
            "hits_over_infinite_cache": _ratio(hits, could),
            "kept_hits_over_infinite_cache": _ratio(kept["hits"], kept["could"]),
            "infinite_cache_hits": could,
            "head_hit_rate": _ratio(self._head["right"], self._head["asked"]),
            "head_wrong": self._head["wrong"],
            "head_questions": self._head["asked"],
            "paraphrase_hit_rate": _ratio(self._paraphrases["right"], self._paraphrases["asked"]),
            "paraphrase_wrong": self._paraphrases["wrong"],
            "stale_answers": len(self.stale),
            "leaks": len(self.leaks),
            "set_aside_answers": len(self.set_aside),
            "answers_of_other_questions": len(self.others),
            "set_aside": sum(key.set_aside_at is not None for key in self._keys.values()),
            "template_answers_marked": _ratio(self._templated["marked"], self._templated["said"]),
            "failed": dict(self._failed),
            "degraded": dict(self._degraded),
            "by_sort": {sort: dict(counts.most_common()) for sort, counts in sorted(self._by_sort.items())},
        }


_form = cache(canonical_form)


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
