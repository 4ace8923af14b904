"""Who is asking: real keys in SQLite, real JWTs, and an issuer that publishes its keys over HTTP."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import threading
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from serve_app.adapters.auth import KeyAndTokenAuthenticator, bearer, ensure_token_secret, new_token
from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_keys import SqlKeys
from serve_app.domain.errors import ConfigError, Forbidden, NotReady, StoreFailed, Unauthenticated
from serve_app.domain.messages import Caller
from serve_app.ports import KeyGrant
from serve_app.tenant_settings import TenantSettings, TokenSettings
from tests.postgres import free_port

SECRET = "s" * 32


class TestClock:
    __test__ = False

    def __init__(self) -> None:
        self.passed_s = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 24, 4, 0, tzinfo=UTC) + timedelta(seconds=self.passed_s)

    def monotonic(self) -> float:
        return 1000 + self.passed_s


class CountedKeys(SqlKeys):
    """Counts how often the record is asked, and can go away."""

    asked = 0
    away = False

    async def find(self, key: str) -> KeyGrant | None:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise StoreFailed("away")
        return await super().find(key)


class Desk:
    """An authenticator with all that it stands on. Tenant `hs` shares a secret, `rs` and `es` have an issuer."""

    def __init__(self, keys: CountedKeys, home: Path, tenants: dict[str, TenantSettings]) -> None:
        self.keys = keys
        self.home = home
        self.clock = TestClock()
        self.authenticator = KeyAndTokenAuthenticator(keys, tenants, home, self.clock)

    async def key(self, tenant: str = "hs", *scopes: str) -> str:
        return (await self.keys.create(tenant, frozenset(scopes or {"ask"}), "", self.clock.now()))[1]

    def claims(self, **changes: Any) -> dict[str, Any]:
        claims = {"sub": "C1001", "exp": self.clock.now().timestamp() + 60} | changes
        return {name: value for name, value in claims.items() if value is not None}

    async def customer(self, token: str, tenant: str = "hs") -> str | None:
        return (await self.authenticator.caller(await self.key(tenant), token, "ask")).customer_id


class Issuer:
    """Publishes keys at `url`, or fails in the way that `trouble` says."""

    def __init__(self) -> None:
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.published = {"r1": RSAAlgorithm.to_jwk(self.rsa.public_key()), "e1": ECAlgorithm.to_jwk(self.ec.public_key())}
        self.fetched = 0
        self.trouble: str | None = None
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.fetched += 1
                keys = [json.loads(jwk) | {"kid": kid, "use": "sig"} for kid, jwk in issuer.published.items()]
                body = issuer.trouble or json.dumps({"keys": keys})
                self.send_response(500 if issuer.trouble == "500" else 200)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks.json"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def issuer() -> Generator[Issuer]:
    made = Issuer()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
async def desk(tmp_path: Path, issuer: Issuer) -> AsyncGenerator[Desk]:
    (tmp_path / "secret").write_text(SECRET)
    engine = connect(f"sqlite+aiosqlite:///{tmp_path}/record.db")
    await create_tables(engine)
    tokens = {
        "hs": TokenSettings(secret="file:secret"),
        "strict": TokenSettings(secret="file:secret", issuer="https://shop", audience="zerowait"),
        "rs": TokenSettings(algorithm="RS256", jwks_url=issuer.url),
        "es": TokenSettings(algorithm="ES256", jwks_url=issuer.url),
        "away": TokenSettings(algorithm="RS256", jwks_url=f"http://127.0.0.1:{free_port()}/"),
        "unset": TokenSettings(secret="file:no-such-file"),
        "weak": TokenSettings(secret="file:weak"),
    }
    (tmp_path / "weak").write_text("short")
    yield Desk(CountedKeys(engine), tmp_path, {name: TenantSettings(tokens=one) for name, one in tokens.items()})
    await engine.dispose()


def signed(claims: dict[str, Any], key: Any = SECRET, algorithm: str = "HS256", **headers: Any) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers or None)


# Keys


async def test_a_key_says_whose_it_is(desk: Desk):
    assert await desk.authenticator.caller(await desk.key("hs"), None, "ask") == Caller("hs", None)


@pytest.mark.parametrize("key", [None, "", "zw_unknown", "nonsense", "zw_\ud800", "zw_\x00" * 9999])
async def test_without_a_good_key_nobody_is_let_in(desk: Desk, key: str | None):
    with pytest.raises(Unauthenticated):
        await desk.authenticator.caller(key, None, "ask")


async def test_a_scope_that_the_key_lacks_is_forbidden(desk: Desk):
    key = await desk.key("hs", "ask", "ops")
    await desk.authenticator.caller(key, None, "ops")
    with pytest.raises(Forbidden, match="admin"):
        await desk.authenticator.caller(key, None, "admin")


async def test_a_tenant_that_is_not_configured_is_not_let_in(desk: Desk):
    with pytest.raises(Unauthenticated):
        await desk.authenticator.caller(await desk.key("elsewhere"), None, "ask")


async def test_a_revocation_takes_effect_within_two_seconds(desk: Desk):
    key = await desk.key()
    await desk.authenticator.caller(key, None, "ask")
    (grant,) = await desk.keys.list("hs")
    await desk.keys.revoke(grant.id, desk.clock.now())
    desk.clock.passed_s += 2
    with pytest.raises(Unauthenticated):
        await desk.authenticator.caller(key, None, "ask")


async def test_the_record_is_asked_once_for_many_requests(desk: Desk):
    key = await desk.key()
    await asyncio.gather(*(desk.authenticator.caller(key, None, "ask") for _ in range(50)))
    await desk.authenticator.caller(key, None, "ask")
    assert desk.keys.asked == 1
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            await desk.authenticator.caller("zw_unknown", None, "ask")
    assert desk.keys.asked == 2


async def test_a_request_that_goes_away_does_not_end_the_others(desk: Desk):
    key = await desk.key()
    first, second = (asyncio.create_task(desk.authenticator.caller(key, None, "ask")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == Caller("hs")
    assert desk.keys.asked == 1


async def test_without_the_record_it_is_not_ready(desk: Desk):
    key = await desk.key()
    desk.keys.away = True
    with pytest.raises(NotReady):
        await desk.authenticator.caller(key, None, "ask")
    desk.keys.away = False
    assert await desk.authenticator.caller(key, None, "ask") == Caller("hs")


async def test_a_record_that_is_silent_counts_as_one_that_is_away(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("serve_app.adapters.auth.LOOK_UP_WITHIN_S", 0.001)
    key = await desk.key()
    monkeypatch.setattr(desk.keys, "find", lambda _: asyncio.Event().wait())
    with pytest.raises(NotReady):
        await desk.authenticator.caller(key, None, "ask")
    monkeypatch.undo()
    assert await desk.authenticator.caller(key, None, "ask") == Caller("hs"), "nothing is joined that is lost"


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Bearer zw_x", "zw_x"),
        ("bearer   zw_x ", "zw_x"),
        ("Basic zw_x", None),
        ("zw_x", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("", None),
        (None, None),
    ],
)
def test_the_key_is_read_from_the_header(header: str | None, key: str | None):
    assert bearer(header) == key


# Customers' tokens


async def test_a_good_token_says_who_the_customer_is(desk: Desk):
    assert await desk.customer(signed(desk.claims())) == "C1001"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"exp": None}, "lacks the claim `exp`"),
        ({"sub": None}, "lacks the claim `sub`"),
        ({"exp": 0}, "expired"),
        ({"exp": "tomorrow"}, "time"),
        ({"exp": True}, "time"),
        ({"exp": float("inf")}, "time"),
        ({"exp": float("nan")}, "time"),
        ({"nbf": "soon"}, "time"),
        ({"nbf": 1e12}, "not valid yet"),
        ({"sub": ""}, "sub"),
        ({"sub": "  "}, "sub"),
        ({"sub": "C\n1"}, "sub"),
        ({"sub": "x" * 129}, "sub"),
    ],
)
async def test_an_incomplete_or_late_token_is_refused_with_its_reason(desk: Desk, changes: dict[str, Any], why: str):
    claims = {"exp": desk.clock.now().timestamp() + 60, "sub": "C1001"} | changes
    with pytest.raises(Unauthenticated, match=why):
        await desk.customer(signed({name: value for name, value in claims.items() if value is not None}))


async def test_a_subject_that_is_not_text_is_refused(desk: Desk):
    for subject in (1001, ["C1001"], {"id": "C1001"}, True):
        token = _signed_by_hand({"alg": "HS256"}, desk.claims(sub=subject), SECRET.encode())
        with pytest.raises(Unauthenticated):
            await desk.customer(token)


async def test_a_token_expires_by_the_clock_with_a_little_leeway(desk: Desk):
    token = signed(desk.claims(exp=desk.clock.now().timestamp() + 60))
    desk.clock.passed_s = 69
    assert await desk.customer(token) == "C1001"
    desk.clock.passed_s = 70
    with pytest.raises(Unauthenticated, match="expired"):
        await desk.customer(token)


@pytest.mark.parametrize("token", ["x", "a.b.c", "....", "\ud800", "é.é.é", "x" * 9000, "e30.e30."])
async def test_what_is_no_token_is_refused(desk: Desk, token: str):
    for tenant in ("hs", "rs"):
        with pytest.raises(Unauthenticated):
            await desk.customer(token, tenant)


async def test_a_forged_token_is_refused(desk: Desk):
    good = signed(desk.claims())
    head, body, signature = good.split(".")
    other = _part(desk.claims(sub="C1002"))
    unsigned = f"{_part({'alg': 'none'})}.{body}."
    for token in (signed(desk.claims(), "x" * 32), f"{head}.{other}.{signature}", f"{head}.{body}.", unsigned):
        with pytest.raises(Unauthenticated):
            await desk.customer(token)


async def test_another_algorithm_than_the_tenants_is_refused(desk: Desk, issuer: Issuer):
    for algorithm in ("HS384", "HS512"):
        with pytest.raises(Unauthenticated):
            await desk.customer(signed(desk.claims(), SECRET * 2, algorithm))
    with pytest.raises(Unauthenticated):
        await desk.customer(signed(desk.claims(), issuer.rsa, "RS256", kid="r1"))
    with pytest.raises(Unauthenticated):
        await desk.customer(signed(desk.claims(), issuer.ec, "ES256", kid="e1"), "rs")


async def test_the_published_key_does_not_serve_as_a_shared_secret(desk: Desk, issuer: Issuer):
    """The classic confusion of algorithms: HS256 with the public key as the secret."""
    public = issuer.rsa.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(Unauthenticated):
        await desk.customer(_signed_by_hand({"alg": "HS256", "kid": "r1"}, desk.claims(), public), "rs")


def _part(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _signed_by_hand(header: dict[str, Any], claims: dict[str, Any], key: bytes) -> str:
    """HS256 without the library's own objections."""
    text = f"{_part(header)}.{_part(claims)}"
    return f"{text}.{_base64(hmac.digest(key, text.encode(), 'sha256'))}"


