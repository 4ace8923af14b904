"""Tells a shop's own systems of every change of a ticket: signed, at least once, never on a customer's path.

Each ingress process runs a sender. A notice is taken out of the outbox under a lease, so that of several senders one has it; a
process that dies leaves it to the others when the lease ends. A receiver knows a repetition by its `webhook-id`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx
from standardwebhooks import Webhook

from serve_app.domain.errors import ConfigError, StoreFailed
from serve_app.domain.webhook import next_attempt
from serve_app.ports import Clock, Notice, Outbox

logger = logging.getLogger(__name__)

# For a notice, from the connection to the reply's head. The reply's body is not read.
TIMEOUT_S = 10.0
# Longer than any attempt can take, with those before it in the same lot.
LEASE_S = 120.0
LOT = 10
SECRET_BYTES_MIN = 24


@dataclass(frozen=True, slots=True)
class Hook:
    """Where a tenant's notices go. `secret`: `whsec_` and base64, as Standard Webhooks writes it, or any text."""

    url: str
    secret: str

    def signer(self) -> Webhook:
        """Raises ConfigError."""
        if not self.url.startswith(("http://", "https://")):
            raise ConfigError("desk.webhook_url must begin with https:// or http://")
        key = self.secret.encode()
        if self.secret.startswith("whsec_"):
            try:
                unpadded = self.secret.removeprefix("whsec_").rstrip("=")
                key = base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True)
            except binascii.Error as error:
                raise ConfigError("desk.webhook_secret: after whsec_ it must be base64") from error
        if len(key) < SECRET_BYTES_MIN:
            raise ConfigError(f"desk.webhook_secret must have at least {SECRET_BYTES_MIN} bytes")
        return Webhook(key)


class WebhookSender:
    """Sends what the outbox holds for the tenants in `hooks`. `chance` gives numbers from 0 to 1."""

    def __init__(
        self,
        outbox: Outbox,
        hooks: Mapping[str, Hook],
        clock: Clock,
        chance: Callable[[], float],
        pause_s: float = 1.0,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Raises ConfigError for a hook that cannot be used."""
        self._outbox = outbox
        self._hooks = dict(hooks)
        self._signers = {tenant: hook.signer() for tenant, hook in hooks.items()}
        self._clock = clock
        self._chance = chance
        self._pause_s = pause_s
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(follow_redirects=False, timeout=timeout_s, trust_env=False)

    async def run(self) -> None:
        """Sends until cancelled, each tenant's by itself: an address that is dead keeps no other tenant waiting."""
        await asyncio.gather(*map(self._run, self._hooks))

    async def _run(self, tenant: str) -> None:
        while True:
            sent = 0
            try:
                sent = await self.send_due(tenant)
            except StoreFailed as error:
                logger.warning("the webhook's outbox does not answer: %s", error)
            except Exception:
                # A notice that nobody foresaw must not be the last.
                logger.exception("a notice to %s's webhook failed", tenant)
            if sent == 0:
                await asyncio.sleep(self._pause_s)

    async def send_due(self, tenant: str) -> int:
        """Tries one lot of the tenant's notices that are due, in order; returns how many. Raises StoreFailed."""
        notices = await self._outbox.take(tenant, self._clock.now(), LEASE_S, LOT)
        for notice in notices:
            await self._try(notice)
        return len(notices)

    async def _try(self, notice: Notice) -> None:
        failure = await self._post(notice)
        if failure is None:
            await self._outbox.delivered(notice.id)
            return
        again_at = next_attempt(notice.created_at, self._clock.now(), notice.attempt, self._chance())
        if again_at is None:
            logger.error("notice %s to %s's webhook is given up: %s", notice.id, notice.tenant, failure)
        await self._outbox.failed(notice.id, failure, again_at)

    async def _post(self, notice: Notice) -> str | None:
        """What went wrong, or None."""
        now = self._clock.now()
        headers = self._headers(notice, now)
        try:
            async with asyncio.timeout(self._timeout_s):
                async with self._client.stream(
                    "POST", self._hooks[notice.tenant].url, content=notice.body.encode(), headers=headers
                ) as reply:
                    return None if reply.is_success else f"HTTP {reply.status_code}"
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            return type(error).__name__

    def _headers(self, notice: Notice, now: datetime) -> dict[str, str]:
        return {
            "content-type": "application/json",
            "webhook-id": notice.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signers[notice.tenant].sign(notice.id, now, notice.body),
        }

    async def aclose(self) -> None:
        await self._client.aclose()
