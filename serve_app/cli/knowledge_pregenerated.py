"""`zerowait knowledge pregenerated`: what a model made, for a person to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serve_app.adapters.knowledge_file import read_file
from serve_app.adapters.yaml_knowledge import yaml_of
from serve_app.cli.console import By, row, say, who
from serve_app.cli.key import ConfigFile, chosen_tenant, read_config
from serve_app.cli.knowledge_record import Parts, Tenant, edit, in_record
from serve_app.domain.errors import ConfigError
from serve_app.domain.knowledge import Entry, Template
from serve_app.domain.messages import Language
from serve_app.domain.pregeneration import Job, JobState
from serve_app.domain.publication import Publication

app = typer.Typer(
    no_args_is_help=True,
    help="What `zerowait knowledge pregenerate` let a model make. Nothing of it is said to customers before a person has "
    "accepted it into the draft and published that.",
)

Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="As `list` shows them.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")]


@app.command("list")
def list_(
    failed: Annotated[bool, typer.Option("--failed", help="Those that failed, and why.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also those that wait, and those that somebody decided.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, the most often asked first.")] = 50,
    tenant: Tenant = None,
    config: ConfigFile = None,
) -> None:
    """List what waits for a person: id, state, times asked, language, question or intent, what is wrong with it."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    states: list[JobState] = ["failed"] if failed else ["made"]
    if everything:
        states = ["waiting", "made", "failed", "accepted", "rejected"]
    found = in_record(settings, lambda parts: parts.pregeneration.reviewing.list(owner, states, limit))
    for job in found:
        row(job.id, job.state, str(job.count), job.language, job.text or f"template {job.intent}", job.reason or "-")
    if not found:
        say("nothing is there: `zerowait knowledge pregenerate` makes it")


@app.command()
def show(job_id: Id, tenant: Tenant = None, config: ConfigFile = None) -> None:
    """Show one as YAML, as `edit --file` reads it back."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    job = in_record(settings, lambda parts: parts.pregeneration.reviewing.find(owner, job_id))
    said_by = f", made by {job.model}" if job.model else ""
    say(f"{job.id}: {job.state}, asked {job.count} times{said_by}{f'; {job.reason}' if job.reason else ''}")
    if job.made is not None:
        typer.echo(_yaml(job), nl=False)


@app.command("edit")
def edit_(
    job_id: Id,
    question_zh: Annotated[str | None, typer.Option(help="The question in Chinese.")] = None,
    question_en: Annotated[str | None, typer.Option(help="The question in English.")] = None,
    answer_zh: Annotated[str | None, typer.Option(help="The answer in Chinese.")] = None,
    answer_en: Annotated[str | None, typer.Option(help="The answer in English.")] = None,
    file: Annotated[Path | None, typer.Option(help="A YAML file that holds the one entry or template.")] = None,
    tenant: Tenant = None,
    config: ConfigFile = None,
) -> None:
    """Put your words in the place of the model's."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    questions, answers = _given(question_zh, question_en), _given(answer_zh, answer_en)
    if (file is None) == (not questions and not answers):
        raise ConfigError("write --file, or at least one of --question-zh, --question-en, --answer-zh, --answer-en")

    async def change(parts: Parts) -> Job:
        reviewing = parts.pregeneration.reviewing
        if file is None:
            return await reviewing.edit(owner, job_id, questions, answers)
        job = await reviewing.find(owner, job_id)
        return await reviewing.replace(owner, job_id, _item(file, job, settings.tenants[owner].shop.time_zone))

    in_record(settings, change)
    say(f"{job_id} is changed; `zerowait knowledge pregenerated accept {job_id}` takes it into the draft")


@app.command()
def accept(ids: Ids, tenant: Tenant = None, by: By = None, config: ConfigFile = None) -> None:
    """Take them into the draft; `zerowait knowledge publish` makes it live."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)

    async def decide(parts: Parts) -> None:
        for one in ids:
            item = await parts.pregeneration.reviewing.accept(owner, one, by=who(by))
            say(f"{one} is in the draft, as {item.id}")

    in_record(settings, decide)


@app.command()
def reject(ids: Ids, tenant: Tenant = None, by: By = None, config: ConfigFile = None) -> None:
    """Do not show them again, unless their sources change."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)

    async def decide(parts: Parts) -> None:
        for one in ids:
            await parts.pregeneration.reviewing.reject(owner, one, by=who(by))
            say(f"{one} is rejected")

    in_record(settings, decide)


@app.command()
def confirm(
    entries: Annotated[list[str], typer.Argument(metavar="ENTRY...", help="Ids of entries, as `knowledge list` shows them.")],
    tenant: Tenant = None,
    by: By = None,
    config: ConfigFile = None,
) -> None:
    """Say that entries are right although what they were made of has changed; the next publication answers with them again."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    edit(settings, lambda editor: editor.confirm(owner, entries, by=who(by)))
    say(f"{', '.join(entries)}: confirmed in the draft; `zerowait knowledge publish` makes it live")


def _given(zh: str | None, en: str | None) -> dict[Language, str]:
    said: dict[Language, str | None] = {"zh": zh, "en": en}
    return {language: text.strip() for language, text in said.items() if text is not None and text.strip()}


def _yaml(job: Job) -> str:
    made = job.made
    if isinstance(made, Entry):
        return yaml_of(Publication(entries=(made,)))["entries.yaml"]
    return yaml_of(Publication(templates=(made,)))["templates.yaml"] if isinstance(made, Template) else ""


def _item(path: Path, job: Job, time_zone: str) -> Entry | Template:
    """Raises ConfigError."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    name = "templates.yaml" if job.kind == "template" else "entry.yaml"
    found = read_file(name, raw, time_zone).publication()
    items = (*found.entries, *found.templates)
    if len(items) != 1:
        raise ConfigError(f"{path}: write the one item that `zerowait knowledge pregenerated show {job.id}` shows")
    return items[0]
