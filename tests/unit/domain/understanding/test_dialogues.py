"""Steps of dialogues: what a text means after what was said before."""

from datetime import date

import pytest

from serve_app.domain.intents import Intent
from serve_app.domain.messages import Kind, Option, Suggestion
from serve_app.domain.normalise import canonical_form
from serve_app.domain.question import Focus
from serve_app.domain.understanding import Understander, refocus

A, B, C = "ZW202611220001", "ZW202611201234", "ZW202611180777"
OFFERED = (Option(A, "11月22日 · 尾号0001"), Option(B, "11月20日 · 尾号1234"), Option(C, "11月18日 · 尾号0777"))
SUGGESTED = (
    Suggestion("return-policy", "退货政策是什么"),
    Suggestion("refund-time", "退款多久到账"),
    Suggestion("invoice", "怎么开发票"),
)

NOTHING = Focus()
CHOOSING = Focus(language="zh", intent=Intent.PARCEL, offered=OFFERED)
CHOOSING_EN = Focus(language="en", intent=Intent.ORDER_STATUS, offered=OFFERED)
CHOSEN = Focus(language="zh", intent=Intent.PARCEL, order_id=B, offered=OFFERED)
SUGGESTING = Focus(language="zh", intent=Intent.OTHER, suggested=SUGGESTED, misses=1)
PUBLIC, TEMPLATED, PERSONAL, ACTION = Kind.PUBLIC, Kind.TEMPLATED, Kind.PERSONAL, Kind.ACTION


def after(intent: Intent, order_id: str | None = None, offered: tuple[Option, ...] = ()) -> Focus:
    return Focus(language="zh", intent=intent, order_id=order_id, offered=offered)


