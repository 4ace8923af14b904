"""Does gathering a customer's facts take as long as the slowest source, and no longer?

Three HTTP services of 250, 270 and 300 ms, each a process of its own, are asked through the real gatherer: all at once, and
with the parcels (270 ms) needing the orders' ids (250 ms). In the same run each is asked alone and all are asked in turn.

The last line is one JSON object. `ratio` is the whole over the slowest, `needs_ratio` the whole over the longest chain, both of
medians, with the services' measured times as the measure; `serial_ratio` is what asking in turn costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from serve_app.config import Config
from serve_app.context import ContextGatherer, gatherer
from serve_app.ports import FactsQuery
from serve_app.source_settings import HttpSourceSettings
from serve_app.tenant_settings import TenantSettings

REPLIES: dict[str, Any] = {
    "orders": [{"id": "ZW1", "state": "shipped", "placed_at": "2026-11-20T08:00:00Z", "total_minor": 12900}],
    "parcels": [{"id": "P1", "order_id": "ZW1", "tracking_no": "SF1", "state": "in_transit"}],
    "customer": {"id": "C1", "name": "王*", "tier": "gold"},
}
DELAYS_MS = {"orders": 250, "parcels": 270, "customer": 300}


@contextmanager
def services(delays_ms: Mapping[str, int] = DELAYS_MS) -> Iterator[dict[str, str]]:
    """The services' addresses, by part."""
    running = {part: start(part, delay_ms) for part, delay_ms in delays_ms.items()}
    try:
        yield {part: f"http://127.0.0.1:{port_of(process)}" for part, process in running.items()}
    finally:
        for process in running.values():
            process.terminate()
            process.communicate()


def start(part: str, delay_ms: int) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "benchmarks.slow_service",
        "--delay-ms",
        str(delay_ms),
        "--body",
        json.dumps(REPLIES[part]),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def port_of(process: subprocess.Popen[str]) -> int:
    """Waits until the service listens."""
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise RuntimeError("a slow service did not start")
    return int(line)


def context_of(urls: Mapping[str, str], parts: tuple[str, ...], data_dir: Path, *, needs: bool = False) -> ContextGatherer:
    sources = tuple(
        HttpSourceSettings(
            name=part,
            part=part,  # pyright: ignore[reportArgumentType] - the keys of DELAYS_MS are parts
            url=f"{urls[part]}/{part}" + ("?orders={order_ids}" if part == "parcels" and needs else ""),
            needs={"order_ids": "orders[].id"} if part == "parcels" and needs else {},
            deadline_ms=5000,
        )
        for part in parts
    )
    config = Config(data_dir=data_dir, tenants={"demo": TenantSettings(sources=sources)})
    return gatherer(config.resolved(os.environ), os.environ)


async def timed_ms(context: ContextGatherer, parts: tuple[str, ...]) -> float:
    started = perf_counter()
    gathered = await context.gather(FactsQuery("demo", "C1", datetime.now(UTC), within_s=10))
    took_ms = (perf_counter() - started) * 1000
    failed = [report for report in gathered.reports if report.state != "ok" or report.rows != 1]
    if failed or {report.part for report in gathered.reports} != set(parts):
        raise RuntimeError(f"a source did not answer as it should: {failed}")
    return took_ms


async def measure(urls: Mapping[str, str], rounds: int, data_dir: Path) -> dict[str, Any]:
    parts = tuple(DELAYS_MS)
    alone = {part: context_of(urls, (part,), data_dir) for part in parts}
    together = context_of(urls, parts, data_dir)
    chained = context_of(urls, parts, data_dir, needs=True)
    contexts = [*alone.values(), together, chained]
    alone_ms: dict[str, list[float]] = {part: [] for part in parts}
    serial_ms: list[float] = []
    together_ms: list[float] = []
    chained_ms: list[float] = []
    try:
        for turn in range(rounds + 1):
            took = {part: await timed_ms(alone[part], (part,)) for part in parts}
            whole, chain = await timed_ms(together, parts), await timed_ms(chained, parts)
            if turn == 0:
                continue  # the first opens the connections
            for part in parts:
                alone_ms[part].append(took[part])
            serial_ms.append(sum(took.values()))
            together_ms.append(whole)
            chained_ms.append(chain)
    finally:
        for context in contexts:
            await context.aclose()
    each_ms = {part: median(times) for part, times in alone_ms.items()}
    slowest_ms = max(each_ms.values())
    longest_ms = max(each_ms["orders"] + each_ms["parcels"], each_ms["customer"])
    return {
        "benchmark": "context",
        "n": rounds,
        "ratio": round(median(together_ms) / slowest_ms, 4),
        "needs_ratio": round(median(chained_ms) / longest_ms, 4),
        "serial_ratio": round(median(serial_ms) / slowest_ms, 4),
        "whole_ms": round(median(together_ms), 1),
        "slowest_ms": round(slowest_ms, 1),
        "needs_whole_ms": round(median(chained_ms), 1),
        "longest_chain_ms": round(longest_ms, 1),
        "serial_ms": round(median(serial_ms), 1),
        "ratio_over_nominal": round(median(together_ms) / max(DELAYS_MS.values()), 4),
        "needs_ratio_over_nominal": round(median(chained_ms) / (DELAYS_MS["orders"] + DELAYS_MS["parcels"]), 4),
        "nominal_ms": DELAYS_MS,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="how often each is measured (default: 20, about 40 s)")
    arguments = parser.parse_args()
    with services() as urls, TemporaryDirectory() as folder:
        result = asyncio.run(measure(urls, arguments.rounds, Path(folder)))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
