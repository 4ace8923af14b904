"""Autogroups are turned off for a while, and on again, whatever ends it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from benchmarks.hits.autogroup import without_autogroups


@pytest.fixture
def said() -> list[str]:
    return []


def test_they_are_off_meanwhile_and_on_again(tmp_path: Path, said: list[str]) -> None:
    switch = tmp_path / "switch"
    switch.write_text("1\n")

    def fails() -> None:
        with without_autogroups(said.append, switch) as off:
            assert (off, switch.read_text()) == (True, "0")
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert switch.read_text() == "1"


def test_they_are_on_again_when_the_program_is_asked_to_end(tmp_path: Path, said: list[str]) -> None:
    switch = tmp_path / "switch"
    switch.write_text("1")

    def asked_to_end() -> None:
        with without_autogroups(said.append, switch):
            signal.raise_signal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit):
        asked_to_end()
    assert switch.read_text() == "1"
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("content", ["0\n", None])
def test_where_there_are_none_nothing_is_touched(tmp_path: Path, said: list[str], content: str | None) -> None:
    switch = tmp_path / "switch"
    if content is not None:
        switch.write_text(content)
    with without_autogroups(said.append, switch) as off:
        assert off
    assert (switch.read_text() if switch.exists() else None) == content
    assert said == []


def test_whoever_may_not_turn_them_off_is_told_what_to_do(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    switch = tmp_path / "switch"
    switch.write_text("1")

    def refuse(_path: Path, _text: str) -> int:
        raise PermissionError("not allowed")

    monkeypatch.setattr(Path, "write_text", refuse)
    with without_autogroups(said.append, switch) as off:
        assert not off
    assert "sysctl kernel." in said[0]
