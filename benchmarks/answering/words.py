"""How states, channels and refusals are said, in both languages: the benchmark's own list, wider than any one product's."""

from __future__ import annotations

import re

# By state, the words that claim it. A longer word goes before a shorter one that it contains.
STATES: dict[str, tuple[str, ...]] = {
    "order:unpaid": (
        "待付款", "待支付", "未付款", "未支付", "还没付款", "还没有付款", "尚未付款", "尚未支付", "没有付款",
        "awaiting payment", "unpaid", "not paid", "not been paid", "waiting for payment", "waiting for your payment",
        "payment is pending", "payment pending",
    ),
    "order:deposit_paid": ("已付定金", "定金已付", "待付尾款", "deposit paid", "deposit has been paid", "awaiting the balance"),
    "order:paid": (
        "待发货", "未发货", "还没发货", "还没有发货", "尚未发货", "等待发货", "正在备货", "备货中",
        "waiting to be shipped", "awaiting shipment", "not shipped yet", "not been shipped", "not yet shipped",
        "has not shipped", "hasn't shipped", "being prepared", "preparing your order", "preparing for shipment",
    ),
    "order:partly_shipped": ("部分发货", "部分已发货", "partly shipped", "partially shipped", "part of your order has shipped"),
    "order:shipped": ("已发货", "已经发货", "已发出", "shipped"),
    "order:delivered": (),  # as the parcel's
    "order:completed": ("已完成", "交易完成", "completed"),
    "order:cancelled": ("已取消", "取消了", "cancelled", "canceled"),
    "order:closed": ("已关闭", "交易关闭", "closed"),
    "parcel:label_created": (
        "待揽收", "等待揽收", "等待快递员揽收", "已打单", "waiting for the carrier", "waiting for the courier", "label created",
        "awaiting pickup by",
    ),
    "parcel:picked_up": ("已揽收", "已被揽收", "picked up by the carrier", "picked up by the courier", "picked up by"),
    "parcel:in_transit": ("运输中", "运送中", "在途", "在路上", "in transit", "on its way", "on the way"),
    "parcel:out_for_delivery": ("派送中", "正在派送", "派件中", "配送中", "out for delivery", "being delivered"),
    "parcel:at_pickup_point": (
        "已到代收点", "到代收点", "在代收点", "已放至代收点", "待取件", "可取件", "at a pickup point", "at the pickup point",
        "ready for pickup", "ready to collect", "ready to be collected", "waiting at",
    ),
    "parcel:delivered": ("已签收", "已送达", "已妥投", "已经签收", "已经送达", "delivered"),
    "parcel:returned": ("已退回", "退回寄件", "已被退回", "returned to us", "returned to the sender", "returned to sender"),
    "parcel:exception": (
        "运输异常", "派送异常", "物流异常", "配送异常", "异常", "delivery problem", "held up", "an exception",
        "delivery exception",
    ),
    "parcel:lost": ("包裹丢失", "已丢失", "丢失", "丢件", "遗失", "lost"),
    "after_sale:requested": (
        "待审核", "审核中", "等待审核", "正在审核", "under review", "being reviewed", "awaiting review", "waiting for approval",
    ),
    "after_sale:rejected": (
        "未通过", "没有通过", "没通过", "被拒绝", "已拒绝", "未获通过", "not approved", "rejected", "declined", "turned down",
    ),
    "after_sale:awaiting_return": (
        "待寄回", "等待寄回", "等您寄回", "等待您寄回", "前寄回", "请寄回", "waiting for your return", "awaiting your return",
        "waiting for you to send", "send it back", "send the item back",
    ),
    "after_sale:return_in_transit": ("退货运输中", "退货在途", "寄回途中", "return in transit", "return is on its way"),
    "after_sale:inspecting": (
        "验收中", "检验中", "正在验收", "正在检验", "being inspected", "under inspection", "being checked", "inspecting",
    ),
    "after_sale:processing": ("处理中", "维修中", "正在处理", "正在维修", "in progress", "being processed", "being repaired"),
    "after_sale:reshipped": (
        "已重新发出", "已换出", "已补发", "已寄出", "sent out again", "reshipped", "replacement has been sent",
    ),
    "after_sale:refunding": (
        "退款中", "退款处理中", "正在退款", "正在处理", "refund under way", "is under way", "being refunded", "being processed",
    ),
    "after_sale:refunded": (
        "已退款", "退款成功", "退款已完成", "已到账", "已经退款", "退出", "已退到", "refunded", "refund has been paid",
        "was paid",
    ),
    "after_sale:closed": ("已关闭", "closed"),
    "invoice:requested": (
        "开票中", "待开票", "已申请", "还没开", "尚未开", "未开具", "requested", "not issued", "not been issued",
    ),
    "invoice:issued": ("已开", "已经开", "开好", "issued"),
    "invoice:red": ("已冲红", "红冲", "已作废", "reversed", "voided"),
}  # fmt: skip
# An order that has gone out is well described by where its parcel is.
IMPLIED = {"order:shipped": "parcel:", "order:delivered": "parcel:delivered"}

