"""How soon can a customer with a middling phone on a slow network ask, and how soon is the first word of the answer there?

Each run loads the chat page in a new profile of a real Chromium (nothing cached) under Lighthouse's mobile profile: four times
slower CPU, 562.5 ms until each response begins, 1474.56 kbit/s down, 675 kbit/s up; a message over the socket takes the 150 ms
there and back that these figures stand for, since Chromium's emulation leaves sockets alone. It notes when the page can be used
(its questions are there and react, and no task of 50 ms or more came after), then taps the first question.

The last line is one JSON object. `tti_ms` counts from the navigation; `first_word_ms` from the tap to the paint that shows the
answer's first words, with the socket open (as for who has read a line of the page); `at_once_first_word_ms` is the same for who
taps the very moment there is something to tap. `socket_rtt_ms` is measured, as a check of the emulation.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median, quantiles
from typing import Any

from playwright.async_api import Browser, BrowserContext, CDPSession, Page, async_playwright

from benchmarks.answering.installation import in_one_process
from serve_app.adapters.scripted_engine import ScriptedEngine
from serve_app.domain.errors import ConfigError

# Lighthouse's mobile emulation, as it is applied in the browser ("devtools" throttling).
CPU_SLOWDOWN = 4
NETWORK = {"latency": 562.5, "downloadThroughput": 1474.56 * 1024 / 8, "uploadThroughput": 675 * 1024 / 8}
# The round trip that the latency above stands for.
SOCKET_RTT_MS = 150
PHONE: dict[str, Any] = {
    "viewport": {"width": 412, "height": 823},
    "device_scale_factor": 1.75,
    "is_mobile": True,
    "has_touch": True,
}
QUIET_S = 2.0
WITHIN_S = 60.0

# Notes, inside the page, when its questions are there, which tasks were long, when one was tapped, and when words were painted.
WATCH = """
window.seen = { longTasksEnd: 0, usable: 0, tapped: 0, sockets: [] };
const told = (name) => new Promise((resolve) => (window.seen[`on_${name}`] = resolve));
window.ready = told("ready");
window.word = told("word");
new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) window.seen.longTasksEnd = startTime + duration;
}).observe({ type: "longtask", buffered: true });
const watcher = new MutationObserver(() => {
  const { seen } = window;
  if (!seen.usable && document.querySelector("#starters button")) seen.usable = performance.now();
  if (!seen.tapped || !document.querySelector(".answer .sentence, .answer .tail")) return;
  watcher.disconnect();
  requestAnimationFrame(() => requestAnimationFrame((at) => seen.on_word(at - seen.tapped)));
});
watcher.observe(document, { childList: true, subtree: true });
addEventListener("pointerup", ({ timeStamp }) => (window.seen.tapped ||= timeStamp), true);
// The emulated network leaves a socket's messages alone, so they wait here, half a round trip each way.
window.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    window.seen.sockets.push(this);
  }
  send(text) {
    setTimeout(() => super.send(text), HALF_RTT_MS);
  }
  set onmessage(take) {
    const late = (event) => {
      if (event.data.includes('"ready"')) window.seen.on_ready(performance.now());
      if (event.data.includes('"pong"')) window.seen.pong?.(performance.now());
      take(event);
    };
    this.addEventListener("message", (event) => setTimeout(() => late(event), HALF_RTT_MS));
  }
};
""".replace("HALF_RTT_MS", str(SOCKET_RTT_MS / 2))
PING = """() => new Promise((resolve) => {
  const from = performance.now();
  window.seen.pong = (at) => resolve(at - from);
  window.seen.sockets[0].send('{"type":"ping"}');
})"""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Visit:
    """One visit of a customer who was never there before."""

    def __init__(self, context: BrowserContext, page: Page, session: CDPSession) -> None:
        self._context = context
        self._page = page
        self._session = session
        self.bytes = 0
        self.requests = 0
        session.on("Network.loadingFinished", self._loaded)

    @classmethod
    async def begin(cls, browser: Browser, url: str, locale: str) -> Visit:
        context = await browser.new_context(base_url=url, locale=locale, **PHONE)
        context.set_default_timeout(WITHIN_S * 1000)
        await context.add_init_script(WATCH)
        page = await context.new_page()
        session = await context.new_cdp_session(page)
        visit = cls(context, page, session)
        await session.send("Network.enable")
        await session.send("Network.emulateNetworkConditions", {"offline": False, **NETWORK})
        await session.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWDOWN})
        await page.goto("/", wait_until="commit")
        return visit

    def _loaded(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])
        self.requests += 1

    async def tap(self) -> float:
        """Taps the first question; milliseconds until the first words are painted."""
        await self._page.locator("#starters button").first.tap(no_wait_after=True)
        return await self.told("word")

    async def told(self, what: str) -> float:
        """`ready`, `word`: as soon as it is known. `seen.usable`, `seen.longTasksEnd`: now."""
        async with asyncio.timeout(WITHIN_S):
            return await self._page.evaluate(f"window.{what}")

    async def ping(self) -> float:
        return await self._page.evaluate(PING)

    async def end(self) -> None:
        await self._context.close()


async def patient(browser: Browser, url: str, locale: str) -> dict[str, float]:
    """Waits until the page is at rest, then taps."""
    visit = await Visit.begin(browser, url, locale)
    try:
        ready = await visit.told("ready")
        # The browser tells a long task when it has ended, and after a quiet while there is none to come.
        await asyncio.sleep(QUIET_S)
        usable, last_task = await visit.told("seen.usable"), await visit.told("seen.longTasksEnd")
        loaded: dict[str, float] = {"transfer_bytes": visit.bytes, "requests": visit.requests}
        rtt = await visit.ping()
        first_word = await visit.tap()
    finally:
        await visit.end()
    return {
        "tti_ms": max(usable, last_task),
        "connected_ms": ready,
        "first_word_ms": first_word,
        "socket_rtt_ms": rtt,
        **loaded,
    }


async def impatient(browser: Browser, url: str, locale: str) -> float:
    visit = await Visit.begin(browser, url, locale)
    try:
        return await visit.tap()
    finally:
        await visit.end()


def summed_up(runs: Sequence[dict[str, float]], at_once: Sequence[float]) -> dict[str, float]:
    """Median and 90th percentile of each time; the bytes and requests of the median run."""
    figures: dict[str, float] = {}
    times = {name: [run[name] for run in runs] for name in ("tti_ms", "connected_ms", "first_word_ms", "socket_rtt_ms")}
    for name, values in {**times, "at_once_first_word_ms": list(at_once)}.items():
        figures[f"{name}_p50"] = round(median(values), 1)
        figures[f"{name}_p90"] = round(quantiles(values, n=10, method="inclusive")[-1], 1)
    for name in ("transfer_bytes", "requests"):
        figures[name] = median(run[name] for run in runs)
    return figures


@asynccontextmanager
async def _served(url: str | None) -> AsyncGenerator[str]:
    if url is not None:
        yield url
        return
    # The page's first question is answered from the shop's knowledge; no model is asked.
    async with in_one_process(say, ScriptedEngine(lambda _: [])) as installation:
        yield installation.url


async def run(options: argparse.Namespace, chromium: str) -> dict[str, Any]:
    async with _served(options.url) as url, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            await impatient(browser, url, options.locale)  # the server's and the browser's own first time
            runs: list[dict[str, float]] = []
            at_once: list[float] = []
            for number in range(1, options.n + 1):
                runs.append(await patient(browser, url, options.locale))
                at_once.append(await impatient(browser, url, options.locale))
                say(f"{number} of {options.n}: " + ", ".join(f"{name} {value:.0f}" for name, value in runs[-1].items()))
            chromium_version = browser.version
        finally:
            await browser.close()
    return {
        "benchmark": "page",
        **summed_up(runs, at_once),
        "n": options.n,
        "locale": options.locale,
        "profile": {
            "cpu_slowdown": CPU_SLOWDOWN,
            "latency_ms": 562.5,
            "down_kbit_s": 1474.56,
            "up_kbit_s": 675,
            "socket_rtt_ms": SOCKET_RTT_MS,
        },
        "chromium": chromium_version,
        "playwright": version("playwright"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=12, help="visits of each kind (default 12, at least 10)")
    parser.add_argument("--locale", default="zh-CN", help="the browser's language (default zh-CN)")
    parser.add_argument("--url", help="a page that is served already; default: the application in this process")
    parser.add_argument("--chromium", default=shutil.which("chromium"), help="the browser (default: chromium of the PATH)")
    options = parser.parse_args()
    if options.n < 10:
        parser.error("--n: fewer than 10 visits say little")
    if options.chromium is None:
        parser.error("Chromium is not installed (Debian: apt-get install chromium), or name one with --chromium")
    try:
        figures = asyncio.run(run(options, options.chromium))
    except ConfigError as error:
        sys.exit(f"benchmarks.page: {error}")
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
