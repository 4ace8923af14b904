"""`zerowait knowledge aside`: what customers found wrong, for a person to look at."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_aside import SqlSetAsides
from serve_app.cli import knowledge
from serve_app.domain.aside import Complaint
from serve_app.domain.errors import Conflict, NotFound

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
WRONG = Complaint("0123456789abcdef", "能寄到\n南极吗", "可以。", "model", ("delivery-area",), "capable", True, NOW)
WORDING = replace(WRONG, id="entry.freight", question="运费?", source="faq", model=None, by_machine=False)
runner = CliRunner()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZEROWAIT_DATA_DIR", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*arguments: str) -> Result:
    return runner.invoke(knowledge.app, ["aside", *arguments])


def done(*arguments: str) -> Result:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result


def complain(home: Path, *complaints: Complaint) -> None:
    async def keep() -> None:
        engine = connect(f"sqlite+aiosqlite:///{home / 'record.db'}")
        await create_tables(engine)
        for one in complaints:
            await SqlSetAsides(engine).complain("demo", one)
        await engine.dispose()

    asyncio.run(keep())


def test_what_is_set_aside_is_listed_shown_and_decided(home: Path) -> None:
    assert "nothing is set aside" in done("list").stderr
    complain(home, WRONG, WRONG, WORDING)
    assert done("list").stdout.splitlines() == [
        "0123456789abcdef\taside\t2\t2026-11-22 12:00\tcapable\tdelivery-area\t能寄到 南极吗",
        "entry.freight\tlisted\t1\t2026-11-22 12:00\tfaq\tdelivery-area\t运费?",
    ]
    shown = done("show", WRONG.id).stdout
    assert "answer\t可以。" in shown
    assert "complaints\t2, 2026-11-22 12:00 to 2026-11-22 12:00" in shown

    dropped = done("drop", WRONG.id, "--by", "ann")
    assert (dropped.stdout, "stays out" in dropped.stderr) == ("", True)
    assert "by ann" in done("show", WRONG.id).stdout
    done("restore", WORDING.id)
    assert done("list").stdout == ""
    assert [line.split("\t")[1] for line in done("list", "--all").stdout.splitlines()] == ["dropped", "restored"]


def test_what_cannot_be_done_is_said(home: Path) -> None:
    complain(home, WORDING)
    assert isinstance(run("drop", WORDING.id).exception, Conflict)
    for command in ("show", "drop", "restore"):
        assert isinstance(run(command, "unknown").exception, NotFound)
