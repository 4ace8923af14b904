"""Which order a question means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.choosing import (
    CHOICES_MAX,
    CannotTell,
    Chosen,
    NoneFits,
    NotAmongFacts,
    NotHeld,
    Several,
    choose_order,
)
from serve_app.domain.facts import AfterSaleStage, Facts, Order, OrderState, ParcelState
from serve_app.domain.intents import Intent
from serve_app.domain.mentions import is_called
from serve_app.domain.question import Entities
from tests.making_facts import after_sale, facts, line, order, parcel

NOTHING = Entities()
ORDER_INTENTS = [Intent.ORDER_STATUS, Intent.PARCEL, Intent.REFUND_PROGRESS]


def with_after_sale(number: int, stage: AfterSaleStage = AfterSaleStage.REFUNDING) -> Order:
    return order(number, OrderState.DELIVERED, lines=(line(1, after_sale(stage)),))


@pytest.mark.parametrize("intent", ORDER_INTENTS)
@pytest.mark.parametrize(
    "entities",
    [
        Entities(order_ids=("ZW202611220002",)),
        Entities(order_tails=("0002",)),
        Entities(tracking_nos=("SF0000000000002",)),
    ],
)
def test_a_named_order_is_the_one(intent: Intent, entities: Entities) -> None:
    meant = order(2, OrderState.DELIVERED, parcel(number=2))
    known = facts(order(1, OrderState.SHIPPED, parcel()), meant, order(3))
    assert choose_order(intent, known, entities, None) == Chosen(meant)
    assert choose_order(intent, known, entities, "ZW202611220001") == Chosen(meant)


def test_a_named_order_that_is_not_there_is_not_replaced_by_another() -> None:
    known = facts(order(1))
    assert choose_order(Intent.PARCEL, known, Entities(order_ids=("ZW202611229999",)), None) == NotAmongFacts(False)
    assert choose_order(Intent.PARCEL, known, Entities(order_tails=("9999",)), None) == NotAmongFacts(False)
    assert choose_order(Intent.PARCEL, known, Entities(tracking_nos=("SF9",)), None) == NotAmongFacts(True)
    assert choose_order(Intent.PARCEL, known, NOTHING, "ZW202611229999") == NotAmongFacts(False)


@pytest.mark.parametrize(
    ("entities", "chosen"),
    [
        (Entities(order_ids=("ZW202611229999",)), None),
        (Entities(order_tails=("9999",)), None),
        (Entities(tracking_nos=("SF9",)), None),
        (NOTHING, "ZW202611229999"),
    ],
)
def test_what_was_not_fetched_is_not_said_to_be_absent(entities: Entities, chosen: str | None) -> None:
    known = facts(order(1), named_orders_known=False)
    assert choose_order(Intent.PARCEL, known, entities, chosen) == CannotTell("order")


def test_a_tail_that_two_orders_share_leaves_a_choice() -> None:
    one, other = order(1, id="ZW202611110001"), order(2, id="ZW202611120001")
    assert choose_order(Intent.ORDER_STATUS, facts(one, other), Entities(order_tails=("0001",)), None) == Several(
        (other, one), more=False
    )


def test_the_chosen_order_is_the_one() -> None:
    known = facts(order(1), order(2))
    assert choose_order(Intent.ORDER_STATUS, known, NOTHING, known.orders[1].id) == Chosen(known.orders[1])


def test_a_parcel_question_means_the_order_with_parcels_under_way() -> None:
    moving = order(1, OrderState.SHIPPED, parcel())
    known = facts(moving, order(2, OrderState.PAID), order(3, OrderState.DELIVERED, parcel(ParcelState.DELIVERED)))
    assert choose_order(Intent.PARCEL, known, NOTHING, None) == Chosen(moving)


def test_without_parcels_under_way_a_parcel_question_means_the_order_to_be_shipped() -> None:
    paid = order(2, OrderState.PAID)
    assert choose_order(Intent.PARCEL, facts(order(1, OrderState.COMPLETED), paid), NOTHING, None) == Chosen(paid)


def test_a_refund_question_means_the_order_with_an_after_sale_in_progress() -> None:
    meant = with_after_sale(1)
    known = facts(meant, with_after_sale(2, AfterSaleStage.REFUNDED), order(3))
    assert choose_order(Intent.REFUND_PROGRESS, known, NOTHING, None) == Chosen(meant)


def test_without_any_after_sale_no_order_fits_a_refund_question() -> None:
    assert choose_order(Intent.REFUND_PROGRESS, facts(order(1)), NOTHING, None) == NoneFits()


def test_several_that_fit_leave_a_choice_of_at_most_five_newest_first() -> None:
    known = facts(*(order(number, OrderState.PAID) for number in range(1, 8)))
    choice = choose_order(Intent.ORDER_STATUS, known, NOTHING, None)
    assert isinstance(choice, Several)
    assert [one.id[-4:] for one in choice.orders] == ["0007", "0006", "0005", "0004", "0003"]
    assert choice.more


def test_when_no_order_is_open_the_most_recent_one_is_meant() -> None:
    old, recent = order(1, OrderState.COMPLETED), order(2, OrderState.CANCELLED)
    assert choose_order(Intent.ORDER_STATUS, facts(old, recent), NOTHING, None) == Chosen(recent)


@pytest.mark.parametrize("intent", ORDER_INTENTS)
def test_nothing_is_said_while_the_orders_are_missing(intent: Intent) -> None:
    assert choose_order(intent, facts(order(1), missing=("orders",)), NOTHING, None) == CannotTell("orders")


@pytest.mark.parametrize(
    ("intent", "missing"),
    [(Intent.PARCEL, "parcels"), (Intent.REFUND_PROGRESS, "after_sales"), (Intent.REFUND_PROGRESS, "lines")],
)
def test_nothing_is_chosen_by_what_is_missing(intent: Intent, missing: str) -> None:
    assert choose_order(intent, facts(order(1), order(2), missing=(missing,)), NOTHING, None) == CannotTell(missing)


def test_a_tracking_number_cannot_be_looked_for_without_parcels() -> None:
    known = facts(order(1), missing=("parcels",))
    assert choose_order(Intent.PARCEL, known, Entities(tracking_nos=("SF1",)), None) == CannotTell("parcels")


def test_an_item_points_to_the_order_that_holds_it() -> None:
    meant = order(1, lines=(line(7),))
    known = facts(meant, order(2))
    assert choose_order(Intent.ORDER_STATUS, known, Entities(sku_ids=("SKU-00007",)), None) == Chosen(meant)
    # The facts hold open orders only, so an item that is not in them may still have been bought.
    assert choose_order(Intent.ORDER_STATUS, known, Entities(sku_ids=("SKU-00009",)), None) == CannotTell("order")


states = st.sampled_from(OrderState)
orders = st.lists(states, max_size=8).map(lambda found: tuple(order(n, state) for n, state in enumerate(found, start=1)))


@given(orders, st.sampled_from(ORDER_INTENTS))
def test_what_is_chosen_is_always_among_the_facts(known: tuple[Order, ...], intent: Intent) -> None:
    match choose_order(intent, Facts(**facts(*known).model_dump()), NOTHING, None):
        case Chosen(chosen):
            assert chosen in known
        case Several(offered, more):
            assert 2 <= len(offered) <= CHOICES_MAX
            assert set(offered) <= set(known)
            assert more == (len(offered) == CHOICES_MAX and len(known) > CHOICES_MAX) or not more
        case NoneFits():
            assert not known or intent is Intent.REFUND_PROGRESS
        case other:
            raise AssertionError(f"facts that are whole allow a choice, not {other}")


EARBUDS = line(2, title_zh="云朵系列蓝牙耳机 米白", title_en="Cloud Wireless Earbuds, Off-White")


def test_the_order_that_holds_the_thing_is_the_one() -> None:
    meant = order(2, OrderState.SHIPPED, parcel(), lines=(line(1), EARBUDS))
    known = facts(order(1, OrderState.SHIPPED, parcel()), meant)
    for thing in ("蓝牙耳机", "earbuds", "wireless earbud"):
        assert choose_order(Intent.PARCEL, known, Entities(things=(thing,)), None) == Chosen(meant)
        assert choose_order(Intent.PARCEL, known, Entities(things=(thing,)), known.orders[0].id) == Chosen(meant)


def test_of_several_that_hold_it_the_likely_one_is_meant_else_the_customer_chooses() -> None:
    moving = order(3, OrderState.SHIPPED, parcel(), lines=(EARBUDS,))
    known = facts(moving, order(2, OrderState.COMPLETED, lines=(EARBUDS,)), order(1, OrderState.SHIPPED, parcel()))
    asked = Entities(things=("蓝牙耳机",))
    assert choose_order(Intent.PARCEL, known, asked, None) == Chosen(moving)
    both = facts(moving, order(2, OrderState.SHIPPED, parcel(), lines=(EARBUDS,)))
    assert choose_order(Intent.PARCEL, both, asked, None) == Several(both.orders, more=False)


def test_what_no_order_holds_is_no_thing() -> None:
    known = facts(order(1, OrderState.SHIPPED, parcel()))
    assert choose_order(Intent.PARCEL, known, Entities(things=("火箭",)), None) == NotHeld()
    assert choose_order(Intent.PARCEL, known, Entities(things=("无线耳机", "火箭")), None) == NotHeld()
    named = Entities(order_ids=(known.orders[0].id,), things=("火箭",))
    assert choose_order(Intent.PARCEL, known, named, None) == NotHeld()
    missing = known.model_copy(update={"missing": ("lines",)})
    assert choose_order(Intent.PARCEL, missing, Entities(things=("无线耳机",)), None) == CannotTell("lines")


def test_an_order_is_told_by_its_state() -> None:
    unpaid = order(2, OrderState.UNPAID)
    known = facts(order(1, OrderState.SHIPPED, parcel()), unpaid)
    assert choose_order(Intent.ORDER_TOTAL, known, Entities(marks=("unpaid",)), None) == Chosen(unpaid)
    lost = order(3, OrderState.SHIPPED, parcel(ParcelState.LOST))
    assert choose_order(Intent.PARCEL, facts(unpaid, lost), Entities(marks=("lost",)), None) == Chosen(lost)
    assert choose_order(Intent.PARCEL, facts(unpaid), Entities(marks=("lost",)), None) == NoneFits()
    older = facts(unpaid, order_count=5)
    assert choose_order(Intent.PARCEL, older, Entities(marks=("lost",)), None) == CannotTell("order")


def test_a_question_that_only_one_order_can_answer_leaves_the_order_last_spoken_of() -> None:
    spoken_of, refunded = order(1, OrderState.SHIPPED, parcel()), with_after_sale(2)
    known = facts(spoken_of, refunded)
    assert choose_order(Intent.REFUND_PROGRESS, known, NOTHING, spoken_of.id) == Chosen(refunded)
    assert choose_order(Intent.PARCEL, known, NOTHING, spoken_of.id) == Chosen(spoken_of)
    picked = Entities(ordinal=1)
    assert choose_order(Intent.REFUND_PROGRESS, known, picked, spoken_of.id) == Chosen(spoken_of)
    several = facts(spoken_of, refunded, with_after_sale(3))
    assert choose_order(Intent.REFUND_PROGRESS, several, NOTHING, spoken_of.id) == Chosen(spoken_of)


@pytest.mark.parametrize(
    ("thing", "title"),
    [
        ("键盘", "海盐系列机械键盘 炭黑"),
        ("裤子", "云朵系列牛仔裤 雾蓝"),
        ("手冲壶", "青柠系列手冲咖啡壶 米白"),
        ("纯棉t恤", "云朵系列纯棉T恤 米白"),
        ("sneaker", "Timeless Sneakers, Olive"),
        ("desk lamp", "Dusk Desk Lamp, Olive"),
    ],
)
def test_a_thing_is_called_by_a_part_of_its_title(thing: str, title: str) -> None:
    assert is_called(thing, [title])
    assert not is_called(thing, ["初雪系列护手霜 豆沙粉", "First Snow Hand Cream, Dusty Pink"])
