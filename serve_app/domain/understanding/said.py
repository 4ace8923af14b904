"""A question in the forms in which it is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from serve_app.domain.intents import Intent
from serve_app.domain.normalise import canonical_form, plain_form
from serve_app.domain.question import Entities
from serve_app.domain.understanding.conversation import CONVERSATION
from serve_app.domain.understanding.mixing import in_one_language
from serve_app.domain.understanding.own_things import own_thing
from serve_app.domain.understanding.rules import first_match

_HAN = re.compile(r"[\u4e00-\u9fff]")
_ORDER_NAMED = re.compile(
    r"(?:(?:我的|这个|该)?(?:订单|单)号?(?:是|为)?:?)?(?:zw\d{12}|(?<![a-z\d])\d{10,20}(?!\d))(?:的?(?:这"
    r"|那)?[个笔]?(?:订单|单子?))?"
    r"|(?:我的?|那个)?(?:订单|单子?)?(?:尾号|尾数|(?:后|末|最后)[四4]位)(?:是"
    r"|为)?[\d一二三四五六七八九零幺]{4}(?:的?(?:这|那)?[个笔]?(?:订单|单子?)?)?"
    r"|(?:\b(?:my |the )?order(?: (?:number|no|id))? (?:is )?)?(?:ending|that ends)(?: in| with)? \d{4}"
)
_ORDER_NAMED_EN = re.compile(r"\b(?:my |the )?orders?(?: (?:number|no|id))? (?:is )?(?=我的订单)")
_PARCEL_NAMED = re.compile(
    r"(?:(?:快递|运单|物流)单?号?(?:是|为)?)?\b(?:(?:sf|yto?|jd[a-z]{0,2}|[zs]to|yd|ems|jt|dpk|db)\d{10,15}|1z[a-z0-9]{16})"
)


_POINTING_AT_ORDER = re.compile(
    r"(?:这|那|该|此)(?:一)?[个件单笔条款]?(?:订单|快递|包裹|商品|东西)?|它"
    r"|第[一二三四五六七八九十\d]+[个件单笔]的?|最后[一那]?[个件单笔]|上面那?[个件单笔]?"
    r"|\b(?:the (?:first|second|third|fourth|fifth|last|other|\dst|\dnd|\drd|\dth) (?:one|order|parcel|package)"
    r"|(?:this|that) (?:one|order|parcel|package)|it|this|that)\b"
)
_POINTING_AWAY = re.compile(r"^(?:那么?|and|so|but|then|also)[ ,]*|" + _POINTING_AT_ORDER.pattern)


@dataclass(frozen=True)
class Said:
    text: str  # cleaned
    form: str  # canonical
    entities: Entities
    attached: bool  # an order or a product came along
    names_things: bool = True  # words that could be the name of something bought are taken for one
    order_names: tuple[str, ...] = ()  # the order numbers in the shop's format, as they are said

    @cached_property
    def talk(self) -> Intent | None:
        """What it says apart from any question. Its thanks are filler in the canonical form, so the plain one goes first."""
        return first_match(CONVERSATION, plain_form(self.text)) or first_match(CONVERSATION, self.form)

    @cached_property
    def plain(self) -> str:
        """The form with "my order" in the place of an order's name, for rules and markers."""
        form = _with_demo_number(self.form, [plain_form(name) for name in self.order_names])
        form = in_one_language(form)
        chinese = bool(_HAN.search(form))
        plain = _ORDER_NAMED.sub("我的订单", _PARCEL_NAMED.sub("我的快递", form))
        if chinese:
            return plain
        return _ORDER_NAMED_EN.sub("", plain).replace("我的订单", "my order").replace("我的快递", "my parcel")

    @cached_property
    def numbered(self) -> str:
        """The cleaned text with an order number in the demo's format in the place of the shop's own."""
        return _with_demo_number(self.text, self.order_names)


def _with_demo_number(text: str, names: Iterable[str]) -> str:
    """The rules know order numbers in the demo's format only."""
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(name, "zw000000000000")
    return text


def said_with(
    cleaned: str, entities: Entities, order_id: str | None, sku_id: str | None, order_names: tuple[str, ...] = ()
) -> Said:
    """`order_id` and `sku_id` came along; they count where the text names none itself."""
    if order_id and not entities.names_an_order:
        entities = replace(entities, order_ids=(order_id,))
    if sku_id and not entities.sku_ids:
        entities = replace(entities, sku_ids=(sku_id,))
    return Said(cleaned, canonical_form(cleaned), entities, attached=bool(order_id or sku_id), order_names=order_names)


def own_intent(plain: str) -> Intent | None:
    """An intent about an order, read from a text whose pointing words may hide its subject: 它到哪了, "cancel it"."""
    subject = "我的订单" if _HAN.search(plain) else "my order"
    for form in (plain, _POINTING_AT_ORDER.sub(subject, plain), _POINTING_AWAY.sub("", plain).strip()):
        intent = own_thing(form)
        if intent is not None:
            return intent
    return None
