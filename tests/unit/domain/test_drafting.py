"""Drafts over what is published: merging files, carrying over, conflicts; and what a reader is told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.drafting import (
    Draft,
    EntryPatch,
    Place,
    Reading,
    Text,
    Unreadable,
    changes_between,
    conflicts,
    located,
    merged,
    rebased,
    with_changes,
    with_variant,
)
from serve_app.domain.errors import Conflict
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Template, TemplateCase
from serve_app.domain.knowledge_diff import counted, differences, told
from serve_app.domain.policies import Policy
from serve_app.domain.publication import Problem, Publication, Unpublishable

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
DAYS = Policy("return_days", "days", 7)
TIER = Template("tier", 0, Intent.TIER, (TemplateCase("", {"zh": "好", "en": "ok"}),))


def entry(entry_id: str, text: str = "", intent: Intent = Intent.OTHER) -> Entry:
    said = text or entry_id
    return Entry(entry_id, 0, intent, {"zh": (said,), "en": (said,)}, {"zh": said, "en": said})


def patch(entry_id: str, **texts: str) -> EntryPatch:
    return EntryPatch(entry_id, {"zh" if name == "zh" else "en": Text((text,), text) for name, text in texts.items()}, {})


def test_what_a_file_does_not_say_stays() -> None:
    known = Publication((entry("a", intent=Intent.WARRANTY), entry("b")), (TIER,), (DAYS,))
    after = merged(known, Reading((patch("a", en="new"), patch("c", zh="新", en="new"))), replacing=False)
    first, second, third = after.entries
    assert (first.intent, first.answers) == (Intent.WARRANTY, {"zh": "a", "en": "new"})
    assert second == known.entries[1]
    assert third.intent is Intent.OTHER
    assert (after.templates, after.policies) == (known.templates, known.policies)


def test_a_whole_entry_forgets_what_was_there() -> None:
    known = Publication((entry("a", intent=Intent.WARRANTY),))
    whole = replace(patch("a", zh="新", en="new"), whole=True)
    assert merged(known, Reading((whole,)), replacing=False).entries[0].intent is Intent.OTHER


def test_replacing_takes_what_no_file_names_away() -> None:
    known = Publication((entry("a"), entry("b")), (TIER,), (DAYS,))
    only_entries = merged(known, Reading((patch("b", en="new"),)), replacing=True)
    assert [one.id for one in only_entries.entries] == ["b"]
    assert only_entries.entries[0].answers == {"zh": "b", "en": "new"}
    assert (only_entries.templates, only_entries.policies) == (known.templates, known.policies)
    other = Policy("fee", "days", 1)
    assert merged(known, Reading(policies=(other,)), replacing=True) == Publication(known.entries, (TIER,), (other,))
    assert merged(known, Reading(policies=(other,)), replacing=False).policies == (DAYS, other)


publications = st.dictionaries(st.sampled_from("abcde"), st.sampled_from(["x", "y", "z"])).map(
    lambda told: Publication(tuple(entry(name, text) for name, text in sorted(told.items())))
)


@given(publications, publications)
def test_changes_lead_from_one_publication_to_the_other(before: Publication, after: Publication) -> None:
    changes = changes_between(before, after)
    assert with_changes(before, changes) == after
    assert (not changes) == (before == after)
    assert {change.id for change in differences(before, after)} == set(changes)


@given(publications, publications, publications)
def test_rebasing_loses_nothing(base: Publication, drafted: Publication, published: Publication) -> None:
    draft = Draft(1, "r", changes_between(base, drafted), NOW, "me")
    both = conflicts(base, published, draft)
    if both:
        with pytest.raises(Conflict, match=both[0]):
            rebased(base, published, draft, None)
    mine = with_changes(published, rebased(base, published, draft, "draft")).by_id()
    theirs = with_changes(published, rebased(base, published, draft, "published")).by_id()
    for key in draft.changes:
        assert mine.get(key) == draft.changes[key]
        assert theirs.get(key) == (published.by_id().get(key) if key in both else draft.changes[key])
    untouched = published.by_id().keys() - draft.changes.keys()
    assert all(mine[key] == theirs[key] == published.by_id()[key] for key in untouched)


def test_an_accepted_variant_is_one_more_question() -> None:
    known = Publication((entry("a"),))
    asked = with_variant(known, "a", "en", "May I?").entries[0]
    assert asked.questions == {"zh": ("a",), "en": ("a", "May I?")}
    assert with_variant(Publication((asked,)), "a", "en", "may i").entries[0] == asked
    with pytest.raises(Conflict, match="no entry b"):
        with_variant(known, "b", "en", "May I?")


def test_problems_are_told_with_their_places() -> None:
    problems = tuple(Problem(name, f"{name} is wrong") for name in ("a", "b"))
    assert str(located(Unpublishable(problems), {"a": Place("x.csv", 7)})) == "x.csv:7: a is wrong\nb is wrong"
    assert str(Unreadable(tuple("x" * 25))).endswith("… and 5 more")


def test_a_difference_is_told_field_by_field() -> None:
    before = Publication((entry("a"), entry("b")), policies=(DAYS,))
    changed = replace(
        before.entries[0], questions={"zh": ("a", "新"), "en": ("b",)}, answers={"zh": "{policy.return_days}", "en": "a"}
    )
    after = Publication((changed, entry("c")), policies=(replace(DAYS, value=15),))
    changes = differences(before, after)
    assert counted(changes) == "1 added, 2 changed, 1 withdrawn"
    assert told(changes) == [
        "~ entry a",
        "    questions.zh + 新",
        "    answer.zh - a",
        "    answer.zh + {policy.return_days}",
        "    questions.en - a",
        "    questions.en + b",
        "- entry b",
        "+ entry c",
        "    intent + other",
        "    suggested + yes",
        "    questions.zh + c",
        "    answer.zh + c",
        "    questions.en + c",
        "    answer.en + c",
        "~ policy policy.return_days  (changes the words of a)",
        "    value - 7",
        "    value + 15",
    ]


def test_another_first_question_is_told() -> None:
    one = replace(entry("a"), questions={"zh": ("一", "二"), "en": ("a",)})
    other = replace(one, questions={"zh": ("二", "一"), "en": ("a",)})
    assert told(differences(Publication((one,)), Publication((other,)))) == [
        "~ entry a",
        "    questions.zh: in another order, shown first: 二",
    ]
