"""What the index answers, and what it only offers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.adapters.fake_embedder import FakeEmbedder
from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.intents import TEMPLATED, Intent, kind_of
from serve_app.domain.knowledge import Entry, Found, Lookup
from serve_app.domain.messages import Kind
from serve_app.domain.normalise import canonical_form
from serve_app.domain.publication import filled
from serve_app.knowledge import SUGGESTIONS_MAX, KnowledgeIndex

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
DEMO = filled(demo_knowledge())
EMBEDDER = FakeEmbedder()
INDEX = KnowledgeIndex.build(DEMO.entries, DEMO.templates, EMBEDDER)
ENTRY = DEMO.entries[0]


def ask(text: str = "", index: KnowledgeIndex = INDEX, **fields: Any) -> Found:
    known: dict[str, Any] = {
        "tenant": "demo",
        "canonical": canonical_form(text),
        "text": text,
        "intent": Intent.OTHER,
        "kind": Kind.PUBLIC,
        "language": "zh",
        "now": NOW,
    }
    return index.look_up(Lookup(**(known | fields)), EMBEDDER)


@pytest.mark.parametrize("entry", DEMO.entries, ids=lambda entry: entry.id)
def test_every_published_question_finds_its_own_entry(entry: Entry) -> None:
    for questions in entry.questions.values():
        for question in questions:
            assert ask(question, now=entry.valid_from or NOW).entry == entry


def test_a_question_may_come_in_other_clothes() -> None:
    found = ask("請問，運費怎麼算呢？？")
    assert found.entry is not None
    assert found.entry.id == "shipping-fee"
    assert not found.suggestions


def test_a_carried_question_finds_the_only_entry_of_its_intent() -> None:
    found = ask("那运费呢", canonical="@return_freight")
    assert found.entry is not None
    assert found.entry.intent is Intent.RETURN_FREIGHT


def test_a_carried_question_finds_nothing_when_two_entries_have_its_intent() -> None:
    twin = replace(ENTRY, id="twin", questions={"zh": ("另一个问题",), "en": ("another question",)})
    index = KnowledgeIndex.build([ENTRY, twin], [], EMBEDDER)
    assert ask("x", index, canonical=f"@{ENTRY.intent}").entry is None


@pytest.mark.parametrize("intent", sorted(TEMPLATED))
@pytest.mark.parametrize("canonical", ["", "我的快递到哪了"])
def test_a_template_answers_by_intent_also_in_a_follow_up(intent: Intent, canonical: str) -> None:
    found = ask("那个呢", intent=intent, kind=Kind.TEMPLATED, canonical=canonical)
    assert found.template is not None
    assert found.template.intent is intent
    assert found.entry is None


@pytest.mark.parametrize("kind", [Kind.PUBLIC, Kind.PERSONAL, Kind.ACTION])
def test_what_does_not_stand_alone_reads_nothing_shared(kind: Kind) -> None:
    found = ask("运费怎么算", canonical="", kind=kind)
    assert found.entry is None
    assert found.template is None


def test_an_action_is_never_answered_by_an_entry() -> None:
    assert ask("怎么取消订单", kind=Kind.ACTION).entry is None


def test_an_entry_answers_only_in_its_time() -> None:
    sale = replace(ENTRY, valid_from=NOW, valid_to=NOW + timedelta(hours=1))
    index = KnowledgeIndex.build([sale], [], EMBEDDER)
    question = sale.questions["zh"][0]
    for hours, is_valid in ((-1, False), (0, True), (1, False)):
        found = ask(question, index, now=NOW + timedelta(hours=hours))
        assert (found.entry is not None) is is_valid
        assert found.suggestions == ()


def test_of_two_entries_for_one_question_the_valid_one_answers() -> None:
    old = replace(ENTRY, valid_to=NOW)
    new = replace(ENTRY, id="new", valid_from=NOW)
    index = KnowledgeIndex.build([old, new], [], EMBEDDER)
    question = ENTRY.questions["zh"][0]
    assert ask(question, index, now=NOW - timedelta(seconds=1)).entry == old
    assert ask(question, index, now=NOW).entry == new


def test_a_miss_offers_three_different_questions_in_the_customers_language() -> None:
    found = ask("退货的运费到底是谁先来出")
    assert found.entry is None
    shown = {entry.questions["zh"][0] for entry in DEMO.entries if entry.suggested}
    assert 1 <= len(found.suggestions) <= SUGGESTIONS_MAX
    assert {one.question for one in found.suggestions} <= shown
    assert len({one.id for one in found.suggestions}) == len(found.suggestions)
    assert [passage.source.id for passage in found.passages] == [one.id for one in found.suggestions]
    english = ask("退货的运费到底是谁先来出", language="en")
    assert all(one.question.isascii() for one in english.suggestions)


def test_the_entry_of_the_questions_own_intent_is_offered_first() -> None:
    found = ask("how are parcels sent to my cat", intent=Intent.INVOICE)
    assert found.suggestions[0].id == "invoice"


def test_without_an_embedding_the_intents_entry_is_still_offered() -> None:
    lookup = Lookup("demo", "x", "x", Intent.INVOICE, Kind.PUBLIC, "zh", NOW)
    assert [one.id for one in INDEX.suggest(lookup, None).suggestions] == ["invoice"]


def test_what_is_far_from_everything_gets_no_offers() -> None:
    assert ask("zzzz qqqq xxxx") == Found()


def test_what_may_not_be_suggested_is_not() -> None:
    assert "greeting" not in [one.id for one in ask("你好你好呀你好", intent=Intent.GREETING).suggestions]


def test_an_empty_index_finds_nothing() -> None:
    assert ask("运费怎么算", KnowledgeIndex.build([], [], EMBEDDER)) == Found()


def test_a_new_index_embeds_only_what_is_new() -> None:
    class Counting(FakeEmbedder):
        embedded = 0

        def embed(self, texts: Any) -> Any:
            self.embedded += len(texts)
            return super().embed(texts)

    counting = Counting()
    first = KnowledgeIndex.build(DEMO.entries[:10], [], counting)
    before = counting.embedded
    same = KnowledgeIndex.build(DEMO.entries[:10], [], counting, first.vectors)
    assert counting.embedded == before
    assert same.vectors.keys() == first.vectors.keys()
    fewer = KnowledgeIndex.build(DEMO.entries[:5], [], counting, first.vectors)
    assert fewer.vectors.keys() < first.vectors.keys()


QUESTIONS = {canonical_form(text) for entry in DEMO.entries for texts in entry.questions.values() for text in texts}
texts = (
    st.text(max_size=20) | st.sampled_from(sorted(QUESTIONS)) | st.sampled_from(sorted(QUESTIONS)).map(lambda text: f"不{text}")
)


@given(texts, st.sampled_from(Intent), st.sampled_from(["zh", "en"]))
def test_only_a_published_question_is_ever_answered_by_an_entry(text: str, intent: Intent, language: str) -> None:
    found = ask(text, intent=intent, kind=kind_of(intent), language=language)
    if found.entry is not None:
        assert canonical_form(text) in {canonical_form(q) for texts in found.entry.questions.values() for q in texts}


def test_a_published_wording_is_answered_whatever_it_is_taken_for() -> None:
    assert ask(ENTRY.questions["zh"][0], intent=Intent.PARCEL, kind=Kind.TEMPLATED).entry == ENTRY
