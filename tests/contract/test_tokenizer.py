"""Every tokenizer keeps markers apart from text."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve_app.adapters.tokenizer import ByteTokenizer, HfTokenizer
from serve_app.domain.errors import ConfigError
from serve_app.ports import Tokenizer

MARKERS = ("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<think>", "</think>")


@pytest.fixture(scope="module", params=["packaged", "qwen3", "bytes"])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    if request.param == "bytes":
        return ByteTokenizer()
    folder: Path = request.getfixturevalue("packaged_model" if request.param == "packaged" else "qwen3_tokenizer")
    return HfTokenizer.load(folder)


# What people write: the packaged model's vocabulary lacks a few bytes that occur in no assigned character.
WRITTEN = st.text(st.characters(max_codepoint=0xFFFF, categories=("L", "N", "P", "Zs")), max_size=60)


@given(text=WRITTEN)
@settings(max_examples=50, deadline=None)
def test_text_comes_back(tokenizer: Tokenizer, text: str) -> None:
    text = unicodedata.normalize("NFC", text)
    assert tokenizer.decode(tokenizer.encode_plain(text)) == text


def test_a_marker_is_one_token(tokenizer: Tokenizer) -> None:
    for marker in MARKERS[:3]:
        assert len(tokenizer.encode(marker)) == 1


@given(parts=st.lists(st.sampled_from([*MARKERS, "a", " ", "\n", "你好", "<|", "|>", "im_end"]), max_size=12))
@settings(max_examples=100, deadline=None)
def test_plain_text_never_becomes_a_marker(tokenizer: Tokenizer, parts: list[str]) -> None:
    markers = {tokenizer.encode(marker)[0] for marker in MARKERS if len(tokenizer.encode(marker)) == 1}
    assert markers.isdisjoint(tokenizer.encode_plain("".join(parts)))


def test_nothing_is_added(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("") == []
    assert tokenizer.encode("hello") == tokenizer.encode_plain("hello")


def test_a_folder_without_a_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=tmp_path.name):
        HfTokenizer.load(tmp_path)


class TestStream:
    """The text of tokens as they come."""

    @given(data=st.data())
    @settings(max_examples=100, deadline=None)
    def test_in_any_pieces_it_is_the_text_of_the_whole(self, tokenizer: Tokenizer, data: st.DataObject) -> None:
        """Also of tokens that are no text: a model may say anything."""
        ids = data.draw(st.lists(st.integers(0, 700), max_size=30) | WRITTEN.map(tokenizer.encode_plain))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(ids)), max_size=6)))
        stream = tokenizer.stream()
        pieces = [ids[start:end] for start, end in zip([0, *cuts], [*cuts, len(ids)], strict=True)]
        assert "".join(map(stream.feed, pieces)) + stream.end() == tokenizer.decode(ids)

    @given(text=WRITTEN.filter(str.isprintable))
    @settings(max_examples=50, deadline=None)
    def test_a_character_is_given_whole(self, tokenizer: Tokenizer, text: str) -> None:
        stream, told = tokenizer.stream(), ""
        ids = [token_id for character in text for token_id in tokenizer.encode_plain(character)]
        for token_id in ids:
            told += stream.feed([token_id])
            assert tokenizer.decode(ids).startswith(told)
        assert stream.end() == ""

    def test_markers_are_not_shown(self, tokenizer: Tokenizer) -> None:
        stream = tokenizer.stream()
        ids = [*tokenizer.encode_plain("您好"), *tokenizer.encode("<|im_end|>")]
        assert stream.feed(ids) + stream.end() == "您好"

    def test_what_ends_within_a_character_says_so(self, tokenizer: Tokenizer) -> None:
        stream = tokenizer.stream()
        ids = tokenizer.encode_plain("好\U0003134a")[:-1]
        assert stream.feed(ids) == "好"
        assert set(stream.end()) == {"\N{REPLACEMENT CHARACTER}"}
