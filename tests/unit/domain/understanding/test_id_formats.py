"""A shop's own order and SKU numbers."""

from __future__ import annotations

from datetime import date

import pytest

from serve_app.domain.id_formats import SKU_ID_PATTERN, Formats, IdFormat
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Kind
from serve_app.domain.question import Focus
from serve_app.domain.understanding import Understander
from serve_app.domain.understanding.entities import entities_in

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("pattern", "text", "ids"),
    [
        (r"A-\d{6}", "where is a-123456?", ("A-123456",)),
        (r"ord_[a-z0-9]{6}", "ORD_AB12CD到哪了", ("ord_ab12cd",)),
        (r"ZW(?:[ -]?\d){12}", "zw 2026-1122 0001", ("ZW202611220001",)),
        (r"(SKU)[-_ ]?(\d{2,10})", "sku00017 and SKU 18", ("SKU-00017", "SKU-18")),
        (r"#?\d{8}", "订单12345678和87654321", ("12345678", "87654321")),
        (r"\d{8}", "123456789", ()),
        (r"(?:\d+)+x", "1" * 1000, ()),
    ],
)
def test_ids_are_found_as_the_shop_writes_them(pattern: str, text: str, ids: tuple[str, ...]) -> None:
    assert tuple(found.id for found in IdFormat(pattern).found_in(text)) == ids


def test_a_text_full_of_ids_names_only_the_first_few() -> None:
    assert len(IdFormat(r"A\d").found_in("A1 " * 300)) == 20


@pytest.mark.parametrize(
    ("pattern", "said"), [("(", "no regular expression"), (r"\d*", "empty text"), ("x" * 201, "longer than")]
)
def test_a_pattern_that_cannot_be_used_is_refused(pattern: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        IdFormat(pattern)


ACME = Formats(IdFormat(r"[A-Z]{2}-\d{6}"), IdFormat(r"P\d{4}"))


def test_entities_are_read_in_the_shop_s_formats() -> None:
    entities = entities_in("ac-123456 里的 p0001", TODAY, ACME)
    assert (entities.order_ids, entities.sku_ids) == (("AC-123456",), ("P0001",))
    assert entities_in("ZW202611220001 SKU-00017", TODAY, ACME).order_ids == ()


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("AC-123456到哪了", Intent.PARCEL),
        ("ac-123456 的退款到哪一步了", Intent.REFUND_PROGRESS),
        ("AC-123456", Intent.ORDER_STATUS),
    ],
)
def test_a_question_with_the_shop_s_number_is_understood_as_with_the_demo_s(
    understander: Understander, text: str, intent: Intent
) -> None:
    understood = understander.understand(text, Focus(), TODAY, formats=ACME)
    assert (understood.intent, understood.kind, understood.entities.order_ids) == (intent, Kind.TEMPLATED, ("AC-123456",))


def test_the_default_formats_are_the_demo_s() -> None:
    assert IdFormat(SKU_ID_PATTERN).found_in("sku_12")[0].id == "SKU-12"
