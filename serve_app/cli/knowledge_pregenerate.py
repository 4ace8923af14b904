"""`zerowait knowledge pregenerate`: answers that are made before they are asked for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from serve_app.cli.console import say
from serve_app.cli.key import ConfigFile, chosen_tenant, read_config
from serve_app.cli.knowledge_record import Parts, Tenant, in_record
from serve_app.pregeneration.choosing import Wish
from serve_app.pregeneration.watching import Progress, watched

REVIEW = "`zerowait knowledge pregenerated list` shows what was made: look at it, accept it, publish"


class Spoken(StrEnum):
    ZH = "zh"
    EN = "en"


def pregenerate(
    top: Annotated[int, typer.Option(min=1, help="How many of the most asked questions.")] = 50,
    language: Annotated[Spoken | None, typer.Option(help="Only questions in it. [default: all the model speaks]")] = None,
    questions: Annotated[bool, typer.Option(help="The head of what customers ask and no entry answers.")] = True,
    variants: Annotated[
        bool, typer.Option(help="Proposed wordings, and entries that are withheld because their sources changed.")
    ] = True,
    templates: Annotated[
        bool, typer.Option(help="Templates for what customers ask of their own orders, where some are lacking.")
    ] = True,
    failed: Annotated[bool, typer.Option("--failed", help="Try those that failed again.")] = False,
    tenant: Tenant = None,
    config: ConfigFile = None,
) -> None:
    """Let the configured model answer the most asked questions ahead, for a person to review and publish.

    A running server makes them while few customers wait. Ctrl-C ends the watching, not the work; the same command again goes on
    where it was. What was made stays made while its sources are as they were.
    """
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    wish = Wish(top, None if language is None else language.value, questions, variants, templates, failed)

    async def make(parts: Parts) -> Progress | None:
        jobs = parts.pregeneration.jobs
        ids = await parts.pregeneration.choosing.put(owner, wish)
        return await watched(jobs, owner, ids, say) if ids else None

    try:
        done = in_record(settings, make)
    except KeyboardInterrupt:
        say("not watched any more: what waits is made all the same; the same command shows how far it is")
        raise typer.Exit(130) from None
    _tell(done)


def _tell(done: Progress | None) -> None:
    if done is None:
        say("there is nothing to make: no question was asked that nothing published answers")
        return
    if done.nobody:
        say(
            f"no running server has taken any of the {done.total} jobs. They are kept: start a server whose model may answer "
            f"(`zerowait run`), or wait until it has fewer customers, then run the same command again"
        )
        raise typer.Exit(1)
    if done.failed:
        say("`zerowait knowledge pregenerated list --failed` says why some failed")
    say(REVIEW)
