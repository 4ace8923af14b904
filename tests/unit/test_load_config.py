from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from serve_app.config import Config, load_config
from serve_app.domain.errors import ConfigError


def written(folder: Path, text: str) -> Path:
    path = folder / "shop.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_plain_file(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, "limits:\n  question_chars: 7\n")).limits.question_chars == 7


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, "")).role == "both"


def test_a_serve_file(tmp_path: Path) -> None:
    text = "applications:\n- name: zerowait\n  import_path: serve_app.graph:build\n  args:\n    limits: {question_chars: 9}\n"
    assert load_config(written(tmp_path, text)).limits.question_chars == 9


def test_of_two_applications_the_one_that_customers_ask(tmp_path: Path) -> None:
    text = """applications:
- {name: engine, args: {role: engine}}
- {name: gateway, args: {role: gateway, limits: {question_chars: 9}}}
"""
    assert load_config(written(tmp_path, text)).limits.question_chars == 9


def test_a_serve_file_without_arguments(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, "applications:\n- import_path: a:b\n")).role == "both"


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ("limits:\n  question_chars: many\n", 2, "limits.question_chars"),
        ("role: both\nlimit: {}\n", 2, "limit"),
        ("applications:\n- name: a\n  args:\n    role: both\n    redis:\n      pool_size: 0\n", 6, "redis.pool_size"),
        ("tenants:\n  demo:\n    sources:\n    - type: sql\n      name: orders\n      part: orders\n", 4, "query"),
        (
            "tenants:\n  demo:\n    sources:\n    - type: sql\n      name: a\n      part: shoes\n      query: SELECT 1\n",
            6,
            "part",
        ),
        ("- 1\n", 1, "the file"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_field(tmp_path: Path, text: str, line: int, field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, text))
    assert f"shop.yaml:{line}: " in str(caught.value)
    assert field in str(caught.value)


def test_a_value_is_never_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, "redis:\n  pool_size: hunter2\n"))
    assert "hunter2" not in str(caught.value)


def test_a_word_that_yaml_takes_for_a_boolean(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"shop\.yaml:1: engine_app: .*put quotes around it"):
        load_config(written(tmp_path, "engine_app: no\n"))


def test_what_is_not_yaml(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"shop\.yaml:2: this is not YAML"):
        load_config(written(tmp_path, "a: 1\n  b: [\n"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "none.yaml")


def test_a_shop_s_id_pattern_is_checked() -> None:
    shop = {"order_id_pattern": r"A-\d{6}"}
    assert Config.model_validate({"tenants": {"tea": {"shop": shop}}}).tenants["tea"].shop.order_id_pattern == r"A-\d{6}"
    with pytest.raises(ValidationError, match="no regular expression"):
        Config.model_validate({"tenants": {"tea": {"shop": {"sku_id_pattern": "("}}}})


def test_a_shop_s_time_zone_is_checked(tmp_path: Path) -> None:
    file = written(tmp_path, "tenants:\n  tea:\n    shop:\n      time_zone: Mars/Olympus\n")
    with pytest.raises(ConfigError, match=r"shop\.yaml:4: .*no such time zone"):
        load_config(file)
