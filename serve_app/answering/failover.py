"""An answer that outlives the replica that began it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from serve_app.answering.probes import Probes
from serve_app.config import FailoverSettings
from serve_app.domain.errors import CallCancelled, DeadlineExceeded, ModelFailed, Overloaded
from serve_app.domain.failing import Budget, Failure, Pace, Recent, digest_of, next_step
from serve_app.domain.generation import Beat, Finished, Generate, Piece, Started, Tokens
from serve_app.ports import Replicas
from serve_app.reading import Reading

logger = logging.getLogger(__name__)

# How long after the deadline a replica's own word that it has passed is waited for.
GRACE_S = 0.5
# Serve cancels a call before the one that made it. One that lives on after so long goes on elsewhere.
CANCELLED_PAUSE_S = 1.0
# An answer that has begun asks again so often for a place, where its new replica has too much to do.
FULL_PAUSE_S = 0.5

Event = Literal[
    "moved-dead", "moved-silent", "probe-answered", "probe-unanswered", "set-aside", "refused-set-aside", "refused-budget"
]


def _nobody(_: Event) -> None: ...


@dataclass(slots=True)
class _Answer:
    """What is known of one request, over all its attempts."""

    request: Generate
    deadline: float
    given: list[int] = field(default_factory=list[int])
    attempts: int = 0
    moves: int = 0
    left: set[str] = field(default_factory=set[str])
    dead: set[str] = field(default_factory=set[str])
    refused: bool = False  # a move, for want of budget

    def finished(self, reason: str, cached_tokens: int = 0) -> Finished:
        return Finished(reason, len(self.request.prompt_token_ids), cached_tokens, len(self.given))


@dataclass(slots=True)
class _Attempt:
    """A request at one replica."""

    request: Generate
    reading: Reading[Piece | Beat]
    replica_id: str | None = None  # None: no replica has taken it
    given_at: float | None = None  # its last tokens


class Failover:
    """The port `InferenceRoom` over the port `Replicas`.

    A replica that dies or falls silent is left: the request goes on at the next one on the ring, with the prompt's tokens and
    those already given. What was given is never changed. Start and close it in the loop that it works in.
    """

    def __init__(
        self,
        replicas: Replicas,
        settings: FailoverSettings,
        monotonic: Callable[[], float],
        count: Callable[[Event], None] = _nobody,
    ) -> None:
        """`monotonic` gives the loop's seconds; `count` is told what happens, for the metrics."""
        self._replicas = replicas
        self._settings = settings
        self._monotonic = monotonic
        self._count = count
        self._pace = Pace(settings.silence_s)
        self._budget = Budget(settings.budget_floor, settings.budget_share)
        self._set_aside = Recent(settings.set_aside_s)
        self._shared_moves = Recent(keep_s=60)
        self._probes = Probes(replicas, settings.silence_s, lambda answered: count(_PROBED[answered]))

    async def aclose(self) -> None:
        """Ends the probes."""
        await self._probes.aclose()

    async def generate(self, request: Generate) -> AsyncGenerator[Piece, None]:
        """As the port says. Before the first tokens `Started` comes again from each replica that takes over: the last one
        names the replica that began the answer."""
        answer = self._admitted(request)
        attempt = self._attempt(answer)
        try:
            while True:
                try:
                    heard = await attempt.reading.next(self._patience_s(attempt, answer))
                except ModelFailed as error:
                    if isinstance(error, CallCancelled):
                        # No replica's failure: who asked has left, and this is being cancelled, too.
                        await asyncio.sleep(CANCELLED_PAUSE_S)
                    attempt = self._died(attempt, answer, error)
                    continue
                except (DeadlineExceeded, Overloaded) as error:
                    if not answer.given:
                        raise
                    if isinstance(error, Overloaded) and self._monotonic() < answer.deadline:
                        await asyncio.sleep(FULL_PAUSE_S)
                        attempt = self._attempt(answer)
                        continue
                    heard = answer.finished("abort")
                if heard == "silent":
                    if self._monotonic() >= answer.deadline:
                        yield self._too_late(answer)
                        return
                    attempt = self._fell_silent(attempt, answer)
                elif heard == "ended":
                    attempt = self._died(attempt, answer, ModelFailed("the stream ended without a last piece"))
                elif (piece := self._heard(heard, attempt, answer)) is not None:
                    yield piece
                    if isinstance(piece, Finished):
                        return
        finally:
            attempt.reading.leave()

    def _admitted(self, request: Generate) -> _Answer:
        now = self._monotonic()
        if self._set_aside.has(digest_of(request.prompt_token_ids), now):
            self._count("refused-set-aside")
            raise ModelFailed(f"request {request.request_id} is set aside: replicas died under its prompt")
        self._budget.asked(now)
        return _Answer(request, now + request.timeout_s)

    def _attempt(self, answer: _Answer) -> _Attempt:
        answer.attempts += 1
        request = replace(
            answer.request,
            request_id=f"{answer.request.request_id}.{answer.attempts}",
            sent_token_ids=(*answer.request.sent_token_ids, *answer.given),
            asked=answer.request.asked if answer.attempts == 1 else 0,
            timeout_s=max(0.0, answer.deadline - self._monotonic()),
        )
        # Those that were left are ejected. Once they answer again they may be asked, rather than nobody.
        avoid = frozenset(answer.left) if self._replicas.fleet.admitted() - answer.left else frozenset[str]()
        return _Attempt(request, Reading(self._replicas.generate(request, avoid)))

    def _heard(self, piece: Piece | Beat, attempt: _Attempt, answer: _Answer) -> Piece | None:
        """What the caller is given of it."""
        now = attempt.reading.arrived_at
        if isinstance(piece, Started):
            attempt.replica_id = piece.replica_id
        if attempt.replica_id is not None:
            self._pace.heard(attempt.replica_id, now)
        if isinstance(piece, Tokens):
            if attempt.given_at is not None and attempt.replica_id is not None:
                self._pace.gave(attempt.replica_id, len(piece.token_ids), now - attempt.given_at)
            attempt.given_at = now
            answer.given += piece.token_ids
        elif isinstance(piece, Finished):
            return answer.finished(piece.reason, piece.cached_tokens)
        elif isinstance(piece, Beat) or answer.given:
            return None
        return piece

    def _patience_s(self, attempt: _Attempt, answer: _Answer) -> float:
        left_s = answer.deadline + GRACE_S - self._monotonic()
        return max(0.0, min(left_s, self._pace.patience_s(attempt.replica_id)))

    def _too_late(self, answer: _Answer) -> Finished:
        if not answer.given:
            raise DeadlineExceeded("The model did not begin to answer in time.", retry_after_s=5)
        return answer.finished("abort")

    def _died(self, attempt: _Attempt, answer: _Answer, error: ModelFailed) -> _Attempt:
        # One that had not taken it did not die of it: of a node's replicas the next one may be dead, too.
        if attempt.replica_id is not None:
            answer.dead.add(attempt.replica_id)
        return self._left("dead", attempt.replica_id or error.replica_id, attempt, answer, error)

    def _fell_silent(self, attempt: _Attempt, answer: _Answer) -> _Attempt:
        replica_id = attempt.replica_id or self._sent_to(attempt)
        if replica_id is None:
            return attempt
        return self._left("silent", replica_id, attempt, answer, ModelFailed(f"replica {replica_id} fell silent"))

    def _sent_to(self, attempt: _Attempt) -> str | None:
        """The replica that was sent it and has said nothing since, to nobody here. None: it waits for a place."""
        now = self._monotonic()
        replica_id = self._replicas.fleet.sent_to(attempt.request.request_id, now - self._settings.silence_s / 2)
        return replica_id if replica_id is not None and self._pace.is_silent(replica_id, now) else None

    def _left(
        self, failure: Failure, replica_id: str | None, attempt: _Attempt, answer: _Answer, error: ModelFailed
    ) -> _Attempt:
        """The attempt that goes on in its place. Raises the error when there is none."""
        fleet = self._replicas.fleet
        step = next_step(
            failure,
            moves=answer.moves,
            moves_max=self._settings.moves,
            deaths=len(answer.dead),
            elsewhere=bool(fleet.admitted() - answer.left - {replica_id}),
        )
        if step == "move" and not self._may_move(answer, replica_id):
            step = "wait" if failure == "silent" else "give-up"
        if step == "wait":
            return attempt
        logger.warning(
            "request %s: replica %s is %s after %d tokens: %s (%s)",
            answer.request.request_id, replica_id, failure, len(answer.given), step, error,
        )  # fmt: skip
        attempt.reading.leave()
        if replica_id is not None:
            answer.left.add(replica_id)
            self._probes.eject(replica_id)
        if step == "set-aside":
            self._put_aside(answer)
        if step != "move":
            raise error
        answer.moves += 1
        self._count("moved-dead" if failure == "dead" else "moved-silent")
        return self._attempt(answer)

    def _put_aside(self, answer: _Answer) -> None:
        digest = digest_of(answer.request.prompt_token_ids)
        logger.error("request %s is set aside, prompt %s: %s died", answer.request.request_id, digest, sorted(answer.dead))
        self._set_aside.note(digest, self._monotonic())
        self._count("set-aside")

    def _may_move(self, answer: _Answer, replica_id: str | None) -> bool:
        """Those who share a generation move together: that is one generation anew, and one of the budget's moves."""
        request, now = answer.request, self._monotonic()
        shared = f"{request.join_key} {replica_id}"
        if request.join_key is not None and self._shared_moves.has(shared, now):
            return True
        if not self._budget.take(now):
            if not answer.refused:
                logger.error("request %s is not moved: this process has made all moves of this minute", request.request_id)
                self._count("refused-budget")
            answer.refused = True
            return False
        if request.join_key is not None:
            self._shared_moves.note(shared, now)
        return True


_PROBED: dict[bool, Event] = {True: "probe-answered", False: "probe-unanswered"}
