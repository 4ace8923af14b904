"""A Ray of one machine, on loopback, and Serve's REST interface on it.

Ray is started by its own command and spoken to by its own interface (`ray start`, `PUT /api/serve/applications/`), so this
program never imports it and starts in a blink.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from serve_app.domain.errors import ConfigError
from serve_app.local import haproxy
from serve_app.local.ports import LOOPBACK, Ports, free_port

# Serve passes messages between processes itself; Ray's object store is all but unused.
OBJECT_STORE_BYTES = 100_000_000
# A reload of HAProxy's configuration lets streams of the old one go on this long.
STREAM_S = 3600


def environment(base: Mapping[str, str], folder: Path, ports: Ports) -> dict[str, str]:
    """What Serve needs for speed, and what keeps Ray and HAProxy on loopback. It must be set before Ray starts."""
    proxy = folder / "h"
    ours = {
        # HAProxy in front, replicas that speak HTTP themselves, calls between rooms by gRPC.
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(haproxy.write_script(folder)),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(proxy / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(proxy / "admin.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(proxy),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(proxy / "server-state"),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(ports.metrics),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(ports.stats),
        "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": str(STREAM_S),
        "RAY_SERVE_HAPROXY_NBTHREAD": "2",
        "RAY_SERVE_HAPROXY_MAXCONN": str(haproxy.connections_max(_files_max())),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(ports.fallback),
        # Ray takes 127.0.0.1 for the node's address only where it believes that no cluster is possible; then every port of
        # its own is on loopback too. `deployments.loopback` does the same for the replicas' gRPC port.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_preload_python_modules": "deployments.loopback",
        "VLLM_HOST_IP": LOOPBACK,
        # One machine: nobody else takes over what is drained.
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1",
        # Ray asks for a token wherever an earlier `ray.init` left one in the home folder; the dashboard's address is opened
        # in a browser here, and nothing but loopback reaches it.
        "RAY_AUTH_MODE": "disabled",
        # Ray starts its workers at nice 15: here they are what the machine is for.
        "RAY_worker_niceness": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "VLLM_NO_USAGE_STATS": "1",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    }
    return {name: value for name, value in base.items() if name != "RAY_ADDRESS"} | ours


def _files_max() -> int:
    """How many files a process here may have open, if it asks for as many as it may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if most == resource.RLIM_INFINITY else most


def command(folder: Path, ports: Ports) -> list[str]:
    """`ray start` in the foreground: it ends its own processes when it is asked to end."""
    return [
        sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--disable-usage-stats",
        f"--temp-dir={folder / 'ray'}", f"--node-ip-address={LOOPBACK}", "--port=0",
        "--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0",
        f"--ray-client-server-port={free_port()}",  # 0 is refused, and 10001 may be another Ray's
        f"--dashboard-host={LOOPBACK}", f"--dashboard-port={ports.dashboard}", f"--object-store-memory={OBJECT_STORE_BYTES}",
        # Nobody reads other processes' output here, and no machine is added: two programs less to start.
        "--include-log-monitor=false", "--no-monitor",
    ]  # fmt: skip


class Serve:
    """Serve's REST interface on the dashboard's port."""

    def __init__(self, dashboard_port: int) -> None:
        self._http = httpx.Client(base_url=f"http://{LOOPBACK}:{dashboard_port}", timeout=60, trust_env=False)

    def is_up(self) -> bool:
        try:
            return self._http.get("/api/serve/applications/", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def deploy(self, tree: Mapping[str, Any]) -> None:
        """Sends a Serve configuration. Raises ConfigError when Serve refuses it."""
        try:
            reply = self._http.put("/api/serve/applications/", json=tree)
        except httpx.HTTPError as error:
            raise ConfigError(f"Serve did not take the configuration: {type(error).__name__}") from error
        if not reply.is_success:
            lines = reply.text.strip().splitlines() or [f"status {reply.status_code}"]
            raise ConfigError(f"Serve refused the configuration: {lines[-1]}")

    def failure(self) -> str | None:
        """Why an application could not be deployed, once that is certain."""
        try:
            applications = self._http.get("/api/serve/applications/", timeout=5).json()["applications"]
        except (httpx.HTTPError, ValueError, KeyError):
            return None
        for name, application in applications.items():
            if application["status"] == "DEPLOY_FAILED":
                details = [d["message"] for d in application["deployments"].values() if d["status"] == "DEPLOY_FAILED"]
                return f"{name}: {_last_line(details[0] if details else application['message'])}"
        return None

    def close(self) -> None:
        self._http.close()


def _last_line(message: str) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason was given"
