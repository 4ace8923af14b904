"""Fixtures that several folders share."""

from __future__ import annotations

from tests.packaged import packaged_model
from tests.postgres import postgres_cluster, postgres_url
from tests.qwen3 import qwen3_tokenizer
from tests.redis_servers import redis7_url, valkey_url

__all__ = ["packaged_model", "postgres_cluster", "postgres_url", "qwen3_tokenizer", "redis7_url", "valkey_url"]
