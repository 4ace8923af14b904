"""The page without a mouse, without eyes on it, on small screens, and in the dark."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.chat import Chat
from tests.browser.conftest import NewChat

pytestmark = pytest.mark.asyncio(loop_scope="session")

DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "is_mobile": False, "has_touch": False}

# What a checker of accessibility looks for first: names, one main heading, labelled regions, ids used once.
FAULTS = """() => {
  const faults = [];
  const seen = (node) => node.checkVisibility({ visibilityProperty: true }) && !node.closest("[aria-hidden=true]");
  const name = (node) => (node.getAttribute("aria-label") || (node.labels?.[0]?.textContent) || node.textContent || "").trim();
  for (const node of document.querySelectorAll("button, a, input, textarea, summary, dialog, [role]"))
    if (seen(node) && !name(node)) faults.push(`no name: ${node.outerHTML.slice(0, 120)}`);
  for (const node of document.querySelectorAll("[aria-labelledby], [aria-describedby]"))
    for (const id of `${node.getAttribute("aria-labelledby") ?? ""} ${node.getAttribute("aria-describedby") ?? ""}`.split(" "))
      if (id && !document.getElementById(id)) faults.push(`no element ${id}`);
  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  for (const id of new Set(ids)) if (ids.filter((one) => one === id).length > 1) faults.push(`twice: ${id}`);
  if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
  if (document.querySelectorAll("main").length !== 1) faults.push("not one main");
  if (!document.documentElement.lang) faults.push("no language");
  for (const node of document.querySelectorAll("button, summary, input[type=radio]")) {
    const box = (node.closest("label") ?? node).getBoundingClientRect();
    const least = node.tagName === "SUMMARY" ? 24 : 44;
    if (seen(node) && !node.closest("[hidden]") && (box.height < least || box.width < Math.min(least, 44)))
      faults.push(`small target ${Math.round(box.width)}x${Math.round(box.height)}: ${node.outerHTML.slice(0, 120)}`);
  }
  return faults;
}"""

# WCAG 2.2, 1.4.3: 4.5 to 1 for text, 3 to 1 for large text; every visible text against what it stands on.
PALE = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((part, at) => (at === 3 ? part / 255 : part));
  };
  const over = (top, under) => top.slice(0, 3).map((part, at) => part * top[3] + under[at] * (1 - top[3]));
  const light = (colour) => {
    const [r, g, b] = colour.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const pale = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.checkVisibility() || node.closest(".unseen, noscript, script, [aria-disabled=true]")) continue;
    const style = getComputedStyle(node);
    const on = ground(node);
    const [high, low] = [light(over(rgba(style.color), on)), light(on)].sort((one, other) => other - one);
    const isLarge = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < (isLarge ? 3 : 4.5)) pale.push(`${ratio.toFixed(2)} ${walker.currentNode.data.trim().slice(0, 40)}`);
  }
  return pale;
}"""  # noqa: E501

WIDE = "document.documentElement.scrollWidth > innerWidth || [...document.querySelectorAll('main *')].some((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.unseen'))"  # noqa: E501


async def filled(chat: Chat) -> Chat:
    """With an answer, cards, a choice, a model's answer, a person's words, and the end of a chat."""
    await chat.become("C1005")
    await chat.ask_and_wait("我的订单什么状态")
    await chat.page.locator(".answer .option").first.click()
    await expect(chat.whole_answers).to_have_count(2)
    await chat.ask_and_wait("tell me a joke")
    await chat.page.evaluate(
        """() => window.sockets.at(-1).onmessage({ data: JSON.stringify(
            { event: "agent", data: { id: "m", name: "小王", text: "您好", at: new Date().toISOString() } }) })"""
    )
    await chat.page.locator("#more").click()
    await chat.page.locator("dialog .menu button").nth(1).click()
    await expect(chat.page.locator(".end")).to_be_visible()
    return chat


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_can_be_read_and_everything_has_a_name(new_chat: NewChat, scheme: str) -> None:
    chat = await new_chat(color_scheme=scheme)
    await expect(chat.page.locator("#chooser")).to_be_visible()
    assert await chat.page.evaluate(FAULTS) == []
    assert await chat.page.evaluate(PALE) == []
    await filled(chat)
    assert await chat.page.evaluate(FAULTS) == []
    assert await chat.page.evaluate(PALE) == []
    await chat.page.locator("#person").click()
    assert await chat.page.evaluate(PALE) == []


