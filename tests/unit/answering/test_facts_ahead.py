"""Facts fetched when a chat opens: for whom, for how long, and for which questions."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from serve_app.answering.facts_ahead import UNDER_WAY_MAX, FactsAhead
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
    ahead = FactsAhead(room, room, kept_s=10.0, within_s=1.0, declared={"small": frozenset({"customer", "orders"})})
    yield ahead
    await ahead.aclose()


def query(customer: str = "C1", *, tenant: str = "demo", parts: frozenset[str] | None = None) -> FactsQuery:
    return FactsQuery(tenant, customer, NOW, 1.0, parts=parts)


async def name(ahead: FactsAhead, asked: FactsQuery) -> str:
    customer = (await ahead.facts(asked)).customer
    assert customer is not None
    return customer.name


async def opened(ahead: FactsAhead, customer: str | None = "C1", tenant: str = "demo") -> None:
    """And fetched, where nothing holds the room up."""
    ahead.opened(tenant, customer)
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_first_questions_ask_no_system(room: Room, ahead: FactsAhead) -> None:
    await opened(ahead)
    assert await name(ahead, query()) == "C1, fetch 1"
    assert await name(ahead, query(parts=frozenset({"customer", "orders"}))) == "C1, fetch 1"
    assert room.asked[0].parts is None


async def test_no_question_waits_for_a_fetch_that_is_under_way(room: Room, ahead: FactsAhead) -> None:
    room.may.clear()
    await opened(ahead)
    asking = asyncio.ensure_future(name(ahead, query(parts=frozenset({"customer"}))))
    await asyncio.sleep(0)
    assert len(room.asked) == 2
    room.may.set()
    assert await asking == "C1, fetch 2"


async def test_facts_never_go_back(room: Room, ahead: FactsAhead) -> None:
    await opened(ahead)
    assert await name(ahead, replace(query(), order_ids=("7",))) == "C1, fetch 2"
    assert await name(ahead, query()) == "C1, fetch 3"


async def test_without_an_opening_each_question_is_fetched_for(room: Room, ahead: FactsAhead) -> None:
    assert [await name(ahead, query()), await name(ahead, query())] == ["C1, fetch 1", "C1, fetch 2"]


async def test_they_serve_for_a_short_time(room: Room, ahead: FactsAhead) -> None:
    await opened(ahead)
    room.seconds += 10.0
    assert await name(ahead, query()) == "C1, fetch 2"


async def test_they_are_one_customers_of_one_shop(room: Room, ahead: FactsAhead) -> None:
    await opened(ahead)
    assert await name(ahead, query("C2")) == "C2, fetch 2"
    assert await name(ahead, query("C1", tenant="other")) == "C1, fetch 3"
    assert await name(ahead, query()) == "C1, fetch 1"


@pytest.mark.parametrize(
    "named",
    [replace(query(), order_ids=("7",)), replace(query(), order_tails=("7",)), replace(query(), tracking_nos=("7",))],
)
async def test_what_is_named_is_asked_for(room: Room, ahead: FactsAhead, named: FactsQuery) -> None:
    await opened(ahead)
    assert await name(ahead, named) == "C1, fetch 2"


async def test_what_was_missing_is_asked_for(room: Room, ahead: FactsAhead) -> None:
    room.missing = ("parcels",)
    await opened(ahead)
    assert await name(ahead, query(parts=frozenset({"customer"}))) == "C1, fetch 1"
    assert await name(ahead, query(parts=frozenset({"parcels"}))) == "C1, fetch 2"


async def test_what_no_source_has_is_not_asked_for_again(room: Room, ahead: FactsAhead) -> None:
    room.missing = ("parcels", "invoices")
    await opened(ahead, tenant="small")
    assert await name(ahead, query(tenant="small")) == "C1, fetch 1"


async def test_a_fetch_that_fails_stops_no_question(room: Room, ahead: FactsAhead) -> None:
    room.error = RoomFailed("away")
    await opened(ahead)
    room.error = None
    assert await name(ahead, query()) == "C1, fetch 2"


async def test_opening_again_fetches_nothing_more(room: Room, ahead: FactsAhead) -> None:
    for _ in range(3):
        await opened(ahead)
    assert len(room.asked) == 1


async def test_a_visitor_has_no_facts(room: Room, ahead: FactsAhead) -> None:
    await opened(ahead, None)
    assert room.asked == []


async def test_it_can_be_left_out(room: Room) -> None:
    ahead = FactsAhead(room, room, kept_s=0.0, within_s=1.0, declared={})
    await opened(ahead)
    assert await name(ahead, query()) == "C1, fetch 1"


async def test_many_openings_at_once_do_not_storm_the_shop(room: Room, ahead: FactsAhead) -> None:
    room.may.clear()
    for number in range(3 * UNDER_WAY_MAX):
        ahead.opened("demo", f"C{number}")
    await asyncio.sleep(0)
    assert len(room.asked) == UNDER_WAY_MAX


async def test_they_are_forgotten_when_their_time_is_over(room: Room) -> None:
    ahead = FactsAhead(room, room, kept_s=0.001, within_s=1.0, declared={})
    await opened(ahead)
    held = weakref.ref(await ahead.facts(query()))
    async with asyncio.timeout(10):
        while held() is not None:
            await asyncio.sleep(0.001)
