"""What an operator sees of the routing."""

from __future__ import annotations

from ray.serve.metrics import Counter

from serve_app.domain.routing import RouteName


class RouteMetrics:
    """A fleet's `Counts`, for Prometheus. Serve adds which process it was."""

    def __init__(self) -> None:
        self._decisions = Counter(
            "zerowait_routed", "Requests that a replica took, by why it was that one.", tag_keys=("decision",)
        )
        self._ejections = Counter("zerowait_replica_ejections", "Times that this process left a dead or silent replica.")

    def decided(self, route: RouteName) -> None:
        self._decisions.inc(tags={"decision": route})

    def ejected(self) -> None:
        self._ejections.inc(tags={})
