"""What can have happened to an order. Hours and days count from the start of today; the past is negative.

Everything past lies before today, so that it is past at any hour, apart from a parcel that went out for delivery this morning:
a query shows its event no later than now. Everything still to come lies after today, apart from an arrival that may be today's.
"""

from __future__ import annotations

from dataclasses import dataclass

from serve_app.domain.facts import AfterSaleStage, AfterSaleType, OrderState, ParcelState

Range = tuple[float, float]
S, P, T, G = OrderState, ParcelState, AfterSaleType, AfterSaleStage
DAY_H = 24.0


@dataclass(frozen=True, slots=True)
class Box:
    """A parcel: when its last event was (hours), and when it comes (days); None: nobody can say, or it has come."""

    state: ParcelState
    last_h: Range
    estimated_day: tuple[int, int] | None = None
    promised_day: tuple[int, int] | None = None  # None: as estimated, or as the journey allows


@dataclass(frozen=True, slots=True)
class Story:
    """`placed_h` is for an order without parcels; else its parcels' journeys tell when it was placed."""

    state: OrderState
    boxes: tuple[Box, ...] = ()
    placed_h: Range = (-40, -2)
    is_paid: bool = True
    after_sale: tuple[AfterSaleType, AfterSaleStage] | None = None
    days_ago: tuple[int, int] = (0, 0)  # the whole story is moved back by so many days
    unshipped_lines: int = 0


@dataclass(frozen=True, slots=True)
class StageTimes:
    """When the after-sale was asked for, and by when its stage ends (hours from today; None: no deadline)."""

    requested_h: Range
    deadline_h: Range | None = None


STAGE_TIMES: dict[AfterSaleStage, StageTimes] = {
    G.REQUESTED: StageTimes((-20, -1), (25, 47)),
    G.REJECTED: StageTimes((-120, -30)),
    G.AWAITING_RETURN: StageTimes((-72, -20), (72, 140)),
    G.RETURN_IN_TRANSIT: StageTimes((-120, -60)),
    G.INSPECTING: StageTimes((-168, -100), (25, 48)),
    G.PROCESSING: StageTimes((-140, -60), (48, 120)),
    G.RESHIPPED: StageTimes((-200, -120)),
    G.REFUNDING: StageTimes((-140, -50), (49, 96)),
    G.REFUNDED: StageTimes((-240, -120)),
    G.CLOSED: StageTimes((-240, -60)),
}
RETURNING = (G.AWAITING_RETURN, G.RETURN_IN_TRANSIT, G.INSPECTING)
STAGES: dict[AfterSaleType, tuple[AfterSaleStage, ...]] = {
    T.REFUND_ONLY: (G.REQUESTED, G.REJECTED, G.REFUNDING, G.REFUNDED, G.CLOSED),
    T.RETURN_REFUND: (G.REQUESTED, G.REJECTED, *RETURNING, G.REFUNDING, G.REFUNDED, G.CLOSED),
    T.EXCHANGE: (G.REQUESTED, G.REJECTED, *RETURNING, G.PROCESSING, G.RESHIPPED, G.CLOSED),
    T.REPAIR: (G.REQUESTED, G.REJECTED, *RETURNING, G.PROCESSING, G.RESHIPPED, G.CLOSED),
    T.RESHIP: (G.REQUESTED, G.REJECTED, G.PROCESSING, G.RESHIPPED, G.CLOSED),
}
ENDED = (G.REJECTED, G.RESHIPPED, G.REFUNDED, G.CLOSED)

MOVING = Box(P.IN_TRANSIT, (-20, -1), (1, 2))
ARRIVED = Box(P.DELIVERED, (-6 * DAY_H, -1))

