"""Turns a story into an order with its lines, parcels, after-sale and invoice: rows whose dates agree with each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from itertools import count
from random import Random
from typing import Any

from serve_app.demo.catalogue import Sku
from serve_app.demo.journeys import DAY_S, HOUR_S, Event, carrier, journey
from serve_app.demo.people import Person
from serve_app.demo.stories import RETURNING, STAGE_TIMES, Box, Range, Story
from serve_app.domain.facts import AfterSaleStage, AfterSaleType, OrderState, ParcelState

Rows = dict[str, list[dict[str, Any]]]

FREE_FREIGHT_FROM_MINOR = 9_900
FREIGHT_MINOR = 800
WITH_RETURN = (AfterSaleType.RETURN_REFUND, AfterSaleType.EXCHANGE, AfterSaleType.REPAIR)
WITH_REFUND = (AfterSaleType.REFUND_ONLY, AfterSaleType.RETURN_REFUND)
ON_THE_WAY = (
    *RETURNING[1:],
    AfterSaleStage.PROCESSING,
    AfterSaleStage.RESHIPPED,
    AfterSaleStage.REFUNDING,
    AfterSaleStage.REFUNDED,
)
PICKUP_POINTS = {
    "zh": ("菜鸟驿站 3 号店", "丰巢柜 南门", "便民超市代收点"),
    "en": ("Station No. 3", "Locker, south gate", "Corner shop"),
}


class OrderMaker:
    """Appends rows to `rows`, by table."""

    def __init__(self, rng: Random, skus: Sequence[Sku], rows: Rows) -> None:
        self._rng = rng
        self._skus = skus
        self._rows = rows
        self._ids: set[str] = set()
        self._tails: defaultdict[str, set[str]] = defaultdict(set)
        self._tracking: set[str] = set()
        self._numbers = count(1)

    def make(self, person: Person, story: Story) -> None:
        order_id = self._order_id(person)
        moved_s = -self._rng.randint(*story.days_ago) * DAY_S
        after_sale_s = self._seconds(STAGE_TIMES[story.after_sale[1]].requested_h) + moved_s if story.after_sale else None
        journeys = [self._journey(person, box, after_sale_s, moved_s) for box in story.boxes]
        paid_s = self._paid_s(story, journeys, after_sale_s, moved_s)
        lines = self._lines(order_id, max(1, len(story.boxes)) + story.unshipped_lines)
        self._order(order_id, person, story, paid_s, lines)
        shipped = lines[: len(lines) - story.unshipped_lines]
        for number, (box, events) in enumerate(zip(story.boxes, journeys, strict=True)):
            mine = shipped if len(story.boxes) == 1 else shipped[number :: len(story.boxes)]
            self._parcel(order_id, person, box, events, mine)
        if story.after_sale and after_sale_s is not None:
            self._after_sale(lines[0], *story.after_sale, after_sale_s)
        if story.state in (OrderState.DELIVERED, OrderState.COMPLETED, OrderState.CLOSED) and story.boxes:
            self._invoice(order_id, paid_s, lines, is_reversed=story.state is OrderState.CLOSED)

    def _order_id(self, person: Person) -> str:
        """Not a date, which would grow stale. One customer's orders all differ in their last four digits."""
        while True:
            order_id = f"ZW88{self._rng.randrange(10**10):010d}"
            if order_id not in self._ids and order_id[-4:] not in self._tails[person.id]:
                self._ids.add(order_id)
                self._tails[person.id].add(order_id[-4:])
                return order_id

    def _seconds(self, hours: Range) -> int:
        return round(self._rng.uniform(*hours) * HOUR_S)

    def _journey(self, person: Person, box: Box, after_sale_s: int | None, moved_s: int) -> tuple[Event, ...]:
        last_s = self._seconds(box.last_h) + moved_s
        if after_sale_s is not None:
            # What is complained about has happened before.
            last_s = after_sale_s - self._seconds((5, 60))
        return journey(self._rng, box.state, last_s, person.city, person.language)

    def _paid_s(self, story: Story, journeys: Sequence[Sequence[Event]], after_sale_s: int | None, moved_s: int) -> int:
        """When the order was paid, or would have been."""
        if journeys:
            return min(events[0].at_s for events in journeys) - self._seconds((3, 20))
        if after_sale_s is not None:
            return after_sale_s - self._seconds((5, 30))
        return self._seconds(story.placed_h) + moved_s

    def _lines(self, order_id: str, at_least: int) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = []
        for number, sku in enumerate(self._rng.sample(self._skus, max(at_least, self._rng.choice((1, 1, 1, 2, 3)))), start=1):
            quantity = self._rng.choice((1, 1, 1, 1, 1, 1, 2, 3))
            discount_minor = sku.price_minor * quantity * self._rng.choice((0, 0, 5, 10)) // 100
            lines.append({
                "id": f"{order_id}-{number}",
                "order_id": order_id,
                "sku_id": sku.id,
                "quantity": quantity,
                "paid_minor": sku.price_minor * quantity - discount_minor,
                "discount_share_minor": discount_minor,
            })  # fmt: skip
        self._rows["order_lines"] += lines
        return lines

    def _order(self, order_id: str, person: Person, story: Story, paid_s: int, lines: Sequence[dict[str, Any]]) -> None:
        goods_minor = sum(line["paid_minor"] for line in lines)
        freight_minor = 0 if goods_minor >= FREE_FREIGHT_FROM_MINOR else FREIGHT_MINOR
        is_deposit = story.state is OrderState.DEPOSIT_PAID
        self._rows["orders"].append({
            "id": order_id,
            "customer_id": person.id,
            "state": story.state.value,
            "placed_s": paid_s - self._rng.randint(30, 900),
            "paid_s": paid_s if story.is_paid else None,
            "total_minor": goods_minor + freight_minor,
            "freight_minor": freight_minor,
            "deposit_minor": max(100, goods_minor // 1000 * 100) if is_deposit else None,
            # A balance is due at a day's end.
            "balance_due_s": self._rng.randint(2, 10) * DAY_S - 1 if is_deposit else None,
            "address": person.address,
        })  # fmt: skip

    def _parcel(
        self, order_id: str, person: Person, box: Box, events: Sequence[Event], lines: Sequence[dict[str, Any]]
    ) -> None:
        name, tracking_no = carrier(self._rng)
        while tracking_no in self._tracking:
            name, tracking_no = carrier(self._rng)
        self._tracking.add(tracking_no)
        parcel_id = f"P{next(self._numbers):06d}"
        last = events[-1]
        estimated_day = self._rng.randint(*box.estimated_day) if box.estimated_day else None
        waits = box.state is ParcelState.AT_PICKUP_POINT
        self._rows["parcels"].append({
            "id": parcel_id,
            "order_id": order_id,
            "tracking_no": tracking_no,
            "carrier": name,
            "state": box.state.value,
            "pickup_code": self._pickup_code() if waits else None,
            "pickup_point": self._rng.choice(PICKUP_POINTS[person.language]) if waits else None,
            "promised_day": self._promised_day(box, events, estimated_day),
            "estimated_day": estimated_day,
            "delivered_s": last.at_s if box.state is ParcelState.DELIVERED else None,
        })  # fmt: skip
        self._rows["parcel_lines"] += [{"parcel_id": parcel_id, "line_id": line["id"]} for line in lines]
        self._rows["parcel_events"] += [
            {"parcel_id": parcel_id, "number": number, **asdict(event)} for number, event in enumerate(events, start=1)
        ]

    def _pickup_code(self) -> str:
        return f"{self._rng.randint(1, 9)}-{self._rng.randint(1, 9)}-{self._rng.randrange(10_000):04d}"

    def _promised_day(self, box: Box, events: Sequence[Event], estimated_day: int | None) -> int:
        if box.promised_day is not None:
            return self._rng.randint(*box.promised_day)
        if estimated_day is not None:
            return estimated_day
        if box.state in (ParcelState.RETURNED, ParcelState.LOST):
            return events[0].at_s // DAY_S + 4
        return events[-1].at_s // DAY_S + self._rng.choice((-1, 0, 0, 0, 1, 1))

    def _after_sale(self, line: dict[str, Any], kind: AfterSaleType, stage: AfterSaleStage, requested_s: int) -> None:
        times = STAGE_TIMES[stage]
        refunded_s = requested_s + self._seconds((60, 100)) if stage is AfterSaleStage.REFUNDED else None
        channels = ("original", "original", "wallet", "bank_card")
        payers = ("customer", "shop", "insurance") if kind is not AfterSaleType.RESHIP else ("shop",)
        self._rows["after_sales"].append({
            "id": f"AS{next(self._numbers):06d}",
            "line_id": line["id"],
            "type": kind.value,
            "stage": stage.value,
            "requested_s": requested_s,
            "amount_minor": line["paid_minor"] if kind in WITH_REFUND else None,
            # A deadline is a day's end.
            "deadline_s": (self._seconds(times.deadline_h) // DAY_S + 1) * DAY_S - 1 if times.deadline_h else None,
            "return_no": f"R{self._rng.randrange(10**10):010d}" if kind in WITH_RETURN and stage in ON_THE_WAY else None,
            "freight_payer": None if kind is AfterSaleType.REFUND_ONLY else self._rng.choice(payers),
            "refund_channel": self._rng.choice(channels) if kind in WITH_REFUND else None,
            "refunded_s": refunded_s,
        })  # fmt: skip

    def _invoice(self, order_id: str, paid_s: int, lines: Sequence[dict[str, Any]], *, is_reversed: bool) -> None:
        if self._rng.random() > 0.35:
            return
        state = "red" if is_reversed else self._rng.choice(("requested", "issued", "issued"))
        self._rows["invoices"].append({
            "id": f"INV{next(self._numbers):06d}",
            "order_id": order_id,
            "kind": self._rng.choice(("personal", "personal", "company")),
            "state": state,
            "amount_minor": sum(line["paid_minor"] for line in lines),
            "issued_s": None if state == "requested" else paid_s + self._rng.randint(HOUR_S, 20 * HOUR_S),
        })  # fmt: skip
