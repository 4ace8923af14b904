"""What is published together, and what must hold for it: checked before anything of it is stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from serve_app.domain.errors import ConfigError
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Template
from serve_app.domain.messages import Language
from serve_app.domain.normalise import canonical_form, clean
from serve_app.domain.policies import Policy, fill_case, fill_entry, fill_template
from serve_app.domain.template_check import problems_of

LANGUAGES: tuple[Language, ...] = ("zh", "en")
Item = Entry | Template | Policy
# How often a long check says how far it is.
TOLD_EVERY = 1000


@dataclass(frozen=True, slots=True)
class Publication:
    """All that a tenant has published. Texts hold `{policy.NAME}` slots until `filled`."""

    entries: tuple[Entry, ...] = ()
    templates: tuple[Template, ...] = ()
    policies: tuple[Policy, ...] = ()

    def items(self) -> Iterator[Item]:
        yield from self.entries
        yield from self.templates
        yield from self.policies

    def by_id(self) -> dict[str, Item]:
        """Every item by its source id: a policy's is `policy.NAME`."""
        return {source_id_of(item): item for item in self.items()}

    @staticmethod
    def of(items: Iterable[Item]) -> Publication:
        found = tuple(items)
        return Publication(
            tuple(item for item in found if isinstance(item, Entry)),
            tuple(item for item in found if isinstance(item, Template)),
            tuple(item for item in found if isinstance(item, Policy)),
        )


def source_id_of(item: Item) -> str:
    return item.source_id if isinstance(item, Policy) else item.id


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one item, or between it and another. `message` names them; `part`: where in the item, if that is
    known, as `("cases", 1, "en")`."""

    source_id: str
    message: str
    other_id: str | None = None
    part: tuple[str | int, ...] = ()


class Unpublishable(ConfigError):
    """Knowledge that cannot be published. `str()` has a line for each problem."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(problem.message for problem in self.problems)


def filled(publication: Publication, looked_at: Callable[[int], None] = lambda _: None) -> Publication:
    """The same with figures in the texts, checked. Takes about 0.1 ms a question.

    `looked_at` is told how many entries were read so far, now and then. Raises Unpublishable with every problem: an id or a
    question that two items share, a missing language, an unknown policy, a template that does not fit the facts.
    """
    problems = [
        *_shared_ids(publication),
        *(problem for policy in publication.policies for problem in _wrong_policy(policy)),
        *(problem for entry in publication.entries for problem in _wrong_entry(entry)),
        *_shared_questions(publication.entries, looked_at),
        *_shared_intents(publication.templates),
    ]
    policies = {policy.id: policy for policy in publication.policies}
    entries: list[Entry] = []
    templates: list[Template] = []
    for entry in publication.entries:
        try:
            entries.append(fill_entry(entry, policies))
        except ConfigError as error:
            problems.append(Problem(entry.id, str(error)))
    for template in publication.templates:
        unknown = tuple(_unknown_policies(template, policies))
        problems += unknown
        if not unknown:
            templates.append(fill_template(template, policies))
            problems += (Problem(template.id, slip.message, part=slip.part) for slip in problems_of(templates[-1]))
    if problems:
        raise Unpublishable(tuple(problems))
    return Publication(tuple(entries), tuple(templates), publication.policies)


def _unknown_policies(template: Template, policies: Mapping[str, Policy]) -> Iterator[Problem]:
    for number, case in enumerate(template.cases):
        for language in case.text:
            try:
                fill_case(template, number, language, policies)
            except ConfigError as error:
                yield Problem(template.id, str(error), part=("cases", number, language))


def is_id(text: str) -> bool:
    """Whether an entry may be called so."""
    return bool(_ID.fullmatch(text)) and not text.startswith("policy.")


def doubts(publication: Publication) -> tuple[str, ...]:
    """What may be published and is seldom meant: an intent that is two entries' at the same time."""
    owners: dict[str, list[Entry]] = {}
    for entry in publication.entries:
        if entry.intent is not Intent.OTHER:
            owners.setdefault(entry.intent, []).append(entry)
    return tuple(
        f"the intent {intent} belongs to the entries {' and '.join(entry.id for entry in several)}: their own questions are "
        f"answered, other wordings only get both offered"
        for intent, several in owners.items()
        if any(_overlap(one, other) for one, other in combinations(several, 2))
    )