UNPAID = Story(S.UNPAID, placed_h=(-4, -0.2), is_paid=False)
DEPOSIT = Story(S.DEPOSIT_PAID, placed_h=(-5 * DAY_H, -DAY_H), is_paid=False)
PAID = Story(S.PAID)
LABEL = Story(S.SHIPPED, (Box(P.LABEL_CREATED, (-10, -1), (2, 4)),))
PICKED_UP = Story(S.SHIPPED, (Box(P.PICKED_UP, (-14, -1), (2, 3)),))
IN_TRANSIT = Story(S.SHIPPED, (MOVING,))
ARRIVES_TOMORROW = Story(S.SHIPPED, (Box(P.IN_TRANSIT, (-10, -1), (1, 1)),))
LATE = Story(S.SHIPPED, (Box(P.IN_TRANSIT, (-20, -2), (0, 2), (-4, -1)),))
OUT_FOR_DELIVERY = Story(S.SHIPPED, (Box(P.OUT_FOR_DELIVERY, (7, 9.5), (0, 0)),))
AT_PICKUP_POINT = Story(S.SHIPPED, (Box(P.AT_PICKUP_POINT, (-20, -3)),))
EXCEPTION = Story(S.SHIPPED, (Box(P.EXCEPTION, (-30, -4), (1, 3)),))
LOST = Story(S.SHIPPED, (Box(P.LOST, (-60, -6)),))
RETURNED = Story(S.SHIPPED, (Box(P.RETURNED, (-60, -6)),))
TWO_PARCELS = Story(S.SHIPPED, (Box(P.DELIVERED, (-50, -5)), MOVING))
THREE_PARCELS = Story(S.SHIPPED, (Box(P.DELIVERED, (-50, -5)), Box(P.OUT_FOR_DELIVERY, (7, 9.5), (0, 0)), MOVING))
PARTLY_SHIPPED = Story(S.PARTLY_SHIPPED, (MOVING,), unshipped_lines=1)
DELIVERED = Story(S.DELIVERED, (ARRIVED,))
COMPLETED = Story(S.COMPLETED, (ARRIVED,), days_ago=(16, 330))
COMPLETED_IN_TWO = Story(S.COMPLETED, (ARRIVED, ARRIVED), days_ago=(16, 330))
CANCELLED = Story(S.CANCELLED, days_ago=(2, 300))
CANCELLED_UNPAID = Story(S.CANCELLED, is_paid=False, days_ago=(2, 300))
CLOSED_UNPAID = Story(S.CLOSED, is_paid=False, days_ago=(2, 300))
CLOSED_REFUNDED = Story(S.CLOSED, (ARRIVED,), after_sale=(T.RETURN_REFUND, G.REFUNDED), days_ago=(14, 300))
PAID_REFUND_ASKED = Story(S.PAID, after_sale=(T.REFUND_ONLY, G.REQUESTED), placed_h=(-70, -40))
LOST_REFUNDING = Story(S.SHIPPED, LOST.boxes, after_sale=(T.REFUND_ONLY, G.REFUNDING))

AFTER_SALES = tuple(
    Story(S.DELIVERED, (ARRIVED,), after_sale=(kind, stage)) for kind, stages in STAGES.items() for stage in stages
)
OLD_AFTER_SALES = tuple(
    Story(S.COMPLETED, (ARRIVED,), after_sale=(kind, stage), days_ago=(20, 300))
    for kind, stages in STAGES.items()
    for stage in stages
    if stage in ENDED
)

# How often each happens in the shop. Open orders are more frequent than in life, so that there is something to ask about.
BAG: tuple[tuple[Story, int], ...] = (
    (UNPAID, 6), (DEPOSIT, 5), (PAID, 12), (LABEL, 5), (PICKED_UP, 5), (IN_TRANSIT, 16), (ARRIVES_TOMORROW, 5), (LATE, 5),
    (OUT_FOR_DELIVERY, 6), (AT_PICKUP_POINT, 6), (EXCEPTION, 3), (LOST, 2), (RETURNED, 3), (TWO_PARCELS, 4), (THREE_PARCELS, 2),
    (PARTLY_SHIPPED, 5), (DELIVERED, 14), (COMPLETED, 90), (COMPLETED_IN_TWO, 12), (CANCELLED, 8), (CANCELLED_UNPAID, 6),
    (CLOSED_UNPAID, 6), (CLOSED_REFUNDED, 6), (PAID_REFUND_ASKED, 2), (LOST_REFUNDING, 2),
    *((story, 1) for story in AFTER_SALES), *((story, 1) for story in OLD_AFTER_SALES),
)  # fmt: skip
OVER = (COMPLETED, COMPLETED, COMPLETED, COMPLETED_IN_TWO, CANCELLED, CANCELLED_UNPAID, CLOSED_UNPAID, CLOSED_REFUNDED)