async def test_issuer_and_audience_are_checked_where_they_are_set(desk: Desk):
    good = desk.claims(iss="https://shop", aud="zerowait")
    assert await desk.customer(signed(good), "strict") == "C1001"
    for changes in ({"iss": "https://other"}, {"aud": "other"}, {"iss": None}, {"aud": None}):
        with pytest.raises(Unauthenticated):
            await desk.customer(signed({name: value for name, value in (good | changes).items() if value}), "strict")
    assert await desk.customer(signed(desk.claims(aud="anything", iss="anybody"))) == "C1001"


@pytest.mark.parametrize("tenant", ["unset", "weak"])
async def test_without_a_good_secret_no_token_is_checked(desk: Desk, tenant: str):
    with pytest.raises(NotReady):
        await desk.customer(signed(desk.claims()), tenant)
    assert await desk.authenticator.caller(await desk.key(tenant), None, "ask") == Caller(tenant), "anonymous questions go on"


# Issuers


async def test_tokens_of_an_issuer_are_checked_by_its_published_keys(desk: Desk, issuer: Issuer):
    assert await desk.customer(signed(desk.claims(), issuer.rsa, "RS256", kid="r1"), "rs") == "C1001"
    assert await desk.customer(signed(desk.claims(sub="C2"), issuer.ec, "ES256", kid="e1"), "es") == "C2"
    stranger = rsa.generate_private_key(65537, 2048)
    for key, kid in ((issuer.rsa, "r9"), (issuer.rsa, "e1"), (stranger, "r1")):
        with pytest.raises(Unauthenticated):
            await desk.customer(signed(desk.claims(), key, "RS256", kid=kid), "rs")
    with pytest.raises(Unauthenticated):
        await desk.customer(signed(desk.claims(), issuer.rsa, "RS256"), "rs")


