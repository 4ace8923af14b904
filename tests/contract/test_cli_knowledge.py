"""`zerowait knowledge`: what was asked for is all that stdout gets; the rest is on stderr."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_feedback import SqlRatings
from serve_app.adapters.sql_proposals import SqlProposals
from serve_app.cli import knowledge
from serve_app.domain.errors import ConfigError, Conflict, InternalError, NotFound, ZeroWaitError
from serve_app.domain.feedback import Feedback
from serve_app.domain.proposals import Variant, proposal_id

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
HEAD = "id,language,questions,answer\n"
EXAMPLES = Path(__file__).parents[2] / "examples" / "knowledge"
runner = CliRunner()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZEROWAIT_DATA_DIR", str(tmp_path / "home"))
    return tmp_path


def run(*arguments: str | Path) -> Result:
    return runner.invoke(knowledge.app, list(map(str, arguments)))


def done(*arguments: str | Path) -> Result:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result


def refused(*arguments: str | Path) -> InternalError | ZeroWaitError:
    error = run(*arguments).exception
    assert isinstance(error, InternalError | ZeroWaitError)
    return error


def test_from_a_file_to_the_shop_and_back(home: Path) -> None:
    taken = done("import", EXAMPLES)
    assert taken.stdout == ""
    assert "3 added, 0 changed, 0 withdrawn" in taken.stderr
    compared = done("diff")
    assert "+ entry engraving" in compared.stdout
    assert "    questions.zh + 可以刻字吗" in compared.stdout
    assert "version 0" in compared.stderr
    published = done("publish", "--note", "first", "--by", "ann")
    assert published.stdout == ""
    told = published.stderr.splitlines()
    steps = ("checking 3 entries and 0 templates", "publishing", "published as version 1", "looking for new questions")
    places = [next(at for at, line in enumerate(told) if line.startswith(step)) for step in steps]
    assert places == sorted(places), "each step is told before it is taken"
    assert "published as version 1: 3 added" in published.stderr
    assert "no template is published" in published.stderr
    assert [line.split("\t")[0] for line in done("list").stdout.splitlines()] == [
        "engraving",
        "greeting-card",
        "new-year-opening",
    ]

    more = home / "more.csv"
    more.write_text(HEAD + "engraving,zh,可以刻字吗,不可以。\n")
    done("import", more, "--replace", "--by", "bob")
    assert "~ entry engraving" in done("diff").stdout
    assert "- entry greeting-card" in done("diff").stdout
    assert "greeting-card" not in done("list", "--draft").stdout
    done("publish", "--by", "bob")
    done("rollback", "--by", "ann")
    lines = [line.split("\t") for line in done("history").stdout.splitlines()]
    assert [(line[0], line[2], line[3], line[4]) for line in lines] == [
        ("3", "3 entries", "+2 ~1 -0", "ann"),
        ("2", "1 entry", "+0 ~1 -2", "bob"),
        ("1", "3 entries", "+3 ~0 -0", "ann"),
    ]
    assert (lines[0][5], lines[2][5]) == ("rollback to version 1", "first")
    assert done("history", "--limit", "1").stdout.count("\n") == 1


def test_a_bad_row_is_named_and_nothing_is_taken(home: Path) -> None:
    bad = home / "bad.csv"
    bad.write_text(HEAD + "a,zh,问,答\na,en,q\n")
    error = refused("import", bad)
    assert str(error) == "bad.csv:3: answer must not be empty"
    assert "there is no draft" in done("diff").stderr
    assert isinstance(refused("import", home / "none.csv"), ConfigError)
    (home / "empty.csv").write_text(HEAD)
    assert "nothing to import" in str(refused("import", home / "empty.csv"))


@pytest.mark.parametrize(("target", "form"), [("out.csv", "csv"), ("folder", "yaml")])
def test_what_is_exported_is_imported_without_a_change(home: Path, target: str, form: str) -> None:
    done("import", EXAMPLES)
    done("publish")
    written = done("export", home / target)
    assert written.stdout == ""
    assert "wrote 3 entries" in written.stderr
    assert "there is no draft" in done("import", home / target, "--replace").stderr
    shown = done("export", "--format", form).stdout
    assert ("engraving,zh" if form == "csv" else "- id: engraving") in shown
    assert isinstance(refused("export", home / "out.txt"), ConfigError)
    assert isinstance(refused("export", "--draft", "--version", "1"), ConfigError)


def test_one_entry_is_withdrawn() -> None:
    done("import", EXAMPLES)
    done("publish")
    assert "0 added, 0 changed, 1 withdrawn" in done("withdraw", "engraving").stderr
    assert "- entry engraving" in done("diff").stdout
    assert isinstance(refused("withdraw", "engraving"), NotFound)


def test_a_question_that_takes_a_templates_place_is_told_before_and_after(home: Path) -> None:
    (home / "parcel.csv").write_text(HEAD + "late,zh,我的快递到哪了,会到的。\nlate,en,is my hat party late,It comes.\n")
    for command in (("import", home / "parcel.csv"), ("diff",), ("publish",)):
        assert "look again: late answers everybody's '我的快递到哪了': it is understood as being about" in done(*command).stderr


def test_packaged_templates_come_with_a_shops_own_figures(home: Path) -> None:
    (home / "policies.yaml").write_text("return_days: {unit: days, value: 7}")
    assert "there is no policy" in str(refused("import", home / "policies.yaml", "--packaged-templates"))


def test_what_cannot_be_done_says_what_to_do() -> None:
    assert isinstance(refused("publish"), Conflict)
    assert isinstance(refused("rebase"), Conflict)
    assert isinstance(refused("rollback"), NotFound)
    assert isinstance(refused("list", "--version", "9"), NotFound)
    assert "no draft" in done("discard").stderr
    assert "no entries" in done("list").stderr


def test_proposals_are_listed_accepted_and_rejected(home: Path) -> None:
    done("import", EXAMPLES)
    done("publish")
    assert "nothing is proposed" in done("proposals").stderr
    good, bad = Variant("engraving", "zh", "刻个名儿成不"), Variant("engraving", "en", "blah blah")
    asyncio.run(_keep(home, good, bad))
    assert set(done("proposals").stdout.splitlines()) == {
        f"{proposal_id(good)}\t1\tengraving\tzh\t刻个名儿成不",
        f"{proposal_id(bad)}\t1\tengraving\ten\tblah blah",
    }
    decided = done("proposals", "--accept", proposal_id(good), "--reject", proposal_id(bad))
    assert decided.stdout == ""
    assert done("proposals").stdout == ""
    assert "    questions.zh + 刻个名儿成不" in done("diff").stdout


def test_feedback_is_listed_in_the_shops_time(home: Path) -> None:
    assert "no feedback" in done("feedback").stderr
    asyncio.run(_keep(home))
    assert done("feedback").stdout == "2026-11-22 12:00\tdown\tfaq\tengraving\t刻字 多少钱\t没说 价钱\n"


async def _keep(home: Path, *variants: Variant) -> None:
    engine = connect(f"sqlite+aiosqlite:///{home / 'home' / 'record.db'}")
    try:
        await create_tables(engine)
        for variant in variants:
            await SqlProposals(engine).keep("demo", variant, NOW)
        given = Feedback("answer", "s", "a", "down", "没说\n价钱", "刻字\t多少钱", "faq", ("engraving",), NOW)
        await SqlRatings(engine).keep("demo", given)
    finally:
        await engine.dispose()
