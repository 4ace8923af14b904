"""OpenTelemetry: one trace a question, a span a step. Free when off: without a provider every span is a no-op.

On when the standard variables name a collector (`OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`);
everything else (headers, protocol, sampler, resource) is read by the SDK from its own standard variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def configure(room: str, environ: Mapping[str, str]) -> bool:
    """Sends this process's spans to the collector that `environ` names, as service `zerowait-<room>`. Once a process."""
    if not any(environ.get(name) for name in ENDPOINTS) or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    # Imported only when tracing is on: the exporters take a noticeable part of a second.
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    if isinstance(trace.get_tracer_provider(), TracerProvider):
        return True
    provider = TracerProvider(resource=Resource.create({"service.name": f"zerowait-{room}"}))
    provider.add_span_processor(BatchSpanProcessor(_exporter(environ)))
    trace.set_tracer_provider(provider)
    return True


def _exporter(environ: Mapping[str, str]):
    protocol = environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    return OTLPSpanExporter()


@cache
def tracer() -> trace.Tracer:
    """The same one always: the SDK makes a new one whenever it is asked, which takes longer than a span that is not sampled."""
    return trace.get_tracer("zerowait")


def question(headers: Mapping[str, str]) -> trace.Span:
    """The span of a question that came with these headers. To be ended. Nothing is done where nobody hears of it."""
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return trace.INVALID_SPAN
    return tracer().start_span("question", context=incoming(headers), kind=trace.SpanKind.SERVER)


def within(span: trace.Span) -> AbstractContextManager[object]:
    """What is done is part of `span`."""
    return trace.use_span(span) if span.get_span_context().is_valid else nullcontext()


def step(name: str, of: Context) -> AbstractContextManager[object]:
    """A span of a part of what `of` stands for. None, where that is not recorded: its parts are not either."""
    if not trace.get_current_span(of).is_recording():
        return nullcontext()
    return tracer().start_as_current_span(name, context=of)


def current() -> Context:
    """Where this task stands in its trace, to be gone on from later."""
    return context.get_current()


def outgoing() -> dict[str, str]:
    """The current span as W3C trace context, to travel with a request to another room. Empty when tracing is off."""
    if not trace.get_current_span().get_span_context().is_valid:
        return {}
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


def incoming(carrier: Mapping[str, str]) -> Context | None:
    """The parent that a request brought along."""
    return propagate.extract(carrier) if any(name in carrier for name in propagate.get_global_textmap().fields) else None
