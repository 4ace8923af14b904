"""Who is asking: real keys in SQLite, real JWTs, and an issuer that publishes its keys over HTTP."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from serve_app.adapters.auth import KeyAndTokenAuthenticator
from serve_app.adapters.sql_keys import SqlKeys
from serve_app.domain.errors import StoreFailed
from serve_app.ports import KeyGrant
from serve_app.tenant_settings import TenantSettings

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


def signed(claims: dict[str, Any], key: Any = SECRET, algorithm: str = "HS256", **headers: Any) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers or None)
