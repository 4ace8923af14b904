"""What a shop's own systems are told of a ticket, and when it is tried again. After https://www.standardwebhooks.com."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson

from serve_app.domain.tickets import Message, Ticket, TicketChange

_FIRST_S = 5.0
_LONGEST_S = 4 * 3600.0
# From the change on.
GIVE_UP_AFTER = timedelta(days=1)


def body_of(change: TicketChange, ticket: Ticket, message: Message | None, at: datetime) -> str:
    """JSON: `{"type", "timestamp", "data"}`. `data.number` grows with each change of a ticket, so that a receiver can tell
    a late one. `data.message.message_id` is its sender's: the same again, with more text, takes the place of the earlier."""
    data: dict[str, Any] = {
        "ticket_id": ticket.id,
        "number": ticket.changes,
        "session_id": ticket.session_id,
        "customer_id": ticket.customer_id,
        "language": ticket.language,
        "state": ticket.state,
        "reasons": ticket.reasons,
        "agent": ticket.agent,
        "opened_at": ticket.opened_at,
    }
    if message is not None:
        data["message"] = {
            "id": message.id,
            "message_id": message.about,
            "from": message.author,
            "name": message.name,
            "text": message.text,
            "at": message.at,
        }
    return orjson.dumps({"type": change, "timestamp": at, "data": data}, option=orjson.OPT_UTC_Z).decode()


def next_attempt(created_at: datetime, now: datetime, attempt: int, chance: float) -> datetime | None:
    """When a notice that failed for the `attempt`th time is tried again; None: not any more.

    The pause doubles from 5 s to at most 4 h, of which `chance` (0 to 1) takes off up to a half, so that notices which failed
    together do not come back together.
    """
    if now - created_at >= GIVE_UP_AFTER:
        return None
    pause_s = min(_LONGEST_S, _FIRST_S * 2.0 ** min(attempt - 1, 20))
    return now + timedelta(seconds=pause_s * (1 - chance / 2))
