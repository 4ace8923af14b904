"""Public sets of labelled questions: the train part's are the wordings of one entry an intent, the test part's are asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from benchmarks.truth.asking import Asker, entry_of, lookup_of
from benchmarks.truth.counting import hits, interval
from benchmarks.truth.embedding import RememberingEmbedder
from benchmarks.truth.sets import Labelled
from serve_app.adapters.entry_classifier import EntryClassifier
from serve_app.domain.knowledge import Entry
from serve_app.domain.meaning.evidence import CHANCE_MIN, Evidence, is_enough
from serve_app.domain.understanding import Understander
from serve_app.knowledge import KnowledgeIndex
from serve_app.meaning import Meanings, Wording

CHANCES = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Judged:
    """One question: its intent (None: out of scope), what the product answered, and the evidence behind a guess."""

    intent: str | None
    answered: str | None
    how: str
    guessed: str
    evidence: Evidence
    agrees: bool  # a wording near by does, in every particular; asked only where the loosest point would accept


def ask_all(
    entries: Sequence[Entry], asked: Iterable[tuple[str, str | None]], understander: Understander, embedder: RememberingEmbedder
) -> list[Judged]:
    index = KnowledgeIndex.build(entries, [], embedder)
    wordings = [Wording(entry, "en", text) for entry in entries for text in entry.questions["en"]]
    matrix = numpy.stack([index.vectors[wording.text] for wording in wordings])
    classifier = EntryClassifier.train(matrix, [wording.entry.id for wording in wordings])
    asker = Asker(understander, embedder, index.learnt(lambda _vectors, _labels: classifier))
    meanings = Meanings(wordings, matrix, embedder.related_from, classifier)
    judged: list[Judged] = []
    for text, intent in asked:
        answer = asker.ask(text, locale="en")
        lookup = lookup_of(asker.understood(text, locale="en"))
        vector = embedder.embed([text])[0]
        entry, evidence = meanings.evidence(lookup, vector)
        agrees = is_enough(evidence, CHANCES[0]) and meanings.agrees(lookup, vector)
        judged.append(Judged(intent, answer.entry_id, answer.how, entry.id, evidence, agrees))
    return judged


def entries_of(wordings: Iterable[tuple[str, str]]) -> list[Entry]:
    """English alone: the two languages of one entry are the same texts nowhere."""
    texts: dict[str, list[str]] = {}
    for text, intent in wordings:
        texts.setdefault(intent, []).append(text)
    made = (entry_of(intent, list(dict.fromkeys(said))) for intent, said in texts.items())
    return [_english(entry) for entry in made]


def _english(entry: Entry) -> Entry:
    return Entry(entry.id, entry.version, entry.intent, {"en": entry.questions["en"], "zh": ()}, entry.answers)


def figures(judged: Sequence[Judged]) -> dict[str, Any]:
    inside = [one for one in judged if one.intent is not None]
    exact = [one for one in judged if one.how == "exact"]
    meant = [one for one in judged if one.how == "faq"]
    wrong = sum(one.answered != one.intent for one in meant)
    elsewhere = sum(one.how not in ("exact", "faq", "missed") for one in inside)
    return {
        "asked": len(inside),
        "out_of_scope": len(judged) - len(inside),
        "understood_otherwise": elsewhere,
        "exact": hits(*_right_and_wrong(exact), len(inside)),
        "meaning": hits(len(meant) - wrong, wrong, len(inside)),
        "out_of_scope_hits": sum(one.intent is None for one in [*exact, *meant]),
        "chance_min": CHANCE_MIN,
        "curve": list(curve(judged)),
    }


def _right_and_wrong(answered: Sequence[Judged]) -> tuple[int, int]:
    right = sum(one.answered == one.intent for one in answered)
    return right, len(answered) - right


def curve(judged: Sequence[Judged]) -> Iterator[dict[str, Any]]:
    """Hits on the evidence of many wordings alone, by the chance that is asked of the classifier."""
    inside = sum(one.intent is not None for one in judged)
    for chance in CHANCES:
        some = [one for one in judged if one.how != "exact" and one.agrees and is_enough(one.evidence, chance)]
        wrong = sum(one.guessed != one.intent for one in some)
        yield {
            "chance_min": chance,
            "hit_rate": round(len(some) / inside, 4) if inside else 0.0,
            "wrong": wrong,
            "wrong_upper": round(interval(wrong, len(some))[1], 5),
        }


def cross_validated(labelled: Labelled, understander: Understander, embedder: RememberingEmbedder) -> list[dict[str, Any]]:
    """The curve within the train part: each fifth asked of the other four."""
    judged: list[Judged] = []
    for fold in range(FOLDS):
        wordings = [one for at, one in enumerate(labelled.train) if at % FOLDS != fold]
        asked: list[tuple[str, str | None]] = [one for at, one in enumerate(labelled.train) if at % FOLDS == fold]
        judged += ask_all(entries_of(wordings), asked, understander, embedder)
    return list(curve(judged))


def measured(labelled: Labelled, understander: Understander, embedder: RememberingEmbedder) -> dict[str, Any]:
    texts = [text for text, _ in (*labelled.train, *labelled.test)]
    embedder.embed(texts)
    embedder.keep()
    return figures(ask_all(entries_of(labelled.train), labelled.test, understander, embedder))
