"""Serve's policy class as its controller uses it: made from JSON, called ten times a second, dropped without a word."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from ray.serve._private.autoscaling_state import _resolve_policy_callable  # pyright: ignore[reportPrivateUsage]
from ray.serve.config import AutoscalingConfig, AutoscalingContext

from deployments.inference import scaling
from deployments.inference.scaling import LOOK_BACK_S, LivePolicy, autoscaling
from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.sql_scaling import SqlScaling
from serve_app.config import Config
from serve_app.domain.errors import ConfigError
from serve_app.ports import ScalingRecord


@dataclass
class Context:
    """What Serve's has and the policy reads."""

    target_num_replicas: int = 2
    capacity_adjusted_max_replicas: int = 4
    raw_metrics: dict[str, Any] = field(default_factory=dict[str, Any])

    def running(self, *streams: float) -> Context:
        """Of each replica."""
        self.raw_metrics = {
            "running": {
                SimpleHash(unique_id=str(index)): [SimpleNamespace(timestamp=1.0, value=value)]
                for index, value in enumerate(streams)
            }
        }
        return self


class SimpleHash(SimpleNamespace):
    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType]


def config_of(home: Path, **room: int) -> Config:
    return Config.model_validate({"data_dir": home, "rooms": {"inference": room}}).resolved({})


def made(config: Config) -> LivePolicy:
    """As the controller makes it: from what was sent to it."""
    options = autoscaling(config)
    assert options is not None
    return cast(LivePolicy, _resolve_policy_callable(AutoscalingConfig(**json.loads(json.dumps(options))).policy))


def number(policy: LivePolicy, ctx: Context) -> int:
    wanted, state = policy(cast(AutoscalingContext, ctx))
    assert state == {}
    return wanted


async def until(policy: LivePolicy, ctx: Context, wanted: int) -> None:
    async with asyncio.timeout(30):
        while number(policy, ctx) != wanted:
            await asyncio.sleep(0.05)


@pytest.fixture
async def record(tmp_path: Path) -> AsyncGenerator[ScalingRecord]:
    engine = connect(f"sqlite+aiosqlite:///{tmp_path / 'record.db'}")
    await create_tables(engine)
    yield SqlScaling(engine)
    await engine.dispose()


def test_a_fixed_number_of_replicas_has_no_policy(tmp_path: Path) -> None:
    assert autoscaling(config_of(tmp_path, replicas=2)) is None


def test_serve_adds_no_bounds_delays_or_factors_of_its_own(tmp_path: Path) -> None:
    options = AutoscalingConfig(**(autoscaling(config_of(tmp_path, replicas=2, replicas_max=8)) or {}))
    assert (options.min_replicas, options.max_replicas, options.initial_replicas) == (1, 8, None)
    assert (options.upscale_delay_s, options.downscale_delay_s) == (0, 0)
    assert (options.get_upscaling_factor(), options.get_downscaling_factor()) == (1, 1)
    assert (options.metrics_interval_s, options.look_back_period_s) == (1, LOOK_BACK_S)


@pytest.mark.parametrize("address", ["u:hunter2@db/none", "u@db/none?password=hunter2"])
def test_a_password_is_not_handed_to_serve_which_would_log_it(tmp_path: Path, address: str) -> None:
    tree = {"record": {"url": f"postgresql+asyncpg://{address}"}, "rooms": {"inference": {"replicas_max": 4}}}
    with pytest.raises(ConfigError, match="PGPASSWORD") as refused:
        autoscaling(Config.model_validate({"data_dir": tmp_path, **tree}))
    assert "hunter2" not in str(refused.value)


async def test_an_edit_is_followed(tmp_path: Path, record: ScalingRecord) -> None:
    await record.add("replicas: {min: 3, max: 9}", "mei", datetime.now(UTC))
    policy = made(config_of(tmp_path, replicas=1, replicas_max=4))
    await until(policy, Context().running(0, 0), 3)
    await record.add("replicas: {min: 9, max: 9}", "mei", datetime.now(UTC))
    await until(policy, Context().running(0, 0), 4)  # no more than the deployment may have


async def test_a_record_that_is_made_later_is_found(tmp_path: Path) -> None:
    policy = made(config_of(tmp_path / "none", replicas=3, replicas_max=4))
    await until(policy, Context().running(0, 0), 3)


async def test_a_record_that_cannot_be_opened_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(scaling, "AGAIN_S", 0.05)
    (tmp_path / "data").write_text("a file where the folder should be")
    policy = made(config_of(tmp_path / "data", replicas=3, replicas_max=4))
    async with asyncio.timeout(30):
        while "cannot be opened" not in caplog.text:
            assert number(policy, Context()) == 2
            await asyncio.sleep(0.05)
    (tmp_path / "data").unlink()
    await until(policy, Context().running(0, 0), 3)


def test_until_the_record_has_answered_the_number_stays(tmp_path: Path) -> None:
    away = Config.model_validate({"data_dir": tmp_path, "record": {"url": "postgresql+asyncpg://u@127.0.0.1:1/none"}})
    away = away.model_copy(update={"rooms": config_of(tmp_path, replicas=3, replicas_max=4).rooms})
    assert number(made(away), Context()) == 2


async def test_it_never_raises(tmp_path: Path, record: ScalingRecord, caplog: pytest.LogCaptureFixture) -> None:
    await record.add("replicas: {min: 3, max: 9}", "mei", datetime.now(UTC))
    policy = made(config_of(tmp_path, replicas=1, replicas_max=4))
    await until(policy, Context().running(0, 0), 3)
    broken = Context(raw_metrics={"running": {"no replica": None}})
    async with asyncio.timeout(30):
        while "the scaling policy failed, the replicas stay 2" not in caplog.text:
            assert number(policy, broken) in (2, 3)
            await asyncio.sleep(0.05)
    for _ in range(20):
        number(policy, broken)
        await asyncio.sleep(0.06)
    told = {id(record) for record in caplog.records if "the scaling policy failed" in record.message}
    assert len(told) == 1
    await until(policy, Context().running(0, 0), 3)


async def test_its_thread_ends_with_it(tmp_path: Path, record: ScalingRecord) -> None:
    before = threading.active_count()
    policy = made(config_of(tmp_path, replicas=3, replicas_max=4))
    await until(policy, Context().running(0, 0), 3)
    assert threading.active_count() > before
    del policy
    gc.collect()
    async with asyncio.timeout(30):
        while any(thread.name == "scaling-policy" for thread in threading.enumerate()):
            await asyncio.sleep(0.05)
