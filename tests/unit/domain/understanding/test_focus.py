"""What a conversation is about after a turn."""

from serve_app.domain.intents import Intent
from serve_app.domain.messages import Kind, Option, Suggestion
from serve_app.domain.question import Entities, Focus, Understanding
from serve_app.domain.understanding import refocus

OFFERED = (Option("ZW202611220001", "a"), Option("ZW202611201234", "b"))
SUGGESTED = (Suggestion("x", "怎么退货"), Suggestion("y", "运费多少"))


def understood(
    intent: Intent,
    *,
    entities: Entities | None = None,
    carried: bool = False,
    chosen_order_id: str | None = None,
    canonical: str = "x",
    foreign: bool = False,
) -> Understanding:
    return Understanding(
        text="",
        language="zh",
        foreign=foreign,
        intent=intent,
        confidence=1.0,
        entities=entities or Entities(),
        kind=Kind.PERSONAL,
        canonical=canonical,
        carried=carried,
        chosen_order_id=chosen_order_id,
    )


def test_a_new_topic_replaces_the_last_one():
    focus = refocus(Focus(intent=Intent.PARCEL, offered=OFFERED, suggested=SUGGESTED), understood(Intent.RETURN_POLICY))
    assert (focus.intent, focus.offered, focus.suggested) == (Intent.RETURN_POLICY, (), ())


def test_thanks_leaves_the_topic_and_the_lists():
    before = Focus(intent=Intent.PARCEL, offered=OFFERED, order_id="ZW202611220001")
    after = refocus(before, understood(Intent.THANKS))
    assert (after.intent, after.offered, after.order_id) == (before.intent, before.offered, before.order_id)


def test_what_was_not_understood_is_no_topic_to_go_on_from():
    assert refocus(Focus(intent=Intent.RETURN_POLICY), understood(Intent.OTHER)).intent is Intent.OTHER


def test_the_order_spoken_of():
    assert refocus(Focus(), understood(Intent.PARCEL, chosen_order_id="B")).order_id == "B"
    assert refocus(Focus(), understood(Intent.PARCEL, chosen_order_id="B"), order_id="A").order_id == "A"
    assert refocus(Focus(), understood(Intent.PARCEL, entities=Entities(order_ids=("C",)))).order_id == "C"
    assert refocus(Focus(order_id="A"), understood(Intent.SHIPPING_FEE)).order_id == "A"
    assert refocus(Focus(order_id="A"), understood(Intent.PARCEL, entities=Entities(order_ids=("C", "D")))).order_id == "A"


def test_a_list_stays_while_it_is_picked_from():
    before = Focus(intent=Intent.PARCEL, offered=OFFERED)
    picked = understood(Intent.PARCEL, carried=True, chosen_order_id=OFFERED[1].id)
    assert refocus(before, picked).offered == OFFERED
    picked = understood(Intent.RETURN_HOWTO, carried=True, canonical="怎么退货")
    assert refocus(Focus(suggested=SUGGESTED), picked).suggested == SUGGESTED


def test_misses_are_counted_in_a_row():
    focus = refocus(Focus(), understood(Intent.OTHER), missed=True, suggested=SUGGESTED)
    assert (focus.misses, focus.suggested) == (1, SUGGESTED)
    assert refocus(focus, understood(Intent.OTHER), missed=True).misses == 2
    assert refocus(focus, understood(Intent.PARCEL)).misses == 0


def test_a_foreign_sentence_does_not_change_the_language():
    assert refocus(Focus(language="zh"), understood(Intent.OTHER, foreign=True)).language == "zh"
