"""The prompt only grows: a turn's prompt begins, token for token, with the previous turn's prompt and answer.

    system and policies · facts · question · answer · question · answer · new facts · question …

Facts that changed are appended, never edited in place; passages travel with the question they were retrieved for. What a
turn appended is kept as token ids and used again as it is, because text that is tokenized again may come out otherwise, and
because models' own chat templates rewrite history (Qwen3's drops an empty think block). Every segment is encoded apart, so
that no merge crosses a border, and what people wrote is encoded as plain text, so that it cannot hold a marker.

Near the model's limit the oldest turns are folded into a summary, once, between two turns. The fold opens what that turn
appended, behind an opening that nothing else can produce: the rule starts anew from there, and the record needs no more.

A public prompt is of its own kind: the system text, passages and the question. Its answer may be shared, and ends when one of
its passages does, so it holds no other published text: no policies, which only a conversation's prompt begins with.

A long session comes without its oldest turns (`session.first_shown`). While its first turn stays the same, the rule holds;
where it moves, every half of the bound, the prompt starts anew with the turns that are left, and with the facts. It also starts
anew behind an earlier turn that was answered after later ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from serve_app.domain.errors import ConfigError, TooLong
from serve_app.domain.knowledge import Passage
from serve_app.domain.messages import Language
from serve_app.domain.session import Turn


class Encoder(Protocol):
    def encode(self, text: str) -> list[int]:
        """Special tokens are read as such, none is added."""
        ...

    def encode_plain(self, text: str) -> list[int]:
        """No special token comes out, whatever the text holds."""
        ...


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """How a model's messages are marked: `{start}{role}\\n{text}{end}\\n`."""

    start: str
    end: str
    others: tuple[str, ...]  # further markers at which an answer ends
    think_block: str  # opens an answer of a model that would think, so that it does not


CHATML = ChatFormat("<|im_start|>", "<|im_end|>", ("<|endoftext|>",), "<think>\n\n</think>\n\n")
FORMATS = {"chatml": CHATML}


@dataclass(frozen=True, slots=True)
class PublicPrompt:
    """The last `new_tokens` are not what every public prompt begins with. `passages`: those that found room."""

    token_ids: tuple[int, ...]
    new_tokens: int
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class SessionPrompt:
    """`appended` is what this turn adds before its answer; `facts_digest` says which facts the prompt now holds. The last
    `new_tokens` stood in no earlier prompt of the session: what a replica that holds its keys and values has to compute."""

    token_ids: tuple[int, ...]
    appended: tuple[int, ...]
    facts_digest: str | None
    folded: bool = False
    new_tokens: int = 0


# Kept free between prompt and limit: the end marker, and room for counting differences between engines.
_MARGIN_TOKENS = 16
_FOLD_OPENING = "[Earlier in this conversation]"
_CLIP_CHARS = 80
_INSTRUCTIONS = "[Wishes of the app in which the customer writes. The rules above go before them.]"

_WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "facts": "[客户资料]",
        "passages": "[参考资料]",
        "missing": "[暂时查不到:{parts}]",
        "today": "[今天是 {today}]",
        "answer_in": "(请用中文回答)",
    },
    "en": {
        "facts": "[The customer's facts]",
        "passages": "[Passages]",
        "missing": "[Not available right now: {parts}]",
        "today": "[Today is {today}]",
        "answer_in": "(Answer in English.)",
    },
}


