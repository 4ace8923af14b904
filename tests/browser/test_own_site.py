"""The chat page inside a shop's own site, which says who the customer is."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, FrameLocator, Route, expect

from tests.browser.conftest import SHOP, NewChat
from tests.graph.front import Front

pytestmark = pytest.mark.asyncio(loop_scope="session")

OTHER = "http://other.test"


async def shop_page(context: BrowserContext, front: Front, token: str, origin: str = SHOP) -> FrameLocator:
    """A page at `origin` with the chat in a frame; it hands the token over when the chat asks for it."""
    html = f"""<!doctype html><iframe src="{front.url}/" style="width:100%;height:700px"></iframe><script>
      addEventListener("message", ({{ data, source, origin }}) => {{
        if (data.type === "zerowait:ready" && origin === "{front.url}")
          source.postMessage({{ type: "zerowait:customer-token", token: "{token}" }}, origin);
      }});
      setTimeout(() => frames[0].postMessage({{ type: "zerowait:customer-token", token: "{token}" }}, "*"), 1000);
    </script>"""

    async def give(route: Route) -> None:
        await route.fulfill(content_type="text/html", body=html)

    await context.route(f"{origin}/*", give)
    page = await context.new_page()
    await page.goto(f"{origin}/")
    return page.frame_locator("iframe")


async def test_a_token_in_the_address_says_who_asks_and_leaves_it_at_once(new_chat: NewChat, front: Front) -> None:
    chat = await new_chat(path=f"/#customer_token={front.token('C1001')}")
    await expect(chat.page.locator("#starters button").first).to_have_text("我的快递到哪了？")
    assert "#" not in chat.page.url
    answer = await chat.ask_and_wait("我的快递到哪了")
    await expect(answer.locator(".card")).to_have_count(1)


async def test_the_shops_page_hands_its_customers_token_over(new_chat: NewChat, front: Front) -> None:
    context = (await new_chat()).context
    frame = await shop_page(context, front, front.token("C1001"))
    await expect(frame.locator("#starters button").first).to_have_text("我的快递到哪了？")
    await frame.locator("#text").fill("我的快递到哪了")
    await frame.locator("#text").press("Enter")
    await expect(frame.locator(".answer .card")).to_have_count(1)


async def test_another_site_cannot_show_the_page(new_chat: NewChat, front: Front) -> None:
    context = (await new_chat()).context
    frame = await shop_page(context, front, front.token("C1001"), OTHER)
    await expect(frame.locator("#starters")).to_have_count(0)


async def test_a_customers_token_that_has_expired_is_said_and_not_used(new_chat: NewChat, front: Front) -> None:
    chat = await new_chat(path=f"/#customer_token={front.token('C1001', secret='x' * 32)}")
    await expect(chat.page.locator(".notice")).to_contain_text("重新登录")
    await chat.ask_and_wait("运费怎么算")


async def test_a_question_that_nobody_answers_any_more_is_asked_again(new_chat: NewChat) -> None:
    chat = await new_chat()
    await chat.ask_and_wait("运费怎么算")

    async def half(route: Route) -> None:
        reply = await route.fetch()
        body = await reply.json()
        body["turns"][-1]["answer"] = None
        await route.fulfill(response=reply, json=body)

    await chat.context.route("**/v1/sessions/*", half)
    await chat.page.reload()
    await expect(chat.whole_answers).to_have_count(1)
    await expect(chat.questions).to_have_count(1)
