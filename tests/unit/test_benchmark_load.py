from __future__ import annotations

import asyncio
import itertools
import math
import statistics
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.load.arrivals import arrivals, arrivals_within
from benchmarks.load.quantiles import difference, quantile, spread, spread_ms
from benchmarks.load.streams import Streams


@given(count=st.integers(0, 50), per_s=st.floats(0.1, 100), seed=st.integers(), cv=st.floats(0, 3))
def test_arrivals_are_so_many_in_order_and_the_same_for_a_seed(count: int, per_s: float, seed: int, cv: float) -> None:
    found = arrivals(count, per_s, seed, cv)
    assert len(found) == count
    assert found == sorted(found)
    assert found == arrivals(count, per_s, seed, cv)


@pytest.mark.parametrize("cv", [0.0, 1.0, 2.0])
def test_arrivals_have_their_rate_and_their_variation(cv: float) -> None:
    found = arrivals(20_000, 5.0, seed=3, cv=cv)
    gaps = [later - earlier for earlier, later in zip([0.0, *found], found, strict=False)]
    assert statistics.mean(gaps) == pytest.approx(0.2, rel=0.06)
    assert statistics.pstdev(gaps) / statistics.mean(gaps) == pytest.approx(cv, abs=0.1)


def test_arrivals_refuse_a_rate_of_nothing() -> None:
    with pytest.raises(ValueError, match="a rate above 0"):
        arrivals(1, 0.0, seed=1)


def test_arrivals_within_a_time_have_exactly_their_rate_and_come_at_random() -> None:
    found = arrivals_within(1000.0, 20.0, seed=1)
    assert (len(found), found == sorted(found)) == (20_000, True)
    assert 0 <= found[0] < found[-1] <= 1000.0
    gaps = [later - earlier for earlier, later in itertools.pairwise(found)]
    assert statistics.pstdev(gaps) / statistics.mean(gaps) == pytest.approx(1.0, abs=0.1)


@given(st.lists(st.floats(0, 1000), min_size=1), st.floats(0.01, 1.0))
def test_a_quantile_is_one_of_the_values_and_so_many_lie_at_or_below_it(values, share):
    found = quantile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6


def test_of_no_values_there_is_no_percentile():
    assert quantile([], 0.5) == math.inf
    assert spread([]) == {"n": 0, "p50": None, "p90": None, "p99": None}


def test_too_few_values_tell_no_tail() -> None:
    assert spread_ms([0.1] * 99) == {"n": 99, "p50": 100.0, "p90": 100.0, "p99": None}


def test_a_difference_with_nothing_is_nothing() -> None:
    assert difference(60.04, 50.0) == 10.0
    assert difference(None, 50.0) is None


@asynccontextmanager
async def server(pieces: Sequence[bytes]) -> AsyncGenerator[tuple[int, list[int]]]:
    """Gives the same answer to each request, piece by piece; and how often it was connected to."""
    connections: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                await reader.readexactly(size)
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
        except asyncio.IncompleteReadError:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1], connections


def chunked(text: bytes, every: int) -> list[bytes]:
    chunks = [text[at : at + every] for at in range(0, len(text), every)]
    head = b"HTTP/1.1 200 OK\r\nX-Name: here\r\ntransfer-encoding: chunked\r\n\r\n"
    return [head, *(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks), b"0\r\n\r\n"]


@pytest.mark.parametrize("every", [1, 7, 1000])
async def test_events_are_heard_whole_however_they_are_cut(every):
    heard: list[tuple[str, bytes]] = []
    text = b'event: delta\ndata: {"text":"a"}\n\ndata: [DONE]\n\n'
    async with server(chunked(text, every)) as (port, connections):
        streams = Streams("127.0.0.1", port)
        for _ in range(2):
            answered = await streams.post("/", {"A": "b"}, b"{}", lambda name, data, _: heard.append((name, data)))
            assert answered.status == 200
            assert answered.headers["x-name"] == "here"
        streams.close()
        assert len(connections) == 1
    assert heard == [("delta", b'{"text":"a"}'), ("", b"[DONE]")] * 2


async def test_a_refusal_is_told_with_its_body_and_a_server_that_is_not_there_with_nothing():
    refusal = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 4\r\n\r\nfull"
    async with server([refusal]) as (port, _):
        streams = Streams("127.0.0.1", port)
        answered = await streams.post("/", {}, b"{}", lambda *_: pytest.fail("there are no events"))
        assert (answered.status, answered.headers["retry-after"], answered.body) == (503, "1", b"full")
        streams.close()
    assert (await streams.post("/", {}, b"{}", lambda *_: None)).status == 0
