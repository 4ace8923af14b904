"""What stands in a query string."""

from __future__ import annotations

from starlette.requests import Request

from serve_app.domain.errors import InvalidField


def number_in(request: Request, name: str, default: int, most: int) -> int:
    """A number from 1 to `most`. Raises InvalidField."""
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise InvalidField(f"{name}: write a number from 1 to {most}.", param=name)
    return int(text)


def flag_in(request: Request, name: str) -> bool:
    """true or false; absent is false. Raises InvalidField."""
    text = request.query_params.get(name, "false").lower()
    if text not in ("true", "false", "1", "0"):
        raise InvalidField(f"{name}: write true or false.", param=name)
    return text in ("true", "1")
