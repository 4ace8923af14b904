"""How a shop declares the sources of its facts: the part of the configuration that connects a shop of one's own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from serve_app.domain.mapping import Converter
from serve_app.domain.sources import Part


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


# A secret by reference: "env:NAME" or "file:PATH" (a relative path lies in the data folder).
SecretRef = Annotated[str, Field(pattern=r"^(env|file):.+$")]


class BreakerSettings(Settings):
    """After `failures` failures in a row a source is left alone for `reset_s`, then tried by one request."""

    failures: int = Field(default=5, ge=1)
    """In a row, until the source is left alone."""
    reset_s: float = Field(default=10.0, gt=0)
    """Until one request tries it again."""


class FieldSettings(Settings):
    """Where a field comes from and how it is read: `{path: amount, as: major_units}`.

    `as` is one of `serve_app.domain.mapping.Converter`: major_units, local_time, utc_time, epoch_s, epoch_ms, json,
    masked_name, masked_phone.
    """

    path: str = Field(min_length=1)
    convert: Converter | None = Field(default=None, alias="as")


class SourceSettings(Settings):
    """What every source of facts has.

    `part` is what its rows are. `fields` maps our names to the source's (a dotted path reaches into nested JSON: `a.b`,
    `items[].id`, `items[0].id`); what is not named keeps its name. Several of our fields may come from one of theirs.
    `values` translates coded values per field: `{state: {"3": shipped}}`. `constants` are the same in every row. `needs` names
    what must be known first, as a path over our facts: `orders[].id`, `orders[].parcels[].tracking_no`; with `[]` the
    parameter is a list, and an empty one is not asked for.

    Rows find their place by `order_id` (lines, parcels, invoices), `line_id` (after_sales; also `order_id`, where lines are
    numbered within each order), `parcel_id` or `tracking_no` (parcel_events). Orders and the customer may also give
    `order_count`. A row with a `customer_id` of its own that is not the customer's is refused. Orders and coupons that are
    asked for by `order_ids`, `order_tails` or `tracking_nos` must give `customer_id`: what a question names may be anybody's.
    "Not found" is said of a named order only where every source of orders takes what was named, or sent `order_count` orders.

    Parameters of every source, as text: `customer_id`; lists `order_ids`, `order_tails`, `tracking_nos` (those that the
    question named, often none); integers `open_limit`, `now_s` and `today_s` (the start of the shop's day), since 1970.
    """

    name: str = Field(min_length=1)
    """Shown by `zerowait source check`, in logs and traces."""
    part: Part
    """What its rows are."""
    fields: dict[str, str | FieldSettings] = {}
    """Our field: theirs, or `{path, as}`."""
    values: dict[str, dict[str, Any]] = {}
    """Our field: `{their code: our value}`."""
    constants: dict[str, Any] = {}
    """Our field: the same in every row."""
    needs: dict[str, str] = {}
    """Parameter: a path over the facts, known first."""
    deadline_ms: int = Field(default=800, gt=0)
    """A later answer is left out."""
    pool_size: int = Field(default=8, ge=1)
    """Connections at most."""
    rows_max: int = Field(default=1000, ge=1)
    """More are an error: a query without a limit."""
    breaker: BreakerSettings = BreakerSettings()


class SqlSourceSettings(SourceSettings):
    """A query with named parameters: `:customer_id`, and a list as `id IN :order_ids`.

    Text parameters compare with text: where a column is a number, write `CAST(id AS TEXT) IN :order_ids`.
    """

    type: Literal["sql"] = "sql"
    url: str | None = None
    """SQLAlchemy's form; may hold `${NAME}` from the environment. Default: the demo shop's database."""
    query: str
    """With named parameters."""


class HttpSourceSettings(SourceSettings):
    """One GET. `url` is a template with the same parameters: `https://oms.example/customers/{customer_id}/orders`.

    Parameters are quoted; a list stands joined by commas. With `each: tracking_no` there is one GET for each value of that
    list, and `:tracking_no` is a path that gives a row the value it was asked for by.
    """

    type: Literal["http"] = "http"
    url: str
    """A template; may hold `${NAME}` from the environment."""
    headers: dict[str, SecretRef] = {}
    """Header: a secret's reference."""
    each: str | None = None
    """One GET for each value of this list parameter."""
    rows: str = ""
    """Path to the list (or the one object) in the reply; empty: the reply itself. `data.orders[].parcels?` reaches the
    parcels of every order, some of which may lack them; there `^.id` is a path to the order's id."""
    not_found_is_empty: bool = False
    """404 means that there are no rows."""
    body_bytes_max: int = Field(default=1024 * 1024, ge=1024)
    """A longer reply is refused."""


Source = Annotated[SqlSourceSettings | HttpSourceSettings, Field(discriminator="type")]
