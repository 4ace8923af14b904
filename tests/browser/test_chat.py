"""What a customer does on the page, with a finger, in both languages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Response, expect

from tests.browser.conftest import STORY, NewChat
from tests.graph.front import Front

pytestmark = pytest.mark.asyncio(loop_scope="session")


def sent_with(response: Response) -> dict[str, Any]:
    sent = response.request.post_data_json
    assert sent is not None
    return sent


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
async def test_six_questions_to_begin_with_are_answered(new_chat: NewChat, locale: str) -> None:
    chat = await new_chat(locale)
    starters = await chat.page.locator("#starters button").all_inner_texts()
    assert len(starters) == 6
    await chat.page.locator("#starters button").first.tap()
    await expect(chat.questions.first).to_contain_text(starters[0])
    await expect(chat.whole_answers).to_have_count(1)
    for question in starters[1:]:
        answer = await chat.ask_and_wait(question)
        await expect(answer.locator(".sources")).to_be_visible()


@pytest.mark.parametrize(("locale", "customer"), [("zh-CN", "C1001"), ("en-GB", "C1013")])
async def test_a_customers_six_questions_are_answered_from_their_own_orders(
    new_chat: NewChat, locale: str, customer: str
) -> None:
    chat = await new_chat(locale)
    anonymous = await chat.page.locator("#starters button").all_inner_texts()
    await chat.become(customer)
    await expect(chat.page.locator("#starters button").first).not_to_have_text(anonymous[0])
    starters = await chat.page.locator("#starters button").all_inner_texts()
    for question in starters:
        answer = await chat.ask_and_wait(question)
        # An order may have to be chosen first; then the choice is what was asked for.
        if await answer.locator(".option").count():
            assert await answer.get_attribute("lang") == ("zh-CN" if locale == "zh-CN" else "en")
            assert await answer.locator(".options").get_attribute("aria-label"), "a choice, no suggestion"
    await expect(chat.page.locator("#handoff-line")).to_be_hidden()


async def test_an_order_is_chosen_by_a_tap_that_counts_once(new_chat: NewChat) -> None:
    chat = await new_chat()
    await chat.become("C1005")
    answer = await chat.ask_and_wait("我的订单什么状态")
    options = answer.locator(".option")
    assert await options.count() == 3
    await options.nth(1).tap()
    await expect(options.nth(1)).to_have_attribute("aria-pressed", "true")
    await expect(chat.whole_answers).to_have_count(2)
    await options.nth(0).tap(force=True)
    await expect(chat.questions).to_have_count(2)
    await expect(chat.whole_answers.last.locator(".card").first).to_be_visible()


async def test_cards_show_dates_money_and_steps_in_the_shops_form(new_chat: NewChat) -> None:
    chat = await new_chat()
    await chat.become("C1001")
    parcel = (await chat.ask_and_wait("我的快递到哪了")).locator(".card")
    assert re.search(r"预计 \d{1,2}月\d{1,2}日\(周.\) 送达", await parcel.inner_text())
    await expect(parcel.locator(".progress [aria-current=step]")).to_have_text("运输")
    await parcel.locator("summary").tap()
    await expect(parcel.locator(".track li").first).to_be_visible()
    assert re.search(r"\d{1,2}月\d{1,2}日\(周.\)\d\d:\d\d", await parcel.locator(".track li").first.inner_text())


async def test_a_refund_has_its_card(new_chat: NewChat) -> None:
    chat = await new_chat("en-GB")
    await chat.become("C1001")
    card = (await chat.ask_and_wait("Where is my refund?")).locator(".card").first
    assert re.search(r"CN¥\d", await card.inner_text())


async def test_the_page_speaks_both_languages_and_remembers_which(new_chat: NewChat) -> None:
    chat = await new_chat("en-GB")
    await expect(chat.page.locator("html")).to_have_attribute("lang", "en")
    await expect(chat.page.locator("#greeting")).to_contain_text("Hello")
    await chat.page.locator("#language").tap()
    await expect(chat.page.locator("html")).to_have_attribute("lang", "zh-CN")
    await expect(chat.page.locator("#greeting")).to_contain_text("您好")
    await chat.page.reload()
    await expect(chat.page.locator("html")).to_have_attribute("lang", "zh-CN")


async def test_an_answer_is_marked_with_its_own_language(new_chat: NewChat) -> None:
    chat = await new_chat()
    answer = await chat.ask_and_wait("What is your return policy?")
    await expect(answer).to_have_attribute("lang", "en")


async def test_a_models_answer_is_labelled_and_can_be_stopped(new_chat: NewChat) -> None:
    chat = await new_chat("en-GB")
    answer = await chat.ask_and_wait("tell me a joke")
    await expect(answer.locator(".made-by")).to_contain_text("AI-generated · SmolLM2")
    await expect(answer.locator(".made-by")).to_contain_text("demo model, may be wrong")
    assert await chat.spoken() == STORY
    await chat.ask("sing me a song")
    await chat.page.get_by_role("button", name="Stop").tap()
    await expect(chat.answers.last.locator(".note")).to_have_text("Stopped.")
    assert STORY.startswith(await chat.spoken())
    assert len(await chat.spoken()) < len(STORY)


async def test_an_answer_is_rated_with_a_reason(new_chat: NewChat) -> None:
    chat = await new_chat("en-GB")
    answer = await chat.ask_and_wait("How much is shipping?")
    async with chat.page.expect_response("**/v1/feedback") as first:
        await answer.get_by_role("button", name="Not helpful").tap()
    assert (await first.value).status == 204
    async with chat.page.expect_response("**/v1/feedback") as second:
        await chat.page.locator("dialog label", has_text="Not correct").tap()
        await chat.page.locator("dialog textarea").fill("The fee is wrong")
        await chat.page.locator("dialog").get_by_role("button", name="Send").tap()
    sent = sent_with(await second.value)
    assert sent["rating"] == "down"
    assert sent["reason"] == "Not correct; The fee is wrong"
    await expect(answer.get_by_role("button", name="Not helpful")).to_have_attribute("aria-pressed", "true")


async def test_a_chat_ends_with_stars_and_a_new_one_begins_empty(new_chat: NewChat) -> None:
    chat = await new_chat("en-GB")
    await chat.ask_and_wait("How much is shipping?")
    await chat.page.locator("#more").tap()
    await chat.page.get_by_role("button", name="End chat").tap()
    async with chat.page.expect_response("**/v1/feedback") as rated:
        await chat.page.locator(".star").nth(3).tap()
    assert sent_with(await rated.value)["rating"] == 4
    await expect(chat.page.locator(".star.on")).to_have_count(4)
    await chat.page.locator(".end").get_by_role("button", name="New chat").tap()
    await expect(chat.page.locator("#welcome")).to_be_visible()
    await expect(chat.questions).to_have_count(0)


async def test_a_customer_keeps_a_conversation_of_their_own(new_chat: NewChat) -> None:
    chat = await new_chat()
    await chat.become("C1001")
    await chat.ask_and_wait("运费怎么算")
    await chat.page.locator("#more").tap()
    await chat.page.locator("dialog").get_by_role("button", name="切换身份").tap()
    await chat.page.locator("dialog .customer", has_text="C1005").tap()
    await expect(chat.questions).to_have_count(0)
    await expect(chat.page.locator("#identity-line")).to_contain_text("赵**")
    await chat.become("C1001")
    await expect(chat.questions).to_have_count(1)


async def test_hostile_text_stays_text(new_chat: NewChat) -> None:
    chat = await new_chat("en-GB")
    hostile = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    await chat.ask(hostile)
    await expect(chat.questions.last).to_contain_text(hostile)
    frames = [
        ("meta", {"source": "faq", "language": "en", "message_ids": []}),
        ("delta", {"text": hostile}),
        (
            "card",
            {"type": "order", "data": {"id": hostile, "state": hostile, "title": hostile, "currency": "CNY", "total_minor": 1}},
        ),
        (
            "card",
            {
                "type": "parcel",
                "data": {"carrier": hostile, "state": "in_transit", "events": [{"at": hostile, "place": hostile}]},
            },
        ),
        ("citation", {"id": "x", "title": hostile, "url": "javascript:document.title='owned'"}),
        ("suggestions", [{"id": "x", "question": hostile}]),
        ("done", {"finish_reason": "stop", "degraded": [hostile]}),
    ]
    await chat.tell(frames)
    await expect(chat.answers.last.locator(".card")).to_have_count(2)
    assert await chat.page.locator("#log img, #log script, #log a[href^=javascript]").count() == 0
    assert "owned" not in await chat.page.title()


@pytest.mark.parametrize(("degraded", "notes"), [(["sessions"], 0), (["sessions", "parcels"], 1)])
async def test_what_no_customer_misses_is_not_mentioned(new_chat: NewChat, degraded: list[str], notes: int) -> None:
    chat = await new_chat()
    await chat.tell(
        [
            ("meta", {"source": "faq", "language": "en", "message_ids": []}),
            ("delta", {"text": "Returns are free."}),
            ("done", {"finish_reason": "stop", "degraded": degraded}),
        ]
    )
    await expect(chat.answers.last).to_contain_text("Returns are free.")
    await expect(chat.answers.last.locator(".note")).to_have_count(notes)


async def test_no_key_reaches_the_browser(new_chat: NewChat, front: Front) -> None:
    chat = await new_chat()
    await chat.ask_and_wait("运费怎么算")
    kept = await chat.page.evaluate("JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage}) + document.cookie")
    assert front.key not in kept
    assert "eyJ" not in kept, "no token is kept either"
