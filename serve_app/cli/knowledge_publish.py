"""`zerowait knowledge publish|rollback`: what is live is switched, and each step of it told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from serve_app.adapters.sql_knowledge import Published
from serve_app.cli.console import By, say, who
from serve_app.cli.key import ConfigFile, chosen_tenant, read_config
from serve_app.cli.knowledge_record import Parts, Tenant, in_record
from serve_app.domain.drafting import TOLD_MAX
from serve_app.pregeneration.publishing import Signature

NO_TEMPLATES = (
    "no template is published, so questions about a customer's own orders go to a person; "
    "`zerowait knowledge import policies.yaml --packaged-templates` takes those that come with ZeroWait, with your figures"
)

Note = Annotated[str, typer.Option("--note", help="Why, for the history.")]
Head = Annotated[int, typer.Option("--head", min=0, help="So many of the most asked answers are made anew first, at most.")]
Within = Annotated[float, typer.Option("--within", min=0, help="Wait so many seconds for them, at most.")]
Now = Annotated[bool, typer.Option("--now", help="Publish at once: changed answers are made when they are asked for.")]


def publish(
    note: Note = "",
    head: Head = 50,
    within: Within = 60,
    now: Now = False,
    tenant: Tenant = None,
    by: By = None,
    config: ConfigFile = None,
) -> None:
    """Make the draft live, as a new version. Running servers answer by it within a second.

    The most asked answers that it changes are made of the draft first, by a running server, so that nobody waits for them when
    it is switched.
    """
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)

    async def switch(parts: Parts) -> None:
        first, signature = parts.pregeneration.head_first, Signature(who(by), note)
        done = await first.publish(owner, signature, head=0 if now else head, within_s=within)
        _published(done)
        if not done.is_news:
            return
        # Reading the new questions takes seconds: customers are answered by them meanwhile.
        say("looking for new questions that will not be answered")
        doubt(await parts.editor.doubts(owner, done.version))
        if not (await parts.editor.content(owner)).templates:
            say(NO_TEMPLATES)

    in_record(settings, switch)


def rollback(
    version: Annotated[
        int | None, typer.Argument(help="Which; `history` lists them. [default: the one before the last]")
    ] = None,
    note: Note = "",
    head: Head = 50,
    within: Within = 0,
    tenant: Tenant = None,
    by: By = None,
    config: ConfigFile = None,
) -> None:
    """Publish exactly what an earlier version held, as a new version, at once. A draft stays a draft.

    With `--within` the most asked answers that it changes are made first, as by `publish`.
    """
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    signature = Signature(who(by), note)

    async def switch(parts: Parts) -> Published:
        first = parts.pregeneration.head_first
        return await first.rollback(owner, version, signature, head=head, within_s=within)

    _published(in_record(settings, switch))


def _published(done: Published) -> None:
    counts = f"{len(done.added)} added, {len(done.changed)} changed, {len(done.withdrawn)} withdrawn"
    say(f"published as version {done.version}: {counts}; running servers answer by it within a second")


def doubt(doubts: Sequence[str]) -> None:
    """Tells the first of what is seldom meant."""
    for doubt in doubts[:TOLD_MAX]:
        say(f"look again: {doubt}")
    if len(doubts) > TOLD_MAX:
        say(f"… and {len(doubts) - TOLD_MAX} more")
