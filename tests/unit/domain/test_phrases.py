"""How a hand-over is said: the wait while somebody is on duty, else the hours."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from serve_app.domain.messages import Language
from serve_app.domain.phrases import Desk, Phrase, Queue, say, say_handoff

DESK = Desk("09:00-22:00", {"zh": "拨打 400-1", "en": "call 400-1"}, "Asia/Shanghai", expected_wait_s=90)
DAY = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)  # noon in the shop
NIGHT = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)

LANGUAGES: tuple[Language, ...] = ("zh", "en")
HANDOFFS = [phrase for phrase in Phrase if phrase.name.startswith("HANDOFF")]


def test_the_wait_grows_with_those_before_and_is_told_on_duty_only() -> None:
    assert DESK.queue(DAY, 0) == Queue(0)
    assert DESK.queue(DAY, 3) == Queue(270)
    assert DESK.queue(NIGHT, 3) == Queue(None, on_duty=False)


def test_no_wait_is_told_that_ends_after_the_hours() -> None:
    before_the_end = datetime(2026, 11, 22, 13, 58, tzinfo=UTC)  # 21:58 in the shop
    assert DESK.queue(before_the_end, 1) == Queue(90)
    assert DESK.queue(before_the_end, 2) == Queue(None)
    for language in LANGUAGES:
        text = say_handoff(Phrase.HANDOFF, language, DESK, DESK.queue(before_the_end, 2))
        assert "09:00-22:00" in text
        assert not any(word in text for word in ("不是", "away"))


@pytest.mark.parametrize("phrase", HANDOFFS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_hand_over_says_how_it_goes_on(phrase: Phrase, language: Language) -> None:
    assert "5" in say_handoff(phrase, language, DESK, Queue(270))
    off_duty = say_handoff(phrase, language, DESK, Queue(None, on_duty=False))
    assert "09:00-22:00" in off_duty
    for text in (off_duty, say_handoff(phrase, language, DESK), say_handoff(phrase, language, DESK, Queue(0))):
        assert "400-1" in text
        assert "{" not in text
    without = Desk("09:00-22:00", {"zh": "", "en": ""})
    for queue in (None, Queue(0), Queue(60), Queue(None), Queue(None, on_duty=False)):
        text = say_handoff(phrase, language, without, queue)
        assert text.endswith("。" if language == "zh" else ".")
        assert "  " not in text


def test_a_minute_is_one() -> None:
    assert "about 1 minute " in say_handoff(Phrase.HANDOFF, "en", DESK, Queue(30)).replace(".", " ")
    assert "约 2 分钟" in say_handoff(Phrase.HANDOFF, "zh", DESK, Queue(61))


@pytest.mark.parametrize("phrase", list(Phrase))
def test_every_phrase_is_there_in_both_languages(phrase: Phrase) -> None:
    assert all(say(phrase, language) for language in LANGUAGES)