def _shared_ids(publication: Publication) -> Iterator[Problem]:
    seen: set[str] = set()
    for item in publication.items():
        source_id = source_id_of(item)
        if source_id in seen:
            yield Problem(source_id, f"the id {source_id!r} is given twice: each entry, template and policy needs its own")
        seen.add(source_id)


def _wrong_policy(policy: Policy) -> Iterator[Problem]:
    where = f"policy {policy.id}"
    if not _POLICY_ID.fullmatch(policy.id):
        yield Problem(policy.source_id, f"{where}: write its name in letters, digits and _, at most 100 of them")
    if policy.unit == "time_span":
        if not (isinstance(policy.value, str) and _TIME_SPAN.fullmatch(policy.value)):
            yield Problem(policy.source_id, f'{where}: write the value of a time span as "09:00-22:00"')
    elif isinstance(policy.value, str) or policy.value < 0:
        yield Problem(policy.source_id, f"{where}: the value must be a whole number of {policy.unit}, 0 or more")
    if (policy.unit == "minor") != (policy.currency is not None):
        yield Problem(
            policy.source_id, f"{where}: an amount in minor units needs a currency such as CNY, and nothing else may have one"
        )


def _wrong_entry(entry: Entry) -> Iterator[Problem]:
    where = f"entry {entry.id}"
    if not is_id(entry.id):
        yield Problem(
            entry.id, f"{where}: write its id in letters, digits and _ . : - (at most 128), not beginning with `policy.`"
        )
    for language in LANGUAGES:
        questions, answer = entry.questions.get(language), entry.answers.get(language)
        if not questions or not answer:
            yield Problem(entry.id, f"{where}: it needs questions and an answer in {language}")
        elif "\0" in answer or not all(clean(question) for question in questions):
            yield Problem(entry.id, f"{where}, {language}: a question or the answer holds nothing that can be shown")
    if entry.valid_from is not None and entry.valid_to is not None and entry.valid_from >= entry.valid_to:
        yield Problem(entry.id, f"{where}: valid_from must be earlier than valid_to")


def _shared_questions(entries: Iterable[Entry], looked_at: Callable[[int], None]) -> Iterator[Problem]:
    """A question has one answer: in its canonical form it may belong to one entry only, unless their times do not overlap."""
    owners: dict[str, list[tuple[Entry, str]]] = {}
    for number, entry in enumerate(entries):
        if number and number % TOLD_EVERY == 0:
            looked_at(number)
        questions = [question for questions in entry.questions.values() for question in questions]
        for form, question in {canonical_form(question): question for question in reversed(questions)}.items():
            for other, same in owners.setdefault(form, []):
                if _overlap(entry, other) and other.id != entry.id:
                    owner = other.id if same == question else f"{other.id} (as {same!r})"
                    message = f"the question {question!r} belongs to the entries {owner} and {entry.id}: keep it in one"
                    yield Problem(entry.id, message, other.id)
            owners[form].append((entry, question))


def _shared_intents(templates: Iterable[Template]) -> Iterator[Problem]:
    """Which of two templates answers could not be told."""
    owners: dict[Intent, Template] = {}
    for template in templates:
        owner = owners.setdefault(template.intent, template)
        if owner.id != template.id:
            message = f"the intent {template.intent} belongs to the templates {owner.id} and {template.id}: keep one of them"
            yield Problem(template.id, message, owner.id)


def _overlap(one: Entry, other: Entry) -> bool:
    starts_before_end = one.valid_from is None or other.valid_to is None or one.valid_from < other.valid_to
    ends_after_start = one.valid_to is None or other.valid_from is None or other.valid_from < one.valid_to
    return starts_before_end and ends_after_start


_TIME_SPAN = re.compile(r"\d\d:\d\d-\d\d:\d\d")
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_POLICY_ID = re.compile(r"\w{1,100}")
