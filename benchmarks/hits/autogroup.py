"""Linux's autogroups, out of the way of programs that share a core.

Linux gives each session a group of its own, and each group its part of a core. Where programs of several sessions are pinned
to one core, that goes wrong on some kernels: on 6.18 a Valkey that was ready to run did not run for seconds, while the session
of Ray's processes had the core to itself. It was seen with pinned programs only.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.ending import exit_on_sigterm

SWITCH = Path("/proc/sys/kernel/sched_autogroup_enabled")


@contextmanager
def without_autogroups(say: Callable[[str], None], switch: Path = SWITCH) -> Generator[bool]:
    """Turns them off, and back on at the end, also when asked to end. Yields whether they are off: only root may do it.

    One at a time: the first that ends turns them on for all.
    """
    before = switch.read_text().strip() if switch.exists() else "0"
    if before == "0":
        yield True
        return
    with exit_on_sigterm():
        try:
            switch.write_text("0")
        except OSError as error:
            say(f"autogroups stay on ({error}): pinned programs may starve each other. As root: sysctl kernel.{switch.name}=0")
            yield False
            return
        say("autogroups are off until the end")
        try:
            yield True
        finally:
            switch.write_text(before)
