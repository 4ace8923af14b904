"""Who may ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from serve_app.domain.messages import Caller


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What an API key allows. The key itself is known only as a hash."""

    id: str
    tenant: str
    scopes: frozenset[str]
    created_at: datetime
    note: str = ""
    revoked_at: datetime | None = None


class Keys(Protocol):
    """API keys in the system of record."""

    async def create(self, tenant: str, scopes: frozenset[str], note: str, now: datetime) -> tuple[KeyGrant, str]:
        """Returns the grant and the key itself, which is never seen again."""
        ...

    async def find(self, key: str) -> KeyGrant | None:
        """The grant of a key that is neither unknown nor revoked."""
        ...

    async def list(self, tenant: str | None = None) -> Sequence[KeyGrant]: ...

    async def revoke(self, key_id: str, now: datetime) -> bool: ...


class Authenticator(Protocol):
    async def caller(self, api_key: str | None, customer_token: str | None, scope: str) -> Caller:
        """Raises Unauthenticated (no or bad key or token) or Forbidden (wrong scope)."""
        ...
