"""Which knowledge a start publishes for a tenant: the folder that it names, the demo's for the demo shop, else none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.adapters.sql_knowledge import SqlKnowledge
from serve_app.adapters.yaml_knowledge import load_knowledge
from serve_app.config import TenantSettings
from serve_app.demo.knowledge import demo_knowledge, publish_demo
from serve_app.domain.errors import ConfigError
from serve_app.domain.publication import Publication, filled


async def publish_knowledge(
    engine: AsyncEngine, name: str, tenant: TenantSettings, now: datetime, say: Callable[[str], None]
) -> None:
    """Publishes what the tenant's settings ask for; a second time changes nothing. The record has its tables.

    A named folder is the truth. Without one the demo shop gets the demo's knowledge if nothing is published for it, and
    another shop keeps what it has, except the demo's, which is withdrawn. Raises ConfigError (the files), StoreFailed.
    """
    record = SqlKnowledge(engine)
    if tenant.knowledge is not None:
        try:
            await _publish(record, name, shop_knowledge(tenant.knowledge), now)
        except ConfigError as error:
            raise ConfigError(f"the knowledge of tenant {name}, {tenant.knowledge}: {error}") from error
    elif tenant.sources is None:
        if not await record.versions(name):
            await publish_demo(engine, name, now)
    else:
        if await _is_the_demos(record, name):
            await _publish(record, name, Publication(), now)
        if not await record.versions(name):
            say(f"tenant {name} has no knowledge: name a folder of it in the configuration, tenants.{name}.knowledge: FOLDER/")


def shop_knowledge(folder: Path) -> Publication:
    """What a shop's folder holds; without a templates.yaml, the packaged templates with it. Raises ConfigError."""
    try:
        knowledge = load_knowledge(folder)
    except OSError as error:
        raise ConfigError(f"it cannot be read: {error.strerror}") from error
    if not knowledge.entries:
        raise ConfigError("it has no entries")
    if not (folder / "templates.yaml").exists():
        knowledge = replace(knowledge, templates=demo_knowledge().templates)
    return knowledge


async def _publish(record: SqlKnowledge, name: str, knowledge: Publication, now: datetime) -> None:
    await record.publish(name, knowledge.entries, knowledge.templates, knowledge.policies, now)


async def _is_the_demos(record: SqlKnowledge, name: str) -> bool:
    """Whether exactly the demo's entries are published: a start on the demo shop's sources left them."""
    entries, _ = await record.published(name)
    demo = sorted(filled(demo_knowledge()).entries, key=lambda entry: entry.id)
    return sorted((replace(entry, version=0) for entry in entries), key=lambda entry: entry.id) == demo
