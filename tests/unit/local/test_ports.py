"""Ports: free or not, and who holds one."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from serve_app.domain.errors import ConfigError
from serve_app.local.ports import LOOPBACK, Ports, free_port, holder, is_free, require_free


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


def test_a_port_is_free_until_somebody_listens(taken: int) -> None:
    assert not is_free(LOOPBACK, taken)
    assert is_free(LOOPBACK, free_port())


def test_the_holder_is_found(taken: int) -> None:
    assert holder(taken) == os.getpid()
    assert holder(free_port()) is None


def test_a_port_in_use_gives_one_line_that_says_what_to_do(taken: int) -> None:
    with pytest.raises(ConfigError) as raised:
        require_free(LOOPBACK, {"--port": free_port(), "--stats-port": taken})
    message = str(raised.value)
    assert f"port {taken} is in use by " in message
    assert f"process {os.getpid()}" in message
    assert message.endswith("choose another with --stats-port")
    assert "\n" not in message


def test_every_port_in_use_is_named(taken: int) -> None:
    with pytest.raises(ConfigError) as raised:
        require_free(LOOPBACK, {"--port": taken, "--stats-port": taken})
    assert len(str(raised.value).splitlines()) == 2


def test_valkeys_port_does_not_matter_when_another_server_is_named() -> None:
    ports = Ports()
    assert "--redis-port" in ports.named()
    assert "--redis-port" not in ports.named(with_redis=False)
    assert len(set(ports.named().values())) == len(ports.named())
