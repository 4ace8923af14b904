"""Knowledge as a text: an entry under each heading of the second level, which is its id.

    # Engraving

    Titles, and what stands under them, are for the reader.

    ## engraving

    - valid_from: 2026-12-10

    ### zh

    - 可以刻字吗
    - 能刻名字吗

    可以，下单时备注即可。

    ### en

    - Can you engrave it?

    Yes, say so in the order's note.

The fields of the first list (intent, valid_from, valid_to, suggested) are optional. Under each language stands a list of
questions, the first of which is the one to show, and then the answer: all that follows. A field or a language that is not there
leaves what is published.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from serve_app.adapters.knowledge_fields import FIELDS, given_field, is_language, language_of, name_of
from serve_app.domain.drafting import EntryPatch, Given, Place, Reading, Text, Unreadable
from serve_app.domain.messages import Language
from serve_app.domain.publication import is_id

_HAN = r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]"
_SOFT_BREAK_IN_CHINESE = re.compile(rf"(?<={_HAN})\n(?={_HAN})")
_HARD_BREAK = re.compile(r"(?: {2,}|\\)\n")
_COMMENTS = re.compile(r"(?:\s*<!--.*?-->)+\s*", re.DOTALL)
_LISTS = ("bullet_list_open", "ordered_list_open")
# What a line of a list begins with, or of what stands within its items.
_OF_A_LIST = re.compile(r"$|[ \t*+-]|\d+[.)]")
_NO_HEADING_YET = re.compile(r"^(#{2,3})[^#\s]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Block:
    """A heading, a list or a paragraph, with the lines that it takes: `line` counts from 1."""

    token: Token
    tokens: Sequence[Token]
    line: int
    source: str

    @property
    def heading(self) -> int:
        """Its level; 0 for what is no heading."""
        return int(self.token.tag[1:]) if self.token.type == "heading_open" else 0

    @property
    def text(self) -> str:
        return next((token.content for token in self.tokens if token.type == "inline"), "").strip()

    def items(self) -> Iterator[tuple[int, str]]:
        """Of a list: each item's line and text."""
        for at, token in enumerate(self.tokens):
            if token.type == "inline" and token.map:
                under_item = [other.type for other in self.tokens[:at]].count("list_item_open")
                if under_item:
                    yield token.map[0] + 1, _joined(token.content)


