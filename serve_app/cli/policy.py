"""`zerowait policy`: how many replicas the model has, and why. The policy goes to stdout, all else to stderr."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_scaling import SqlScaling
from serve_app.cli.console import By, row, say, who
from serve_app.cli.key import ConfigFile, read_config
from serve_app.cli.policy_simulate import HELP, simulate_policy
from serve_app.config import Config
from serve_app.domain.errors import ConfigError, NotFound
from serve_app.domain.scaling_policy import ScalingPolicy
from serve_app.ports import PolicyEdit, ScalingRecord
from serve_app.scaling_file import MOST_CHARS, read_policy
from serve_app.yaml_lines import read_text

T = TypeVar("T")

FOLLOWED = "servers with `rooms.inference.replicas_max` follow it within 5 seconds"

app = typer.Typer(no_args_is_help=True, help="How many replicas the model has: check, simulate, apply, show, roll back.")

PolicyFile = Annotated[Path, typer.Argument(metavar="FILE", help="A policy: see serve_app/configs/scaling.example.yaml.")]
Note = Annotated[str, typer.Option("--note", help="What it is for, for the history.")]

app.command("simulate", help=HELP)(simulate_policy)


@app.command()
def check(file: PolicyFile, config: ConfigFile = None) -> None:
    """Say whether a policy could be applied; change nothing."""
    policy = read_policy(read_text(file), str(file))
    say(f"{file} is a valid policy")
    _warn(policy, config)


@app.command()
def apply(file: PolicyFile, note: Note = "", by: By = None, config: ConfigFile = None) -> None:
    """Put a policy in force. Running servers whose configuration sets `rooms.inference.replicas_max` follow it within 5
    seconds; nothing restarts.

    A policy with a mistake is refused and written down as refused; the one in force stays.
    """
    settings, text = _settings(config), read_text(file)
    edit = _in_record(settings, lambda record: _applied(record, text, str(file), note, by))
    say(f"version {edit.version} is in force in {_place(settings)}; {FOLLOWED}")
    _warn(read_policy(text, str(file)), config)


@app.command()
def show(
    history: Annotated[bool, typer.Option("--history", help="Every edit instead, the newest first, refused ones too.")] = False,
    version: Annotated[int | None, typer.Option("--version", min=1, help="Another version than the one in force.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Of the history.")] = 50,
    config: ConfigFile = None,
) -> None:
    """Show the policy in force as it was written, and who applied it when."""
    settings = _settings(config)
    if history:
        edits = _in_record(settings, lambda record: record.history(limit))
        for edit in edits:
            state = "applied" if edit.refused is None else f"refused: {edit.refused}"
            row(str(edit.version), _when(edit), edit.by, state, edit.note)
        if not edits:
            say("no policy was ever applied; `zerowait policy apply FILE` applies one")
        return
    shown = _in_record(settings, lambda record: _shown(record, version))
    if shown is None:
        say("no policy is in force: the replicas are as many as the configuration says (`rooms.inference`), between `replicas` "
            "and `replicas_max`; `zerowait policy apply FILE` applies one")  # fmt: skip
        return
    state = "applied" if shown.refused is None else f"refused ({shown.refused})"
    say(
        f"version {shown.version}, {state} {_when(shown)} by {shown.by or 'somebody'}"
        + (f": {shown.note}" if shown.note else "")
    )
    typer.echo(shown.text, nl=not shown.text.endswith("\n"))


@app.command()
def rollback(
    version: Annotated[int, typer.Argument(metavar="VERSION", min=1, help="As `zerowait policy show --history` lists it.")],
    note: Note = "",
    by: By = None,
    config: ConfigFile = None,
) -> None:
    """Put an earlier version in force again, as a new one."""

    async def again(record: ScalingRecord) -> PolicyEdit:
        old = await _version(record, version)
        if old.refused is not None:
            raise ConfigError(f"version {version} was refused and never in force: {old.refused}")
        return await _applied(record, old.text, f"version {version}", note or f"version {version} again", by)

    edit = _in_record(_settings(config), again)
    say(f"version {edit.version}, which is version {version} again, is in force; {FOLLOWED}")
    _warn(read_policy(edit.text), config)


def _place(settings: Config) -> str:
    """The record, without its password."""
    return make_url(str(settings.record.url)).render_as_string(hide_password=True)


def _settings(config: Path | None) -> Config:
    """Of the application that has the model's replicas: its record is the one that is followed."""
    return read_config(config, without="gateway")


def _warn(policy: ScalingPolicy, config: Path | None) -> None:
    """Of what is valid and does not do what it says."""
    now = datetime.now(UTC)
    for occasion in policy.calendar:
        if occasion.ends <= now:
            say(f"the occasion {occasion.note or 'in the calendar'} from {occasion.starts.isoformat()} is over")
    if config is None:
        return
    most = _settings(config).rooms.inference.replicas_max
    if most is None:
        say(f"{config} fixes the number of replicas: without `rooms.inference.replicas_max` it follows no policy")
    elif most < policy.replicas.max:
        say(f"replicas.max is {policy.replicas.max}, but `rooms.inference.replicas_max` in {config} is {most}")


async def _applied(record: ScalingRecord, text: str, name: str, note: str, by: str | None) -> PolicyEdit:
    """Raises ConfigError for a policy that is refused, when that is written down."""
    now = datetime.now(UTC)
    try:
        read_policy(text, name)
    except ConfigError as error:
        refused = await record.add(text[:MOST_CHARS], who(by), now, note=note, refused=str(error))
        raise ConfigError(f"{error}\n(refused, written down as version {refused.version}; what is in force stays)") from error
    return await record.add(text, who(by), now, note=note)


async def _shown(record: ScalingRecord, version: int | None) -> PolicyEdit | None:
    if version is not None:
        return await _version(record, version)
    return next(iter(await record.history(1, applied_only=True)), None)


async def _version(record: ScalingRecord, version: int) -> PolicyEdit:
    try:
        return await record.edit(version)
    except NotFound as error:
        raise ConfigError(
            f"there is no version {version} of the policy; `zerowait policy show --history` lists those that there are"
        ) from error


def _in_record(settings: Config, call: Callable[[ScalingRecord], Awaitable[T]]) -> T:
    async def run() -> T:
        engine = connect(str(settings.record.url))
        try:
            await create_tables(engine)
            return await call(SqlScaling(engine))
        except (SQLAlchemyError, OSError) as error:
            raise ConfigError(f"the record cannot be used ({type(error).__name__}): check `record.url`") from error
        finally:
            await engine.dispose()

    return asyncio.run(run())


def _when(edit: PolicyEdit) -> str:
    return edit.applied_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
