"""Keeps the replicas' own gRPC port on this machine. `zerowait run` has Ray load it into every worker before any other code
(`RAY_preload_python_modules`); nothing imports it otherwise.

Ray Serve 2.60 lets replicas call each other by gRPC on a port that it binds on every interface, whatever the node's address
is, and that port unpickles what it is sent. On a machine whose Ray lives on loopback, so should that port.
"""

from __future__ import annotations

from typing import Any

from ray._common import tls_utils

_EVERY_INTERFACE = "[::]:0"
_add_port = tls_utils.add_port_to_grpc_server


def _add_port_on_loopback(server: Any, address: str) -> int:
    return _add_port(server, "127.0.0.1:0" if address == _EVERY_INTERFACE else address)


tls_utils.add_port_to_grpc_server = _add_port_on_loopback
