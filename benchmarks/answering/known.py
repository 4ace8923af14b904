"""All that an answer may say, as sets: the amounts, days, times, states, numbers and counts that are true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from benchmarks.answering.policies import Policies
from benchmarks.answering.shop import Customer, Order

# What a clock may have moved between the answer and its check.
CLOCK = timedelta(minutes=4)


@dataclass(frozen=True)
class Truth:
    """All that an answer about `orders` may say to the customer (None: anonymous). `offered` counts the choices in it."""

    orders: tuple[Order, ...]
    customer: Customer | None
    policies: Policies
    now: datetime
    said: str
    cited: tuple[str, ...] = ()
    offered: int = 0
    is_policy: bool = False

    @cached_property
    def amounts(self) -> frozenset[int]:
        own = frozenset[int]().union(*(order.amounts for order in self.orders))
        coupons = self.customer.coupons if self.customer else ()
        of_coupons = {one[name] for one in coupons for name in ("amount_minor", "minimum_minor")}
        return own | self.policies.amounts | (of_coupons - {0})

    @cached_property
    def days(self) -> frozenset[date]:
        days = frozenset[date]().union(*(order.days for order in self.orders))
        # What has not happened by the clock is told as happening now.
        days |= {self.now.date()} if any(instant > self.now for order in self.orders for instant in order.instants) else set()
        if self.customer:
            days |= {self.customer.coupon_until(one) for one in self.customer.coupons}
            days |= {self.customer.tier_until} if self.customer.tier_until else set()
        return days | frozenset[date]().union(*((self.policies.entry_days or {}).get(entry, ()) for entry in self.cited))

    @cached_property
    def times(self) -> frozenset[str]:
        """Instants as HH:MM. One that the database puts later than now is told as now."""
        instants = [instant for order in self.orders for instant in order.instants]
        minutes = (
            [self.now + timedelta(minutes=step) for step in range(-4, 2)]
            if max(instants, default=self.now) > self.now - CLOCK
            else []
        )
        ends = [self.customer.midnight - timedelta(seconds=1)] if self.customer else []
        return frozenset(f"{one:%H:%M}" for one in (*instants, *minutes, *ends))

    @cached_property
    def states(self) -> frozenset[str]:
        return frozenset[str]().union(*(order.states for order in self.orders))

    @cached_property
    def references(self) -> frozenset[str]:
        """Every id that hangs on the orders."""
        ids = [line[name] for order in self.orders for line in order.lines for name in ("id", "sku_id")]
        ids += [parcel["id"] for order in self.orders for parcel in order.parcels]
        ids += [sale[name] for order in self.orders for sale in order.after_sales for name in ("id", "return_no") if sale[name]]
        ids += [invoice["id"] for order in self.orders for invoice in order.invoices]
        return frozenset(ids) | {one["id"] for one in (self.customer.coupons if self.customer else ())}

    def of_parcels(self, name: str) -> frozenset[str]:
        return frozenset(parcel[name] for order in self.orders for parcel in order.parcels if parcel[name])

    def counts(self, thing: str) -> frozenset[int]:
        customer = self.customer
        if customer is None:
            return frozenset()
        if thing == "order":
            by_state = [sum(order.state == state for order in customer.orders) for state in {o.state for o in customer.orders}]
            return frozenset({len(customer.orders), sum(order.is_open for order in customer.orders), self.offered, *by_state})
        if thing == "parcel":
            each = [n for order in self.orders for n in _parcel_counts(order)]
            return frozenset({*each, *(sum(x) for x in zip(*map(_parcel_counts, customer.orders), strict=True))})
        if thing == "item":
            each = [n for order in self.orders for n in (len(order.lines), sum(line["quantity"] for line in order.lines))]
            return frozenset({*each, *(line["quantity"] for order in self.orders for line in order.lines)})
        if thing == "more":
            return frozenset(count - 1 for count in self.counts("item"))
        if thing == "coupon":
            return frozenset({len(customer.coupons)})
        rows = [order.invoices if thing == "invoice" else order.after_sales for order in self.orders]
        return frozenset({*map(len, rows), sum(map(len, rows)), self.offered})


def _parcel_counts(order: Order) -> tuple[int, int, int]:
    return len(order.parcels), len(order.parcels_under_way), len(order.parcels) - len(order.parcels_under_way)
