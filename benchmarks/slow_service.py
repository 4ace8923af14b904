"""An HTTP service that takes its time: answers every GET with the same JSON after a delay. Standard library only."""

from __future__ import annotations

import argparse
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def serve(port: int, delay_ms: int, body: bytes) -> None:
    """Runs until it is ended. `/ready` answers at once. Port 0 takes a free one; the port is printed first."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path != "/ready":
                time.sleep(delay_ms / 1000)
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            # In one piece: two would wait for each other's acknowledgement.
            self.wfile.write(head.encode() + body)

        def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay-ms", type=int, required=True)
    parser.add_argument("--body", required=True)
    arguments = parser.parse_args()
    serve(arguments.port, arguments.delay_ms, arguments.body.encode())


if __name__ == "__main__":
    main()
