"""The benchmark of validity, in small."""

from __future__ import annotations

from benchmarks.cache_validity import measure


async def test_what_changed_is_hidden_and_shown_anew() -> None:
    found = await measure(entries=5, publications=2)
    assert (found["entries"], found["publications"]) == (5, 2)
    assert isinstance(found["hidden_ms_max"], float)
