"""Customers' tokens: what a good one says, and every other is refused; how they are made."""

from __future__ import annotations

import base64
import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from serve_app.adapters.auth import KeyAndTokenAuthenticator, ensure_token_secret, new_token
from serve_app.domain.errors import ConfigError, NotReady, Unauthenticated
from serve_app.domain.messages import Caller
from serve_app.tenant_settings import TenantSettings, TokenSettings
from tests.contract.auth.desk import SECRET, Desk, Issuer, signed


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
