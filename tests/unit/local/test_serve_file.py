"""Serve files: those of the project, and how one is fitted to a start."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ray.serve.schema import ServeDeploySchema

from serve_app.domain.errors import ConfigError
from serve_app.local.serve_file import default, fitted, read

FILES = sorted(file for file in default().parent.glob("*.yaml") if file.name != "scaling.example.yaml")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_of_the_project_is_one_that_serve_and_we_take(path: Path) -> None:
    tree, _ = read(path)
    schema = ServeDeploySchema.model_validate(tree)
    assert {application.import_path for application in schema.applications} == {"serve_app.graph:build"}


def test_the_local_profile_listens_on_loopback() -> None:
    tree, config = read(default())
    assert tree["http_options"]["host"] == "127.0.0.1"
    assert config.role == "both"


def test_production_keeps_the_engine_apart_and_both_agree_on_the_model() -> None:
    tree, _ = read(default().with_name("production.yaml"))
    engine, gateway = (application["args"] for application in tree["applications"])
    assert (engine["role"], gateway["role"]) == ("engine", "gateway")
    assert gateway["engine_app"] == tree["applications"][0]["name"]
    assert engine["model"] == gateway["model"]


def test_a_plain_configuration_is_served_as_the_default_file_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("limits: {question_chars: 99}\n")
    tree, config = read(path)
    assert config.limits.question_chars == 99
    assert tree["applications"][0]["args"] == {"limits": {"question_chars": 99}}
    assert tree["applications"][0]["import_path"] == "serve_app.graph:build"


def test_a_start_names_its_address_and_its_stores_in_every_application(tmp_path: Path) -> None:
    tree, _ = read(default().with_name("production.yaml"))
    ours = fitted(tree, host="127.0.0.1", port=8123, data_dir=tmp_path, redis_url="redis://127.0.0.1:1/0")
    assert (ours["http_options"]["host"], ours["http_options"]["port"]) == ("127.0.0.1", 8123)
    for application in ours["applications"]:
        assert application["args"]["data_dir"] == str(tmp_path)
        assert application["args"]["redis"]["url"] == "redis://127.0.0.1:1/0"
    assert "redis" not in tree["applications"][0]["args"]


@pytest.mark.parametrize(("number", "words"), [(0, r"applications\.0\.args\.rooms\.ingres"), (1, r"\d: rooms\.ingres")])
def test_a_mistake_in_either_application_is_named(tmp_path: Path, number: int, words: str) -> None:
    tree = yaml.safe_load(default().with_name("production.yaml").read_text())
    tree["applications"][number]["args"]["rooms"]["ingres"] = {}
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(tree))
    with pytest.raises(ConfigError, match=words):
        read(path)
