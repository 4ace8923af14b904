"""Only a self-contained question may touch a shared tier: properties."""

import pickle
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.intents import Intent
from serve_app.domain.messages import Kind, Option, Suggestion
from serve_app.domain.question import Focus
from serve_app.domain.understanding import Understander, refocus

NAMED = """运费 邮费 换货 退货 退款 发票 优惠券 积分 会员 发货 保修 定金 地址 新疆 内衣 七天 尺码 红色 电话 取消 快递
exchanges refunds shipping "
    "invoices coupons points warranty returns red-ones socks"""
TOPICS = st.sampled_from(NAMED.split())
LEADS = st.sampled_from(
    ["那", "那么", "还有", "那如果", "另外", "换成", "and ", "and the ", "what about ", "how about ", "but ", "then "]
)
TAILS = st.sampled_from(["", "呢", "呢？", "怎么算", "多少", "可以吗", "?", " then?", " too"])
POINTERS = st.sampled_from(
    ["这个", "那个", "它", "这件", "那单", "这款", "刚才那个", "it", "that one", "this", "them", "that", "these"]
)
ABOUT = st.sampled_from(["能退吗", "多少钱", "什么时候到", "怎么退", "包邮吗", "有发票吗", "保修多久"])
ABOUT_EN = st.sampled_from(
    ["can I return {}", "when will {} arrive", "how do I exchange {}", "is {} under warranty", "refund {}"]
)
SAID_TO_PICK = """第一个|第二个|第3个吧|最后一个|上面那个|1|2|3.|#2|选2|二|尾号1234|后四位1234|1234|1234那个
the first one|second one|the last one please|option 2|ending in 1234|number three"""
PICKS = st.sampled_from(SAID_TO_PICK.replace("\n", "|").split("|"))
REPLIES = st.sampled_from(
    ["是", "是的", "对", "好", "可以", "嗯", "不是", "不用", "yes", "yeah", "ok", "sure", "no", "nope", "not that one"]
)
FRAGMENTS = st.sampled_from(
    [
        "多久",
        "为什么",
        "怎么弄",
        "谁出",
        "可以吗",
        "要钱吗",
        "how long",
        "how much?",
        "why",
        "when?",
        "really?",
        "。。。",
        "?",
        "👍",
    ]
)

FOLLOW_UPS = (
    st.builds(lambda lead, topic, tail: f"{lead}{topic}{tail}", LEADS, TOPICS, TAILS)
    | st.builds(lambda topic: f"{topic}呢", TOPICS.filter(lambda topic: not topic.isascii()))
    | st.builds(lambda pointer, about: f"{pointer}{about}", POINTERS.filter(lambda pointer: not pointer.isascii()), ABOUT)
    | st.builds(lambda form, pointer: form.format(pointer), ABOUT_EN, POINTERS.filter(str.isascii))
    | PICKS
    | REPLIES
    | FRAGMENTS
)
TEXTS = FOLLOW_UPS | st.text(max_size=60)
OPTIONS = (Option("ZW202611220001", "a"), Option("ZW202611201234", "b"))
FOCUSES = st.builds(
    Focus,
    language=st.sampled_from(["zh", "en", None]),
    intent=st.sampled_from([*Intent, None]),
    order_id=st.sampled_from(["ZW202611220001", None]),
    offered=st.sampled_from([OPTIONS, ()]),
    suggested=st.sampled_from([(Suggestion("a", "怎么退货"), Suggestion("b", "运费多少")), ()]),
)


@given(text=FOLLOW_UPS)
def test_a_follow_up_with_nothing_before_it_is_never_shared(understander: Understander, today: date, text: str):
    understood = understander.understand(text, Focus(), today)
    # 它什么时候到 may be asked of one's own parcel: its words are shared, its facts are not.
    own = understood.kind in (Kind.TEMPLATED, Kind.ACTION)
    assert own or (understood.kind, understood.canonical) == (Kind.PERSONAL, "")


@given(text=TEXTS, focus=FOCUSES)
def test_what_is_not_self_contained_is_personal(understander: Understander, today: date, text: str, focus: Focus):
    understood = understander.understand(text, focus, today)
    assert understood.self_contained or understood.kind is Kind.PERSONAL
    assert 0.0 <= understood.confidence <= 1.0


@given(text=TEXTS, focus=FOCUSES)
def test_a_question_that_stands_on_its_own_has_the_same_key_everywhere(
    understander: Understander, today: date, text: str, focus: Focus
):
    alone = understander.understand(text, Focus(), today)
    understood = understander.understand(text, focus, today)
    if alone.kind is Kind.PUBLIC and not understood.carried:
        assert (understood.canonical, understood.kind, understood.intent) == (alone.canonical, alone.kind, alone.intent)


@given(text=TEXTS, focus=FOCUSES)
def test_a_public_follow_up_is_keyed_by_what_it_was_rewritten_to(
    understander: Understander, today: date, text: str, focus: Focus
):
    understood = understander.understand(text, focus, today)
    if understood.kind is Kind.PUBLIC and understood.carried:
        offered = {"怎么退货", "运费多少"}
        assert understood.canonical == f"@{understood.intent}" or understood.canonical in offered


@given(text=TEXTS, focus=FOCUSES, missed=st.booleans())
def test_the_next_focus_counts_misses_and_can_be_kept(
    understander: Understander, today: date, text: str, focus: Focus, missed: bool
):
    following = refocus(focus, understander.understand(text, focus, today), missed=missed)
    assert following.misses == (focus.misses + 1 if missed else 0)
    assert pickle.loads(pickle.dumps(following)) == following


def test_a_long_story_is_never_shared(understander: Understander, today: date):
    story = "我跟你们说一下情况，" * 40 + "运费多少 ZW202611220001"
    understood = understander.understand(story, Focus(), today)
    assert (understood.canonical, understood.kind) == ("", Kind.PERSONAL)
    assert understood.entities.order_ids == ("ZW202611220001",)