class _Reader:
    """One file. `problems` gathers what is wrong, line by line."""

    def __init__(self, name: str, time_zone: str) -> None:
        self.name = name
        self.problems: list[str] = []
        self.places: dict[str, Place] = {}
        self._time_zone = time_zone

    def wrong(self, line: int, message: str) -> None:
        self.problems.append(f"{Place(self.name, line)}: {message}")

    def for_the_reader(self, blocks: Sequence[_Block]) -> None:
        """Only a language shows that an entry was meant."""
        for block in blocks:
            if block.heading == 3 and is_language(_title(block)):
                message = (
                    f"the language {_title(block)} stands under no entry: write the entry's id above it, such as `## engraving`"
                )
                return self.wrong(block.line, message)
        return None

    def entry(self, blocks: Sequence[_Block]) -> EntryPatch | None:
        """An entry from its heading and what stands below it."""
        entry_id, line = blocks[0].text.strip("`"), blocks[0].line
        if not is_id(entry_id):
            return self.wrong(line, f"{entry_id!r} is no id: an entry's heading is its id, such as `## engraving`")
        if entry_id in self.places:
            return self.wrong(line, f"entry {entry_id} stands on line {self.places[entry_id].line} already")
        self.places[entry_id] = Place(self.name, line)
        for block in blocks:
            if block.token.type == "paragraph_open" and (mark := _NO_HEADING_YET.search(block.text)):
                at = block.line + block.text[: mark.start()].count("\n")
                self.wrong(at, f"a heading needs a space after its {mark[1]}")
        first, *sections = _split(blocks[1:], 3)
        given = self._fields(entry_id, first)
        texts: dict[Language, Text] = {}
        for section in sections:
            self._language(entry_id, section, texts)
        if not sections:
            self.wrong(line, f"entry {entry_id}: write its questions and its answer under `### zh` and `### en`")
        return EntryPatch(entry_id, texts, given)

    def _fields(self, entry_id: str, blocks: Sequence[_Block]) -> Given:
        given: Given = {}
        for block in blocks:
            if block.token.type not in _LISTS:
                self.wrong(block.line, f"entry {entry_id}: only a list of fields may stand here, such as `- intent: warranty`")
                continue
            for line, item in block.items():
                name, colon, value = item.replace("：", ":", 1).partition(":")
                if not colon or name_of(name) not in FIELDS:
                    self.wrong(line, f"entry {entry_id}: there is no field {name.strip()!r}: use {', '.join(FIELDS)}")
                    continue
                try:
                    given |= given_field(name_of(name), value.strip(), self._time_zone)
                except ValueError as error:
                    self.wrong(line, f"entry {entry_id}: {error}")
        return given

    def _language(self, entry_id: str, blocks: Sequence[_Block], texts: dict[Language, Text]) -> None:
        heading, *rest = blocks
        try:
            language = language_of(_title(heading))
        except ValueError as error:
            return self.wrong(heading.line, f"entry {entry_id}: {error}")
        if language in texts:
            return self.wrong(heading.line, f"entry {entry_id}: its {language} is there twice")
        if not rest or rest[0].token.type not in _LISTS:
            return self.wrong(heading.line, f"entry {entry_id}, {language}: begin with a list of its questions")
        for at, line in enumerate(rest[0].source.split("\n")):
            # Markdown counts a line right below a list to its last item.
            if not _OF_A_LIST.match(line):
                return self.wrong(
                    rest[0].line + at, f"entry {entry_id}, {language}: leave a blank line between questions and answer"
                )
        for block in rest:
            if block.token.type == "html_block":
                self.wrong(block.line, f"entry {entry_id}, {language}: write text, not HTML")
        questions = tuple(dict.fromkeys(text for _, text in rest[0].items() if text))
        answer = "\n\n".join(_said(block) for block in rest[1:])
        if not questions or not answer:
            return self.wrong(heading.line, f"entry {entry_id}, {language}: it needs a list of questions, then an answer")
        texts[language] = Text(questions, answer)
        return None


def read_markdown(name: str, text: str, time_zone: str) -> Reading:
    """`name` stands in the messages; local times are in `time_zone`. Raises Unreadable with every problem's line."""
    reader = _Reader(name, time_zone)
    patches: list[EntryPatch] = []
    for blocks in _split(_blocks(text), 1, 2):
        if not blocks or blocks[0].heading != 2:
            reader.for_the_reader(blocks)
        elif (patch := reader.entry(blocks)) is not None:
            patches.append(patch)
    if reader.problems:
        raise Unreadable(tuple(reader.problems))
    return Reading(tuple(patches), places=reader.places)


def _blocks(text: str) -> list[_Block]:
    """The blocks of the outermost level, without comments and rules."""
    # As the parser counts lines.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    # [note]: at a line's beginning is text here, and would be gone as the definition of a link.
    tokens = MarkdownIt("commonmark").disable("reference").enable("table").parse(text)
    blocks: list[_Block] = []
    start = 0
    for at, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:
            first = tokens[start]
            begin, end = first.map or (0, 0)
            if first.type != "hr" and not (first.type == "html_block" and _COMMENTS.fullmatch(first.content)):
                source = "\n".join(lines[begin:end]).strip("\n")
                blocks.append(_Block(first, tokens[start : at + 1], begin + 1, source))
            start = at + 1
    return blocks


def _split(blocks: Sequence[_Block], *levels: int) -> list[list[_Block]]:
    """Before each heading of these levels; first what stands before them all."""
    parts: list[list[_Block]] = [[]]
    for block in blocks:
        if block.heading in levels:
            parts.append([])
        parts[-1].append(block)
    return parts


def _title(heading: _Block) -> str:
    return heading.text.rstrip(":： ")


def _said(block: _Block) -> str:
    """A paragraph without the line breaks that only the file needs; a list as it is written."""
    return _joined(block.text) if block.token.type == "paragraph_open" else block.source


def _joined(text: str) -> str:
    lines = (_SOFT_BREAK_IN_CHINESE.sub("", line).replace("\n", " ") for line in _HARD_BREAK.split(text))
    return "\n".join(lines)
