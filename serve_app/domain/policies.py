"""The shop's figures: each is defined once, typed, and stands in the answers as `{policy.return_days}`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

from serve_app.domain.errors import ConfigError
from serve_app.domain.knowledge import Entry, Template, TemplateCase
from serve_app.domain.messages import Language
from serve_app.domain.wording import Locale, money

Unit = Literal["days", "workdays", "hours", "months", "years", "percent", "count", "minor", "time_span"]


@dataclass(frozen=True, slots=True)
class Policy:
    """One figure. `value` is a whole number of `unit` (`minor`: minor units of `currency`), or "09:00-22:00" (`time_span`)."""

    id: str  # without "policy."
    unit: Unit
    value: int | str
    currency: str | None = None

    @property
    def source_id(self) -> str:
        """Its id among everything that is published."""
        return f"policy.{self.id}"

    def said(self, language: Language) -> str:
        """The figure with its unit: zh 7 天, en 7 days."""
        if isinstance(self.value, str):
            return self.value.replace("-", "–" if language == "en" else "-")
        if self.unit == "minor":
            return money(self.value, Locale(language), self.currency)
        zh, one, many = _UNITS[self.unit]
        return f"{self.value}{zh}" if language == "zh" else f"{self.value}{one if self.value == 1 else many}"


def slots_in(text: str) -> frozenset[str]:
    """The ids of the policies that the text names."""
    return frozenset(_SLOT.findall(text))


def fill_entry(entry: Entry, policies: Mapping[str, Policy]) -> Entry:
    """The entry with figures in its answers. Raises ConfigError naming the entry and what it asks for in vain."""
    answers = {language: _filled(text, language, policies, f"entry {entry.id}") for language, text in entry.answers.items()}
    for language, text in answers.items():
        if "{" in text or "}" in text:
            raise ConfigError(f"entry {entry.id}, {language}: an answer may hold {{policy.NAME}} slots only, in braces")
    return replace(entry, answers=answers)


def fill_template(template: Template, policies: Mapping[str, Policy]) -> Template:
    """The template with figures for its policies; its other slots stay. Raises ConfigError as `fill_entry`."""
    cases = (
        TemplateCase(case.when, {language: fill_case(template, number, language, policies) for language in case.text})
        for number, case in enumerate(template.cases)
    )
    return replace(template, cases=tuple(cases))


def fill_case(template: Template, number: int, language: Language, policies: Mapping[str, Policy]) -> str:
    """A case's words with figures, `number` from 0. Raises ConfigError as `fill_template`."""
    return _filled(template.cases[number].text[language], language, policies, f"template {template.id}, case {number + 1}")


def used_policies(entries: Iterable[Entry], templates: Iterable[Template]) -> frozenset[str]:
    """The ids of the policies that any answer or template names. The texts must not be filled yet."""
    texts = [text for entry in entries for text in entry.answers.values()]
    texts += [text for template in templates for case in template.cases for text in case.text.values()]
    return frozenset[str]().union(*map(slots_in, texts))


def _filled(text: str, language: Language, policies: Mapping[str, Policy], where: str) -> str:
    def figure(slot: re.Match[str]) -> str:
        policy = policies.get(slot[1])
        if policy is None:
            close = get_close_matches(slot[1], list(policies), n=1)
            hint = f"did you mean {close[0]}?" if close else "policies.yaml gives their figures"
            raise ConfigError(f"{where}, {language}: there is no policy {slot[1]!r}: {hint}")
        return policy.said(language)

    return _SLOT.sub(figure, text)


_SLOT = re.compile(r"\{policy\.(\w+)\}")
# zh, one in English, several in English.
_UNITS: dict[str, tuple[str, str, str]] = {
    "days": ("天", " day", " days"),
    "workdays": ("个工作日", " working day", " working days"),
    "hours": ("小时", " hour", " hours"),
    "months": ("个月", " month", " months"),
    "years": ("年", " year", " years"),
    "percent": ("%", "%", "%"),
    "count": ("", "", ""),
}
