"""Where traces go: an OTLP receiver that counts what it is sent, in a process of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing.connection import Connection

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Received:
    def __init__(self, told: Connection) -> None:
        self._told = told

    @property
    def spans(self) -> int:
        """So far."""
        self._told.send(None)
        return self._told.recv()


@contextmanager
def collecting(share: float) -> Generator[tuple[dict[str, str], Received]]:
    """The environment under which a process sends a `share` of its traces here."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_receive, args=(theirs,), daemon=True)
    process.start()
    port = ours.recv()
    environment = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://127.0.0.1:{port}/v1/traces",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": str(share),
    }
    try:
        yield environment, Received(ours)
    finally:
        process.terminate()
        process.join()


def _receive(told: Connection) -> None:
    spans = 0

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            nonlocal spans
            body = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
            spans += sum(len(scope.spans) for resource in body.resource_spans for scope in resource.scope_spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.timeout = 0.2
    told.send(server.server_port)
    while True:
        server.handle_request()
        while told.poll():
            told.recv()
            told.send(spans)
