"""The command line: help for everything, one line for every error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serve_app.cli import COMMANDS, build


def zerowait(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from serve_app.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_help_lists_every_command() -> None:
    text = CliRunner().invoke(build([]), ["--help"]).output
    for name in COMMANDS:
        assert f"  {name} " in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    result = CliRunner().invoke(build([name]), [name, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_help_imports_no_command() -> None:
    code = "import sys; from serve_app.cli import build; build([]); print('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_our_errors_are_one_line_and_no_traceback(tmp_path: Path) -> None:
    done = zerowait("run", "--config", str(tmp_path / "missing.yaml"))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"zerowait: {tmp_path / 'missing.yaml'} cannot be read: No such file or directory\n"


def test_a_mistake_in_the_configuration_names_file_line_and_field(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("limits:\n  question_chars: many\n")
    done = zerowait("run", "--config", str(path))
    assert done.returncode == 1
    assert done.stderr.startswith(f"zerowait: {path}:2: limits.question_chars: ")
