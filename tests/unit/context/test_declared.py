"""What a configuration's mistakes in its sources are told as."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from serve_app.config import Config
from serve_app.context import gatherer
from serve_app.demo.sources import demo_sources
from serve_app.domain.errors import ConfigError
from serve_app.domain.sources import PARTS
from serve_app.source_settings import Source
from serve_app.tenant_settings import TenantSettings


def build(*sources: dict[str, Any], environ: dict[str, str] | None = None, **shop: Any) -> None:
    declared = TypeAdapter(tuple[Source, ...]).validate_python(sources)
    tenant = TenantSettings.model_validate({"shop": shop, "sources": declared})
    gatherer(Config(data_dir=Path("/nowhere"), tenants={"tea": tenant}).resolved({}), environ or {})


def sql(**changes: Any) -> dict[str, Any]:
    return {
        "type": "sql",
        "name": "trades",
        "part": "orders",
        "url": "sqlite+aiosqlite:////nowhere/shop.db",
        "query": "SELECT 1",
    } | changes


def http(**changes: Any) -> dict[str, Any]:
    return {"type": "http", "name": "trades", "part": "orders", "url": "http://shop/{customer_id}"} | changes


def test_the_demo_shop_declares_every_part() -> None:
    assert {source.part for source in demo_sources()} == set(PARTS)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (sql(fields={"stat": "st"}), "source trades: fields.stat: orders have no such field; there are address"),
        (sql(values={"stat": {"1": "paid"}}), "values.stat"),
        (sql(constants={"colour": "red"}), "constants.colour"),
        (sql(fields={"lines": "items"}), "fields.lines"),
        (sql(query="SELECT :who"), "unknown parameter :who"),
        (sql(url="${SHOP_DB}"), "the environment variable SHOP_DB is not set"),
        (sql(url="nonsense"), "this is no address of a database"),
        (sql(needs={"ids": "parcels"}), "parcels is no path over the facts"),
        (http(url="http://shop/{who}"), "unknown parameter who"),
        (http(headers={"X-Key": "env:SHOP_KEY"}), "the environment variable SHOP_KEY is not set"),
        (http(each="customer_id"), "customer_id is no list"),
        (http(url="http://shop/o?ids={order_ids}"), "fields.customer_id: it is needed where the url uses one of order_ids"),
        (http(url="http://shop/o?no={tracking_nos}", constants={"customer_id": "7"}), "constants.customer_id: it proves"),
        (sql(query="SELECT 1 WHERE 1 IN :order_tails", constants={"customer_id": "7"}), "constants.customer_id: it proves"),
        (
            http(url="http://shop/{order_ids}", each="order_ids", fields={"customer_id": ":order_ids"}),
            "fields.customer_id: :order_ids is what was asked",
        ),
    ],
)
def test_a_mistake_is_named_with_its_tenant_source_and_field(source: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(source)
    assert str(caught.value).startswith("tenants.tea.sources: ")
    assert said in str(caught.value)


def test_a_source_asked_by_what_the_question_names_says_whose_each_row_is() -> None:
    build(http(url="http://shop/o?ids={order_ids}", fields={"customer_id": "buyer"}))
    build(sql(query="SELECT id, customer_id FROM orders WHERE id IN :order_ids"))


def test_a_need_may_take_a_standard_parameter_s_name() -> None:
    build(sql(), sql(name="boxes", part="parcels", needs={"order_ids": "orders[].id"}, query="SELECT 1 WHERE 1 IN :order_ids"))
    build(http(), http(name="boxes", part="parcels", needs={"nos": "orders[].id"}, each="nos", url="http://shop/{nos}"))


def test_addresses_and_secrets_come_from_the_environment() -> None:
    environ = {"SHOP_URL": "http://shop", "SHOP_KEY": "k"}
    build(http(url="${SHOP_URL}/{customer_id}", headers={"X-Key": "env:SHOP_KEY"}), environ=environ)
