"""Tokens of an issuer, checked by the keys that it publishes."""

from __future__ import annotations

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from serve_app.domain.errors import NotReady, Unauthenticated
from tests.contract.auth.desk import Desk, Issuer, signed


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
