from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.mapping import Converter, FieldPath, MappingError, RowMapping, look_up, map_row


def mapping(convert: Converter | None = None, **changes: Any) -> RowMapping:
    given: dict[str, Any] = {
        "names": frozenset({"x"}),
        "time_zone": ZoneInfo("Asia/Shanghai"),
        "currency": "CNY",
        "fields": {"x": FieldPath("x", convert)},
    }
    return RowMapping(**(given | changes))


def read(value: Any, convert: Converter | None = None, **changes: Any) -> Any:
    return map_row({"x": value}, mapping(convert, **changes)).get("x")


@pytest.mark.parametrize(
    ("row", "path", "found"),
    [
        ({"a": {"b": 1}}, "a.b", 1),
        ({"a.b": 2, "a": {"b": 1}}, "a.b", 2),
        ({"a": [{"b": 1}, {"b": 2}]}, "a[].b", [1, 2]),
        ({"a": [{"b": 1}, {"b": 2}]}, "a[1].b", 2),
        ({"a": ["u", "v"]}, "a[]", ["u", "v"]),
        ({"a": ["u", "v"]}, "a[0]", "u"),
        ({"a": []}, "a[3].b", None),
        ({"a": 1}, "a.b", None),
        ({"a": None}, "a.b", None),
        ({"a": {"b": 1}}, "a[].b", None),
        ([1], "a", None),
        ({"a": 1}, "", None),
        ({":waybill": "SF1"}, ":waybill", "SF1"),
    ],
)
def test_paths(row: Any, path: str, found: Any) -> None:
    assert look_up(row, path) == found


@pytest.mark.parametrize(
    ("value", "minor"),
    [
        ("1,299.00", 129900),
        ("¥1299", 129900),
        ("12.9", 1290),
        (12.1, 1210),
        (Decimal("0.01"), 1),
        (5, 500),
        ("CNY 3.50", 350),
        ("8元", 800),
        ("-2.00", -200),
    ],
)
def test_money_becomes_minor_units(value: Any, minor: int) -> None:
    assert read(value, "major_units") == minor


def test_money_of_other_currencies() -> None:
    assert read("1299", "major_units", currency="JPY") == 1299
    assert read("1.299", "major_units", currency="KWD") == 1299


@pytest.mark.parametrize("value", ["12.345", "free", "NaN", "Infinity", [], {}])
def test_what_is_no_amount_is_refused(value: Any) -> None:
    if value in ([], {}):
        value = [1]
    with pytest.raises(MappingError, match=r"^x: "):
        read(value, "major_units")


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_money_survives_its_way_as_text(minor: int) -> None:
    assert read(f"{Decimal(minor) / 100:,.2f}", "major_units") == minor


@pytest.mark.parametrize(
    ("value", "convert", "instant"),
    [
        ("2026-11-24 08:00:00", "local_time", datetime(2026, 11, 24, 0, 0, tzinfo=UTC)),
        ("2026/11/24 08:00", "local_time", datetime(2026, 11, 24, 0, 0, tzinfo=UTC)),
        ("2026-11-24T08:00:00Z", "local_time", datetime(2026, 11, 24, 8, 0, tzinfo=UTC)),
        (datetime(2026, 11, 24, 8, 0), "local_time", datetime(2026, 11, 24, 0, 0, tzinfo=UTC)),
        (date(2026, 11, 24), "local_time", datetime(2026, 11, 23, 16, 0, tzinfo=UTC)),
        ("2026-11-24 08:00:00", "utc_time", datetime(2026, 11, 24, 8, 0, tzinfo=UTC)),
        (1795507200, "epoch_s", datetime(2026, 11, 24, 8, 0, tzinfo=UTC)),
        ("1795507200000", "epoch_ms", datetime(2026, 11, 24, 8, 0, tzinfo=UTC)),
    ],
)
def test_instants(value: Any, convert: Converter, instant: datetime) -> None:
    assert read(value, convert) == instant


def test_an_epoch_of_zero_is_not_set() -> None:
    assert read(0, "epoch_s") is None


@pytest.mark.parametrize(("value", "convert"), [("soon", "local_time"), (10**30, "epoch_s"), ("x", "epoch_ms"), ("{", "json")])
def test_what_cannot_be_read_is_refused_without_its_value(value: Any, convert: Converter) -> None:
    with pytest.raises(MappingError) as caught:
        read(value, convert)
    assert str(caught.value).startswith("x: ")
    assert str(value) not in str(caught.value).removeprefix("x: ") or value in ("x", "{")


def test_an_instant_becomes_its_day_in_the_shop_s_zone() -> None:
    # 18:00 in UTC is 02:00 of the next day in Shanghai.
    assert read("2026-11-24T18:00:00Z", "utc_time", dates=frozenset({"x"})) == date(2026, 11, 25)
    assert read("2026-11-24", dates=frozenset({"x"})) == "2026-11-24"


@pytest.mark.parametrize(
    ("value", "convert", "masked"),
    [
        ("王小明", "masked_name", "王**"),
        ("王明", "masked_name", "王*"),
        ("王", "masked_name", "王*"),
        ("Emma Wilson", "masked_name", "E***"),
        ("王*", "masked_name", "王*"),
        ("13812341234", "masked_phone", "138****1234"),
        ("+86 138-1234-1234", "masked_phone", "861****1234"),
        ("110", "masked_phone", "****10"),
        ("138****1234", "masked_phone", "138****1234"),
    ],
)
def test_masks(value: str, convert: Converter, masked: str) -> None:
    assert read(value, convert) == masked


def test_codes_are_translated_and_unknown_ones_kept_to_be_refused_later() -> None:
    values = {"x": {"3": "shipped", "true": "yes"}}
    assert read(3, values=values) == "shipped"
    assert read("3", values=values) == "shipped"
    assert read(True, values=values) == "yes"
    assert read(9, values=values) == 9


def test_what_is_null_or_empty_is_left_out_and_constants_fill_in() -> None:
    assert map_row({"x": None}, mapping()) == {}
    assert map_row({"x": ""}, mapping()) == {}
    assert map_row({}, mapping(constants={"x": "c"})) == {"x": "c"}
    assert map_row({"x": 1}, mapping(constants={"x": "c"})) == {"x": 1}


def test_only_known_names_are_taken() -> None:
    assert map_row({"x": 1, "y": 2, "orders": []}, mapping()) == {"x": 1}


def test_json_in_a_column_and_ids_that_are_no_text() -> None:
    assert read('["a", "b"]', "json") == ["a", "b"]
    assert read(["a"], "json") == ["a"]
    assert read(UUID(int=1)) == "00000000-0000-0000-0000-000000000001"