# text, focus, intent, kind, language, self-contained
STEPS = [
    # Public questions that stand on their own
    ("运费多少?", NOTHING, Intent.SHIPPING_FEE, PUBLIC, "zh", True),
    ("What is your return policy?", NOTHING, Intent.RETURN_POLICY, PUBLIC, "en", True),
    ("怎么取消订单", NOTHING, Intent.CANCEL_POLICY, PUBLIC, "zh", True),
    ("How do I cancel my order?", NOTHING, Intent.CANCEL_POLICY, PUBLIC, "en", True),
    ("退款多久到账", NOTHING, Intent.REFUND_TIME, PUBLIC, "zh", True),
    ("請問運費怎麼算？", NOTHING, Intent.SHIPPING_FEE, PUBLIC, "zh", True),
    ("客服几点上班", NOTHING, Intent.SUPPORT_HOURS, PUBLIC, "zh", True),
    ("周末发货吗", NOTHING, Intent.SHIPPING_TIME, PUBLIC, "zh", True),
    ("快递丢了怎么办", NOTHING, Intent.LOST_PARCEL, PUBLIC, "zh", True),
    ("你们这里包邮吗", NOTHING, Intent.SHIPPING_FEE, PUBLIC, "zh", True),
    # Own things
    ("我的快递到哪了?", NOTHING, Intent.PARCEL, TEMPLATED, "zh", True),
    ("Where is my order?", NOTHING, Intent.PARCEL, TEMPLATED, "en", True),
    ("我什么时候能收到", NOTHING, Intent.PARCEL, TEMPLATED, "zh", True),
    ("在吗\n我那个订单\n怎么还没到", NOTHING, Intent.PARCEL, TEMPLATED, "zh", True),
    ("我的退款到哪了", NOTHING, Intent.REFUND_PROGRESS, TEMPLATED, "zh", True),
    ("when will I get my money back", NOTHING, Intent.REFUND_PROGRESS, TEMPLATED, "en", True),
    ("我是什么会员", NOTHING, Intent.TIER, TEMPLATED, "zh", True),
    ("how many points do I have?", NOTHING, Intent.TIER, TEMPLATED, "en", True),
    ("我的订单发货了吗", NOTHING, Intent.ORDER_STATUS, TEMPLATED, "zh", True),
    ("has my order shipped yet", NOTHING, Intent.ORDER_STATUS, TEMPLATED, "en", True),
    ("ZW202611220001到哪了", NOTHING, Intent.PARCEL, TEMPLATED, "zh", True),
    ("where is order ZW202611220001", NOTHING, Intent.PARCEL, TEMPLATED, "en", True),
    ("ZW202611220001", NOTHING, Intent.ORDER_STATUS, TEMPLATED, "zh", True),
    ("尾号1234的订单什么状态", NOTHING, Intent.ORDER_STATUS, TEMPLATED, "zh", True),
    # To be done
    ("帮我取消订单", NOTHING, Intent.CANCEL_ORDER, ACTION, "zh", True),
    ("please cancel my order", NOTHING, Intent.CANCEL_ORDER, ACTION, "en", True),
    ("我想改收货地址", NOTHING, Intent.CHANGE_ADDRESS, ACTION, "zh", True),
    ("我要退货", NOTHING, Intent.REQUEST_RETURN, ACTION, "zh", True),
    # Own facts mixed with a rule, or a verb turned round
    ("我的运费为什么收了两次", NOTHING, Intent.OTHER, PERSONAL, "zh", True),
    ("我昨天买的能退吗", NOTHING, Intent.OTHER, PERSONAL, "zh", True),
    ("SKU-00012 可以退货吗", NOTHING, Intent.RETURN_POLICY, PERSONAL, "zh", True),
    ("不想退货", NOTHING, Intent.OTHER, PERSONAL, "zh", True),
    ("can I NOT pay", NOTHING, Intent.OTHER, PERSONAL, "en", True),
    ("我的快递到哪了，可以退货吗", NOTHING, Intent.OTHER, PERSONAL, "zh", True),
    # Conversation
    ("你好", NOTHING, Intent.GREETING, PUBLIC, "zh", True),
    ("转人工", NOTHING, Intent.HUMAN, PUBLIC, "zh", True),
    ("Can I talk to a human please", NOTHING, Intent.HUMAN, PUBLIC, "en", True),
    ("好的，谢谢", after(Intent.RETURN_POLICY), Intent.THANKS, PUBLIC, "zh", True),
    ("ok thanks", after(Intent.PARCEL), Intent.THANKS, PUBLIC, "en", True),
    ("tell me a joke", NOTHING, Intent.CHITCHAT, PERSONAL, "en", True),
    ("你们就是骗子", NOTHING, Intent.COMPLAINT, PERSONAL, "zh", True),
    # A topic joins the last intent
    ("那运费呢", after(Intent.RETURN_POLICY), Intent.RETURN_FREIGHT, PUBLIC, "zh", True),
    ("那运费呢", after(Intent.RETURN_PICKUP), Intent.RETURN_FREIGHT, PUBLIC, "zh", True),
    # A place is nothing that was bought
    ("送西藏吗", NOTHING, Intent.OTHER, PERSONAL, "zh", True),
    ("新疆发不发", NOTHING, Intent.OTHER, PERSONAL, "zh", True),
    ("那运费呢", after(Intent.SHIPPING_TIME), Intent.SHIPPING_FEE, PUBLIC, "zh", True),
    ("那运费呢", after(Intent.REFUND_PROGRESS), Intent.OTHER, PERSONAL, "zh", False),
    ("那换货呢？", after(Intent.RETURN_POLICY), Intent.EXCHANGE_POLICY, PUBLIC, "zh", True),
    ("换货呢", after(Intent.RETURN_POLICY), Intent.EXCHANGE_POLICY, PUBLIC, "zh", True),
    ("and the shipping fee?", after(Intent.RETURN_POLICY), Intent.RETURN_FREIGHT, PUBLIC, "en", True),
    ("and the shipping fee?", after(Intent.DELIVERY_AREA), Intent.SHIPPING_FEE, PUBLIC, "en", True),
    ("what about exchanges?", after(Intent.RETURN_HOWTO), Intent.EXCHANGE_POLICY, PUBLIC, "en", True),
    ("那退款呢", after(Intent.RETURN_POLICY), Intent.REFUND_TIME, PUBLIC, "zh", True),
    ("那退款呢", after(Intent.ORDER_STATUS, order_id=B), Intent.REFUND_PROGRESS, TEMPLATED, "zh", True),
    ("那积分呢", after(Intent.TIER), Intent.TIER, TEMPLATED, "zh", True),
    ("那积分呢", after(Intent.COUPON_RULES), Intent.POINTS_RULES, PUBLIC, "zh", True),
    ("那谁出", after(Intent.RETURN_POLICY), Intent.RETURN_FREIGHT, PUBLIC, "zh", True),
    ("那新疆呢", after(Intent.SHIPPING_FEE), Intent.SHIPPING_FEE, PUBLIC, "zh", True),
    # A question without a subject is about the subject of the one before
    ("能退吗", after(Intent.DEPOSIT), Intent.DEPOSIT_REFUND, PUBLIC, "zh", True),
    ("会过期吗", after(Intent.POINTS_RULES), Intent.POINTS_EXPIRY, PUBLIC, "zh", True),
    ("do they expire?", after(Intent.POINTS_RULES), Intent.POINTS_EXPIRY, PUBLIC, "en", True),
    ("可以两张一起用吗", after(Intent.COUPON_RULES), Intent.COUPON_STACKING, PUBLIC, "zh", True),
    ("专票呢", after(Intent.INVOICE), Intent.VAT_INVOICE, PUBLIC, "zh", True),
    ("到我卡里还是钱包", after(Intent.REFUND_TIME), Intent.OTHER, PERSONAL, "zh", True),
    ("退到哪里", after(Intent.REFUND_PROGRESS, order_id=B), Intent.OWN_REFUND_CHANNEL, TEMPLATED, "zh", True),
    ("退款一般退到哪里", after(Intent.REFUND_PROGRESS, order_id=B), Intent.REFUND_CHANNEL, PUBLIC, "zh", True),
    ("怎么退货", after(Intent.COUPON_RULES), Intent.RETURN_HOWTO, PUBLIC, "zh", True),
    # A case is told before the question
    ("包装拆开了，这样还能退吗", NOTHING, Intent.RETURN_OPENED, PUBLIC, "zh", True),
    ("The quality is terrible. How do I return a defective item?", NOTHING, Intent.RETURN_QUALITY, PUBLIC, "en", True),
    # Mixed languages
    ("退货的shipping fee谁出", NOTHING, Intent.RETURN_FREIGHT, PUBLIC, "zh", True),
    ("where is my 快递", NOTHING, Intent.PARCEL, TEMPLATED, "en", True),
    ("那发票呢", after(Intent.PARCEL), Intent.OTHER, PERSONAL, "zh", False),
    # The same with nothing before it
    ("那运费呢", NOTHING, Intent.OTHER, PERSONAL, "zh", False),
    ("what about exchanges?", NOTHING, Intent.OTHER, PERSONAL, "en", False),
    ("第二个", NOTHING, Intent.OTHER, PERSONAL, "zh", False),
    ("是的", NOTHING, Intent.AFFIRM, PERSONAL, "zh", False),
    ("and that one?", NOTHING, Intent.OTHER, PERSONAL, "en", False),
    ("这个能退吗", NOTHING, Intent.OTHER, PERSONAL, "zh", False),
    ("Can I return it?", NOTHING, Intent.OTHER, PERSONAL, "en", False),
    ("尾号1234", NOTHING, Intent.ORDER_STATUS, PERSONAL, "zh", False),
    ("多久", NOTHING, Intent.OTHER, PERSONAL, "zh", False),
    ("how much?", NOTHING, Intent.OTHER, PERSONAL, "en", False),
    # A pick from what was offered
    ("第二个", CHOOSING, Intent.PARCEL, TEMPLATED, "zh", True),
    ("the last one", CHOOSING_EN, Intent.ORDER_STATUS, TEMPLATED, "en", True),
    ("尾号1234", CHOOSING, Intent.PARCEL, TEMPLATED, "zh", True),
    ("第四个", CHOOSING, Intent.PARCEL, TEMPLATED, "zh", True),  # there are three: asked again
    ("第二个", after(Intent.CANCEL_ORDER, offered=OFFERED), Intent.CANCEL_ORDER, ACTION, "zh", True),
    ("第一个什么时候发货", CHOOSING, Intent.ORDER_STATUS, TEMPLATED, "zh", True),
    # The order last spoken of
    ("它什么时候到", CHOSEN, Intent.PARCEL, TEMPLATED, "zh", True),
    ("什么时候能到", CHOSEN, Intent.PARCEL, TEMPLATED, "zh", True),
    ("帮我取消这个订单", CHOSEN, Intent.CANCEL_ORDER, ACTION, "zh", True),
    ("帮我取消这个订单", NOTHING, Intent.CANCEL_ORDER, ACTION, "zh", True),
    ("when will it arrive", after(Intent.ORDER_STATUS, order_id=B), Intent.PARCEL, TEMPLATED, "en", True),
    # Languages
    ("ok", after(Intent.PARCEL), Intent.AFFIRM, PERSONAL, "zh", False),
    ("¿Dónde está mi pedido?", NOTHING, Intent.OTHER, PERSONAL, "en", False),
    ("Wo ist mein Paket?", NOTHING, Intent.OTHER, PERSONAL, "en", False),
    ("返品したいです", NOTHING, Intent.OTHER, PERSONAL, "en", False),
    ("iPhone 15 Pro Max 的运费怎么算", NOTHING, Intent.SHIPPING_FEE, PUBLIC, "zh", True),
    # After a rule, words that name something of it and words that name nothing
    ("那credit card呢", after(Intent.PAYMENT), Intent.PAYMENT, PUBLIC, "zh", True),
    ("你好蠢", after(Intent.PAYMENT), Intent.OTHER, PERSONAL, "zh", True),
    ("我那个台灯呢", NOTHING, Intent.PARCEL, TEMPLATED, "zh", True),
    ("when's it due", NOTHING, Intent.OTHER, PERSONAL, "en", False),
]


