"""What an operator may write about the number of replicas, and how a mistake is told."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from serve_app.domain.errors import ConfigError
from serve_app.domain.scaling import Memory, Signals, decide
from serve_app.domain.scaling_policy import Budget, Hysteresis, Replicas, ScalingPolicy, Target, Windows
from serve_app.scaling_file import read_policy

GOOD = """
replicas: {min: 2, max: 8}
target:
  streams: 45
calendar:
  - starts: 2026-11-10T20:00:00+08:00
    ends: 2026-11-12T02:00:00+08:00
    min: 6
    note: 双十一
budget: {gpu_hours_per_day: 150}
"""


def test_a_policy_says_what_differs_from_the_defaults() -> None:
    policy = read_policy(GOOD)
    assert (policy.replicas.min, policy.replicas.max, policy.target.streams) == (2, 8, 45)
    assert policy.windows == ScalingPolicy().windows
    assert policy.calendar[0].starts == datetime(2026, 11, 10, 12, tzinfo=UTC)
    assert policy.calendar[0].note == "双十一"


@pytest.mark.parametrize("text", ["", "# nothing\n", "\ufeff", "replicas: {}\n", "replicas: {min: 1}\n", "start_s: 60\r\n"])
def test_how_many_there_may_be_is_always_said(text: str) -> None:
    """An empty file, or one that says something else, must not let all replicas but one go."""
    with pytest.raises(ConfigError, match=r"^p\.yaml:\d+: replicas\.max: must be given: how many there may be at most$"):
        read_policy(text, "p.yaml")


@pytest.mark.parametrize("text", ["replicas: {max: 3}\n", "\ufeffreplicas:\r\n  max: 3\r\n"])
def test_what_is_left_out_keeps_its_default(text: str) -> None:
    assert read_policy(text) == ScalingPolicy(replicas=Replicas(1, 3))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("replicas: {min: 4, max: 2}\n", "p.yaml:1: replicas.max: is less than replicas.min, which is 4"),
        ("replicas:\n  min: 0\n", "p.yaml:2: replicas.min: must be at least 1"),
        ("replicas:\n  min: many\n", "p.yaml:2: replicas.min: Input should be a valid integer"),
        ("replicas:\n  min: 1.5\n", "p.yaml:2: replicas.min: Input should be a valid integer"),
        ("replicas:\n  min: yes\n", "p.yaml:2: replicas.min: write a number"),
        ("replicas: 3\n", "p.yaml:1: replicas: write its fields below it: min, max"),
        ("3\n", "p.yaml:1: the file: write its fields below it: replicas, target"),
        ("target:\n  stream: 5\n", "p.yaml:2: target.stream: there is no such field; did you mean `streams`?"),
        ("replica: {}\n", "p.yaml:1: replica: there is no such field; did you mean `replicas`?"),
        ("zzz: {}\n", "p.yaml:1: zzz: there is no such field; the fields here are replicas, target"),
        ("target: {kv_use: 1.2}\n", "p.yaml:1: target.kv_use: must be at most 1"),
        ("target: {kv_use: 0}\n", "p.yaml:1: target.kv_use: must be more than 0"),
        ("target: {streams: .nan}\n", "p.yaml:1: target.streams: Input should be a finite number"),
        ("windows: {stable_s: .inf}\n", "p.yaml:1: windows.stable_s: Input should be a finite number"),
        ("start_s: -1\n", "p.yaml:1: start_s: must be at least 0"),
        ("windows:\n  stable_s: 10\n  panic_s: 10\n", "p.yaml:3: windows.panic_s: must be shorter than windows.stable_s"),
        (
            "replicas: {min: 2, max: 4}\nbudget:\n  gpu_hours_per_day: 10\n",
            "p.yaml:3: budget.gpu_hours_per_day: does not pay for replicas.min all day, which takes 48 GPU-hours",
        ),
        ("start_s: 1\nwindows: {}\nstart_s: 2\n", "p.yaml:3: start_s: stands twice"),
        ("a: [\n", "p.yaml:2: this is not YAML"),
        ("a: \x00\n", "p.yaml: this is not YAML"),
        ("a: !!timestamp soon\n", "p.yaml: this is not YAML"),
        ("a: !!bool maybe\n", "p.yaml: this is not YAML"),
        ("start_s: 1e12\n", "p.yaml:1: start_s: must be at most 86400"),
        ("replicas: {max: 1000000}\n", "p.yaml:1: replicas.max: must be at most 10000"),
        ("target: {streams: 1e-300}\n", "p.yaml:1: target.streams: must be at least 0.001"),
        (f"budget: {{gpus_per_replica: 1{'0' * 400}}}\n", "p.yaml:1: budget.gpus_per_replica: must be at most 1024"),
        ("windows: &w {panic_s: 5}\ntarget: *w\n", "p.yaml:2: the file: write it out: a policy takes no YAML aliases"),
        ("calendar: &c [*c]\n", "p.yaml:1: the file: write it out: a policy takes no YAML aliases"),
    ],
)
def test_a_mistake_is_told_with_its_line_field_and_reason(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_policy(text, "p.yaml")
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


OCCASION = "replicas: {min: 1, max: 4}\ncalendar:\n- starts: %s\n  ends: %s\n  min: %s\n"


@pytest.mark.parametrize(
    ("starts", "ends", "least", "said"),
    [
        ("2026-11-10", "2026-11-11T00:00:00Z", 2, ":3: calendar.0.starts: write its offset too"),
        ("2026-11-10T00:00:00", "2026-11-11T00:00:00Z", 2, ":3: calendar.0.starts: write its offset too"),
        ("soon", "2026-11-11T00:00:00Z", 2, ":3: calendar.0.starts: write an instant with its offset"),
        ("20261110", "2026-11-12T00:00:00Z", 2, ":3: calendar.0.starts: write an instant with its offset"),
        ("2026-11-11T00:00:00Z", "'1794355200'", 2, ":4: calendar.0.ends: write an instant with its offset"),
        ("0001-01-01T00:00:00Z", "2026-11-12T00:00:00Z", 2, ":3: calendar.0.starts: write a year from 2000 to 2999"),
        ("2026-11-11T00:00:00Z", "9999-12-31T23:59:59-08:00", 2, ":4: calendar.0.ends: write a year from 2000 to 2999"),
        ("2026-11-11T00:00:00Z", "2026-11-11T08:00:00+08:00", 2, ":4: calendar.0.ends: is not after `starts`"),
        ("2026-11-11T00:00:00Z", "2026-11-12T00:00:00Z", 5, ":5: calendar.0.min: is more than replicas.max, which is 4"),
        ("2026-11-11T00:00:00Z", "2026-11-12T00:00:00Z", 0, ":5: calendar.0.min: must be at least 1"),
    ],
)
def test_an_occasion(starts: str, ends: str, least: int, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_policy(OCCASION % (starts, ends, least), "p.yaml")
    assert said in str(caught.value)


def test_what_an_occasion_lacks_is_named_where_it_stands() -> None:
    with pytest.raises(ConfigError, match=r"^p\.yaml:2: calendar\.0\.min: must be given$"):
        read_policy("calendar:\n- {starts: 2026-11-11T00:00:00Z, ends: 2026-11-12T00:00:00Z}\n", "p.yaml")


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read_policy("target:\n  streams: 0\n  kv_use: 2\n", "p.yaml")
    assert [line.split(" ")[0] for line in str(caught.value).splitlines()] == ["p.yaml:2:", "p.yaml:3:"]


def test_no_more_mistakes_are_told_than_anybody_reads() -> None:
    with pytest.raises(ConfigError) as caught:
        read_policy("".join(f"a{number}: 1\n" for number in range(9000)), "p.yaml")
    assert len(str(caught.value).splitlines()) == 21
    assert str(caught.value).endswith("\n(and 8980 more mistakes)")


numbers = st.integers() | st.floats(allow_nan=False) | st.sampled_from([0, 1, 1e-300, 1e300, 10**400, 86_400])
parts = st.fixed_dictionaries(
    {"replicas": st.fixed_dictionaries({"max": st.integers(1, 20_000)}, optional={"min": st.integers(0, 20)})},
    optional={
        "start_s": numbers,
        **{
            name: st.dictionaries(st.sampled_from([field.name for field in fields(part)]), numbers, max_size=3)
            for name, part in {"target": Target, "windows": Windows, "hysteresis": Hysteresis, "budget": Budget}.items()
        },
    },
)


@settings(max_examples=300, deadline=None)
@given(parts, st.integers(0, 20), st.floats(0, 1e9), st.floats(0, 1e6))
def test_whatever_is_accepted_can_be_followed(policy: dict[str, Any], replicas: int, load: float, rate: float) -> None:
    try:
        accepted = read_policy(yaml.safe_dump(policy))
    except ConfigError:
        return
    memory, now = Memory(), datetime(2026, 11, 10, 12, tzinfo=UTC)
    signals = Signals(replicas, replicas, load, load, load, 0.5, load, rate, 0.5)
    for second in range(3):
        scaling, memory = decide(signals, memory, accepted, now + timedelta(seconds=second))
        assert accepted.replicas.min <= scaling.replicas <= accepted.replicas.max


def test_a_text_without_end_is_not_read() -> None:
    with pytest.raises(ConfigError, match="more than 100000 characters"):
        read_policy("#" * 100_001, "p.yaml")


@pytest.mark.parametrize("part", [field.name for field in fields(ScalingPolicy)])
def test_no_field_may_be_null_that_has_a_value(part: str) -> None:
    with pytest.raises(ConfigError, match=rf"^policy:1: {part}: "):
        read_policy(f"{part}: null\n")
