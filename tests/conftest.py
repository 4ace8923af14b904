"""Fixtures that several folders share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.packaged import packaged_model
from tests.postgres import postgres_cluster, postgres_url
from tests.qwen3 import qwen3_tokenizer
from tests.redis_servers import redis7_cluster_url, redis7_url, valkey_cluster_url, valkey_url

__all__ = [
    "packaged_model",
    "postgres_cluster",
    "postgres_url",
    "qwen3_tokenizer",
    "redis7_cluster_url",
    "redis7_url",
    "valkey_cluster_url",
    "valkey_url",
]

# How long an example takes says something of the machine, not of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
