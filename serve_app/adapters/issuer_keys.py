"""The keys that a token's issuer publishes (JWKS, RFC 7517), fetched rarely and kept while the issuer is away."""

from __future__ import annotations

import asyncio
import logging

from jwt import PyJWK, PyJWKClient, PyJWTError

from serve_app.domain.errors import NotReady, Unauthenticated
from serve_app.ports import Clock

logger = logging.getLogger(__name__)

TIMEOUT_S = 3
# Fetched again when older than this, and served for so long while fetching fails.
FRESH_S = 300
STALE_S = 3600
# A key that is not among them makes them be fetched again, at most this often: forged tokens must not hammer the issuer.
COOLDOWN_S = 10
# After a failure.
RETRY_S = 2


class IssuerKeys:
    """Fetching blocks a thread, not the event loop, and one at a time; who needs a key that is known does not wait for it."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._client = PyJWKClient(url, cache_jwk_set=False, timeout=TIMEOUT_S)
        self._clock = clock
        self._keys: list[PyJWK] = []
        self._fetched_at = float("-inf")
        self._next_try_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def key(self, kid: str | None) -> PyJWK:
        """The key named `kid`; without a name the only one. Raises Unauthenticated (not published) or NotReady."""
        found = self._find(kid)
        if found is None or (self._older_than(FRESH_S) and not self._fetching.locked()):
            await self._fetch()
            found = self._find(kid)
        if self._older_than(STALE_S):
            raise NotReady("customers' tokens cannot be checked right now", retry_after_s=RETRY_S)
        if found is None:
            raise Unauthenticated("the customer's token is signed by a key that its issuer has not published")
        return found

    def _find(self, kid: str | None) -> PyJWK | None:
        if kid is None:
            return self._keys[0] if len(self._keys) == 1 else None
        return next((key for key in self._keys if key.key_id == kid), None)

    def _older_than(self, age_s: float) -> bool:
        return self._clock.monotonic() - self._fetched_at > age_s

    async def _fetch(self) -> None:
        """Fetches the keys, unless that was done or tried a moment ago."""
        async with self._fetching:
            if self._clock.monotonic() < self._next_try_at:
                return
            try:
                self._keys = await asyncio.to_thread(self._client.get_signing_keys)
                self._fetched_at = self._clock.monotonic()
                self._next_try_at = self._fetched_at + COOLDOWN_S
            except (PyJWTError, OSError, ValueError) as error:
                self._next_try_at = self._clock.monotonic() + RETRY_S
                logger.warning("the issuer's keys were not fetched: %s", error)
