"""When what the index finds changes by itself, and what it finds for a question whose answer was set aside."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from serve_app.adapters.fake_embedder import FakeEmbedder
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Found, Lookup
from serve_app.domain.messages import Kind
from serve_app.domain.normalise import canonical_form
from serve_app.knowledge import KnowledgeIndex

NOW = datetime(2026, 11, 10, 15, 59, tzinfo=UTC)
MIDNIGHT = NOW + timedelta(minutes=1)
EMBEDDER = FakeEmbedder()
FREIGHT = Entry(
    "freight", 1, Intent.SHIPPING_FEE, {"zh": ("运费怎么算",), "en": ("how much is shipping",)}, {"zh": "8元", "en": "8"}
)
CAMPAIGN = Entry(
    "campaign",
    1,
    Intent.CAMPAIGN,
    {"zh": ("大促有什么优惠",), "en": ("what is on sale",)},
    {"zh": "全场包邮", "en": "free shipping"},
    valid_from=MIDNIGHT,
)


def ask(text: str, *entries: Entry, **fields: Any) -> Found:
    known: dict[str, Any] = {"tenant": "demo", "canonical": canonical_form(text), "text": text, "language": "zh", "now": NOW}
    known |= {"intent": Intent.OTHER, "kind": Kind.PUBLIC}
    return KnowledgeIndex.build(entries, [], EMBEDDER).look_up(Lookup(**(known | fields)), EMBEDDER)


def test_an_entry_that_becomes_valid_later_says_when_what_is_found_changes() -> None:
    assert ask("有优惠吗", FREIGHT, CAMPAIGN, intent=Intent.CAMPAIGN).changes_at == MIDNIGHT, "of its intent"
    assert ask("大促有什么优惠", FREIGHT, CAMPAIGN).changes_at == MIDNIGHT, "near to it"
    assert ask("大促有什么优惠", FREIGHT, CAMPAIGN, now=MIDNIGHT).changes_at is None, "it has begun"
    other = replace(CAMPAIGN, questions={"zh": ("别的",), "en": ("other",)})
    assert ask("能寄到南极吗", FREIGHT, other).changes_at is None, "it has nothing to do with the question"
    asked = Lookup("demo", "能寄到南极吗", "能寄到南极吗", Intent.OTHER, Kind.PUBLIC, "zh", NOW)
    index = KnowledgeIndex([FREIGHT, other], [], {}, EMBEDDER.related_from)
    assert index.suggest(asked, EMBEDDER.embed([asked.text])[0]).changes_at == MIDNIGHT, "nobody knows yet how near it is"
    assert index.suggest(asked, None).changes_at == MIDNIGHT


def test_an_entry_of_an_intent_is_the_only_one_until_another_begins() -> None:
    sale = replace(CAMPAIGN, intent=Intent.SHIPPING_FEE)
    asked = {"intent": Intent.SHIPPING_FEE, "canonical": "@shipping_fee"}
    found = ask("那运费呢", FREIGHT, sale, **asked)
    assert (found.entry, found.changes_at) == (FREIGHT, MIDNIGHT)


def test_what_was_set_aside_is_answered_by_an_exact_wording_only() -> None:
    asked = {"intent": Intent.SHIPPING_FEE, "canonical": "@shipping_fee"}
    assert ask("那运费呢", FREIGHT, **asked).entry == FREIGHT
    found = ask("那运费呢", FREIGHT, **asked, set_aside=True)
    assert found.entry is None
    assert [suggestion.id for suggestion in found.suggestions] == ["freight"]
    assert ask("运费怎么算", FREIGHT, set_aside=True).entry == FREIGHT
