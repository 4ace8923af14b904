"""`zerowait key`: API keys. The key itself goes to stdout, once; all else to stderr."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.adapters import secret_file
from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_keys import SCOPES, SqlKeys
from serve_app.config import Config, Role, load_config
from serve_app.domain.errors import ConfigError
from serve_app.ports import KeyGrant

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="A Serve file, or a plain configuration. [default: the demo shop]")
]


class Scope(StrEnum):
    ASK = "ask"
    ADMIN = "admin"
    OPS = "ops"


@app.command()
def create(
    scope: Annotated[list[Scope], typer.Option(help="What the key allows; may be repeated.")],
    tenant: Annotated[str | None, typer.Option(help="Whose key it is. [default: the only one]")] = None,
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
    config: ConfigFile = None,
) -> None:
    """Make an API key and print it. It is kept only as a hash: note it down now."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)

    async def make(keys: SqlKeys) -> tuple[KeyGrant, str]:
        return await keys.create(owner, frozenset(str(one) for one in scope), note, datetime.now(UTC))

    grant, key = _with_keys(settings, make)
    typer.echo(f"{grant.id}: tenant {grant.tenant}, scopes {' '.join(sorted(grant.scopes))}; not shown again", err=True)
    typer.echo(key)


@app.command("list")
def list_(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's. [default: everybody's]")] = None,
    config: ConfigFile = None,
) -> None:
    """List the keys by their ids: tenant, scopes, state, note. A key itself is never shown."""
    grants = _with_keys(read_config(config), lambda keys: keys.list(tenant))
    for grant in grants:
        state = f"revoked {_day(grant.revoked_at)}" if grant.revoked_at else f"since {_day(grant.created_at)}"
        typer.echo("\t".join((grant.id, grant.tenant, ",".join(sorted(grant.scopes)), state, grant.note)).rstrip())
    if not grants:
        typer.echo("there are no keys; `zerowait key create --scope ask` makes one", err=True)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `zerowait key list` shows it.")], config: ConfigFile = None
) -> None:
    """Revoke a key. Running servers refuse it within 2 seconds."""
    if not _with_keys(read_config(config), lambda keys: keys.revoke(key_id, datetime.now(UTC))):
        raise ConfigError(f"there is no key {key_id} that could be revoked; `zerowait key list` shows them")
    typer.echo(f"{key_id} is revoked", err=True)


async def ensure_local_key(engine: AsyncEngine, tenant: str, data_dir: Path, now: datetime) -> tuple[str, bool]:
    """The key of a local start, with every scope, and whether it was made now.

    It is kept in `{data_dir}/api-key`; one that the record does not know any more is replaced.
    Raises ConfigError, StoreFailed.
    """
    keys, path = SqlKeys(engine), data_dir / "api-key"
    kept = secret_file.read(path)
    grant = await keys.find(kept) if kept else None
    if kept and grant is not None and grant.tenant == tenant:
        return kept, False
    _, key = await keys.create(tenant, SCOPES, "made by the local start", now)
    secret_file.write(path, key)
    return key, True


def read_config(path: Path | None, without: Role = "engine") -> Config:
    """The resolved configuration in `path`, as `load_config` reads it, or the demo shop's. Raises ConfigError."""
    return (load_config(path, without) if path else Config()).resolved(os.environ)


def chosen_tenant(config: Config, tenant: str | None) -> str:
    """The tenant that is named; without a name the only one. Raises ConfigError."""
    names = sorted(config.tenants)
    if tenant is None and len(names) == 1:
        return names[0]
    if tenant not in config.tenants:
        wanted = "name a tenant" if tenant is None else f"there is no tenant {tenant} in the configuration"
        raise ConfigError(f"{wanted}: --tenant with one of {', '.join(names)}")
    return tenant


def _with_keys(config: Config, call: Callable[[SqlKeys], Awaitable[T]]) -> T:
    async def run() -> T:
        engine = connect(str(config.record.url))
        try:
            await create_tables(engine)
            return await call(SqlKeys(engine))
        except (SQLAlchemyError, OSError) as error:
            raise ConfigError(f"the record cannot be used ({type(error).__name__}): check `record.url`") from error
        finally:
            await engine.dispose()

    return asyncio.run(run())


def _day(instant: datetime) -> str:
    return instant.astimezone(UTC).date().isoformat()
