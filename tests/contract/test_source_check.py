"""`zerowait source check`, and the worked example of a shop over HTTP, started for real."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from serve_app.cli.source import app
from serve_app.demo.shop import make_shop
from tests.postgres import free_port

EXAMPLE = Path(__file__).parents[2] / "examples" / "http_shop"


def check(*arguments: str, **environ: str) -> Result:
    return CliRunner(env=environ).invoke(app, ["check", *arguments])


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("demo")
    make_shop(folder / "shop.db")
    return str(folder)


@pytest.fixture(scope="module")
def tea_shop() -> Iterator[str]:
    """The example's address."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "--app-dir",
        str(EXAMPLE),
        "shop:app",
        "--port",
        str(port),
        "--log-level",
        "error",
    ]
    process = subprocess.Popen(command, env=os.environ | {"SHOP_KEY": "k"})
    url = f"http://127.0.0.1:{port}"
    try:
        _await(url, process)
        yield url
    finally:
        process.terminate()
        process.wait()


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + 30
    while True:
        try:
            httpx.get(f"{url}/members/7", trust_env=False)
        except httpx.TransportError:
            if process.poll() is not None or time.monotonic() > give_up:
                pytest.fail("the example shop did not start")
            time.sleep(0.05)
        else:
            return


def test_the_demo_shop(data_dir: str) -> None:
    result = check("--customer", "C1001", ZEROWAIT_DATA_DIR=data_dir)
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["orders", "orders", "ok"] in [words[:3] for words in lines]
    assert ["orders[0].parcels[0].state", "in_transit"] in lines
    assert ["order_count", "3"] in lines
    assert result.stderr == ""


def test_a_named_order(data_dir: str) -> None:
    with closing(sqlite3.connect(f"{data_dir}/shop.db")) as connection:
        oldest = "SELECT id FROM orders WHERE customer_id = 'C1004' ORDER BY placed_s LIMIT 1"
        order_id = str(connection.execute(oldest).fetchone()[0])
    assert order_id not in check("--customer", "C1004", ZEROWAIT_DATA_DIR=data_dir).stdout
    assert order_id in check("--customer", "C1004", "--order", order_id, ZEROWAIT_DATA_DIR=data_dir).stdout
    assert order_id not in check("--customer", "C1001", "--order", order_id, ZEROWAIT_DATA_DIR=data_dir).stdout


def test_an_unknown_customer(data_dir: str) -> None:
    result = check("--customer", "nobody", ZEROWAIT_DATA_DIR=data_dir)
    assert result.exit_code == 0
    assert "none knows this customer" in result.stderr


def test_a_shop_that_was_not_made(tmp_path: Path) -> None:
    result = check("--customer", "C1001", ZEROWAIT_DATA_DIR=str(tmp_path))
    assert result.exit_code == 1
    assert "down" in result.stdout
    assert "zerowait setup" in result.stderr


def test_the_example_shop(tea_shop: str) -> None:
    result = check(
        "--customer", "7", "--tenant", "lantern-tea", "--config", str(EXAMPLE / "config.yaml"), SHOP_URL=tea_shop, SHOP_KEY="k"
    )
    assert result.exit_code == 0, result.output
    facts = dict(line.split(maxsplit=1) for line in result.stdout.split("\n\n")[1].splitlines())
    assert facts["order_count"] == "2"
    assert facts["customer.tier"] == "gold"
    assert facts["customer.phone"] == "138****2417"
    assert facts["orders[0].total_minor"] == "21600"
    assert facts["orders[0].lines[1].title_en"] == "Porcelain gaiwan"
    assert facts["orders[0].parcels[0].events[2].place"] == "杭州转运中心"
    assert "SHOP_KEY" not in result.output
    assert "coupons, after_sales, invoices" in result.stderr


def test_the_example_shop_refuses(tea_shop: str) -> None:
    secret = "hunter2"
    result = check(
        "--customer",
        "7",
        "--tenant",
        "lantern-tea",
        "--config",
        str(EXAMPLE / "config.yaml"),
        SHOP_URL=tea_shop,
        SHOP_KEY=secret,
    )
    assert result.exit_code == 1
    assert "HTTP 401" in result.stdout
    assert "traces is not_asked" in result.stderr
    assert secret not in result.output
