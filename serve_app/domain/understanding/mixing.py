"""Chinese sentences with English words in them, and English ones with Chinese: 退货的shipping fee谁出, "where is my 快递"."""

from __future__ import annotations

import re

_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN_WORD = re.compile(r"[a-z]+")
# The longer words first, so that none is read as a part of another.
_PAIRS = (
    ("快递单号", "tracking number"),
    ("增值税专用发票", "vat invoice"),
    ("七天无理由", "no reason return"),
    ("运费险", "freight insurance"),
    ("取件码", "pickup code"),
    ("优惠券", "coupons?|vouchers?"),
    ("尺码表", "size (?:chart|guide)"),
    ("信用卡", "credit card"),
    ("代收点", "pickup point"),
    ("价保", "price protection"),
    ("会员", "membership|member|vip"),
    ("专票", "vat invoice"),
    ("运费", "shipping fee|shipping cost|delivery fee|postage"),
    ("退款", "refunds?"),
    ("退货", "returns?"),
    ("换货", "exchange"),
    ("发票", "invoices?|receipts?"),
    ("积分", "points?"),
    ("定金", "deposits?"),
    ("尾款", "balance"),
    ("快递", "parcels?|packages?|delivery"),
    ("物流", "tracking"),
    ("订单", "orders?"),
    ("发货", "shipp?ed|shipping|ship"),
    ("保修", "warranty"),
    ("包邮", "free shipping"),
    ("客服", "customer service"),
    ("取消", "cancel"),
    ("地址", "address"),
    ("拆开", "open(?:ed)?"),
    ("双十二", "double 12"),
    ("查", "check"),
)
_TO_CHINESE = tuple((re.compile(rf"(?<![a-z])(?:{english})(?![a-z])"), chinese) for chinese, english in _PAIRS)
_TO_ENGLISH = tuple((chinese, re.sub(r"\(.*?\)\??|s\?|\?", "", english.split("|")[0]).strip()) for chinese, english in _PAIRS)


def in_one_language(form: str) -> str:
    """The form with the shop's words in the language that the rest is in. Product names stay."""
    han, words = len(_HAN.findall(form)), len(_LATIN_WORD.findall(form))
    if not han or not words:
        return form
    if words >= han:
        for chinese, english in _TO_ENGLISH:
            form = form.replace(chinese, f" {english} ")
        return " ".join(form.split())
    for english, chinese in _TO_CHINESE:
        form = english.sub(chinese, form)
    return form
