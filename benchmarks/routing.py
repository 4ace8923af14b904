"""How much load does a fleet carry behind this router, and behind others?

A discrete-event model of a fleet of model replicas (`benchmarks.fleet`), driven by the very `Fleet` that an ingress process
decides with, and by rivals that follow their code's rules with their code's information. The figure is the knee: the highest
rate at which 99 of 100 requests have their first token within the objective.

The last line is one JSON object. On the shop trace with a bursting tenant, 16 replicas, FP8 keys and values with a host tier:
`knee_over_power_of_two`, `knee_over_strict_hash`, `prefix_hit_over_ideal` (one pooled cache), `max_over_mean_load` and
`bound_excess`, all at our knee. `worst_ratio_on_any_trace` is our knee over the best rival's, the worst of all cases.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.fleet.knee import OURS, ROUTERS, Case, Point, ideal_hit, knee, point, rate_of
from benchmarks.fleet.plot import HIGHEST_MS, plot

QUICK_ROUTERS = (OURS, "strict_hash", "power_of_two", "first_message_bounded")
PLOT_STEPS = range(0, 100, 8)

Knees = dict[Case, dict[str, Point | None]]


def cases(data: Path | None, seconds: float, objective_s: float) -> list[Case]:
    """The main one first."""

    def shop(trace: str, replicas: int, kv: str) -> Case:
        return Case(trace, replicas, kv, seconds if replicas < 64 else seconds / 2, data, objective_s=objective_s)

    return [
        shop("skewed", 16, "fp8+host"),
        shop("skewed", 16, "fp8"),
        shop("skewed", 16, "bf16"),
        shop("skewed", 8, "fp8+host"),
        shop("skewed", 64, "fp8+host"),
        shop("shop", 16, "fp8+host"),
        shop("shop", 16, "bf16"),
        *([Case("mooncake", 16, kv, 0.0, data) for kv in ("fp8+host", "bf16")] if data is not None else []),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with the Azure and Mooncake traces; without it, arrivals are drawn")
    parser.add_argument("--quick", action="store_true", help="one case, four routers, half a minute of traffic")
    parser.add_argument("--case", action="append", help="only cases whose name contains this; may be repeated")
    parser.add_argument("--router", action="append", choices=tuple(ROUTERS), help="only these; may be repeated")
    parser.add_argument("--seconds", type=float, default=60.0, help="simulated after the warm-up (default: 60)")
    parser.add_argument("--objective-ms", type=float, default=500.0, help="of TTFT p99, on the shop traces (default: 500)")
    parser.add_argument("--processes", type=int, default=2, help="of this benchmark (default: 2)")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="also draw rate against p99, for the first case")
    arguments = parser.parse_args()
    started = perf_counter()
    chosen = cases(arguments.data, 30.0 if arguments.quick else arguments.seconds, arguments.objective_ms / 1000)
    if arguments.quick:
        chosen = chosen[:1]
    if arguments.case:
        chosen = [case for case in chosen if any(part in str(case) for part in arguments.case)]
    routers = arguments.router or (QUICK_ROUTERS if arguments.quick else tuple(ROUTERS))
    if arguments.data is None:
        print("Without --data: no conversation trace; the shop's arrivals are gamma with the Azure trace's variation.")
    knees: Knees = {case: {} for case in chosen}
    # Spawned: a fork would copy what other libraries' threads hold.
    with get_context("spawn").Pool(arguments.processes) as pool:
        work = [(case, router) for case in chosen for router in routers]
        for (case, router), found in zip(work, pool.imap(_knee, work), strict=True):
            knees[case][router] = found
            print(_line(case, router, found), flush=True)
        if arguments.plot is not None:
            _draw(
                arguments.plot, chosen[0], routers, pool.map(_point, [(chosen[0], r, s) for r in routers for s in PLOT_STEPS])
            )
    print(json.dumps(figures(knees) | {"took_s": round(perf_counter() - started)}))


def _knee(work: tuple[Case, str]) -> Point | None:
    return knee(*work)


def _point(work: tuple[Case, str, int]) -> tuple[str, Point]:
    case, router, step = work
    return router, point(case, router, step, HIGHEST_MS / 1000)


def _line(case: Case, router: str, found: Point | None) -> str:
    if found is None:
        return f"{case!s:34} {router:22} misses the objective at every rate"
    routes = ", ".join(f"{name} {number / sum(found.routes.values()):.1%}" for name, number in sorted(found.routes.items()))
    p50_ms, p99_ms = found.ttft_p50_s * 1000, found.ttft_p99_s * 1000
    return (
        f"{case!s:34} {router:22} {found.rate:6.1f}/s  p50 {p50_ms:5.0f}  p99 {p99_ms:5.0f} ms"
        f"  cached {found.hit:.1%}  max/mean {found.max_over_mean:.2f}  {routes}"
    )


def figures(knees: Mapping[Case, Mapping[str, Point | None]]) -> dict[str, Any]:
    """A rival that misses the objective at the lowest rate has no knee: its ratio is to that rate, so it is at least that."""
    main_case = next(iter(knees))
    ours = knees[main_case].get(OURS)
    ratios = {str(case): _ratios(case, points) for case, points in knees.items()}
    at_worst = [ratio for of_case in ratios.values() for ratio in of_case.values()]
    return {
        "benchmark": "routing",
        "case": str(main_case),
        "knee": round(ours.rate, 1) if ours else None,
        "knee_over_power_of_two": ratios[str(main_case)].get("power_of_two"),
        "knee_over_strict_hash": ratios[str(main_case)].get("strict_hash"),
        "worst_ratio_on_any_trace": min(at_worst, default=None),
        "prefix_hit_over_ideal": round(ours.hit / ideal_hit(main_case, ours.rate), 4) if ours else None,
        "max_over_mean_load": round(ours.max_over_mean, 3) if ours else None,
        "bound_excess": round(max(0.0, ours.excess), 3) if ours else None,
        "ratios": ratios,
        "knees": {
            str(case): {router: found and round(found.rate, 1) for router, found in points.items()}
            for case, points in knees.items()
        },
        "at_our_knee": ours and asdict(ours),
    }


def _ratios(case: Case, points: Mapping[str, Point | None]) -> dict[str, float]:
    ours = points.get(OURS)
    if ours is None:
        return {}
    lowest = rate_of(case, 0)
    return {
        router: round(ours.rate / (found.rate if found is not None else lowest), 3)
        for router, found in points.items()
        if router != OURS
    }


def _draw(file: Path, case: Case, routers: Iterable[str], points: Iterable[tuple[str, Point]]) -> None:
    curves: dict[str, list[tuple[float, float]]] = {router: [] for router in routers}
    for router, each in points:
        curves[router].append((each.rate, each.ttft_p99_s * 1000))
    file.write_text(plot(f"{case}: rate against p99", curves, case.objective_s * 1000), encoding="utf-8")
    print(f"drawn: {file}")


if __name__ == "__main__":
    main()
