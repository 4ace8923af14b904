"""Gathers a customer's facts from the declared sources: each as soon as it can be asked, none waited for too long."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from time import perf_counter
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from opentelemetry.trace import Span, StatusCode, get_current_span

from serve_app.adapters.breaker import Breaker
from serve_app.domain.assembling import Row, assemble, order_count, read_rows, select_orders, told_count
from serve_app.domain.errors import ConfigError, SourceFailed
from serve_app.domain.facts import Facts
from serve_app.domain.mapping import MappingError, RowMapping, map_row
from serve_app.domain.named_orders import OrdersReply, named_orders_known
from serve_app.domain.sources import PARTS, Part, Step, needed_for, values_at
from serve_app.ports import FactSource, FactsQuery
from serve_app.tracing import current, incoming, tracer
from serve_app.tracing import step as step_of

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A declared source and how it is asked."""

    step: Step
    source: FactSource
    mapping: RowMapping
    breaker: Breaker
    deadline_s: float
    takes: frozenset[str] = frozenset()  # how its query or URL names orders: of serve_app.domain.named_orders.NAMING

    @property
    def by_name(self) -> bool:
        """Whether rows that belong to nothing but the customer are asked for by what the question names."""
        return bool(self.takes) and self.step.part in ("orders", "coupons")


@dataclass(frozen=True, slots=True)
class TenantSources:
    """A tenant's sources, in the plan's order."""

    asked: tuple[Asked, ...]
    time_zone: ZoneInfo
    currency: str
    open_orders_max: int


@dataclass(frozen=True, slots=True)
class SourceReport:
    """How a source did. `not_asked`: what it needs could not be had."""

    name: str
    part: Part
    state: Literal["ok", "late", "down", "malformed", "not_asked"]
    reason: str = ""
    duration_ms: float = 0.0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Gathered:
    facts: Facts
    reports: tuple[SourceReport, ...]


class ContextGatherer:
    """The Context room's work; implements `serve_app.ports.ContextRoom`."""

    def __init__(self, tenants: Mapping[str, TenantSources]) -> None:
        self._tenants = tenants
        self._wanted: dict[tuple[str, frozenset[str]], TenantSources] = {}

    async def facts(self, query: FactsQuery) -> Facts:
        """Within `query.within_s`, whatever the sources do. Raises ConfigError for a tenant that is not configured."""
        gathered = await self.gather(query)
        for report in gathered.reports:
            if report.state in ("late", "down", "malformed"):
                log.warning("tenant %s: source %s is %s: %s", query.tenant, report.name, report.state, report.reason)
        return gathered.facts

    async def gather(self, query: FactsQuery) -> Gathered:
        """The facts, and how each source did. Raises ConfigError as `facts` does."""
        if query.tenant not in self._tenants:
            raise ConfigError(f"there is no tenant {query.tenant} in the configuration")
        sources = self._sources(query)
        # Where none came along, nobody traces.
        if not query.trace:
            return await _Gathering(sources, query).run()
        with tracer().start_as_current_span("context.facts", context=incoming(query.trace)) as span:
            gathered = await _Gathering(sources, query).run()
            span.set_attribute("zerowait.missing", gathered.facts.missing)
            return gathered

    def _sources(self, query: FactsQuery) -> TenantSources:
        """Those that are asked."""
        tenant = self._tenants[query.tenant]
        if query.parts is None:
            return tenant
        # There are no more combinations than of the parts.
        parts = query.parts.intersection(PARTS)
        wanted = self._wanted.get((query.tenant, parts))
        if wanted is None:
            names = needed_for([asked.step for asked in tenant.asked], parts)
            wanted = replace(tenant, asked=tuple(asked for asked in tenant.asked if asked.step.name in names))
            self._wanted[query.tenant, parts] = wanted
        return wanted

    async def aclose(self) -> None:
        for tenant in self._tenants.values():
            for asked in tenant.asked:
                await asked.source.close()


