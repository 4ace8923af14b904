"""`GET /`: the chat page, from the package's own files, with the headers that keep a page safe."""

from __future__ import annotations

import gzip
import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import orjson
from cachetools import TTLCache
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response

from serve_app.api.services import Services
from serve_app.api.visitors import tenant_named
from serve_app.domain.errors import NotFound, StoreFailed
from serve_app.domain.starters import starters
from serve_app.tenant_settings import TenantSettings

logger = logging.getLogger(__name__)

# A publication shows in the questions to begin with within this time.
KEPT_S = 30
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
MAIN = "chat.js"
_IMPORT = re.compile(r'^import [^;]*? from "\./([^"]+)";\n', re.MULTILINE)
YEAR_S = 365 * 24 * 3600
# What a text inside a script element must not hold, and how JSON may write it instead.
_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is served. `etag` is of its content."""

    body: bytes
    zipped: bytes
    media_type: str
    etag: str

    @classmethod
    def of(cls, body: bytes, media_type: str) -> File:
        return cls(body, gzip.compress(body, 9, mtime=0), media_type, f'"{_digest(body)}"')

    def response(self, request: Request, headers: Mapping[str, str]) -> Response:
        """The file, or 304 when the browser has it already."""
        headers = {**headers, "etag": self.etag, "vary": "accept-encoding", "x-content-type-options": "nosniff"}
        if self.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        zipped = "gzip" in request.headers.get("accept-encoding", "")
        headers |= {"content-encoding": "gzip"} if zipped else {}
        return Response(self.zipped if zipped else self.body, headers=headers, media_type=self.media_type)


class WebFiles:
    """The page's files. Its script and styles stand under `/web/VERSION/`, so that a browser may keep them for ever."""

    def __init__(self) -> None:
        folder = files("serve_app") / "web"
        texts = {entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir()}
        modules = {name: text for name, text in texts.items() if name.endswith(".js")}
        whole = {name: text for name, text in texts.items() if _suffix(name) in MEDIA_TYPES and name not in modules}
        bodies = {name: text.encode() for name, text in {**whole, MAIN: joined(modules, MAIN)}.items()}
        self.version = _digest(b"".join(name.encode() + body for name, body in sorted(bodies.items())))[:12]
        self._index = bodies.pop("index.html").decode().replace("VERSION", self.version)
        self._files = {name: File.of(body, MEDIA_TYPES[_suffix(name)]) for name, body in bodies.items()}

    def get(self, name: str) -> File:
        """Raises NotFound."""
        if name not in self._files:
            raise NotFound("There is no such file.")
        return self._files[name]

    def index(self, shop: Mapping[str, object]) -> File:
        """The page itself, with what it must know of the shop before its first request."""
        told = orjson.dumps(shop).decode().translate(_ESCAPES)
        return File.of(self._index.replace("SHOP", told).encode(), MEDIA_TYPES[".html"])


def joined(modules: Mapping[str, str], main: str) -> str:
    """The ES module `main` as one file, what it imports before it: a slow network charges for every request.

    It asks of the modules that they name what they import in braces, and that no two use a name at their top.
    """
    order: list[str] = []

    def add(name: str) -> None:
        if name not in order:
            for needed in _IMPORT.findall(modules[name]):
                add(needed)
            order.append(name)

    add(main)
    return "\n".join(re.sub(r"^export ", "", _IMPORT.sub("", modules[name]), flags=re.MULTILINE) for name in order)


class Pages:
    """The page of each tenant, kept for a while."""

    def __init__(self, web: WebFiles, services: Services) -> None:
        self._web = web
        self._services = services
        self._made: TTLCache[str, File] = TTLCache(len(services.tenants) or 1, KEPT_S, timer=services.clock.monotonic)

    async def of(self, tenant: str) -> File:
        made = self._made.get(tenant)
        if made is None:
            told = {**_shop(tenant, self._services), "starters": await self._starters(tenant)}
            made = self._made[tenant] = self._web.index(told)
        return made

    async def _starters(self, tenant: str) -> object:
        """None: the page's own, which are the demo shop's."""
        if self._services.tenants[tenant].sources is None:
            return None
        try:
            entries, templates = await self._services.knowledge.published(tenant)
        except StoreFailed as error:
            logger.warning("the page of %s begins without questions of its own: %s", tenant, error)
            return None
        return starters(entries, templates, self._services.clock.now())


def add_pages(app: FastAPI, services: Services) -> None:
    web = WebFiles()
    pages = Pages(web, services)

    async def page(request: Request) -> Response:
        tenant = tenant_named(request.query_params.get("tenant"), services.tenants)
        headers = {**_safety(services.tenants[tenant]), "cache-control": "no-cache"}
        return (await pages.of(tenant)).response(request, headers)

    async def file(request: Request) -> Response:
        found = web.get(request.path_params["name"])
        # Another version's page, while servers are being replaced: what we have, but not to keep.
        kept = request.path_params["version"] == web.version
        lifetime = f"public, max-age={YEAR_S}, immutable" if kept else "no-store"
        return found.response(request, {"cache-control": lifetime})

    # Starlette's own routes answer HEAD as well.
    app.add_route("/", page, include_in_schema=False)
    app.add_route("/web/{version}/{name}", file, include_in_schema=False)
    if origins := sorted({origin for tenant in services.tenants.values() for origin in tenant.web.origins}):
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "x-customer-token"],
            max_age=600,
        )


def _shop(tenant: str, services: Services) -> dict[str, object]:
    settings, card = services.tenants[tenant], services.card
    return {
        "tenant": tenant,
        "name": {"zh": settings.shop.name_zh, "en": settings.shop.name_en},
        "timeZone": settings.shop.time_zone,
        "isDemo": settings.sources is None,
        "demoModel": card.name if card.demo else None,
        "parents": settings.web.origins,
        "questionChars": services.limits.question_chars,
    }


def _safety(tenant: TenantSettings) -> dict[str, str]:
    parents = " ".join(("'self'", *tenant.web.origins))
    policy = (
        "default-src 'self'; base-uri 'none'; form-action 'none'; object-src 'none'; require-trusted-types-for 'script'; "
        f"frame-ancestors {parents}"
    )
    return {
        "content-security-policy": policy,
        "referrer-policy": "no-referrer",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
    }


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
