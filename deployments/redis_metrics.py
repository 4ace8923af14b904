"""What an operator sees of Redis."""

from __future__ import annotations

from ray.serve.metrics import Gauge


class RedisMetrics:
    """For Prometheus. Serve adds which process it was."""

    def __init__(self) -> None:
        self._breaker = Gauge("zerowait_redis_breaker", "1 while this process leaves Redis alone, after repeated failures.")

    def left_alone(self, is_so: bool) -> None:
        self._breaker.set(1.0 if is_so else 0.0)
