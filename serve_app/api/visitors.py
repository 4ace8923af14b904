"""`POST /v1/visitors`: a short-lived token for whoever looks at the chat page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from serve_app.adapters.visitor_tokens import Visitor
from serve_app.api.bodies import Id, read_body
from serve_app.api.edge import as_json
from serve_app.api.origins import require_origin
from serve_app.api.services import Services
from serve_app.demo.visitors import DEMO_CUSTOMERS
from serve_app.domain.errors import ConfigError, Forbidden, InvalidField, NotFound, NotReady, RateLimited
from serve_app.tenant_settings import TenantSettings

logger = logging.getLogger(__name__)

WINDOW_S = 60


class VisitorBody(BaseModel):
    """`POST /v1/visitors`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    tenant: Id | None = Field(default=None, description="Whose visitor it is. Default: the only tenant.")
    customer_id: Id | None = Field(default=None, description="Which customer to be; in the demo shop only.")


class Quota:
    """At most `most` a minute, counted from the first. `monotonic` gives seconds."""

    def __init__(self, most: int, monotonic: Callable[[], float]) -> None:
        self._most = most
        self._monotonic = monotonic
        self._began = float("-inf")
        self._taken = 0

    def take(self) -> None:
        """Raises RateLimited, with the time until the next minute begins."""
        now = self._monotonic()
        if now >= self._began + WINDOW_S:
            self._began, self._taken = now, 0
        if self._taken >= self._most:
            left_s = max(1, round(self._began + WINDOW_S - now))
            raise RateLimited(f"Too many visitors at once. Please try again in {left_s} s.", retry_after_s=left_s)
        self._taken += 1


def add_visitors(app: FastAPI, services: Services) -> None:
    quota = Quota(services.limits.visitors_per_minute, services.clock.monotonic)

    @app.post(
        "/v1/visitors",
        status_code=201,
        summary="A short-lived token for the chat page",
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": VisitorBody.model_json_schema()}}}},
    )
    async def visitors(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        body = await read_body(request, VisitorBody, services.limits.body_bytes)
        tenant = tenant_named(body.tenant, services.tenants)
        settings = services.tenants[tenant]
        require_origin(request.headers, settings.web.origins)
        if body.customer_id is not None and settings.sources is not None:
            raise Forbidden("A customer can be chosen in the demo shop only.", param="customer_id")
        quota.take()
        try:
            token, expires_at = services.visitor_tokens.make(Visitor(tenant, body.customer_id))
        except ConfigError as error:
            logger.error("visitors of tenant %s get no token: %s", tenant, error)
            raise NotReady("Visitors cannot be let in right now.", retry_after_s=30) from error
        made = {
            "token": token,
            "expires_at": expires_at,
            "tenant": tenant,
            "customer_id": body.customer_id,
            "demo_customers": DEMO_CUSTOMERS if settings.sources is None else (),
        }
        return as_json(made, 201, {"cache-control": "no-store"})


def tenant_named(name: str | None, tenants: Mapping[str, TenantSettings]) -> str:
    """Raises InvalidField (several tenants, none named) and NotFound."""
    if name is None:
        if len(tenants) > 1:
            raise InvalidField("tenant: there are several; name one.", param="tenant")
        return next(iter(tenants))
    if name not in tenants:
        raise NotFound("There is no such tenant.", param="tenant")
    return name
