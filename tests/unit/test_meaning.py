"""Which entry is meant, on vectors that the test makes: each entry's wordings lie around a direction of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy
import pytest
from numpy.typing import NDArray

from serve_app.adapters.entry_classifier import EntryClassifier
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Lookup
from serve_app.domain.meaning.evidence import CLOSENESS_MIN, ENTRIES_MIN, WORDINGS_MIN
from serve_app.domain.meaning.gates import Gate
from serve_app.domain.messages import Kind
from serve_app.domain.normalise import canonical_form
from serve_app.meaning import Meanings, Wording

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
NEAR_FROM = 0.5
DIMENSIONS = 24
TOPICS = ("card", "loan", "branch", "app")
WAYS = ("my {} broke", "the {} is stuck", "please mend the {}", "trouble with a {}", "a {} that fails", "that bad {} again")


def entry(topic: str, wordings: Sequence[str], **fields: Any) -> Entry:
    return Entry(topic, 1, Intent.OTHER, {"en": tuple(wordings), "zh": ()}, {"en": f"{topic}.", "zh": ""}, **fields)


def many(topic: str) -> list[str]:
    words = ("today so", "once more", "ever since", "as before")
    return [f"{way.format(topic)} {word}" for way in WAYS for word in words]


def unit(vector: NDArray[numpy.float32]) -> NDArray[numpy.float32]:
    return (vector / numpy.linalg.norm(vector)).astype(numpy.float32)


def direction(topic: str, wobble: float = 0.0, seed: int = 0) -> NDArray[numpy.float32]:
    """A unit vector near the topic's own."""
    vector = numpy.zeros(DIMENSIONS, dtype=numpy.float32)
    vector[TOPICS.index(topic)] = 1.0
    noise = numpy.random.default_rng(seed).normal(size=DIMENSIONS).astype(numpy.float32)
    vector += wobble * noise / numpy.linalg.norm(noise)
    return unit(vector)


def meanings_of(entries: Sequence[Entry], *, learnt: bool = True) -> Meanings:
    wordings = [Wording(one, "en", text) for one in entries for text in one.questions["en"]]
    matrix = numpy.stack([direction(wording.entry.id, 0.3, at) for at, wording in enumerate(wordings)])
    made = Meanings(wordings, matrix, NEAR_FROM)
    return made.learnt(EntryClassifier.train) if learnt else made


ENTRIES = [entry(topic, many(topic)) for topic in TOPICS]
MEANINGS = meanings_of(ENTRIES)


def lookup(text: str, **fields: Any) -> Lookup:
    known: dict[str, Any] = {
        "tenant": "demo",
        "canonical": canonical_form(text),
        "text": text,
        "intent": Intent.OTHER,
        "kind": Kind.PERSONAL,
        "language": "en",
        "now": NOW,
    }
    return Lookup(**(known | fields))


def test_the_sets_are_large_enough() -> None:
    assert len(many("card")) >= WORDINGS_MIN
    assert len(TOPICS) >= ENTRIES_MIN
    assert meanings_of(ENTRIES, learnt=False).may_learn
    assert not MEANINGS.may_learn
    assert not meanings_of([entry("card", ["my card broke"])], learnt=False).may_learn


def test_a_new_wording_amid_many_of_one_entry_means_it() -> None:
    meant = MEANINGS.meant(lookup("somehow the card is bent today"), direction("card"))
    assert meant.entry is not None
    assert meant.entry.id == "card"
    assert meant.refused == ()


def test_without_a_classifier_nearness_answers_nothing() -> None:
    meant = meanings_of(ENTRIES, learnt=False).meant(lookup("somehow the card is bent today"), direction("card"))
    assert meant.entry is None
    assert set(meant.refused) <= set(Gate)
    assert meant.refused


def test_what_lies_farther_off_than_the_wordings_from_each_other_means_nothing() -> None:
    aside = unit(numpy.ones(DIMENSIONS, dtype=numpy.float32))
    far = unit(numpy.asarray(direction("card") + 0.8 * aside, dtype=numpy.float32))
    entry, evidence = MEANINGS.evidence(lookup("somehow the card is bent today"), far)
    assert entry.id == "card"
    assert evidence.closeness < CLOSENESS_MIN
    assert MEANINGS.meant(lookup("somehow the card is bent today"), far).entry is None


@pytest.mark.parametrize("text", ["somehow the card is not stuck", "the card is stuck after 30 days", "who stuck the card"])
def test_no_number_of_wordings_outweighs_a_gate(text: str) -> None:
    assert MEANINGS.meant(lookup(text), direction("card")).entry is None


def test_between_two_entries_neither_is_meant() -> None:
    between = direction("card") + direction("loan")
    assert MEANINGS.meant(lookup("somehow it is bent"), unit(between)).entry is None


def test_few_wordings_need_the_same_words() -> None:
    small = meanings_of([entry("card", ["how do I mend a card"]), entry("loan", ["how do I end a loan"])], learnt=False)
    assert small.meant(lookup("How can I mend a card?"), direction("card")).entry is not None
    assert small.meant(lookup("How can I bend a card?"), direction("card")).entry is None


def test_the_same_words_in_two_entries_mean_neither() -> None:
    twins = [entry("card", ["how do I mend it now"]), entry("loan", ["how can I mend it now"])]
    between = direction("card") + direction("loan")
    meant = meanings_of(twins, learnt=False).meant(lookup("how to mend it now"), unit(between))
    assert meant.entry is None


def test_where_a_classifier_knows_better_the_same_words_do_not_suffice() -> None:
    odd = [entry("card", [*many("card"), "how do I mend it now"]), *ENTRIES[1:]]
    assert meanings_of(odd).meant(lookup("how can I mend it now"), direction("loan", 0.1)).entry is None


@pytest.mark.parametrize(
    "fields",
    [
        {"canonical": ""},
        {"canonical": "@greeting"},
        {"kind": Kind.ACTION},
        {"intent": Intent.COMPLAINT},
        {"kind": Kind.PUBLIC, "intent": Intent.CRISIS},
    ],
)
def test_what_asks_for_something_else_means_no_entry(fields: dict[str, Any]) -> None:
    assert MEANINGS.meant(lookup("somehow the card is bent today", **fields), direction("card")).entry is None


@pytest.mark.parametrize("kind", [Kind.PUBLIC, Kind.PERSONAL, Kind.TEMPLATED])
def test_what_it_is_taken_for_does_not_matter(kind: Kind) -> None:
    assert MEANINGS.meant(lookup("somehow the card is bent today", kind=kind), direction("card")).entry is not None


def test_an_entry_is_meant_only_in_its_time() -> None:
    later = meanings_of([entry("card", ["how do I mend a card"], valid_from=NOW + timedelta(hours=1))], learnt=False)
    assert later.meant(lookup("how to mend a card"), direction("card")).entry is None
    assert later.meant(lookup("how to mend a card", now=NOW + timedelta(hours=2)), direction("card")).entry is not None


def test_a_rule_that_is_certain_is_contradicted_by_nothing_near() -> None:
    fee = Entry("card", 1, Intent.SHIPPING_FEE, {"en": ("how do I mend a card",), "zh": ()}, {"en": "", "zh": ""})
    made = meanings_of([fee], learnt=False)
    certain = lookup("how to mend a card", kind=Kind.PUBLIC, intent=Intent.CARRIER, settled=True)
    meant = made.meant(certain, direction("card"))
    assert meant.entry is None
    assert meant.refused == (Gate.INTENT,)
