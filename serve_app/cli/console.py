"""How commands speak, and who speaks to them."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

By = Annotated[str | None, typer.Option("--by", help="Who does it, for the history. [default: the user]")]


def who(by: str | None) -> str:
    """For the history: the name that was given, else the user's."""
    if by:
        return by
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def say(text: str) -> None:
    """All but what was asked for goes to stderr."""
    typer.echo(text, err=True)


def row(*cells: str) -> None:
    """A line of a table on stdout; its cells hold no line breaks and no tabs."""
    typer.echo("\t".join(" ".join(cell.split()) for cell in cells).rstrip())
