from __future__ import annotations

import pytest

from serve_app.adapters.breaker import Breaker
from serve_app.domain.errors import SourceFailed


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.attempt().failed()


def test_after_failures_in_a_row_it_is_left_alone() -> None:
    breaker = Breaker("orders", failures=3, reset_s=60)
    fail(breaker, 2)
    breaker.attempt().succeeded()
    fail(breaker, 2)
    breaker.attempt().abandoned()
    fail(breaker, 1)
    with pytest.raises(SourceFailed, match="left alone"):
        breaker.attempt()


def test_then_one_request_tries_it_and_decides() -> None:
    breaker = Breaker("orders", failures=1, reset_s=1e-9)
    fail(breaker, 1)
    probe = breaker.attempt()
    with pytest.raises(SourceFailed):
        breaker.attempt()
    probe.succeeded()
    breaker.attempt().succeeded()
    breaker.attempt().succeeded()


def test_a_probe_whose_caller_went_away_lets_another_try() -> None:
    breaker = Breaker("orders", failures=1, reset_s=1e-9)
    fail(breaker, 1)
    breaker.attempt().abandoned()
    probe = breaker.attempt()
    with pytest.raises(SourceFailed):
        breaker.attempt()
    probe.failed()
    breaker.attempt()
