"""The whole fleet's signals from what its replicas told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from serve_app.domain.scaling import Signals

# Of one thing that one replica told: (its own clock, value), the oldest first.
Points = Sequence[tuple[float, float]]
# What is told, by `ReplicaSignals.told`'s names, then by replica.
Told = Mapping[str, Mapping[str, Points]]

# A replica that has told nothing new for so long is frozen or cut off: what it last said is no load any more.
SILENCE_S = 10.0
# A p99 of fewer first words says how long one question took, and nothing about a fleet's load.
FIRST_WORDS_MIN = 20


class FleetSignals:
    """Remembers when each replica last told something new, by this process's clock: theirs may differ from it."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._heard: dict[str, tuple[float, float]] = {}  # its newest point's time, and when that was new here

    def read(self, told: Told, wanted: int) -> Signals:
        """The newest values, summed over the replicas that speak; as many of them as answer.

        Rates are the differences over the points that were kept. The fleet's p99 is the mean of the replicas', weighted by
        their answers: a single slow replica is no reason to have more of them, and a single slow answer is none.
        """
        speaking = self._speaking(told)
        kv_use = _newest(told, "kv_use", speaking)
        generated = _rate(told, "generations", speaking)
        # What was moved here from a lost replica, or generated ahead of a question, is asked for by nobody.
        asked = max(generated, _rate(told, "asked", speaking))
        return Signals(
            replicas=len(speaking),
            wanted=wanted,
            running=sum(_newest(told, "running", speaking).values()),
            waiting=sum(_newest(told, "waiting", speaking).values()),
            waiting_tokens=sum(_newest(told, "waiting_tokens", speaking).values()),
            kv_use=sum(kv_use.values()) / len(kv_use) if kv_use else 0.0,
            ttft_p99_ms=_mean_of(_newest(told, "ttft_p99_ms", speaking), _newest(told, "first_tokens", speaking)),
            asked_per_s=asked,
            hit_rate=1.0 - generated / asked if asked > 0 else None,
        )

    def _speaking(self, told: Told) -> frozenset[str]:
        now = self._monotonic()
        points = told.get("running", {})
        for replica, series in points.items():
            known = self._heard.get(replica)
            if series and (known is None or series[-1][0] != known[0]):
                self._heard[replica] = (series[-1][0], now)
        self._heard = {replica: heard for replica, heard in self._heard.items() if replica in points}
        return frozenset(replica for replica, (_, heard_at) in self._heard.items() if now - heard_at <= SILENCE_S)


Name = Literal["running", "waiting", "waiting_tokens", "kv_use", "ttft_p99_ms", "first_tokens", "asked", "generations"]


def _newest(told: Told, name: Name, speaking: frozenset[str]) -> dict[str, float]:
    """What is missing in a replica's last word is not taken from an earlier one."""
    found: dict[str, float] = {}
    for replica, series in told.get(name, {}).items():
        if replica in speaking and series and series[-1][0] >= told["running"][replica][-1][0]:
            found[replica] = series[-1][1]
    return found


def _rate(told: Told, name: Name, speaking: frozenset[str]) -> float:
    """Per second, over all replicas. One that has told once has no rate yet."""
    total = 0.0
    for replica, series in told.get(name, {}).items():
        if replica in speaking and len(series) > 1 and series[-1][0] > series[0][0]:
            total += max(0.0, series[-1][1] - series[0][1]) / (series[-1][0] - series[0][0])
    return total


def _mean_of(values: Mapping[str, float], weights: Mapping[str, float]) -> float | None:
    total = sum(weights.get(replica, 0.0) for replica in values)
    if total < FIRST_WORDS_MIN:
        return None
    return sum(value * weights.get(replica, 0.0) for replica, value in values.items()) / total
