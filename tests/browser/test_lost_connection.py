"""Networks that go, tabs that multiply, pages that are loaded again: nothing is said twice and nothing is lost."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.chat import Chat
from tests.browser.conftest import STORY, NewChat

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def begin_story(chat: Chat) -> None:
    """Asks the model, and returns in the middle of its answer."""
    await chat.ask("tell me a joke")
    await expect(chat.answers.last.locator(".words")).to_contain_text("tea pot")
    assert await chat.whole_answers.count() == 0


async def test_a_cut_in_the_middle_of_an_answer_is_not_seen_afterwards(new_chat: NewChat) -> None:
    chat = await new_chat("en-GB")
    await begin_story(chat)
    await chat.page.evaluate("window.sockets.at(-1).close()")
    await expect(chat.whole_answers).to_have_count(1)
    assert await chat.spoken() == STORY
    await expect(chat.questions).to_have_count(1)
    await expect(chat.page.locator("#link-line")).to_be_hidden()


async def test_a_server_that_restarts_is_left_for_another_without_a_word(new_chat: NewChat) -> None:
    chat = await new_chat("en-GB")
    await begin_story(chat)
    await chat.page.evaluate(
        """() => {
            window.seen = [];
            const line = document.querySelector("#link-line");
            new MutationObserver(() => window.seen.push(line.hidden)).observe(line, { attributes: true });
            window.sockets.at(-1).onclose({ code: 1012 });
        }"""
    )
    await expect(chat.whole_answers).to_have_count(1)
    assert await chat.spoken() == STORY
    await expect(chat.questions).to_have_count(1)
    assert await chat.page.evaluate("window.sockets.length") == 2
    assert False not in await chat.page.evaluate("window.seen")


async def test_without_a_network_it_says_so_and_goes_on_when_it_is_back(new_chat: NewChat) -> None:
    chat = await new_chat("en-GB")
    await begin_story(chat)
    await chat.context.set_offline(True)
    await expect(chat.page.locator("#link-line")).to_contain_text("offline")
    await chat.ask("How much is shipping?")
    await chat.ask("How long does a refund take?")
    await expect(chat.page.locator(".question.queued")).to_have_count(2)
    await expect(chat.page.locator(".question.queued .note").first).to_have_text("Waiting to be sent")
    await chat.context.set_offline(False)
    await expect(chat.page.locator("#link-line")).to_be_hidden()
    await expect(chat.page.locator(".question.queued, .question.sending")).to_have_count(0)
    await expect(chat.page.locator(".question.sent .words")).to_have_count(3)
    story = "".join(await chat.answers.first.locator(".sentence, .tail").all_inner_texts())
    assert story == STORY
    # Sent together before an answer began, they are one question or two; each is answered once.
    await expect(chat.answers.last).to_contain_text("refund")
    await chat.page.reload()
    await expect(chat.questions).to_have_text([re.compile(r"joke$"), re.compile(r"shipping\?$"), re.compile(r"refund take\?$")])


async def test_after_a_reload_the_conversation_is_there(new_chat: NewChat) -> None:
    chat = await new_chat()
    await chat.become("C1001")
    await chat.ask_and_wait("我的快递到哪了")
    await chat.ask_and_wait("tell me a joke")
    before = await chat.page.locator("#log").inner_text()
    await chat.page.reload()
    await expect(chat.whole_answers).to_have_count(2)
    assert await chat.page.locator("#log").inner_text() == before
    await expect(chat.page.locator("#identity-line")).to_contain_text("黄*")


async def test_a_reload_in_the_middle_of_an_answer_gets_the_rest(new_chat: NewChat) -> None:
    chat = await new_chat("en-GB")
    await begin_story(chat)
    await chat.page.reload()
    await expect(chat.whole_answers).to_have_count(1)
    assert await chat.spoken() == STORY
    await expect(chat.questions).to_have_count(1)


async def test_two_tabs_show_the_same(new_chat: NewChat) -> None:
    first = await new_chat()
    await expect(first.page.locator("#chooser")).to_be_visible()
    await begin_story(first)
    second = await new_chat(context=first.context)
    await expect(second.answers.last.locator(".words")).to_contain_text("tea pot")
    await expect(second.whole_answers).to_have_count(1)
    await second.ask_and_wait("退款多久到账")
    await expect(first.whole_answers).to_have_count(2)
    await first.ask_and_wait("运费怎么算")
    await expect(second.whole_answers).to_have_count(3)
    assert await second.page.locator("#log").inner_text() == await first.page.locator("#log").inner_text()


async def test_messages_typed_while_the_page_was_not_connected_are_sent_once(new_chat: NewChat) -> None:
    chat = await new_chat()
    await chat.ask_and_wait("运费怎么算")
    await chat.page.evaluate("window.sockets.at(-1).close()")
    await chat.ask("退款多久到账")
    await expect(chat.whole_answers).to_have_count(2)
    await chat.page.reload()
    await expect(chat.whole_answers).to_have_count(2)
    await expect(chat.questions).to_have_count(2)


async def test_a_conversation_that_is_gone_gives_way_to_a_new_one_and_says_so(new_chat: NewChat) -> None:
    chat = await new_chat()
    await chat.ask_and_wait("运费怎么算")
    await chat.page.evaluate("localStorage.setItem('zerowait:session:demo:', 'ses_long_gone')")
    await chat.page.reload()
    await expect(chat.page.locator(".notice")).to_contain_text("已过期")
    await chat.ask_and_wait("退款多久到账")
    await expect(chat.questions).to_have_count(1)


async def test_a_token_that_is_refused_is_renewed_and_nothing_is_lost(new_chat: NewChat) -> None:
    chat = await new_chat()
    await chat.ask_and_wait("运费怎么算")
    await chat.page.evaluate(
        """() => {
            const socket = window.sockets.at(-1);
            const send = socket.send.bind(socket);
            const bad = JSON.stringify({ type: "hello", token: "zw_bad" });
            socket.send = (text) => send(JSON.parse(text).type === "ask" ? bad : text);
        }"""
    )
    await chat.ask("退款多久到账")
    await expect(chat.whole_answers).to_have_count(2)
    await expect(chat.questions).to_have_count(2)