@dataclass
class _Gathering:
    """One query's course."""

    tenant: TenantSources
    query: FactsQuery
    rows: dict[Part, list[Row]] = field(default_factory=dict[Part, list[Row]])
    reports: dict[str, SourceReport] = field(default_factory=dict[str, SourceReport])
    lacking: set[Part] = field(default_factory=set[Part])
    orders_seen: int = 0
    orders_replies: list[OrdersReply] = field(default_factory=list[OrdersReply])
    all_orders_kept: bool = True
    _facts_so_far: Facts | None = None
    _standard: dict[str, Any] = field(init=False)

    async def run(self) -> Gathered:
        started = perf_counter()
        self._standard = standard_parameters(self.query, self.tenant)
        declared = {asked.step.part for asked in self.tenant.asked}
        self.lacking = set(PARTS) - declared
        tasks: dict[str, asyncio.Task[None]] = {}
        for asked in self.tenant.asked:
            before = [tasks[name] for name in asked.step.after]
            tasks[asked.step.name] = asyncio.create_task(self._take(asked, before, started))
        try:
            if tasks:
                await asyncio.wait(tasks.values())
        finally:
            for task in tasks.values():
                task.cancel()
        return Gathered(self._facts(), tuple(self.reports[asked.step.name] for asked in self.tenant.asked))

    async def _take(self, asked: Asked, before: Sequence[asyncio.Task[None]], started: float) -> None:
        """Takes one source's rows, or notes why there are none. Never raises."""
        step = asked.step
        if before:
            await asyncio.wait(before)
        begun = perf_counter()
        with step_of("context.source", current()):
            try:
                parameters = self._parameters(step)
                if parameters is None:
                    report = SourceReport(step.name, step.part, "not_asked", "what it needs could not be had")
                elif any(need.is_list and not parameters[name] for name, need in step.needs.items()):
                    report = SourceReport(step.name, step.part, "ok", "nothing to ask for")
                else:
                    left_s = self.query.within_s - (begun - started)
                    report = self._keep(asked, await _ask(asked, parameters, left_s))
            except SourceFailed as failure:
                report = SourceReport(step.name, step.part, failure.state, failure.reason)
            except Exception as error:  # noqa: BLE001 - no source may stop an answer; its words may hold a customer's data
                report = SourceReport(step.name, step.part, "down", f"an unexpected {type(error).__name__}")
            took_ms = (perf_counter() - begun) * 1000
            report = SourceReport(report.name, report.part, report.state, report.reason, took_ms, report.rows)
            _describe(get_current_span(), report)
        if report.state != "ok":
            self.lacking.add(step.part)
            self._facts_so_far = None
        self.reports[step.name] = report

    def _parameters(self, step: Step) -> dict[str, Any] | None:
        """What the source is asked with; None when something that it needs could not be had."""
        parameters = dict(self._standard)
        if step.needs:
            facts = self._facts()
            for name, need in step.needs.items():
                value = values_at(facts, need)
                if value is None or (not value and not need.parts.isdisjoint(self.lacking)):
                    return None
                parameters[name] = [str(each) for each in value] if need.is_list else str(value)
        return parameters

    def _keep(self, asked: Asked, raw: Sequence[Mapping[str, Any]]) -> SourceReport:
        step = asked.step
        mapped: list[dict[str, Any]] = []
        problems: list[str] = []
        for row in raw:
            try:
                mapped.append(map_row(row, asked.mapping))
            except MappingError as error:
                problems.append(str(error))
        reading = read_rows(step.part, mapped, self.query.customer_id, self.tenant.currency, by_name=asked.by_name)
        problems += reading.problems
        rows = self.rows.setdefault(step.part, [])
        rows += reading.rows
        self._facts_so_far = None
        if step.part == "orders":
            self.orders_seen += order_count(reading.rows, ())
            marks_named = all("named" in row.extras for row in reading.rows)
            reply = OrdersReply(asked.takes, len(reading.rows), told_count(reading.rows), marks_named)
            self.orders_replies.append(reply)
            query = self.query
            kept = select_orders(rows, self.tenant.open_orders_max, query.order_ids, query.order_tails)
            self.all_orders_kept = self.all_orders_kept and len(kept) == len(rows)
            rows[:] = kept
        if problems:
            reason = f"{len(problems)} of {len(raw)} rows left out: {problems[0]}"
            return SourceReport(step.name, step.part, "malformed", reason, rows=len(reading.rows))
        if reading.others:
            log.info("source %s: %d of %d rows are another customer's and were left out", step.name, reading.others, len(raw))
        return SourceReport(step.name, step.part, "ok", rows=len(reading.rows))

    def _facts(self) -> Facts:
        """Of the rows so far."""
        if self._facts_so_far is None:
            self._facts_so_far = self._assembled()
        return self._facts_so_far

    def _assembled(self) -> Facts:
        customer_rows = self.rows.get("customer", ())
        count = max(self.orders_seen, order_count((), customer_rows))
        known = named_orders_known(self._named(), self.orders_replies, told_count(customer_rows), all_kept=self.all_orders_kept)
        return assemble(self.query.now, self.rows, self.lacking, count, named_orders_known=known)

    def _named(self) -> frozenset[str]:
        named = {
            "order_ids": self.query.order_ids,
            "order_tails": self.query.order_tails,
            "tracking_nos": self.query.tracking_nos,
        }
        return frozenset(parameter for parameter, values in named.items() if values)


