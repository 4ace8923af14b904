"""Opening hours: written as people write them, read by the shop's own clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.opening_hours import DAYS, OpeningHours

SHANGHAI = "Asia/Shanghai"
NEW_YORK = "America/New_York"


def is_open(hours: str, local: str, time_zone: str = SHANGHAI) -> bool:
    now = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(time_zone)).astimezone(UTC)
    return OpeningHours.parse(hours).is_open(now, time_zone)


@pytest.mark.parametrize(
    ("hours", "local", "expected"),
    [
        ("09:00-22:00", "2026-11-22T09:00", True),
        ("09:00-22:00", "2026-11-22T08:59", False),
        ("09:00-22:00", "2026-11-22T22:00", False),
        ("9:00-22:00", "2026-11-22T21:59", True),
        ("00:00-24:00", "2026-11-22T00:00", True),
        # 2026-11-20 is a Friday.
        ("Mon-Fri 09:00-18:00, Sat 10:00-16:00", "2026-11-20T17:59", True),
        ("Mon-Fri 09:00-18:00, Sat 10:00-16:00", "2026-11-21T09:30", False),
        ("Mon-Fri 09:00-18:00, Sat 10:00-16:00", "2026-11-21T10:00", True),
        ("Mon-Fri 09:00-18:00, Sat 10:00-16:00", "2026-11-22T12:00", False),
        # Over midnight: the morning belongs to the evening before.
        ("20:00-02:00", "2026-11-22T01:59", True),
        ("20:00-02:00", "2026-11-22T02:00", False),
        ("Fri 20:00-02:00", "2026-11-21T01:00", True),
        ("Fri 20:00-02:00", "2026-11-20T01:00", False),
        ("Sun 20:00-02:00", "2026-11-23T01:00", True),
        # A week that wraps.
        ("Sat-Mon 10:00-12:00", "2026-11-22T11:00", True),
        ("Sat-Mon 10:00-12:00", "2026-11-23T11:00", True),
        ("Sat-Mon 10:00-12:00", "2026-11-24T11:00", False),
        ("Mon-Fri 09:00-12:00，Mon-Fri 13:00-18:00", "2026-11-20T12:30", False),
    ],
)
def test_hours_are_of_the_shops_wall_clock(hours: str, local: str, expected: bool) -> None:
    assert is_open(hours, local) is expected


def test_summer_time_moves_the_desk_with_the_shop() -> None:
    nine_to_five = OpeningHours.parse("09:00-17:00")
    # New York is at UTC-4 until 2026-11-01, then at UTC-5.
    assert nine_to_five.is_open(datetime(2026, 10, 31, 13, 0, tzinfo=UTC), NEW_YORK)
    assert not nine_to_five.is_open(datetime(2026, 11, 2, 13, 0, tzinfo=UTC), NEW_YORK)
    assert nine_to_five.is_open(datetime(2026, 11, 2, 14, 0, tzinfo=UTC), NEW_YORK)
    # 01:30 happens twice in that night, and the desk is open both times.
    night = OpeningHours.parse("01:00-02:00")
    assert night.is_open(datetime(2026, 11, 1, 5, 30, tzinfo=UTC), NEW_YORK)
    assert night.is_open(datetime(2026, 11, 1, 6, 30, tzinfo=UTC), NEW_YORK)


@given(
    st.sampled_from(DAYS),
    st.sampled_from(DAYS),
    st.integers(0, 23 * 60),
    st.integers(1, 24 * 60),
    st.sampled_from([SHANGHAI, NEW_YORK]),
)
def test_a_week_is_open_as_long_as_it_says(first: str, last: str, begin: int, length: int, time_zone: str) -> None:
    end = begin + length
    if length == 24 * 60 or end % (24 * 60) == begin:
        return
    clock = [f"{minute // 60:02}:{minute % 60:02}" for minute in (begin, end if end <= 24 * 60 else end - 24 * 60)]
    hours = OpeningHours.parse(f"{first}-{last} {clock[0]}-{clock[1]}")
    days = (DAYS.index(last) - DAYS.index(first)) % 7 + 1
    # A week without a change of the clock.
    start = datetime(2026, 6, 1, tzinfo=ZoneInfo(time_zone))
    quarters = [hours.is_open(start + timedelta(minutes=minute), time_zone) for minute in range(0, 7 * 24 * 60, 15)]
    assert abs(sum(quarters) * 15 - days * length) <= days * 15


@pytest.mark.parametrize(
    "hours",
    [
        "",
        "always",
        "09:00",
        "25:00-26:00",
        "09:60-10:00",
        "09:00-09:00",
        "24:00-03:00",
        "Mon-Fri 09:00-18:00, 10:00-12:00",
        "Foo 09:00-10:00",
    ],
)
def test_what_cannot_be_read_says_what_to_write(hours: str) -> None:
    with pytest.raises(ValueError, match=r"write|name the days|no time of day"):
        OpeningHours.parse(hours)


def test_hours_are_said_in_both_languages() -> None:
    hours = OpeningHours.parse("mon-fri 9:00-18:00, Sat 20:00-02:00")
    assert hours.said("zh") == "周一至周五 09:00-18:00、周六 20:00-02:00"
    assert hours.said("en") == "Mon-Fri 09:00-18:00, Sat 20:00-02:00"
    assert OpeningHours.parse("00:00-24:00").said("zh") == "00:00-24:00"
