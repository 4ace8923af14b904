"""`zerowait desk`: a conversation found, read, taken, answered and closed from a terminal."""

from __future__ import annotations

import asyncio
import json
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_outbox import SqlOutbox
from serve_app.adapters.sql_tickets import SqlTickets
from serve_app.answering.desk_work import Opened
from serve_app.cli import desk
from serve_app.domain.errors import Conflict, InvalidField, NotFound
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Conversation
from serve_app.domain.packet import Line, Packet, Tried
from serve_app.domain.tickets import Author, Ticket
from tests.postgres import free_port

runner = CliRunner()
NOW = datetime.now(UTC)
PACKET = Packet(
    "客户问了 1 次。",
    Intent.PARCEL,
    "annoyed",
    ("ZW1",),
    (Tried("template", (), "handoff"),),
    (Line("m1", Author.CUSTOMER, "到哪了\n快点", NOW),),
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZEROWAIT_DATA_DIR", str(tmp_path))
    # Nothing listens there: the packet is shown as it was kept.
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
    return tmp_path


def opened(home: Path, *customers: str | None, hooked: bool = False) -> list[str]:
    async def make() -> list[str]:
        engine = connect(f"sqlite+aiosqlite:///{home / 'record.db'}")
        await create_tables(engine)
        tickets = SqlTickets(engine, ["demo"] if hooked else [])
        ids: list[str] = []
        for number, customer in enumerate(customers):
            at = datetime.now(UTC) - timedelta(minutes=10 - number)
            ticket = Ticket(f"tkt_{number}", "demo", f"s{number}", customer, "zh", Conversation.QUEUED, ("转人工",), at, 0)
            ids.append((await tickets.open(ticket, PACKET))[0].id)
        if hooked:
            outbox = SqlOutbox(engine)
            for notice in await outbox.take("demo", datetime.now(UTC), 60):
                await outbox.failed(notice.id, "HTTP 500", None)
        await engine.dispose()
        return ids

    return asyncio.run(make())


def test_a_conversation_from_the_queue_to_its_end(home: Path) -> None:
    first, second = opened(home, "C1001", None)
    listed = runner.invoke(desk.app, ["list"])
    assert listed.exit_code == 0, listed.output
    lines = listed.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["ticket", first, second]
    assert "10 min" in lines[1]
    shown = runner.invoke(desk.app, ["show", first])
    for words in ("annoyed", "ZW1", "到哪了", "快点", "客户问了 1 次。", "parcel"):
        assert words in shown.stdout
    replied = runner.invoke(desk.app, ["reply", first, "您好,我来看看。", "--name", "小王"])
    assert (replied.exit_code, replied.stdout) == (0, "")
    assert "小王" in replied.stderr
    assert "您好,我来看看。" in runner.invoke(desk.app, ["show", first]).stdout
    assert isinstance(runner.invoke(desk.app, ["claim", first]).exception, Conflict)
    closed = runner.invoke(desk.app, ["close", first, "--note", "已退款"])
    assert closed.exit_code == 0
    assert first not in runner.invoke(desk.app, ["list"]).stdout
    everything = runner.invoke(desk.app, ["list", "--all", "--json"])
    assert {ticket["ticket_id"]: ticket["state"] for ticket in json.loads(everything.stdout)} == {
        first: "closed",
        second: "queued",
    }
    assert json.loads(runner.invoke(desk.app, ["show", first, "--json"]).stdout)["note"] == "已退款"


def test_columns_are_aligned_under_chinese_names(home: Path) -> None:
    first, _ = opened(home, "C1001", "顾客二号")
    runner.invoke(desk.app, ["claim", first, "--name", "客服小王"])
    heads, *rows = runner.invoke(desk.app, ["list"]).stdout.splitlines()
    column = heads.index("why")
    for row in rows:
        before = row[: row.index("转人工")]
        assert sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in before) == column


def test_nobody_waits(home: Path) -> None:
    listed = runner.invoke(desk.app, ["list"])
    assert (listed.exit_code, listed.stdout) == (0, "")
    assert "nobody waits" in listed.stderr


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (["claim", "tkt_9"], NotFound, "tkt_9"),
        (["show", "tkt_9"], NotFound, "tkt_9"),
        (["reply", "tkt_0", "  "], InvalidField, "no text"),
        (["reply", "tkt_0", "a" * 4001], InvalidField, "4000"),
        (["claim", "tkt_0", "--name", "n" * 65], InvalidField, "64"),
        (["reply", "tkt_0", "a\x1b[2J"], InvalidField, "control"),
    ],
)
def test_what_is_wrong_is_said(home: Path, arguments: list[str], error: type[Exception], words: str) -> None:
    opened(home, "C1")
    exception = runner.invoke(desk.app, arguments).exception
    assert isinstance(exception, error)
    assert words in str(exception)


def test_notices_that_were_given_up_are_seen(home: Path) -> None:
    opened(home, "C1", "C2", hooked=True)
    assert "2 notices of the last week could not be delivered" in runner.invoke(desk.app, ["list"]).stderr


def test_that_there_are_more_is_said(home: Path) -> None:
    ids = opened(home, "C1", "C2", "C3")
    some = runner.invoke(desk.app, ["list", "--limit", "2"])
    assert [line.split()[0] for line in some.stdout.splitlines()[1:]] == ids[:2]
    assert "more than these 2" in some.stderr
    assert "more" not in runner.invoke(desk.app, ["list", "--limit", "3"]).stderr
    newest = runner.invoke(desk.app, ["list", "--limit", "2", "--all"])
    assert [line.split()[0] for line in newest.stdout.splitlines()[1:]] == ids[1:]


def test_what_customers_wrote_does_not_steer_the_terminal() -> None:
    evil = "\x1b[2J\u202ehi\x07\nthere"
    at = NOW - timedelta(minutes=1)
    ticket = Ticket("tkt_0", "demo", "s", "C1", "zh", Conversation.QUEUED, (evil,), at, 0, agent=evil)
    packet = replace(PACKET, summary=evil, transcript=(Line("m", Author.CUSTOMER, evil, at, evil),))
    for line in (*desk.table([ticket], NOW, "UTC"), *desk.page(Opened(ticket, packet), "UTC")):
        assert line.isprintable()


def test_nobodys_words_are_lost_between_two_terminals(home: Path) -> None:
    (ticket_id,) = opened(home, "C1")
    for text in ("一", "二", "三"):
        assert runner.invoke(desk.app, ["reply", ticket_id, text]).exit_code == 0
    transcript = json.loads(runner.invoke(desk.app, ["show", ticket_id, "--json"]).stdout)["packet"]["transcript"]
    assert [line["text"] for line in transcript if line["from"] == "agent"] == ["一", "二", "三"]
    assert {line["name"] for line in transcript if line["from"] == "agent"} == {"客服"}