@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_nothing_is_wider_than_the_screen(new_chat: NewChat, width: int) -> None:
    chat = await new_chat(viewport={"width": width, "height": 640})
    await expect(chat.page.locator("#chooser")).to_be_visible()
    assert not await chat.page.evaluate(WIDE)
    await filled(chat)
    assert not await chat.page.evaluate(WIDE)
    await expect(chat.page.locator("#person")).to_be_in_viewport()
    await expect(chat.text).to_be_in_viewport()


async def test_the_whole_of_it_by_keyboard(new_chat: NewChat) -> None:
    chat = await new_chat("en-GB", **DESKTOP)
    page = chat.page
    await expect(page.locator("#chooser")).to_be_visible()
    await page.locator("#starters button").first.focus()
    await page.keyboard.press("Enter")
    await expect(chat.whole_answers).to_have_count(1)
    await expect(chat.text).to_be_focused()
    await page.keyboard.type("How long does")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("a refund take?")
    await page.keyboard.press("Enter")
    await expect(chat.whole_answers).to_have_count(2)
    await expect(chat.text).to_be_focused()
    await expect(chat.text).to_have_value("")

    # Back to the thumbs of the last answer, into the dialog, and out of it.
    await page.keyboard.press("Shift+Tab")
    await expect(chat.whole_answers.last.get_by_role("button", name="Not helpful")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog")).to_have_count(0)
    await expect(chat.whole_answers.last.get_by_role("button", name="Not helpful")).to_be_focused()

    await page.locator("#person").focus()
    await page.keyboard.press("Space")
    await expect(page.locator("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#person")).to_be_focused()


async def test_the_focus_is_not_lost_with_what_was_chosen(new_chat: NewChat) -> None:
    chat = await new_chat(**DESKTOP)
    page = chat.page
    await page.locator("#customers button", has_text="C1005").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#customers button[aria-pressed=true]")).to_be_focused()
    await chat.ask_and_wait("我的订单什么状态")
    await page.locator(".answer .option").first.focus()
    await page.keyboard.press("Enter")
    await expect(chat.whole_answers).to_have_count(2)
    assert await page.evaluate("document.activeElement !== document.body")


async def test_enter_does_not_send_while_an_input_method_composes(new_chat: NewChat) -> None:
    chat = await new_chat(**DESKTOP)
    await chat.text.focus()
    session = await chat.context.new_cdp_session(chat.page)
    await session.send("Input.imeSetComposition", {"text": "yun", "selectionStart": 3, "selectionEnd": 3})
    await chat.text.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    await session.send("Input.insertText", {"text": "运费怎么算"})
    await expect(chat.text).to_have_value("运费怎么算")
    await expect(chat.questions).to_have_count(0)
    await chat.page.keyboard.press("Enter")
    await expect(chat.questions).to_have_count(1)


async def test_what_is_read_out_are_whole_sentences(new_chat: NewChat) -> None:
    chat = await new_chat("en-GB")
    await expect(chat.page.get_by_role("log")).to_have_attribute("aria-live", "polite")
    await chat.page.evaluate(
        """() => {
            window.heard = [];
            const take = (node) => node.nodeType === 1 && !node.closest("[aria-hidden=true]") && node.matches(".sentence") && window.heard.push(node.textContent);
            new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach(take))).observe(document.getElementById("log"), { childList: true, subtree: true });
        }"""  # noqa: E501
    )
    await chat.ask_and_wait("tell me a joke")
    heard = await chat.page.evaluate("window.heard")
    assert len(heard) >= 3
    assert all(sentence.strip()[-1] in ".!" for sentence in heard)
    assert "".join(heard) == await chat.spoken()


async def test_motion_stops_for_whom_it_disturbs(new_chat: NewChat) -> None:
    chat = await new_chat("en-GB", reduced_motion="reduce")
    await chat.ask("tell me a joke")
    await expect(chat.answers).to_have_count(1)
    assert await chat.page.evaluate("document.getAnimations().length") == 0
