"""Knowledge as a text: what is read, and what is said about what cannot be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from serve_app.adapters.knowledge_file import read_file, read_path
from serve_app.domain.drafting import Reading, Text, Unreadable

ZONE = "Asia/Shanghai"
EXAMPLES = Path(__file__).parents[2] / "examples" / "knowledge"
GOOD = """# Gifts

For the reader.

## gift-wrap

- valid_from: 2026-12-10
- suggested: no

### zh

- 能包装吗
- 有没有
  礼盒

可以，下单时
备注即可。

### en

* Do you gift-wrap?

Yes, say so in
the order's note.

It costs {policy.wrap_fee}:

- a box
- a card
"""


def read(text: str) -> Reading:
    return read_file("gifts.md", text.encode(), ZONE)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_an_entry_is_a_heading_with_its_languages(newline: str) -> None:
    reading = read(GOOD.replace("\n", newline))
    (patch,) = reading.entries
    assert patch.id == "gift-wrap"
    assert patch.texts["zh"] == Text(("能包装吗", "有没有礼盒"), "可以，下单时备注即可。")
    answer = "Yes, say so in the order's note.\n\nIt costs {policy.wrap_fee}:\n\n- a box\n- a card"
    assert patch.texts["en"] == Text(("Do you gift-wrap?",), answer)
    assert patch.given == {"valid_from": datetime(2026, 12, 9, 16, tzinfo=UTC), "suggested": False}
    assert str(reading.places["gift-wrap"]) == "gifts.md:5"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("## gift-wrap", "## ", "gifts.md:5: '' is no id: an entry's heading is its id"),
        ("## gift-wrap", "## Gift wrapping", "gifts.md:5: 'Gift wrapping' is no id"),
        ("- suggested: no", "- colour: red", "gifts.md:8: entry gift-wrap: there is no field 'colour'"),
        ("- suggested: no", "- suggested: perhaps", "gifts.md:8: entry gift-wrap: suggested is 'perhaps'"),
        ("- suggested: no", "\nSome words.", "gifts.md:9: entry gift-wrap: only a list of fields may stand here"),
        ("### zh", "### fr", "gifts.md:10: entry gift-wrap: there is no language 'fr'"),
        ("### en", "### zh", "gifts.md:19: entry gift-wrap: its zh is there twice"),
        ("* Do you gift-wrap?", "", "gifts.md:19: entry gift-wrap, en: begin with a list of its questions"),
        ("礼盒\n\n可以", "礼盒\n可以", "gifts.md:15: entry gift-wrap, zh: leave a blank line between questions and answer"),
        ("可以，下单时\n备注即可。", "", "gifts.md:10: entry gift-wrap, zh: it needs a list of questions, then an answer"),
        ("### zh", "## gift-wrap\n\n### zh", "gifts.md:10: entry gift-wrap stands on line 5 already"),
        ("## gift-wrap", "# gift-wrap", "gifts.md:10: the language zh stands under no entry: write the entry's id above it"),
        ("## gift-wrap", "##gift-wrap", "gifts.md:10: the language zh stands under no entry: write the entry's id above it"),
        ("It costs", "##gift-card", "gifts.md:26: a heading needs a space after its ##"),
        ("It costs", "<div>It</div>\n\ncosts", "gifts.md:26: entry gift-wrap, en: write text, not HTML"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(old: str, new: str, complaint: str) -> None:
    with pytest.raises(Unreadable) as error:
        read(GOOD.replace(old, new, 1))
    assert complaint in str(error.value)


def test_a_folder_is_read_whole_but_for_its_readme() -> None:
    said: list[str] = []
    reading = read_path(EXAMPLES, ZONE, said.append)
    assert [patch.id for patch in reading.entries] == ["new-year-opening", "engraving", "greeting-card"]
    assert said == ["read campaign.csv", "read personal.md"]


def test_what_a_folder_holds_besides_is_told(tmp_path: Path) -> None:
    for name in ("a.md", ".b.md", "~$c.csv", "README.md", "faq.xlsx", "notes.txt"):
        (tmp_path / name).write_text(GOOD)
    (tmp_path / "more.md").mkdir()
    said: list[str] = []
    assert len(read_path(tmp_path, ZONE, said.append).entries) == 1
    assert said == [
        "passed over faq.xlsx: knowledge is read from .yaml, .yml, .csv, .md files: save it as “CSV UTF-8”",
        "passed over more.md: folders within are not read",
        "passed over notes.txt: knowledge is read from .yaml, .yml, .csv, .md files",
        "read a.md",
    ]


def test_an_id_in_two_files_is_told_with_both_places(tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text(GOOD)
    with pytest.raises(Unreadable, match=r"b.md:5: gift-wrap stands in a.md:5 already"):
        read_path(tmp_path, ZONE)


def test_what_is_no_knowledge_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"faq.docx: knowledge is read from"):
        read_file("faq.docx", b"", ZONE)
    with pytest.raises(Unreadable, match="cannot be read"):
        read_path(tmp_path / "none.md", ZONE)


def test_what_stands_under_a_title_is_for_the_reader() -> None:
    (patch,) = read(GOOD + "\n# Cards\n\nNot ready yet.\n\n- a list\n").entries
    assert patch.texts["en"].answer.endswith("- a card")


def test_nothing_of_an_answer_is_lost() -> None:
    answer = "第一行  \n第二行\\\n第三行\n\n[注]: 要预约\n\n| 重量 | 运费 |\n|---|---|\n| 1 | 8 |\n\n<!-- for the writer -->"
    (patch,) = read(GOOD.replace("可以，下单时\n备注即可。", answer)).entries
    assert patch.texts["zh"].answer == "第一行\n第二行\n第三行\n\n[注]: 要预约\n\n| 重量 | 运费 |\n|---|---|\n| 1 | 8 |"


def test_it_is_read_as_people_write_it() -> None:
    told = GOOD.replace("- 能包装吗\n- 有没有\n  礼盒", "1. 能包装吗\n2. 有没有礼盒").replace("### zh", "### 中文：")
    told = told.replace("valid_from: ", "生效时间：").replace("- suggested: no", "- Suggested: 否")
    assert read(told) == read(GOOD)
