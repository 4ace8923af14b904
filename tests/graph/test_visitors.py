"""The chat page's files and its visitors, over HTTP."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from serve_app.adapters import record
from serve_app.demo.knowledge import publish_demo
from tests.graph.front import Front, serving
from tests.packaged import saying

TEA = {"sources": [], "web": {"origins": ["https://shop.example"]}, "tokens": {"secret": "env:TEA_SECRET"}}


@pytest.fixture(scope="module")
async def front(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, packaged_model: Path) -> AsyncGenerator[Front]:
    """Three tenants: the demo shop, and two with sources of their own."""
    home = tmp_path_factory.mktemp("visitors")
    tea = {**TEA, "shop": {"id": "tea", "name_zh": "茶</script>铺", "name_en": "Tea"}}
    mine = {"sources": [], "shop": {"id": "mine"}, "tokens": {"secret": "env:MINE_SECRET"}}
    async with serving(
        home,
        valkey_url,
        packaged_model,
        saying(),
        tenants={"demo": {}, "tea": tea, "mine": mine},
        limits={"visitors_per_minute": 40},
    ) as running:
        yield running


async def let_in(front: Front, origin: str | None = None, **body: str) -> httpx.Response:
    headers = {} if origin is None else {"origin": origin}
    return await front.client.post("/v1/visitors", json=body, headers=headers)


async def test_a_visitor_asks_as_the_customer_that_was_chosen(front: Front) -> None:
    made = await let_in(front, tenant="demo", customer_id="C1001")
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    visitor = made.json()
    assert {"token", "expires_at", "tenant", "customer_id", "demo_customers"} == set(visitor)
    assert "C1001" in {customer["id"] for customer in visitor["demo_customers"]}
    headers = {"authorization": f"Bearer {visitor['token']}"}
    asked = await front.client.post("/v1/ask", json={"question": "我的快递到哪了"}, headers=headers)
    assert asked.status_code == 200
    assert asked.json()["cards"][0]["data"]["order_id"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"tenant": "nobody"}, 404),
        ({"tenant": "tea", "customer_id": "T1"}, 403),
        ({"tenant": "demo", "customer_id": "a b"}, 422),
        ({"tenant": "demo", "scope": "admin"}, 422),
    ],
)
async def test_what_is_asked_wrongly_is_refused(front: Front, body: dict[str, str], status: int) -> None:
    refused = await let_in(front, **body)
    assert refused.status_code == status
    assert refused.json()["error"]["message"]


async def test_only_our_own_page_and_the_shops_get_a_token(front: Front) -> None:
    own = f"http://{front.host}:{front.port}"
    assert (await let_in(front, own, tenant="demo")).status_code == 201
    assert (await let_in(front, "https://evil.example", tenant="demo")).status_code == 403
    shops = await let_in(front, "https://shop.example", tenant="tea")
    assert shops.status_code == 201
    assert shops.json()["demo_customers"] == []
    assert shops.headers["access-control-allow-origin"] == "https://shop.example"
    assert (await let_in(front, "https://shop.example", tenant="demo")).status_code == 403
    ask_first = {
        "origin": "https://shop.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    assert (await front.client.options("/v1/visitors", headers=ask_first)).status_code == 200


async def test_the_page_is_safe_small_and_holds_no_key(front: Front) -> None:
    page = await front.client.get("/", params={"tenant": "demo"})
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http:" not in policy
    assert "frame-ancestors 'self';" in policy + ";"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<script(?![^>]*(src=|application/json))|\son\w+=|style=", page.text), "nothing inline"
    paths = [path for path in re.findall(r'(?:src|href)="([^"#]+)"', page.text) if not path.startswith("#")]
    assert all(path.startswith("/web/") for path in paths), "no outside host"
    total = len(gzip.compress(page.content))
    for path in dict.fromkeys(paths):
        file = await front.client.get(path, headers={"accept-encoding": "gzip"})
        assert file.status_code == 200
        assert "immutable" in file.headers["cache-control"]
        assert front.key not in file.text
        assert not re.search(r"https?://(?!www\.w3\.org/)\w", file.text), f"{path} names an outside host"
        total += int(file.headers["content-length"])
    assert total < 60_000


async def test_a_shop_in_which_a_name_looks_like_markup(front: Front) -> None:
    page = await front.client.get("/", params={"tenant": "tea"})
    found = re.search(r'id="shop">(.*?)</script>', page.text)
    assert found is not None
    assert json.loads(found[1])["name"]["zh"] == "茶</script>铺"
    assert "frame-ancestors 'self' https://shop.example" in page.headers["content-security-policy"]


async def test_a_shops_own_page_begins_with_questions_of_its_own_knowledge(front: Front) -> None:
    engine = record.connect(str(front.config.record.url))
    try:
        await publish_demo(engine, "mine", datetime.now(UTC))
    finally:
        await engine.dispose()
    page = await front.client.get("/", params={"tenant": "mine"})
    found = re.search(r'id="shop">(.*?)</script>', page.text)
    assert found is not None
    told = json.loads(found[1])["starters"]
    assert {len(told[language][whose]) for language in ("zh", "en") for whose in ("anonymous", "customer")} == {6}
    assert told["zh"]["customer"][0] == "我的快递到哪了？"
    demo = await front.client.get("/", params={"tenant": "demo"})
    assert '"starters":null' in demo.text


async def test_the_browser_keeps_what_has_not_changed(front: Front) -> None:
    page = await front.client.get("/", params={"tenant": "demo"})
    again = await front.client.get("/", params={"tenant": "demo"}, headers={"if-none-match": page.headers["etag"]})
    assert again.status_code == 304
    head = await front.client.head("/", params={"tenant": "demo"})
    assert head.status_code == 200
    assert not head.content
    other = await front.client.get("/web/another-version/chat.js")
    assert other.status_code == 200
    assert other.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/web/v/", "/web/v/nothing.js", "/web/v/..%2F..%2Fconfig.py", "/web/v/index.html", "/web/"])
async def test_nothing_else_is_given_away(front: Front, path: str) -> None:
    assert (await front.client.get(path)).status_code == 404


async def test_there_are_only_so_many_visitors_a_minute(front: Front) -> None:
    replies = [await let_in(front, tenant="demo") for _ in range(41)]
    assert replies[-1].status_code == 429
    assert replies[-1].json()["error"]["code"] == "rate_limited"
    assert 1 <= int(replies[-1].headers["retry-after"]) <= 60
