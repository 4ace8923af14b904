"""What is stored of answers under way, and what processes tell each other, as JSON, and back."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from serve_app.domain.errors import StoreFailed
from serve_app.domain.live import Alive, Cancel, Note, Told, Watch


def event_json(told: Told) -> bytes:
    return orjson.dumps([told.answer_id, told.seq, told.customer_id, told.frame, told.last])


def event_of(data: bytes) -> Told:
    """Raises StoreFailed."""
    try:
        return Told(*orjson.loads(data))
    except (orjson.JSONDecodeError, TypeError) as error:
        raise StoreFailed(f"an event cannot be read: {type(error).__name__}") from error


def events_message(sender: str, told: Sequence[Told]) -> bytes:
    rows = [[event.answer_id, event.seq, event.customer_id, event.frame, event.last, event.question] for event in told]
    return orjson.dumps([sender, "told", rows])


def note_message(sender: str, note: Note) -> bytes:
    match note:
        case Watch():
            return orjson.dumps([sender, "watch", note.for_s])
        case Alive():
            return orjson.dumps([sender, "alive", note.answer_ids])
        case Cancel():
            return orjson.dumps([sender, "cancel", note.answer_id])


def message_of(data: bytes) -> tuple[str, Sequence[Told] | Note]:
    """The sender, and what it says. Raises StoreFailed for what cannot be read, as from another version."""
    try:
        sender, name, content = orjson.loads(data)
        match name:
            case "told":
                return sender, tuple(Told(*row) for row in content)
            case "watch":
                return sender, Watch(float(content))
            case "alive":
                return sender, Alive(tuple(content))
            case "cancel":
                return sender, Cancel(str(content))
            case _:
                raise StoreFailed("a process says what this one does not know")
    except (ValueError, TypeError) as error:
        raise StoreFailed(f"a message cannot be read: {type(error).__name__}") from error
