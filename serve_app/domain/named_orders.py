"""Whether an order that was named and is not among the facts is not the customer's, or only was not fetched."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from serve_app.domain.facts import Facts

# The parameters by which a question names orders.
NAMING = frozenset({"order_ids", "order_tails", "tracking_nos"})


@dataclass(frozen=True, slots=True)
class OrdersReply:
    """What one source of orders was asked by, and gave."""

    takes: frozenset[str]  # of NAMING: what its query or URL uses
    rows: int
    told: int | None  # how many orders it says the customer has
    marks_named: bool  # each row says whether it was named


def named_orders_known(
    named: Collection[str], replies: Sequence[OrdersReply], customer_told: int | None, *, all_kept: bool
) -> bool:
    """Whether the facts hold every order of the customer that was named by the parameters `named`.

    Each source must have taken those parameters or have sent as many orders as it says there are. An order named by a parcel is
    recognised by its parcels alone, so it must not have been left out (`all_kept`) unless its source marks what was named.
    """
    seen = sum(reply.rows for reply in replies)
    whole = customer_told is not None and seen >= customer_told
    return bool(replies) and all(_knows(reply, frozenset(named), whole, all_kept) for reply in replies)


def _knows(reply: OrdersReply, named: frozenset[str], whole: bool, all_kept: bool) -> bool:
    takes_all = named <= reply.takes
    fetched = takes_all or whole or (reply.told is not None and reply.rows >= reply.told)
    return fetched and ("tracking_nos" not in named or all_kept or (takes_all and reply.marks_named))


def is_not_the_customers(order_id: str, facts: Facts) -> bool:
    """Whether the facts, gathered for a query that named this order, prove that the customer has no such order."""
    proves = facts.named_orders_known and "orders" not in facts.missing
    return proves and all(order.id != order_id for order in facts.orders)
