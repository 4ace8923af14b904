"""What in an answer is not true: every claim of its text, its cards and its choices, against the shop's database.

Nothing here knows what was expected. A published entry's words are policy: their figures must be published ones. Every
other answer may also tell the customer's own facts: those of the orders that it is about, which are the ones that the answer
names itself, or that the question names, or else any of the customer's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from benchmarks.answering import words
from benchmarks.answering.claims import Claim, claims, contradictions
from benchmarks.answering.dialogue import Turn, asked_orders, ids_in, leaves, named_orders, order_ids
from benchmarks.answering.known import CLOCK, Truth
from benchmarks.answering.policies import Policies
from benchmarks.answering.shop import Customer, Order, Shop

# Raw values that cards give, by their field.
_RAW_STATES = {"state": ("order", "parcel", "invoice"), "stage": ("after_sale",)}
_RAW_FIELDS = ("type", "kind", "freight_payer", "refund_channel", "pickup_code", "pickup_point", "carrier", "return_no")


def wrong_facts(turn: Turn, customer: Customer | None, shop: Shop, policies: Policies) -> list[str]:
    """What is wrong, in words; empty when every claim is true."""
    answer = turn.answer
    now = turn.at.astimezone(shop.zone)
    asked = asked_orders(turn, customer, shop) if customer else frozenset[str]()
    named = named_orders(answer, customer)
    wrong = [f"tells of order {order_id}, which is not the customer's" for order_id in sorted(_strange(named, customer, turn))]
    if asked and not answer.choices:
        wrong += [f"tells of order {order_id}, asked was {', '.join(sorted(asked))}" for order_id in sorted(named - asked)]
    subject = () if answer.is_policy else _subject(named or asked, customer)
    knows = None if answer.is_policy else customer
    truth = Truth(subject, knows, policies, now, turn.all_said, answer.citations, len(answer.choices), answer.is_policy)
    # How long the desk takes is an estimate of the moment, in no database.
    text = re.sub(r"\d+ ?(?:minutes?|分钟)", "·", answer.text) if answer.is_handed_over else answer.text
    wrong += _wrong_text(text, truth, shop, check_states=not (answer.is_policy or answer.is_demo_model))
    for card in answer.cards:
        about = _subject(ids_in(card), customer) or subject
        wrong += _wrong_card(card, Truth(about, customer, policies, now, turn.all_said), shop)
    for order_id, label in answer.choices:
        about = _subject(frozenset([order_id]), customer)
        if order_ids(order_id) and not (customer and customer.order(order_id)):
            wrong.append(f"offers {order_id}, which is not the customer's")
        wrong += _wrong_text(label, Truth(about, customer, policies, now, turn.all_said), shop, check_states=True)
    return list(dict.fromkeys(wrong))


# Of which orders


def _strange(named: frozenset[str], customer: Customer | None, turn: Turn) -> frozenset[str]:
    """Named orders that are not this customer's. A number that the customer wrote may be repeated."""
    mine = {order.id for order in customer.orders} if customer else set[str]()
    in_cards = frozenset[str]().union(*map(ids_in, turn.answer.cards))
    return frozenset(named - mine - (order_ids(turn.all_said) - in_cards))


def _subject(named: frozenset[str], customer: Customer | None) -> tuple[Order, ...]:
    if customer is None:
        return ()
    return tuple(order for order in customer.orders if order.id in named) or customer.orders


# Texts


def _wrong_text(text: str, truth: Truth, shop: Shop, *, check_states: bool) -> list[str]:
    wrong: list[str] = []
    if not truth.is_policy:
        wrong += [f"names {word!r}, which is not in the order" for word in _strange_words(text, truth, shop)]
        text = _without_known_words(text, truth)
        wrong += _wrong_tiers(text, truth)
    wrong += [f"date {said!r}: two different days" for said in contradictions(text, truth.now.date())]
    for claim in claims(text, truth.now.date()):
        if (why := _why_wrong(claim, truth)) is not None:
            wrong.append(f"{claim.kind} {claim.text!r}: {why}")
    if check_states:
        for word, states in words.states_in(text):
            if not (states & truth.states) and not _implied(states, truth.states):
                wrong.append(f"state {word!r}: the database has {', '.join(sorted(truth.states)) or 'none'}")
    return wrong


def _why_wrong(claim: Claim, truth: Truth) -> str | None:
    """None when the claim is true, or says nothing that could be checked."""
    match claim.kind:
        case "order":
            return "a policy is about no order" if truth.is_policy else None  # whose it is, is checked with the cards
        case "tracking":
            is_true = claim.value in truth.of_parcels("tracking_no") or claim.value in re.sub(r"[ -]", "", truth.said).upper()
            return None if is_true else "no such tracking number in the order"
        case "reference":
            return (
                None if claim.value in truth.references or claim.value in truth.said else "nothing of the order has this number"
            )
        case "code":
            return None if claim.value in truth.of_parcels("pickup_code") else "not the pickup code"
        case "tail":
            is_true = any(order.id.endswith(claim.value) for order in truth.orders) or claim.value in truth.said
            return None if is_true else "no such order"
        case "amount":
            return None if claim.value in truth.amounts else "no such amount"
        case "date":
            if claim.weekday is not None and claim.value.weekday() != claim.weekday:
                return "the weekday is another"
            return None if claim.value in truth.days else "nothing happens on this day"
        case "weekday":
            near = {day.weekday() for day in truth.days if abs((day - truth.now.date()).days) <= 7}
            return None if truth.is_policy or claim.value in near else "nothing happens on this day"
        case "time":
            spans = {time for span in truth.policies.spans for time in span}
            return None if claim.value in truth.times | spans else "nothing happens at this time"
        case "span":
            return None if claim.value in truth.policies.spans else "no such hours are published"
        case "percent":
            return None if claim.value in truth.policies.percents else "no such figure is published"
        case "duration":
            return None if _is_duration(claim, truth) else "no such figure is published"
        case "points":
            is_own = truth.customer is not None and claim.value == truth.customer.row["points"]
            is_published = truth.is_policy and claim.value in truth.policies.numbers
            return None if is_own or is_published else "not the customer's points"
        case "count":
            thing, number = claim.value
            published = truth.policies.numbers if truth.is_policy else truth.policies.counts
            is_true = number in truth.counts(thing) or number in published
            return None if is_true else "there are not so many"
        case "number":
            return None if _is_number(claim, truth) else "no source has this number"


