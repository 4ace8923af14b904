"""How much an engine has to do, second by second: a line of JSON each, in a file of the data folder, one file a replica."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

from serve_app.domain.generation import Finished, Generate, Tokens
from serve_app.ports import Engine, EngineSignals

EVERY_S = 0.5


class Watched:
    """Around the real engine. What only grows since the start: `busy_s` with something in flight, `told` tokens of answers,
    `read` tokens of prompts that were computed, `cached` tokens of prompts that were not. As it is now: `kv_use`, `running`."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._file = folder / f"engine-{os.getpid()}.jsonl"
        self._in_flight = 0
        self._busy_s, self._busy_since = 0.0, 0.0
        self._told = self._read = self._cached = 0
        self._writing: asyncio.Task[None] | None = None

    @property
    def in_flight(self) -> int:
        return self._engine.in_flight

    async def start(self) -> None:
        began = time.monotonic()
        await self._engine.start()
        self._write(start_s=round(time.monotonic() - began, 1))
        self._writing = asyncio.create_task(self._write_on())

    def signals(self) -> EngineSignals:
        return self._engine.signals()

    async def generate(self, request: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        if not self._in_flight:
            self._busy_since = time.monotonic()
        self._in_flight += 1
        try:
            async with aclosing(self._engine.generate(request)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Tokens):
                        self._told += len(piece.token_ids)
                    else:
                        self._cached += piece.cached_tokens
                        self._read += piece.prompt_tokens - piece.cached_tokens
                    yield piece
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._busy_s += time.monotonic() - self._busy_since

    async def check_health(self) -> None:
        await self._engine.check_health()

    async def close(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
        await self._engine.close()

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            self._write()

    def _write(self, **more: float) -> None:
        signals, now = self._engine.signals(), time.monotonic()
        line = {
            "at": round(time.time(), 3),
            "busy_s": round(self._busy_s + (now - self._busy_since if self._in_flight else 0.0), 3),
            "told": self._told,
            "read": self._read,
            "cached": self._cached,
            "kv_use": round(signals.kv_use, 4),
            "running": signals.running,
            **more,
        }
        with self._file.open("a") as file:
            file.write(json.dumps(line) + "\n")


def lines_of(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """By replica: what was written until now."""
    return {
        file.stem: [json.loads(line) for line in file.read_text().splitlines() if line.endswith("}")]
        for file in sorted(folder.glob("engine-*.jsonl"))
    }


def between(lines: Iterable[Mapping[str, Any]], began: float, ended: float) -> dict[str, float]:
    """One replica's share of time busy, its mean `kv_use` and `running`, and tokens a second, of a stretch of `time.time()`.

    Empty where fewer than two lines fall into it.
    """
    found = [line for line in lines if began <= line["at"] <= ended]
    if len(found) < 2:
        return {}
    first, last = found[0], found[-1]
    seconds = last["at"] - first["at"]
    grown = {name: last[name] - first[name] for name in ("busy_s", "told", "read", "cached")}
    prompts = grown["read"] + grown["cached"]
    return {
        "busy": round(min(1.0, grown["busy_s"] / seconds), 3),
        "kv_use": round(sum(line["kv_use"] for line in found) / len(found), 3),
        "running": round(sum(line["running"] for line in found) / len(found), 1),
        "told_per_s": round(grown["told"] / seconds, 1),
        "read_per_s": round(grown["read"] / seconds, 1),
        "cached_share": round(grown["cached"] / prompts, 3) if prompts else 0.0,
    }
