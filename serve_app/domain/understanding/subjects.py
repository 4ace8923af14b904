"""What a question without a subject is about, after another: 会过期吗 after 积分怎么用, "to my card?" after refunds."""

from __future__ import annotations

import re
from collections.abc import Mapping

from serve_app.domain.intents import OF_ORDERS, OF_PARCELS, OF_REFUNDS, Intent
from serve_app.domain.understanding.topics import TOPICS, named_in

_SHORT_CHINESE = 12  # characters
_SHORT_ENGLISH = 9  # words

# In Chinese and in English.
_RETURN = ("退货", "return")
_REFUND = ("退款", "refund")
_SHIPPING = ("发货后快递", "after dispatch delivery")
_DEPOSIT = ("定金", "deposit")
_COUPON = ("优惠券", "coupon")
_POINTS = ("积分", "points")
_TIER = ("会员", "membership")
_INVOICE = ("发票", "invoice")
SUBJECTS: Mapping[Intent, tuple[str, str]] = {
    Intent.RETURN_POLICY: _RETURN,
    Intent.NON_RETURNABLE: _RETURN,
    Intent.RETURN_OPENED: _RETURN,
    Intent.RETURN_QUALITY: _RETURN,
    Intent.RETURN_LATE: _RETURN,
    Intent.RETURN_HOWTO: _RETURN,
    Intent.RETURN_ADDRESS: _RETURN,
    Intent.RETURN_PICKUP: _RETURN,
    Intent.RETURN_FREIGHT: _RETURN,
    Intent.FREIGHT_INSURANCE: ("运费险", "freight insurance"),
    Intent.EXCHANGE_POLICY: ("换货", "exchange"),
    Intent.REFUND_TIME: _REFUND,
    Intent.REFUND_CHANNEL: _REFUND,
    Intent.REFUND_AMOUNT: _REFUND,
    Intent.SHIPPING_TIME: _SHIPPING,
    Intent.DELIVERY_TIME: _SHIPPING,
    Intent.SHIPPING_FEE: ("运费", "shipping fee"),
    Intent.CANCEL_POLICY: ("取消订单", "cancel an order"),
    Intent.DEPOSIT: _DEPOSIT,
    Intent.DEPOSIT_REFUND: _DEPOSIT,
    Intent.PRESALE: ("预售", "pre-order"),
    Intent.PAYMENT: ("付款", "pay by"),
    Intent.INSTALMENTS: ("分期", "instalments"),
    Intent.COUPON_RULES: _COUPON,
    Intent.COUPON_STACKING: _COUPON,
    Intent.COUPON_BACK: _COUPON,
    Intent.POINTS_RULES: _POINTS,
    Intent.POINTS_EXPIRY: _POINTS,
    Intent.TIER_RULES: _TIER,
    Intent.TIER_UPGRADE: _TIER,
    Intent.INVOICE: _INVOICE,
    Intent.INVOICE_CHANGE: _INVOICE,
    Intent.VAT_INVOICE: ("专票", "VAT invoice"),
    Intent.WARRANTY: ("保修", "warranty"),
    Intent.REPAIR: ("维修", "repair"),
    Intent.INSTALLATION: ("安装", "installation"),
    Intent.GIFT_WRAP: ("礼品包装", "gift wrapping"),
    Intent.REVIEWS: ("评价", "review"),
}
_OF_ORDERS = {
    Intent.CARRIER: Intent.PARCEL_NUMBER,
    Intent.DELIVERY_TIME: Intent.PARCEL,
    Intent.TRACKING_STALLED: Intent.PARCEL,
    Intent.PICKUP_POINT: Intent.PARCEL_PICKUP,
    Intent.SHIPPING_TIME: Intent.ORDER_STATUS,
    Intent.PRESALE: Intent.ORDER_STATUS,
    Intent.SHIPPING_FEE: Intent.ORDER_FREIGHT,
    Intent.DEPOSIT: Intent.ORDER_BALANCE,
}
_OF_REFUNDS = {
    Intent.REFUND_TIME: Intent.REFUND_PROGRESS,
    Intent.REFUND_CHANNEL: Intent.OWN_REFUND_CHANNEL,
    Intent.REFUND_AMOUNT: Intent.OWN_REFUND_AMOUNT,
    Intent.RETURN_FREIGHT: Intent.OWN_RETURN_FREIGHT,
    Intent.REPAIR: Intent.REFUND_PROGRESS,
}
_OF_THE_TIER = {Intent.POINTS_EXPIRY: Intent.TIER, Intent.TIER_RULES: Intent.TIER, Intent.TIER_UPGRADE: Intent.TIER}


def own_after(last: Intent, asked: Intent) -> Intent | None:
    """What a short question in a rule's words asks after one on the customer's own thing: 退到哪里 after 我的退款到哪了."""
    if last in OF_REFUNDS:
        return _OF_REFUNDS.get(asked)
    if last in OF_PARCELS or last in OF_ORDERS:
        return _OF_ORDERS.get(asked)
    return _OF_THE_TIER.get(asked) if last is Intent.TIER else None


