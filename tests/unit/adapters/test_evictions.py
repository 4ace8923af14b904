"""What leaves a process's memory by itself is told, by why."""

from __future__ import annotations

from serve_app.adapters.memory_answers import MemoryAnswers
from serve_app.ports import Eviction


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_goes_by_itself_is_told_by_why():
    time, gone = Time(), list[Eviction]()
    memory = MemoryAnswers(max_bytes=3_000, monotonic=time, evicted=gone.append)
    memory.put_now("old", bytes(800), 10)
    memory.put_now("used", bytes(800), 60)
    assert memory.get_now("used") is not None
    memory.put_now("used", bytes(700), 60)
    memory.put_now("none", bytes(700), 0)
    assert gone == [], "what is replaced or not kept was not driven out"
    time.now = 10
    memory.put_now("new", bytes(800), 60)
    assert gone == ["expiry"]
    memory.put_now("large", bytes(1_800), 60)
    assert gone == ["expiry", "size"]
    assert memory.get_now("used") is None
    assert memory.get_now("new") is None or memory.get_now("large") is not None
