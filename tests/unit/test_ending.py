"""A benchmark that is asked to end leaves by its `finally`s."""

from __future__ import annotations

import signal
import threading

import pytest

from benchmarks.ending import exit_on_sigterm


def test_being_asked_to_end_is_an_exit_and_is_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended, exit_on_sigterm():
        signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is before


def test_in_another_thread_nothing_happens() -> None:
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work() -> None:
        with exit_on_sigterm():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
