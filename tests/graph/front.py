"""The whole graph in one process: every part real but Ray and the model, served over HTTP on a free port."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
from redis.asyncio import Redis

from deployments import one_process
from serve_app.adapters import record
from serve_app.adapters.auth import ensure_token_secret, ensure_visitor_secret
from serve_app.adapters.memory_tier_counts import MemoryTierCounts
from serve_app.adapters.scripted_engine import ScriptedEngine
from serve_app.adapters.sql_keys import SqlKeys
from serve_app.config import Config
from serve_app.demo.knowledge import publish_demo
from serve_app.demo.shop import make_shop
from tests.packaged import CACHE

VECTORS = CACHE / "vectors.npz"


@dataclass
class Front:
    """A running front and what a test needs to talk to it."""

    client: httpx.AsyncClient
    config: Config
    engine: ScriptedEngine
    key: str
    secret: str
    host: str
    port: int
    counts: MemoryTierCounts

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    async def post(self, path: str, *, customer: str | None = None, **options: Any) -> httpx.Response:
        return await self.client.post(path, **self._with(customer, options))

    async def get(self, path: str, *, customer: str | None = None) -> httpx.Response:
        return await self.client.get(path, **self._with(customer, {}))

    async def ask(self, question: str, customer: str | None = None, **fields: Any) -> dict[str, Any]:
        response = await self.post("/v1/ask", customer=customer, json={"question": question, **fields})
        assert response.status_code == 200, response.text
        return response.json()

    def _with(self, customer: str | None, options: dict[str, Any]) -> dict[str, Any]:
        headers: dict[str, str] = {"authorization": f"Bearer {self.key}"}
        if customer is not None:
            headers["x-customer-token"] = self.token(customer)
        if "content" in options:
            headers["content-type"] = "application/json"
        return options | {"headers": headers | options.get("headers", {})}

    def token(self, customer: str, *, ttl: timedelta = timedelta(hours=1), secret: str | None = None) -> str:
        claims = {"sub": customer, "exp": datetime.now(UTC) + ttl}
        return jwt.encode(claims, secret or self.secret, algorithm="HS256")

    async def new_key(self, scopes: frozenset[str]) -> str:
        engine = record.connect(str(self.config.record.url))
        try:
            _, key = await SqlKeys(engine).create("demo", scopes, "test", datetime.now(UTC))
        finally:
            await engine.dispose()
        return key

    def order_of(self, customer: str) -> str:
        with sqlite3.connect(self.config.home / "shop.db") as shop:
            query = "SELECT id FROM orders WHERE customer_id = ? ORDER BY id LIMIT 1"
            return shop.execute(query, (customer,)).fetchone()[0]


@asynccontextmanager
async def serving(
    home: Path, redis_url: str, model_folder: Path, engine: ScriptedEngine, **settings: Any
) -> AsyncGenerator[Front]:
    """A front with the demo shop in `home`; `settings` go to the configuration. Redis is emptied first."""
    async with Redis.from_url(redis_url) as redis:
        await redis.flushdb()
    # A machine that is busy with other tests is slow, not away.
    patience = {
        "redis": {"url": redis_url, "timeout_ms": 5000, "budget_ms": 5000},
        "deadlines": {"facts_ms": 5000, "cache_ms": 5000},
    }
    tree = {"data_dir": home, **patience, **settings}
    config = Config.model_validate(tree).resolved({})
    secret = ensure_token_secret(home)
    ensure_visitor_secret(home)
    key = await _prepare(config)
    # The ingress reads the tokenizer of the packaged model where the set-up puts it.
    (home / "models").mkdir(exist_ok=True)
    if not (link := home / "models" / model_folder.name).exists():
        link.symlink_to(model_folder)
    # Embedding the published questions takes seconds of CPU, once a machine.
    if VECTORS.exists():
        shutil.copy(VECTORS, home / VECTORS.name)
    await engine.start()
    counts = MemoryTierCounts()
    async with one_process.serving(config, engine, counts) as (host, port):
        shutil.copy(home / VECTORS.name, VECTORS)
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=30) as client:
            yield Front(client, config, engine, key, secret, host, port, counts)


async def _prepare(config: Config) -> str:
    if not (config.home / "shop.db").exists():
        await asyncio.to_thread(make_shop, config.home / "shop.db")
    engine = record.connect(str(config.record.url))
    try:
        await record.create_tables(engine)
        await publish_demo(engine, "demo", datetime.now(UTC))
        _, key = await SqlKeys(engine).create("demo", frozenset({"ask"}), "test", datetime.now(UTC))
    finally:
        await engine.dispose()
    return key
