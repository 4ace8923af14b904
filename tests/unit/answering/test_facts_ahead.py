"""Facts fetched when a chat opens: for whom, for how long, and for which questions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from serve_app.answering import facts_ahead
from serve_app.answering.facts_ahead import FactsAhead
from serve_app.domain.errors import RoomFailed
from serve_app.domain.facts import Customer, Facts
from serve_app.ports import FactsQuery

NOW = datetime(2026, 11, 23, tzinfo=UTC)


class Room:
    """A Context room, and the clock. It answers when it `may`, each time with a name of its own."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.may = asyncio.Event()
        self.may.set()
        self.error: Exception | None = None
        self.missing: tuple[str, ...] = ()
        self.asked: list[FactsQuery] = []

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return self.seconds

    async def facts(self, query: FactsQuery) -> Facts:
        self.asked.append(query)
        name = f"{query.customer_id}, fetch {len(self.asked)}"
        await self.may.wait()
        if self.error is not None:
            raise self.error
        return Facts(as_of=query.now, customer=Customer(id=query.customer_id, name=name), missing=self.missing)


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
async def ahead(room: Room) -> AsyncGenerator[FactsAhead]:
    ahead = FactsAhead(room, room, kept_s=10.0, within_s=1.0)
    yield ahead
    await ahead.aclose()


def query(customer: str = "C1", *, tenant: str = "demo", parts: frozenset[str] | None = None) -> FactsQuery:
    return FactsQuery(tenant, customer, NOW, 1.0, parts=parts)


async def name(ahead: FactsAhead, asked: FactsQuery) -> str:
    customer = (await ahead.facts(asked)).customer
    assert customer is not None
    return customer.name


async def test_a_question_after_the_opening_asks_no_system_again(room: Room, ahead: FactsAhead) -> None:
    ahead.opened("demo", "C1")
    assert await name(ahead, query()) == "C1, fetch 1"
    assert await name(ahead, query(parts=frozenset({"customer", "orders"}))) == "C1, fetch 1"
    assert room.asked[0].parts is None


async def test_a_question_waits_for_a_fetch_that_is_under_way(room: Room, ahead: FactsAhead) -> None:
    room.may.clear()
    ahead.opened("demo", "C1")
    asking = asyncio.ensure_future(name(ahead, query()))
    await asyncio.sleep(0)
    room.may.set()
    assert await asking == "C1, fetch 1"


async def test_without_an_opening_each_question_is_fetched_for(room: Room, ahead: FactsAhead) -> None:
    assert [await name(ahead, query()), await name(ahead, query())] == ["C1, fetch 1", "C1, fetch 2"]


async def test_they_serve_for_a_short_time(room: Room, ahead: FactsAhead) -> None:
    ahead.opened("demo", "C1")
    await ahead.facts(query())
    room.seconds += 10.0
    assert await name(ahead, query()) == "C1, fetch 2"


async def test_they_are_one_customers_of_one_shop(room: Room, ahead: FactsAhead) -> None:
    ahead.opened("demo", "C1")
    await asyncio.sleep(0)
    assert await name(ahead, query("C2")) == "C2, fetch 2"
    assert await name(ahead, query("C1", tenant="other")) == "C1, fetch 3"


@pytest.mark.parametrize(
    "named",
    [replace(query(), order_ids=("7",)), replace(query(), order_tails=("7",)), replace(query(), tracking_nos=("7",))],
)
async def test_what_is_named_is_asked_for(room: Room, ahead: FactsAhead, named: FactsQuery) -> None:
    ahead.opened("demo", "C1")
    await asyncio.sleep(0)
    assert await name(ahead, named) == "C1, fetch 2"


async def test_what_was_missing_is_asked_for(room: Room, ahead: FactsAhead) -> None:
    room.missing = ("parcels",)
    ahead.opened("demo", "C1")
    assert await name(ahead, query(parts=frozenset({"customer"}))) == "C1, fetch 1"
    assert await name(ahead, query(parts=frozenset({"parcels"}))) == "C1, fetch 2"
    assert await name(ahead, query()) == "C1, fetch 3"


async def test_a_fetch_that_fails_stops_no_question(room: Room, ahead: FactsAhead) -> None:
    room.error = RoomFailed("away")
    ahead.opened("demo", "C1")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    room.error = None
    assert await name(ahead, query()) == "C1, fetch 2"


async def test_opening_again_fetches_only_what_is_too_old(room: Room, ahead: FactsAhead) -> None:
    for _ in range(3):
        ahead.opened("demo", "C1")
    await asyncio.sleep(0)
    assert len(room.asked) == 1
    room.seconds += 10.0
    ahead.opened("demo", "C1")
    assert await name(ahead, query()) == "C1, fetch 2"


async def test_a_visitor_has_no_facts(room: Room, ahead: FactsAhead) -> None:
    ahead.opened("demo", None)
    await asyncio.sleep(0)
    assert room.asked == []


async def test_it_can_be_left_out(room: Room) -> None:
    ahead = FactsAhead(room, room, kept_s=0.0, within_s=1.0)
    ahead.opened("demo", "C1")
    assert await name(ahead, query()) == "C1, fetch 1"


async def test_the_oldest_are_forgotten(room: Room, ahead: FactsAhead, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts_ahead, "CUSTOMERS_MAX", 2)
    for customer in ("C1", "C2", "C3"):
        ahead.opened("demo", customer)
    assert await name(ahead, query("C3")) == "C3, fetch 3"
    assert await name(ahead, query("C1")) == "C1, fetch 4"


async def test_who_leaves_takes_nobody_elses_facts_along(room: Room, ahead: FactsAhead) -> None:
    room.may.clear()
    ahead.opened("demo", "C1")
    leaving, staying = (asyncio.ensure_future(name(ahead, query())) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait({leaving})
    room.may.set()
    assert await staying == "C1, fetch 1"
