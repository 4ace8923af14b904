"""The way to the replicas: Serve's router around a `Fleet`, which decides.

Runs in every process that holds a handle to Inference. Ray 2.60; it overrides private methods, each with a test of its own.
"""

from __future__ import annotations

import random
from weakref import WeakSet

from ray.serve._private.common import RequestMetadata
from ray.serve._private.replica_result import ReplicaResult
from ray.serve._private.request_router.common import PendingRequest
from ray.serve.request_router import ReplicaID, RequestRouter, RunningReplica

from deployments.dispatch import Dispatch
from serve_app.fleet import Fleet


class FleetRouter(RequestRouter):
    """Sends a `Dispatch` where the fleet that comes with it decides; everything else, such as a health check, anywhere."""

    def initialize_state(self, **kwargs: object) -> None:
        super().initialize_state(**kwargs)
        self._fleets: WeakSet[Fleet] = WeakSet()
        self._pending: dict[int, PendingRequest] = {}

    @property
    def max_num_routing_tasks(self) -> int:
        """One for each request that waits: by default a few that find no replica would keep all others waiting, and with them
        the probe that would find one. Ray's own count holds those, too, that were sent or given up behind one that waits."""
        return max(1, len(self._pending))

    def update_replicas(self, replicas: list[RunningReplica]) -> None:
        super().update_replicas(replicas)
        self._renew()

    def on_replica_actor_died(self, replica_id: ReplicaID) -> None:
        super().on_replica_actor_died(replica_id)
        self._renew()

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> list[list[RunningReplica]]:
        if pending_request is None:
            return [candidate_replicas]
        # Without this the framework asks again at once, in a busy loop, while every replica is full.
        pending_request.routing_context.should_backoff = True
        dispatch = next((value for value in pending_request.args if isinstance(value, Dispatch)), None)
        if dispatch is None:
            return self._answering_first(candidate_replicas)
        if dispatch.only is not None:
            return [[replica for replica in candidate_replicas if replica.replica_id.unique_id == dispatch.only]]
        return self._ranked(dispatch, candidate_replicas)

    def on_request_routed(self, pending_request: PendingRequest, replica_id: ReplicaID, result: ReplicaResult) -> None:
        super().on_request_routed(pending_request, replica_id, result)
        for value in pending_request.args:
            if isinstance(value, Dispatch):
                value.fleet.routed(value.request.request_id, replica_id.unique_id)

    def _ranked(self, dispatch: Dispatch, candidates: list[RunningReplica]) -> list[list[RunningReplica]]:
        """The replica that was decided for; should it have no slot left, any other."""
        if dispatch.fleet not in self._fleets:
            self._fleets.add(dispatch.fleet)
            self._renew()
        decision = dispatch.fleet.route(dispatch.request, dispatch.avoid)
        if decision is None:
            return []
        chosen = [replica for replica in candidates if replica.replica_id.unique_id == decision.replica_id]
        admitted = dispatch.fleet.admitted() - dispatch.avoid - {decision.replica_id}
        others = [replica for replica in candidates if replica.replica_id.unique_id in admitted]
        return [rank for rank in (chosen, others) if rank]

    def _answering_first(self, candidates: list[RunningReplica]) -> list[list[RunningReplica]]:
        """In any order, but those that were left, which may be frozen, only when there is no other."""
        left = frozenset[str]().union(*(fleet.ejected() for fleet in self._fleets))
        shuffled = random.sample(candidates, len(candidates))
        ranks = (
            [replica for replica in shuffled if (replica.replica_id.unique_id in left) == was_left]
            for was_left in (False, True)
        )
        return [rank for rank in ranks if rank]

    def _renew(self) -> None:
        live = [replica_id.unique_id for replica_id in self.curr_replicas]
        for fleet in self._fleets:
            fleet.renew(live)

    # Ray finds a pending request again by its internal id, which all calls of one HTTP request share: the first to be routed
    # is fulfilled, the others wait for ever. The metadata object is each call's own.

    def _add_pending_request_to_indices(self, pending_request: PendingRequest) -> None:
        self._pending[id(pending_request.metadata)] = pending_request

    def _remove_pending_request_from_indices(self, pending_request: PendingRequest) -> None:
        self._pending.pop(id(pending_request.metadata), None)

    def _get_pending_request_matching_internal_request_id(
        self, request_metadata: RequestMetadata | None = None
    ) -> PendingRequest | None:
        found = self._pending.get(id(request_metadata))
        return found if found is not None and not found.future.done() else None
