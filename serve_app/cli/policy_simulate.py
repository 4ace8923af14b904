"""`zerowait policy simulate`: what a scaling policy would do with a day's questions."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Annotated

import typer

from serve_app.cli.console import row, say
from serve_app.domain.errors import ConfigError
from serve_app.domain.scaling_policy import ScalingPolicy
from serve_app.scaling_file import read_policy
from serve_app.scaling_simulation import Minute, ReplicaModel, Run, Trace, policy_scaler, simulate
from serve_app.scaling_trace import FORMAT, read_trace
from serve_app.yaml_lines import read_text

HELP = f"""Replay a trace of questions under a policy; change nothing. A table to stdout, all else to stderr.

The decision is the very one that runs. A replica is modelled on one H100 with Qwen3-32B in FP8: it begins 36 answers/s and no
more, which --answers-per-s scales; what comes beyond waits. It answers `start_s` after it was asked for, and is paid for from
then on. So read the table for when replicas come and go and what they cost; measure waiting times on your own hardware.

{FORMAT}
"""

HEADING = ("time", "replicas", "paid", "wanted", "why", "questions/s", "model/s", "ttft_p99_ms", "gpu_hours")


def simulate_policy(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A policy: see serve_app/configs/scaling.example.yaml.")],
    trace: Annotated[Path, typer.Option("--trace", help="The questions; the format is described above.")],
    starts: Annotated[
        str | None, typer.Option("--from", help="The instant of second 0, with its offset: 2026-11-10T00:00:00+08:00.")
    ] = None,
    replicas: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="That answer at first. [default: enough for the first row]")
    ] = None,
    ttft_ms: Annotated[float, typer.Option(min=1, help="A minute is attained when its TTFT p99 is at most this.")] = 500.0,
    answers_per_s: Annotated[float, typer.Option(min=0.01, max=10_000, help="The most that one replica begins.")] = 36.1,
    every: Annotated[int, typer.Option(min=1, help="Minutes to a line; its replicas are means, its TTFT p99 the worst.")] = 1,
    price: Annotated[float | None, typer.Option(min=0, help="Of a GPU for an hour, in any currency.")] = None,
) -> None:
    policy = read_policy(read_text(file), str(file))
    questions = read_trace(trace, _instant(starts))
    _warn(policy, questions)
    model = _model(answers_per_s, policy)
    first = replicas if replicas is not None else _enough(questions, policy, model)
    run = _run(questions, policy, model, first)
    gpus = policy.budget.gpus_per_replica
    row(*HEADING)
    for index in range(0, len(run.minutes), every):
        at = questions.starts + timedelta(minutes=index)
        row(*_line(at, run.minutes[index : index + every], gpus))
    for line in _totals(run, policy, ttft_ms, price):
        typer.echo(line)


def _instant(text: str | None) -> datetime:
    if text is None:
        return datetime.fromtimestamp(0, UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError("--from: write an instant with its offset, such as 2026-11-10T00:00:00+08:00") from error
    if instant.utcoffset() is None:
        raise ConfigError("--from: write its offset too, such as +08:00")
    return instant


def _warn(policy: ScalingPolicy, trace: Trace) -> None:
    ends = trace.starts + timedelta(seconds=len(trace.questions_per_s))
    outside = sum(each.ends <= trace.starts or each.starts >= ends for each in policy.calendar)
    if outside:
        say(
            f"{outside} of {len(policy.calendar)} occasions in the calendar lie outside the trace, which is from "
            f"{trace.starts.isoformat()} to {ends.isoformat()}; --from says when it begins"
        )


def _model(answers_per_s: float, policy: ScalingPolicy) -> ReplicaModel:
    """The measured replica, slower or quicker as a whole: its times stay, its rates are scaled."""
    measured = ReplicaModel()
    scale = answers_per_s / measured.answers_per_s
    return ReplicaModel(
        answers_per_s=answers_per_s,
        ttft_ms=tuple((rate * scale, value) for rate, value in measured.ttft_ms),
        stream_s=tuple((rate * scale, value) for rate, value in measured.stream_s),
        start_s=round(policy.start_s),
    )


def _enough(trace: Trace, policy: ScalingPolicy, model: ReplicaModel) -> int:
    """Replicas for the first row, 30 % below what they carry at most."""
    needed = trace.questions_per_s[0] * (1 - trace.hit_rate[0]) / (0.7 * model.answers_per_s)
    return max(1, policy.replicas.min, min(policy.replicas.max, math.ceil(needed)))


def _run(trace: Trace, policy: ScalingPolicy, model: ReplicaModel, replicas: int) -> Run:
    seconds = len(trace.questions_per_s)
    with typer.progressbar(length=seconds, label="simulating", file=sys.stderr) as bar:
        done = 0

        def progress(second: int) -> None:
            nonlocal done
            bar.update(second - done)
            done = second

        run = simulate(trace, policy_scaler(policy, trace.starts, replicas), model, replicas, progress)
        progress(seconds)
    return run


def _line(at: datetime, minutes: Sequence[Minute], gpus: int) -> tuple[str, ...]:
    return (
        at.isoformat(timespec="minutes"),
        f"{fmean(minute.replicas for minute in minutes):.2f}",
        f"{fmean(minute.paid for minute in minutes):.2f}",
        str(minutes[-1].wanted),
        Counter(minute.reason for minute in minutes).most_common(1)[0][0],
        f"{fmean(minute.questions_per_s for minute in minutes):.1f}",
        f"{fmean(minute.answers_per_s for minute in minutes):.1f}",
        f"{max(minute.ttft_p99_ms for minute in minutes):.0f}",
        f"{sum(minute.paid for minute in minutes) * gpus / 60:.2f}",
    )


def _totals(run: Run, policy: ScalingPolicy, ttft_ms: float, price: float | None) -> list[str]:
    gpu_hours = run.replica_hours * policy.budget.gpus_per_replica
    paid = [minute.paid for minute in run.minutes]
    lines = [
        "",
        f"attainment  {run.attainment(ttft_ms):.5f} of {len(run.minutes)} minutes with a TTFT p99 of at most {ttft_ms:g} ms",
        f"gpu_hours   {gpu_hours:.1f} ({fmean(paid):.2f} replicas on average, {max(paid):.0f} at most)",
    ]
    return [*lines, f"cost        {gpu_hours * price:.2f}"] if price is not None else lines
