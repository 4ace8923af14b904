"""`zerowait policy`: the policy goes to stdout, what there is to say to stderr, and nothing wrong is put in force."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from serve_app.cli import policy
from serve_app.domain.errors import ConfigError

GOOD = "replicas: {min: 2, max: 4}  # 大促\n"
WRONG = "replicas:\n  min: 5\n  max: 4\n"
REASON = "replicas.max: is less than replicas.min, which is 5"

runner = CliRunner()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZEROWAIT_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def written(folder: Path, text: str, name: str = "p.yaml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def done(*arguments: str) -> Result:
    result = runner.invoke(policy.app, list(arguments))
    assert result.exit_code == 0, (result.output, result.exception)
    return result


def refused(*arguments: str) -> str:
    result = runner.invoke(policy.app, list(arguments))
    assert isinstance(result.exception, ConfigError), result.output
    assert result.stdout == ""
    return str(result.exception)


def test_checking_changes_nothing(home: Path) -> None:
    assert done("check", written(home, GOOD)).stdout == ""
    path = written(home, WRONG)
    assert refused("check", path) == f"{path}:3: {REASON}"
    assert "cannot be read" in refused("check", str(home / "none.yaml"))
    assert not (home / "data").exists()


def test_before_the_first_edit(home: Path) -> None:
    shown = done("show")
    assert shown.stdout == ""
    assert "no policy is in force" in shown.stderr
    assert "zerowait policy apply" in done("show", "--history").stderr


def test_what_was_applied_is_shown_as_it_was_written(home: Path) -> None:
    applied = done("apply", written(home, GOOD), "--note", "双十一", "--by", "mei")
    assert applied.stdout == ""
    assert "version 1 is in force" in applied.stderr
    shown = done("show")
    assert shown.stdout == GOOD
    assert shown.stderr.startswith("version 1, applied 20")
    assert shown.stderr.endswith("by mei: 双十一\n")


def test_a_refused_edit_is_written_down_and_the_last_good_one_stays(home: Path) -> None:
    done("apply", written(home, GOOD), "--by", "mei")
    path = written(home, WRONG, "wrong.yaml")
    told = refused("apply", path, "--by", "lei")
    assert told.startswith(f"{path}:3: {REASON}\n")
    assert "version 2" in told
    assert done("show").stdout == GOOD
    newest, first = done("show", "--history").stdout.splitlines()
    assert newest.split("\t")[0] == "2"
    assert newest.split("\t")[2:] == ["lei", f"refused: {path}:3: {REASON}"]
    assert first.split("\t")[2:] == ["mei", "applied"]


ENGINE = "rooms: {inference: {%s}}"
SERVE_FILE = """applications:
- {name: gateway, import_path: "a:b", args: {role: gateway}}
- {name: engine, import_path: "a:b", args: {role: engine, record: {url: "sqlite+aiosqlite:///%s/engine.db"}, %s}}
"""


def test_a_policy_is_held_against_the_application_that_has_the_replicas(home: Path) -> None:
    def config(room: str) -> str:
        return written(home, SERVE_FILE % (home, ENGINE % room), "serve.yaml")

    path = written(home, GOOD)
    fixed = done("apply", path, "--config", config("replicas: 2")).stderr
    assert "serve.yaml fixes the number of replicas: without `rooms.inference.replicas_max` it follows no policy" in fixed
    cut = done("check", path, "--config", config("replicas_max: 3")).stderr
    assert "replicas.max is 4, but `rooms.inference.replicas_max` in" in cut
    assert len(done("apply", path, "--config", config("replicas_max: 4")).stderr.splitlines()) == 1
    assert (home / "engine.db").exists()
    assert done("show", "--config", config("replicas_max: 4")).stdout == GOOD
    assert done("show").stdout == ""


def test_an_occasion_that_is_over_is_told(home: Path) -> None:
    over = GOOD + "calendar: [{starts: 2025-11-11T00:00:00+08:00, ends: 2025-11-12T00:00:00+08:00, min: 3, note: 双十一}]\n"
    assert "the occasion 双十一 from 2025-11-11T00:00:00+08:00 is over" in done("check", written(home, over)).stderr


def test_what_nobody_could_have_written_is_not_kept_whole(home: Path) -> None:
    assert "more than 100000 characters" in refused("apply", written(home, "#" * 300_000))
    assert len(done("show", "--version", "1").stdout) < 100_100


def test_rolling_back_puts_an_earlier_one_in_force_as_a_new_one(home: Path) -> None:
    done("apply", written(home, GOOD))
    done("apply", written(home, "replicas: {max: 5}\n"))
    refused("apply", written(home, WRONG))
    assert "version 4, which is version 1 again" in done("rollback", "1").stderr
    assert done("show").stdout == GOOD
    assert done("show", "--version", "2").stdout == "replicas: {max: 5}\n"
    assert "was refused and never in force" in refused("rollback", "3")
    assert "no version 9" in refused("rollback", "9")
    assert "no version 9" in refused("show", "--version", "9")


@pytest.mark.parametrize("arguments", [["check"], ["apply"], ["rollback"], ["rollback", "one"], ["show", "--version", "0"]])
def test_wrong_usage_is_said(arguments: list[str]) -> None:
    result = runner.invoke(policy.app, arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error" in result.stderr


def test_as_it_is_typed(home: Path) -> None:
    command = [sys.executable, "-c", "from serve_app.cli import main; main()", "policy", "apply", written(home, WRONG)]
    ended = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env=os.environ | {"PYTHONUTF8": "1"}
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"zerowait: {home}/p.yaml:3: {REASON}\n")
    assert "Traceback" not in ended.stderr
