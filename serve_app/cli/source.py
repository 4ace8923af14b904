"""`zerowait source`: what the shop's systems say about a customer, as ZeroWait reads it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, cast

import typer
from pydantic import BaseModel

from serve_app.cli.key import ConfigFile, chosen_tenant, read_config
from serve_app.config import Config
from serve_app.context import Gathered, SourceReport, gatherer
from serve_app.domain.facts import Facts
from serve_app.domain.sources import PARTS
from serve_app.ports import FactsQuery

app = typer.Typer(no_args_is_help=True, help="Check the sources of the shop's facts.")

# Each source has its own deadline; the whole is given as long as it takes.
WITHIN_S = 300.0

WHAT_TO_DO = {
    "late": "make it quicker, or raise its deadline_ms",
    "down": "check that it runs, its url, its credentials and its query",
    "malformed": "compare its fields, values and rows with what it sends",
    "not_asked": "mend the source that it needs first",
}


@app.callback()
def several() -> None:
    """Check the sources of the shop's facts."""


@app.command()
def check(
    customer: Annotated[str, typer.Option(help="Whose facts: a customer's id, such as C1001.")],
    tenant: Annotated[str | None, typer.Option(help="Whose customer it is. [default: the only one]")] = None,
    order: Annotated[list[str] | None, typer.Option(help="An order to name, by its id; may be repeated.")] = None,
    config: ConfigFile = None,
) -> None:
    """Ask every source about a customer; show how each did and the facts that came of it. Status 1 when one failed."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    query = FactsQuery(owner, customer, datetime.now(UTC), WITHIN_S, order_ids=tuple(order or ()))
    gathered = asyncio.run(_gather(settings, query))
    for line in (*report_lines(gathered.reports), "", *fact_lines(gathered.facts)):
        typer.echo(line)
    for line in advice(gathered, is_demo=settings.tenants[owner].sources is None):
        typer.echo(line, err=True)
    raise typer.Exit(any(report.state != "ok" for report in gathered.reports))


async def _gather(settings: Config, query: FactsQuery) -> Gathered:
    sources = gatherer(settings, os.environ)
    try:
        return await sources.gather(query)
    finally:
        await sources.aclose()


def report_lines(reports: Sequence[SourceReport]) -> list[str]:
    """A line per source: state, time, rows, reason."""
    heads = ("source", "part", "state", "ms", "rows", "")
    rows = [
        (report.name, report.part, report.state, f"{report.duration_ms:.1f}", str(report.rows), report.reason)
        for report in reports
    ]
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (heads, *rows)]


def fact_lines(facts: Facts) -> list[str]:
    """A line per fact, by its path: `orders[0].parcels[0].state  in_transit`."""
    found = [("order_count", str(facts.order_count)), *_flat("customer", facts.customer), *_flat("orders", facts.orders)]
    width = max(len(path) for path, _ in found)
    return [f"{path.ljust(width)}  {value}" for path, value in found]


def _flat(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _flat(f"{path}.{name}", getattr(value, name))
    elif isinstance(value, tuple):
        for number, item in enumerate(cast(tuple[object, ...], value)):
            yield from _flat(f"{path}[{number}]", item)
    elif value is not None:
        yield path, str(value)


def advice(gathered: Gathered, *, is_demo: bool) -> list[str]:
    """What to do about what went wrong, and what the answers will lack."""
    lines = [
        f"{report.name} is {report.state}: {WHAT_TO_DO[report.state]}" for report in gathered.reports if report.state != "ok"
    ]
    if lines and is_demo:
        lines.append("the demo shop's database is made by `zerowait setup`")
    declared = {report.part for report in gathered.reports}
    if absent := [part for part in PARTS if part not in declared]:
        lines.append(f"no source gives {', '.join(absent)}: questions that need them go to a person")
    if (
        all(report.state == "ok" for report in gathered.reports)
        and gathered.facts.customer is None
        and not gathered.facts.orders
    ):
        lines.append("every source answered, and none knows this customer")
    return lines
