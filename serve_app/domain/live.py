"""Answers as they are given, to every socket of their conversation: what the processes tell each other, and what each socket
still has to get.

An answer's events are numbered from 1 by the process that gives it, its owner. Owners store them and tell the other processes
that have sockets of the conversation. A socket shows each answer's events in order, each once; what it missed it reads from
the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

# Sockets that watch an answer from other processes say so this many times within the grace; an owner that does not answer for
# as many times has died.
BEATS = 4
# A follower remembers so many answers; of older ones nothing comes any more.
ANSWERS_FOLLOWED = 64


class Talk(NamedTuple):
    """A conversation's name."""

    tenant: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Told:
    """One event of an answer, as sockets get it."""

    answer_id: str
    seq: int  # from 1
    customer_id: str | None  # whose answer it is
    frame: str
    last: bool = False
    question: str | None = None  # with the first event: a frame for the sockets that did not ask


@dataclass(frozen=True, slots=True)
class Watch:
    """Sockets elsewhere show this conversation, and will for so many seconds. 0: the last one has gone."""

    for_s: float


@dataclass(frozen=True, slots=True)
class Alive:
    """The owner still gives these answers."""

    answer_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cancel:
    """The customer does not want the rest."""

    answer_id: str


Note = Watch | Alive | Cancel


def may_see(owner: str | None, viewer: str | None) -> bool:
    """Whether a socket of `viewer` may show what was said to `owner` (None: anonymous)."""
    return owner is None or owner == viewer


class Step(Enum):
    """What to do with an event that arrived."""

    SHOW = auto()
    DROP = auto()  # shown before, or of an answer that is not followed
    FILL = auto()  # some before it are missing: read them


@dataclass(slots=True)
class Following:
    """Which events of each answer one socket has shown."""

    shown: dict[str, int] = field(default_factory=dict[str, int])

    def arrived(self, answer_id: str, seq: int) -> Step:
        """Marks the event as shown when it is to be. An answer is followed from its first event on, or after a resume."""
        seen = self.shown.get(answer_id, 0 if seq == 1 else None)
        if seen is None or seq <= seen:
            return Step.DROP
        if seq > seen + 1:
            return Step.FILL
        self._mark(answer_id, seq)
        return Step.SHOW

    def resume(self, answer_id: str, after_seq: int) -> None:
        """The socket's client has the events up to this one, whatever was sent before."""
        self._mark(answer_id, after_seq)

    def missing(self, told: Sequence[Told]) -> list[Told]:
        """Those of one answer's events, given in order, that come next; marked as shown."""
        return [event for event in told if self.arrived(event.answer_id, event.seq) is Step.SHOW]

    def forget(self, answer_id: str) -> None:
        self.shown.pop(answer_id, None)

    def _mark(self, answer_id: str, seq: int) -> None:
        self.shown.pop(answer_id, None)
        self.shown[answer_id] = seq
        while len(self.shown) > ANSWERS_FOLLOWED:
            del self.shown[next(iter(self.shown))]


def left_s(watched_until: float, now: float, grace_s: float) -> float:
    """How long an answer that nobody watches goes on. `watched_until`, `now`: monotonic; 0 or less: it is over."""
    return watched_until + grace_s - now


def silent(heard: Mapping[str, float], now: float, patience_s: float) -> list[str]:
    """The answers whose owners were last heard of too long ago."""
    return [answer_id for answer_id, at in heard.items() if now - at > patience_s]
