"""The model's part: prompt, generation, guard; up to the first visible piece, then the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from serve_app import tracing
from serve_app.answering.handover import Handover
from serve_app.answering.voices import Voices
from serve_app.answering.work import Draft, Outcome, Route, Work
from serve_app.config import ModelSettings
from serve_app.domain.errors import DeadlineExceeded, ModelFailed, NotReady
from serve_app.domain.expiry import earliest
from serve_app.domain.facts import Facts
from serve_app.domain.facts_text import facts_text
from serve_app.domain.generation import Finished, Generate, Piece, Sampling, Started
from serve_app.domain.guard import FigureGuard
from serve_app.domain.join_key import join_key
from serve_app.domain.knowledge import Passage
from serve_app.domain.messages import Citation, Delta, Middle, Usage
from serve_app.domain.model_card import ModelCard, may_answer
from serve_app.domain.phrases import Phrase
from serve_app.domain.stopping import StopStrings
from serve_app.domain.wording import today
from serve_app.ports import Detokenizer, InferenceRoom, Tokenizer

# How long after the router's own patience a lost first piece is given up.
GRACE_S = 0.5


class Speaker:
    """Lets the model answer what it may, behind the guard."""

    def __init__(
        self,
        card: ModelCard,
        room: InferenceRoom,
        voices: Voices,
        tokenizer: Tokenizer,
        settings: ModelSettings,
        first_token_s: float,
        handover: Handover,
    ) -> None:
        self.card = card
        self._room = room
        self._voices = voices
        self._tokenizer = tokenizer
        self._settings = settings
        self._first_token_s = first_token_s
        self._handover = handover
        self._asked = 0  # since the last generation

    def hear(self) -> None:
        """Once for every question, those that need no model too: the number of replicas depends on how many do."""
        self._asked += 1

    def may_answer(self, work: Work, *, chat: bool = False) -> bool:
        understood = work.understood
        return may_answer(self.card, understood.language, understood.kind, chat)

    async def public(self, work: Work, passages: Sequence[Passage]) -> Draft:
        """An answer for everyone: no customer's facts and no turns in its prompt, and nothing published but its sources.

        Raises NotReady, Overloaded, DeadlineExceeded: before the first piece a failure keeps its status.
        """
        understood = work.understood
        renderer = self._voices.of(work.ask.caller.tenant).renderer
        prompt = renderer.public_prompt(passages, understood.text, understood.language)
        told = prompt.passages
        draft = await self._draft(
            work,
            prompt.token_ids,
            prompt.new_tokens,
            # The same in every session, so its question decides where it goes.
            understood.canonical,
            [passage.text for passage in told],
            told,
            close=None,
            shared=True,
        )
        draft.sources = tuple(passage.source for passage in told)
        # It is true as long as the first of its passages is.
        draft.expires_at = earliest(*(passage.valid_to for passage in told))
        return draft

    async def personal(self, work: Work, facts: Facts | None, passages: Sequence[Passage]) -> Draft:
        """An answer within the conversation. Raises as `public` does."""
        understood = work.understood
        voice = self._voices.of(work.ask.caller.tenant)
        renderer = voice.renderer
        told = facts_text(facts, understood.language, voice.time_zone) if facts is not None else None
        prompt = renderer.session_prompt(
            # What was said in a language that it does not speak would have it go on in that.
            [turn for turn in work.session.turns if turn.answer is None or turn.answer.language in self.card.languages],
            self.card.key,
            understood.text,
            facts_text=told,
            language=understood.language,
            missing=facts.missing if facts is not None else (),
            passages=passages,
            today=today(work.clock.now(), voice.time_zone) if facts is not None else None,
            instructions=work.ask.asides.instructions,
        )

        def close(outcome: Outcome, answer: Sequence[int] | str) -> None:
            outcome.rendered = {self.card.key: renderer.close_turn(prompt, answer)}
            outcome.facts_digest = prompt.facts_digest

        sources = [p.text for p in passages] + ([told] if told else [])
        draft = await self._draft(work, prompt.token_ids, prompt.new_tokens, work.ask.session_id, sources, passages, close)
        draft.has_customer_facts = facts is not None or bool(work.session.turns)
        return draft

    async def _draft(
        self,
        work: Work,
        prompt: Sequence[int],
        new_tokens: int,
        session_key: str,
        sources: Sequence[str],
        passages: Sequence[Passage],
        close: Callable[[Outcome, Sequence[int] | str], None] | None,
        *,
        shared: bool = False,
    ) -> Draft:
        ask, ours = work.ask, Sampling(temperature=self._settings.temperature, max_tokens=self._settings.max_tokens)
        # A client that wants its own sampling wants its own draw.
        joins = shared and ask.asides.sampling is None
        request = Generate(
            request_id=work.answer_id,
            prompt_token_ids=list(prompt),
            sampling=ask.asides.sampling or ours,
            session_key=session_key,
            cache_salt=ask.caller.tenant,
            timeout_s=work.left_s,
            uncached_tokens=new_tokens,
            join_key=join_key(prompt, ours, ask.caller.tenant) if joins else None,
            asked=self._asked,
            trace=tracing.outgoing(),
        )
        self._asked = 0
        guard = FigureGuard(sources, today(work.clock.now(), self._voices.of(ask.caller.tenant).time_zone))
        stops = StopStrings(request.sampling.stop)
        speech = _Speech(request, self._room.generate(request), self._tokenizer.stream(), stops, guard, work)
        visible = speech.visible()
        with work.step("model"):
            first = await self._first(visible, min(self._first_token_s, work.left_s))
        outcome = Outcome()
        handoff = partial(self._handover.over, work, Phrase.HANDOFF if first is None else Phrase.HANDOFF_GUARD)
        # The tokens of a stop string are not shown.
        by_text = bool(request.sampling.stop)
        body = _body(speech, visible, first, passages, handoff, outcome, close, by_text)
        draft = Draft("model", body, "none" if first is None else "model", outcome)
        draft.model, draft.demo, draft.route = self.card.name, self.card.demo, speech.route
        return draft

    async def _first(self, visible: AsyncGenerator[str, None], within_s: float) -> str | None:
        """The first visible text; None when the guard let nothing through."""
        try:
            async with asyncio.timeout(within_s + GRACE_S):
                return await anext(visible, None)
        except TimeoutError:
            await visible.aclose()
            raise DeadlineExceeded("The model did not begin to answer in time.", retry_after_s=5) from None
        except ModelFailed as error:
            raise NotReady("The model cannot answer right now.", retry_after_s=5) from error


class _Speech:
    """One generation's tokens as they become text, up to a stop string, through the guard."""

    def __init__(
        self,
        request: Generate,
        pieces: AsyncGenerator[Piece, None],
        detokenizer: Detokenizer,
        stops: StopStrings,
        guard: FigureGuard,
        work: Work,
    ) -> None:
        self._request = request
        self._pieces = pieces
        self._detokenizer = detokenizer
        self._stops = stops
        self._guard = guard
        self._work = work
        self.route: Route | None = None
        self.token_ids: list[int] = []
        self.tripped = False
        self.finished: Finished | None = None

    async def visible(self) -> AsyncGenerator[str, None]:
        """The text that may be seen. Ends at a stop string, and where the guard trips; closing it ends the generation."""
        asked_at = self._work.clock.monotonic()
        async with aclosing(self._pieces) as pieces:
            async for piece in pieces:
                if isinstance(piece, Started):
                    # A replica has taken it.
                    self._work.timings_ms["queue"] = round((self._work.clock.monotonic() - asked_at) * 1000, 2)
                    self.route = Route(piece.replica_id, piece.route)
                elif isinstance(piece, Finished):
                    self.finished = piece
                else:
                    self.token_ids += piece.token_ids
                    heard = self._stops.feed(self._detokenizer.feed(piece.token_ids))
                    step = self._guard.feed(heard.text)
                    if step.text:
                        yield step.text
                    if step.tripped:
                        self.tripped = True
                        return
                    if heard.stopped:
                        self._stopped()
                        break
        if last := self._last():
            yield last

    def _stopped(self) -> None:
        """By a string that the engine knows nothing of: it may be saying more, or have ended for another reason."""
        told = self.finished or Finished("", len(self._request.prompt_token_ids), 0, len(self.token_ids))
        self.finished = replace(told, reason="stop")

    def _last(self) -> str:
        """What was held back."""
        heard = self._stops.feed(self._detokenizer.end())
        if heard.stopped:
            self._stopped()
        step, end = self._guard.feed(heard.text + self._stops.end()), self._guard.end()
        self.tripped = end.tripped
        return step.text + end.text


