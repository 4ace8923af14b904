"""What customers write: small talk, no two questions alike, that no tier answers; and an app's own wishes before it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from functools import cache

from benchmarks.serving.questions import ANIMALS, KINDS, OPENINGS
from serve_app.adapters.tokenizer import HfTokenizer
from serve_app.domain.intents import Intent
from serve_app.domain.question import Focus
from serve_app.domain.system_text import chat_text
from serve_app.first_questions import make_understander

ANIMALS_MAX = 3
# Markers, the wish for an answer's language, the opening of the answer: what a turn adds around the customer's words.
AROUND_TOKENS = 20


def small_talk(seed: int) -> Iterator[str]:
    """Endlessly. Each is understood as small talk in English, which the model answers by itself."""
    dice, understander, day = random.Random(seed), _understander(), date(2026, 1, 5)
    seen: set[str] = set()
    while True:
        animals = ", ".join(f"{dice.choice(KINDS)} {dice.choice(ANIMALS)}" for _ in range(dice.randint(1, ANIMALS_MAX)))
        text = f"{dice.choice(OPENINGS)} {animals}"
        understood = understander.understand(text, Focus(), day)
        if text not in seen and understood.intent is Intent.CHITCHAT and understood.language == "en":
            seen.add(text)
            yield text


# Making one takes seconds.
_understander = cache(make_understander)


def wishes(tokenizer: HfTokenizer, tokens: int) -> str:
    """An app's own system text, with which every prompt begins with about so many tokens that all share."""
    wanted = tokens - len(tokenizer.encode_plain(chat_text())) - AROUND_TOKENS
    sentence = "Be kind, be brief, tell one joke at a time, and never explain it. "
    each = len(tokenizer.encode_plain(sentence))
    return sentence * max(1, round(wanted / each))
