"""An authenticator, and an issuer that some of its tenants trust."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from serve_app.adapters.record import connect, create_tables
from serve_app.tenant_settings import TenantSettings, TokenSettings
from tests.contract.auth.desk import SECRET, CountedKeys, Desk, Issuer
from tests.postgres import free_port


@pytest.fixture
def issuer() -> Generator[Issuer]:
    made = Issuer()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
async def desk(tmp_path: Path, issuer: Issuer) -> AsyncGenerator[Desk]:
    (tmp_path / "secret").write_text(SECRET)
    engine = connect(f"sqlite+aiosqlite:///{tmp_path}/record.db")
    await create_tables(engine)
    tokens = {
        "hs": TokenSettings(secret="file:secret"),
        "strict": TokenSettings(secret="file:secret", issuer="https://shop", audience="zerowait"),
        "rs": TokenSettings(algorithm="RS256", jwks_url=issuer.url),
        "es": TokenSettings(algorithm="ES256", jwks_url=issuer.url),
        "away": TokenSettings(algorithm="RS256", jwks_url=f"http://127.0.0.1:{free_port()}/"),
        "unset": TokenSettings(secret="file:no-such-file"),
        "weak": TokenSettings(secret="file:weak"),
    }
    (tmp_path / "weak").write_text("short")
    yield Desk(CountedKeys(engine), tmp_path, {name: TenantSettings(tokens=one) for name, one in tokens.items()})
    await engine.dispose()
