"""What a local start prints when it is ready: the chat page, the address, the key, a token, and lines to paste."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

from serve_app.adapters.auth import new_token
from serve_app.config import Config
from serve_app.local.setup import Prepared, uses_demo_shop

# The demo shop's first customer: a parcel under way, a refund in progress, a completed order.
CUSTOMER = "C1001"
TOKEN_S = 24 * 3600


def welcome(config: Config, prepared: Prepared, address: str, dashboard: str) -> str:
    """The text, for stdout. The key is shown when it was made now; else where it is kept."""
    key_file = config.home / "api-key"
    lines = ["", f"Chat page / 聊天页面: {address}/", f"ZeroWait answers on {address}   (Ray's dashboard: {dashboard})", ""]
    if prepared.key_is_new:
        lines += [f"API key, made now and not shown again: {prepared.key}", f"  kept in {_short(key_file)}"]
    else:
        lines += [f"API key: kept in {_short(key_file)}"]
    tenant = config.tenants[prepared.tenant]
    token = None
    if uses_demo_shop(config) and tenant.tokens.algorithm == "HS256":
        token = new_token(CUSTOMER, tenant, TOKEN_S, datetime.now(UTC), config.home)
        lines += [
            f"Customer token of {CUSTOMER}, for a day: {token}",
            f"  another: {_command(config)} token --customer {CUSTOMER}",
        ]
    lines += ["", "Try it / 试一试:", f"  KEY=$(cat {shlex.quote(str(key_file))})"]
    if token is not None:
        lines += [f"  TOKEN={token}"]
    lines += [_curl(address, "运费怎么算?", token=False), _curl(address, "What is your return policy?", token=False)]
    if token is not None:
        lines += [_curl(address, "我的快递到哪了?", token=True), _curl(address, "Where is my parcel?", token=True)]
    return "\n".join([*lines, "", "Ctrl-C ends everything.", ""])


def _curl(address: str, question: str, *, token: bool) -> str:
    customer = '-H "X-Customer-Token: $TOKEN" ' if token else ""
    body = shlex.quote(f'{{"question": "{question}"}}')
    return (
        f'  curl -sN {address}/v1/ask -H "Authorization: Bearer $KEY" {customer}'
        f"-H 'Content-Type: application/json' -H 'Accept: text/event-stream' -d {body}"
    )


def _command(config: Config) -> str:
    """How to call this program again, with the same data folder."""
    program = Path(sys.prefix) / "bin" / "zerowait"
    here = Path.cwd()
    command = shlex.quote(str(program.relative_to(here) if program.is_relative_to(here) else program))
    usual = Config().resolved({}).home
    return command if config.home == usual else f"ZEROWAIT_DATA_DIR={shlex.quote(str(config.home))} {command}"


def _short(path: Path) -> str:
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
