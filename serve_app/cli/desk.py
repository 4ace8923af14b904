"""`zerowait desk`: the conversations that wait for a person. What was asked for goes to stdout, all else to stderr."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import orjson
import typer
from sqlalchemy.exc import SQLAlchemyError

from serve_app.adapters import redis_client
from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.redis_sessions import RedisSessions
from serve_app.adapters.sql_outbox import SqlOutbox
from serve_app.adapters.sql_tickets import SqlTickets
from serve_app.adapters.system import SystemClock, new_id
from serve_app.answering.desk_work import DeskWork, Opened, opened_json, ticket_json
from serve_app.answering.handover import HandoverShop
from serve_app.cli.key import ConfigFile, chosen_tenant, read_config
from serve_app.config import Config
from serve_app.domain.errors import ConfigError
from serve_app.domain.tickets import Ticket
from serve_app.domain.wording import zone

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Conversations that wait for a person: list, show, claim, reply, close.")

Tenant = Annotated[str | None, typer.Option("--tenant", help="Whose customers. [default: the only one]")]
Id = Annotated[str, typer.Argument(metavar="ID", help="As `zerowait desk list` shows it.")]
Name = Annotated[str, typer.Option("--name", help="Yours, as the customer sees it.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="The closed ones, too.")] = False,
    as_json: AsJson = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    tenant: Tenant = None,
    config: ConfigFile = None,
) -> None:
    """List the conversations that wait for a person or are with one, oldest first."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    desk = _at_the_desk(settings, lambda work: work.list(owner, closed=everything, limit=limit + 1))
    # Of the open ones the oldest are shown, of all the newest.
    shown = desk.tickets[-limit:] if everything else desk.tickets[:limit]
    if as_json:
        _print_json([ticket_json(ticket) for ticket in shown])
    else:
        time_zone = settings.tenants[owner].shop.time_zone
        for line in table(shown, datetime.now(UTC), time_zone):
            typer.echo(line)
    if len(desk.tickets) > limit:
        typer.echo(f"there are more than these {limit}: --limit shows them", err=True)
    if not desk.tickets:
        typer.echo("nobody waits" if not everything else "there are no tickets", err=True)
    if desk.notices_given_up:
        url = settings.tenants[owner].desk.webhook_url
        typer.echo(f"{desk.notices_given_up} notices of the last week could not be delivered to {url} within a day", err=True)


@app.command()
def show(ticket_id: Id, as_json: AsJson = False, tenant: Tenant = None, config: ConfigFile = None) -> None:
    """Show a conversation: what it is about, what was tried, everything that was said."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    opened = _at_the_desk(settings, lambda work: work.look(owner, ticket_id))
    if as_json:
        _print_json(opened_json(opened))
        return
    for line in page(opened, settings.tenants[owner].shop.time_zone):
        typer.echo(line)


@app.command()
def claim(ticket_id: Id, name: Name = "", tenant: Tenant = None, config: ConfigFile = None) -> None:
    """Take a conversation that waits. From now on the bot is silent in it."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    ticket = _at_the_desk(settings, lambda work: work.claim(owner, ticket_id, name))
    typer.echo(f"{ticket.id} is with {ticket.agent}", err=True)


@app.command()
def reply(
    ticket_id: Id,
    text: Annotated[str, typer.Argument(help="What to say to the customer.")],
    name: Name = "",
    tenant: Tenant = None,
    config: ConfigFile = None,
) -> None:
    """Say something to the customer. Takes a conversation that waits."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    ticket = _at_the_desk(settings, lambda work: work.reply(owner, ticket_id, text, name))
    typer.echo(f"sent; {ticket.id} is with {ticket.agent}", err=True)


@app.command()
def close(
    ticket_id: Id,
    note: Annotated[str, typer.Option(help="For the desk; no customer sees it.")] = "",
    tenant: Tenant = None,
    config: ConfigFile = None,
) -> None:
    """End it: the bot answers the next question again."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    ticket = _at_the_desk(settings, lambda work: work.close(owner, ticket_id, note))
    typer.echo(f"{ticket.id} is closed", err=True)


def table(tickets: Sequence[Ticket], now: datetime, time_zone: str) -> list[str]:
    """A line per ticket under a line of heads; none without tickets. Columns are aligned also under Chinese names."""
    if not tickets:
        return []
    heads = ("ticket", "state", "opened", "for", "customer", "agent", "why")
    rows = [
        (
            ticket.id,
            str(ticket.state),
            _time(ticket.opened_at, time_zone),
            _duration((ticket.closed_at or now) - ticket.opened_at),
            ticket.customer_id or "anonymous",
            ticket.agent or "-",
            ", ".join(ticket.reasons),
        )
        for ticket in tickets
    ]
    rows = [tuple(map(_plain, row)) for row in rows]
    widths = [max(_width(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    return ["  ".join(map(_padded, row, widths)).rstrip() for row in (heads, *rows)]


def page(opened: Opened, time_zone: str) -> list[str]:
    """A ticket to be read: its packet, then the transcript."""
    ticket, packet = opened.ticket, opened.packet
    fields = {
        "ticket": ticket.id,
        "state": str(ticket.state) + (f", with {ticket.agent}" if ticket.agent else ""),
        "opened": _time(ticket.opened_at, time_zone),
        "customer": ticket.customer_id or "anonymous",
        "why": ", ".join(ticket.reasons),
        "about": str(packet.intent),
        "mood": packet.mood,
        "orders": ", ".join(packet.order_ids) or "-",
        "tried": "; ".join(" ".join((one.source, *one.entries, f"({one.finish_reason})")) for one in packet.tried) or "-",
        "summary": packet.summary,
        "note": ticket.note or "-",
    }
    lines = [f"{name:<9} {_plain(value)}" for name, value in fields.items()]
    lines.append("")
    for line in packet.transcript:
        who = f"{line.author} {line.name}".strip()
        lines += [f"{_time(line.at, time_zone)}  {_plain(who)}", *(f"    {_plain(part)}" for part in line.text.splitlines())]
    return lines


def _at_the_desk(settings: Config, call: Callable[[DeskWork], Awaitable[T]]) -> T:
    async def run() -> T:
        async with AsyncExitStack() as stack:
            engine = connect(str(settings.record.url))
            stack.push_async_callback(engine.dispose)
            redis = redis_client.connect(settings.redis, settings.home)
            stack.push_async_callback(redis.aclose)
            try:
                await create_tables(engine)
            except (SQLAlchemyError, OSError) as error:
                raise ConfigError(f"the record cannot be used ({type(error).__name__}): check `record.url`") from error
            shops = {name: HandoverShop.of(tenant) for name, tenant in settings.tenants.items()}
            tickets = SqlTickets(engine, [name for name, tenant in settings.tenants.items() if tenant.desk.webhook_url])
            sessions = RedisSessions(redis, ttl_s=settings.redis.session_ttl_s, turn_wait_s=settings.limits.turn_wait_s)
            work = DeskWork(tickets, SqlOutbox(engine), sessions, shops, SystemClock(), new_id, lambda _: None)
            return await call(work)

    return asyncio.run(run())


def _print_json(value: Any) -> None:
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def _time(instant: datetime, time_zone: str) -> str:
    return instant.astimezone(zone(time_zone)).strftime("%m-%d %H:%M")


def _duration(span: Any) -> str:
    minutes = int(span.total_seconds()) // 60
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


def _plain(text: str) -> str:
    """One line, without what would steer the terminal: customers wrote it."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _width(text: str) -> int:
    """In columns of a terminal."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
