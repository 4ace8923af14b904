"""CPU time by process, and on which core each runs, from Linux's /proc."""

from __future__ import annotations

import os
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

OTHERS = "others"
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def family(root: int) -> list[int]:
    """The process and all that came from it, also where a parent in between has ended (same session)."""
    parents: dict[int, int] = {}
    sessions: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.name)], sessions[int(entry.name)] = int(fields[1]), int(fields[3])
    found = {root}
    while more := {pid for pid, parent in parents.items() if pid not in found and (parent in found or sessions[pid] in found)}:
        found |= more
    return sorted(found & parents.keys())


def pin(pids: list[int], *cores: int) -> None:
    """Every thread of every process to these cores."""
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").glob("*"):
            with suppress(OSError):  # it has ended
                os.sched_setaffinity(int(thread.name), cores)


def pin_apart(pids: list[int], core: int, house_core: int) -> None:
    """What answers to `core`; what Ray does besides (dashboard, agents, controller, daemons) to the other."""
    house = {pid for pid in pids if _what(pid) == OTHERS}
    pin(list(house), house_core)
    pin([pid for pid in pids if pid not in house], core)


# By process: what it is, and its CPU seconds so far.
Usage = dict[int, tuple[str, float]]


def usage(pids: list[int]) -> Usage:
    found: Usage = {}
    for pid in pids:
        with suppress(OSError):  # it has ended
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            found[pid] = (_what(pid), (int(fields[11]) + int(fields[12])) * _TICK_S)
    return found


def between(before: Usage, after: Usage) -> dict[str, float]:
    """CPU seconds by what a process is. One that has begun meanwhile counts whole, one that has ended not at all."""
    spent: defaultdict[str, float] = defaultdict(float)
    for pid, (what, seconds) in after.items():
        spent[what] += seconds - before.get(pid, (what, 0.0))[1]
    return dict(spent)


def cpu_s(pids: list[int]) -> dict[str, float]:
    """CPU seconds so far, by what a process is."""
    return between({}, usage(pids))


def _what(pid: int) -> str:
    try:
        return what_runs(Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode(errors="replace"))
    except OSError:
        return OTHERS  # it has ended


def what_runs(command: str) -> str:
    """Ray names its workers after what they run: ray::ServeReplica:APP:DEPLOYMENT, and for a while .METHOD."""
    if command.startswith("ray::ServeReplica:"):
        return command.split(":")[4].partition(".")[0]
    name = command.split(" ")[0].rpartition("/")[2]
    return name if name in ("haproxy", "valkey-server") else OTHERS
