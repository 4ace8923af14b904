"""How money, days and instants are said."""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum

import pytest

from serve_app.domain.errors import ConfigError
from serve_app.domain.facts import AfterSaleStage, AfterSaleType, FreightPayer, OrderState, ParcelState, RefundChannel
from serve_app.domain.wording import Locale, day, instant, money, name_of, on_day, tier_name, today

ZH, EN = Locale("zh"), Locale("en")
SUNDAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("minor", "currency", "zh", "en"),
    [
        (129900, None, "¥1,299.00", "CN¥1,299.00"),
        (5, None, "¥0.05", "CN¥0.05"),
        (-800, None, "-¥8.00", "-CN¥8.00"),
        (129900, "USD", "US$1,299.00", "$1,299.00"),
        (500, "JPY", "JP¥500", "¥500"),
    ],
)
def test_money_has_its_currency_and_its_minor_units(minor: int, currency: str | None, zh: str, en: str) -> None:
    assert money(minor, ZH, currency) == zh
    assert money(minor, EN, currency) == en


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (date(2026, 11, 24), "后天(11月24日)", "Tue 24 Nov"),
        (date(2026, 11, 23), "明天(11月23日)", "tomorrow (Mon 23 Nov)"),
        (SUNDAY, "今天(11月22日)", "today (Sun 22 Nov)"),
        (date(2026, 11, 21), "昨天(11月21日)", "yesterday (Sat 21 Nov)"),
        (date(2026, 11, 27), "11月27日(周五)", "Fri 27 Nov"),
        (date(2027, 1, 3), "2027年1月3日(周日)", "Sun 3 Jan 2027"),
    ],
)
def test_a_day_is_named_by_its_distance_from_today(value: date, zh: str, en: str) -> None:
    assert day(value, ZH, SUNDAY) == zh
    assert day(value, EN, SUNDAY) == en


def test_without_today_a_day_is_just_its_date() -> None:
    assert day(date(2026, 11, 24), ZH) == "11月24日(周二)"
    assert day(date(2026, 11, 24), EN) == "Tue 24 Nov"


def test_an_instant_is_shown_in_the_shops_zone() -> None:
    late_in_utc = datetime(2026, 11, 21, 18, 30, tzinfo=UTC)
    assert instant(late_in_utc, ZH, SUNDAY) == "今天(11月22日)02:30"
    assert instant(late_in_utc, EN, SUNDAY) == "today (Sun 22 Nov) at 02:30"
    assert instant(late_in_utc, Locale("en", "America/New_York"), SUNDAY) == "yesterday (Sat 21 Nov) at 13:30"


def test_today_is_computed_in_the_shops_zone() -> None:
    assert today(datetime(2026, 11, 21, 16, 0, tzinfo=UTC), "Asia/Shanghai") == SUNDAY
    assert today(datetime(2026, 11, 21, 15, 59, tzinfo=UTC), "Asia/Shanghai") == date(2026, 11, 21)


def test_english_has_a_preposition_before_a_date_only() -> None:
    assert on_day(date(2026, 11, 27), EN, SUNDAY) == "on Fri 27 Nov"
    assert on_day(date(2026, 11, 23), EN, SUNDAY) == "tomorrow (Mon 23 Nov)"
    assert on_day(date(2026, 11, 27), ZH, SUNDAY) == "11月27日(周五)"


@pytest.mark.parametrize("states", [OrderState, ParcelState, AfterSaleType, AfterSaleStage, FreightPayer, RefundChannel])
def test_every_state_has_a_name_in_both_languages(states: type[StrEnum]) -> None:
    for state in states:
        assert "_" not in name_of(state, "en")
        assert not name_of(state, "zh").isascii()


def test_a_shops_own_tier_is_its_own_name() -> None:
    assert tier_name("gold", "zh") == "金卡会员"
    assert tier_name("VIP9", "en") == "VIP9"


def test_an_unknown_zone_says_what_to_write() -> None:
    with pytest.raises(ConfigError, match="IANA"):
        today(datetime(2026, 1, 1, tzinfo=UTC), "Mars/Olympus")
