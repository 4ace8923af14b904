"""The tables of tickets, and tickets as their rows. Instants are microseconds since 1970."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import BigInteger, Column, Integer, String, Table, Text, UniqueConstraint
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from serve_app.adapters.record import metadata
from serve_app.domain.errors import StoreFailed
from serve_app.domain.messages import Conversation
from serve_app.domain.tickets import Author, Message, Numbered, Ticket, key_of

# `open_session` is the session while the ticket is open, else NULL: of any number of writers one opens the
# session's ticket.
tickets = Table(
    "tickets",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("session_id", String(128), nullable=False, index=True),
    Column("open_session", String(128)),
    Column("customer_id", String(256)),
    Column("language", String(2), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reasons", Text, nullable=False),
    Column("agent", String(128), nullable=False),
    Column("note", Text, nullable=False),
    Column("packet", Text, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("opened_at_us", BigInteger, nullable=False),
    Column("claimed_at_us", BigInteger),
    Column("closed_at_us", BigInteger),
    Column("changed_at_us", BigInteger, nullable=False, index=True),
    UniqueConstraint("tenant", "open_session"),
)
# `key` is what makes a message the same as an earlier one.
ticket_messages = Table(
    "ticket_messages",
    metadata,
    Column("ticket_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("id", String(64), nullable=False),
    Column("key", String(256), nullable=False),
    Column("author", String(16), nullable=False),
    Column("name", String(128), nullable=False),
    Column("text", Text, nullable=False),
    Column("about", String(128)),
    Column("at_us", BigInteger, nullable=False),
    UniqueConstraint("ticket_id", "key"),
)
# Without the packet, which is long.
TICKET = [column for column in tickets.c if column.name not in ("packet", "changed_at_us", "open_session")]


def insert_into(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
    try:
        async with engine.begin() as connection:
            yield connection
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        # Not the error's own text: it repeats the statement with what customers wrote.
        raise StoreFailed(f"the record of tickets does not answer ({type(error).__name__})") from error
    except ValueError as error:
        # As another version wrote it.
        raise StoreFailed(f"the record holds a ticket that cannot be read ({type(error).__name__})") from error


def ticket_row(ticket: Ticket) -> dict[str, Any]:
    return {
        "id": ticket.id,
        "tenant": ticket.tenant,
        "session_id": ticket.session_id,
        "customer_id": ticket.customer_id,
        "language": ticket.language,
        "state": ticket.state,
        "reasons": orjson.dumps(ticket.reasons).decode(),
        "agent": ticket.agent,
        "note": ticket.note,
        "opened_at_us": microseconds(ticket.opened_at),
        "claimed_at_us": None,
        "closed_at_us": None,
    }


def ticket_of(row: Mapping[Any, Any]) -> Ticket:
    return Ticket(
        id=row["id"],
        tenant=row["tenant"],
        session_id=row["session_id"],
        customer_id=row["customer_id"],
        language=row["language"],
        state=Conversation(row["state"]),
        reasons=tuple(orjson.loads(row["reasons"])),
        opened_at=instant(row["opened_at_us"]),
        changes=row["changes"],
        agent=row["agent"],
        claimed_at=row["claimed_at_us"] and instant(row["claimed_at_us"]),
        closed_at=row["closed_at_us"] and instant(row["closed_at_us"]),
        note=row["note"],
    )


def numbered_of(row: Mapping[Any, Any]) -> Numbered:
    message = Message(row["id"], Author(row["author"]), row["text"], instant(row["at_us"]), row["name"], row["about"])
    return Numbered(row["ticket_id"], row["number"], message)


def microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def message_row(ticket: Ticket, message: Message) -> dict[str, Any]:
    """Its number is what the ticket's changes became with it."""
    return {
        "ticket_id": ticket.id,
        "number": ticket.changes,
        "id": message.id,
        "key": key_of(message),
        "author": message.author,
        "name": message.name,
        "text": message.text,
        "about": message.about,
        "at_us": microseconds(message.at),
    }


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
