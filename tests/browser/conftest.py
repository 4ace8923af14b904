"""A real Chromium before a real server: the whole graph in one process, the model scripted."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from tests.browser.chat import Chat
from tests.graph.front import Front, serving
from tests.packaged import saying

CHROMIUM = shutil.which("chromium")
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
# Long enough to be cut off in the middle of it, and shorter than a model's answer may be.
STORY = " ".join(
    ["Once upon a time there was a tea pot. It sang all day long, and nobody minded at all! Then it fell silent."] * 2
)

# So that a test can cut the page's sockets, and say something over them.
SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket { constructor(...given) { super(...given); window.sockets.push(this); } };
"""

# Busy machines take their time; what is expected comes earlier.
expect.set_options(timeout=20_000)

# A shop's own site, which shows the chat page in a frame.
SHOP = "http://shop.test"

NewChat = Callable[..., Awaitable[Chat]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def front(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, packaged_model: Path) -> AsyncGenerator[Front]:
    engine = saying(STORY, token_s=0.008)
    tenants = {"demo": {"web": {"origins": [SHOP]}}}
    home = tmp_path_factory.mktemp("browser")
    async with serving(home, valkey_url, packaged_model, engine, tenants=tenants) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncGenerator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    async with async_playwright() as playwright:
        # Its sandbox needs what containers seldom give, and it would ask before a site of the internet, which `SHOP` is to it,
        # may show one of this machine. The pages are our own.
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-features=LocalNetworkAccessChecks"]
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def new_chat(chromium: Browser, front: Front) -> AsyncGenerator[NewChat]:
    """Opens a chat page in a browser profile of its own, phone-sized; `context` opens one more tab of that profile.

    A script error on any page fails the test.
    """
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    async def open_one(locale: str = "zh-CN", path: str = "/", context: BrowserContext | None = None, **options: Any) -> Chat:
        if context is None:
            context = await chromium.new_context(base_url=front.url, locale=locale, **{**PHONE, **options})
            context.set_default_timeout(20_000)
            await context.add_init_script(SOCKETS)
            contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(path)
        return Chat(page)

    yield open_one
    for context in contexts:
        await context.close()
    assert errors == []
