"""How money, days, instants and states are said in Chinese and in English, after Unicode's CLDR (by Babel)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale as BabelLocale
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_currency, get_currency_precision

from serve_app.domain.errors import ConfigError
from serve_app.domain.facts import AfterSaleStage, AfterSaleType, FreightPayer, OrderState, ParcelState, RefundChannel
from serve_app.domain.messages import Language


@dataclass(frozen=True, slots=True)
class Locale:
    """The answer's language, and the shop's zone (IANA name) and currency (ISO 4217)."""

    language: Language
    time_zone: str = "Asia/Shanghai"
    currency: str = "CNY"


@functools.total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    minor: int
    currency: str

    def __lt__(self, other: Money) -> bool:
        """Raises TypeError for an amount in another currency."""
        if self.currency != other.currency:
            raise TypeError(f"{self.currency} and {other.currency} cannot be compared")
        return self.minor < other.minor


def today(now: datetime, time_zone: str) -> date:
    """The date in the shop's zone at the instant `now`. Raises ConfigError for an unknown zone."""
    return now.astimezone(zone(time_zone)).date()


@functools.cache
def zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(f"unknown time zone {name!r}: write an IANA name such as Asia/Shanghai") from error


def money(minor: int, locale: Locale, currency: str | None = None) -> str:
    """Minor units as an amount: zh ¥1,299.00, en CN¥1,299.00."""
    currency = currency or locale.currency
    major = Decimal(minor).scaleb(-get_currency_precision(currency))
    return format_currency(major, currency, locale=_babel(_LOCALES[locale.language]))