# The goods themselves, which may have met with anything, and names of a whole matter: a question with one leaves nothing out.
_NAMED_IN_FULL = re.compile(
    r"商品|产品|宝贝|物品|东西|(?<![退换补发订验收])货|包裹|快递(?!费|员|单号)|外包装|正品|真货|假货|授权|(?:防止?|避免|预防|小心)被?骗"
    r"|\b(?:(?:item|product|parcel|package|order|review|receipt|fake|counterfeit)s?|goods|packaging|something|returns|a return"
    r"|authenticity|authentic|authori[sz]ed|(?:avoid|prevent|spot|recogni[sz]e) (?:scam|fraud)s?"
    r"|report(?:ing)? (?:the |any )?damage|(?:transport|transit|shipping|delivery) damage)\b"
)
_BARE = re.compile(
    r"^(?:那|还|也|都|就|一般|大概|请问|你们)*(?:是)?(?:不是)?(?:能|可以|可不可以|能不能|要|会|会不会|怎么|如何|多久"
    r"|几天|什么时候|哪里|在哪)*"
    r"(?:退|换|改|取消|用|开|领|查|过期|到账|付|补|修|算|收费|要钱|叠加|申请)(?:吗|不|么|呢|啊|了|的|款|多少|一下|掉|回)*$"
    r"|^(?:(?:can|do|does|will|is|are|how|when|where|could|should|would|and|so) )*(?:i|you|they|it)(?: \w+){0,6}$"
)


# Done to something.
_DEEDS = frozenset({
    "return", "refund", "exchange", "cancel", "repair", "withdraw", "refuse", "reject", "collect", "opened", "lost", "broken",
    "wrong", "fault",
})  # fmt: skip
_OF_ANYTHING = frozenset({
    "when", "where", "who", "howto", "what_if", "cost", "keep", "arrive", "meaning", "which", "number", "policy",
})  # fmt: skip


def is_short(form: str) -> bool:
    if form.isascii():
        return len(form.split()) <= _SHORT_ENGLISH
    return len(form) <= _SHORT_CHINESE


def names_no_subject(form: str) -> bool:
    """能退吗, 会过期吗, "can I return it": nothing is named but what is asked of it, or done to it."""
    named = named_in(form)
    if _NAMED_IN_FULL.search(form) or "kinds" in named.aspects:
        return False
    return not named.things or bool(_BARE.match(form) and (named.is_chinese or named.things <= _DEEDS))


def says_more(form: str, alone: Intent, carried: Intent) -> bool:
    """What `alone`, the rule that its own words name, needs of them and `carried` does not know: 怎么选尺码 after coupons."""
    one, other = TOPICS.get(alone), TOPICS.get(carried)
    if one is None or other is None:
        return False
    named = named_in(form)
    needed = (named.things | named.aspects) & frozenset[str]().union(*one.needs) - _OF_ANYTHING
    return not needed <= other.knows


# What befell something, and not what it befell.
_CASES = frozenset({"lost", "broken", "wrong", "opened", "fault", "scam", "genuine"})
_CASE_ASPECTS = frozenset({"no_code", "not_there", "what_if", "howto"})
# Asked of anything.
_ASKED_OF_ALL = frozenset({
    "when", "where", "who", "howto", "what_if", "cost", "keep", "quantity", "no_code", "not_there", "arrive", "ship", "pay",
    "meaning", "which", "number", "parcels",
})  # fmt: skip
# Whether something comes back, and not after what: 优惠券还退吗.
_CASE_UNSAID = re.compile(
    r"^(?:我的?|那个?)?(?:优惠)?(?:券|积分|赠品)(?:会|还|还会|能|还能|可以|也)*(?:退|返|回来)(?:回|还|吗|我)*$"
    r"|^(?:do|will|can|would) i (?:still )?(?:get|have) (?:my|the) (?:coupon|voucher|point)s? back$"
)


def leaves_open(form: str, *, settled: bool, of_own: bool = False) -> bool:
    """Amid a conversation it says too little to stand on its own: 能换吗, 丢了怎么办, "who pays the postage".

    `settled`: its words name one rule all the same, which is enough where only the thing is left out. `of_own`: the
    conversation is about the customer's own things, for which a rule that the words name is meant.
    """
    if _CASE_UNSAID.match(form):
        return True
    if settled and of_own:
        return False
    named = named_in(form)
    if named.is_chinese and _BARE.match(form):
        return True
    if named.things == frozenset({"freight"}) and "who" in named.aspects:
        return True
    if named.things == frozenset({"address"}) and "地址" not in form and "address" not in form:
        return True
    if named.things:
        return named.things <= _CASES and named.aspects <= _ASKED_OF_ALL and not _NAMED_IN_FULL.search(form)
    if named.aspects and named.aspects <= _CASE_ASPECTS:
        return True
    return not settled and named.unknown <= named.is_chinese and named.aspects <= _ASKED_OF_ALL


def subject_of(last: Intent, core: str) -> str | None:
    """What questions of `last` are about, in the language of `core`."""
    subject = SUBJECTS.get(last)
    return subject[core.isascii()] if subject else None
