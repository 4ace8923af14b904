"""The answer's language."""

import pytest

from serve_app.adapters.language import FastTextDetector
from serve_app.domain.messages import Language
from serve_app.domain.normalise import clean
from serve_app.domain.understanding.language import language_of

DETECTOR = FastTextDetector()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("运费多少", "zh"),
        ("請問運費怎麼算", "zh"),
        ("iPhone 15 Pro Max 什么时候发货", "zh"),
        ("Apple Watch Series 9 保修多久", "zh"),
        ("OK 谢谢", "zh"),
        ("優惠の活动", "zh"),
        ("Where is my order?", "en"),
        ("where is my 羽绒服 order", "en"),
        ("What does 包邮 mean?", "en"),
        ("refund", "en"),
        ("cod available", "en"),
        ("wher is my oder", "en"),
        ("hi", "en"),
    ],
)
def test_the_dominant_script_decides(text: str, language: Language):
    other: Language = "en" if language == "zh" else "zh"
    assert language_of(clean(text), other, None, DETECTOR.detect) == (language, False)


@pytest.mark.parametrize("text", ["ok", "1", "ZW202611220001", "👍", "SKU-00001", "XL", "¥99", "?", "SF1234567890123"])
def test_neutral_text_keeps_the_language(text: str):
    assert language_of(clean(text), "en", "zh-CN", DETECTOR.detect) == ("en", False)
    assert language_of(clean(text), None, "en-GB", DETECTOR.detect) == ("en", False)
    assert language_of(clean(text), None, None, DETECTOR.detect) == ("zh", False)


@pytest.mark.parametrize(
    "text",
    [
        "hola",
        "¿Dónde está mi pedido?",
        "Wo ist mein Paket?",
        "où est ma commande",
        "gdzie jest moja paczka",
        "đơn hàng của tôi ở đâu",
        "返品したいです",
        "こんにちは",
        "환불해 주세요",
        "где мой заказ",
        "أين طلبي",
        "ขอคืนเงิน",
    ],
)
def test_other_languages_are_answered_in_english(text: str):
    assert language_of(clean(text), "zh", "zh-CN", DETECTOR.detect) == ("en", True)


@pytest.mark.parametrize(
    "text",
    [
        "thx",
        "pls",
        "return?",
        "tracking",
        "sup",
        "gm",
        "cancel",
        "parcel",
        "where r u",
        "ship fee?",
        "i wanna return dis",
        "human",
        "agent",
        "invoice pls",
        "any coupons",
        "size chart",
    ],
)
def test_short_english_is_not_foreign(text: str):
    assert language_of(clean(text), None, None, DETECTOR.detect) == ("en", False)
