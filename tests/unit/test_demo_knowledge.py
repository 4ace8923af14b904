"""The demo's knowledge holds what it promises: both languages, one answer a question, no figure outside the policies."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta, timezone
from functools import cache
from importlib.resources import files

import pytest

from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.intents import Intent, kind_of
from serve_app.domain.knowledge import Entry
from serve_app.domain.messages import Kind
from serve_app.domain.normalise import canonical_form
from serve_app.domain.policies import used_policies
from serve_app.domain.publication import LANGUAGES, Publication, filled


@cache
def written() -> Publication:
    return demo_knowledge()


ENTRIES = [pytest.param(entry, id=entry.id) for entry in written().entries]
SLOT = re.compile(r"\{policy\.\w+\}")
FIGURE_ZH = re.compile(r"[一二两三四五六七八九十百千万半]+(?:个|天|日|周|月|年|小时|分钟|元|块|折|倍|成|次|张|件|工作日|%)")
FIGURE_EN = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty|fifty|hundred|thousand|half|dozen"
    r"|twice|double|triple)\b",
    re.IGNORECASE,
)


def test_it_can_be_published() -> None:
    publication = filled(written())
    assert len(publication.entries) >= 80
    assert not [entry.id for entry in publication.entries if "{" in "".join(entry.answers.values())]


def test_every_file_says_that_it_is_a_sample_and_stays_short() -> None:
    for file in (files("serve_app.demo") / "knowledge").iterdir():
        if file.name.endswith(".yaml"):
            head, *_ = text = file.read_text(encoding="utf-8").splitlines()
            assert "sample" in head, file.name
            assert len(text) < 300 or file.name == "templates.yaml", file.name


def test_the_campaign_holds_only_while_it_lasts() -> None:
    campaign = next(entry for entry in written().entries if entry.id == "campaign-double-12")
    begins = datetime(2026, 12, 10, tzinfo=timezone(timedelta(hours=8)))
    moments = [begins - timedelta(seconds=1), begins, begins + timedelta(days=3, seconds=-1), begins + timedelta(days=3)]
    assert [campaign.is_valid(moment) for moment in moments] == [False, True, True, False]
    assert [entry.id for entry in written().entries if entry.valid_from or entry.valid_to] == [campaign.id]


def test_every_public_intent_has_exactly_one_entry() -> None:
    public = {intent for intent in Intent if kind_of(intent) is Kind.PUBLIC}
    assert Counter(entry.intent for entry in written().entries) == Counter(public)


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_has_at_least_six_different_questions_in_each_language(entry: Entry) -> None:
    for language in LANGUAGES:
        assert len({canonical_form(question) for question in entry.questions[language]}) >= 6


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_is_written_in_the_language_that_it_claims(entry: Entry) -> None:
    for text in (*entry.questions["zh"], entry.answers["zh"]):
        assert re.search(r"[\u4e00-\u9fff]", text)
    for text in (*entry.questions["en"], entry.answers["en"]):
        assert not re.search(r"[\u3000-\u9fff\uff00-\uffef]", text)


@pytest.mark.parametrize("entry", ENTRIES)
def test_no_figure_stands_outside_the_policies(entry: Entry) -> None:
    for text in entry.answers.values():
        words = SLOT.sub("", text)
        assert not re.search(r"\d", words)
        assert not FIGURE_ZH.search(words)
        assert not FIGURE_EN.search(words)


@pytest.mark.parametrize("entry", ENTRIES)
def test_both_languages_state_the_same_figures(entry: Entry) -> None:
    assert sorted(SLOT.findall(entry.answers["zh"])) == sorted(SLOT.findall(entry.answers["en"]))


def test_every_policy_is_used_and_every_used_one_is_known() -> None:
    assert used_policies(written().entries, written().templates) == {policy.id for policy in written().policies}


def test_templates_state_no_figures_of_their_own() -> None:
    for template in written().templates:
        for case in template.cases:
            for text in case.text.values():
                words = re.sub(r"\{%.*?%\}|\{.*?\}", "", text)
                assert not re.search(r"\d", words)


def test_no_question_is_a_reply_that_means_nothing_alone() -> None:
    replies = {canonical_form(text) for text in ("是的", "好的", "不", "ok", "yes", "no", "嗯", "1")}
    forms = {canonical_form(text) for entry in written().entries for texts in entry.questions.values() for text in texts}
    assert not replies & forms
