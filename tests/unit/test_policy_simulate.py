"""`zerowait policy simulate`: a table, totals, and clear words for a bad trace."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from serve_app.cli import build
from serve_app.domain.errors import ConfigError

POLICY = """
replicas: {min: 1, max: 10}
target: {streams: 75, answers_per_s: 25}
calendar:
- {starts: 2026-11-11T00:00:00+08:00, ends: 2026-11-11T01:00:00+08:00, min: 9}
"""


class Simulated:
    def __init__(self, result: Result) -> None:
        assert result.exit_code == 0, result.output
        lines = result.stdout.splitlines()
        end = lines.index("")
        self.heading = lines[0].split("\t")
        self.rows = [dict(zip(self.heading, line.split("\t"), strict=True)) for line in lines[1:end]]
        self.totals = {line.split()[0]: line.split()[1] for line in lines[end + 1 :]}
        self.stderr = result.stderr


def invoke(tmp_path: Path, trace: str, *options: str, name: str = "trace.csv") -> Result:
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / name).write_text(trace)
    arguments = ["policy", "simulate", str(tmp_path / "policy.yaml"), "--trace", str(tmp_path / name), *options]
    return CliRunner().invoke(build(arguments), arguments)


CSV = "second,questions_per_s,hit_rate\n0,50,0.5\n600,300,0.5\n1200,300,0.5\n"
JSON = '{"second": 0, "questions_per_s": 50, "hit_rate": 0.5}\n\n{"second": 600, "questions_per_s": 50}\n'


def test_a_row_for_each_minute_and_totals(tmp_path: Path) -> None:
    told = Simulated(invoke(tmp_path, CSV, "--price", "2"))
    assert len(told.rows) == 30
    assert told.rows[0]["time"] == "1970-01-01T00:00+00:00"
    assert told.rows[0]["model/s"] == "25.0"
    assert int(told.rows[-1]["wanted"]) >= 6
    assert told.rows[0]["why"] == "load"
    assert 0 < float(told.totals["attainment"]) < 1
    assert float(told.totals["cost"]) == pytest.approx(2 * float(told.totals["gpu_hours"]), abs=0.2)
    assert sum(float(row["gpu_hours"]) for row in told.rows) == pytest.approx(float(told.totals["gpu_hours"]), abs=0.2)


def test_rows_may_stand_for_more_minutes(tmp_path: Path) -> None:
    assert len(Simulated(invoke(tmp_path, CSV, "--every", "10")).rows) == 3


def test_the_calendar_is_followed_when_the_trace_says_when_it_begins(tmp_path: Path) -> None:
    told = Simulated(invoke(tmp_path, CSV, "--from", "2026-11-10T23:50:00+08:00"))
    assert told.rows[10]["time"] == "2026-11-11T00:00+08:00"
    assert (told.rows[10]["replicas"], told.rows[10]["why"]) == ("9.00", "calendar")


def test_a_calendar_outside_the_trace_is_told(tmp_path: Path) -> None:
    assert "1 of 1 occasions" in Simulated(invoke(tmp_path, CSV)).stderr


def test_json_lines_hold_the_same(tmp_path: Path) -> None:
    told = Simulated(invoke(tmp_path, JSON, name="trace.jsonl"))
    assert [told.rows[0]["model/s"], told.rows[-1]["model/s"]] == ["25.0", "50.0"]


@pytest.mark.parametrize(
    ("trace", "reason"),
    [
        ("", "trace.csv:1: the heading lacks second and questions_per_s"),
        ("second,hit_rate\n0,1\n", "trace.csv:1: the heading lacks questions_per_s"),
        ("second,questions_per_s,hit_rate\n", "there is no row"),
        ("second,questions_per_s,hit_rate\n0,many,0.5\n", "trace.csv:2: questions_per_s: 'many' is not a number"),
        ("second,questions_per_s,hit_rate\n0,nan,0.5\n", "trace.csv:2: questions_per_s: 'nan' is not a number"),
        ("second,questions_per_s,hit_rate\n0,-1,0.5\n", "trace.csv:2: questions_per_s: must be at least 0"),
        ("second,questions_per_s,hit_rate\n0,1,65\n", "trace.csv:2: hit_rate: must be from 0 to 1"),
        ("second,questions_per_s,hit_rate\n0,1,0\n0,1,0\n", "trace.csv:3: second: 0 does not come after 0"),
        ("second,questions_per_s,hit_rate\n0.5,1,0\n", "trace.csv:2: second: must be a whole number"),
        ("second,questions_per_s,hit_rate\n,1,0\n", "trace.csv:2: second: must be given"),
        ("second,questions_per_s,hit_rate\n0,1,0,5\n", "trace.csv:2: there are more values than in the heading"),
        ("second,questions_per_s,hit_rate\n0,1,0\n9999999,1,0\n", "trace.csv:3: second: at most 62 days"),
        ("second,questions_per_s\n1794355200000,1\n", "trace.csv: second: 1794355200000 is no instant; count in seconds, not"),
        ("second,questions_per_s\n-1e18,1\n", "trace.csv: second: -1000000000000000000 is no instant"),
        (f"second,questions_per_s\n0,{'1' * 200_000}\n", "trace.csv:2: this is not CSV: field larger than"),
        ('second,questions_per_s\n0,"5\n', "trace.csv:2: this is not CSV: unexpected end of data"),
        ("second;questions_per_s\n0;5\n", "trace.csv:1: the heading lacks second and questions_per_s"),
    ],
)
def test_a_bad_trace_is_told_with_its_line(tmp_path: Path, trace: str, reason: str) -> None:
    result = invoke(tmp_path, trace)
    assert isinstance(result.exception, ConfigError)
    assert reason in str(result.exception)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "this is not JSON"),
        ("[" * 100_000, "this is not JSON"),
        ("[1]", "write an object"),
        ("{}", "second: must be given"),
        (f'{{"second": 900, "questions_per_s": 1{"0" * 400}}}', "questions_per_s: 1000"),
        ('{"second": [], "questions_per_s": 1}', "second: [] is not a number"),
    ],
)
def test_bad_json_lines_are_told_too(tmp_path: Path, line: str, reason: str) -> None:
    result = invoke(tmp_path, JSON + line, name="trace.jsonl")
    assert isinstance(result.exception, ConfigError)
    assert "trace.jsonl:4: " in str(result.exception)
    assert reason in str(result.exception)


@pytest.mark.parametrize(("trace", "name"), [(CSV, "trace.csv"), (JSON, "trace.jsonl")])
def test_a_trace_may_be_as_windows_writes_it(tmp_path: Path, trace: str, name: str) -> None:
    plain = invoke(tmp_path, trace, name=name)
    assert invoke(tmp_path, "\ufeff" + trace.replace("\n", "\r\n"), name=name).stdout == plain.stdout


def test_what_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "trace.csv").write_bytes(b"\x80\x81")
    (tmp_path / "policy.yaml").write_text(POLICY)
    arguments = ["policy", "simulate", str(tmp_path / "policy.yaml"), "--trace", str(tmp_path / "trace.csv")]
    result = CliRunner().invoke(build(arguments), arguments)
    assert "trace.csv: this is not text in UTF-8: invalid start byte at byte 0" in str(result.exception)


@pytest.mark.parametrize("instant", ["9999-12-31T23:00:00-08:00", "0001-01-01T00:00:00+08:00"])
def test_an_instant_at_the_calendars_end_is_told(tmp_path: Path, instant: str) -> None:
    result = invoke(tmp_path, CSV, "--from", instant)
    assert isinstance(result.exception, ConfigError)


@pytest.mark.parametrize("instant", ["yesterday", "2026-11-10T00:00:00"])
def test_an_instant_without_its_offset_is_refused(tmp_path: Path, instant: str) -> None:
    result = invoke(tmp_path, CSV, "--from", instant)
    assert isinstance(result.exception, ConfigError)
    assert "offset" in str(result.exception)