def day(value: date, locale: Locale, today: date | None = None) -> str:
    """A date: zh 11月24日(周二), en Tue 24 Nov; with the year when it is not that of `today`.

    A day next to `today` is named as well: 明天(11月24日), tomorrow (Tue 24 Nov).
    """
    plain = _plain_day(value, locale, today)
    name = None if today is None else _NEAR_DAYS[locale.language].get((value - today) // timedelta(days=1))
    if name is None:
        return plain
    return f"{name}({plain.partition('(')[0]})" if locale.language == "zh" else f"{name} ({plain})"


def on_day(value: date | datetime, locale: Locale, today: date | None = None) -> str:
    """As `day` or `instant`, with the preposition that English wants: on Tue 24 Nov, but tomorrow (Tue 24 Nov)."""
    said = instant(value, locale, today) if isinstance(value, datetime) else day(value, locale, today)
    is_bare = locale.language == "en" and said[0].isupper()
    return f"on {said}" if is_bare else said


def instant(value: datetime, locale: Locale, today: date | None = None) -> str:
    """An instant in the shop's zone: zh 11月24日(周二)14:20, en Tue 24 Nov at 14:20."""
    local = value.astimezone(zone(locale.time_zone))
    said = day(local.date(), locale, today)
    return f"{said}{local:%H:%M}" if locale.language == "zh" else f"{said} at {local:%H:%M}"


def time_of_day(value: datetime, locale: Locale) -> str:
    """An instant's time in the shop's zone: 14:20."""
    return f"{value.astimezone(zone(locale.time_zone)):%H:%M}"


def listed(items: Sequence[str], locale: Locale) -> str:
    """Several as one phrase: zh a、b和c, en a, b and c."""
    return format_list(list(items), locale=_babel(_LISTED[locale.language]))


def name_of(state: StrEnum, language: Language) -> str:
    """A state's name for customers: 运输中, in transit. One without a name is its own value."""
    return _NAMES[language].get(state, state.value)


def tier_name(tier: str, language: Language) -> str:
    """A tier's name: 金卡会员, Gold. A shop's own tier is its own name."""
    return _TIERS[language].get(tier, tier)


@functools.cache
def _babel(name: str) -> BabelLocale:
    """Looked up once: by its name it is searched for among all locales each time."""
    return BabelLocale.parse(name)


def _plain_day(value: date, locale: Locale, today: date | None) -> str:
    with_year = today is not None and value.year != today.year
    return format_date(value, _DAY_PATTERNS[locale.language][with_year], locale=_babel(_LOCALES[locale.language]))


_LOCALES: dict[Language, str] = {"zh": "zh_CN", "en": "en_US"}
_LISTED: dict[Language, str] = {"zh": "zh_CN", "en": "en_GB"}  # without the comma before `and`
# Without and with the year.
_DAY_PATTERNS: dict[Language, tuple[str, str]] = {
    "zh": ("M月d日(EEE)", "y年M月d日(EEE)"),
    "en": ("EEE d MMM", "EEE d MMM y"),
}
_NEAR_DAYS: dict[Language, dict[int, str]] = {
    "zh": {-2: "前天", -1: "昨天", 0: "今天", 1: "明天", 2: "后天"},
    "en": {-1: "yesterday", 0: "today", 1: "tomorrow"},
}
_TIERS: dict[Language, dict[str, str]] = {
    "zh": {"bronze": "铜卡会员", "silver": "银卡会员", "gold": "金卡会员", "platinum": "白金会员"},
    "en": {"bronze": "Bronze", "silver": "Silver", "gold": "Gold", "platinum": "Platinum"},
}
# Members of different enumerations can share a value ("delivered"), and a StrEnum's hash is its value's. The order's and the
# parcel's words are therefore the same wherever the values are.
_NAMES: dict[Language, dict[StrEnum, str]] = {
    "zh": {
        OrderState.UNPAID: "待付款",
        OrderState.DEPOSIT_PAID: "已付定金",
        OrderState.PAID: "待发货",
        OrderState.PARTLY_SHIPPED: "部分发货",
        OrderState.SHIPPED: "已发货",
        OrderState.COMPLETED: "已完成",
        OrderState.CANCELLED: "已取消",
        OrderState.CLOSED: "已关闭",
        ParcelState.LABEL_CREATED: "待揽收",
        ParcelState.PICKED_UP: "已揽收",
        ParcelState.IN_TRANSIT: "运输中",
        ParcelState.OUT_FOR_DELIVERY: "派送中",
        ParcelState.AT_PICKUP_POINT: "已到代收点",
        ParcelState.DELIVERED: "已签收",
        ParcelState.RETURNED: "已退回",
        ParcelState.EXCEPTION: "运输异常",
        ParcelState.LOST: "包裹丢失",
        AfterSaleType.REFUND_ONLY: "仅退款",
        AfterSaleType.RETURN_REFUND: "退货退款",
        AfterSaleType.EXCHANGE: "换货",
        AfterSaleType.REPAIR: "维修",
        AfterSaleType.RESHIP: "补发",
        AfterSaleStage.REQUESTED: "待审核",
        AfterSaleStage.REJECTED: "未通过",
        AfterSaleStage.AWAITING_RETURN: "待寄回",
        AfterSaleStage.RETURN_IN_TRANSIT: "退货运输中",
        AfterSaleStage.INSPECTING: "验收中",
        AfterSaleStage.PROCESSING: "处理中",
        AfterSaleStage.RESHIPPED: "已重新发出",
        AfterSaleStage.REFUNDING: "退款中",
        AfterSaleStage.REFUNDED: "已退款",
        FreightPayer.CUSTOMER: "由您承担",
        FreightPayer.SHOP: "由本店承担",
        FreightPayer.INSURANCE: "由运费险赔付",
        RefundChannel.ORIGINAL: "原支付方式",
        RefundChannel.WALLET: "账户余额",
        RefundChannel.BANK_CARD: "银行卡",
    },
    "en": {
        OrderState.UNPAID: "awaiting payment",
        OrderState.DEPOSIT_PAID: "deposit paid",
        OrderState.PAID: "waiting to be shipped",
        OrderState.PARTLY_SHIPPED: "partly shipped",
        OrderState.SHIPPED: "shipped",
        OrderState.COMPLETED: "completed",
        OrderState.CANCELLED: "cancelled",
        OrderState.CLOSED: "closed",
        ParcelState.LABEL_CREATED: "waiting for the carrier",
        ParcelState.PICKED_UP: "picked up by the carrier",
        ParcelState.IN_TRANSIT: "in transit",
        ParcelState.OUT_FOR_DELIVERY: "out for delivery",
        ParcelState.AT_PICKUP_POINT: "at a pickup point",
        ParcelState.DELIVERED: "delivered",
        ParcelState.RETURNED: "returned to us",
        ParcelState.EXCEPTION: "held up by a delivery problem",
        ParcelState.LOST: "lost",
        AfterSaleType.REFUND_ONLY: "refund",
        AfterSaleType.RETURN_REFUND: "return and refund",
        AfterSaleType.EXCHANGE: "exchange",
        AfterSaleType.REPAIR: "repair",
        AfterSaleType.RESHIP: "replacement shipment",
        AfterSaleStage.REQUESTED: "under review",
        AfterSaleStage.REJECTED: "not approved",
        AfterSaleStage.AWAITING_RETURN: "waiting for your return",
        AfterSaleStage.RETURN_IN_TRANSIT: "return in transit",
        AfterSaleStage.INSPECTING: "being inspected",
        AfterSaleStage.PROCESSING: "in progress",
        AfterSaleStage.RESHIPPED: "sent out again",
        AfterSaleStage.REFUNDING: "refund under way",
        AfterSaleStage.REFUNDED: "refunded",
        FreightPayer.CUSTOMER: "paid by you",
        FreightPayer.SHOP: "paid by us",
        FreightPayer.INSURANCE: "covered by freight insurance",
        RefundChannel.ORIGINAL: "the original payment method",
        RefundChannel.WALLET: "your account balance",
        RefundChannel.BANK_CARD: "your bank card",
    },
}
