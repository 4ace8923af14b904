"""When a replica is left, and how often: what failover decides by. Instants are monotonic seconds, given by the caller."""

from __future__ import annotations

from array import array
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

Failure = Literal["dead", "silent"]
Step = Literal["move", "wait", "give-up", "set-aside"]

# A request under which so many replicas died is taken for the cause.
DEATHS_MAX = 2


def next_step(failure: Failure, *, moves: int, moves_max: int, deaths: int, elsewhere: bool) -> Step:
    """What becomes of a request whose replica failed.

    `moves` were made for it before; `deaths` replicas that had taken it died, this one included. `elsewhere`: another replica
    may be asked. Where silence cannot be moved away from it is waited out: until the deadline the replica may speak again.
    """
    if failure == "silent":
        return "move" if elsewhere and moves < moves_max else "wait"
    if deaths >= DEATHS_MAX:
        return "set-aside"
    return "move" if moves < moves_max else "give-up"


@dataclass(slots=True)
class _Replica:
    token_s: float | None = None  # moving average
    heard_at: float | None = None


class Pace:
    """How long each replica may be silent: by how fast it gave its last tokens, to all of this process's streams.

    Of more than 1024 replicas that came and went the oldest is forgotten first.
    """

    # Of a new figure in the moving average.
    _SHARE = 0.1
    _MOST = 1024

    def __init__(self, silence_s: float, token_times: float = 10.0, longest: float = 5.0) -> None:
        """Silent for `silence_s`, or for `token_times` times its time per token; at most `longest` times `silence_s`."""
        self._silence_s = silence_s
        self._token_times = token_times
        self._longest_s = longest * silence_s
        self._replicas: dict[str, _Replica] = {}

    def heard(self, replica_id: str, now: float) -> None:
        self._of(replica_id).heard_at = now

    def gave(self, replica_id: str, tokens: int, took_s: float) -> None:
        """So many tokens of one stream came so long after those before."""
        replica, token_s = self._of(replica_id), took_s / max(1, tokens)
        known = token_s if replica.token_s is None else replica.token_s
        replica.token_s = known + self._SHARE * (token_s - known)

    def patience_s(self, replica_id: str | None) -> float:
        replica = self._replicas.get(replica_id) if replica_id is not None else None
        token_s = replica.token_s if replica is not None else None
        return self._silence_s if token_s is None else min(max(self._silence_s, self._token_times * token_s), self._longest_s)

    def is_silent(self, replica_id: str, now: float) -> bool:
        """No stream has heard of it for as long as it may be silent."""
        replica = self._replicas.get(replica_id)
        heard_at = replica.heard_at if replica is not None else None
        return heard_at is None or now - heard_at >= self.patience_s(replica_id)

    def _of(self, replica_id: str) -> _Replica:
        if replica_id not in self._replicas and len(self._replicas) >= self._MOST:
            del self._replicas[next(iter(self._replicas))]
        return self._replicas.setdefault(replica_id, _Replica())


@dataclass(slots=True)
class _Second:
    at: int
    requests: int = 0
    moves: int = 0


class Budget:
    """How many moves a process may make, so that a fleet in trouble is not asked everything again (Finagle's RetryBudget).

    Within any window the moves are at most `floor` and the `share` of its requests. Counted by seconds, on the safe side: the
    moves of a second that lies partly in the window count, its requests do not.
    """

    def __init__(self, floor: int, share: float, window_s: int = 60) -> None:
        self._floor = floor
        self._share = share
        self._window_s = window_s
        self._seconds: deque[_Second] = deque()

    def asked(self, now: float) -> None:
        self._second(now).requests += 1

    def take(self, now: float) -> bool:
        """Counts a move, if there may be one."""
        current = self._second(now)
        while self._seconds[0].at < current.at - self._window_s:
            self._seconds.popleft()
        moves = sum(second.moves for second in self._seconds)
        requests = sum(second.requests for second in self._seconds if second.at > current.at - self._window_s)
        if moves + 1 > self._floor + self._share * requests:
            return False
        current.moves += 1
        return True

    def _second(self, now: float) -> _Second:
        if not self._seconds or self._seconds[-1].at != int(now):
            self._seconds.append(_Second(int(now)))
            while len(self._seconds) > self._window_s + 1:
                self._seconds.popleft()
        return self._seconds[-1]


class Recent:
    """What was noted within `keep_s`; of more than `most` the oldest is forgotten first."""

    def __init__(self, keep_s: float, most: int = 1024) -> None:
        self._keep_s = keep_s
        self._most = most
        self._noted: OrderedDict[str, float] = OrderedDict()

    def note(self, name: str, now: float) -> None:
        self._noted[name] = now
        self._noted.move_to_end(name)
        if len(self._noted) > self._most:
            self._noted.popitem(last=False)

    def has(self, name: str, now: float) -> bool:
        noted_at = self._noted.get(name)
        return noted_at is not None and now - noted_at < self._keep_s


def digest_of(prompt_token_ids: Sequence[int]) -> str:
    """The same for equal prompts, and of no use to find out a prompt that is not known."""
    return blake2b(array("q", prompt_token_ids).tobytes(), digest_size=16).hexdigest()
