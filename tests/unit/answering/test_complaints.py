"""How many answers one customer may have set aside."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from serve_app.adapters.memory_aside import MemorySetAsides
from serve_app.answering.complaints import OF_A_CUSTOMER_MAX, OF_STRANGERS_MAX, WINDOW_S, Complaints
from serve_app.domain.aside import Complaint
from serve_app.domain.errors import StoreFailed
from serve_app.domain.messages import Caller

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
WRONG = Complaint("0", "能寄到南极吗", "可以。", "model", ("delivery-area",), "capable", True, NOW)
STRANGER, CUSTOMER = Caller("demo"), Caller("demo", "C1001")


class Clock:
    seconds = 0.0

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return self.seconds


async def complain(complaints: Complaints, caller: Caller, first: int, count: int) -> list[bool]:
    """Of answers to different questions."""
    return [await complaints.hear(caller, f"ans_{n}", replace(WRONG, id=str(n))) for n in range(first, first + count)]


@pytest.mark.parametrize(("caller", "most"), [(CUSTOMER, OF_A_CUSTOMER_MAX), (STRANGER, OF_STRANGERS_MAX)])
async def test_one_customer_sets_so_many_answers_aside_within_an_hour(caller: Caller, most: int) -> None:
    clock, asides = Clock(), MemorySetAsides()
    complaints = Complaints(asides, clock)
    assert await complain(complaints, caller, 0, most + 2) == [True] * most + [False] * 2
    assert await complain(complaints, Caller("demo", "C1002"), 5000, 1) == [True]
    assert await complain(complaints, replace(caller, tenant="other"), 5000, 1) == [True]
    clock.seconds += WINDOW_S
    assert await complain(complaints, caller, 6000, 1) == [True]
    assert len(await asides.not_said("demo")) == most + 2


async def test_the_same_thumb_twice_is_one_complaint() -> None:
    asides = MemorySetAsides()
    complaints = Complaints(asides, Clock())
    assert await complaints.hear(CUSTOMER, "ans_1", WRONG)
    assert not await complaints.hear(CUSTOMER, "ans_1", WRONG)
    assert await complaints.hear(Caller("demo", "C1002"), "ans_2", WRONG)
    row = await asides.find("demo", WRONG.id)
    assert row is not None
    assert row.count == 2


async def test_what_the_record_did_not_hear_is_heard_the_next_time() -> None:
    class Away(MemorySetAsides):
        is_away = True

        async def complain(self, tenant: str, complaint: Complaint) -> bool:
            if self.is_away:
                raise StoreFailed("away")
            return await super().complain(tenant, complaint)

    asides = Away()
    complaints = Complaints(asides, Clock())
    with pytest.raises(StoreFailed):
        await complaints.hear(CUSTOMER, "ans_1", WRONG)
    asides.is_away = False
    assert await complaints.hear(CUSTOMER, "ans_1", WRONG)
