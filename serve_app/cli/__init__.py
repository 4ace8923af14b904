"""The `zerowait` command."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import typer

from serve_app.domain.errors import InternalError, ZeroWaitError

# name -> (module, attribute). An attribute is a function, or a `typer.Typer` with commands of its own.
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("serve_app.cli.run", "run"),
    "setup": ("serve_app.cli.run", "setup"),
    "valkey": ("serve_app.cli.run", "valkey"),
    "key": ("serve_app.cli.key", "app"),
    "token": ("serve_app.cli.token", "command"),
    "source": ("serve_app.cli.source", "app"),
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
    """The command line. Only the module of the command that is asked for is imported; for help, all of them."""
    app = typer.Typer(
        name="zerowait",
        help="ZeroWait answers an online shop's customers, in Chinese and in English.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_several)
    asked = [name for name in arguments[:1] if name in COMMANDS] or list(COMMANDS)
    for name in asked:
        module, attribute = COMMANDS[name]
        found = getattr(importlib.import_module(module), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    return app


def _several() -> None:
    """ZeroWait answers an online shop's customers, in Chinese and in English."""
