"""Publishes the demo shop's knowledge: the YAML files beside this module."""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files

from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.adapters.knowledge_file import load_knowledge
from serve_app.adapters.record import create_tables
from serve_app.adapters.sql_knowledge import Published, SqlKnowledge
from serve_app.domain.publication import Publication


def demo_knowledge() -> Publication:
    """The demo's entries, templates and policies, as they are written. Raises ConfigError naming the file and the item."""
    return load_knowledge(files("serve_app.demo") / "knowledge")


async def publish_demo(engine: AsyncEngine, tenant: str, now: datetime) -> Published:
    """Publishes the demo's knowledge; a second time changes nothing. Makes the record's tables if they are missing.

    Raises ConfigError (the files), StoreFailed (the record).
    """
    await create_tables(engine)
    knowledge = demo_knowledge()
    return await SqlKnowledge(engine).publish(tenant, knowledge.entries, knowledge.templates, knowledge.policies, now)
