"""From the sources that the configuration declares to sources that can be asked."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from zoneinfo import ZoneInfo

from serve_app.adapters.breaker import Breaker
from serve_app.adapters.http_source import HttpSource
from serve_app.adapters.sql_query import SqlQuery
from serve_app.adapters.sql_source import SqlSource, sql_source
from serve_app.adapters.sqlite_source import SqliteSource
from serve_app.config import Config, secret
from serve_app.context.gathering import Asked, ContextGatherer, TenantSources
from serve_app.demo.sources import demo_sources, demo_url
from serve_app.domain.errors import ConfigError
from serve_app.domain.mapping import FieldPath, RowMapping
from serve_app.domain.named_orders import NAMING
from serve_app.domain.sources import SHAPES, Step, plan
from serve_app.source_settings import FieldSettings, HttpSourceSettings, Source, SqlSourceSettings
from serve_app.tenant_settings import TenantSettings

SCALARS: Mapping[str, type[str] | type[int]] = {"customer_id": str, "open_limit": int, "now_s": int, "today_s": int}


def gatherer(config: Config, environ: Mapping[str, str]) -> ContextGatherer:
    """A gatherer for every tenant of a resolved configuration. Nothing is asked yet.

    Raises ConfigError, naming the tenant, the source and the field.
    """
    tenants: dict[str, TenantSources] = {}
    for name, tenant in config.tenants.items():
        try:
            tenants[name] = _tenant_sources(tenant, config, environ)
        except ConfigError as error:
            raise ConfigError(f"tenants.{name}.sources: {error}") from error
    return ContextGatherer(tenants)


def _tenant_sources(tenant: TenantSettings, config: Config, environ: Mapping[str, str]) -> TenantSources:
    declared = demo_sources() if tenant.sources is None else tenant.sources
    zone = ZoneInfo(tenant.shop.time_zone)
    by_name = {settings.name: settings for settings in declared}
    steps = plan([(settings.name, settings.part, settings.needs) for settings in declared])
    asked = tuple(_asked(step, by_name[step.name], tenant, zone, config, environ) for step in steps)
    return TenantSources(asked, zone, tenant.shop.currency, tenant.open_orders_max)


def _asked(
    step: Step, settings: Source, tenant: TenantSettings, zone: ZoneInfo, config: Config, environ: Mapping[str, str]
) -> Asked:
    source = _source(step, settings, config, environ)
    asked = Asked(
        step=step,
        source=source,
        mapping=row_mapping(settings, zone, tenant.shop.currency),
        breaker=Breaker(settings.name, settings.breaker.failures, settings.breaker.reset_s),
        deadline_s=settings.deadline_ms / 1000,
        takes=source.parameters & NAMING.difference(step.needs),
    )
    if asked.by_name:
        _check_owner(settings)
    return asked


def _check_owner(settings: Source) -> None:
    """What a question names may be anybody's, so the shop's own system must say whose each row is."""
    where = f"source {settings.name}"
    if "customer_id" in settings.constants:
        raise ConfigError(f"{where}: constants.customer_id: it proves nothing; map fields.customer_id to what the row says")
    field = settings.fields.get("customer_id")
    path = field.path if isinstance(field, FieldSettings) else field
    if path is None and isinstance(settings, HttpSourceSettings):
        names = ", ".join(sorted(NAMING))
        raise ConfigError(f"{where}: fields.customer_id: it is needed where the url uses one of {names}")
    if path is not None and path.startswith(":"):
        raise ConfigError(f"{where}: fields.customer_id: {path} is what was asked, not what the shop says")


def row_mapping(settings: Source, zone: ZoneInfo, currency: str) -> RowMapping:
    """Raises ConfigError for a field that the part has not got."""
    shape = SHAPES[settings.part]
    for where, named in (("fields", settings.fields), ("values", settings.values), ("constants", settings.constants)):
        if unknown := sorted(set(named) - shape.names):
            known = ", ".join(sorted(shape.names))
            raise ConfigError(
                f"source {settings.name}: {where}.{unknown[0]}: {settings.part} have no such field; there are {known}"
            )
    return RowMapping(
        names=shape.names,
        time_zone=zone,
        currency=currency,
        fields={
            name: FieldPath(field) if isinstance(field, str) else FieldPath(field.path, field.convert)
            for name, field in settings.fields.items()
        },
        values=settings.values,
        constants=settings.constants,
        dates=shape.dates,
    )


def _source(step: Step, settings: Source, config: Config, environ: Mapping[str, str]) -> HttpSource | SqlSource | SqliteSource:
    lists = NAMING.difference(step.needs) | {name for name, need in step.needs.items() if need.is_list}
    scalars = {**SCALARS, **dict.fromkeys(step.needs, str)}
    scalars = {name: kind for name, kind in scalars.items() if name not in lists}
    if isinstance(settings, SqlSourceSettings):
        return _sql_source(settings, lists, scalars, config, environ)
    return _http_source(settings, lists, scalars, config, environ)


def _sql_source(
    settings: SqlSourceSettings,
    lists: Collection[str],
    scalars: Mapping[str, type[str] | type[int]],
    config: Config,
    environ: Mapping[str, str],
) -> SqlSource | SqliteSource:
    paths = [field if isinstance(field, str) else field.path for field in settings.fields.values()]
    query = SqlQuery(
        settings.name,
        settings.query,
        scalars=scalars,
        lists=lists,
        columns={re.split(r"[.\[]", path)[0] for path in paths},
        rows_max=settings.rows_max,
    )
    url = demo_url(config.home) if settings.url is None else _filled(settings.url, settings.name, environ)
    return sql_source(query, url, pool_size=settings.pool_size, pool_timeout_s=settings.deadline_ms / 1000)


def _http_source(
    settings: HttpSourceSettings, lists: Collection[str], scalars: Collection[str], config: Config, environ: Mapping[str, str]
) -> HttpSource:
    return HttpSource(
        settings.name,
        _filled(settings.url, settings.name, environ),
        scalars=scalars,
        lists=lists,
        headers={name: secret(reference, config.home, environ) for name, reference in settings.headers.items()},
        rows=settings.rows,
        each=settings.each,
        not_found_is_empty=settings.not_found_is_empty,
        pool_size=settings.pool_size,
        timeout_s=settings.deadline_ms / 1000,
        rows_max=settings.rows_max,
        body_bytes_max=settings.body_bytes_max,
    )


def _filled(url: str, name: str, environ: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in environ:
            raise ConfigError(f"source {name}: url: the environment variable {found[1]} is not set")
        return environ[found[1]]

    return re.sub(r"\$\{(\w+)\}", value, url)
