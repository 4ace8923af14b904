"""The script that stands before HAProxy."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from serve_app.local.haproxy import CONNECTIONS_MAX, connections_max, write_script

# What Serve writes, as far as addresses go.
_WRITTEN = """\
frontend prometheus
    bind :9101
frontend http_frontend
    bind 0.0.0.0:8000
    http-request set-header x-request-id %[uuid] if !{ req.hdr(x-request-id) -m found }
    use_backend rooms
backend rooms
    server one 127.0.0.1:1
listen stats
  bind *:8404
"""
_DEFAULTS = """\
defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
"""


def test_addressless_binds_go_to_loopback_and_named_ones_stay(tmp_path: Path) -> None:
    script, written = write_script(tmp_path), tmp_path / "haproxy.cfg"
    written.write_text(_WRITTEN)
    version = subprocess.run([script, "-v", "-f", str(written)], capture_output=True, text=True, check=True).stdout
    assert "HAProxy" in version
    assert [line.split()[1] for line in written.read_text().splitlines() if "bind" in line] == [
        "127.0.0.1:9101",
        "0.0.0.0:8000",
        "127.0.0.1:8404",
    ]


def test_headers_that_steer_serve_are_taken_from_every_request_once(tmp_path: Path) -> None:
    script, written = write_script(tmp_path), tmp_path / "haproxy.cfg"
    written.write_text(_DEFAULTS + _WRITTEN)
    for _ in range(2):
        checked = subprocess.run([script, "-c", "-f", str(written)], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
    _, prometheus, http = written.read_text().split("frontend ")
    for frontend in (prometheus, http):
        rules = [line for line in frontend.splitlines() if "http-request" in line]
        assert [rule.split()[1:3] for rule in rules[:3]] == [
            ["del-header", "x-request-timeout-seconds"],
            ["del-header", "x-request-disconnect-disabled"],
            ["del-header", "x-request-id"],
        ]
    assert http.count("del-header") == 3
    assert http.index("del-header") < http.index("set-header"), "Serve names what we took the name from"


def test_it_starts_with_as_many_connections_as_its_files_allow(tmp_path: Path) -> None:
    script, written, listens = write_script(tmp_path), tmp_path / "haproxy.cfg", tmp_path / "socket"
    # Serve's servers are spliced to.
    frontend = f"frontend alone\n    option splice-auto\n    bind unix@{listens}\n"
    spliced = "    option splice-request\n    option splice-response\n"
    written.write_text(f"global\n    maxconn {connections_max(1024)}\n" + _DEFAULTS + spliced + frontend)
    program = f"ulimit -n 1024 && exec {script} -db -f {written}"
    with subprocess.Popen(["bash", "-c", program], stderr=subprocess.DEVNULL) as started:
        try:
            while started.poll() is None and not listens.exists():
                time.sleep(0.005)
            assert listens.exists()
        finally:
            started.terminate()


def test_it_is_told_to_hold_no_more_than_a_cluster_does() -> None:
    assert connections_max(10**9) == CONNECTIONS_MAX
