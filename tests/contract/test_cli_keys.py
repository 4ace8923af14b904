"""`zerowait key` and `zerowait token`: what was asked for is all that stdout gets."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest
import typer
from typer.testing import CliRunner

from serve_app.cli import key, token
from serve_app.domain.errors import ConfigError

runner = CliRunner()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZEROWAIT_DATA_DIR", str(tmp_path))
    return tmp_path


def token_app() -> typer.Typer:
    app = typer.Typer()
    app.command("token")(token.command)
    return app


def test_a_key_is_made_listed_and_revoked():
    made = runner.invoke(key.app, ["create", "--scope", "ask", "--scope", "ops", "--note", "front end"])
    assert made.exit_code == 0, made.output
    assert made.stdout.startswith("zw_")
    assert made.stdout.count("\n") == 1
    key_id = made.stderr.split(":")[0]
    listed = runner.invoke(key.app, ["list"]).stdout
    assert key_id in listed
    assert "ask,ops" in listed
    assert "front end" in listed
    assert made.stdout.strip() not in listed
    revoked = runner.invoke(key.app, ["revoke", key_id])
    assert (revoked.exit_code, revoked.stdout) == (0, "")
    assert "revoked" in runner.invoke(key.app, ["list", "--tenant", "demo"]).stdout
    again = runner.invoke(key.app, ["revoke", key_id])
    assert isinstance(again.exception, ConfigError)
    assert "zerowait key list" in str(again.exception)


def test_an_empty_list_says_what_to_do():
    listed = runner.invoke(key.app, ["list"])
    assert listed.stdout == ""
    assert "zerowait key create --scope ask" in listed.stderr


@pytest.mark.parametrize("arguments", [["create"], ["create", "--scope", "root"], ["revoke"]])
def test_wrong_usage_is_said(arguments: list[str]):
    result = runner.invoke(key.app, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error" in result.stderr


def test_an_unknown_tenant_is_named():
    for app, arguments in ((key.app, ["create", "--scope", "ask"]), (token_app(), ["--customer", "C1001"])):
        result = runner.invoke(app, [*arguments, "--tenant", "nobody"])
        assert isinstance(result.exception, ConfigError)
        assert "nobody" in str(result.exception)
        assert "demo" in str(result.exception)


def test_a_record_that_cannot_be_used_is_one_clear_error(tmp_path: Path):
    file = tmp_path / "config.yaml"
    file.write_text("record:\n  url: postgresql+asyncpg://u:hidden@127.0.0.1:1/none\n")
    result = runner.invoke(key.app, ["list", "--config", str(file)])
    assert isinstance(result.exception, ConfigError)
    assert "record.url" in str(result.exception)
    assert "hidden" not in str(result.exception)


def test_a_token_is_all_that_is_printed(home: Path):
    made = runner.invoke(token_app(), ["--customer", "C1001", "--ttl-s", "60"])
    assert made.exit_code == 0, made.output
    claims = jwt.decode(made.stdout.strip(), (home / "token-secret").read_text().strip(), algorithms=["HS256"])
    assert claims["sub"] == "C1001"
    assert claims["exp"] - claims["iat"] == 60
    assert (home / "token-secret").stat().st_mode & 0o777 == 0o600


def test_a_token_of_the_configured_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SHOP_TOKEN_SECRET", "x" * 40)
    file = tmp_path / "config.yaml"
    file.write_text("tenants:\n  shop:\n    tokens:\n      secret: env:SHOP_TOKEN_SECRET\n")
    made = runner.invoke(token_app(), ["--customer", "42", "--tenant", "shop", "--config", str(file)])
    assert jwt.decode(made.stdout.strip(), "x" * 40, algorithms=["HS256"])["sub"] == "42"
    assert not (tmp_path / "token-secret").exists()
