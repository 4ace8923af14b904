"""Lets the model write something that is no answer: a translation, a template."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

from serve_app import tracing
from serve_app.config import ModelSettings
from serve_app.domain.errors import NotReady
from serve_app.domain.generation import Finished, Generate, Sampling, Started
from serve_app.domain.guard import FigureGuard
from serve_app.domain.messages import Language
from serve_app.domain.pregeneration import CannotMake
from serve_app.domain.prompt import FORMATS, PromptRenderer
from serve_app.ports import InferenceRoom, Tokenizer

PATIENCE_S = 90.0
_TRANSLATE = (
    "You translate what customers of an online shop ask. Write the translation alone, as one short question that a customer "
    "would ask. Add nothing."
)
_INTO: dict[Language, str] = {"zh": "Translate into simplified Chinese", "en": "Translate into English"}
_QUESTION_TOKENS = 128


class Writer:
    """Raises NotReady, Overloaded, DeadlineExceeded, ModelFailed as the room does, and CannotMake."""

    def __init__(self, room: InferenceRoom, tokenizer: Tokenizer, model: ModelSettings, new_id: Callable[[str], str]) -> None:
        self._room = room
        self._tokenizer = tokenizer
        self._model = model
        self._new_id = new_id

    async def write(self, tenant: str, system: str, asked: str, language: Language, max_tokens: int) -> str:
        """What the model says to `asked` under these instructions, whole; not guarded."""
        max_tokens = min(max_tokens, self._model.max_model_len // 2)
        renderer = PromptRenderer(
            self._tokenizer,
            system,
            "",
            FORMATS[self._model.chat_format],
            think_block=self._model.think_block,
            max_model_len=self._model.max_model_len,
            answer_tokens=max_tokens,
        )
        request = Generate(
            request_id=self._new_id("ans"),
            prompt_token_ids=list(renderer.public_prompt((), asked, language).token_ids),
            sampling=Sampling(temperature=0.0, max_tokens=max_tokens),
            session_key=None,
            cache_salt=tenant,
            timeout_s=PATIENCE_S,
            trace=tracing.outgoing(),
        )
        token_ids: list[int] = []
        async with aclosing(self._room.generate(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Finished):
                    if piece.reason == "length":
                        raise CannotMake(f"what the model wrote was longer than {max_tokens} tokens")
                    if piece.reason != "stop":
                        raise NotReady("What the model wrote broke off.", retry_after_s=5)
                elif not isinstance(piece, Started):
                    token_ids += piece.token_ids
        return self._tokenizer.decode(token_ids).strip()

    async def translated(self, tenant: str, question: str, into: Language) -> str:
        """A question in the other language. It holds no figure that the question does not hold."""
        text = await self.write(tenant, _TRANSLATE, f"{_INTO[into]}: {question}", into, _QUESTION_TOKENS)
        line = " ".join(text.split())
        guard = FigureGuard([question])
        if not line or guard.feed(line).tripped or guard.end().tripped:
            raise CannotMake("the question could not be translated")
        return line
