"""The chat page as a customer handles it."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import BrowserContext, Locator, Page, expect


@dataclass(frozen=True)
class Chat:
    page: Page

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    @property
    def text(self) -> Locator:
        return self.page.locator("#text")

    @property
    def questions(self) -> Locator:
        return self.page.locator(".question .words")

    @property
    def answers(self) -> Locator:
        return self.page.locator(".answer")

    @property
    def whole_answers(self) -> Locator:
        """Those that have ended well: they can be rated."""
        return self.page.locator(".answer:has(.thumbs)")

    async def become(self, customer: str) -> None:
        await self.page.locator("#customers button", has_text=customer).tap()
        await expect(self.page.locator("#customers button[aria-pressed=true]")).to_contain_text(customer)

    async def ask(self, question: str) -> None:
        await self.text.fill(question)
        await self.text.press("Enter")

    async def ask_and_wait(self, question: str) -> Locator:
        """Its answer, when it is whole."""
        before = await self.whole_answers.count()
        await self.ask(question)
        await expect(self.whole_answers).to_have_count(before + 1)
        return self.whole_answers.nth(before)

    async def spoken(self) -> str:
        """The last answer's words, without what only a screen reader says before them."""
        return "".join(await self.answers.last.locator(".sentence, .tail").all_inner_texts())

    async def tell(self, answer: list[tuple[str, object]]) -> None:
        """Shows the page an answer that the server did not give, event by event."""
        await self.page.evaluate(
            """(events) => events.forEach(([event, data], at) => window.sockets.at(-1).onmessage(
                { data: JSON.stringify({ event, data, seq: at + 1, answer_id: "ans_told" }) }))""",
            answer,
        )