PAID = re.compile(
    r"已付款|已支付|付款成功|支付成功|已经付款|已经支付|付过款|\bpaid\b"
    r"|payment (?:went through|was successful|received|is complete)"
)
NOT_PAID = re.compile(
    r"(?:未|没有?|尚未|待|等待)(?:付款|支付)|unpaid|not (?:yet )?(?:been )?paid|awaiting payment|payment is pending"
)
TIERS = {
    "bronze": ("铜卡", "铜牌", "bronze"),
    "silver": ("银卡", "银牌", "silver"),
    "gold": ("金卡", "金牌", "gold"),
    "platinum": ("白金", "铂金", "platinum"),
}
CHANNELS = {
    "original": ("原支付方式", "原路", "付款账户", "original payment", "way you paid", "method you paid", "original method"),
    "wallet": ("余额", "钱包", "balance", "wallet"),
    "bank_card": ("银行卡", "bank card"),
}
PAYERS = {
    "customer": (
        "由您承担", "您承担", "买家承担", "由您支付", "您自理", "paid by you", "you pay", "you cover", "at your expense",
    ),
    "shop": (
        "由本店承担", "本店承担", "由我们承担", "我们承担", "商家承担", "卖家承担", "店铺承担", "paid by us", "we pay",
        "we cover", "paid by the shop", "on us",
    ),
    "insurance": ("运费险", "insurance"),
}  # fmt: skip

THINGS = {
    "order": r"订单|下单|购买|\borders?\b|purchase",
    "parcel": r"包裹|快递|物流|\bparcels?\b|\bpackages?\b|shipment",
    "refund": r"退款|退货|售后|换货|\brefunds?\b|\breturns?\b|after-sales?",
    "invoice": r"发票|开票|\binvoices?\b",
    "coupon": r"优惠券|券|\bcoupons?\b|vouchers?",
}
NEGATION = r"没有|暂无|没找到|没查到|无(?!线|法)|未(?:查|找|申请|下)|还没|\bno\b|\bnot\b|n't\b|\bnone\b|without"
NOT_FOUND = re.compile(
    r"(?:没有|没|未能?)(?:找到|查到|查询到)|查不到|找不到|查无|不在您的|不是您的|不属于您"
    r"|(?:cannot|can't|can not|could not|couldn't|unable to|did not|didn't|do not|don't) (?:find|see|locate)"
    r"|not (?:found|one of your|among your|in your)|isn't (?:one of|among|in) your|no (?:such )?(?:order|parcel)",
    re.IGNORECASE,
)
SIGN_IN = re.compile(r"登录|登陆|\bsign(?:ed)? in\b|\blog(?:ged)? in\b", re.IGNORECASE)

# Before or after a state's word: nothing is claimed of now.
_NOT_NOW_BEFORE = re.compile(
    r"(?:未|没有?|尚未|还没有?|若|如果|如|一旦|等|待|将会?|会|可能|前|后|直到|是否|不|(?<!申)请)$"
    r"|\b(?:not(?: yet)?(?: been)?|n't(?: been)?|after|once|until|when|if|before|unless|will be|be"
    r"|gets?|whether(?: it is)?|yet to be|(?:is|are|has been|have been) being|to|in case|can be|may be"
    r"|as soon as \w+(?: \w+)? (?:is|has been|are))\s*$",
    re.IGNORECASE,
)
_NOT_NOW_AFTER = re.compile(r"^(?:后|之后|以后|时|前|之前|以前|的话|吗|起|日|次日|时效|出现|发生|丢)")
_ALL = sorted(((word, state) for state, words in STATES.items() for word in words), key=lambda pair: -len(pair[0]))


def states_in(text: str) -> list[tuple[str, frozenset[str]]]:
    """The state words that the text says of now, each with the states that it may mean."""
    meanings: dict[str, set[str]] = {}
    for word, state in _ALL:
        meanings.setdefault(word, set()).add(state)
    lowered, found = text.lower(), list[tuple[str, frozenset[str]]]()
    for word, states in meanings.items():
        at = lowered.find(word)
        while at >= 0:
            before, after = lowered[:at], lowered[at + len(word) :]
            if _stands_alone(word, before, after) and not (_NOT_NOW_BEFORE.search(before) or _NOT_NOW_AFTER.search(after)):
                found.append((word, frozenset(states)))
            lowered = before + "\x00" * len(word) + after
            at = lowered.find(word, at + len(word))
    return found


def says_none_of(thing: str, text: str) -> bool:
    """Whether one sentence denies that there is such a thing."""
    sentences = re.split(r"[。!?！？\n;；]|\. |\.$", text)
    return any(re.search(NEGATION, one, re.IGNORECASE) and re.search(THINGS[thing], one, re.IGNORECASE) for one in sentences)


def says_one_of(words: tuple[str, ...], text: str) -> bool:
    return any(word in text.lower() for word in words)


def is_neutral(text: str) -> bool:
    """Whether the words belong to no language: an order number, ???"""
    return not re.search(r"[一-鿿]|[^\W\d_]{2,}", re.sub(r"\b[A-Z]{1,3}\d+\b", "", text))


def in_language(text: str, language: str) -> bool:
    """Whether the text is written in the language; names of things in the other one are allowed."""
    chinese, latin = len(re.findall(r"[一-鿿]", text)), len(re.findall(r"[A-Za-z]+", text))
    return chinese > 0 and chinese >= latin if language == "zh" else latin > chinese


def _stands_alone(word: str, before: str, after: str) -> bool:
    if not word[0].isascii():
        return True
    return not (before[-1:].isalpha() and before[-1:].isascii()) and not (after[:1].isalpha() and after[:1].isascii())
