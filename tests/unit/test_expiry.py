"""How long an answer's words are true by the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.expiry import Lasts, day_ends_at, earliest, lasts
from serve_app.domain.wording import today

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "question",
    [
        "今天发货吗",
        "今天下单明天能到吗",
        "明天送货吗？",
        "后天是不是有活动",
        "昨天的活动还有吗",
        "今晚有直播优惠吗",
        "双11还有几天",
        "下周三能补货吗",
        "这个月有满减吗",
        "本周有什么优惠",
        "今年的会员日是哪天",
        "最近有什么活动",
        "目前有活动吗",
        "Do you ship today?",
        "Will there be a sale tomorrow?",
        "What is on sale this week?",
        "Is the campaign over next Monday?",
        "How many days until the sale?",
        "do you deliver by friday",
        "Is free shipping on THIS weekend?",
    ],
)
def test_a_question_of_a_day_is_answered_for_that_day(question: str):
    assert lasts(question, ()) is Lasts.TODAY


@pytest.mark.parametrize(
    "question",
    [
        "你们现在营业吗",
        "现在下单什么时候发货",
        "还在上班吗",
        "开门了吗",
        "距离活动结束还有多久",
        "几点了",
        "Are you open?",
        "are you still open",
        "Is anyone available right now?",
        "Is your store open now?",
        "How much longer does the sale run?",
        "how long until the sale ends",
        "How many hours are left?",
        "If I order now, when does it ship?",
    ],
)
def test_a_question_of_this_hour_is_answered_for_nobody_else(question: str):
    assert lasts(question, ()) is Lasts.NOW


@pytest.mark.parametrize(
    "question",
    [
        "运费怎么算",
        "周末发货吗",
        "周一到周五几点发货",
        "7天无理由退货怎么算",
        "当天发货吗",
        "几点前下单可以当日发",
        "退款多久到账",
        "营业时间是几点到几点",
        "后天性近视能用吗",
        "What is your return policy?",
        "Do you ship on weekends?",
        "Do you offer same-day delivery?",
        "How long does a refund take?",
        "What are your opening hours?",
        "How soon do you ship?",
        "Are you open to bulk orders?",
        "Can I return it within 7 days?",
        "Do you know where my size chart is?",
    ],
)
def test_what_is_general_is_true_for_good(question: str):
    assert lasts(question, ("满99元包邮。", "Orders over 99 ship free, Monday to Friday.")) is Lasts.FOR_GOOD


def test_what_an_answer_or_its_passages_say_of_today_ends_with_the_day():
    assert lasts("有什么优惠", ("今天全场八折。",)) is Lasts.TODAY
    assert lasts("有什么优惠", ("全场八折。", "活动今天结束。")) is Lasts.TODAY
    assert lasts("Any offers?", ("We currently have none.",)) is Lasts.TODAY
    assert lasts("Any offers?", ("The sale ends tomorrow.",)) is Lasts.TODAY


zones = st.sampled_from(
    # Half hours, clocks that change at midnight, a day that was left out, and the ends of the earth.
    (
        *("Asia/Shanghai", "UTC", "America/New_York", "Asia/Kolkata", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia"),
        *("Pacific/Kiritimati", "America/Havana", "Africa/Cairo", "Australia/Lord_Howe", "Asia/Kathmandu"),
    )
)
instants = st.datetimes(datetime(2005, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


@given(instants, zones)
def test_a_day_ends_where_the_next_begins(now: datetime, time_zone: str):
    end = day_ends_at(now, time_zone)
    assert now < end <= now + timedelta(hours=26)
    assert today(end, time_zone) > today(now, time_zone)
    assert today(end - timedelta(microseconds=1), time_zone) == today(now, time_zone)


def test_a_day_that_summer_time_begins_has_its_first_instant():
    # In Beirut clocks go from 00:00 to 01:00.
    assert day_ends_at(datetime(2024, 3, 30, 12, tzinfo=UTC), "Asia/Beirut") == datetime(2024, 3, 30, 22, tzinfo=UTC)


@given(
    st.text(max_size=40),
    st.text(max_size=40),
    st.sampled_from(["今天", "明天", " today ", " tomorrow ", "本周", " next week "]),
)
def test_words_of_a_day_count_wherever_they_stand(before: str, after: str, word: str):
    glued = before if not word.startswith(" ") else before + "."
    assert lasts(f"{glued}{word}{after}", ()) is not Lasts.FOR_GOOD
    assert lasts("", (f"{glued}{word}{after}",)) is not Lasts.FOR_GOOD


def test_the_earliest_of_what_there_is():
    assert earliest(None, NOW, NOW + timedelta(days=1)) == NOW
    assert earliest(None, None) is None
