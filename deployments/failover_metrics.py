"""Failover as Prometheus sees it, through Ray's metrics."""

from __future__ import annotations

from ray.serve.metrics import Counter

from serve_app.answering.failover import Event


class FailoverMetrics:
    """One a process. Ejections stand among the routing's counts.

    `event`: moved-dead and moved-silent (to another replica, by why the first was left), probe-answered, probe-unanswered,
    set-aside (two replicas died under it), refused-set-aside (its prompt was before), refused-budget (no moves were left).
    """

    def __init__(self) -> None:
        self._events = Counter(
            "zerowait_failover_events", description="What became of replicas that died or fell silent.", tag_keys=("event",)
        )

    def count(self, event: Event) -> None:
        self._events.inc(tags={"event": event})
