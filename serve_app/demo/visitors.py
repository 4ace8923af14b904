"""The demo shop's customers whom a visitor of its chat page may choose to be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoCustomer:
    """`note_zh` and `note_en` say in one line what there is to ask about."""

    id: str
    name: str
    note_zh: str
    note_en: str


# True for the shop that `serve_app.demo.shop` makes from its own seed; a test compares.
DEMO_CUSTOMERS = (
    DemoCustomer("C1001", "黄*", "金卡会员，三个订单，一个退款中", "Gold, three orders, one refund under way"),
    DemoCustomer("C1013", "A***", "金卡会员，三个订单，一个在途", "Gold, three orders, one on its way"),
    DemoCustomer("C1005", "赵**", "三个订单，一个在代收点", "Three orders, one at a pickup point"),
    DemoCustomer("C1004", "高**", "六十个订单", "Sixty orders"),
    DemoCustomer("C1003", "胡*", "还没有订单", "No orders yet"),
)
