"""The `zerowait` command."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import typer

from serve_app.domain.errors import InternalError, ZeroWaitError

# name -> (module, attribute, help). An attribute is a function, or a `typer.Typer` with commands of its own.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "run": ("serve_app.cli.run", "run", "Serve the shop on this machine; Ctrl-C ends everything."),
    "setup": ("serve_app.cli.run", "setup", "Prepare model, demo shop, knowledge and keys; start nothing."),
    "valkey": ("serve_app.cli.run", "valkey", "Run the packaged Valkey server in the foreground."),
    "key": ("serve_app.cli.key", "app", "API keys: create, list, revoke."),
    "token": ("serve_app.cli.token", "command", "Make a customer's token, for trying."),
    "knowledge": ("serve_app.cli.knowledge", "app", "What the shop answers: import, diff, publish, roll back."),
    "policy": ("serve_app.cli.policy", "app", "How many replicas the model has: check, simulate, apply, show, roll back."),
    "source": ("serve_app.cli.source", "app", "The sources of the shop's facts: check what they give."),
    "desk": ("serve_app.cli.desk", "app", "Conversations that wait for a person: list, show, claim, reply, close."),
}


def main() -> None:
    """Runs the command of `sys.argv`. Our own errors end it with one line on stderr and status 1."""
    try:
        build(sys.argv[1:])()
    except InternalError as error:
        sys.exit(f"zerowait: {error}")
    except ZeroWaitError as error:
        sys.exit(f"zerowait: {error.message}")


def build(arguments: Sequence[str]) -> typer.Typer:
    """The command line. Only the module of the command that is asked for is imported, so that help is quick."""
    app = typer.Typer(
        name="zerowait",
        help="ZeroWait answers an online shop's customers, in Chinese and in English.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_several)
    for name, (module, attribute, text) in COMMANDS.items():
        if name not in arguments[:1]:
            app.command(name, help=text)(_listed)
            continue
        found = getattr(importlib.import_module(module), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    return app


def _several() -> None:
    """ZeroWait answers an online shop's customers, in Chinese and in English."""


def _listed() -> None:
    """Stands in the list for a command that is not asked for, and so is never called."""
