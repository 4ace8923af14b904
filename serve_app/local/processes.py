"""The processes of a local start: each begins a session of its own, is written down, and is ended with all it started.

A session outlives the process that began it, and a process cannot enter another's; so "everything that we started" is
"every process of the recorded sessions", also after this program died without ending them.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

_SEGMENT = re.compile(r"/dev/shm/(?:psm_|sem\.loky-|sem\.mp-)\S+$", re.MULTILINE)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Leader:
    """The first process of a session. `started` (clock ticks since boot) tells it from a later one with its number."""

    name: str
    pid: int
    started: int


@dataclass(frozen=True)
class _Stat:
    pid: int
    session: int
    started: int
    zombie: bool


def process_ids() -> Iterator[int]:
    """Every process of this machine that the system shows."""
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (OSError, UnicodeDecodeError):
        return None
    # The program's name stands in parentheses and may hold spaces; field 3 is the first after it (proc(5)).
    fields = text[text.rindex(")") + 2 :].split()
    return _Stat(pid, int(fields[3]), int(fields[19]), fields[0] == "Z")


def members(leader: Leader) -> list[int]:
    """The live processes of a session. Empty when its number belongs to another one by now."""
    first = _stat(leader.pid)
    if first is not None and first.started != leader.started:
        return []
    stats = (_stat(pid) for pid in process_ids())
    return [s.pid for s in stats if s and s.session == leader.pid and s.started >= leader.started and not s.zombie]


class Ledger:
    """The sessions that this start began, in a file that the next start reads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._leaders: list[Leader] = []

    def spawn(self, name: str, command: Sequence[str], environ: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
        """Starts a program in a session of its own, its output to `log`. Raises OSError."""
        with log.open("ab") as output:
            child = subprocess.Popen(
                command, env=dict(environ), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        stat = _stat(child.pid)
        if stat is not None:
            self._leaders.append(Leader(name, child.pid, stat.started))
            self._write()
        return child

    def alive(self) -> list[str]:
        """The names of the programs that were started and still run."""
        stats = {leader.name: _stat(leader.pid) for leader in self._leaders}
        return [name for name, stat in stats.items() if stat is not None and not stat.zombie]

    def end_all(self, grace_s: float) -> None:
        """Ends what this start began, the last first, and forgets it."""
        for leader in reversed(self._leaders):
            end(leader, grace_s)
        self._leaders.clear()
        self._path.unlink(missing_ok=True)

    def end_leftovers(self, grace_s: float) -> list[str]:
        """Ends what an earlier start left running because it died itself; returns their names."""
        leftovers = [leader for leader in self._read() if members(leader)]
        for leader in reversed(leftovers):
            end(leader, grace_s)
        self._path.unlink(missing_ok=True)
        return [leader.name for leader in leftovers]

    def _write(self) -> None:
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps({"boot": _BOOT_ID.read_text().strip(), "leaders": [asdict(x) for x in self._leaders]}))
        partial.replace(self._path)

    def _read(self) -> list[Leader]:
        try:
            record = json.loads(self._path.read_text())
            if record["boot"] != _BOOT_ID.read_text().strip():
                return []
            return [Leader(**leader) for leader in record["leaders"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []


def end(leader: Leader, grace_s: float) -> None:
    """Asks every process of the session to end, and after `grace_s` seconds makes them."""
    running = members(leader)
    segments = _segments(running)
    _signal(running, signal.SIGTERM)
    give_up = time.monotonic() + grace_s
    while members(leader) and time.monotonic() < give_up:
        _reap(leader.pid)
        time.sleep(0.05)
    # Again and again: a process that is being killed may have begun another one meanwhile.
    while left := members(leader):
        _signal(left, signal.SIGKILL)
        _reap(leader.pid)
        time.sleep(0.02)
    _reap(leader.pid)
    for segment in segments:
        segment.unlink(missing_ok=True)


def _segments(pids: Sequence[int]) -> set[Path]:
    """The shared memory of Python's multiprocessing that these processes have open.

    It outlives a process that is killed; an engine's is 400 MB. Its tracker would remove it, but is killed with the rest.
    """
    maps: list[str] = []
    for pid in pids:
        with suppress(OSError):
            maps.append(Path(f"/proc/{pid}/maps").read_text())
    return {Path(path) for path in _SEGMENT.findall("\n".join(maps))}


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