async def test_a_token_without_kid_goes_with_an_only_key(desk: Desk, issuer: Issuer):
    del issuer.published["e1"]
    assert await desk.customer(signed(desk.claims(), issuer.rsa, "RS256"), "rs") == "C1001"


async def test_an_issuer_is_asked_rarely(desk: Desk, issuer: Issuer):
    good = signed(desk.claims(exp=4e9), issuer.rsa, "RS256", kid="r1")
    await asyncio.gather(*(desk.customer(good, "rs") for _ in range(20)))
    for n in range(20):
        with pytest.raises(Unauthenticated):
            await desk.customer(signed(desk.claims(), issuer.rsa, "RS256", kid=f"forged{n}"), "rs")
    assert issuer.fetched == 1
    desk.clock.passed_s += 11
    issuer.published["r2"] = issuer.published["r1"]
    assert await desk.customer(signed(desk.claims(), issuer.rsa, "RS256", kid="r2"), "rs") == "C1001"
    assert issuer.fetched == 2, "a new key is found after the cool-down"


@pytest.mark.parametrize("trouble", ["500", "<html>", "[]", '{"keys": []}', '{"keys": [{"kty": "??"}]}'])
async def test_an_issuer_that_is_away_or_broken_is_not_the_customers_fault(desk: Desk, issuer: Issuer, trouble: str):
    good = signed(desk.claims(exp=4e9), issuer.rsa, "RS256", kid="r1")
    issuer.trouble = trouble
    with pytest.raises(NotReady):
        await desk.customer(good, "rs")
    issuer.trouble = None
    desk.clock.passed_s += 3
    assert await desk.customer(good, "rs") == "C1001"
    issuer.trouble = trouble
    desk.clock.passed_s += 1000
    assert await desk.customer(good, "rs") == "C1001", "known keys are gone by for a while"
    desk.clock.passed_s += 3600
    with pytest.raises(NotReady):
        await desk.customer(good, "rs")


