"""Amid a conversation a question stands on its own where it names the goods, or its whole matter; else it may lean."""

from datetime import date

import pytest

from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Kind, Language
from serve_app.domain.normalise import canonical_form
from serve_app.domain.question import Focus
from serve_app.domain.understanding import Understander


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("收到的商品坏了怎么办？", Intent.INVOICE),
        ("快递丢件了怎么处理", Intent.COUPON_RULES),
        ("快递丢了怎么办", Intent.RETURN_GIFT),
        ("商品破损怎么处理", Intent.RETURN_POLICY),
        ("发错货了怎么办", Intent.POINTS_RULES),
        ("你们卖的是真货吗", Intent.WARRANTY),
        ("怎么防止被骗", Intent.REFUND_TIME),
        ("What if the item arrives damaged?", Intent.INVOICE),
        ("what if the package is damaged", Intent.COUPON_RULES),
        ("what if you sent the wrong product", Intent.RETURN_POLICY),
        ("Are your products genuine?", Intent.WARRANTY),
        ("how do I avoid scams", Intent.REFUND_TIME),
        ("do you accept returns", Intent.COUPON_RULES),
        ("can I return an item", Intent.COUPON_RULES),
        ("can I return cosmetics", Intent.COUPON_RULES),
        ("how do I edit an order", Intent.RETURN_POLICY),
        ("怎么选尺码", Intent.COUPON_RULES),
        ("发货要多久", Intent.COUPON_RULES),
        ("how can I pay", Intent.INVOICE),
    ],
)
def test_it_says_what_it_is_about(understander: Understander, today: date, text: str, last: Intent) -> None:
    language: Language = "en" if text.isascii() else "zh"
    after = understander.understand(text, Focus(language=language, intent=last), today)
    assert (after.kind, after.canonical, after.carried) == (Kind.PUBLIC, canonical_form(text), False)


@pytest.mark.parametrize(
    "text",
    [
        "丢了怎么办",
        "坏了怎么办",
        "能换吗",
        "是真的吗",
        "会不会是假的",
        "what if I lose it",
        "who pays the postage",
        "is it real",
    ],
)
def test_it_may_be_about_what_was_said_before(understander: Understander, today: date, text: str) -> None:
    language: Language = "en" if text.isascii() else "zh"
    after = understander.understand(text, Focus(language=language, intent=Intent.REVIEWS), today)
    assert not after.canonical or after.canonical.startswith("@")


# Said amid a conversation they may be about what was said before; alone they are published wordings.
_OPEN = {"怎么付款", "会不会是假的"}
_TOPICS = (Intent.COUPON_RULES, Intent.INVOICE, Intent.PRIVACY)  # the last has no subject of its own


def test_a_published_wording_is_answered_after_another_question(understander: Understander, today: date) -> None:
    lost: set[str] = set()
    astray: list[tuple[str, str]] = []
    asked = 0
    for entry in demo_knowledge().entries:
        others = [intent for intent in _TOPICS if intent is not entry.intent]
        questions: list[tuple[Language, str]] = [(in_, text) for in_, said in entry.questions.items() for text in said]
        for language, text in questions:
            alone = understander.understand(text, Focus(), today)
            for last in others:
                after = understander.understand(text, Focus(language=language, intent=last), today)
                asked += 1
                if not after.canonical:
                    lost.add(canonical_form(text))
                elif after.intent is not alone.intent:
                    astray.append((text, last))
    assert lost == _OPEN
    # What is left are questions like "do I get a refund when I cancel" after coupons.
    assert len(astray) <= asked // 500, astray
