"""Who is asking: an API key from the record or a visitor's token, and a customer's token."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from cachetools import TTLCache

from serve_app.adapters.customer_tokens import CustomerTokens, ensure_token_secret, new_token
from serve_app.adapters.sql_keys import key_hash
from serve_app.adapters.visitor_tokens import VisitorTokens, ensure_visitor_secret, looks_like_visitor
from serve_app.domain.errors import ConfigError, Forbidden, NotReady, StoreFailed, Unauthenticated
from serve_app.domain.messages import Caller
from serve_app.ports import Clock, KeyGrant, Keys
from serve_app.tenant_settings import TenantSettings

__all__ = ["KeyAndTokenAuthenticator", "bearer", "ensure_token_secret", "ensure_visitor_secret", "new_token"]

logger = logging.getLogger(__name__)

# How long a key's grant is gone by without asking the record. A revocation takes effect within this time.
GRANT_TTL_S = 1.5
# How many keys are remembered. Unknown ones have a room of their own, so that a flood of them drives no good one out.
GRANTS_MAX = 4096
# Nobody waits longer for the record, and nobody joins a look-up that is lost.
LOOK_UP_WITHIN_S = 5.0


class KeyAndTokenAuthenticator:
    """The port `Authenticator`. Raises also NotReady: the record, a secret or an issuer's keys cannot be reached."""

    def __init__(self, keys: Keys, tenants: Mapping[str, TenantSettings], data_dir: Path, clock: Clock) -> None:
        self._keys = keys
        self._tokens = {name: CustomerTokens(tenant.tokens, data_dir, clock) for name, tenant in tenants.items()}
        self._visitors = VisitorTokens(tenants, data_dir, clock)
        self._known: TTLCache[str, KeyGrant] = TTLCache(GRANTS_MAX, GRANT_TTL_S, timer=clock.monotonic)
        self._unknown: TTLCache[str, bool] = TTLCache(GRANTS_MAX, GRANT_TTL_S, timer=clock.monotonic)
        self._asking: dict[str, asyncio.Task[KeyGrant | None]] = {}

    async def caller(self, api_key: str | None, customer_token: str | None, scope: str) -> Caller:
        """See the port. A token's `sub` is the only place that a customer's id comes from.

        A visitor's token stands where an API key may, for the scope `ask` alone.
        """
        if not api_key:
            raise Unauthenticated("send an API key: `Authorization: Bearer <API key>`")
        if looks_like_visitor(api_key):
            if scope != "ask":
                raise Forbidden(f"a visitor's token lacks the scope `{scope}`")
            return await self._visitor(api_key, customer_token)
        grant = await self._grant(api_key)
        if grant is None or grant.tenant not in self._tokens:
            raise Unauthenticated("the API key is not known here, or it was revoked")
        if scope not in grant.scopes:
            raise Forbidden(f"the API key lacks the scope `{scope}`")
        if not customer_token:
            return Caller(grant.tenant, key_id=grant.id)
        return Caller(grant.tenant, await self._customer_id(grant.tenant, customer_token), grant.id)

    async def _visitor(self, token: str, customer_token: str | None) -> Caller:
        """A customer's own token says who an anonymous visitor is."""
        try:
            visitor = self._visitors.read(token)
        except ConfigError as error:
            logger.error("visitors' tokens cannot be checked: %s", error)
            raise NotReady("visitors' tokens cannot be checked right now", retry_after_s=5) from error
        if not customer_token:
            return Caller(visitor.tenant, visitor.customer_id)
        customer_id = await self._customer_id(visitor.tenant, customer_token)
        if visitor.customer_id not in (None, customer_id):
            raise Forbidden("the visitor's token is another customer's")
        return Caller(visitor.tenant, customer_id)

    async def _customer_id(self, tenant: str, token: str) -> str:
        try:
            return await self._tokens[tenant].customer_id(token)
        except ConfigError as error:
            logger.error("customers' tokens of tenant %s cannot be checked: %s", tenant, error)
            raise NotReady("customers' tokens cannot be checked right now", retry_after_s=5) from error

    async def _grant(self, api_key: str) -> KeyGrant | None:
        digest = key_hash(api_key)
        grant = self._known.get(digest)
        if grant is not None or digest in self._unknown:
            return grant
        # Of many requests with the same key one asks; that it goes away must not end the others.
        if digest not in self._asking:
            self._asking[digest] = asyncio.create_task(self._look_up(api_key, digest))
            self._asking[digest].add_done_callback(partial(self._asked, digest))
        try:
            return await asyncio.shield(self._asking[digest])
        except StoreFailed as error:
            logger.warning("an API key was not checked: %s", error)
            raise NotReady("API keys cannot be checked right now", retry_after_s=2) from error

    def _asked(self, digest: str, task: asyncio.Task[KeyGrant | None]) -> None:
        del self._asking[digest]
        if not task.cancelled():
            task.exception()  # seen, even when everybody who waited for it has gone

    async def _look_up(self, api_key: str, digest: str) -> KeyGrant | None:
        try:
            async with asyncio.timeout(LOOK_UP_WITHIN_S):
                grant = await self._keys.find(api_key)
        except TimeoutError as error:
            raise StoreFailed(f"the record of keys did not reply within {LOOK_UP_WITHIN_S:g} s") from error
        if grant is None:
            self._unknown[digest] = True
        else:
            self._known[digest] = grant
        return grant


def bearer(header: str | None) -> str | None:
    """The key in an `Authorization` header (RFC 6750), or None when it holds none."""
    scheme, _, key = (header or "").strip().partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None
