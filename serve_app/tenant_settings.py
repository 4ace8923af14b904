"""A tenant's part of the configuration: its shop, its customers' tokens, its pages, its desk and its sources."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from serve_app.domain.id_formats import ORDER_ID_PATTERN, SKU_ID_PATTERN, IdFormat
from serve_app.domain.opening_hours import checked_hours
from serve_app.source_settings import SecretRef, Settings, Source


def _id_pattern(pattern: str) -> str:
    IdFormat(pattern)
    return pattern


def _zone_name(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("there is no such time zone; write one such as Asia/Shanghai") from error
    return name


# A regular expression, checked where it is read.
IdPattern = Annotated[str, AfterValidator(_id_pattern)]


class ShopSettings(Settings):
    id: str = "demo"
    """Stands in every key of a shared answer."""
    name_zh: str = "零等小店"
    """The shop's name, as the model is told it."""
    name_en: str = "ZeroWait Demo Shop"
    """The same in English."""
    time_zone: Annotated[str, AfterValidator(_zone_name)] = "Asia/Shanghai"
    """IANA name. Dates are shown in it, and 明天 is computed in it."""
    currency: str = "CNY"
    """ISO 4217."""
    order_id_pattern: IdPattern = ORDER_ID_PATTERN
    """How an order number looks: a regular expression, found in either case. Spaces and hyphens that it can do without are
    dropped. Plain numbers of 10 to 20 digits are order numbers in every shop."""
    sku_id_pattern: IdPattern = SKU_ID_PATTERN
    """The same for SKUs. With groups, in either pattern, an id is the groups joined by hyphens."""
    desk_hours: Annotated[str, AfterValidator(checked_hours)] = "09:00-22:00"
    """When a person answers, in the shop's zone: 09:00-22:00, or Mon-Fri 09:00-18:00, Sat 10:00-16:00."""
    desk_contact_zh: str = ""
    """How to reach one, after 您可以: 拨打 400-…. Empty: only the hours are told."""
    desk_contact_en: str = ""
    """The same in English."""


class TokenSettings(Settings):
    """How a customer's token is checked: a shared secret (HS256), or the issuer's published keys (RS256, ES256)."""

    algorithm: Literal["HS256", "RS256", "ES256"] = "HS256"
    """The only one that is accepted."""
    secret: SecretRef | None = "file:token-secret"
    """For HS256; at least 32 bytes."""
    jwks_url: str | None = None
    """For RS256 and ES256: the issuer's published keys."""
    issuer: str | None = None
    """`iss` must be this, if set."""
    audience: str | None = None
    """`aud` must be this, if set."""
    leeway_s: int = 10
    """Between two machines' clocks."""

    @model_validator(mode="after")
    def _one_way_to_check(self) -> TokenSettings:
        if self.algorithm == "HS256" and self.secret is None:
            raise ValueError("HS256 needs `secret` (env:NAME or file:PATH)")
        if self.algorithm != "HS256" and self.jwks_url is None:
            raise ValueError(f"{self.algorithm} needs `jwks_url`")
        return self

    def shares_keys_with(self, other: TokenSettings) -> Literal["secret", "jwks_url"] | None:
        """The field by which both check a signature with the same keys."""
        if "HS256" in (self.algorithm, other.algorithm):
            return "secret" if self.algorithm == other.algorithm and self.secret == other.secret else None
        return "jwks_url" if self.jwks_url == other.jwks_url else None


class WebSettings(Settings):
    """The chat page, and browsers in general."""

    origins: tuple[str, ...] = ()
    """Origins of the shop's own pages that may open a WebSocket or ask for a visitor token: https://shop.example. The page that
    ZeroWait serves itself always may."""
    visitor_secret: SecretRef = "file:visitor-secret"
    """Signs visitors' tokens; at least 32 bytes. The same on every node."""
    visitor_token_s: int = Field(default=3600, ge=60)
    """A visitor token's time to live. The page asks for a new one by itself."""


class DeskSettings(Settings):
    """Where conversations go that a person takes over."""

    webhook_url: str | None = None
    """Told of every change of a ticket, by POST, signed as Standard Webhooks says. Default: nobody is told."""
    webhook_secret: SecretRef | None = None
    """Signs the webhook: `whsec_` and base64, or any text; at least 24 bytes."""
    expected_wait_s: int = Field(default=120, ge=0)
    """Told to a customer while someone is on duty, for each conversation that waits before."""

    @model_validator(mode="after")
    def _signed(self) -> DeskSettings:
        if self.webhook_url is not None and self.webhook_secret is None:
            raise ValueError("`webhook_url` needs `webhook_secret` (env:NAME or file:PATH)")
        return self


class TenantSettings(Settings):
    shop: ShopSettings = ShopSettings()
    tokens: TokenSettings = TokenSettings()
    web: WebSettings = WebSettings()
    desk: DeskSettings = DeskSettings()
    sources: tuple[Source, ...] | None = None
    """Where its customers' facts come from. Default: the demo shop."""
    knowledge: Path | None = None
    """A folder of YAML, CSV and Markdown, which a start publishes when it changed since the last one; relative to where the
    command runs. Default: the demo's for the demo shop."""
    open_orders_max: int = Field(default=5, ge=1)
    """Open orders that enter an answer, besides those that were named."""
