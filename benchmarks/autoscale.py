"""What does the scaling policy save, and what does it miss?

A fixed fortnight of a shop's questions (`benchmarks/scaling/fortnight.py`) is replayed through the decision that runs in
Serve's controller, over the simulated fleet of `serve_app.scaling_simulation`, with replicas that take 150 s to answer. Beside
it, over the same questions and the same fleet: the policy without each of its parts, Ray Serve's default policy (with and
without the calendar's numbers set by hand), a constant number of replicas, and one who knows the future.

The last line is one JSON object. `attainment` is the share of minutes with a TTFT p99 of at most 500 ms, `gpu_hours_saved` the
share of GPU-hours that the smallest constant number with as much attainment costs beyond ours, `gpu_hours_over_oracle` ours
over those of the least number of replicas that misses nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.scaling.fortnight import DAYS, SEED, calendar, fortnight
from benchmarks.scaling.plot import svg
from benchmarks.scaling.rivals import RayDefault, constant, floors, oracle
from serve_app.domain.scaling_policy import Hysteresis, Replicas, ScalingPolicy, Target, Windows
from serve_app.scaling_simulation import ReplicaModel, Run, Scaler, policy_scaler, simulate

TTFT_MS = 500.0
LEAST, MOST, FIRST = 2, 64, 6
MODEL = ReplicaModel()
# A replica keeps 500 ms up to 28.9 answers/s and 92 streams: 13 % below that.
TARGET = Target(streams=75.0, waiting_tokens=4000.0, kv_use=0.8, ttft_ms=400.0, answers_per_s=25.0)
POLICY = ScalingPolicy(
    replicas=Replicas(LEAST, MOST),
    target=TARGET,
    windows=Windows(),
    hysteresis=Hysteresis(),
    calendar=calendar(25.0),
    start_s=float(MODEL.start_s),
)
WITHOUT = {
    "hit rate": replace(POLICY, target=replace(TARGET, answers_per_s=None)),
    "calendar": replace(POLICY, calendar=()),
    "panic": replace(POLICY, windows=replace(POLICY.windows, panic_ratio=1e9)),
    "saturation": replace(POLICY, target=replace(TARGET, waiting_tokens=1e9, kv_use=1e9, ttft_ms=1e9)),
}
# Of `target_ongoing_requests`, the cheapest first.
RAY_TARGETS = (90, 80, 75, 70, 65, 60, 55, 50, 45, 40, 35, 30, 25, 20, 15, 10)


@dataclass(frozen=True)
class Arm:
    name: str
    run: Run

    @property
    def attainment(self) -> float:
        return self.run.attainment(TTFT_MS)

    @property
    def missed(self) -> int:
        return round((1 - self.attainment) * len(self.run.minutes))

    def told(self) -> str:
        return f"{self.name:34} {self.attainment:.5f} {self.missed:7} {self.run.replica_hours:10.0f}"


class Bench:
    def __init__(self, days: int, seed: int, step_s: int) -> None:
        self.trace = fortnight(days, seed, step_s)
        print(f"{'arm':34} attained  missed  gpu_hours", flush=True)

    def arm(self, name: str, scaler: Scaler, first: int = FIRST) -> Arm:
        arm = Arm(name, simulate(self.trace, scaler, MODEL, first))
        print(arm.told(), flush=True)
        return arm

    def ours(self, name: str, policy: ScalingPolicy) -> Arm:
        return self.arm(name, policy_scaler(policy, self.trace.starts, FIRST))

    def constant(self, attainment: float) -> Arm:
        """The smallest number that attains as much."""
        return cheapest(
            range(LEAST, MOST + 1), lambda number: self.arm(f"constant {number}", constant(number), number), attainment
        )

    def ray(self, attainment: float, name: str, floors: dict[int, int]) -> Arm:
        """The largest target that attains as much; where none does, the one that attains most."""
        return cheapest(
            RAY_TARGETS,
            lambda target: self.arm(f"{name}, {target} a replica", RayDefault(target, LEAST, MOST, floors)),
            attainment,
        )


def cheapest(choices: Sequence[int], arm: Callable[[int], Arm], attainment: float) -> Arm:
    """`choices` cost more and attain more from one to the next. Where none attains as much, the one that attains most."""
    tried: dict[int, Arm] = {}
    below, above = 0, len(choices)
    while below < above:
        middle = (below + above) // 2
        tried[middle] = arm(choices[middle])
        below, above = (below, middle) if tried[middle].attainment >= attainment else (middle + 1, above)
    enough = [index for index, found in tried.items() if found.attainment >= attainment]
    return tried[min(enough)] if enough else max(tried.values(), key=lambda found: found.attainment)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=DAYS, choices=range(1, DAYS + 1), metavar=f"1-{DAYS}")
    parser.add_argument("--seed", type=int, default=SEED, help="of the questions")
    parser.add_argument(
        "--step-s", type=int, default=5, choices=(1, 2, 3, 5, 10), help="of the simulation; decides once a step"
    )
    parser.add_argument("--svg", type=Path, help="draw the replicas into this file")
    options = parser.parse_args()
    bench = Bench(options.days, options.seed, options.step_s)

    ours = bench.ours("ours", POLICY)
    without = {name: bench.ours(f"ours without {name}", policy) for name, policy in WITHOUT.items()}
    best = bench.arm("oracle", oracle(bench.trace, MODEL, TTFT_MS, LEAST))
    static = bench.constant(ours.attainment)
    by_hand = floors(POLICY.calendar, bench.trace, MODEL.start_s, LEAST)
    ray = bench.ray(ours.attainment, "Ray's default", {})
    ray_by_hand = bench.ray(ours.attainment, "Ray's with the calendar", by_hand)

    def figures(arm: Arm) -> dict[str, float | int | str]:
        return {
            "attainment": round(arm.attainment, 5),
            "gpu_hours": round(arm.run.replica_hours),
            "gpu_hours_saved": round(1 - arm.run.replica_hours / static.run.replica_hours, 3),
            "gpu_hours_over_oracle": round(arm.run.replica_hours / best.run.replica_hours, 3),
        }

    if options.svg:
        options.svg.write_text(svg({"ours": ours.run, ray.name: ray.run, static.name: static.run, "oracle": best.run}), "utf-8")
    told = {
        **figures(ours),
        "missed_minutes": ours.missed,
        "without": {name: figures(arm) for name, arm in without.items()},
        "ray_default": {"arm": ray.name, **figures(ray)},
        "ray_with_calendar": {"arm": ray_by_hand.name, **figures(ray_by_hand)},
        "constant": {"arm": static.name, **figures(static)},
        "oracle": figures(best),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