async def _body(
    speech: _Speech,
    visible: AsyncGenerator[str, None],
    first: str | None,
    passages: Sequence[Passage],
    handoff: Callable[[], Awaitable[tuple[Middle, ...]]],
    outcome: Outcome,
    close: Callable[[Outcome, Sequence[int] | str], None] | None,
    by_text: bool,
) -> AsyncGenerator[Middle, None]:
    """What is said; where the guard cuts it, `handoff` follows. The turn is closed with the model's own tokens, or, when it
    was cut or `by_text`, with the text that was seen."""
    shown: list[str] = []
    async with aclosing(visible):
        if first is not None:
            shown.append(first)
            yield Delta(first)
        async for text in visible:
            shown.append(text)
            yield Delta(text)
    finished = speech.finished
    if speech.tripped:
        outcome.finish_reason = "guard"
        for event in await handoff():
            if isinstance(event, Delta):
                shown.append(event.text)
            yield event
    elif finished is not None:
        outcome.finish_reason = finished.reason
        for passage in passages:
            yield Citation(passage.source.id, passage.title)
    if finished is not None:
        outcome.usage = Usage(finished.prompt_tokens, finished.completion_tokens, finished.cached_tokens)
    if close is not None:
        close(outcome, "".join(shown) if speech.tripped or by_text else speech.token_ids)
