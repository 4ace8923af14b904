"""Events as JSON data, and as the frames that sockets get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import orjson

from serve_app.domain.errors import ZeroWaitError
from serve_app.domain.messages import EVENT_NAMES, DeskEvent, Event, Failed, Meta, Suggestions


def payload(event: Event | DeskEvent) -> Any:
    """An event's JSON data, in the contract's form."""
    if isinstance(event, Suggestions):
        return event.items
    if isinstance(event, Failed):
        return {"error": event.error}
    return event


def event_frame(answer_id: str, seq: int, event: Event, message_ids: Sequence[str]) -> str:
    """One event of an answer. `meta` also says which messages it answers."""
    data = asdict(event) | {"message_ids": message_ids} if isinstance(event, Meta) else payload(event)
    return _json({"event": EVENT_NAMES[type(event)], "seq": seq, "answer_id": answer_id, "data": data})


def question_frame(answer_id: str, message_ids: Sequence[str], text: str, at: datetime) -> str:
    """For the sockets of a conversation that did not ask."""
    data = {"message_ids": message_ids, "text": text, "at": at}
    return _json({"event": "question", "answer_id": answer_id, "data": data})


def desk_frame(event: DeskEvent) -> str:
    return _json({"event": EVENT_NAMES[type(event)], "data": payload(event)})


def error_frame(error: ZeroWaitError, **about: str) -> str:
    """`about`: `message_id` of a refused message, or `answer_id` of an answer that ended so."""
    return _json({"event": "error", **about, "data": error.body()})


def frame(event: str, **data: Any) -> str:
    """What is no event of an answer: `ready`, `pong`."""
    return _json({"event": event, "data": data} if data else {"event": event})


def _json(value: dict[str, Any]) -> str:
    return orjson.dumps(value).decode()
