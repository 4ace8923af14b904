"""How one answer ends: correct, wrong, suggested or handed over. When it cannot be told, it is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from benchmarks.answering import words
from benchmarks.answering.claims import claims, dates
from benchmarks.answering.dialogue import Turn, named_orders
from benchmarks.answering.questions import Expect
from benchmarks.answering.shop import Customer, Order, Row

Ending = Literal["correct", "wrong", "suggested", "handed_over"]
SMALL_TALK = frozenset({"greeting", "thanks", "goodbye", "capabilities"})


@dataclass(frozen=True)
class Verdict:
    """`has_right`: whether what was offered instead of an answer holds the right one. `why`: what a right answer lacks."""

    ending: Ending
    why: str = ""
    has_right: bool | None = None


def judge(turn: Turn, expect: Expect, language: str, customer: Customer | None) -> Verdict:
    answer = turn.answer
    if answer.error:
        return Verdict("wrong", f"the API refused: {answer.error}")
    why = "; or ".join(lack(turn, one, customer) for one in expect.any or (expect,))
    if any(not lack(turn, one, customer) for one in expect.any or (expect,)):
        if words.is_neutral(turn.all_said) or words.in_language(answer.text, language):
            return Verdict("correct")
        return Verdict("wrong", "the answer is not in the question's language")
    if answer.suggestions and not (answer.citations or answer.cards):
        offered = {suggestion_id for suggestion_id, _ in answer.suggestions}
        return Verdict("suggested", why, has_right=not offered.isdisjoint(_entries(expect)))
    if answer.is_handed_over:
        return Verdict("handed_over", why)
    if answer.choices and not answer.citations and (wanted := _orders(expect, turn)):
        if wanted <= {option_id for option_id, _ in answer.choices}:
            return Verdict("suggested", "asks which order is meant, needlessly", has_right=True)
        return Verdict("wrong", f"offers a choice without {', '.join(sorted(wanted))}")
    return Verdict("wrong", why)


def _entries(expect: Expect) -> frozenset[str]:
    return frozenset(entry for one in (expect, *(expect.any or ())) for entry in one.entries)


def _orders(expect: Expect, turn: Turn) -> frozenset[str]:
    named = frozenset(expect.order_ids) - frozenset(expect.choices or ())
    if expect.option is not None and (chosen := turn.option(expect.option)):
        named |= {chosen}
    return named


def lack(turn: Turn, expect: Expect, customer: Customer | None) -> str:
    """What the answer lacks to be what is expected; empty when it lacks nothing."""
    answer = turn.answer
    tells = bool(answer.citations or answer.cards or answer.choices)
    if expect.entries:
        if not answer.citations:
            return f"expected the entry {' or '.join(expect.entries)}, nothing is cited"
        strange = set(answer.citations) - set(expect.entries)
        return f"expected the entry {' or '.join(expect.entries)}, cited is {', '.join(sorted(strange))}" if strange else ""
    if expect.shows is not None:
        return _lacks_fields(turn, expect, customer)
    if expect.choices:
        missing = set(expect.choices) - {option_id for option_id, _ in answer.choices}
        return f"expected a choice with {', '.join(sorted(missing))}" if missing else ""
    if expect.handed_over:
        return "" if answer.is_handed_over else "expected a hand-over"
    if expect.refused:
        return "expected no answer" if tells or answer.source == "model" else ""
    if expect.chat:
        return "expected small talk" if answer.cards or answer.choices or set(answer.citations) - SMALL_TALK else ""
    if tells or answer.is_handed_over or answer.suggestions:
        return "expected one plain sentence"
    if expect.sign_in:
        return "" if words.SIGN_IN.search(answer.text) else "expected to be asked to sign in"
    if expect.not_found:
        return "" if words.NOT_FOUND.search(answer.text) else "expected that no such order was found"
    thing = expect.none or "order"
    return "" if words.says_none_of(thing, answer.text) else f"expected that there is no {thing}"


def _lacks_fields(turn: Turn, expect: Expect, customer: Customer | None) -> str:
    answer = turn.answer
    if customer is None:
        return "nobody is signed in"
    if answer.citations or answer.choices or answer.suggestions or answer.is_handed_over:
        return f"expected {', '.join(expect.shows or ())}"
    order_id = expect.order
    if expect.option is not None:
        order_id = turn.option(expect.option)
        if order_id is None:
            return f"the turn before offered no option {expect.option}"
    today = customer.now.date()
    if order_id is None:
        missing = [name for name in expect.shows or () if not _shows_customer(name, answer.text, customer, today)]
    else:
        order = customer.order(order_id)
        if order is None:
            return f"{order_id} is not an order of {customer.id}"
        others = named_orders(answer, customer) - {order_id}
        if others:
            return f"tells of {', '.join(sorted(others))} instead of {order_id}"
        missing = [name for name in expect.shows or () if not _shows_order(name, answer.text, order, today)]
    return f"does not tell {', '.join(missing)}" if missing else ""


def _shows_customer(name: str, text: str, customer: Customer, today: date) -> bool:
    found = claims(text, today)
    numbers = {claim.value for claim in found if claim.kind in ("points", "number")}
    counts = {claim.value for claim in found if claim.kind == "count"}
    match name:
        case "points":
            return customer.row["points"] in numbers
        case "tier":
            return words.says_one_of(words.TIERS[customer.row["tier"]], text)
        case "tier_until":
            return customer.tier_until in dates(text, today)
        case "coupons":
            return all(one["title_zh"] in text or one["title_en"] in text for one in customer.coupons)
        case "coupon_count":
            return ("coupon", len(customer.coupons)) in counts
        case "coupon_dates":
            return {customer.coupon_until(one) for one in customer.coupons} <= dates(text, today)
        case "order_count":
            return ("order", len(customer.orders)) in counts
        case _:
            return ("order", sum(order.is_open for order in customer.orders)) in counts


def _shows_order(name: str, text: str, order: Order, today: date) -> bool:
    if name in _STATES_OF:
        return _shows_states(_STATES_OF[name](order), text)
    if name in _AMOUNTS_OF:
        amounts = {claim.value for claim in claims(text, today) if claim.kind == "amount"}
        return _all_in(_AMOUNTS_OF[name](order), amounts)
    if name in _DAYS_OF:
        return _all_in(_DAYS_OF[name](order), dates(text, today))
    match name:
        case "freight":
            free = order.row["freight_minor"] == 0 and ("包邮" in text or "免运费" in text or "free" in text.lower())
            amounts = {claim.value for claim in claims(text, today) if claim.kind == "amount"}
            return free or order.row["freight_minor"] in amounts
        case "payment":
            is_paid = order.row["paid_s"] is not None
            return (
                bool(words.PAID.search(text) and not words.NOT_PAID.search(text))
                if is_paid
                else bool(words.NOT_PAID.search(text))
            )
        case "parcel_count":
            counts = {claim.value for claim in claims(text, today) if claim.kind == "count"}
            return ("parcel", len(order.parcels)) in counts
        case "refund_channel" | "freight_payer":
            table = words.CHANNELS if name == "refund_channel" else words.PAYERS
            wanted = [sale[name] for sale in order.after_sales if sale[name]]
            return bool(wanted) and all(words.says_one_of(table[one], text) for one in wanted)
        case "return_no":
            wanted = [sale["return_no"] for sale in order.after_sales if sale["return_no"]]
            return bool(wanted) and all(one in text for one in wanted)
        case "carrier":
            return bool(_current(order)) and all(_says_carrier(parcel["carrier"], text) for parcel in _current(order))
        case _:
            wanted = [parcel[name] for parcel in order.parcels if parcel[name]]
            return bool(wanted) and all(one in text for one in wanted)


def _current(order: Order) -> tuple[Row, ...]:
    """The parcels that a question about the order's parcel means: those under way, else all."""
    return order.parcels_under_way or order.parcels


