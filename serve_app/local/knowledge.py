"""Which knowledge a start publishes for a tenant: the folder that it names, the demo's for the demo shop, else none.

A start never undoes in silence what people published by `zerowait knowledge` or by the API: a folder that has not changed since
a start last published it is left unpublished then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.adapters.knowledge_file import read_path
from serve_app.adapters.knowledge_tables import json_of
from serve_app.adapters.sql_drafts import FromFolder, SqlDrafts
from serve_app.adapters.sql_knowledge import SqlKnowledge
from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.drafting import Reading
from serve_app.domain.errors import ConfigError
from serve_app.domain.publication import Publication, filled
from serve_app.tenant_settings import TenantSettings

Origin = Literal["folder", "demo"]


async def publish_knowledge(
    engine: AsyncEngine, name: str, tenant: TenantSettings, now: datetime, say: Callable[[str], None]
) -> None:
    """Publishes what the tenant's settings ask for; a second time changes nothing. The record has its tables.

    A named folder is published when it changed since the last start, or when nothing was published since. Without one the demo
    shop gets the demo's knowledge, until something else is published for it, and another shop keeps what it has, except the
    demo's, which is withdrawn. Raises ConfigError (the files), StoreFailed.
    """
    start = _Start(SqlKnowledge(engine), SqlDrafts(engine), name, now, say)
    if tenant.knowledge is not None:
        try:
            await start.folder(tenant.knowledge, tenant.shop.time_zone)
        except ConfigError as error:
            raise ConfigError(f"the knowledge of tenant {name}, {tenant.knowledge}: {error}") from error
    elif tenant.sources is None:
        await start.demo()
    else:
        await start.nothing()


def shop_knowledge(folder: Path, time_zone: str = "UTC") -> Publication:
    """What a shop's folder holds; without a templates.yaml, the packaged templates with it. Raises ConfigError."""
    return _with_templates(_read(folder, time_zone))


@dataclass(frozen=True, slots=True)
class _Start:
    record: SqlKnowledge
    drafts: SqlDrafts
    tenant: str
    now: datetime
    say: Callable[[str], None]

    async def folder(self, folder: Path, time_zone: str) -> None:
        reading = _read(folder, time_zone)
        own = reading.publication()
        last, latest = await self.drafts.folder(self.tenant), await self.record.latest(self.tenant)
        is_same = last is not None and last.origin == "folder" and last.digest == _digest(own)
        since = latest > (last.version if last else 0)
        if is_same and since:
            self.say(
                f"tenant {self.tenant}: version {latest}, published since the last start, stays; "
                f"the folder {folder} has not changed"
            )
            return
        version = await self._publish("folder", own, _with_templates(reading), f"the folder {folder.name}")
        if since and version > latest:
            self.say(
                f"tenant {self.tenant}: the folder {folder} changed and is published as version {version}, in the place of "
                f"version {latest}; `zerowait knowledge rollback {latest}` brings that back"
            )

    async def demo(self) -> None:
        if await self._is_the_demos() or not await self.record.versions(self.tenant):
            knowledge = demo_knowledge()
            await self._publish("demo", knowledge, knowledge, "the demo shop's knowledge")

    async def nothing(self) -> None:
        if await self._is_the_demos():
            note = "the demo shop's knowledge is withdrawn"
            await self.record.publish(self.tenant, (), (), (), self.now, by=_BY, note=note)
        if not await self.record.versions(self.tenant):
            self.say(
                f"tenant {self.tenant} has no knowledge: name a folder of it in the configuration, "
                f"tenants.{self.tenant}.knowledge: FOLDER/, or `zerowait knowledge import` it"
            )

    async def _publish(self, origin: Origin, own: Publication, whole: Publication, note: str) -> int:
        done = await self.record.publish(
            self.tenant, whole.entries, whole.templates, whole.policies, self.now, by=_BY, note=note
        )
        await self.drafts.remember_folder(self.tenant, FromFolder(origin, _digest(own), done.version))
        return done.version

    async def _is_the_demos(self) -> bool:
        """Whether what is published is the demo's, left by a start on the demo shop's sources."""
        last = await self.drafts.folder(self.tenant)
        if last is not None:
            return last.origin == "demo" and last.version == await self.record.latest(self.tenant)
        entries, _ = await self.record.published(self.tenant)
        demo = sorted(filled(demo_knowledge()).entries, key=lambda entry: entry.id)
        return sorted((replace(entry, version=0) for entry in entries), key=lambda entry: entry.id) == demo


_BY = "a start"


def _read(folder: Path, time_zone: str) -> Reading:
    reading = read_path(folder, time_zone)
    if not reading.entries:
        raise ConfigError("it has no entries")
    return reading


def _with_templates(reading: Reading) -> Publication:
    own = reading.publication()
    return own if reading.templates is not None else replace(own, templates=demo_knowledge().templates)


def _digest(knowledge: Publication) -> str:
    lines = sorted(json_of(item) for item in knowledge.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
