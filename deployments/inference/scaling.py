"""How many replicas of the model: Serve's policy around a `Scaler`, which decides.

Serve pickles this module's classes by value and makes a `LivePolicy` in its controller, anew whenever the application is
deployed. The controller calls it every 0.1 s between all its other work, so that it must neither wait nor raise. Ray 2.60.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import weakref
from datetime import UTC, datetime
from typing import Any

from ray.serve._private.constants import SERVE_LOGGER_NAME
from ray.serve.config import AutoscalingContext
from ray.util.metrics import Counter, Gauge
from sqlalchemy.engine import make_url

from serve_app.config import Config
from serve_app.domain.errors import ConfigError
from serve_app.domain.scaling import Scaling
from serve_app.domain.scaling_policy import Replicas, ScalingPolicy
from serve_app.fleet_signals import Told
from serve_app.policy_watch import InForce, PolicyWatch
from serve_app.scaler import Scaler
from serve_app.spending import Spending

logger = logging.getLogger(__name__)

POLICY = "deployments.inference.scaling:LivePolicy"
# Serve keeps a replica's points for so long: the questions' rate is taken over it.
LOOK_BACK_S = 5.0
# After the record could not even be opened.
AGAIN_S = 10.0


def autoscaling(config: Config, policy: str = POLICY) -> dict[str, Any] | None:
    """Serve's `autoscaling_config`; None where the number of replicas is fixed.

    Serve's own bounds are wide, its delays none and its factors 1: the policy does all that. `initial_replicas` stays unset, or
    every deployment would begin with it again. Raises ConfigError for a record whose address holds a password.
    """
    room = config.rooms.inference
    if room.replicas_max is None:
        return None
    record = make_url(str(config.record.url))
    if record.password is not None or "password" in record.query:
        raise ConfigError(
            "record.url: with `rooms.inference.replicas_max` the address must hold no password: Serve's controller logs it. "
            "Leave it out, and set PGPASSWORD or a password file (PGPASSFILE) on every node"
        )
    return {
        "min_replicas": 1,
        "max_replicas": room.replicas_max,
        "upscale_delay_s": 0.0,
        "downscale_delay_s": 0.0,
        "upscaling_factor": 1.0,
        "downscaling_factor": 1.0,
        # How often replicas tell their signals. Deprecated for environment variables that Ray 2.60 reads and never uses.
        "metrics_interval_s": 1.0,
        "look_back_period_s": LOOK_BACK_S,
        "policy": {
            "policy_function": policy,
            "policy_kwargs": {
                "record_url": config.record.url,
                "replicas": room.replicas,
                "replicas_max": room.replicas_max,
            },
        },
    }


class LivePolicy:
    """Serve's autoscaling policy. Its parameters are the record's: an edit is followed within seconds, and restarts nothing."""

    def __init__(self, record_url: str, replicas: int, replicas_max: int) -> None:
        """Until a policy is applied there are between `replicas` and `replicas_max`."""
        _log_where_serve_does()
        self._metrics = _Metrics()
        self._failures: set[str] = set()
        self._watch = _Watch()
        clock = (lambda: datetime.now(UTC), time.monotonic)
        self._scaler = Scaler(self._watch.in_force, *clock, self._metrics.tell, self._watch.spending)
        default = ScalingPolicy(replicas=Replicas(replicas, replicas_max))
        stop = threading.Event()
        # Serve drops a policy without a word.
        weakref.finalize(self, stop.set)
        work = (record_url, default, self._watch, self._metrics, stop)
        threading.Thread(target=_read_the_record, args=work, name="scaling-policy", daemon=True).start()

    def __call__(self, ctx: AutoscalingContext) -> tuple[int, dict[str, Any]]:
        try:
            return self.wanted(ctx), {}
        # Whatever it is: raised from here it would stop Serve from looking after any application.
        except Exception as error:
            kind = type(error).__name__
            self._metrics.fail(kind)
            if kind not in self._failures:
                self._failures.add(kind)
                logger.exception("the scaling policy failed, the replicas stay %d", ctx.target_num_replicas)
            return ctx.target_num_replicas, {}

    def in_force(self) -> InForce | None:
        return self._watch.in_force()

    def wanted(self, ctx: AutoscalingContext) -> int:
        return self._scaler.wanted(lambda: _told(ctx), ctx.target_num_replicas, ctx.capacity_adjusted_max_replicas)


class _Watch:
    """Holds the watch from when its thread has made it."""

    def __init__(self) -> None:
        self.made: PolicyWatch | None = None
        self.spending = Spending()

    def in_force(self) -> InForce | None:
        return self.made.in_force if self.made is not None else None


class _Metrics:
    """On the controller's node, as Ray's own."""

    def __init__(self) -> None:
        self._version = Gauge("zerowait_scaling_policy_version", "The scaling policy in force; 0: none was applied.")
        self._wanted = Gauge("zerowait_scaling_wanted_replicas", "How many replicas of the model should run.")
        self._reason = Gauge("zerowait_scaling_reason", "1 for the reason of the last decision.", tag_keys=("reason",))
        self._refused = Counter("zerowait_scaling_refused_edits", "Edits of the policy that are not followed.", ("kind",))
        self._failed = Counter("zerowait_scaling_failures", "Decisions that failed: the number was kept.", ("kind",))
        self._last_reason: str | None = None

    def tell(self, scaling: Scaling, version: int) -> None:
        self._version.set(version)
        self._wanted.set(scaling.replicas)
        if self._last_reason not in (None, scaling.reason):
            self._reason.set(0, {"reason": str(self._last_reason)})
        self._reason.set(1, {"reason": scaling.reason})
        self._last_reason = scaling.reason

    def refuse(self, kind: str) -> None:
        self._refused.inc(1, {"kind": kind})

    def fail(self, kind: str) -> None:
        self._failed.inc(1, {"kind": kind})


def _read_the_record(url: str, default: ScalingPolicy, watch: _Watch, metrics: _Metrics, stop: threading.Event) -> None:
    """A thread's work. It knows nothing of the policy object, which could never be dropped else. Whatever fails, it goes on:
    nobody would start it again."""
    last = ""
    while not stop.is_set():
        try:
            _read_until(url, default, watch, metrics, stop)
        except Exception as error:
            if (kind := type(error).__name__) != last:
                last = kind
                logger.exception("the record of the scaling policy cannot be opened, the number of replicas stays")
            stop.wait(AGAIN_S)


def _read_until(url: str, default: ScalingPolicy, watch: _Watch, metrics: _Metrics, stop: threading.Event) -> None:
    # Here, because it takes a second in which the controller would stand still.
    from serve_app.adapters.record import connect, ensure_tables
    from serve_app.adapters.sql_scaling import SqlScaling

    async def run() -> None:
        engine = connect(url)
        try:
            made = PolicyWatch(SqlScaling(engine), default, metrics.refuse, lambda: ensure_tables(engine), watch.spending)
            watch.made = made
            await made.run(stop)
        finally:
            await engine.dispose()

    asyncio.run(run())


def _log_where_serve_does() -> None:
    """In the controller nothing but Serve's own logger leads anywhere."""
    serve = logging.getLogger(SERVE_LOGGER_NAME)
    for name in (__name__, "serve_app.policy_watch", "serve_app.scaler"):
        ours = logging.getLogger(name)
        ours.setLevel(logging.INFO)
        for handler in serve.handlers:
            ours.addHandler(handler)  # one that is there already is not added twice


def _told(ctx: AutoscalingContext) -> Told:
    return {
        name: {replica.unique_id: [(point.timestamp, point.value) for point in points] for replica, points in told.items()}
        for name, told in (ctx.raw_metrics or {}).items()
    }