def _is_duration(claim: Claim, truth: Truth) -> bool:
    unit, number = claim.value
    if (unit, number) in truth.policies.durations:
        return True
    # How long ago, and in how many days.
    return unit == "day" and any(abs((day - truth.now.date()).days) == number for day in truth.days)


def _is_number(claim: Claim, truth: Truth) -> bool:
    if truth.customer is not None and claim.value in (truth.customer.row["points"], len(truth.customer.orders)):
        return True
    is_said = re.search(rf"(?<!\d){re.escape(claim.text)}(?!\d)", truth.said) is not None
    is_tail = any(order.id.endswith(claim.text) for order in truth.orders)
    is_quantity = any(line["quantity"] == claim.value for order in truth.orders for line in order.lines)
    is_published = claim.value in (truth.policies.numbers if truth.is_policy else truth.policies.counts)
    return is_said or is_tail or is_quantity or is_published or claim.value == truth.offered > 0


def _strange_words(text: str, truth: Truth, shop: Shop) -> Iterator[str]:
    """Things, carriers and pickup points of the shop that the text names and the orders do not hold."""
    known = frozenset[str]().union(*(order.words for order in truth.orders))
    coupons = {one[name] for one in (truth.customer.coupons if truth.customer else ()) for name in ("title_zh", "title_en")}
    for word in (*shop.skus, *shop.carriers, *shop.pickup_points):
        if word in text and word not in known | coupons and word not in truth.said:
            yield word


def _without_known_words(text: str, truth: Truth) -> str:
    known = {word for order in truth.orders for word in order.words}
    known |= {one[name] for one in (truth.customer.coupons if truth.customer else ()) for name in ("title_zh", "title_en")}
    for word in sorted(known, key=len, reverse=True):
        text = text.replace(word, "·")
    return text


def _wrong_tiers(text: str, truth: Truth) -> list[str]:
    own = truth.customer.row["tier"] if truth.customer else None
    said = [tier for tier, names in words.TIERS.items() if words.says_one_of(names, text)]
    return [f"tier {tier!r}: the customer's is {own}" for tier in said if tier != own and not _says_tier(truth.said, tier)]


def _says_tier(said: str, tier: str) -> bool:
    return words.says_one_of(words.TIERS[tier], said)


def _implied(states: frozenset[str], known: frozenset[str]) -> bool:
    """A shipped order's parcels say where it is; an unpaid one's words are true of a deposit too."""
    if "order:shipped" in states:
        return any(state.startswith("parcel:") for state in known)
    if "order:paid" in states:
        return "order:partly_shipped" in known
    if "parcel:in_transit" in states:
        return "after_sale:return_in_transit" in known
    # 已开, requested: words of other things too.
    return "invoice:issued" in states or "invoice:requested" in states


# Cards


def _wrong_card(card: dict[str, Any], truth: Truth, shop: Shop) -> list[str]:
    wrong: list[str] = []
    for name, value in leaves(card.get("data", {})):
        if value is None or isinstance(value, bool):
            continue
        why = _wrong_leaf(name, value, truth, shop)
        if why:
            wrong.append(f"card, {name} {value!r}: {why}")
    return wrong


def _wrong_leaf(name: str, value: Any, truth: Truth, shop: Shop) -> str | None:
    if name.endswith("_minor"):
        return None if value in truth.amounts else "no such amount"
    if not isinstance(value, str):
        return None
    if name in _RAW_STATES:
        is_true = any(f"{part}:{value}" in truth.states for part in _RAW_STATES[name])
        is_past = any(event["state"] == value for order in truth.orders for event in order.events)
        return None if is_true or is_past else "not the state"
    if name in _RAW_FIELDS and re.fullmatch(r"[a-z_]+|\d-\d-\d{4}|R\d{10}", value):
        rows = [row for o in truth.orders for row in (*o.after_sales, *o.parcels, *o.invoices)]
        return None if any(row.get(name) == value for row in rows) or name in ("type", "kind") else "not so in the database"
    if (instant := _instant(value)) is not None:
        local = instant.astimezone(truth.now.tzinfo)
        is_true = any(abs(local - known) < timedelta(minutes=1) for order in truth.orders for known in order.instants)
        is_true |= abs(local - truth.now) < CLOCK
        return None if is_true or local.date() == truth.now.date() else "nothing happens at this time"
    found = _wrong_text(value, truth, shop, check_states=False)
    return found[0] if found else None


def _instant(value: str) -> datetime | None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)", value):
        return None
    return datetime.fromisoformat(value)
