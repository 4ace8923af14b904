"""Knowledge as a table: what spreadsheets write, and what is said about rows that cannot be taken."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.adapters.csv_knowledge import csv_of, read_csv
from serve_app.adapters.knowledge_file import read_file
from serve_app.domain.drafting import Text, Unreadable
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry

ZONE = "Asia/Shanghai"
HEAD = "id,language,questions,answer\n"


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(Unreadable) as error:
        read_csv("faq.csv", text, ZONE)
    return error.value.problems


def test_a_row_for_each_language_is_one_entry() -> None:
    reading = read_csv(
        "faq.csv", HEAD + 'wrap,zh,能包装吗|有礼盒吗,可以。\nwrap,en,"gift wrap?\ngift box?","Yes, we do."\n', ZONE
    )
    (patch,) = reading.entries
    assert patch.texts == {
        "zh": Text(("能包装吗", "有礼盒吗"), "可以。"),
        "en": Text(("gift wrap?", "gift box?"), "Yes, we do."),
    }
    assert patch.given == {}
    assert str(reading.places["wrap"]) == "faq.csv:2"


def test_fields_are_those_of_the_entry() -> None:
    rows = "sale,zh,问,答,payment,2026/12/1 0:00,2026-12-13T00:00+08:00,no\nsale,en,q,a,,,,\n"
    (patch,) = read_csv("faq.csv", "id,language,questions,answer,intent,valid_from,valid_to,suggested\n" + rows, ZONE).entries
    assert patch.given.get("intent") is Intent.PAYMENT
    assert patch.given.get("suggested") is False
    assert patch.given.get("valid_from") == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert patch.given.get("valid_to") == datetime(2026, 12, 12, 16, tzinfo=UTC)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_spreadsheets_write_is_read(delimiter: str, newline: str) -> None:
    lines = ["ＩＤ ,Language,问题,答案,,", "a,中文,问,答", ",,,", 'b,EN,"say ""hi""",x']
    raw = newline.join(line.replace(",", delimiter) for line in lines).encode("utf-8-sig")
    first, second = read_file("faq.csv", raw, ZONE).entries
    assert first.texts == {"zh": Text(("问",), "答")}
    assert second.texts == {"en": Text(('say "hi"',), "x")}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "faq.csv:1: the first row must name the columns; there is no id, language, questions, answer"),
        ("id,language,questions\n", "faq.csv:1: the first row must name the columns; there is no answer"),
        ("id,language,questions,answer,colour\n", "faq.csv:1: there is no column 'colour': use id, "),
        ("id,language,,questions,answer\n", "faq.csv:1: column 3 has no name"),
        ("编号，语言，问题，答案\n", "faq.csv:1: the first row must name the columns, with , and not ， between them"),
        (HEAD + "a,zh,q,a\n,en,q,a", "faq.csv:3: id must not be empty; of merged cells only the first has a text"),
        (HEAD + "a,en,|,a", "faq.csv:2: questions must not be empty"),
        (HEAD + "a,en,q,#NAME?", "faq.csv:2: answer is '#NAME?', an error of the spreadsheet"),
        ("id,language,questions,answer,answer\n", "faq.csv:1: the column answer is there twice"),
        (HEAD + "a,fr,q,a", "faq.csv:2: there is no language 'fr'"),
        (HEAD + "a,en,,a", "faq.csv:2: questions must not be empty"),
        (HEAD + "a,en", "faq.csv:2: questions and answer must not be empty"),
        (HEAD + "a,en,q,yes, we do", "faq.csv:2: more cells than columns"),
        (HEAD + 'a,en,"q\nr",x\na,en,s,t', "faq.csv:4: entry a: its en stands on line 2 already"),
        (HEAD + 'a,en,q,x\nb,en,q,"never closed\n', "faq.csv:3: this row cannot be read: a quotation mark"),
        ("valid_to," + HEAD + "soon,a,en,q,a", "faq.csv:2: entry a: valid_to is 'soon': write it as 2026-12-10 00:00"),
        ("intent," + HEAD + "x,a,en,q,a", "faq.csv:2: entry a: there is no intent 'x': leave it empty"),
        ("suggested," + HEAD + "yes,a,en,q,a\nno,a,zh,q,a", "faq.csv:3: entry a: suggested is 'yes' on line 2"),
    ],
)
def test_a_bad_row_is_named_by_its_line(text: str, complaint: str) -> None:
    assert problems(text)[0].startswith(complaint)


def test_every_bad_row_is_told() -> None:
    assert len(problems(HEAD + "a,fr,q,a\nb,en,q,a\nc,en,,a\n")) == 2


def test_another_encoding_is_refused_with_the_way_out() -> None:
    for encoding in ("gbk", "utf-16"):
        with pytest.raises(Unreadable, match=r"faq.csv:\d: .*CSV UTF-8"):
            read_file("faq.csv", (HEAD + "a,zh,能退吗,可以\n").encode(encoding), ZONE)


words = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs", "Cf")), min_size=1, max_size=8)
texts = st.tuples(st.lists(words, min_size=1, max_size=4, unique=True).map(tuple), words)


@given(st.lists(texts, min_size=1, max_size=3), st.booleans())
def test_what_is_written_reads_back(told: list[tuple[tuple[str, ...], str]], suggested: bool) -> None:
    entries = [
        Entry(f"e{n}", 0, Intent.OTHER, {"zh": asked, "en": asked}, {"zh": answer, "en": answer}, suggested=suggested)
        for n, (asked, answer) in enumerate(told)
    ]
    reading = read_csv("faq.csv", csv_of(entries), ZONE)
    assert [patch.onto(None) for patch in reading.entries] == entries