class PromptRenderer:
    """Renders one tenant's prompts for one model. Pure: the same input gives the same tokens.

    `max_model_len` and `answer_tokens` bound a prompt: it leaves room for the answer. Raises ConfigError when the tokenizer
    does not know the format's markers, or when system and policies alone leave no room for a conversation.
    """

    def __init__(
        self,
        encoder: Encoder,
        system: str,
        policies: str,
        chat_format: ChatFormat = CHATML,
        *,
        think_block: bool = False,
        max_model_len: int = 4096,
        answer_tokens: int = 256,
    ) -> None:
        self._encoder = encoder
        self._start = self._marker(chat_format.start)
        self._end = self._marker(chat_format.end)
        others = (encoder.encode(marker) for marker in chat_format.others)
        self._markers = frozenset({self._start, self._end, *(ids[0] for ids in others if len(ids) == 1)})
        self._after_end = self._plain("\n")
        self._headers = {role: (self._start, *self._plain(f"{role}\n")) for role in ("system", "user", "assistant")}
        think = tuple(encoder.encode(chat_format.think_block)) if think_block else ()
        self._answer_opening = (*self._headers["assistant"], *think)
        self._fold_opening = (*self._headers["system"], *self._plain(_FOLD_OPENING))
        self._public_prefix = self._message("system", system)
        self._prefix = self._message("system", f"{system}\n\n{policies}") if policies else self._public_prefix
        self._limit = max_model_len - answer_tokens - _MARGIN_TOKENS
        if len(self._prefix) > self._limit // 2:
            raise ConfigError(
                f"the system text and the policies take {len(self._prefix)} tokens of model.max_model_len {max_model_len}: "
                "raise it, or publish less"
            )

    def session_prompt(
        self,
        turns: Sequence[Turn],
        model_key: str,
        question: str,
        *,
        facts_text: str | None,
        language: Language,
        missing: Sequence[str] = (),
        passages: Sequence[Passage] = (),
        today: date | None = None,
        instructions: str = "",
    ) -> SessionPrompt:
        """The prompt for `question` after `turns`, of which those with `rendered[model_key]` are used token for token.

        `instructions` are a client's own system text. They stand behind the system text and the policies, in a customer's rank.

        The oldest turns are folded when it would grow too long, then the last passages are left out. Raises TooLong.
        """
        prefix = (*self._prefix, *self._instructed(instructions)) if instructions else self._prefix
        for count in range(len(passages), -1, -1):
            asked = self._asked(question, language, missing, passages[:count], today)
            grown = self._grown(prefix, turns, model_key, facts_text, language, asked)
            if grown is not None:
                return grown
            folded = self._folded(prefix, turns, facts_text, language, asked)
            if folded is not None:
                return folded
        raise TooLong("The question is longer than the model can read. Please ask more briefly.", param="question")

    def public_prompt(self, passages: Sequence[Passage], question: str, language: Language) -> PublicPrompt:
        """System text, passages, question: no customer's facts, no turns, and nothing published but the passages.

        The last passages are left out when it would grow too long. Raises TooLong.
        """
        for count in range(len(passages), -1, -1):
            asked = self._asked(question, language, (), passages[:count], None)
            if len(self._public_prefix) + len(asked) <= self._limit:
                return PublicPrompt((*self._public_prefix, *asked), len(asked), tuple(passages[:count]))
        raise TooLong("The question is longer than the model can read. Please ask more briefly.", param="question")

    @property
    def shared_tokens(self) -> int:
        """How many tokens the prompts of all conversations begin with: the system text and the policies."""
        return len(self._prefix)

    def close_turn(self, prompt: SessionPrompt, answer: Sequence[int] | str) -> tuple[int, ...]:
        """Everything the turn appended, with its answer and end marker: for `AnswerRecord.rendered[model_key]`.

        `answer` are the model's tokens; or the text that was seen, when not all of them were. Tokens end at the first marker:
        a model that was talked into writing one does not open a message of its own.
        """
        if isinstance(answer, str):
            ids = self._plain(answer)
        else:
            end = next((index for index, token in enumerate(answer) if token in self._markers), len(answer))
            ids = tuple(answer[:end])
        return (*prompt.appended, *ids, self._end, *self._after_end)

    def _grown(
        self,
        prefix: tuple[int, ...],
        turns: Sequence[Turn],
        model_key: str,
        facts_text: str | None,
        language: Language,
        asked: tuple[int, ...],
    ) -> SessionPrompt | None:
        header = self._headers["system"]
        parts = [self._as_recorded(turn, model_key) for turn in turns]
        start = max((i for i, part in enumerate(parts) if self._opens_a_fold(part)), default=0)
        history = tuple(token for part in parts[start:] for token in part)
        # Facts stand in what begins with the system's header. With none left, they were said in a turn that is cut off.
        said = any(part[: len(header)] == header for part in parts[start:])
        held = _held_digest(turns[start:], model_key) if said else None
        digest = _digest(facts_text)
        is_news = digest is not None and digest != held
        news = self._facts(facts_text, language) if facts_text and is_news else ()
        appended = (*news, *asked)
        token_ids = (*prefix, *history, *appended)
        if len(token_ids) > self._limit:
            return None
        # Behind the last turn that this model answered: what came after it was said by others, and never rendered.
        known = max((i + 1 for i in range(start, len(turns)) if _was_rendered(turns[i], model_key)), default=start)
        new_tokens = sum(map(len, parts[known:])) + len(appended)
        if known == start:
            new_tokens += len(prefix) - len(self._prefix)
        return SessionPrompt(token_ids, appended, digest or held, new_tokens=new_tokens)

    def _folded(
        self,
        prefix: tuple[int, ...],
        turns: Sequence[Turn],
        facts_text: str | None,
        language: Language,
        asked: tuple[int, ...],
    ) -> SessionPrompt | None:
        """With the newest turns kept while all stays under half the limit, so that the next fold is some turns away."""
        if not turns:
            return None
        facts = self._facts(facts_text, language) if facts_text else ()
        room = self._limit // 2 - len(prefix) - self._limit // 8 - len(facts) - len(asked)
        kept: tuple[int, ...] = ()
        first = len(turns)
        while first > 0 and len(kept) + len(part := self._from_text(turns[first - 1])) <= room:
            kept = part + kept
            first -= 1
        appended = (*self._summary(turns[:first]), *kept, *facts, *asked)
        token_ids = (*prefix, *appended)
        if len(token_ids) > self._limit:
            return None
        return SessionPrompt(token_ids, appended, _digest(facts_text), folded=True, new_tokens=len(appended))

    def _summary(self, turns: Sequence[Turn]) -> tuple[int, ...]:
        """What was asked and answered, clipped, the newest first to be kept, in at most an eighth of the limit."""
        lines: list[tuple[int, ...]] = []
        left = self._limit // 8 - len(self._fold_opening) - 1 - len(self._after_end)
        for turn in reversed(turns):
            answer = f" → {_clipped(turn.answer.text)}" if turn.answer and turn.answer.text else ""
            line = self._plain(f"\n- {_clipped(turn.question.text)}{answer}")
            if len(line) > left:
                break
            left -= len(line)
            lines.append(line)
        return (*self._fold_opening, *(token for line in reversed(lines) for token in line), self._end, *self._after_end)

    def _as_recorded(self, turn: Turn, model_key: str) -> tuple[int, ...]:
        rendered = turn.answer.rendered.get(model_key) if turn.answer else None
        return tuple(rendered) if rendered else self._from_text(turn)

    def _from_text(self, turn: Turn) -> tuple[int, ...]:
        """A turn that this model did not answer: a FAQ's, a template's, a person's, or one that was cut off."""
        question = self._message("user", turn.question.text)
        if turn.answer is None or not turn.answer.text:
            return question
        return (*question, *self._answer_opening, *self._plain(turn.answer.text), self._end, *self._after_end)

    def _instructed(self, instructions: str) -> tuple[int, ...]:
        return self._message("user", f"{_INSTRUCTIONS}\n{instructions}")

    def _facts(self, facts_text: str, language: Language) -> tuple[int, ...]:
        return self._message("system", f"{_WORDS[language]['facts']}\n{facts_text}")

    def _asked(
        self, question: str, language: Language, missing: Sequence[str], passages: Sequence[Passage], today: date | None
    ) -> tuple[int, ...]:
        words = _WORDS[language]
        lines: list[str] = []
        if passages:
            lines += [words["passages"], *(f"- {passage.title}: {passage.text}" for passage in passages)]
        if missing:
            lines.append(words["missing"].format(parts=", ".join(missing)))
        if today is not None:
            lines.append(words["today"].format(today=today.isoformat()))
        lines += [question, words["answer_in"]]
        return (*self._message("user", "\n".join(lines)), *self._answer_opening)

    def _message(self, role: str, text: str) -> tuple[int, ...]:
        return (*self._headers[role], *self._plain(text), self._end, *self._after_end)

    def _opens_a_fold(self, part: tuple[int, ...]) -> bool:
        return part[: len(self._fold_opening)] == self._fold_opening

    def _plain(self, text: str) -> tuple[int, ...]:
        return tuple(self._encoder.encode_plain(text))

    def _marker(self, marker: str) -> int:
        ids = self._encoder.encode(marker)
        if len(ids) != 1:
            raise ConfigError(f"the model's tokenizer does not know the marker {marker}: choose another model.chat_format")
        return ids[0]


def _was_rendered(turn: Turn, model_key: str) -> bool:
    return bool(turn.answer and turn.answer.rendered.get(model_key))


def _held_digest(turns: Sequence[Turn], model_key: str) -> str | None:
    """Of the facts that the prompt already holds."""
    answers = [turn.answer for turn in turns if turn.answer and turn.answer.rendered.get(model_key)]
    return answers[-1].facts_digest if answers else None


def _digest(facts_text: str | None) -> str | None:
    return hashlib.blake2b(facts_text.encode(), digest_size=8).hexdigest() if facts_text else None


def _clipped(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _CLIP_CHARS else f"{line[: _CLIP_CHARS - 1]}…"
