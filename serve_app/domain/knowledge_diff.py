"""What a publication would change: item by item, field by field, in each language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from serve_app.domain.knowledge import Entry, Template
from serve_app.domain.policies import slots_in
from serve_app.domain.publication import Item, Publication

What = Literal["added", "changed", "withdrawn"]
Kind = Literal["entry", "template", "policy"]
# A list of questions, or one text.
Value = tuple[str, ...] | str | None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """`name` is `answer.zh`, `questions.en`, `valid_from` …; None: there was none, there is none any more."""

    name: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class ItemChange:
    """`used_by`: whose words change along, for a policy."""

    id: str
    kind: Kind
    what: What
    fields: tuple[FieldChange, ...]
    used_by: tuple[str, ...] = ()


def differences(before: Publication, after: Publication) -> tuple[ItemChange, ...]:
    """By source id."""
    old, new = before.by_id(), after.by_id()
    users = _users(after)
    found: list[ItemChange] = []
    for source_id in sorted(old.keys() | new.keys()):
        was, is_now = old.get(source_id), new.get(source_id)
        if was == is_now:
            continue
        what: What = "added" if was is None else "withdrawn" if is_now is None else "changed"
        kind = _kind(was or is_now)
        used_by = users.get(source_id, ()) if what == "changed" else ()
        found.append(ItemChange(source_id, kind, what, tuple(_changes(_fields(was), _fields(is_now))), used_by))
    return tuple(found)


def told(changes: tuple[ItemChange, ...]) -> list[str]:
    """For people: `+` is new, `-` goes, `~` changes; below each its fields."""
    lines: list[str] = []
    for change in changes:
        sign = {"added": "+", "withdrawn": "-", "changed": "~"}[change.what]
        also = f"  (changes the words of {', '.join(change.used_by)})" if change.used_by else ""
        lines.append(f"{sign} {change.kind} {change.id}{also}")
        if change.what != "withdrawn":
            lines += [f"    {line}" for field in change.fields for line in _told_field(field)]
    return lines


def counted(changes: tuple[ItemChange, ...]) -> str:
    """`2 added, 1 changed, 0 withdrawn`."""
    kinds: tuple[What, ...] = ("added", "changed", "withdrawn")
    return ", ".join(f"{sum(change.what == what for change in changes)} {what}" for what in kinds)


def _told_field(change: FieldChange) -> Iterator[str]:
    before, after = change.before, change.after
    if isinstance(before, tuple) or isinstance(after, tuple):
        old, new = _questions(before), _questions(after)
        yield from (f"{change.name} - {text}" for text in old if text not in new)
        yield from (f"{change.name} + {text}" for text in new if text not in old)
        if set(old) == set(new):
            yield f"{change.name}: in another order, shown first: {new[0]}"
        return
    yield from (f"{change.name} - {line}" for line in (before or "").splitlines())
    yield from (f"{change.name} + {line}" for line in (after or "").splitlines())


def _questions(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _changes(before: Mapping[str, Value], after: Mapping[str, Value]) -> Iterator[FieldChange]:
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield FieldChange(name, before.get(name), after.get(name))


def _fields(item: Item | None) -> dict[str, Value]:
    if item is None:
        return {}
    if isinstance(item, Entry):
        fields: dict[str, Value] = {"intent": str(item.intent)}
        for name, border in (("valid_from", item.valid_from), ("valid_to", item.valid_to)):
            fields[name] = border.isoformat() if border else None
        fields["suggested"] = "yes" if item.suggested else "no"
        if item.derived_from:
            fields["derived_from"] = ", ".join(f"{source.id} (version {source.version})" for source in item.derived_from)
        for language in sorted(item.questions, reverse=True):
            fields[f"questions.{language}"] = item.questions[language]
            fields[f"answer.{language}"] = item.answers.get(language)
        return fields
    if isinstance(item, Template):
        fields = {"intent": str(item.intent)}
        for number, case in enumerate(item.cases, 1):
            fields[f"case {number}, when"] = case.when or None
            fields |= {f"case {number}, {language}": text for language, text in case.text.items()}
        return fields
    return {"unit": item.unit, "value": str(item.value), "currency": item.currency}


def _kind(item: Item | None) -> Kind:
    return "entry" if isinstance(item, Entry) else "template" if isinstance(item, Template) else "policy"


def _users(publication: Publication) -> dict[str, tuple[str, ...]]:
    """Which entries and templates name a policy, by the policy's source id."""
    users: dict[str, list[str]] = {}
    for entry in publication.entries:
        for name in slots_in("\n".join(entry.answers.values())):
            users.setdefault(f"policy.{name}", []).append(entry.id)
    for template in publication.templates:
        for name in slots_in("\n".join(text for case in template.cases for text in case.text.values())):
            users.setdefault(f"policy.{name}", []).append(template.id)
    return {source_id: tuple(sorted(names)) for source_id, names in users.items()}
