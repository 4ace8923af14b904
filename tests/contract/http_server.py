"""A real HTTP server on a free port of 127.0.0.1, in a thread of the tests' process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import orjson


class Service:
    """Answers by path: `replies[path]` is (status, headers, body); a body that is no bytes is sent as JSON."""

    def __init__(self) -> None:
        self.url = ""
        self.replies: dict[str, tuple[int, dict[str, str], Any]] = {}
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.hold = threading.Event()
        self.hold.set()

    def reply(self, path: str, body: Any, status: int = 200, **headers: str) -> None:
        self.replies[path] = (status, headers, body)

    def answer(self, raw_path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        self.paths.append(raw_path)
        self.headers.append(headers)
        self.hold.wait(10)
        parts = urlsplit(raw_path)
        status, sent, body = self.replies.get(unquote(parts.path), (404, {}, {"detail": "nothing here"}))
        if callable(body):
            body = body({name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()})
        return status, sent, body if isinstance(body, bytes) else orjson.dumps(body)


@contextmanager
def serving() -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, body = service.answer(self.path, {name.lower(): value for name, value in self.headers.items()})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

        def handle_error(self, *_: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            """A client that goes away in the middle is part of the tests."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield service
    finally:
        service.hold.set()
        server.shutdown()
        server.server_close()
