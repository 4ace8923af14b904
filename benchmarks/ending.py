"""A benchmark that is asked to end ends what it started."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def exit_on_sigterm() -> Generator[None]:
    """SIGTERM is an exit meanwhile, so that every `finally` runs. Only the main thread may set this; others change nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
