"""`zerowait knowledge pregenerate|pregenerated|publish`, with a record and no server: its part is played by the test."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_jobs import SqlJobs
from serve_app.adapters.sql_question_log import SqlQuestionLog
from serve_app.cli import knowledge, knowledge_pregenerate, knowledge_record
from serve_app.domain.errors import ConfigError, Conflict, NotFound
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Passage, SourceVersion
from serve_app.domain.messages import Kind, Language
from serve_app.domain.pregeneration import Job, entry_of
from serve_app.domain.question_log import Asked
from serve_app.first_questions import make_understander
from serve_app.pregeneration import watching

T = TypeVar("T")
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
HEAD = "id,language,questions,answer\n"
CAPABLE = "model: {path: Qwen/Qwen3-32B-FP8}\n"
runner = CliRunner()
_understander = cache(make_understander)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZEROWAIT_DATA_DIR", str(tmp_path / "home"))
    monkeypatch.setattr(watching, "NOBODY_S", 0.0)
    # Each command would train a classifier of its own.
    monkeypatch.setattr(knowledge_record, "make_understander", _understander)
    (tmp_path / "capable.yaml").write_text(CAPABLE)
    return tmp_path


def run(home: Path, *arguments: str | Path, config: str = "capable.yaml") -> Result:
    with_config = ["--config", str(home / config)] if config else []
    return runner.invoke(knowledge.app, [*map(str, arguments), *with_config])


def done(home: Path, *arguments: str | Path) -> Result:
    result = run(home, *arguments)
    assert result.exit_code == 0, result.output
    return result


def in_record(home: Path, call: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    async def work() -> T:
        engine = connect(f"sqlite+aiosqlite:///{home / 'home' / 'record.db'}")
        try:
            await create_tables(engine)
            return await call(engine)
        finally:
            await engine.dispose()

    return asyncio.run(work())


def asked(home: Path, text: str, language: Language = "zh", count: int = 3, sources: tuple[str, ...] = ()) -> None:
    one = Asked("demo", Kind.PUBLIC, language, text, text, Intent.OTHER, "model", sources, NOW, NOW, count)
    in_record(home, lambda engine: SqlQuestionLog(engine).add([one]))


def serve(home: Path, questions: dict[Language, str], answers: dict[Language, str], failure: str = "") -> list[Job]:
    """Makes all that waits, as a server would."""

    async def make(engine: AsyncEngine) -> list[Job]:
        jobs = SqlJobs(engine)
        taken = list(await jobs.take(["demo"], datetime.now(UTC), 60, 99))
        for job in taken:
            if failure:
                await jobs.fail(job, failure, None)
            else:
                passage = Passage(SourceVersion("freight", 1), "运费", "您出")
                entry = entry_of(job, questions, answers, [passage])
                await jobs.make(job, entry, "capable", "" if "en" in answers else "en is missing", NOW)
        return taken

    return in_record(home, make)


def publish_freight(home: Path, answer: str) -> None:
    (home / "faq.csv").write_text(f"{HEAD}freight,zh,运费谁出呢,{answer}\nfreight,en,Who pays freight here,{answer}\n")
    done(home, "import", home / "faq.csv")
    done(home, "publish")


def test_a_model_that_may_answer_nothing_is_refused_and_the_way_out_is_said(home: Path) -> None:
    error = run(home, "pregenerate", config="").exception
    assert isinstance(error, Conflict)
    assert "may answer no question about the shop" in error.message
    assert "model.path" in error.message


def test_from_the_log_to_the_shop_by_way_of_a_person(home: Path) -> None:
    publish_freight(home, "您出")
    assert "nothing to make" in done(home, "pregenerate").stderr
    asked(home, "谁出运费")
    alone = run(home, "pregenerate")
    assert (alone.exit_code, alone.stdout) == (1, "")
    assert "no running server has taken any of the 1 jobs" in alone.stderr
    (job,) = serve(home, {"zh": "谁出运费"}, {"zh": "您出。"})
    assert "1 of 1 made" in done(home, "pregenerate").stderr
    assert done(home, "pregenerated", "list").stdout == f"{job.id}\tmade\t3\tzh\t谁出运费\ten is missing\n"
    shown = done(home, "pregenerated", "show", job.id)
    assert "answer: 您出。" in shown.stdout
    assert "freight: 1" in shown.stdout
    refused = run(home, "pregenerated", "accept", job.id).exception
    assert isinstance(refused, Conflict)
    assert "--question-en" in refused.message
    done(home, "pregenerated", "edit", job.id, "--question-en", "who pays it", "--answer-en", "You do.")
    done(home, "pregenerated", "accept", job.id, "--by", "ann")
    assert isinstance(run(home, "pregenerated", "reject", job.id).exception, Conflict)
    assert f"+ entry {job.item_id}" in done(home, "diff").stdout
    done(home, "publish")
    assert job.item_id in done(home, "list").stdout

    publish_freight(home, "店铺出")
    (home / "other.csv").write_text(f"{HEAD}other,zh,别的,好\nother,en,other,ok\n")
    assert f"{job.item_id} was made of freight" in done(home, "import", home / "other.csv").stderr
    assert "1 of 1 made" not in run(home, "pregenerate").stderr, "it is to be made again"
    done(home, "pregenerated", "confirm", job.item_id)
    assert "was made of" not in done(home, "publish").stderr
    assert isinstance(run(home, "pregenerated", "confirm", "freight").exception, Conflict)


def test_ctrl_c_ends_the_watching_and_not_the_work(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_freight(home, "您出")
    asked(home, "谁出运费")

    async def interrupted(*_arguments: object, **_more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(knowledge_pregenerate, "watched", interrupted)
        stopped = run(home, "pregenerate")
    assert stopped.exit_code == 130
    assert "what waits is made all the same" in stopped.stderr
    (job,) = serve(home, {"zh": "谁出运费"}, {"zh": "您出"})
    assert "1 of 1 made" in done(home, "pregenerate").stderr
    assert serve(home, {}, {}) == []
    assert job.id in done(home, "pregenerated", "list").stdout


def test_a_failed_job_is_listed_with_its_reason_and_tried_again_when_asked(home: Path) -> None:
    asked(home, "谁出运费")
    run(home, "pregenerate")
    (job,) = serve(home, {}, {}, failure="a figure that stands in no source")
    failed = done(home, "pregenerate")
    assert "0 of 1 made, 1 failed" in failed.stderr
    assert "list --failed" in failed.stderr
    assert "a figure that stands in no source" in done(home, "pregenerated", "list", "--failed").stdout
    assert run(home, "pregenerate", "--failed").exit_code == 1
    assert [one.id for one in serve(home, {"zh": "谁出运费"}, {"zh": "您出"})] == [job.id]


def test_a_file_takes_the_place_of_what_was_made(home: Path) -> None:
    asked(home, "谁出运费")
    run(home, "pregenerate")
    (job,) = serve(home, {"zh": "谁出运费", "en": "who pays"}, {"zh": "您出", "en": "You do."})
    text = done(home, "pregenerated", "show", job.id).stdout
    (home / "mine.yaml").write_text(text.replace("You do.", "You pay."))
    done(home, "pregenerated", "edit", job.id, "--file", home / "mine.yaml")
    assert "You pay." in done(home, "pregenerated", "show", job.id).stdout
    assert isinstance(run(home, "pregenerated", "edit", job.id).exception, ConfigError)
    assert isinstance(run(home, "pregenerated", "edit", job.id, "--file", home / "none.yaml").exception, ConfigError)
    (home / "two.yaml").write_text(text + text.replace(job.item_id, "another"))
    assert isinstance(run(home, "pregenerated", "edit", job.id, "--file", home / "two.yaml").exception, ConfigError)
    assert isinstance(run(home, "pregenerated", "show", "pre_none").exception, NotFound)
    done(home, "pregenerated", "reject", job.id)
    assert "nothing is there" in done(home, "pregenerated", "list").stderr
    assert "rejected" in done(home, "pregenerated", "list", "--all").stdout


def test_publishing_says_when_nobody_makes_answers_and_publishes_all_the_same(home: Path) -> None:
    publish_freight(home, "您出")
    asked(home, "谁出运费", sources=("freight",))
    (home / "new.csv").write_text(f"{HEAD}freight,zh,运费谁出呢,店铺出\n")
    done(home, "import", home / "new.csv")
    told = done(home, "publish").stderr
    assert "making 1 of the most asked answers anew" in told
    assert "no running server makes answers" in told
    assert "published as version 2" in told
    (home / "new.csv").write_text(f"{HEAD}freight,zh,运费谁出呢,都不出\n")
    done(home, "import", home / "new.csv")
    assert "making" not in done(home, "publish", "--now").stderr
