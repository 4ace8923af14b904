"""When a notice is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.webhook import GIVE_UP_AFTER, next_attempt

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@given(st.integers(1, 100), st.floats(0, 1), st.integers(0, 24 * 3600 - 1))
def test_pauses_grow_and_stay_bounded(attempt: int, chance: float, age_s: int) -> None:
    now = NOW + timedelta(seconds=age_s)
    again = next_attempt(NOW, now, attempt, chance)
    later = next_attempt(NOW, now, attempt + 1, chance)
    assert again is not None
    assert later is not None
    assert timedelta(seconds=2.5) <= again - now <= later - now <= timedelta(hours=4)


def test_after_a_day_there_is_no_further_attempt() -> None:
    assert next_attempt(NOW, NOW + GIVE_UP_AFTER, 3, 0.5) is None


def test_a_day_has_a_bounded_number_of_attempts() -> None:
    now, attempts = NOW, 0
    while (again := next_attempt(NOW, now, attempts + 1, 0.0)) is not None:
        now, attempts = again, attempts + 1
    assert 10 < attempts < 30
