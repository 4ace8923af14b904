"""Whatever a file holds: it is read, or refused with our own error."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.adapters.knowledge_file import read_file
from serve_app.domain.drafting import Unreadable
from serve_app.domain.publication import Unpublishable, filled

HEAD = "id,language,questions,answer,intent,valid_from,valid_to,suggested\n"
cells = st.sampled_from(
    [
        "a",
        "zh",
        "en",
        "|",
        "q|r",
        '"',
        '""',
        "\n",
        ",",
        ";",
        "2026-12-10",
        "2026-99-10",
        "9999-12-31T23:59-23:59",
        "no",
        "warranty",
    ]
)
lines = st.sampled_from(
    [
        "# t",
        "## a",
        "## b",
        "### zh",
        "### en",
        "- q",
        "- valid_to: 1-1-1",
        "1. x",
        "> x",
        "```",
        "---",
        "===",
        "",
        "text",
        "\t x",
        "<!--",
    ]
)
parts = st.sampled_from(
    [
        "- id: a",
        "  zh: {questions: [q], answer: x}",
        "  en: [",
        "a: 1",
        "- 1",
        "? x",
        "!!python/object:x",
        "&a",
        "*a",
        "--- ",
        "\t",
        "  valid_to: 1",
    ]
)


def attempt(name: str, raw: bytes) -> None:
    with contextlib.suppress(Unreadable, Unpublishable):
        filled(read_file(name, raw, "Asia/Shanghai").publication())


@pytest.mark.parametrize("name", ["faq.csv", "faq.md", "faq.yaml", "policies.yaml", "templates.yaml"])
@given(raw=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes(name: str, raw: bytes) -> None:
    attempt(name, raw)


@given(st.lists(cells, max_size=30))
def test_any_table(told: list[str]) -> None:
    attempt("faq.csv", (HEAD + ",".join(told)).encode())


@given(st.lists(lines, max_size=20))
def test_any_markdown(told: list[str]) -> None:
    attempt("faq.md", "\n".join(told).encode())


@pytest.mark.parametrize("name", ["faq.yaml", "policies.yaml", "templates.yaml"])
@given(told=st.lists(parts, max_size=8))
def test_any_yaml(name: str, told: list[str]) -> None:
    attempt(name, "\n".join(told).encode())
