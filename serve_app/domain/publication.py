"""What is published together, and what must hold for it: checked before anything of it is stored."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from serve_app.domain.errors import ConfigError
from serve_app.domain.knowledge import Entry, Template
from serve_app.domain.messages import Language
from serve_app.domain.normalise import canonical_form
from serve_app.domain.policies import Policy, fill_entry, fill_template
from serve_app.domain.templates import check_template

LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Publication:
    """All that a tenant has published. Texts hold `{policy.NAME}` slots until `filled`."""

    entries: tuple[Entry, ...] = ()
    templates: tuple[Template, ...] = ()
    policies: tuple[Policy, ...] = ()


def filled(publication: Publication) -> Publication:
    """The same with figures in the texts, checked.

    Raises ConfigError naming the item: an id or a question that two items share, a missing language, an unknown policy or slot.
    """
    _refuse_shared_ids(publication)
    for policy in publication.policies:
        _check_policy(policy)
    for entry in publication.entries:
        _check_entry(entry)
    _refuse_shared_questions(publication.entries)
    policies = {policy.id: policy for policy in publication.policies}
    entries = tuple(fill_entry(entry, policies) for entry in publication.entries)
    templates = tuple(fill_template(template, policies) for template in publication.templates)
    for template in templates:
        check_template(template)
    return Publication(entries, templates, publication.policies)


def _refuse_shared_ids(publication: Publication) -> None:
    seen: set[str] = set()
    for item in (*publication.entries, *publication.templates, *publication.policies):
        source_id = item.source_id if isinstance(item, Policy) else item.id
        if source_id in seen:
            raise ConfigError(f"the id {source_id!r} is given twice: each entry, template and policy needs its own")
        seen.add(source_id)


def _check_policy(policy: Policy) -> None:
    where = f"policy {policy.id}"
    if policy.unit == "time_span":
        if not (isinstance(policy.value, str) and _TIME_SPAN.fullmatch(policy.value)):
            raise ConfigError(f'{where}: write the value of a time span as "09:00-22:00"')
    elif isinstance(policy.value, str) or policy.value < 0:
        raise ConfigError(f"{where}: the value must be a whole number of {policy.unit}, 0 or more")
    if (policy.unit == "minor") != (policy.currency is not None):
        raise ConfigError(f"{where}: an amount in minor units needs a currency such as CNY, and nothing else may have one")


def _check_entry(entry: Entry) -> None:
    for language in LANGUAGES:
        if not entry.questions.get(language) or not entry.answers.get(language):
            raise ConfigError(f"entry {entry.id}: it needs questions and an answer in {language}")
    if entry.valid_from is not None and entry.valid_to is not None and entry.valid_from >= entry.valid_to:
        raise ConfigError(f"entry {entry.id}: valid_from must be earlier than valid_to")


def _refuse_shared_questions(entries: Iterable[Entry]) -> None:
    """A question has one answer: in its canonical form it may belong to one entry only, unless their times do not overlap."""
    owners: dict[str, list[Entry]] = {}
    for entry in entries:
        for form in {canonical_form(question) for questions in entry.questions.values() for question in questions}:
            for other in owners.setdefault(form, []):
                if _overlap(entry, other):
                    raise ConfigError(f"the question {form!r} belongs to the entries {other.id} and {entry.id}: keep it in one")
            owners[form].append(entry)


def _overlap(one: Entry, other: Entry) -> bool:
    starts_before_end = one.valid_from is None or other.valid_to is None or one.valid_from < other.valid_to
    ends_after_start = one.valid_to is None or other.valid_from is None or other.valid_from < one.valid_to
    return starts_before_end and ends_after_start


_TIME_SPAN = re.compile(r"\d\d:\d\d-\d\d:\d\d")
