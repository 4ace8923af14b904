"""Facts as they stand in a prompt."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from serve_app.domain.facts import (
    AfterSale,
    AfterSaleStage,
    AfterSaleType,
    Customer,
    Facts,
    Line,
    Order,
    OrderState,
    Parcel,
    ParcelEvent,
    ParcelState,
)
from serve_app.domain.facts_text import facts_text
from serve_app.domain.guard import FigureGuard

NOW = datetime(2026, 11, 22, 20, 30, tzinfo=UTC)  # the 23rd in the shop
SALE = AfterSale(
    id="AS1",
    line_id="L1",
    type=AfterSaleType.RETURN_REFUND,
    stage=AfterSaleStage.REFUNDING,
    requested_at=NOW,
    amount_minor=129900,
)
ORDER = Order(
    id="ZW202611220001",
    customer_id="C1001",
    state=OrderState.SHIPPED,
    placed_at=NOW,
    total_minor=129900,
    lines=(
        Line(
            id="L1",
            sku_id="SKU-00017",
            title_zh="羽绒服",
            title_en="Down jacket",
            quantity=2,
            paid_minor=129900,
            after_sales=(SALE,),
        ),
    ),
    parcels=(
        Parcel(
            id="P1",
            tracking_no="SF1234567890",
            carrier="顺丰",
            state=ParcelState.IN_TRANSIT,
            events=(ParcelEvent(at=NOW, state=ParcelState.IN_TRANSIT, place="上海"),),
            estimated_date=date(2026, 11, 24),
        ),
    ),
)
FACTS = Facts(as_of=NOW, customer=Customer(id="C1001", name="王*", tier="gold", points=1200), orders=(ORDER,), order_count=3)


def test_in_english() -> None:
    assert facts_text(FACTS, "en").splitlines() == [
        "Customer: 王*; Gold; points 1200",
        "Orders in all: 3",
        "Order ZW202611220001: shipped; placed 2026-11-23 04:30; total CN¥1,299.00",
        "  Item SKU-00017 Down jacket × 2; paid CN¥1,299.00",
        "    After-sale AS1 return and refund: refund under way; amount CN¥1,299.00; requested 2026-11-23 04:30",
        "  Parcel 顺丰 SF1234567890: in transit; latest 2026-11-23 04:30 上海; expected 2026-11-24",
    ]


def test_in_chinese() -> None:
    text = facts_text(FACTS, "zh")
    assert "订单 ZW202611220001: 已发货; 下单 2026-11-23 04:30; 合计 ¥1,299.00" in text
    assert "包裹 顺丰 SF1234567890: 运输中; 最新 2026-11-23 04:30 上海; 预计送达 2026-11-24" in text


def test_it_does_not_change_with_the_hour() -> None:
    later = FACTS.model_copy(update={"as_of": NOW + timedelta(hours=9)})
    assert facts_text(later, "zh") == facts_text(FACTS, "zh")


def test_nothing_is_said_of_what_is_not_known() -> None:
    assert facts_text(Facts(as_of=NOW), "en") == ""


def test_instants_are_shown_in_the_shop_s_zone() -> None:
    assert "placed 2026-11-22 20:30" in facts_text(FACTS, "en", "UTC")


def test_the_guard_lets_an_answer_say_the_facts() -> None:
    guard = FigureGuard([facts_text(FACTS, "zh")])
    answer = "您的订单 ZW202611220001 共 1299 元,包裹 SF1234567890 预计11月24日送达。"
    assert guard.feed(answer).text + guard.end().text == answer
