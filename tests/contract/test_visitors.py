"""Visitors' tokens: made by the page's server, taken where an API key may stand, for asking alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from serve_app.adapters.auth import KeyAndTokenAuthenticator, ensure_token_secret, new_token
from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_keys import SqlKeys
from serve_app.adapters.visitor_tokens import AUDIENCE, Visitor, VisitorTokens, ensure_visitor_secret
from serve_app.domain.errors import Forbidden, NotReady, Unauthenticated
from serve_app.domain.messages import Caller
from serve_app.tenant_settings import TenantSettings, TokenSettings, WebSettings


class HandClock:
    def __init__(self) -> None:
        self.passed_s = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 24, 4, 0, tzinfo=UTC) + timedelta(seconds=self.passed_s)

    def monotonic(self) -> float:
        return 1000 + self.passed_s


class Door:
    """An authenticator and what makes the tokens. `demo` is the demo shop; `tea` is another shop with sources of its own."""

    def __init__(self, keys: SqlKeys, home: Path) -> None:
        self.home = home
        self.clock = HandClock()
        self.secret = ensure_visitor_secret(home)
        (home / "tea").write_text("t" * 32)
        tea = TenantSettings(sources=(), tokens=TokenSettings(secret="file:tea"), web=WebSettings(visitor_secret="file:tea"))
        self.tenants = {"demo": TenantSettings(), "tea": tea, "bare": TenantSettings(web=WebSettings(visitor_secret="file:no"))}
        self.tokens = VisitorTokens(self.tenants, home, self.clock)
        self.authenticator = KeyAndTokenAuthenticator(keys, self.tenants, home, self.clock)

    async def caller(self, token: str, customer_token: str | None = None, scope: str = "ask") -> Caller:
        return await self.authenticator.caller(token, customer_token, scope)

    def signed(self, secret: str | None = None, **changes: Any) -> str:
        claims = {"aud": AUDIENCE, "tenant": "demo", "exp": self.clock.now().timestamp() + 60} | changes
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, secret or self.secret, algorithm="HS256")


@pytest.fixture
async def door(tmp_path: Path) -> AsyncGenerator[Door]:
    engine = connect(f"sqlite+aiosqlite:///{tmp_path}/record.db")
    await create_tables(engine)
    yield Door(SqlKeys(engine), tmp_path)
    await engine.dispose()


async def test_a_visitor_may_ask_and_nothing_else(door: Door):
    token, expires_at = door.tokens.make(Visitor("demo"))
    assert expires_at == door.clock.now() + timedelta(hours=1)
    assert await door.caller(token) == Caller("demo")
    for scope in ("admin", "ops"):
        with pytest.raises(Forbidden, match=scope):
            await door.caller(token, scope=scope)


async def test_in_the_demo_shop_a_visitor_is_the_customer_that_was_chosen(door: Door):
    token, _ = door.tokens.make(Visitor("demo", "C1001"))
    assert await door.caller(token) == Caller("demo", "C1001")


async def test_elsewhere_no_visitor_is_a_customer(door: Door):
    with pytest.raises(Unauthenticated, match="demo shop"):
        await door.caller(door.signed("t" * 32, tenant="tea", sub="C1001"))


async def test_a_customers_own_token_says_who_an_anonymous_visitor_is(door: Door):
    token, _ = door.tokens.make(Visitor("tea"))
    customer = new_token("T7", door.tenants["tea"], 60, door.clock.now(), door.home)
    assert await door.caller(token, customer) == Caller("tea", "T7")
    elsewhere = new_token("C1001", door.tenants["demo"], 60, door.clock.now(), door.home)
    with pytest.raises(Unauthenticated):
        await door.caller(token, elsewhere)


async def test_a_chosen_customer_and_another_customers_token_do_not_go_together(door: Door):
    token, _ = door.tokens.make(Visitor("demo", "C1001"))
    theirs = new_token("C1002", door.tenants["demo"], 60, door.clock.now(), door.home)
    same = new_token("C1001", door.tenants["demo"], 60, door.clock.now(), door.home)
    assert await door.caller(token, same) == Caller("demo", "C1001")
    with pytest.raises(Forbidden):
        await door.caller(token, theirs)


async def test_a_token_ends_by_the_clock(door: Door):
    token, _ = door.tokens.make(Visitor("demo"))
    door.clock.passed_s = 3599
    assert await door.caller(token) == Caller("demo")
    door.clock.passed_s = 3600
    with pytest.raises(Unauthenticated, match="expired"):
        await door.caller(token)


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "x" * 32},
        {"aud": None},
        {"aud": "anybody"},
        {"exp": None},
        {"exp": "soon"},
        {"tenant": None},
        {"tenant": "elsewhere"},
        {"tenant": ["demo"]},
        {"tenant": "tea"},
        {"sub": ""},
        {"sub": "C\n1"},
        {"sub": 7},
    ],
)
async def test_a_forged_or_incomplete_token_is_refused(door: Door, changes: dict[str, Any]):
    try:
        token = door.signed(**changes)
    except TypeError:
        pytest.skip("the library makes no such token")
    with pytest.raises(Unauthenticated):
        await door.caller(token)


@pytest.mark.parametrize("token", ["a.b.c", "..", "é.é.é", "x." * 2 + "x" * 9000, "e30.e30."])
async def test_what_is_no_token_is_refused(door: Door, token: str):
    with pytest.raises(Unauthenticated):
        await door.caller(token)


async def test_a_token_without_a_signature_is_refused(door: Door):
    claims = {"aud": AUDIENCE, "tenant": "demo", "sub": "C1001", "exp": door.clock.now().timestamp() + 60}
    with pytest.raises(Unauthenticated):
        await door.caller(jwt.encode(claims, "", algorithm="none"))


async def test_a_visitors_token_is_no_customers_token(door: Door):
    visitor, _ = door.tokens.make(Visitor("tea"))
    with pytest.raises(Unauthenticated):
        await door.caller(visitor, visitor)
    ensure_token_secret(door.home)
    chosen, _ = door.tokens.make(Visitor("demo", "C1001"))
    with pytest.raises(Unauthenticated):
        await door.caller(door.signed(), chosen)


async def test_a_customers_token_is_no_visitors_token(door: Door):
    with pytest.raises(Unauthenticated):
        await door.caller(new_token("C1001", door.tenants["demo"], 60, door.clock.now(), door.home))


async def test_without_its_secret_nobody_is_let_in_and_it_says_that_it_is_not_ready(door: Door):
    with pytest.raises(NotReady):
        await door.caller(door.signed(tenant="bare"))