@pytest.mark.parametrize(("text", "focus", "intent", "kind", "language", "self_contained"), STEPS)
def test_a_step(
    understander: Understander,
    today: date,
    text: str,
    focus: Focus,
    intent: Intent,
    kind: Kind,
    language: str,
    self_contained: bool,
):
    understood = understander.understand(text, focus, today)
    assert (understood.intent, understood.kind, understood.language, understood.self_contained) == (
        intent,
        kind,
        language,
        self_contained,
    )


@pytest.mark.parametrize(
    ("text", "focus", "order_id"),
    [
        ("第二个", CHOOSING, B),
        ("2", CHOOSING, B),
        ("最后一个", CHOOSING, C),
        ("上面那个", CHOOSING, A),
        ("#3", CHOOSING, C),
        ("尾号1234", CHOOSING, B),
        ("0777那个", CHOOSING, C),
        (A, CHOOSING, A),
        ("the second one please", CHOOSING_EN, B),
        ("ending in 0001", CHOOSING_EN, A),
        ("是的", Focus(intent=Intent.PARCEL, offered=OFFERED[:1]), A),
        ("另一个呢", Focus(intent=Intent.PARCEL, order_id=A, offered=OFFERED[:2]), B),
        ("第一个什么时候发货", CHOOSING, A),
        ("它什么时候到", CHOSEN, B),
        ("第四个", CHOOSING, None),
        ("是的", CHOOSING, None),
        ("我的快递到哪了", CHOSEN, None),
    ],
)
def test_the_chosen_order(understander: Understander, today: date, text: str, focus: Focus, order_id: str | None):
    assert understander.understand(text, focus, today).chosen_order_id == order_id


