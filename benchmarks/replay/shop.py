"""A shop of many customers, in the demo's tables and as its generator makes orders; each customer's facts hold his canary."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.replay.canaries import customers_canary, customers_order_id, customers_points
from serve_app.demo import stories
from serve_app.demo.catalogue import make_catalogue
from serve_app.demo.orders import OrderMaker, Rows
from serve_app.demo.people import make_coupons, make_person
from serve_app.demo.schema import DDL
from serve_app.demo.shop import TABLES
from serve_app.domain.messages import Language

ORDERS = (0, 1, 1, 1, 2, 2, 3)
# Which of a table's texts name the customer's canary. With the ids of orders and the points, which tell whose they are, every
# templated answer shows one of these, or that the customer has nothing of what is asked for.
MARKED: Mapping[str, tuple[str, ...]] = {
    "customers": ("name",),
    "coupons": ("title_zh", "title_en"),
    "orders": ("address",),
    "parcels": ("carrier", "pickup_point"),
    "parcel_events": ("text",),
}


def make_shop(path: Path, customers: int, seed: int = 7) -> list[Language]:
    """Writes `customers` customers, at most CUSTOMERS_MAX, to a new file; the language of each, the first of whom is C1001."""
    rng = Random(seed)
    skus = make_catalogue(rng)
    rows: Rows = {table: [] for table in TABLES}
    rows["skus"] = [asdict(sku) for sku in skus]
    maker = OrderMaker(rng, skus, rows)
    bag = [story for story, weight in stories.BAG for _ in range(weight)]
    languages: list[Language] = []
    for number in range(1, customers + 1):
        person = make_person(rng, number)
        starts = {table: len(made) for table, made in rows.items()}
        languages.append(person.language)
        rows["customers"].append({name: value for name, value in asdict(person).items() if name not in ("city", "address")})
        rows["coupons"] += [asdict(coupon) for coupon in make_coupons(rng, person)]
        for story in rng.choices(bag, k=rng.choice(ORDERS)):
            maker.make(person, story)
        _mark(rows, starts, number)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(DDL)
        for table in TABLES:
            _insert(connection, table, rows[table])
        connection.execute("ANALYZE")
    return languages


def customer_id(number: int) -> str:
    """`number` counts from 1."""
    return f"C{1000 + number}"


def _mark(rows: Rows, starts: Mapping[str, int], number: int) -> None:
    canary = customers_canary(number)
    ids = {row["id"]: customers_order_id(number, order) for order, row in enumerate(rows["orders"][starts["orders"] :])}
    for table, start in starts.items():
        for row in rows[table][start:]:
            for column in MARKED.get(table, ()):
                if row[column] is not None:
                    row[column] = f"{row[column]} {canary}"
            # The ids of what belongs to an order begin with its own.
            row.update((name, _renamed(value, ids)) for name, value in row.items() if isinstance(value, str))
    rows["customers"][-1]["points"] = customers_points(number)


def _renamed(value: str, ids: Mapping[str, str]) -> str:
    order_id, dash, rest = value.partition("-")
    return f"{ids.get(order_id, order_id)}{dash}{rest}"


def _insert(connection: sqlite3.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    names = list(rows[0])
    values = ", ".join(f":{name}" for name in names)
    connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values})", rows)
