"""Parcels' journeys: event histories that lead to a state, told backwards from the last event."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

from serve_app.domain.facts import ParcelState

HOUR_S = 3_600
DAY_S = 24 * HOUR_S
S = ParcelState
BY_NIGHT_TOO = (S.LABEL_CREATED, S.IN_TRANSIT)

# The states on the way to each, oldest first.
WAYS: dict[ParcelState, tuple[ParcelState, ...]] = {
    S.LABEL_CREATED: (S.LABEL_CREATED,),
    S.PICKED_UP: (S.LABEL_CREATED, S.PICKED_UP),
    S.IN_TRANSIT: (S.LABEL_CREATED, S.PICKED_UP, S.IN_TRANSIT, S.IN_TRANSIT),
    S.OUT_FOR_DELIVERY: (S.LABEL_CREATED, S.PICKED_UP, S.IN_TRANSIT, S.IN_TRANSIT, S.OUT_FOR_DELIVERY),
    S.AT_PICKUP_POINT: (S.LABEL_CREATED, S.PICKED_UP, S.IN_TRANSIT, S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.AT_PICKUP_POINT),
    S.DELIVERED: (S.LABEL_CREATED, S.PICKED_UP, S.IN_TRANSIT, S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.DELIVERED),
    S.RETURNED: (S.LABEL_CREATED, S.PICKED_UP, S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.EXCEPTION, S.RETURNED),
    S.EXCEPTION: (S.LABEL_CREATED, S.PICKED_UP, S.IN_TRANSIT, S.EXCEPTION),
    S.LOST: (S.LABEL_CREATED, S.PICKED_UP, S.IN_TRANSIT, S.EXCEPTION, S.LOST),
}
# Hours before an event, from and to, in which the one before it happened.
GAPS_H: dict[ParcelState, tuple[int, int]] = {
    S.PICKED_UP: (2, 9),
    S.IN_TRANSIT: (9, 22),
    S.OUT_FOR_DELIVERY: (10, 18),
    S.AT_PICKUP_POINT: (2, 5),
    S.DELIVERED: (2, 6),
    S.EXCEPTION: (4, 16),
    S.RETURNED: (48, 72),
    S.LOST: (72, 120),
}
WORDS: dict[str, dict[ParcelState, str]] = {
    "zh": {
        S.LABEL_CREATED: "商家已打单,等待快递员揽收",
        S.PICKED_UP: "快递员已揽收",
        S.IN_TRANSIT: "包裹已到达转运中心,正发往下一站",
        S.OUT_FOR_DELIVERY: "快递员正在派送,请保持电话畅通",
        S.AT_PICKUP_POINT: "包裹已放至代收点,请凭取件码领取",
        S.DELIVERED: "已签收,感谢使用",
        S.RETURNED: "包裹已退回寄件人",
        S.EXCEPTION: "派送异常,正在核实处理",
        S.LOST: "确认包裹遗失,进入理赔",
    },
    "en": {
        S.LABEL_CREATED: "Label created, waiting for the courier",
        S.PICKED_UP: "Picked up by the courier",
        S.IN_TRANSIT: "Arrived at a sorting centre and on its way",
        S.OUT_FOR_DELIVERY: "Out for delivery",
        S.AT_PICKUP_POINT: "At the pickup point, ready to be collected with the code",
        S.DELIVERED: "Delivered",
        S.RETURNED: "Returned to the sender",
        S.EXCEPTION: "Delivery problem, being looked into",
        S.LOST: "Confirmed lost, a claim is open",
    },
}
WAREHOUSES = {"zh": "苏州", "en": "Suzhou"}
HUBS = {"zh": ("无锡转运中心", "武汉转运中心", "郑州转运中心"), "en": ("Wuxi hub", "Wuhan hub", "Zhengzhou hub")}
# Both languages in one: a carrier is known by its name.
CARRIERS: tuple[tuple[str, str, int], ...] = (
    ("顺丰速运 SF Express", "SF", 13),
    ("圆通速递 YTO Express", "YT", 13),
    ("京东物流 JD Logistics", "JD", 13),
    ("中通快递 ZTO Express", "ZTO", 12),
)


@dataclass(frozen=True, slots=True)
class Event:
    at_s: int
    state: ParcelState
    place: str
    text: str


def journey(rng: Random, state: ParcelState, last_s: int, city: str, language: Literal["zh", "en"]) -> tuple[Event, ...]:
    """The events up to `state`, oldest first, of which the last happened at `last_s`."""
    way = WAYS[state]
    moments = [_at_a_courier_s_hour(rng, state, last_s)]
    for earlier, later in zip(reversed(way[:-1]), reversed(way), strict=False):
        low, high = GAPS_H[later]
        moments.append(_at_a_courier_s_hour(rng, earlier, moments[-1] - rng.randint(low * HOUR_S, high * HOUR_S)))
    hub = rng.choice(HUBS[language])
    return tuple(
        Event(at_s, step, _place(number, step, city, hub, language), WORDS[language][step])
        for number, (step, at_s) in enumerate(zip(way, reversed(moments), strict=True))
    )


def _at_a_courier_s_hour(rng: Random, state: ParcelState, at_s: int) -> int:
    """Nobody knocks at night: the moment, or one on the working day before it. Sorting centres never rest."""
    hour = at_s % DAY_S // HOUR_S
    if state in BY_NIGHT_TOO or 7 <= hour < 20:
        return at_s
    evening_s = (at_s // DAY_S - (hour < 7)) * DAY_S + 20 * HOUR_S
    return evening_s - rng.randint(600, 4 * HOUR_S)


def _place(number: int, state: ParcelState, city: str, hub: str, language: str) -> str:
    if state in (S.LABEL_CREATED, S.PICKED_UP, S.RETURNED):
        return WAREHOUSES[language]
    return hub if number == 2 or state is S.LOST else city


def carrier(rng: Random) -> tuple[str, str]:
    """A carrier's name and a tracking number of its form."""
    name, prefix, digits = rng.choice(CARRIERS)
    return name, prefix + "".join(str(rng.randrange(10)) for _ in range(digits))
