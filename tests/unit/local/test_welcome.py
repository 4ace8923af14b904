"""What a start prints when it is ready."""

from __future__ import annotations

from pathlib import Path

import pytest

from serve_app.config import Config
from serve_app.local.setup import Prepared
from serve_app.local.welcome import welcome
from serve_app.tenant_settings import TenantSettings, TokenSettings

_AT = "http://127.0.0.1:8000", "http://127.0.0.1:8265"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data_dir=tmp_path).resolved({})


def test_a_new_key_is_shown_and_an_old_one_is_not(config: Config) -> None:
    assert "zw_secret" in welcome(config, Prepared("demo", "zw_secret", True), *_AT)
    later = welcome(config, Prepared("demo", "zw_secret", False), *_AT)
    assert "zw_secret" not in later
    assert str(config.home / "api-key") in later


def test_the_chat_page_comes_first(config: Config) -> None:
    lines = welcome(config, Prepared("demo", "zw_secret", False), *_AT).split("\n")
    assert lines[1].endswith(f"{_AT[0]}/")


def test_both_languages_are_tried_with_and_without_a_token(config: Config) -> None:
    lines = welcome(config, Prepared("demo", "zw_secret", False), *_AT).splitlines()
    curls = [line for line in lines if "curl" in line]
    assert len(curls) == 4
    assert sum("X-Customer-Token" in line for line in curls) == 2
    assert all(address in "\n".join(lines) for address in _AT)


def test_a_shop_of_ones_own_gets_no_demo_customer(config: Config) -> None:
    own = TenantSettings(sources=(), tokens=TokenSettings(algorithm="RS256", jwks_url="https://issuer.example/keys"))
    text = welcome(config.model_copy(update={"tenants": {"mine": own}}), Prepared("mine", "zw_secret", True), *_AT)
    assert "C1001" not in text
    assert text.count("curl") == 2
