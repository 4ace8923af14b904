"""What a question is told of the published knowledge: nothing that this process's view does not show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from opentelemetry.context import Context

from serve_app.answering.library import Library
from serve_app.answering.rooms import Rooms
from serve_app.answering.work import Work
from serve_app.config import DeadlineSettings
from serve_app.domain.errors import RoomFailed, StoreFailed
from serve_app.domain.facts import Facts
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Found, Lookup, Passage, Template, TemplateCase
from serve_app.domain.messages import Ask, Caller, Kind, Suggestion
from serve_app.domain.question import Entities, Understanding
from serve_app.domain.sharing import VersionView
from serve_app.ports import FactsQuery
from serve_app.published import Published

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
FEE = Entry("fee", 1, Intent.SHIPPING_FEE, {"zh": ("运费多少",), "en": ("how much is it",)}, {"zh": "八元。", "en": "Eight."})
PARCEL = Template("parcel", 1, Intent.TIER, (TemplateCase("", {"zh": "在路上", "en": "On its way"}),))
ASK = Ask(Caller("demo"), "s", "m", "运费多少")


class Shop:
    """A record, a Cache room and a clock that the test moves."""

    def __init__(self) -> None:
        self.published: tuple[Sequence[Entry], Sequence[Template]] = ([FEE], [PARCEL])
        self.seconds = 0.0
        self.view: VersionView | None = None
        self.is_away = False
        self.catching_up = 0
        self.lookups: list[Lookup] = []
        self.room: Found | Exception = Found()
        self.index = Published(cast(Any, self.Record(self)))
        rooms = Rooms(self.Cache(self), self.Context(), self, DeadlineSettings())
        self.library = Library(self.index, rooms, lambda _: self.view, self.catch_up, self, serve_stale_s=1.0)

    class Record:
        def __init__(self, shop: Shop) -> None:
            self._shop = shop

        async def published(self, tenant: str) -> tuple[Sequence[Entry], Sequence[Template]]:
            return self._shop.published

    class Cache:
        def __init__(self, shop: Shop) -> None:
            self._shop = shop

        async def look_up(self, lookup: Lookup) -> Found:
            self._shop.lookups.append(lookup)
            if isinstance(self._shop.room, Exception):
                raise self._shop.room
            return self._shop.room

    class Context:
        async def facts(self, query: FactsQuery) -> Facts:
            raise NotImplementedError

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return self.seconds

    def show(self, versions: Mapping[str, int] | None = None) -> None:
        entries, templates = self.published
        shown = {item.id: item.version for item in (*entries, *templates)} if versions is None else versions
        self.view = VersionView(shown, self.seconds, knowledge_version=7)

    async def catch_up(self) -> None:
        self.catching_up += 1
        if self.is_away:
            raise StoreFailed("away")
        await self.index.renew("demo")
        self.show()


@pytest.fixture
async def shop() -> Shop:
    shop = Shop()
    await shop.catch_up()
    shop.catching_up = 0
    return shop


def work(shop: Shop, canonical: str = "运费多少", kind: Kind = Kind.PUBLIC, intent: Intent = Intent.SHIPPING_FEE) -> Work:
    asked = Work(ASK, "a", shop, shop.seconds + 10, Context())
    asked.understood = Understanding(canonical, "zh", False, intent, 1.0, Entities(), kind, canonical)
    return asked


async def test_an_exact_wording_and_a_template_take_no_hop(shop: Shop) -> None:
    assert await shop.library.look_up(work(shop)) == Found(entry=FEE, tier="memory")
    assert (await shop.library.look_up(work(shop, "@tier", Kind.TEMPLATED, Intent.TIER))).template == PARCEL
    assert shop.library.publishes(ASK, work(shop).understood)
    assert shop.lookups == []


async def test_an_answer_says_that_its_question_was_compared_with_nothing(shop: Shop) -> None:
    shop.room = Found(suggestions=(Suggestion("fee", "运费多少"),), partial=True)
    asked = work(shop, "别的", intent=Intent.OTHER)
    await shop.library.look_up(asked)
    assert asked.degraded == ["knowledge"]


async def test_the_room_is_told_which_version_is_known_here(shop: Shop) -> None:
    shop.room = Found(suggestions=(Suggestion("fee", "运费多少"),), refused=("negation",))
    asked = work(shop, "运费不要多少")
    assert await shop.library.look_up(asked) == shop.room
    assert asked.gates == ("negation",)
    assert [lookup.at_least for lookup in shop.lookups] == [7]


async def test_what_a_publication_hides_is_not_said_before_this_process_has_its_own_of_it(shop: Shop) -> None:
    shop.published = ([replace(FEE, version=2, answers={"zh": "九元。", "en": "Nine."})], [])
    shop.show({})
    assert not shop.library.publishes(ASK, work(shop).understood)
    assert shop.library.at_hand(ASK, work(shop).understood) is None
    found = await shop.library.look_up(work(shop))
    assert found.entry is not None
    assert found.entry.answers["zh"] == "九元。"
    assert shop.catching_up == 1


async def test_a_room_that_is_ahead_is_caught_up_with(shop: Shop) -> None:
    newer = replace(FEE, version=2)
    shop.published = ([newer], [PARCEL])
    shop.room = Found(entry=newer)
    asked = work(shop, "要多少运费")
    assert await shop.library.look_up(asked) == Found(entry=newer)
    assert asked.degraded == []


@pytest.mark.parametrize("version", [0, 2])
async def test_a_room_of_another_version_is_not_listened_to(shop: Shop, version: int) -> None:
    other = replace(FEE, version=version)
    shop.room = Found(
        entry=other,
        template=replace(PARCEL, version=version),
        passages=(Passage(other.source, "q", "old words"), Passage(FEE.source, "q", "words")),
        suggestions=(Suggestion("gone", "q"), Suggestion("fee", "q")),
    )
    asked = work(shop, "要多少运费")
    found = await shop.library.look_up(asked)
    assert (found.entry, found.template) == (None, None)
    assert [passage.text for passage in found.passages] == ["words"]
    assert [suggestion.id for suggestion in found.suggestions] == ["fee"]
    assert asked.degraded == ["knowledge"], "what is made of the rest is not shared"


async def test_a_heartbeat_that_is_late_is_made_up_for(shop: Shop) -> None:
    shop.seconds += 5
    assert shop.library.at_hand(ASK, work(shop).understood) is None
    asked = work(shop)
    assert (await shop.library.look_up(asked)).tier == "memory"
    assert asked.degraded == []


async def test_while_the_record_is_away_memory_is_passed_by_and_the_room_goes_on(shop: Shop) -> None:
    shop.is_away, shop.room = True, Found(entry=FEE)
    shop.seconds += 5
    for _ in range(3):
        asked = work(shop)
        assert await shop.library.look_up(asked) == Found(entry=FEE)
        assert asked.degraded == ["knowledge"]
    assert shop.catching_up == 1, "only the first one waits for a record that does not answer"


async def test_without_the_room_there_is_still_memory(shop: Shop) -> None:
    shop.room = RoomFailed("away")
    asked = work(shop)
    assert (await shop.library.look_up(asked)).entry == FEE
    assert asked.degraded == []
    other = work(shop, "别的")
    assert await shop.library.look_up(other) == Found()
    assert other.degraded == ["knowledge"]
