"""`zerowait run`: everything on one machine, until it is told to end; `setup` and `valkey`: parts of it by hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path | None,
    typer.Option(help="Where models, data and keys are kept. Default: ZEROWAIT_DATA_DIR, else ~/.local/share/zerowait."),
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="A Serve file, or a plain configuration. Default: the demo shop.")
]


def run(
    port: Annotated[int, typer.Option(min=1, max=65535, help="The application's port.")] = 8000,
    host: Annotated[str, typer.Option(help="The address it listens on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    data_dir: DataDir = None,
    config: ConfigFile = None,
    dashboard_port: Annotated[int, typer.Option(min=1, max=65535, help="Ray's dashboard.")] = 8265,
    redis_port: Annotated[int, typer.Option(min=1, max=65535, help="The Valkey server, unless REDIS_URL names one.")] = 6399,
    fallback_port: Annotated[int, typer.Option(min=1, max=65535, help="Serve's own proxy, behind HAProxy.")] = 8500,
    stats_port: Annotated[int, typer.Option(min=1, max=65535, help="HAProxy's statistics.")] = 8404,
    metrics_port: Annotated[int, typer.Option(min=1, max=65535, help="HAProxy's metrics.")] = 9101,
) -> None:
    """Serve the shop on this machine: Valkey, Ray, the application. Ctrl-C ends all of it.

    Prepares what is missing first (the packaged model, the demo shop, an API key). All ports but --port are on loopback.
    """
    from serve_app.local.ports import Ports
    from serve_app.local.run import Run

    ports = Ports(port, dashboard_port, redis_port, fallback_port, stats_port, metrics_port)
    raise typer.Exit(Run(host, ports, data_dir, config, os.environ).until_told())


def setup(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Prepare model, demo shop, knowledge, keys and token secret, and start nothing.

    After it, `zerowait valkey` and `serve run serve_app/configs/local.yaml` serve the shop by hand.
    """
    from serve_app.local.data_dir import make_data_dir
    from serve_app.local.run import say
    from serve_app.local.serve_file import default, read
    from serve_app.local.setup import prepare

    _, settings = read(config or default())
    environ = os.environ if data_dir is None else {**os.environ, "ZEROWAIT_DATA_DIR": str(data_dir)}
    settings = settings.resolved(environ)
    make_data_dir(settings.home)
    prepared = prepare(settings, say)
    if prepared.key_is_new:
        typer.echo(prepared.key)
    say(f"the API key is kept in {settings.home / 'api-key'}")


def valkey(data_dir: DataDir = None, port: Annotated[int, typer.Option(min=1, max=65535, help="On 127.0.0.1.")] = 6399) -> None:
    """Run the packaged Valkey server in the foreground, its data in the data folder."""
    from serve_app.config import Config
    from serve_app.local import valkey as server
    from serve_app.local.data_dir import make_data_dir
    from serve_app.local.ports import LOOPBACK, require_free

    environ = os.environ if data_dir is None else {**os.environ, "ZEROWAIT_DATA_DIR": str(data_dir)}
    home = Config().resolved(environ).home
    make_data_dir(home)
    require_free(LOOPBACK, {"--port": port})
    command = server.command(home, port)
    typer.echo(f"Valkey answers on {server.url(port)}; Ctrl-C ends it", err=True)
    os.execv(command[0], command)
