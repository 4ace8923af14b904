"""The way to the replicas: a session's requests go to the replica that holds its keys and values.

Runs in every process that holds a handle to Inference. Ray 2.60; it overrides private methods, each with a test of its own.
"""

from __future__ import annotations

import random

from ray.serve._private.common import RequestMetadata
from ray.serve._private.request_router.common import PendingRequest
from ray.serve.request_router import ReplicaID, RequestRouter, RunningReplica

from serve_app.domain.generation import Generate
from serve_app.domain.ring import Ring


class StickyRouter(RequestRouter):
    """Ranks replicas by a consistent-hash ring over the request's session key; without a key, the least loaded is taken."""

    def initialize_state(self, **kwargs: object) -> None:
        super().initialize_state(**kwargs)
        self._ring = Ring(())
        self._pending: dict[int, PendingRequest] = {}

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
        request = next((value for value in pending_request.args if isinstance(value, Generate)), None)
        if request is None or request.session_key is None:
            # Within a rank the framework takes the shortest queue, the first of equals. In a random order, because a burst is
            # routed before the first of its requests shows in a queue.
            return [random.sample(candidate_replicas, len(candidate_replicas))]
        # The replica names the decision from this: only it knows, in the end, where the request arrived.
        request.ranked_replicas = self._ring.ranked(request.session_key)
        by_id = {replica.replica_id.unique_id: replica for replica in candidate_replicas}
        return [[by_id[replica_id]] for replica_id in request.ranked_replicas if replica_id in by_id] or [candidate_replicas]

    def _renew(self) -> None:
        live = frozenset(replica_id.unique_id for replica_id in self.curr_replicas)
        if live != self._ring.replica_ids:
            self._ring = Ring(live)

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
