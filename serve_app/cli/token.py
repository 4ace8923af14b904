"""`zerowait token`: a customer's token, as the shop's own login would make it. To try the demo shop, and for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from serve_app.adapters.customer_tokens import new_token
from serve_app.cli.key import ConfigFile, chosen_tenant, read_config


def command(
    customer: Annotated[str, typer.Option(help="The customer's id: C1001.")],
    tenant: Annotated[str | None, typer.Option(help="Whose customer it is. [default: the only one]")] = None,
    ttl_s: Annotated[int, typer.Option("--ttl-s", min=1, help="How many seconds it is valid.")] = 86400,
    config: ConfigFile = None,
) -> None:
    """Print a token for X-Customer-Token. Who holds it is that customer."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    typer.echo(new_token(customer, settings.tenants[owner], ttl_s, datetime.now(UTC), settings.home))