async def test_an_issuer_that_cannot_be_reached_is_not_ready(desk: Desk, issuer: Issuer):
    with pytest.raises(NotReady):
        await desk.customer(signed(desk.claims(), issuer.rsa, "RS256", kid="r1"), "away")


# Making tokens


async def test_the_local_secret_is_made_once_and_its_tokens_are_good(desk: Desk):
    secret = ensure_token_secret(desk.home)
    assert len(secret) >= 32
    assert ensure_token_secret(desk.home) == secret
    assert (desk.home / "token-secret").stat().st_mode & 0o777 == 0o600
    tenant = TenantSettings(tokens=TokenSettings(issuer="https://shop", audience="zerowait"))
    local = KeyAndTokenAuthenticator(desk.keys, {"hs": tenant}, desk.home, desk.clock)
    token = new_token("C1001", tenant, 60, desk.clock.now(), desk.home)
    assert await local.caller(await desk.key("hs"), token, "ask") == Caller("hs", "C1001")
    desk.clock.passed_s += 3600
    with pytest.raises(Unauthenticated, match="expired"):
        await local.caller(await desk.key("hs"), token, "ask")


def test_a_token_makes_the_local_secret_on_first_use(tmp_path: Path):
    token = new_token("C1001", TenantSettings(), 60, datetime.now(UTC), tmp_path)
    assert jwt.decode(token, (tmp_path / "token-secret").read_text().strip(), algorithms=["HS256"])["sub"] == "C1001"


def test_only_the_issuer_makes_its_tokens(tmp_path: Path):
    tenant = TenantSettings(tokens=TokenSettings(algorithm="RS256", jwks_url="https://issuer.example/jwks.json"))
    with pytest.raises(ConfigError, match="issuer"):
        new_token("C1001", tenant, 60, datetime.now(UTC), tmp_path)


def test_several_processes_agree_on_one_secret(tmp_path: Path):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(ensure_token_secret, [tmp_path] * 8))
    assert len(set(made)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["token-secret"], "nothing half-made is left"
