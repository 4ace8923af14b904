"""Makes the demo shop: one SQLite file, from a seed."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

from serve_app.demo import stories
from serve_app.demo.catalogue import make_catalogue
from serve_app.demo.orders import OrderMaker, Rows
from serve_app.demo.people import Person, make_coupons, make_person
from serve_app.demo.schema import DDL, fingerprint
from serve_app.demo.stories import Story
from serve_app.domain.facts import AfterSaleStage, AfterSaleType, OrderState

SEED = 2026
CUSTOMERS = 320
TABLES = (
    "customers", "coupons", "skus", "orders", "order_lines", "parcels", "parcel_lines", "parcel_events", "after_sales",
    "invoices",
)  # fmt: skip

REFUND_IN_PROGRESS = Story(
    OrderState.DELIVERED, (stories.ARRIVED,), after_sale=(AfterSaleType.RETURN_REFUND, AfterSaleStage.REFUNDING)
)
# The customers to try first.
FIRST_CUSTOMERS: dict[str, tuple[Story, ...]] = {
    "C1001": (stories.ARRIVES_TOMORROW, REFUND_IN_PROGRESS, stories.COMPLETED),
    "C1002": (stories.IN_TRANSIT,),
    "C1003": (),
    "C1005": (stories.PAID, stories.AT_PICKUP_POINT, stories.PARTLY_SHIPPED),
}
MANY_ORDERS = "C1004"


def is_current(path: Path, *, seed: int = SEED) -> bool:
    """Whether the shop at `path` is the one that this code makes from this seed."""
    if not path.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT fingerprint FROM made").fetchone()
    except sqlite3.Error:
        return False
    return found is not None and found[0] == fingerprint(seed)


def make_shop(path: Path, *, seed: int = SEED, progress: Callable[[str], None] | None = None) -> None:
    """Writes the shop to `path`, whole or not at all; does nothing where it is up to date. Takes about a second.

    Raises OSError when the folder cannot be written to.
    """
    if is_current(path, seed=seed):
        return
    if progress:
        progress("making the demo shop")
    rows = make_rows(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    os.close(handle)
    try:
        _write(Path(temporary), rows, fingerprint(seed))
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    if progress:
        counts = f"{len(rows['customers'])} customers, {len(rows['orders'])} orders, {len(rows['skus'])} articles"
        progress(f"the demo shop is made: {counts}")


def make_rows(seed: int) -> Rows:
    """Every table's rows. The same seed makes the same shop."""
    rng = Random(seed)
    skus = make_catalogue(rng)
    rows: Rows = {table: [] for table in TABLES}
    rows["skus"] = [asdict(sku) for sku in skus]
    maker = OrderMaker(rng, skus, rows)
    bag = _Bag(rng)
    for number in range(1, CUSTOMERS + 1):
        person = make_person(rng, number)
        rows["customers"].append({name: value for name, value in asdict(person).items() if name not in ("city", "address")})
        rows["coupons"] += [asdict(coupon) for coupon in make_coupons(rng, person)]
        for story in _stories_of(person, bag, rng):
            maker.make(person, story)
    return rows


def _stories_of(person: Person, bag: _Bag, rng: Random) -> Sequence[Story]:
    if person.id in FIRST_CUSTOMERS:
        return FIRST_CUSTOMERS[person.id]
    if person.id == MANY_ORDERS:
        return [*bag.draw(12), *rng.choices(stories.OVER, k=48)]
    return bag.draw(rng.choice((0, 1, 1, 2, 3, 3, 4, 5, 6, 7, 8, 10, 14)))


class _Bag:
    """Stories in a random order, each as often as its weight says before any comes again: none is ever left out."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._left: list[Story] = []

    def draw(self, count: int) -> list[Story]:
        return [self._next() for _ in range(count)]

    def _next(self) -> Story:
        if not self._left:
            self._left = [story for story, weight in stories.BAG for _ in range(weight)]
            self._rng.shuffle(self._left)
        return self._left.pop()


def _write(path: Path, rows: Rows, mark: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(DDL)
        for table in TABLES:
            _insert(connection, table, rows[table])
        connection.execute("INSERT INTO made VALUES (?)", (mark,))
        connection.commit()
        connection.execute("ANALYZE")


def _insert(connection: sqlite3.Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    rows = list(rows)
    names = list(rows[0])
    values = ", ".join(f":{name}" for name in names)
    connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values})", rows)
