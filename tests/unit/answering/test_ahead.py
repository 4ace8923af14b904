"""An answer begun ahead: taken or ended, never left running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from serve_app.answering.ahead import Ahead
from serve_app.answering.work import Draft
from serve_app.domain.errors import NotReady
from serve_app.domain.messages import Delta, Middle


class Making:
    """A draft that is ready when it is `allowed`. `ended`: it was cut before, `closed`: its body was."""

    def __init__(self) -> None:
        self.allowed = asyncio.Event()
        self.error: Exception | None = None
        self.ended = False
        self.body = self._body()

    async def draft(self) -> Draft:
        try:
            await self.allowed.wait()
        except asyncio.CancelledError:
            self.ended = True
            raise
        if self.error is not None:
            raise self.error
        return Draft("model", self.body)

    async def _body(self) -> AsyncGenerator[Middle, None]:
        yield Delta("Hello")


async def said(draft: Draft) -> list[Middle]:
    return [event async for event in draft.body]


async def test_what_is_taken_is_said() -> None:
    making = Making()
    making.allowed.set()
    async with Ahead(making.draft()) as ahead:
        draft = await ahead.draft()
    assert await said(draft) == [Delta("Hello")]


async def test_it_is_begun_before_it_is_taken() -> None:
    making = Making()
    async with Ahead(making.draft()) as ahead:
        making.allowed.set()
        await asyncio.sleep(0)
        await ahead.draft()


async def test_what_is_not_taken_is_ended() -> None:
    making = Making()
    async with Ahead(making.draft()):
        await asyncio.sleep(0)
    assert making.ended


async def test_what_was_ready_and_is_not_taken_is_closed() -> None:
    making = Making()
    making.allowed.set()
    async with Ahead(making.draft()):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert await said(Draft("model", making.body)) == []


async def test_a_failure_that_nobody_wants_is_nobodys() -> None:
    making = Making()
    making.error = NotReady("no model")
    making.allowed.set()
    async with Ahead(making.draft()):
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_a_failure_is_raised_to_who_takes_it() -> None:
    making = Making()
    making.error = NotReady("no model")
    making.allowed.set()
    with pytest.raises(NotReady, match="no model"):
        async with Ahead(making.draft()) as ahead:
            await ahead.draft()


async def test_it_is_ended_when_its_asker_leaves() -> None:
    making = Making()

    async def ask() -> None:
        async with Ahead(making.draft()):
            await asyncio.Event().wait()

    asking = asyncio.create_task(ask())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait({asking})
    assert making.ended
