"""The rooms behind their Serve handles, as the ports that their callers know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

from grpc import RpcError
from ray.exceptions import RayError, TaskCancelledError
from ray.serve.exceptions import BackPressureError, RayServeException
from ray.serve.handle import DeploymentHandle, DeploymentResponseGenerator

from deployments.dispatch import Dispatch
from serve_app.domain.errors import CallCancelled, InternalError, ModelFailed, Overloaded, RoomFailed, ZeroWaitError
from serve_app.domain.facts import Facts
from serve_app.domain.generation import Beat, Generate, Piece, Started, Tokens
from serve_app.domain.knowledge import Found, Lookup
from serve_app.fleet import Fleet
from serve_app.ports import FactsQuery

# What a handle raises for a replica that is not there: between replicas it speaks gRPC.
_SERVE_ERRORS = (RayError, RayServeException, RpcError)


class ContextHandle:
    """The port `ContextRoom`."""

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    async def facts(self, query: FactsQuery) -> Facts:
        return await _call(self._handle.facts, query)

    async def check(self) -> None:
        await _call(self._handle.check_health)


class CacheHandle:
    """The port `CacheRoom`."""

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    async def look_up(self, lookup: Lookup) -> Found:
        return await _call(self._handle.look_up, lookup)

    async def check(self) -> None:
        await _call(self._handle.check_health)


class InferenceHandle:
    """The port `Replicas`. One a process: it knows what this process has under way, and where."""

    def __init__(self, handle: DeploymentHandle, fleet: Fleet, origin: str) -> None:
        """`origin` names this process to the replicas."""
        self.fleet = fleet
        self._handle = handle
        self._origin = origin
        # By value, that is by gRPC: through the object store a piece takes four times as long.
        self._streaming = handle.options(stream=True, _by_reference=False)

    async def generate(
        self, request: Generate, avoid: frozenset[str] = frozenset(), only: str | None = None
    ) -> AsyncGenerator[Piece | Beat, None]:
        """Closing it cancels the call on the replica, which aborts the generation."""
        fleet, dispatch_id = self.fleet, request.request_id
        dispatch = Dispatch(replace(request, origin=self._origin), fleet, avoid, only)
        pieces: DeploymentResponseGenerator[Piece | Beat] | None = None
        fleet.expect(dispatch_id)
        try:
            pieces = cast(DeploymentResponseGenerator[Piece | Beat], self._streaming.generate.remote(dispatch))
            async for piece in pieces:
                if isinstance(piece, Tokens):
                    fleet.has_begun(dispatch_id)
                if piece.load is not None:
                    fleet.report(piece.load)
                if isinstance(piece, Started) and (decision := fleet.decision(dispatch_id)) is not None:
                    yield replace(piece, route=decision.route)
                else:
                    yield piece
        except (InternalError, ZeroWaitError):
            raise
        except BackPressureError as error:
            raise Overloaded("Too many questions at once.", retry_after_s=1) from error
        except TaskCancelledError as error:
            raise CallCancelled("Serve cancelled the call") from error
        except _SERVE_ERRORS as error:
            failed, decision = ModelFailed(f"{type(error).__name__}: {error}"), fleet.decision(dispatch_id)
            failed.replica_id = decision.replica_id if decision is not None else None
            raise failed from error
        except (asyncio.CancelledError, GeneratorExit) as left:
            # Not awaited: this also runs where every await is cancelled. What Serve says about a call that failed at the same
            # moment is of no use to a caller that has left.
            if pieces is not None:
                with suppress(*_SERVE_ERRORS):
                    pieces.cancel()
            if isinstance(left, asyncio.CancelledError) and not _is_being_cancelled():
                raise CallCancelled("Serve cancelled the call") from left
            raise
        finally:
            fleet.ended(dispatch_id)

    async def check(self) -> None:
        """Raises ModelFailed while no replica is ready or its engine is down."""
        try:
            await _call(self._handle.check_health)
        except RoomFailed as error:
            raise ModelFailed(str(error)) from error


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _call(method: DeploymentHandle, *args: Any) -> Any:
    """Raises RoomFailed for whatever Ray says, and our own errors as they were raised over there."""
    try:
        response = method.remote(*args)
        try:
            return await response
        except asyncio.CancelledError:
            response.cancel()
            raise
    except (InternalError, ZeroWaitError):
        raise
    except _SERVE_ERRORS as error:
        raise RoomFailed(f"{type(error).__name__}: {error}") from error
