"""A person takes over, says something, and leaves; the customer sees each step on the page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.chat import Chat
from tests.browser.conftest import NewChat
from tests.graph.front import Front

pytestmark = pytest.mark.asyncio(loop_scope="session")

TICKETS = "/v1/admin/desk/tickets"


async def desk(front: Front, method: str, path: str, **body: str) -> Any:
    key = await front.new_key(frozenset({"ops"}))
    reply = await front.client.request(
        method, f"{TICKETS}{path}", json=body or None, headers={"authorization": f"Bearer {key}"}
    )
    assert reply.is_success, reply.text
    return reply.json()


async def want_person(chat: Chat, yes: str) -> str:
    """Asks for a person; the ticket's id."""
    async with chat.page.expect_response("**/handoff") as opened:
        await chat.page.locator("#person").tap()
        await chat.page.locator("dialog").get_by_role("button", name=yes).tap()
    return (await (await opened.value).json())["ticket_id"]


async def test_a_person_takes_over_replies_and_leaves(new_chat: NewChat, front: Front) -> None:
    chat = await new_chat()
    await chat.become("C1001")
    await chat.ask_and_wait("我的退款到哪了")
    ticket = await want_person(chat, "转人工")
    line = chat.page.locator("#handoff-line")
    await expect(line).to_have_text(re.compile("接入中|服务时间"))

    await desk(front, "POST", f"/{ticket}/claim", name="小王")
    await desk(front, "POST", f"/{ticket}/reply", text="您好，我来帮您看看 <b>退款</b>。", name="小王")
    said = chat.page.locator(".entry.person")
    await expect(said).to_have_count(1)
    await expect(said).to_contain_text("<b>退款</b>")
    await expect(said).to_contain_text("小王")
    await expect(line).to_contain_text("小王正在为您服务")

    await chat.ask("好的，谢谢")
    await expect(chat.page.locator(".question.sent")).to_have_count(2)
    await expect(chat.answers).to_have_count(1)

    await chat.page.reload()
    await expect(said).to_have_count(1)
    await expect(chat.questions).to_have_text([re.compile("退款到哪了"), re.compile("好的.谢谢")])
    await expect(line).to_contain_text("小王")
    order = await chat.page.locator(".entry").evaluate_all("all => all.map((one) => one.className)")
    assert [name.split()[1] for name in order if "notice" not in name] == ["turn", "person", "turn"]

    await desk(front, "POST", f"/{ticket}/close")
    await expect(chat.page.locator(".end")).to_contain_text("人工服务已结束")
    await expect(line).to_be_hidden()
    async with chat.page.expect_response("**/v1/feedback") as rated:
        await chat.page.locator(".star").nth(4).tap()
    assert (await rated.value).status == 204
    await chat.ask_and_wait("运费怎么算")


async def test_while_one_waits_the_button_says_where_one_stands(new_chat: NewChat) -> None:
    chat = await new_chat("en-GB")
    await chat.ask_and_wait("How much is shipping?")
    await want_person(chat, "Yes, a person please")
    line = chat.page.locator("#handoff-line")
    await expect(line).to_have_text(re.compile(r"about \d+ min|just a moment|\d\d:\d\d"))
    await chat.page.locator("#person").tap()
    await expect(chat.page.locator("dialog")).to_contain_text(await line.inner_text())
    await chat.page.keyboard.press("Escape")
    await expect(chat.page.locator("dialog")).to_have_count(0)
    await chat.ask_and_wait("How long does a refund take?")


async def test_a_person_can_be_asked_for_before_anything_was_said(new_chat: NewChat) -> None:
    chat = await new_chat("en-GB")
    await expect(chat.page.locator("#chooser")).to_be_visible()
    await want_person(chat, "Yes, a person please")
    await expect(chat.page.locator("#handoff-line")).to_be_visible()
    await expect(chat.page.locator(".notice")).to_have_count(1)


async def test_the_words_for_a_person_open_the_same_ticket(new_chat: NewChat) -> None:
    chat = await new_chat()
    await chat.ask_and_wait("转人工")
    await expect(chat.page.locator("#handoff-line")).to_have_text(re.compile("接入中|服务时间"))


async def test_two_tabs_see_the_person(new_chat: NewChat, front: Front) -> None:
    first = await new_chat("en-GB")
    await first.ask_and_wait("How much is shipping?")
    second = await new_chat(context=first.context)
    await expect(second.whole_answers).to_have_count(1)
    ticket = await want_person(first, "Yes, a person please")
    await desk(front, "POST", f"/{ticket}/reply", text="Hello, Ann here.", name="Ann")
    for chat in (first, second):
        await expect(chat.page.locator(".entry.person")).to_have_count(1)
        await expect(chat.page.locator("#handoff-line")).to_contain_text("Ann is with you")
    await second.ask("Thank you, Ann")
    await expect(first.questions).to_have_count(2)
    await expect(first.answers).to_have_count(1)
