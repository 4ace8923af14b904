"""Understanding a question: language, intent, entities, kind; and what the conversation is about. Pure, within 1 ms."""

from serve_app.domain.understanding.focus import refocus
from serve_app.domain.understanding.remembering import RememberingUnderstander
from serve_app.domain.understanding.understander import Understander

__all__ = ["RememberingUnderstander", "Understander", "refocus"]
