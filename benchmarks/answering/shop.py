"""The truth about the demo shop's customers, read from its SQLite file, without ZeroWait's code.

Columns in `_s` are seconds and columns in `_day` days from the start of today in the shop's zone (`serve_app/demo/schema.py`).
Money is in minor units.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
OVER = ("completed", "cancelled", "closed")
ARRIVED = ("delivered", "returned", "lost")


@dataclass(frozen=True)
class Order:
    """An order with all that hangs on it, as rows of the database; instants are in the shop's zone."""

    row: Row
    lines: tuple[Row, ...]
    parcels: tuple[Row, ...]
    events: tuple[Row, ...]
    after_sales: tuple[Row, ...]
    invoices: tuple[Row, ...]
    midnight: datetime

    @property
    def id(self) -> str:
        return self.row["id"]

    @property
    def state(self) -> str:
        return self.row["state"]

    @property
    def is_open(self) -> bool:
        return self.state not in OVER

    @property
    def balance_minor(self) -> int | None:
        return None if self.row["deposit_minor"] is None else self.row["total_minor"] - self.row["deposit_minor"]

    @property
    def parcels_under_way(self) -> tuple[Row, ...]:
        return tuple(parcel for parcel in self.parcels if parcel["state"] not in ARRIVED)

    def at(self, seconds: int | None) -> datetime | None:
        return None if seconds is None else self.midnight + timedelta(seconds=seconds)

    def day(self, days: int | None) -> date | None:
        return None if days is None else self.midnight.date() + timedelta(days=days)

    @cached_property
    def instants(self) -> frozenset[datetime]:
        """Every instant that the database knows of the order."""
        seconds = [self.row["placed_s"], self.row["paid_s"], self.row["balance_due_s"]]
        seconds += [parcel["delivered_s"] for parcel in self.parcels] + [event["at_s"] for event in self.events]
        seconds += [sale[name] for sale in self.after_sales for name in ("requested_s", "deadline_s", "refunded_s")]
        seconds += [invoice["issued_s"] for invoice in self.invoices]
        return frozenset(self.midnight + timedelta(seconds=one) for one in seconds if one is not None)

    @cached_property
    def days(self) -> frozenset[date]:
        days = [parcel[name] for parcel in self.parcels for name in ("promised_day", "estimated_day")]
        return frozenset(instant.date() for instant in self.instants) | frozenset(
            self.midnight.date() + timedelta(days=one) for one in days if one is not None
        )

    @cached_property
    def amounts(self) -> frozenset[int]:
        row = self.row
        amounts = [row["total_minor"], row["freight_minor"], row["deposit_minor"], self.balance_minor]
        amounts += [row["total_minor"] - row["freight_minor"]]
        for line in self.lines:
            whole = line["paid_minor"] + line["discount_share_minor"]
            amounts += [line["paid_minor"], line["discount_share_minor"], whole, whole // line["quantity"]]
        amounts += [sale["amount_minor"] for sale in self.after_sales] + [one["amount_minor"] for one in self.invoices]
        return frozenset(amount for amount in amounts if amount is not None)

    @cached_property
    def states(self) -> frozenset[str]:
        """`order:paid`, `parcel:lost`, `after_sale:refunding`, `invoice:issued` …: the states of now."""
        return frozenset(
            [f"order:{self.state}"]
            + [f"parcel:{parcel['state']}" for parcel in self.parcels]
            + [f"after_sale:{sale['stage']}" for sale in self.after_sales]
            + [f"invoice:{invoice['state']}" for invoice in self.invoices]
        )

    @cached_property
    def words(self) -> frozenset[str]:
        """Names and sentences that the shop's systems wrote."""
        parcels = (parcel[name] for parcel in self.parcels for name in ("carrier", "pickup_point"))
        events = (event[name] for event in self.events for name in ("text", "place"))
        titles = (line[name] for line in self.lines for name in ("title_zh", "title_en", "sku_id"))
        return frozenset(word for word in (*parcels, *events, *titles, self.row["address"]) if word)


@dataclass(frozen=True)
class Customer:
    """One customer; `orders` newest first, `coupons` those that are still valid."""

    row: Row
    orders: tuple[Order, ...]
    coupons: tuple[Row, ...]
    now: datetime
    midnight: datetime

    @property
    def id(self) -> str:
        return self.row["id"]

    def order(self, order_id: str) -> Order | None:
        return next((order for order in self.orders if order.id == order_id), None)

    @property
    def tier_until(self) -> date | None:
        seconds = self.row["tier_valid_s"]
        return None if seconds is None else (self.midnight + timedelta(seconds=seconds)).date()

    def coupon_until(self, coupon: Row) -> date:
        return (self.midnight + timedelta(seconds=coupon["valid_until_s"])).date()


class Shop:
    """The demo shop's database, opened for reading. Raises sqlite3.Error where there is none."""

    def __init__(self, path: Path, time_zone: str = "Asia/Shanghai") -> None:
        self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        self._connection.row_factory = sqlite3.Row
        self.zone = ZoneInfo(time_zone)
        self.owners: dict[str, str] = dict(self._pairs("SELECT id, customer_id FROM orders"))
        self.tracking: dict[str, str] = dict(self._pairs("SELECT tracking_no, order_id FROM parcels"))
        self.skus: dict[str, str] = dict(self._pairs("SELECT title_zh, id FROM skus UNION SELECT title_en, id FROM skus"))
        self.pickup_points = frozenset(
            row["pickup_point"]
            for row in self._rows("SELECT DISTINCT pickup_point FROM parcels WHERE pickup_point IS NOT NULL")
        )
        self.carriers = frozenset(row["carrier"] for row in self._rows("SELECT DISTINCT carrier FROM parcels"))

    def close(self) -> None:
        self._connection.close()

    def has(self, customer_id: str) -> bool:
        return any(True for _ in self._rows("SELECT 1 FROM customers WHERE id = ?", customer_id))

    def customer(self, customer_id: str | None, now: datetime) -> Customer | None:
        """All of one customer as of `now` (timezone-aware); None for nobody and for somebody unknown."""
        row = next(self._rows("SELECT * FROM customers WHERE id = ?", customer_id or ""), None)
        if row is None:
            return None
        local = now.astimezone(self.zone)
        midnight = datetime.combine(local.date(), time(), self.zone)
        now_s = (local - midnight).total_seconds()
        orders = self._rows("SELECT * FROM orders WHERE customer_id = ? ORDER BY placed_s DESC", row["id"])
        coupons = self._rows("SELECT * FROM coupons WHERE customer_id = ? AND valid_until_s > ?", row["id"], now_s)
        return Customer(row, tuple(self._order(order, midnight) for order in list(orders)), tuple(coupons), local, midnight)

    def _order(self, row: Row, midnight: datetime) -> Order:
        lines = "SELECT order_lines.*, title_zh, title_en FROM order_lines JOIN skus ON skus.id = sku_id WHERE order_id = ?"
        events = "SELECT parcel_events.* FROM parcel_events JOIN parcels ON parcels.id = parcel_id WHERE order_id = ?"
        sales = "SELECT after_sales.* FROM after_sales JOIN order_lines ON order_lines.id = line_id WHERE order_id = ?"
        queries = (
            lines,
            "SELECT * FROM parcels WHERE order_id = ?",
            events,
            sales,
            "SELECT * FROM invoices WHERE order_id = ?",
        )
        return Order(row, *(tuple(self._rows(query, row["id"])) for query in queries), midnight=midnight)

    def _rows(self, query: str, *values: object) -> Iterator[Row]:
        return (dict(row) for row in self._connection.execute(query, values))

    def _pairs(self, query: str) -> Iterator[tuple[str, str]]:
        return ((row[0], row[1]) for row in self._connection.execute(query))
