"""`zerowait knowledge proposals|feedback`: what customers left for a person to look at."""

from __future__ import annotations

from typing import Annotated

import typer

from serve_app.cli.console import By, row, say, who
from serve_app.cli.key import ConfigFile, chosen_tenant, read_config
from serve_app.cli.knowledge_record import Parts, Tenant, in_record, local


def proposals(
    accept: Annotated[list[str] | None, typer.Option(metavar="ID", help="Add it to the draft; may be repeated.")] = None,
    reject: Annotated[list[str] | None, typer.Option(metavar="ID", help="Do not show it again; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the most often asked first.")] = 50,
    tenant: Tenant = None,
    by: By = None,
    config: ConfigFile = None,
) -> None:
    """List what customers asked before they tapped a suggestion: id, times, entry, language, words. Accept or reject it."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)

    async def decide(parts: Parts) -> None:
        for one in accept or ():
            done = await parts.editor.accept(owner, one, by=who(by))
            say(f"{one} is in the draft, as a question of {done.variant.entry_id}")
        for one in reject or ():
            await parts.editor.reject(owner, one, by=who(by))
            say(f"{one} is rejected")

    if accept or reject:
        in_record(settings, decide)
        return
    found = in_record(settings, lambda parts: parts.proposals.list(owner, "proposed", limit))
    for one in found:
        row(one.id, str(one.count), one.variant.entry_id, one.variant.language, one.variant.text)
    if not found:
        say("nothing is proposed")


def feedback(
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 50,
    tenant: Tenant = None,
    config: ConfigFile = None,
) -> None:
    """List what customers thought of answers (up, down) and conversations (1 to 5): time, rating, source, entries, words."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    found = in_record(settings, lambda parts: parts.ratings.latest(owner, limit))
    for one in found:
        at = local(one.given_at, settings, owner)
        row(at, one.rating, one.source or "-", ",".join(one.entry_ids) or "-", one.question, one.reason)
    if not found:
        say("there is no feedback yet")
