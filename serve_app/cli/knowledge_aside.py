"""`zerowait knowledge aside`: answers that customers found wrong, for a person to look at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from serve_app.cli.console import By, row, say, who
from serve_app.cli.key import ConfigFile, chosen_tenant, read_config
from serve_app.cli.knowledge_record import Parts, Tenant, in_record, local
from serve_app.domain.aside import STATES, WAITING, Decision, SetAside
from serve_app.domain.errors import NotFound

app = typer.Typer(
    no_args_is_help=True,
    help="Answers that customers gave a thumb down. What a machine decided is said to nobody until somebody has looked: "
    "`restore` says that it was right, `drop` that it was wrong and stays out. A published wording (state `listed`) is said as "
    "before: edit or withdraw its entry, or restore it to take it off the list.",
)

Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="As `list` shows them.")]


@app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also those that somebody has looked at.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, the most often complained of first.")] = 50,
    tenant: Tenant = None,
    config: ConfigFile = None,
) -> None:
    """List what waits for a person: id, state, complaints, last one, source, entries, question."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    found = in_record(settings, lambda parts: parts.set_asides.list(owner, STATES if everything else WAITING, limit))
    for one in found:
        last = local(one.last_at, settings, owner)
        row(one.id, one.state, str(one.count), last, one.model or one.source, ",".join(one.entry_ids) or "-", one.question)
    if not found:
        say("nothing is set aside")


@app.command()
def show(aside_id: Annotated[str, typer.Argument(metavar="ID")], tenant: Tenant = None, config: ConfigFile = None) -> None:
    """Show one with the words that were complained of."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    one = in_record(settings, lambda parts: parts.set_asides.find(owner, aside_id))
    if one is None:
        raise NotFound(f"Nothing is set aside as {aside_id}; `list` shows what is.")
    row("question", one.question)
    row("answer", one.answer)
    row("said by", one.model or one.source)
    row("entries", ",".join(one.entry_ids) or "-")
    row("state", one.state)
    row("complaints", f"{one.count}, {local(one.first_at, settings, owner)} to {local(one.last_at, settings, owner)}")
    if one.decided_at is not None:
        row("decided", f"{local(one.decided_at, settings, owner)} by {one.decided_by or '-'}")


@app.command()
def restore(ids: Ids, tenant: Tenant = None, by: By = None, config: ConfigFile = None) -> None:
    """The answer was right: it may be shared again. Other words to the same question are set aside anew."""
    for one in _decide(ids, "restored", tenant, by, config):
        say(f"{one.id} is restored: {one.question}")


@app.command()
def drop(ids: Ids, tenant: Tenant = None, by: By = None, config: ConfigFile = None) -> None:
    """The answer was wrong: this question is not answered from what others were told, nor by meaning."""
    for one in _decide(ids, "dropped", tenant, by, config):
        say(f"{one.id} stays out: {one.question}")


def _decide(ids: list[str], decision: Decision, tenant: Tenant, by: By, config: ConfigFile) -> list[SetAside]:
    settings = read_config(config)
    owner, now = chosen_tenant(settings, tenant), datetime.now(UTC)

    async def decide(parts: Parts) -> list[SetAside]:
        return [await parts.set_asides.decide(owner, one, decision, who(by), now) for one in ids]

    return in_record(settings, decide)
