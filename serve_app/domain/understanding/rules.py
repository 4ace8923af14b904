"""Intents that can be read off the words. The first rule that matches decides; what no rule knows goes to the classifier.

All patterns read the canonical form: lower case, simplified, no apostrophes, commas between clauses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from serve_app.domain.intents import Intent


@dataclass(frozen=True, slots=True)
class Rule:
    intent: Intent
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None

    def holds(self, form: str) -> bool:
        return bool(self.pattern.search(form)) and not (self.unless and self.unless.search(form))


def rule(intent: Intent, *patterns: str, unless: str | None = None) -> Rule:
    """One of `patterns` is found in the form, and `unless` is not."""
    return Rule(intent, re.compile("|".join(patterns)), re.compile(unless) if unless else None)


def first_match(rules: tuple[Rule, ...], form: str) -> Intent | None:
    """The intent of the first rule that holds."""
    return next((candidate.intent for candidate in rules if candidate.holds(form)), None)
