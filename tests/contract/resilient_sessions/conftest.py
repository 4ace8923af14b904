"""A process whose Redis can be cut off, and one whose Redis is always there."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from tests.contract.resilient_sessions.processes import Process, process
from tests.redis_proxy import RedisProxy, through_a_proxy


@pytest.fixture
async def proxy(valkey_url: str) -> AsyncGenerator[RedisProxy]:
    async with through_a_proxy(valkey_url) as made:
        yield made


@pytest.fixture
async def here(proxy: RedisProxy) -> AsyncGenerator[Process]:
    """A process whose way to Redis is `proxy`."""
    async with process(proxy.url) as made:
        yield made


@pytest.fixture
async def elsewhere(valkey_url: str) -> AsyncGenerator[Process]:
    """A process whose way to Redis is good."""
    async with process(valkey_url) as made:
        yield made
