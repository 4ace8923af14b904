"""A customer's token: a JWT (RFC 7519) whose `sub` is the customer's id."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import jwt
from cachetools import LRUCache
from jwt import PyJWTError

from serve_app.adapters import secret_file
from serve_app.adapters.issuer_keys import IssuerKeys
from serve_app.config import secret
from serve_app.domain.errors import ConfigError, Unauthenticated
from serve_app.ports import Clock
from serve_app.tenant_settings import TenantSettings, TokenSettings

SUBJECT_CHARS_MAX = 128
TOKEN_CHARS_MAX = 8192
# A token comes with each of its customer's questions, and its signature is checked once.
TOKENS_REMEMBERED = 4096
REMEMBERED_CHARS_MAX = 2048
# RFC 7518, 3.2: an HS256 secret has at least as many bits as its hash.
SECRET_BYTES_MIN = 32
# The one of a machine that makes it for itself.
LOCAL_SECRET = "file:token-secret"


class CustomerTokens:
    """Checks one tenant's tokens. The algorithm is the configured one, whatever a token's header says."""

    def __init__(self, settings: TokenSettings, data_dir: Path, clock: Clock) -> None:
        self._settings = settings
        self._data_dir = data_dir
        self._clock = clock
        self._secret: str | None = None
        # What a signature was found to sign, with the key that it was found with: both never change.
        self._checked: LRUCache[str, tuple[Any, Mapping[str, Any]]] = LRUCache(TOKENS_REMEMBERED)
        self._issuer = IssuerKeys(settings.jwks_url, clock) if settings.algorithm != "HS256" and settings.jwks_url else None

    async def customer_id(self, token: str) -> str:
        """Raises Unauthenticated (forged, expired, incomplete), NotReady (the issuer is away), ConfigError (no secret)."""
        if len(token) > TOKEN_CHARS_MAX:
            raise _refused(f"is longer than {TOKEN_CHARS_MAX} characters")
        key = await self._key(token)
        checked_with, claims = self._checked.get(token, (None, {}))
        if checked_with is not key:
            claims = self._claims(token, key)
            if len(token) <= REMEMBERED_CHARS_MAX:
                self._checked[token] = (key, claims)
        self._check_times(claims)
        return _subject(claims)

    def _claims(self, token: str, key: Any) -> Mapping[str, Any]:
        """What is signed. Times are not looked at."""
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[self._settings.algorithm],
                issuer=self._settings.issuer,
                audience=self._settings.audience,
                # The times are checked below, by our clock.
                options={
                    "require": ["exp", "sub"],
                    "verify_aud": self._settings.audience is not None,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.MissingRequiredClaimError as error:
            raise _refused(f"lacks the claim `{error.claim}`") from error
        except jwt.InvalidIssuerError as error:
            raise _refused("comes from another issuer") from error
        except jwt.InvalidAudienceError as error:
            raise _refused("is meant for another audience") from error
        except (PyJWTError, ValueError, TypeError) as error:
            raise _refused("is not valid for this shop") from error

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now, leeway_s = self._clock.now().timestamp(), self._settings.leeway_s
        if not is_seconds(claims["exp"]) or not is_seconds(claims.get("nbf", 0)):
            raise _refused("has a time that is not a number of seconds")
        if now >= claims["exp"] + leeway_s:
            raise _refused("has expired: get a new one")
        if now < claims.get("nbf", 0) - leeway_s:
            raise _refused("is not valid yet")

    async def _key(self, token: str) -> Any:
        if self._issuer is not None:
            return (await self._issuer.key(_kid(token))).key
        if self._secret is None:
            self._secret = shared_secret(self._settings, self._data_dir)
        return self._secret


def shared_secret(settings: TokenSettings, data_dir: Path) -> str:
    """The secret of HS256 tokens. Raises ConfigError, never showing it."""
    if settings.secret is None:
        raise ConfigError("`tokens.secret` is not set")
    return signing_secret(settings.secret, data_dir)


def signing_secret(ref: str, data_dir: Path) -> str:
    """The secret that `ref` names, for HS256. Raises ConfigError, never showing it."""
    found = secret(ref, data_dir)
    if len(found.encode()) < SECRET_BYTES_MIN:
        raise ConfigError(f"the secret {ref} is shorter than {SECRET_BYTES_MIN} bytes: make a longer one")
    return found


def new_token(customer_id: str, tenant: TenantSettings, ttl_s: int, now: datetime, data_dir: Path) -> str:
    """A token for `customer_id`, as the shop's own login would make it. HS256 only: other keys are the issuer's.

    The local secret is made when there is none yet. Raises ConfigError.
    """
    settings = tenant.tokens
    if settings.algorithm != "HS256":
        raise ConfigError(f"this tenant's tokens are {settings.algorithm}: only their issuer can make one")
    if settings.secret == LOCAL_SECRET:
        ensure_token_secret(data_dir)
    issued_at = int(now.timestamp())
    claims: dict[str, Any] = {"sub": customer_id, "iat": issued_at, "exp": issued_at + ttl_s}
    claims |= {"iss": settings.issuer} if settings.issuer else {}
    claims |= {"aud": settings.audience} if settings.audience else {}
    return jwt.encode(claims, shared_secret(settings, data_dir), algorithm="HS256")


def ensure_token_secret(data_dir: Path) -> str:
    """This machine's own token secret, made on first use. Raises ConfigError."""
    return secret_file.read_or_make(data_dir / "token-secret", lambda: secrets.token_urlsafe(32))


def _kid(token: str) -> str | None:
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except (PyJWTError, ValueError, TypeError) as error:
        raise _refused("is not a JWT") from error
    if kid is not None and not isinstance(kid, str):
        raise _refused("does not name its key")
    return kid


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims["sub"]
    if not isinstance(subject, str) or not may_be_customer_id(subject):
        raise _refused(f"must name the customer in `sub`: 1 to {SUBJECT_CHARS_MAX} printable characters")
    return subject


def may_be_customer_id(text: str) -> bool:
    return bool(text.strip()) and len(text) <= SUBJECT_CHARS_MAX and text.isprintable()


def is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value and abs(value) != float("inf")


def _refused(why: str) -> Unauthenticated:
    return Unauthenticated(f"the customer's token {why}", param="X-Customer-Token")
