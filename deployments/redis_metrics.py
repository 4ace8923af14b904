"""What an operator sees of Redis."""

from __future__ import annotations

from ray.serve.metrics import Counter, Gauge

from serve_app.redis_stores import RedisWatch


def redis_metrics() -> RedisWatch:
    """For Prometheus. Serve adds which process it was."""
    breaker = Gauge("zerowait_redis_breaker", "1 while this process leaves Redis alone, after repeated failures.")
    too_large = Counter("zerowait_redis_too_large", "Shared answers that were longer than redis.value_bytes_max and not kept.")
    lost = Counter("zerowait_conversations_lost", "Conversations kept beside Redis that this process had no more room for.")
    return RedisWatch(lambda is_so: breaker.set(1.0 if is_so else 0.0), lambda: too_large.inc(), lambda: lost.inc())
