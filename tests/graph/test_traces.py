"""One trace a question, a span a step, across the rooms."""

from __future__ import annotations

import asyncio

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from serve_app import tracing
from tests.graph.front import Front
from tests.graph.socket_client import greeted

PARENT = f"00-{'ab' * 16}-{'cd' * 8}-01"


@pytest.fixture(scope="module")
def spans() -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


async def test_every_step_of_a_question_is_in_its_callers_trace(front: Front, spans: InMemorySpanExporter) -> None:
    spans.clear()
    response = await front.post(
        "/v1/ask", customer="C1002", json={"question": "我的快递到哪了?"}, headers={"traceparent": PARENT}
    )
    assert response.status_code == 200
    ended = spans.get_finished_spans()
    assert {f"{span.context.trace_id:032x}" for span in ended if span.context} == {"ab" * 16}
    names = {span.name for span in ended}
    assert {
        "question",
        "session",
        "understand",
        "record",
        "cache",
        "context",
        "context.facts",
        "context.source",
    } <= names
    roots = [span for span in ended if span.parent and f"{span.parent.span_id:016x}" == "cd" * 8]
    assert [span.name for span in roots] == ["question"]


async def test_a_question_to_the_cache_room_is_in_it_too(front: Front, spans: InMemorySpanExporter) -> None:
    spans.clear()
    await front.post("/v1/ask", json={"question": "你们老板的生日是哪天"}, headers={"traceparent": PARENT})
    ended = {span.name: span for span in spans.get_finished_spans()}
    asked, found = ended["cache"], ended["cache.look_up"]
    assert found.parent is not None
    assert asked.context is not None
    assert found.parent.span_id == asked.context.span_id


async def test_a_streams_span_ends_after_its_recording(front: Front, spans: InMemorySpanExporter) -> None:
    spans.clear()
    response = await front.post("/v1/ask", json={"question": "Tell me a joke", "stream": True})
    assert "event: done" in response.text
    names: list[str] = []
    async with asyncio.timeout(5):
        while "question" not in names:
            await asyncio.sleep(0.01)
            names = [span.name for span in spans.get_finished_spans()]
    assert names.index("record") < names.index("question")


async def test_each_question_of_a_socket_is_in_its_callers_trace(front: Front, spans: InMemorySpanExporter) -> None:
    async with greeted(front, additional_headers={"traceparent": PARENT}) as socket:
        for _ in range(2):
            spans.clear()
            await socket.ask("Tell me a joke")
            names: list[str] = []
            async with asyncio.timeout(5):
                while "question" not in names:
                    await asyncio.sleep(0.01)
                    names = [span.name for span in spans.get_finished_spans()]
            assert names.index("record") < names.index("question")
            assert "model" in names
            roots = [span for span in spans.get_finished_spans() if span.parent and f"{span.parent.span_id:016x}" == "cd" * 8]
            assert [span.name for span in roots] == ["question"]


async def test_a_models_answer_has_its_span(front: Front, spans: InMemorySpanExporter) -> None:
    spans.clear()
    await front.ask("Tell me a joke")
    assert "model" in {span.name for span in spans.get_finished_spans()}


def test_without_a_collector_nothing_is_set_up() -> None:
    assert not tracing.configure("test", {})
    assert not tracing.configure("test", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"})


def test_nothing_travels_without_a_span() -> None:
    assert tracing.outgoing() == {}
    assert tracing.incoming({}) is None
