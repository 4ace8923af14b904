"""Commands are written as redis-py itself would write them."""

from __future__ import annotations

from redis.asyncio.connection import Connection

from serve_app.adapters.pipelined_link import packed

COMMANDS = [
    ("GET", "zw:a:1"),
    ("SET", "键", "七天无理由退货", "EX", 604800),
    ("EVALSHA", "d" * 40, 3, "a", "b", "c", "", b"\x00\xff{}", -7),
]


def test_commands_are_the_same_bytes() -> None:
    assert packed(COMMANDS) == b"".join(Connection().pack_commands(COMMANDS))
