"""The models of the replay: a fake one that says at once which canaries its prompt holds, so that whatever it was told comes
out; and the real embedding model, asked once a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence

import numpy
from numpy.typing import NDArray

from benchmarks.replay.canaries import customers_in, quoted, sources_in
from serve_app.adapters.tokenizer import HfTokenizer
from serve_app.domain.generation import Finished, Generate, Piece, Started, Tokens
from serve_app.ports import Embedder

_END = "<|im_end|>"


class Parrot:
    """The port `InferenceRoom`: one replica that takes no time. Time passes between the reply and its reading, elsewhere.

    It repeats the canaries of what is new in a prompt (facts, passages, question). Of the rest, which is a conversation's own
    past, it checks that no other customer's is in it; of the system text, that it was true: `whose` says who has a session,
    `is_stale` whether words are out of date.
    """

    def __init__(
        self, tokenizer: HfTokenizer, whose: Callable[[str], int | None], is_stale: Callable[[tuple[str, str]], bool]
    ) -> None:
        self._tokenizer = tokenizer
        self._whose = whose
        self._is_stale = is_stale
        self._end = tokenizer.encode(_END)[0]
        self._system: dict[tuple[int, ...], set[tuple[str, str]]] = {}
        self._answers: dict[str, tuple[int, ...]] = {}
        self.generations = 0
        self.stale_prompts = 0
        self.leaking_prompts = 0
        self.keys: Counter[str] = Counter()  # of public prompts: how often each was generated

    async def generate(self, request: Generate) -> AsyncGenerator[Piece, None]:
        prompt = request.prompt_token_ids
        self.generations += 1
        if request.join_key is not None:
            self.keys[request.join_key] += 1
        border = prompt.index(self._end)
        self.stale_prompts += any(map(self._is_stale, self._words_of(tuple(prompt[:border]))))
        after = self._tokenizer.decode(prompt[border:])
        # A public prompt belongs to nobody, whoever has asked.
        owner = None if request.join_key is not None else self._whose(request.session_key or "")
        self.leaking_prompts += bool(customers_in(after) - {owner})
        new = prompt[-(request.uncached_tokens or len(prompt)) :]
        answer = self._tokens(f"按店里的规定 / as our policies say. {quoted(self._tokenizer.decode(new))}")
        yield Started("replica-1", "home")
        yield Tokens(answer)
        yield Finished("stop", len(prompt), 0, len(answer))

    def _words_of(self, system: tuple[int, ...]) -> set[tuple[str, str]]:
        if system not in self._system:
            self._system[system] = sources_in(self._tokenizer.decode(list(system)))
        return self._system[system]

    def _tokens(self, text: str) -> tuple[int, ...]:
        if text not in self._answers:
            self._answers[text] = tuple(self._tokenizer.encode_plain(text))
        return self._answers[text]


class Remembering:
    """The port `Embedder`: another one that embeds each text once. It changes no vector, and spares the day its longest
    wait."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, NDArray[numpy.float32]] = {}

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def related_from(self) -> float:
        return self._embedder.related_from

    def embed(self, texts: Sequence[str]) -> NDArray[numpy.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._embedder.embed(new), strict=True))
        return numpy.stack([self._known[text] for text in texts])
