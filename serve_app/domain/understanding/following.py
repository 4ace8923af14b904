"""Follow-ups: a topic word takes the last intent's place or joins it (退货政策 … 那运费呢 is about the return's freight)."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from serve_app.domain.intents import ACTIONS, TEMPLATED, Intent

_LEAD = re.compile(
    r"^(?:(?:那么?|还有|然后|另外|如果是?|要是|换成|请问|你们(?:的)?|and|but|so|then|also|plus|what about"
    r"|how about|what of|as for|the"
    r"|an?|your|for|about"
    r"|if i want|is there|do you have)[ ,]*)+(?=.)"
)
_TAIL = re.compile(
    r"(?:[ ,]*(?:呢|吗|么|啊|呀|吧|嘛|的话|怎么样|怎么说|怎么算|怎么收|是?多少钱?|可以|支持|有|也一样|then|too"
    r"|as well|though))+$"
)
_STARTS_A_FOLLOW_UP = re.compile(
    r"^(?:那|还有|然后|另外|换成|如果是|(?:and|but|so|then|also|plus|what about|how about|what of|as for)\b)"
)
_ASKS = re.compile(r"多少|怎么|什么|几|能|可以|谁|哪|还|没|为何|为什么|如何|啥|到|是不是|会(?!员)")
_JUST_POINTING = re.compile(
    r"^(?:那|这|它|另外?|其他|别)?(?:[一那]?[个件单些款笔]|[个件单]|它|的)*(?:订单|快递|包裹)?$"
    r"|^(?:it|that|this|that one|this one|the other one|the other|other one|another one|the other (?:order|parcel)"
    r"|those|these|them)$"
)
_THE_OTHER = re.compile(r"另|其他|别的|还有|\b(?:other|another)\b")

_RETURNING = frozenset(
    {
        Intent.RETURN_POLICY,
        Intent.RETURN_FREIGHT,
        Intent.RETURN_HOWTO,
        Intent.RETURN_OPENED,
        Intent.RETURN_QUALITY,
        Intent.RETURN_GIFT,
        Intent.RETURN_LATE,
        Intent.RETURN_PARTIAL,
        Intent.RETURN_PICKUP,
        Intent.RETURN_ADDRESS,
        Intent.NON_RETURNABLE,
        Intent.REFUND_TIME,
        Intent.REQUEST_RETURN,
    }
)
_OWN = TEMPLATED | ACTIONS
_TO_BE_SENT = frozenset({Intent.SHIPPING_FEE, Intent.SHIPPING_TIME, Intent.DELIVERY_TIME, Intent.DELIVERY_AREA, Intent.CARRIER})


@dataclass(frozen=True, slots=True)
class Topic:
    """What a topic word means: after some intents one thing, after any other `otherwise`. None: it cannot be told."""

    words: re.Pattern[str]
    otherwise: Intent | None
    after: tuple[tuple[Collection[Intent], Intent | None], ...] = ()

    def meaning_after(self, last: Intent) -> Intent | None:
        return next((intent for lasts, intent in self.after if last in lasts), self.otherwise)


def _topic(words: str, otherwise: Intent | None, *after: tuple[Collection[Intent], Intent | None]) -> Topic:
    return Topic(re.compile(rf"(?:{words})"), otherwise, after)


_UNTOLD_WHEN_OWN = (_OWN, None)
_TOPICS = (
    _topic(
        r"(?:运费|邮费|快递费|(?:shipping|delivery|return)? ?(?:fees?|costs?|charges?)|postage|freight)",
        Intent.SHIPPING_FEE,
        (_RETURNING, Intent.RETURN_FREIGHT),
        ({Intent.EXCHANGE_POLICY, Intent.WARRANTY, Intent.DAMAGED_PARCEL, Intent.REFUND_PROGRESS}, None),
    ),
    _topic(r"谁(?:来)?(?:出|付|承担)|who pays(?: for (?:it|that|shipping))?", None, (_RETURNING, Intent.RETURN_FREIGHT)),
    _topic(r"(?:退货|寄回去?)的?(?:运费|邮费)|return (?:shipping|postage|freight)(?: (?:fee|cost)s?)?", Intent.RETURN_FREIGHT),
    _topic(r"退货|退换货?|退|returns?|returning(?: it)?|return policy", Intent.RETURN_POLICY, ({Intent.REFUND_PROGRESS}, None)),
    _topic(
        r"换货|换|exchanges?|exchanging(?: it)?|swapping|exchange policy",
        Intent.EXCHANGE_POLICY,
        ({Intent.REFUND_PROGRESS}, None),
    ),
    _topic(r"退款|钱|refunds?|money", Intent.REFUND_TIME, (TEMPLATED, Intent.REFUND_PROGRESS), (ACTIONS, None)),
    _topic(
        r"(?:钱|退款)?(?:多久|几天|什么时候)(?:能|可以)?(?:到账|退款?)|(?:when|how long) (?:is|until"
        r"|for) the (?:refund|money)",
        Intent.REFUND_TIME,
        (TEMPLATED, Intent.REFUND_PROGRESS),
        (ACTIONS, None),
    ),
    _topic(r"(?:我的)?(?:优惠券|券)|(?:my )?(?:coupons?|vouchers?)", Intent.COUPON_RULES, ({Intent.TIER}, Intent.TIER)),
    _topic(r"(?:我的)?积分|(?:my )?points", Intent.POINTS_RULES, ({Intent.TIER}, Intent.TIER)),
    _topic(r"会员(?:等级)?|等级|membership|tiers?|levels?", Intent.TIER_RULES, ({Intent.TIER}, Intent.TIER)),
    _topic(
        r"发货(?:时间)?|时效|(?:shipping|delivery|dispatch) times?",
        Intent.SHIPPING_TIME,
        ({Intent.ORDER_STATUS, Intent.PARCEL}, Intent.ORDER_STATUS),
        _UNTOLD_WHEN_OWN,
    ),
    _topic(r"(?:我的)?(?:快递|物流|包裹)|(?:my )?(?:parcels?|packages?|delivery)", None, (TEMPLATED, Intent.PARCEL)),
    _topic(r"(?:我的)?(?:订单|单子)|(?:my )?orders?", None, (TEMPLATED, Intent.ORDER_STATUS)),
    _topic(r"取消(?:订单)?|cancell?(?:ing|ations?)?", Intent.CANCEL_POLICY, _UNTOLD_WHEN_OWN),
    _topic(
        r"(?:修?改|换)?(?:收货)?地址|changing (?:the )?address|address changes?", Intent.ADDRESS_CHANGE_POLICY, _UNTOLD_WHEN_OWN
    ),
    _topic(r"发票|开票|invoices?|receipts?", Intent.INVOICE, _UNTOLD_WHEN_OWN),
    _topic(r"保修期?|质保|维修|warranty|guarantee|repairs?", Intent.WARRANTY, _UNTOLD_WHEN_OWN),
    _topic(r"定金|预售|deposits?|pre-? ?orders?", Intent.DEPOSIT, _UNTOLD_WHEN_OWN),
    _topic(r"尾款|(?:the )?(?:balance|final payment)", None, ({Intent.DEPOSIT}, Intent.DEPOSIT)),
    _topic(r"价保|保价|降价|差价|价格保护|price (?:protection|drops?|match(?:ing)?)", Intent.PRICE_PROTECTION),
    _topic(r"正品|真假|authenticity|fakes?", Intent.AUTHENTICITY),
    _topic(r"付款(?:方式)?|支付(?:方式)?|payments?|payment methods?|paying", Intent.PAYMENT, _UNTOLD_WHEN_OWN),
    _topic(r"自提|代收点|驿站|快递柜|pickup(?: points?)?|lockers?", Intent.PICKUP_POINT, _UNTOLD_WHEN_OWN),
    _topic(r"丢(?:件|了)|lost (?:parcels?|packages?)", Intent.LOST_PARCEL, _UNTOLD_WHEN_OWN),
    _topic(r"破损|坏了|damaged? ?(?:items?|parcels?|goods)?", Intent.DAMAGED_PARCEL, _UNTOLD_WHEN_OWN),
    _topic(r"隐私|个人信息|privacy|personal data", Intent.PRIVACY),
    _topic(
        r"内衣|生鲜|定制(?:商品|的)?|underwear|fresh food|custom(?:-made)? items?", None, (_RETURNING, Intent.NON_RETURNABLE)
    ),
    _topic(
        r"海外|国外|港澳台|香港|新疆|西藏|偏远地区|农村|overseas|abroad|international(?:ly)?|hong kong|tibet",
        None,
        ({Intent.DELIVERY_AREA}, Intent.DELIVERY_AREA),
    ),
    _topic(
        r"怎么(?:弄|操作|办理|退|申请)|流程|how|how do i do (?:it|that)|the process|process",
        None,
        ({Intent.RETURN_POLICY, Intent.RETURN_HOWTO}, Intent.RETURN_HOWTO),
        ({Intent.CANCEL_POLICY}, Intent.CANCEL_POLICY),
        ({Intent.ADDRESS_CHANGE_POLICY}, Intent.ADDRESS_CHANGE_POLICY),
    ),
    _topic(
        r"(?:要|需要|大概|一般)?(?:多久|多长时间|几天|什么时候)(?:能|可以|会)?(?:到货?|收到|送到)"
        r"|(?:how long (?:until|till|before)|when (?:will|does)) (?:it|they) (?:arrives?|comes?|gets? here)",
        None,
        (_TO_BE_SENT, Intent.DELIVERY_TIME),
        ({Intent.PARCEL, Intent.ORDER_STATUS}, Intent.PARCEL),
    ),
    _topic(
        r"(?:要|需要)?(?:多久|多长时间|几天|什么时候)|how long|when|how long does it take",
        None,
        ({Intent.REFUND_TIME}, Intent.REFUND_TIME),
        ({Intent.SHIPPING_TIME}, Intent.SHIPPING_TIME),
        (_TO_BE_SENT, Intent.DELIVERY_TIME),
        ({Intent.PARCEL, Intent.ORDER_STATUS}, Intent.PARCEL),
        ({Intent.REFUND_PROGRESS}, Intent.REFUND_PROGRESS),
    ),
)


def starts_follow_up(text: str) -> bool:
    """那…, …呢, "and …", "what about …": it leans on what was said before. Takes the cleaned text."""
    lower = text.casefold().rstrip("?？!！.。~ ")
    is_bare_topic = lower.endswith("呢") and len(lower) <= 8 and not _ASKS.search(lower)
    return is_bare_topic or bool(_STARTS_A_FOLLOW_UP.search(lower))


def topic_after(text: str, last: Intent) -> Intent | None:
    """The intent of a follow-up that is nothing but a topic, after `last`; None when it cannot be told."""
    core = core_of(text)
    for topic in _TOPICS:
        if topic.words.fullmatch(core):
            return topic.meaning_after(last)
    return None


def is_just_pointing(text: str) -> bool:
    """那个呢, "and that one?": it names nothing but what was said before."""
    core = core_of(text)
    return bool(_JUST_POINTING.match(core)) and (bool(core) or starts_follow_up(text))


def points_at_the_other(text: str) -> bool:
    return bool(_THE_OTHER.search(text.casefold()))


def core_of(text: str) -> str:
    """The text without the words that lead into a follow-up and out of it: 那运费呢 is 运费."""
    lower = re.sub(r"[?？!！.。~'’]", "", text.casefold()).strip(" ,，")
    return _TAIL.sub("", _LEAD.sub("", lower)).strip(" ,，")
