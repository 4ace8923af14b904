"""A circuit breaker per source, in memory, on purgatory."""

from __future__ import annotations

from purgatory import SyncCircuitBreakerFactory
from purgatory.domain.model import CLOSED, HALF_OPENED, OpenedState

from serve_app.domain.errors import SourceFailed


class Breaker:
    """After `failures` failures in a row a source is left alone for `reset_s`; then one request tries it, and decides."""

    def __init__(self, name: str, failures: int, reset_s: float) -> None:
        self._name = name
        self._circuit = SyncCircuitBreakerFactory().get_breaker(name, threshold=failures, ttl=reset_s)
        self._probe: Attempt | None = None

    def attempt(self) -> Attempt:
        """Lets one request through, which must end in one of the attempt's methods. Raises SourceFailed while left alone."""
        if self._probe is not None and self._circuit.context.state == HALF_OPENED:
            raise self._left_alone()
        try:
            self._circuit.__enter__()
        except OpenedState as error:
            raise self._left_alone() from error
        attempt = Attempt(self)
        if self._circuit.context.state == HALF_OPENED:
            self._probe = attempt
        return attempt

    @property
    def is_closed(self) -> bool:
        """Whether requests go through as ever."""
        return self._circuit.context.state == CLOSED

    def end(self, attempt: Attempt, failed: bool | None) -> None:
        if failed is not None:
            error = SourceFailed(self._name, "failed") if failed else None
            self._circuit.__exit__(type(error) if error else None, error, None)
        if self._probe is attempt:
            self._probe = None

    def _left_alone(self) -> SourceFailed:
        return SourceFailed(self._name, "left alone for a while after repeated failures")


class Attempt:
    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker

    def succeeded(self) -> None:
        self._breaker.end(self, failed=False)

    def failed(self) -> None:
        self._breaker.end(self, failed=True)

    def abandoned(self) -> None:
        """The caller went away: this says nothing about the source."""
        self._breaker.end(self, failed=None)
