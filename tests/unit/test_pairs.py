"""The hand-made question pairs parse, are as many as they say, hold nothing twice, and repeat no published wording."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.messages import Language

PAIRS = Path(__file__).parents[2] / "benchmarks" / "pairs"
REASONS = {
    "negation", "roles", "number", "date", "sku", "tier", "tense", "modality", "scope", "direction", "entity", "question_type",
}  # fmt: skip
COLUMNS = {
    "adversarial.tsv": ["first", "second", "same", "why"],
    "context.tsv": ["turn_a", "turn_b", "question"],
    "paraphrases.zh.tsv": ["entry_id", "question"],
    "paraphrases.en.tsv": ["entry_id", "question"],
    "same.tsv": ["first", "second", "same"],
}


@cache
def rows(name: str) -> list[dict[str, str]]:
    lines = [line for line in (PAIRS / name).read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    header, *body = (line.split("\t") for line in lines)
    return [dict(zip(header, fields, strict=True)) for fields in body]


def bare(text: str) -> str:
    """Letters and digits alone, so that spelling a question otherwise does not make it a new one."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def chinese(row: dict[str, str]) -> bool:
    return bool(re.search(r"[\u4e00-\u9fff]", "".join(row.values())))


@pytest.mark.parametrize("name", COLUMNS)
def test_a_file_says_what_it_is_and_every_field_is_filled(name: str) -> None:
    assert (PAIRS / name).read_text(encoding="utf-8").startswith("# ")
    assert all(list(row) == COLUMNS[name] for row in rows(name))
    assert not [row for row in rows(name) if any(not field or field != field.strip() for field in row.values())]


@pytest.mark.parametrize(
    ("name", "zh", "en"), [("adversarial.tsv", 160, 160), ("context.tsv", 55, 55), ("same.tsv", 60, 60)], ids=str
)
def test_both_languages_are_there(name: str, zh: int, en: int) -> None:
    languages = Counter(map(chinese, rows(name)))
    assert languages[True] >= zh
    assert languages[False] >= en


def test_adversarial_pairs_differ_for_a_stated_reason_in_both_languages() -> None:
    pairs = rows("adversarial.tsv")
    assert {row["same"] for row in pairs} == {"0"}
    for language in (True, False):
        reasons = Counter(row["why"] for row in pairs if chinese(row) is language)
        assert set(reasons) == REASONS
        assert min(reasons.values()) >= 8, reasons


def test_same_pairs_say_so() -> None:
    assert {row["same"] for row in rows("same.tsv")} == {"1"}


@pytest.mark.parametrize("name", ["adversarial.tsv", "same.tsv"])
def test_no_pair_is_there_twice_and_none_pairs_a_question_with_itself(name: str) -> None:
    pairs = Counter(frozenset((row["first"], row["second"])) for row in rows(name))
    assert not [pair for pair, count in pairs.items() if count > 1 or len(pair) < 2]


def test_no_pair_is_both_the_same_and_not() -> None:
    different, same = (
        {frozenset((bare(row["first"]), bare(row["second"]))) for row in rows(n)} for n in ("adversarial.tsv", "same.tsv")
    )
    assert not different & same
    assert not [pair for pair in different if len(pair) < 2]


def test_a_question_in_context_follows_two_different_turns() -> None:
    conversations = rows("context.tsv")
    assert not [row for row in conversations if bare(row["turn_a"]) == bare(row["turn_b"])]
    assert max(Counter(tuple(row.values()) for row in conversations).values()) == 1


@pytest.mark.parametrize(("language", "least", "each"), [("zh", 330, 4), ("en", 120, 2)])
def test_paraphrases_spread_over_the_entries_and_repeat_no_published_wording(language: Language, least: int, each: int) -> None:
    entries = {entry.id: entry for entry in demo_knowledge().entries if entry.valid_to is None}
    published = {bare(question) for entry in entries.values() for question in entry.questions[language]}
    asked = rows(f"paraphrases.{language}.tsv")
    assert len(asked) >= least
    assert not [row for row in asked if bare(row["question"]) in published]
    assert not [question for question, count in Counter(bare(row["question"]) for row in asked).items() if count > 1]
    spread = Counter(row["entry_id"] for row in asked)
    assert set(spread) == set(entries)
    assert min(spread.values()) >= each, spread.most_common()[-5:]
