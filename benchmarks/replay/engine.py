"""The models of the replay: a fake one that says at once which canaries its prompt holds, so that whatever it was told comes
out; and the real embedding model, asked once a text."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence

import numpy
from numpy.typing import NDArray

from benchmarks.replay.canaries import customers_in, questions_canary, quoted, sources_in
from serve_app.adapters.tokenizer import HfTokenizer
from serve_app.domain.generation import Finished, Generate, Piece, Started, Tokens
from serve_app.ports import Embedder

_END, _ANSWER = "<|im_end|>", "<|im_start|>assistant"


class Parrot:
    """The port `InferenceRoom`: one replica that takes no time. Time passes between the reply and its reading, elsewhere.

    It repeats the canaries of what a turn appends to its prompt (facts, passages, question), and says to which public question
    it speaks. Of the rest of the prompt, which is the
    conversation's own past, it checks that no other customer's is in it, and counts where it holds words that were true when
    they were said and are so no more; of the system text, that it is true. `whose` says who has a session, `is_stale` whether
    words are out of date.
    """

    def __init__(
        self, tokenizer: HfTokenizer, whose: Callable[[str], int | None], is_stale: Callable[[tuple[str, str]], bool]
    ) -> None:
        self._tokenizer = tokenizer
        self._whose = whose
        self._is_stale = is_stale
        self._end = tokenizer.encode(_END)[0]
        self._answer = tokenizer.encode(_ANSWER)[:2]
        self._system: dict[tuple[int, ...], set[tuple[str, str]]] = {}
        self._answers: dict[str, tuple[int, ...]] = {}
        self.generations = 0
        self.stale_prompts = 0
        self.leaking_prompts = 0
        self.outdated_pasts = 0

    async def generate(self, request: Generate) -> AsyncGenerator[Piece, None]:
        prompt = request.prompt_token_ids
        self.generations += 1
        border, appended = prompt.index(self._end), self._appended_at(prompt)
        self.stale_prompts += any(map(self._is_stale, self._words_of(tuple(prompt[:border]))))
        past, new = self._tokenizer.decode(prompt[border:appended]), self._tokenizer.decode(prompt[appended:])
        # A public prompt belongs to nobody, whoever has asked.
        owner = None if request.join_key is not None else self._whose(request.session_key or "")
        self.leaking_prompts += bool(customers_in(f"{past} {new}") - {owner})
        self.outdated_pasts += any(map(self._is_stale, sources_in(past)))
        # A public generation goes to the replica that its question's canonical form decides.
        asked = questions_canary(request.session_key or "") if request.join_key is not None else ""
        answer = self._tokens(f"按店里的规定 / as our policies say. {quoted(new)} {asked}")
        yield Started("replica-1", "home")
        yield Tokens(answer)
        yield Finished("stop", len(prompt), 0, len(answer))

    def _appended_at(self, prompt: list[int]) -> int:
        """Behind the last answer that the prompt holds, else behind its system text. It ends with the head of an answer."""
        heads = (at for at in range(len(prompt) - 2, -1, -1) if prompt[at : at + 2] == self._answer)
        next(heads)
        return prompt.index(self._end, next(heads, 0)) + 1

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
