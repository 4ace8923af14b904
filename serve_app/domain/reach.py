"""Whether a question is answered by the entry that has it: understanding sends some elsewhere before any entry is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry
from serve_app.domain.messages import Kind
from serve_app.domain.question import Understanding

# More are not read: each takes about a millisecond.
READ_MAX = 1000


def leads_elsewhere(understood: Understanding) -> str | None:
    """Where a question goes instead, for people; None when the entry that has it answers. `understood` without any turns."""
    intent = understood.intent
    if understood.foreign:
        return "it is understood as neither Chinese nor English, and goes to a person"
    if intent is Intent.HUMAN:
        return "it is understood as the wish for a person"
    if understood.kind is Kind.TEMPLATED:
        return f"it is understood as being about the customer's own things ({intent}), which a template answers otherwise"
    if understood.kind is Kind.ACTION:
        return f"it is understood as something to be done ({intent}), and goes to a person"
    if not understood.canonical:
        return "it is not understood without what was said before it, or is too long"
    if understood.canonical.startswith("@"):
        return f"it is answered, in whatever words, by the entry of the intent {understood.canonical[1:]}"
    return None


def unreached(entries: Iterable[Entry], understand: Callable[[str], Understanding]) -> Iterator[str]:
    """A line for each question that will not be answered by its entry, or takes a template's place, and why; of the first
    `READ_MAX` questions."""
    asked = [(entry, question) for entry in entries for questions in entry.questions.values() for question in questions]
    for entry, question in asked[:READ_MAX]:
        understood = understand(question)
        why = leads_elsewhere(understood)
        if why is not None and understood.canonical != f"@{entry.intent}":
            verb = "answers everybody's" if understood.kind is Kind.TEMPLATED else "will not answer"
            yield f"{entry.id} {verb} {question!r}: {why}"
    if len(asked) > READ_MAX:
        yield f"of {len(asked):,} changed questions, only the first {READ_MAX:,} were read as a customer's"
