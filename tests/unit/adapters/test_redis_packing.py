"""Commands are written as redis-py itself would write them."""

from __future__ import annotations

import pytest
from redis.asyncio.connection import Connection

from serve_app.adapters.redis_client import packing

COMMANDS = [
    ("GET", "zw:a:1"),
    ("SET", "键", "七天无理由退货", "EX", 604800),
    ("EVALSHA", "d" * 40, 3, "a", "b", "c", "", b"\x00\xff{}", 1.5, -7),
    ("SCRIPT LOAD", "return 1"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_the_same_bytes(command: tuple[str | bytes | int | float, ...]) -> None:
    assert b"".join(packing(Connection)().pack_command(*command)) == b"".join(Connection().pack_command(*command))


def test_many_commands_are_one_piece() -> None:
    assert packing(Connection)().pack_commands(COMMANDS) == [b"".join(map(bytes, Connection().pack_commands(COMMANDS)))]
