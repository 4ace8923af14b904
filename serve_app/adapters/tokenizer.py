"""Tokenizers of models, on the light `tokenizers` library."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from tokenizers import Tokenizer as RawTokenizer
from tokenizers.decoders import DecodeStream

from serve_app.domain.errors import ConfigError


class HfTokenizer:
    """A Hugging Face tokenizer. `encode` reads added tokens (`<|im_end|>`, `<think>`) as such, `encode_plain` as plain text."""

    def __init__(self, tokenizer: RawTokenizer) -> None:
        description = cast(dict[str, Any], json.loads(tokenizer.to_str()))
        added = cast(list[dict[str, Any]], description["added_tokens"])
        self._tokenizer = tokenizer
        # The same tokenizer without its added tokens cannot produce one from text, whatever the text holds.
        self._plain = RawTokenizer.from_str(json.dumps({**description, "added_tokens": [], "post_processor": None}))
        self._special_ids = frozenset(int(token["id"]) for token in added)
        self._check_plain([str(token["content"]) for token in added])

    @classmethod
    def load(cls, path_or_name: str | Path) -> HfTokenizer:
        """Reads `tokenizer.json` of a model's folder, or of a model on Hugging Face by name.

        Raises ConfigError when there is none, or when it cannot tell a marker from a customer's text.
        """
        folder = Path(path_or_name)
        try:
            if folder.is_dir():
                return cls(RawTokenizer.from_file(str(folder / "tokenizer.json")))
            return cls(RawTokenizer.from_pretrained(str(path_or_name)))
        except ConfigError:
            raise
        except Exception as error:  # The library raises bare Exception for whatever it cannot read.
            raise ConfigError(f"no tokenizer.json can be read for the model {path_or_name}: {error}") from error

    def encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def encode_plain(self, text: str) -> list[int]:
        return self._plain.encode(text, add_special_tokens=False).ids

    def decode(self, token_ids: Sequence[int]) -> str:
        return self._tokenizer.decode(list(token_ids), skip_special_tokens=True)

    def stream(self) -> HfDetokenizer:
        return HfDetokenizer(self._tokenizer)

    def _check_plain(self, contents: Sequence[str]) -> None:
        for content in contents:
            if not self._special_ids.isdisjoint(self.encode_plain(f"a{content}\n")):
                raise ConfigError(f"the model's tokenizer reads {content} in a customer's text as a marker: use another model")


class HfDetokenizer:
    """The library's stream of one text, and what it does not give: the end."""

    def __init__(self, tokenizer: RawTokenizer) -> None:
        self._tokenizer = tokenizer
        self._stream = DecodeStream(skip_special_tokens=True)
        self._given: list[int] = []  # the tokens of the last text that was given
        self._held: list[int] = []  # those since

    def feed(self, token_ids: Iterable[int]) -> str:
        return "".join(map(self._step, token_ids))

    def end(self) -> str:
        # What a token is read as may depend on whether one stands before it.
        before = self._decode(self._given)
        return self._decode(self._given + self._held)[len(before) :]

    def _step(self, token_id: int) -> str:
        self._held.append(token_id)
        try:
            text = self._stream.step(self._tokenizer, token_id)
        except Exception:  # noqa: BLE001 The library raises it where a broken character changes what was read before.
            text = self.end()
            self._stream = DecodeStream(self._held, skip_special_tokens=True)
        if not text:
            return ""
        self._given, self._held = self._held, []
        return text

    def _decode(self, token_ids: list[int]) -> str:
        return self._tokenizer.decode(token_ids, skip_special_tokens=True)


class ByteTokenizer:
    """The fake: one token a byte, and one for each of ChatML's markers. Needs no model."""

    MARKERS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>")
    _FIRST_MARKER = 256

    def encode(self, text: str) -> list[int]:
        ids: list[int] = []
        for part in re.split(f"({'|'.join(map(re.escape, self.MARKERS))})", text):
            is_marker = part in self.MARKERS
            ids += [self._FIRST_MARKER + self.MARKERS.index(part)] if is_marker else self.encode_plain(part)
        return ids

    def encode_plain(self, text: str) -> list[int]:
        return list(text.encode())

    def decode(self, token_ids: Sequence[int]) -> str:
        return bytes(token for token in token_ids if token < self._FIRST_MARKER).decode(errors="replace")

    def stream(self) -> ByteDetokenizer:
        return ByteDetokenizer(self._FIRST_MARKER)


class ByteDetokenizer:
    def __init__(self, first_marker: int) -> None:
        self._first_marker = first_marker
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def feed(self, token_ids: Iterable[int]) -> str:
        return self._decoder.decode(bytes(token for token in token_ids if token < self._first_marker))

    def end(self) -> str:
        return self._decoder.decode(b"", final=True)
