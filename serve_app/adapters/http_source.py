"""A source of facts that is an HTTP service: one GET, or one for each value of a list."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast
from urllib.parse import quote

import httpx
import orjson

from serve_app.domain.errors import ConfigError, SourceFailed

_PARAMETER = re.compile(r"\{(\w+)\}")


class HttpSource:
    """Asks with its own bounded pool of connections. Redirects are not followed: a reply is JSON from the address it was
    asked at."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        scalars: Collection[str],
        lists: Collection[str],
        headers: Mapping[str, str] | None = None,
        rows: str = "",
        each: str | None = None,
        not_found_is_empty: bool = False,
        pool_size: int = 8,
        timeout_s: float = 1.0,
        rows_max: int = 1000,
        body_bytes_max: int = 1024 * 1024,
    ) -> None:
        """`scalars` and `lists` name the parameters that there are. Raises ConfigError: a bad URL, an unknown parameter."""
        self.name = name
        self._url = url
        self._rows = rows
        self._each = each
        self._not_found_is_empty = not_found_is_empty
        self._rows_max = rows_max
        self._body_bytes_max = body_bytes_max
        if not url.startswith(("http://", "https://")):
            raise ConfigError(f"source {name}: url: it must begin with http:// or https://")
        if unknown := set(_PARAMETER.findall(url)) - {*scalars, *lists}:
            known = ", ".join(sorted({*scalars, *lists}))
            raise ConfigError(f"source {name}: url: unknown parameter {', '.join(sorted(unknown))}; there are {known}")
        self.parameters = frozenset(_PARAMETER.findall(url))
        if each is not None and each not in lists:
            raise ConfigError(f"source {name}: each: {each} is no list; there are {', '.join(sorted(lists))}")
        self._client = httpx.AsyncClient(
            headers={"Accept": "application/json", **(headers or {})},
            limits=httpx.Limits(max_connections=pool_size, max_keepalive_connections=pool_size, keepalive_expiry=30),
            timeout=timeout_s,
            follow_redirects=False,
        )

    async def fetch(self, parameters: dict[str, Any]) -> Sequence[dict[str, Any]]:
        if self._each is None:
            return self._within_limit(await self._get(parameters))
        asked = [{**parameters, self._each: value} for value in parameters[self._each]]
        try:
            async with asyncio.TaskGroup() as group:
                replies = [group.create_task(self._get(one)) for one in asked]
        except* SourceFailed as failures:
            raise cast(SourceFailed, failures.exceptions[0]) from None
        mark = f":{self._each}"
        rows = [{**row, mark: one[self._each]} for one, reply in zip(asked, replies, strict=True) for row in reply.result()]
        return self._within_limit(rows)

    async def close(self) -> None:
        await self._client.aclose()

    async def _get(self, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        body = await self._body(self._filled(parameters))
        if body is None:
            return []
        try:
            reply = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise self._malformed("the reply is not JSON") from error
        rows = rows_at(reply, self._rows)
        if rows is None:
            raise self._malformed(f"the reply holds no list of objects at {self._rows or 'its top'}")
        return rows

    async def _body(self, url: str) -> bytes | None:
        try:
            async with self._client.stream("GET", url) as response:
                if response.status_code == 404 and self._not_found_is_empty:
                    return None
                if response.is_redirect:
                    raise self._malformed(f"HTTP {response.status_code}: a redirect, which is not followed")
                if response.status_code != 200:
                    raise self._refused(response.status_code)
                return await self._read(response)
        except httpx.TimeoutException as error:
            raise SourceFailed(self.name, "no reply in time", "late") from error
        except httpx.DecodingError as error:
            raise self._malformed("the reply's compression cannot be read") from error
        except httpx.InvalidURL as error:
            raise self._malformed("the filled-in URL is not valid") from error
        except httpx.HTTPError as error:
            raise SourceFailed(self.name, f"cannot be reached ({type(error).__name__})") from error

    async def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > self._body_bytes_max:
                raise self._malformed(f"the reply is larger than {self._body_bytes_max} bytes")
        return bytes(body)

    def _filled(self, parameters: Mapping[str, Any]) -> str:
        return _PARAMETER.sub(lambda found: self._quoted(parameters[found[1]]), self._url)

    def _quoted(self, value: Any) -> str:
        if isinstance(value, list | tuple):
            return ",".join(quote(str(each), safe="") for each in cast(Sequence[Any], value))
        # An empty segment, and dots, which no quoting keeps from climbing, would make it another address.
        if str(value) in ("", ".", ".."):
            raise self._malformed("a parameter cannot stand in a URL")
        return quote(str(value), safe="")

    def _within_limit(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(rows) > self._rows_max:
            raise self._malformed(f"more than {self._rows_max} rows")
        return rows

    def _refused(self, status: int) -> SourceFailed:
        if status in (401, 403):
            return SourceFailed(self.name, f"HTTP {status}: it does not accept the headers that it was sent")
        if status == 404:
            return self._malformed("HTTP 404: nothing is there; if that means no rows, set not_found_is_empty")
        return SourceFailed(self.name, f"HTTP {status}", "down" if status >= 500 or status == 429 else "malformed")

    def _malformed(self, reason: str) -> SourceFailed:
        return SourceFailed(self.name, reason, "malformed")


def rows_at(reply: Any, path: str, parent: dict[str, Any] | None = None) -> list[dict[str, Any]] | None:
    """The objects at a dotted path, as rows; None where the path leads to no list of objects. Null is an empty list.

    `data.orders[].parcels` reaches into every order; each row then holds its parent under `^`. What a name with a `?` behind it
    stands for may be absent.
    """
    if not path:
        items: list[Any] = cast(list[Any], reply) if isinstance(reply, list) else [reply]
        if not all(isinstance(item, dict) for item in items):
            return None
        return [{**item, "^": parent} for item in items] if parent is not None else items
    head, _, rest = path.partition(".")
    key = head.removesuffix("?").removesuffix("[]")
    if not isinstance(reply, dict):
        return None
    tree = cast(dict[str, Any], reply)
    if tree.get(key) is None:
        return [] if key in tree or head.endswith("?") else None
    found = tree[key]
    if not head.removesuffix("?").endswith("[]"):
        return rows_at(found, rest, parent)
    return _inside(found, rest, parent)


def _inside(found: Any, path: str, parent: dict[str, Any] | None) -> list[dict[str, Any]] | None:
    items = rows_at(found, "", parent)
    if items is None or not path:
        return items
    reached: list[dict[str, Any]] = []
    for item in items:
        rows = rows_at(item, path, item)
        if rows is None:
            return None
        reached += rows
    return reached
