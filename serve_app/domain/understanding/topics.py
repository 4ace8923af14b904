"""What a question must name, and may name, to be about one of the shop's rules.

The world is closed: a question that names a thing which its topic does not know (a freight insurance, where the return's
freight is asked for) is about something else. Together with the classifier, which weighs the wording, this tells neighbours
apart: a rule answers only where both agree.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from serve_app.domain.intents import ACTIONS, TEMPLATED, Intent
from serve_app.domain.understanding.aspects import ASPECTS
from serve_app.domain.understanding.filler import FILLER
from serve_app.domain.understanding.things import THINGS

# Chinese characters or English words that may be no part of anything known, by how sure the classifier is.
_UNKNOWN_CHARACTERS_MAX = ((0.9, 3), (0.7, 2), (0.0, 1))
_UNKNOWN_WORDS_MAX = ((0.0, 0),)
_HAN = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Topic:
    needs: tuple[frozenset[str], ...]  # of each, at least one is named
    knows: frozenset[str]  # the things that may be named
    unless: frozenset[str]  # the aspects that make it something else


def _topic(needs: str, may: str = "", unless: str = "") -> Topic:
    """`needs` are names of things and aspects with "|" between alternatives; `may` are other things that may be named."""
    groups = tuple(frozenset(group.split("|")) for group in needs.split())
    return Topic(groups, frozenset[str]().union(*groups) | frozenset(may.split()), frozenset(unless.split()))


TOPICS: Mapping[Intent, Topic] = {
    Intent.RETURN_POLICY: _topic("return|refund", "exchange", unless="late part kinds except who channel amount howto"),
    Intent.NON_RETURNABLE: _topic("return kinds|except", "opened", unless="late part cost"),
    Intent.RETURN_OPENED: _topic("return opened", "broken", unless="late part"),
    Intent.RETURN_QUALITY: _topic("return|refund|after_sale|what_if fault", "broken", unless="cost"),
    Intent.RETURN_GIFT: _topic("return|back|keep|refund gift", "opened lost merge"),
    Intent.RETURN_LATE: _topic("return|exchange late", "fault"),
    Intent.RETURN_PARTIAL: _topic("return part", unless="amount cost"),
    Intent.RETURN_WITHDRAW: _topic("return|refund|after_sale|exchange withdraw", "cancel"),
    Intent.RETURN_HOWTO: _topic("return|refund|after_sale howto|where", "exchange", unless="cost amount"),
    Intent.RETURN_ADDRESS: _topic("return|exchange where|address|who", unless="cost"),
    Intent.RETURN_PICKUP: _topic("return collect|self_send", "slot courier freight"),
    Intent.RETURN_FREIGHT: _topic("return|refund|fault freight", "wrong exchange broken"),
    Intent.FREIGHT_INSURANCE: _topic("insurance", "return exchange freight"),
    Intent.EXCHANGE_POLICY: _topic("exchange", "return wrong fault", unless="who late part order_placed paid unshipped"),
    Intent.REFUSE_DELIVERY: _topic("refuse", "refund broken freight return"),
    Intent.REFUND_TIME: _topic("refund when", "return cancel", unless="where amount"),
    Intent.REFUND_CHANNEL: _topic("refund channel|where|card", "lost", unless="amount"),
    Intent.REFUND_AMOUNT: _topic("refund|return amount|coupon|points|freight|full", "campaign tier gift cancel"),
    Intent.REFUND_REJECTED: _topic("reject", "return refund exchange"),
    Intent.SHIPPING_FEE: _topic("freight", "region tier courier", unless="who"),
    Intent.SHIPPING_TIME: _topic("ship|order_placed|paid|parcels when|fast|holiday", unless="expire to_pay keep"),
    Intent.DELIVERY_TIME: _topic("arrive|after_dispatch|parcels|region when|fast", unless="expire to_pay keep"),
    Intent.DELIVERY_AREA: _topic("arrive|ship region|where", unless="when cost order_placed origin"),
    Intent.OVERSEAS: _topic("abroad", "region", unless="when cost"),
    Intent.CARRIER: _topic("courier", unless="cost staff"),
    Intent.DELIVERY_SLOT: _topic("arrive|ship|slot slot|holiday", unless="cost"),
    Intent.SPLIT_PARCELS: _topic("split|part", "freight merge"),
    Intent.INSTALLATION: _topic("install", "slot"),
    Intent.ADDRESS_CHANGE_POLICY: _topic("address|recipient change|wrong_entry", "after_dispatch wrong"),
    Intent.PICKUP_POINT: _topic("station|code|door|self_collect", "collect broken", unless="no_code"),
    Intent.PICKUP_CODE_LOST: _topic("code lost|no_code", "collect wrong station fault"),
    Intent.LOST_PARCEL: _topic("lost", "refund after_dispatch"),
    Intent.DAMAGED_PARCEL: _topic("broken", "fault refuse complain"),
    Intent.WRONG_ITEM: _topic("wrong|missing", "gift exchange"),
    Intent.DELIVERED_NOT_RECEIVED: _topic("delivered|stolen|not_there not_there|what_if|stolen|wrong", "lost"),
    Intent.TRACKING_STALLED: _topic("stalled", "after_dispatch"),
    Intent.CANCEL_POLICY: _topic("cancel", "refund after_dispatch wrong withdraw"),
    Intent.MODIFY_ORDER: _topic("order_placed|order|paid|unshipped colour|size|quantity|edit|change", "wrong exchange"),
    Intent.MERGE_ORDERS: _topic("merge", "freight split refund return"),
    Intent.ORDER_AUTO_CLOSED: _topic("unpaid|closed|pay_by|keep order|order_placed|pay|unpaid|pay_by", "cancel", unless="ship"),
    Intent.PRESALE: _topic(
        "presale|balance ship|arrive|after_dispatch|meaning|stock|policy|fast|when|howto", "restock", unless="to_pay"
    ),
    Intent.RESTOCK: _topic("restock"),
    Intent.PURCHASE_LIMIT: _topic("limit", "cancel"),
    Intent.PAYMENT: _topic("pay|means", unless="fail unpaid when"),
    Intent.CASH_ON_DELIVERY: _topic("cod", "courier freight"),
    Intent.PAYMENT_FAILED: _topic("pay|charged|card fail|unpaid", "reject"),
    Intent.INSTALMENTS: _topic("instalments", "split return refund"),
    Intent.DEPOSIT: _topic("deposit|balance|presale pay|when|meaning|unpaid|howto|what_if|policy", unless="ship"),
    Intent.DEPOSIT_REFUND: _topic("deposit return|refund|regret|back", "presale balance cancel withdraw"),
    Intent.PRICE_PROTECTION: _topic("price_drop", "refund campaign return"),
    Intent.INVOICE: _topic("invoice", unless="change redo wrong_entry"),
    Intent.INVOICE_CHANGE: _topic("invoice|tax_no change|wrong_entry|wrong|redo|edit|exchange"),
    Intent.VAT_INVOICE: _topic("vat", "invoice"),
    Intent.BULK_ORDER: _topic("bulk", "invoice"),
    Intent.COUPON_RULES: _topic("coupon", "wrong", unless="stack back"),
    Intent.COUPON_STACKING: _topic("coupon|discount|campaign stack", "points tier merge"),
    Intent.COUPON_BACK: _topic("coupon return|refund|cancel|back", "refuse", unless="amount"),
    Intent.POINTS_RULES: _topic("points", "return refund review", unless="expire clear keep back"),
    Intent.POINTS_EXPIRY: _topic("points expire|keep|clear", "lost"),
    Intent.TIER_RULES: _topic("tier", "lost", unless="upgrade spend"),
    Intent.TIER_UPGRADE: _topic("tier|upgrade upgrade|spend|become", "refund"),
    Intent.NEWCOMER_OFFER: _topic("newcomer", "coupon tier campaign"),
    Intent.BIRTHDAY_GIFT: _topic("birthday", "coupon tier gift wrong"),
    Intent.CAMPAIGN: _topic("campaign", "coupon", unless="price"),
    Intent.ACCOUNT_LOGIN: _topic("login|password|verification|account", "wrong lost", unless="delete"),
    Intent.CHANGE_PHONE: _topic("phone change|closed", "login"),
    Intent.ACCOUNT_DELETION: _topic("account|close_account delete|close_account", "points coupon tier cancel"),
    Intent.PRIVACY: _topic("privacy|phone|address", unless="change"),
    Intent.SCAM_WARNING: _topic("scam|caller", "refund return verification password courier lost review genuine fault"),
    Intent.WARRANTY: _topic("warranty", "broken lost region repair", unless="give"),
    Intent.REPAIR: _topic("repair", "broken freight slot warranty address"),
    Intent.AUTHENTICITY: _topic("genuine", "store"),
    Intent.SIZE_GUIDE: _topic("size howto|choose|chart|which|where", unless="order_placed change"),
    Intent.GIFT_WRAP: _topic("wrap", "gift"),
    Intent.SUPPORT_HOURS: _topic("staff|open hours|holiday|when"),
    Intent.COMPLAINT_CHANNEL: _topic("complain", "courier"),
    Intent.PHYSICAL_STORE: _topic("store", "genuine opened return address collect", unless="hours"),
    Intent.REVIEWS: _topic("review", "wrong exchange"),
    Intent.CAPABILITIES: _topic("bot|able"),
}
# To tell the case is to ask what to do: 发错货了, "it says delivered but I never got it".
TOLD = frozenset({
    Intent.WRONG_ITEM, Intent.DAMAGED_PARCEL, Intent.DELIVERED_NOT_RECEIVED, Intent.LOST_PARCEL, Intent.PICKUP_CODE_LOST,
})  # fmt: skip
# Rules about a case: its reason may be asked, and its words turn a verb round (不付款会怎么样, "why was the payment declined").
CASES = frozenset(
    {
        Intent.SPLIT_PARCELS,
        Intent.ORDER_AUTO_CLOSED,
        Intent.PURCHASE_LIMIT,
        Intent.TRACKING_STALLED,
        Intent.PAYMENT_FAILED,
        Intent.REFUND_REJECTED,
        Intent.REFUSE_DELIVERY,
        Intent.RETURN_WITHDRAW,
        Intent.RETURN_GIFT,
        Intent.DEPOSIT,
        Intent.DEPOSIT_REFUND,
        Intent.ACCOUNT_LOGIN,
        Intent.SCAM_WARNING,
        *TOLD,
    }
)
# Rules that answer a customer's own case as they answer anyone's, with none of their facts.
ANYONES = frozenset(
    {
        Intent.PRIVACY,
        Intent.SCAM_WARNING,
        Intent.CAPABILITIES,
        Intent.ACCOUNT_LOGIN,
        Intent.CHANGE_PHONE,
        Intent.ACCOUNT_DELETION,
        Intent.PAYMENT,
        Intent.PAYMENT_FAILED,
        Intent.COMPLAINT_CHANNEL,
        *TOLD,
        Intent.PRICE_PROTECTION,
        Intent.BULK_ORDER,
        Intent.GIFT_WRAP,
    }
)
# The same, before anything has been done in that case: 我的定金能退吗, and not 我的定金退了吗.
ANYONES_BEFOREHAND = frozenset({Intent.FREIGHT_INSURANCE, Intent.POINTS_EXPIRY, Intent.DEPOSIT_REFUND})
# No question about a customer's own orders names these: 你们实体店在哪 asks for no parcel.
_NEVER_OWN = frozenset({
    "store", "complain", "review", "privacy", "scam", "genuine", "wrap", "gift", "login", "password", "verification",
    "newcomer", "birthday", "campaign", "vat", "bulk", "restock", "limit", "instalments", "abroad", "withdraw", "insurance",
})  # fmt: skip
_SURE_OF_BROAD = 0.5
# They fit nearly whatever is asked of their thing, so the classifier must be surer of them.
_BROAD = frozenset({
    Intent.RETURN_POLICY, Intent.PAYMENT, Intent.INVOICE, Intent.COUPON_RULES, Intent.POINTS_RULES, Intent.TIER_RULES,
    Intent.WARRANTY, Intent.CAMPAIGN, Intent.ACCOUNT_LOGIN, Intent.PRIVACY, Intent.WRONG_ITEM, Intent.PHYSICAL_STORE,
    Intent.SUPPORT_HOURS, Intent.TRACKING_STALLED,
})  # fmt: skip
# Neither things nor rules: answered by rules of their own, or by nothing.
UNCHECKED = frozenset({Intent.GREETING, Intent.THANKS, Intent.GOODBYE, Intent.HUMAN})


@dataclass(frozen=True, slots=True)
class Named:
    """What a form names."""

    things: frozenset[str]
    aspects: frozenset[str]
    unknown: int  # Chinese characters, or English words, that are no part of anything known
    is_chinese: bool = False


@functools.lru_cache(maxsize=1024)
def named_in(form: str) -> Named:
    """About 0.2 ms, and nothing for a question that is looked at again with what was said before it."""
    known = bytearray(len(form))  # 1: a character that belongs to something known
    has_chinese = bool(_HAN.search(form))
    languages = [_CHINESE] * has_chinese + [_ENGLISH] * bool(_WORD.search(form))
    things = frozenset(name for things, _ in languages for name in _found(things, form, known))
    aspects = frozenset(name for _, aspects in languages for name in _found(aspects, form, known))
    for match in FILLER.finditer(form):
        _mark(known, match)
    if has_chinese:  # Latin words are product names
        strange = sum(not known[match.start()] for match in _HAN.finditer(form))
        return Named(things, aspects, strange, is_chinese=True)
    strange = sum(not any(known[match.start() : match.end()]) for match in _WORD.finditer(form))
    return Named(things, aspects, strange)


_Patterns = tuple[tuple[str, re.Pattern[str]], ...]
_CHINESE: tuple[_Patterns, _Patterns] = (
    tuple((name, words.chinese) for name, words in THINGS.items()),
    tuple((name, words.chinese) for name, words in ASPECTS.items()),
)
_ENGLISH: tuple[_Patterns, _Patterns] = (
    tuple((name, words.english) for name, words in THINGS.items()),
    tuple((name, words.english) for name, words in ASPECTS.items()),
)


def _found(patterns: _Patterns, form: str, known: bytearray) -> Iterator[str]:
    for name, pattern in patterns:
        for match in pattern.finditer(form):
            _mark(known, match)
            yield name


def _mark(known: bytearray, match: re.Match[str]) -> None:
    known[match.start() : match.end()] = b"\x01" * len(match[0])


def fits(intent: Intent, named: Named, confidence: float = 1.0) -> bool:
    """Whether a question that names this can be about the topic, and about nothing else."""
    if intent in TEMPLATED or intent in ACTIONS:
        of_deposits = intent is Intent.REFUND_PROGRESS and named.things & {"deposit", "balance"}
        return not (of_deposits or named.things & _NEVER_OWN)
    topic = TOPICS.get(intent)
    if topic is None:
        return intent in UNCHECKED
    said = named.things | named.aspects
    known = (
        named.unknown <= _unknown_max(confidence, named.is_chinese)
        and named.things <= topic.knows
        and not named.aspects & topic.unless
    )
    certain = confidence >= _SURE_OF_BROAD or intent not in _BROAD
    return certain and known and all(group & said for group in topic.needs)


def only_rule(named: Named) -> Intent | None:
    """The only rule that the words fit, when every word is known. A broad one (发票 with anything) proves nothing so."""
    if named.unknown:
        return None
    fitting = [intent for intent in TOPICS if fits(intent, named)]
    return fitting[0] if len(fitting) == 1 and fitting[0] not in _BROAD else None


def _unknown_max(confidence: float, is_chinese: bool) -> int:
    allowed = _UNKNOWN_CHARACTERS_MAX if is_chinese else _UNKNOWN_WORDS_MAX
    return next(most for sure_from, most in allowed if confidence >= sure_from)