@pytest.mark.parametrize(
    ("text", "at"), [("1", 0), ("第二个", 1), ("最后一个", 2), ("#2", 1), ("退款多久到账", 1), ("怎么开发票", 2)]
)
def test_a_suggestion_is_picked(understander: Understander, today: date, text: str, at: int):
    understood = understander.understand(text, SUGGESTING, today)
    assert understood.canonical == canonical_form(SUGGESTED[at].question)
    assert understood.kind is Kind.PUBLIC
    assert understood.language == "zh"


def test_yes_takes_the_only_suggestion_and_no_other(understander: Understander, today: date):
    only = Focus(language="zh", suggested=SUGGESTED[:1])
    assert understander.understand("是的", only, today).canonical == canonical_form(SUGGESTED[0].question)
    assert understander.understand("是的", SUGGESTING, today).canonical == ""
    assert understander.understand("不是", only, today).canonical == ""


@pytest.mark.parametrize(
    ("text", "focus", "canonical"),
    [
        ("那运费呢", after(Intent.RETURN_POLICY), "@return_freight"),
        ("第二个", CHOOSING, "@parcel"),
        ("你好", NOTHING, "@greeting"),
        ("亲，运费怎么算呢？", NOTHING, "运费怎么算"),
        ("我的快递到哪了", NOTHING, "我的快递到哪了"),
        ("ZW202611220001到哪了", NOTHING, "zw202611220001到哪了"),
    ],
)
def test_the_canonical_question(understander: Understander, today: date, text: str, focus: Focus, canonical: str):
    assert understander.understand(text, focus, today).canonical == canonical


def test_an_attached_order_is_what_this_means(understander: Understander, today: date):
    understood = understander.understand("这个到哪了", NOTHING, today, order_id=A)
    assert (understood.intent, understood.kind, understood.chosen_order_id) == (Intent.PARCEL, Kind.TEMPLATED, A)
    assert understander.understand("能退吗", NOTHING, today, order_id=A).kind is Kind.PERSONAL
    assert understander.understand("怎么退货", NOTHING, today, order_id=A).kind is Kind.PUBLIC


def test_the_locale_decides_only_for_neutral_text(understander: Understander, today: date):
    assert understander.understand("ZW202611220001", NOTHING, today, locale="en-US").language == "en"
    assert understander.understand("ZW202611220001", NOTHING, today, locale="zh-TW").language == "zh"
    assert understander.understand("运费多少", NOTHING, today, locale="en-US").language == "zh"
    assert understander.understand("👍", Focus(language="en"), today, locale="zh-CN").language == "en"


def test_a_whole_dialogue(understander: Understander, today: date):
    focus = Focus()
    asked = understander.understand("我的快递到哪了", focus, today)
    focus = refocus(focus, asked, offered=OFFERED)
    picked = understander.understand("第二个", focus, today)
    assert (picked.intent, picked.chosen_order_id, picked.carried) == (Intent.PARCEL, B, True)
    focus = refocus(focus, picked, order_id=B)
    focus = refocus(focus, understander.understand("谢谢", focus, today))
    other = understander.understand("那第一个呢", focus, today)
    assert (other.intent, other.chosen_order_id) == (Intent.PARCEL, A)
    rule = understander.understand("退货政策是什么", refocus(focus, other, order_id=A), today)
    focus = refocus(focus, rule)
    assert understander.understand("那运费呢", focus, today).canonical == "@return_freight"
