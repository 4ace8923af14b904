"""The other rooms behind their Serve handles, as the ports that the ingress knows."""

from __future__ import annotations

import asyncio
from typing import Any

from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from serve_app.domain.errors import InternalError, RoomFailed, ZeroWaitError
from serve_app.domain.facts import Facts
from serve_app.domain.knowledge import Found, Lookup
from serve_app.ports import FactsQuery


class RemoteContext:
    """The port `ContextRoom`."""

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    async def facts(self, query: FactsQuery) -> Facts:
        return await _call(self._handle.facts, query)

    async def check(self) -> None:
        await _call(self._handle.check_health)


class RemoteCache:
    """The port `CacheRoom`."""

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    async def look_up(self, lookup: Lookup) -> Found:
        return await _call(self._handle.look_up, lookup)

    async def check(self) -> None:
        await _call(self._handle.check_health)


async def _call(method: DeploymentHandle, *args: Any) -> Any:
    """Raises RoomFailed for whatever Ray says, and our own errors as they were raised over there."""
    response = method.remote(*args)
    try:
        return await response
    except asyncio.CancelledError:
        response.cancel()
        raise
    except (InternalError, ZeroWaitError):
        raise
    except (RayError, RayServeException) as error:
        raise RoomFailed(f"{type(error).__name__}: {error}") from error
