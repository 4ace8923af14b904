"""The instructions that every prompt begins with. They are the same for all of a tenant's customers."""

from __future__ import annotations

from collections.abc import Iterable

from serve_app.domain.knowledge import Entry
from serve_app.domain.messages import Language

# Part of every answer key: bump it when the words below change, or what a public prompt holds.
PROMPT_VERSION = "3"


def system_text(shop_name_zh: str, shop_name_en: str) -> str:
    """Who the model is and what it must not do."""
    return (
        f"You are the customer service assistant of {shop_name_en} ({shop_name_zh}). "
        "Answer in the customer's language, Chinese or English, in at most three short sentences. "
        "Use only the policies, facts and passages given to you. Never invent a number, a date, an amount or an order. "
        "If they do not hold the answer, say that a person will help."
    )


def chat_text() -> str:
    """For a model that may say nothing of the shop. Small models follow a short text in one language best."""
    return (
        "You are a friendly assistant. Answer small talk in one or two short sentences, in the user's language. "
        "Never state numbers, dates or prices."
    )


def policies_text(entries: Iterable[Entry], language: Language) -> str:
    """The published rules as one text, in a stable order, so that the prefix of all conversations' prompts stays the same."""
    lines = [f"- {entry.questions[language][0]} {entry.answers[language]}" for entry in sorted(entries, key=lambda e: e.id)]
    return "\n".join(lines)
