"""A visitor's token: a short-lived JWT (RFC 7519) of our own, so that the chat page holds no API key."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import jwt
from jwt import PyJWTError

from serve_app.adapters import secret_file
from serve_app.adapters.customer_tokens import TOKEN_CHARS_MAX, is_seconds, may_be_customer_id, signing_secret
from serve_app.domain.errors import Unauthenticated
from serve_app.ports import Clock
from serve_app.tenant_settings import TenantSettings

AUDIENCE = "zerowait-visitor"
LOCAL_SECRET_FILE = "visitor-secret"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at the page. A customer only in the demo shop, where anybody may be any of its customers."""

    tenant: str
    customer_id: str | None = None


class VisitorTokens:
    """Makes and checks the tokens. Each is signed with its own tenant's secret."""

    def __init__(self, tenants: Mapping[str, TenantSettings], data_dir: Path, clock: Clock) -> None:
        self._tenants = tenants
        self._data_dir = data_dir
        self._clock = clock
        self._secrets: dict[str, str] = {}

    def make(self, visitor: Visitor) -> tuple[str, datetime]:
        """The token and when it ends. Raises ConfigError: the tenant's secret is missing or short."""
        issued_at = int(self._clock.now().timestamp())
        expires_at = issued_at + self._tenants[visitor.tenant].web.visitor_token_s
        claims: dict[str, Any] = {"aud": AUDIENCE, "tenant": visitor.tenant, "iat": issued_at, "exp": expires_at}
        claims |= {} if visitor.customer_id is None else {"sub": visitor.customer_id}
        token = jwt.encode(claims, self._secret(visitor.tenant), algorithm="HS256")
        return token, datetime.fromtimestamp(expires_at, UTC)

    def read(self, token: str) -> Visitor:
        """Raises Unauthenticated (forged, expired, another tenant's secret), ConfigError (no secret)."""
        if len(token) > TOKEN_CHARS_MAX:
            raise _refused("is too long")
        tenant = self._claimed_tenant(token)
        try:
            claims = jwt.decode(
                token,
                self._secret(tenant),
                algorithms=["HS256"],
                audience=AUDIENCE,
                # The end is checked below, by our clock.
                options={"require": ["exp", "aud"], "verify_exp": False, "verify_iat": False},
            )
        except (PyJWTError, ValueError, TypeError) as error:
            raise _refused("is not valid here") from error
        if not is_seconds(claims["exp"]) or self._clock.now().timestamp() >= claims["exp"]:
            raise _refused("has expired: get a new one by `POST /v1/visitors`")
        return Visitor(tenant, self._customer(tenant, claims))

    def _claimed_tenant(self, token: str) -> str:
        """Whose secret is to be tried. Nothing else of the token is believed before it is checked."""
        try:
            claims = cast("dict[str, object]", jwt.decode(token, options={"verify_signature": False}))
        except (PyJWTError, ValueError, TypeError) as error:
            raise _refused("is not a token") from error
        tenant = claims.get("tenant")
        if not isinstance(tenant, str) or tenant not in self._tenants:
            raise _refused("is not valid here")
        return tenant

    def _customer(self, tenant: str, claims: Mapping[str, Any]) -> str | None:
        customer_id = claims.get("sub")
        if customer_id is None:
            return None
        # A shop that was the demo yesterday and has customers of its own today.
        if self._tenants[tenant].sources is not None:
            raise _refused("names a customer, which only the demo shop allows")
        if not isinstance(customer_id, str) or not may_be_customer_id(customer_id):
            raise _refused("is not valid here")
        return customer_id

    def _secret(self, tenant: str) -> str:
        if tenant not in self._secrets:
            self._secrets[tenant] = signing_secret(self._tenants[tenant].web.visitor_secret, self._data_dir)
        return self._secrets[tenant]


def looks_like_visitor(credential: str) -> bool:
    """Whether it is a JWT. An API key has no dots in it."""
    return credential.count(".") == 2


def ensure_visitor_secret(data_dir: Path) -> str:
    """This machine's own secret for visitors' tokens, made on first use. Raises ConfigError."""
    return secret_file.read_or_make(data_dir / LOCAL_SECRET_FILE, lambda: secrets.token_urlsafe(32))


def _refused(why: str) -> Unauthenticated:
    return Unauthenticated(f"the visitor's token {why}")