def _says_carrier(carrier: str, text: str) -> bool:
    """顺丰速运 SF Express: by its Chinese or by its English name."""
    chinese, _, english = carrier.partition(" ")
    return chinese in text or english in text


def _shows_states(wanted: list[str], text: str) -> bool:
    said = words.states_in(text)
    return bool(wanted) and all(any(_means(states, state) for _, states in said) for state in wanted)


def _means(states: frozenset[str], wanted: str) -> bool:
    if wanted in states:
        return True
    implied = words.IMPLIED.get(wanted)
    return implied is not None and any(state.startswith(implied) for state in states)


def _all_in(wanted: list[int | None] | list[date | None], said: set[int] | frozenset[date]) -> bool:
    known = [one for one in wanted if one is not None]
    return bool(known) and all(one in said for one in known)


_STATES_OF = {
    "state": lambda order: [f"order:{order.state}"],
    "parcel_state": lambda order: sorted({f"parcel:{parcel['state']}" for parcel in _current(order)}),
    "after_sale_stage": lambda order: sorted({f"after_sale:{sale['stage']}" for sale in order.after_sales}),
    "invoice_state": lambda order: sorted({f"invoice:{invoice['state']}" for invoice in order.invoices}),
}
_AMOUNTS_OF = {
    "total": lambda order: [order.row["total_minor"]],
    "deposit": lambda order: [order.row["deposit_minor"]],
    "balance": lambda order: [order.balance_minor],
    "refund_amount": lambda order: [sale["amount_minor"] for sale in order.after_sales],
    "invoice_amount": lambda order: [invoice["amount_minor"] for invoice in order.invoices],
}


def _day_of(order: Order, seconds: int | None) -> date | None:
    instant = order.at(seconds)
    return None if instant is None else instant.date()


_DAYS_OF = {
    "balance_due": lambda order: [_day_of(order, order.row["balance_due_s"])],
    "placed": lambda order: [_day_of(order, order.row["placed_s"])],
    "eta": lambda order: [
        order.day(parcel["promised_day"] if parcel["estimated_day"] is None else parcel["estimated_day"])
        for parcel in order.parcels_under_way
    ],
    "promised": lambda order: [order.day(parcel["promised_day"]) for parcel in _current(order)],
    "delivered": lambda order: [_day_of(order, parcel["delivered_s"]) for parcel in order.parcels],
    "after_sale_deadline": lambda order: [_day_of(order, sale["deadline_s"]) for sale in order.after_sales],
}
