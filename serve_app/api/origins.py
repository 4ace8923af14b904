"""Which pages' scripts may talk to us."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from serve_app.domain.errors import Forbidden


def require_origin(headers: Mapping[str, str], origins: Collection[str]) -> None:
    """Browsers are let in from our own page and from `origins`. What is no browser sends no Origin. Raises Forbidden."""
    origin = headers.get("origin")
    if origin is None or origin in origins or is_own_origin(origin, headers):
        return
    raise Forbidden("This origin is not one of `web.origins`.")


def is_own_origin(origin: str, headers: Mapping[str, str]) -> bool:
    """Whether a browser's request comes from the page that this server gave it, also behind a proxy that renames the host.

    A page elsewhere can set neither header: the first is the browser's own, the second would need a preflight.
    """
    if headers.get("sec-fetch-site") == "same-origin":
        return True
    host = urlsplit(origin).netloc.lower()
    own = (headers.get("host", ""), headers.get("x-forwarded-host", "").partition(",")[0].strip())
    return bool(host) and host in (name.lower() for name in own)
