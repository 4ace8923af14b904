"""What must be there before the application starts: model, demo shop, knowledge, key, secrets. Each is made once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from serve_app import packaged_model
from serve_app.adapters.auth import ensure_token_secret, ensure_visitor_secret
from serve_app.adapters.record import connect, create_tables
from serve_app.cli.key import ensure_local_key
from serve_app.config import Config
from serve_app.demo.shop import is_current, make_shop
from serve_app.domain.errors import ConfigError
from serve_app.local.knowledge import publish_knowledge

Say = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """`key` belongs to `tenant`; `key_is_new` when it was made now, so that it is shown once."""

    tenant: str
    key: str
    key_is_new: bool


def prepare(config: Config, say: Say) -> Prepared:
    """Makes what is missing for a resolved configuration, whose data folder is there. Raises ConfigError, ModelFailed."""
    ensure_token_secret(config.home)
    ensure_visitor_secret(config.home)
    if config.model.path is None:
        packaged_model.prepare(config.home, say)
    if uses_demo_shop(config):
        shop = config.home / "shop.db"
        if not is_current(shop):
            make_shop(shop, progress=say)
    try:
        return asyncio.run(_record(config, say))
    except (SQLAlchemyError, OSError) as error:
        raise ConfigError(f"the record cannot be used: {type(error).__name__}: {str(error).splitlines()[0]}") from error


def uses_demo_shop(config: Config) -> bool:
    return any(tenant.sources is None for tenant in config.tenants.values())


async def _record(config: Config, say: Say) -> Prepared:
    now = datetime.now(UTC)
    engine = connect(config.record.url or "")
    try:
        await create_tables(engine)
        for name, tenant in config.tenants.items():
            await publish_knowledge(engine, name, tenant, now, say)
        first = next(iter(config.tenants))
        key, is_new = await ensure_local_key(engine, first, config.home, now)
    finally:
        await engine.dispose()
    say("the record and the key are ready")
    return Prepared(first, key, is_new)
