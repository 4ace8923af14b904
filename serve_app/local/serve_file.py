"""A Serve configuration file, made to fit one local start."""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from serve_app.config import Config, load_config
from serve_app.domain.errors import ConfigError

Tree = dict[str, Any]


def default() -> Path:
    return Path(str(importlib.resources.files("serve_app") / "configs" / "local.yaml"))


def read(path: Path) -> tuple[Tree, Config]:
    """The file as Serve wants it, and the configuration of the application that customers ask.

    A plain file of `Config` is served as the default file serves its own. Raises ConfigError, naming line and field.
    """
    config = load_config(path)
    tree = _load(path)
    if "applications" not in tree:
        outer = _load(default())
        outer["applications"][0]["args"] = tree
        return outer, config
    for number, application in enumerate(tree["applications"]):
        try:
            Config.model_validate(application.get("args") or {})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(map(str, first["loc"]))
            raise ConfigError(f"{path}: applications.{number}.args.{field}: {first['msg']}") from error
    return tree, config


def _load(path: Path) -> Tree:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def fitted(tree: Mapping[str, Any], *, host: str, port: int, data_dir: Path, redis_url: str) -> Tree:
    """The same on this address, with the data folder and the Redis server of this start named in every application."""
    applications = [_with_stores(application, data_dir, redis_url) for application in tree["applications"]]
    options: Tree = {**(tree.get("http_options") or {}), "host": host, "port": port}
    return {**tree, "proxy_location": "HeadOnly", "http_options": options, "applications": applications}


def _with_stores(application: Mapping[str, Any], data_dir: Path, redis_url: str) -> Tree:
    args: Tree = application.get("args") or {}
    redis: Tree = args.get("redis") or {}
    return {**application, "args": {**args, "data_dir": str(data_dir), "redis": {**redis, "url": redis_url}}}
