"""One tenant's customer tokens must mean nothing to another."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from serve_app.config import Config

JWKS = {"algorithm": "RS256", "jwks_url": "https://issuer.example/keys"}


def config(first: dict[str, Any], second: dict[str, Any]) -> Config:
    return Config.model_validate({"tenants": {"tea": {"tokens": first}, "shoes": {"tokens": second}}})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {}),
        ({"secret": "env:SECRET"}, {"secret": "env:SECRET"}),
        ({"audience": "tea"}, {}),
        ({"audience": "tea"}, {"audience": "tea"}),
        ({"issuer": "tea"}, {"issuer": "shoes"}),
        (JWKS, JWKS),
        (JWKS, JWKS | {"algorithm": "ES256"}),
    ],
)
def test_tenants_that_would_accept_each_others_tokens_are_refused(first: dict[str, Any], second: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"tea and shoes .*accept each other's customer tokens.*audience"):
        config(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"secret": "env:SHOES_SECRET"}),
        ({"audience": "tea"}, {"audience": "shoes"}),
        ({}, JWKS),
        (JWKS | {"audience": "tea"}, JWKS | {"audience": "shoes"}),
        (JWKS, JWKS | {"jwks_url": "https://other.example/keys"}),
    ],
)
def test_tenants_with_keys_or_audiences_of_their_own_are_served(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert set(config(first, second).tenants) == {"tea", "shoes"}


def test_what_is_not_used_is_not_compared() -> None:
    """The default secret stands beside a `jwks_url` and is not read."""
    assert config(JWKS, {}).tenants["tea"].tokens.secret == "file:token-secret"
