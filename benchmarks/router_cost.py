"""What does a routing decision cost?

A process's `Fleet` decides about sessions among 8, 16 and 64 replicas, each of which carries 20 streams of this process and as
many of others; every tenth session's home is full. A decision is `Fleet.route`: which replica, and counting it there.

pytest-benchmark measures. The last line is one JSON object: `decision_us_p50` and `decision_us_p99`, by the number of replicas.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import numpy
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from serve_app.domain.generation import Generate, LoadReport, Sampling
from serve_app.fleet import Fleet

REPLICAS = (8, 16, 64)
STREAMS = 20
ROUNDS = 5000


def busy_fleet(replicas: int) -> Fleet:
    fleet = Fleet(monotonic)
    names = [f"replica-{number}" for number in range(replicas)]
    fleet.renew(names)
    for number in range(replicas * STREAMS):
        dispatch_id = f"running-{number}"
        fleet.expect(dispatch_id)
        fleet.route(a_request(dispatch_id, None))
        fleet.has_begun(dispatch_id)
    for seq, name in enumerate(names):
        full = seq % 10 == 0
        fleet.report(LoadReport(name, seq, streams=STREAMS * 3 if full else STREAMS, waiting_tokens=0))
    return fleet


def a_request(dispatch_id: str, session: str | None) -> Generate:
    return Generate(dispatch_id, [1] * 800, Sampling(), session, "demo", 30, uncached_tokens=40)


@pytest.mark.parametrize("replicas", REPLICAS)
def test_decision(benchmark: BenchmarkFixture, replicas: int) -> None:
    fleet = busy_fleet(replicas)
    numbers: Iterator[int] = count()

    def expected() -> tuple[tuple[Generate], dict[str, Any]]:
        number = next(numbers)
        fleet.ended(f"request-{number - 1}")
        fleet.expect(f"request-{number}")
        return (a_request(f"request-{number}", f"session-{number}"),), {}

    decision = benchmark.pedantic(fleet.route, setup=expected, rounds=ROUNDS, warmup_rounds=200)
    assert decision is not None


def main() -> int:
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    with TemporaryDirectory() as folder:
        results = Path(folder) / "results.json"
        options = ["-p", "no:cacheprovider", "--benchmark-disable-gc", "--benchmark-save-data", f"--benchmark-json={results}"]
        if code := pytest.main([__file__, *options]):
            return code
        measured = json.loads(results.read_text())["benchmarks"]
    us = {one["params"]["replicas"]: numpy.array(one["stats"]["data"]) * 1e6 for one in measured}
    figures: dict[str, Any] = {
        f"decision_us_p{share}": {
            str(replicas): round(float(numpy.percentile(data, share)), 1) for replicas, data in us.items()
        }
        for share in (50, 99)
    }
    print(json.dumps({"benchmark": "router_cost", "at": datetime.now(UTC).isoformat(timespec="seconds"), **figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
