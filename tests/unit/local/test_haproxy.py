"""The script that stands before HAProxy."""

from __future__ import annotations

import subprocess
from pathlib import Path

from serve_app.local.haproxy import write_script

# What Serve writes, as far as addresses go.
_WRITTEN = """\
frontend prometheus
    bind :9101
frontend http_frontend
    bind 0.0.0.0:8000
listen stats
  bind *:8404
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