async def _ask(asked: Asked, parameters: dict[str, Any], left_s: float) -> Sequence[dict[str, Any]]:
    """Raises SourceFailed: late, down, malformed, or left alone by its breaker."""
    if left_s <= 0:
        raise SourceFailed(asked.step.name, "no time was left for it", "late")
    attempt = asked.breaker.attempt()
    try:
        rows = await _at_most(asked.source.fetch(parameters), min(asked.deadline_s, left_s))
    except TimeoutError:
        # A source that was cut short by the request's own budget has broken no promise.
        if left_s < asked.deadline_s:
            attempt.abandoned()
            raise SourceFailed(asked.step.name, "no reply in what was left of the request's time", "late") from None
        attempt.failed()
        raise SourceFailed(asked.step.name, f"no reply in {asked.deadline_s * 1000:.0f} ms", "late") from None
    except asyncio.CancelledError:
        attempt.abandoned()
        raise
    except SourceFailed as failure:
        # What a source misunderstands it has at least received: leaving it alone would not help.
        if failure.state == "malformed":
            attempt.succeeded()
        else:
            attempt.failed()
        raise
    except BaseException:
        attempt.failed()
        raise
    attempt.succeeded()
    return rows


# Fetches that were given up and are still being cleared away: a task that nothing holds may vanish.
_given_up: set[asyncio.Task[Any]] = set()


async def _at_most(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """Like `asyncio.wait_for`, but never waits for the cancelled work to clear up: closing a connection may take seconds."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task], timeout=seconds)
        if task.done():
            return task.result()
        raise TimeoutError
    finally:
        if not task.done():
            task.cancel()
            _given_up.add(task)
            task.add_done_callback(_forget)


def _forget(task: asyncio.Task[Any]) -> None:
    _given_up.discard(task)
    if not task.cancelled():
        task.exception()


def standard_parameters(query: FactsQuery, tenant: TenantSources) -> dict[str, Any]:
    """What every source may be asked with, whatever it needs besides."""
    local = query.now.astimezone(tenant.time_zone)
    today = datetime.combine(local.date(), time(), tenant.time_zone)
    return {
        "customer_id": query.customer_id,
        "order_ids": list(query.order_ids),
        "order_tails": list(query.order_tails),
        "tracking_nos": list(query.tracking_nos),
        "open_limit": tenant.open_orders_max,
        "now_s": int(query.now.timestamp()),
        "today_s": int(today.timestamp()),
    }


def _describe(span: Span, report: SourceReport) -> None:
    if not span.is_recording():
        return
    span.set_attributes({
        "zerowait.source": report.name, "zerowait.part": report.part,
        "zerowait.state": report.state, "zerowait.rows": report.rows,
    })  # fmt: skip
    if report.state != "ok":
        span.set_status(StatusCode.ERROR, report.reason)
