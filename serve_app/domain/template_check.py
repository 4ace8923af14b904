"""Whether a template may be published: its types fit, every case and branch is reached, and no slot that it uses is empty."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from jinja2 import TemplateError

from serve_app.domain.errors import ConfigError
from serve_app.domain.intents import TEMPLATED, Intent
from serve_app.domain.knowledge import Template, TemplateCase
from serve_app.domain.messages import Language
from serve_app.domain.question import Entities
from serve_app.domain.sample_facts import SAMPLE_NOW
from serve_app.domain.scope import Scope
from serve_app.domain.situations import Situation, less_told, situations
from serve_app.domain.slots import SLIPS, compiled_choice, first_that_holds
from serve_app.domain.template_branches import Marked, marked
from serve_app.domain.template_subject import Subject
from serve_app.domain.template_view import NotKnown
from serve_app.domain.templates import meant
from serve_app.domain.wording import Locale

LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Slip:
    """What keeps a template from being published, in a sentence. `part`: where in it, as `("cases", 1, "en")`."""

    message: str
    part: tuple[str | int, ...] = ()


def check_template(template: Template) -> None:
    """Raises ConfigError with a line for each problem, naming the template, the case and what to do."""
    found = problems_of(template)
    if found:
        raise ConfigError("\n".join(slip.message for slip in found))


def problems_of(template: Template) -> tuple[Slip, ...]:
    """What keeps a template from being published; none: it may be. Takes some tenths of a second.

    Every case is rendered, in both languages, in each sample situation in which it is the answer. Branches that whole facts
    do not reach are looked for among facts of which something is not told.
    """
    cases = tuple((case.when, tuple(sorted(case.text.items()))) for case in template.cases)
    return _problems(template.id, template.intent, cases)


@functools.lru_cache(maxsize=1024)
def _problems(
    template_id: str, intent: Intent, cases: tuple[tuple[str, tuple[tuple[Language, str], ...]], ...]
) -> tuple[Slip, ...]:
    """Remembered: whatever else changes in the knowledge, its templates are checked each time."""
    template = Template(template_id, 0, intent, tuple(TemplateCase(when, dict(texts)) for when, texts in cases))
    if intent not in TEMPLATED:
        allowed = ", ".join(sorted(TEMPLATED))
        return (Slip(f"template {template_id}: the intent {intent} has no facts; write one of {allowed}", ("intent",)),)
    found = tuple(_slips(template))
    if found:
        return found
    trial = _Trial(template)
    trial.run(situations(), tells=True)
    if not trial.is_all_reached:
        trial.run(less_told(), tells=False)
    return (*trial.problems.values(), *trial.unreached())


def _slips(template: Template) -> Iterator[Slip]:
    """What is wrong with the words themselves."""
    for number, case in enumerate(template.cases):
        where, part = f"template {template.id}, case {number + 1}", ("cases", number)
        for language in LANGUAGES:
            if not case.text.get(language, "").strip():
                yield Slip(f"{where}: there is no text in {language}", (*part, language))
                continue
            try:
                marked(case.text[language], language)
            except ConfigError as error:
                yield Slip(f"{where}, {language}: {error}", (*part, language))
        try:
            if case.when:
                compiled_choice((case.when,))
        except ConfigError as error:
            yield Slip(f"{where}: {error}", (*part, "when"))


@dataclass
class _Trial:
    """A template on one situation after another, and what came of it."""

    template: Template
    problems: dict[tuple[int, str, str], Slip] = field(default_factory=dict[tuple[int, str, str], Slip])
    _texts: dict[tuple[int, Language], Marked] = field(default_factory=dict[tuple[int, Language], Marked])
    _left: dict[tuple[int, Language], set[int]] = field(default_factory=dict[tuple[int, Language], set[int]])
    _said: set[tuple[int, Language]] = field(default_factory=set[tuple[int, Language]])

    def __post_init__(self) -> None:
        for number, case in enumerate(self.template.cases):
            for language in LANGUAGES:
                text = marked(case.text[language], language)
                self._texts[number, language] = text
                self._left[number, language] = set(range(len(text.branches)))

    @property
    def is_all_reached(self) -> bool:
        return all(self._is_reached(*text) for text in self._texts)

    def _is_reached(self, number: int, language: Language) -> bool:
        return (number, language) in self._said and not self._left[number, language]

    def run(self, tried: Iterable[Situation], *, tells: bool) -> None:
        """`tells`: everything that a shop's systems know is told there, so that a slot without a value is a slip."""
        for situation in tried:
            for subject in _subjects(self.template.intent, situation):
                number = self._answering(situation, subject, tells)
                if number is None:
                    continue
                for language in LANGUAGES:
                    if tells or not self._is_reached(number, language):
                        self._try(situation, number, language, _said_in(language, subject), tells)
            if not tells and self.is_all_reached:
                return

    def _answering(self, situation: Situation, subject: Subject, tells: bool) -> int | None:
        """The first case that holds; none when a condition before it has no value, as in an answer."""
        conditions = self.template.conditions
        try:
            return first_that_holds(conditions, subject.value)
        except NotKnown as error:
            if tells:
                what = (
                    f"{error} has no value in the situation '{situation.name}', so that no case answers there: begin the "
                    f"condition with `{_guard(str(error))} is defined and`, or put a case for that before it"
                )
                self._wrong(_failing(conditions, subject), "", str(error), what)
        except (TemplateError, *SLIPS) as error:
            what = f"its condition fails in the situation '{situation.name}': {error}"
            self._wrong(_failing(conditions, subject), "", "", what)
        return None

    def _try(self, situation: Situation, number: int, language: Language, subject: Subject, tells: bool) -> None:
        try:
            text, taken = self._texts[number, language].render(subject.value, subject.scope)
        except NotKnown as error:
            if tells:
                what = (
                    f"{error} has no value in the situation '{situation.name}': let the case's `when` leave that out, "
                    "or put the words into {% if … is defined %}"
                )
                self._wrong(number, language, str(error), what)
            return
        except (TemplateError, *SLIPS) as error:
            self._wrong(number, language, "", f"it fails in the situation '{situation.name}': {error}")
            return
        if text:
            self._said.add((number, language))
            self._left[number, language] -= taken
        elif tells:
            self._wrong(number, language, "", f"nothing is said in the situation '{situation.name}': write words for it")

    def _wrong(self, number: int, language: str, slot: str, what: str) -> None:
        """The first situation in which something is wrong is enough."""
        where = f"template {self.template.id}, case {number + 1}" + (f", {language}" if language else "")
        self.problems.setdefault((number, language, slot), Slip(f"{where}: {what}", ("cases", number, language or "when")))

    def unreached(self) -> Iterator[Slip]:
        for (number, language), left in self._left.items():
            where, branches = f"template {self.template.id}, case {number + 1}", self._texts[number, language].branches
            if any((number, one) in self._said for one in LANGUAGES):
                part = ("cases", number, language)
                yield from (Slip(f"{where}, {language}: {_never(branches[branch])}", part) for branch in sorted(left))
            elif language == LANGUAGES[0] and not any(key[0] == number for key in self.problems):
                yield Slip(f"{where}: {self._unreached_case(number)}", ("cases", number))

    def _unreached_case(self, number: int) -> str:
        when = self.template.cases[number].when
        if _ever_holds(when, self.template.intent):
            return (
                f"it is never the answer, because an earlier case answers wherever `{when or 'always'}` holds: put it before "
                "that one, or take it out"
            )
        return f"it is never reached, because `{when}` holds in no sample situation: mend the condition, or take the case out"


def _failing(conditions: tuple[str, ...], subject: Subject) -> int:
    """The number of the condition at which the choice among them ends with an error."""
    for number, condition in enumerate(conditions):
        try:
            first_that_holds((condition,), subject.value)
        except (NotKnown, TemplateError, *SLIPS):
            return number
    return len(conditions) - 1


def _ever_holds(when: str, intent: Intent) -> bool:
    for situation in (*situations(), *less_told()):
        for subject in _subjects(intent, situation):
            try:
                if first_that_holds((when,), subject.value) is not None:
                    return True
            except (NotKnown, TemplateError, *SLIPS):
                continue
    return False


def _said_in(language: Language, subject: Subject) -> Subject:
    return replace(subject, scope=replace(subject.scope, locale=Locale(language)))


def _guard(slot: str) -> str:
    """What to ask for before a slot is compared: of `order.parcels[].eta`, which a loop's name stands for, no path is known."""
    return "…" if "[]" in slot else slot


def _never(branch: str) -> str:
    return f"{branch} is never reached in a sample situation: mend its condition, or take its words out"


def _subjects(intent: Intent, situation: Situation) -> Iterator[Subject]:
    """What a question can be about there: what it is without more words, each order as if chosen, a parcel as if named."""
    facts = situation.facts
    scope = Scope(Locale("zh"), SAMPLE_NOW, frozenset(facts.missing))
    numbers = [parcel.tracking_no for order in facts.orders[:1] for parcel in order.parcels[:1] if parcel.tracking_no]
    ways: list[tuple[Entities, str | None]] = [(Entities(), None)]
    ways += [(Entities(), order.id) for order in facts.orders[:1]]
    ways += [(Entities(tracking_nos=(number,)), None) for number in numbers]
    ways += [(Entities(marks=(mark,)), None) for mark in ("unpaid", "lost")]
    seen: list[tuple[str | None, str | None]] = []
    for entities, chosen in ways:
        about = meant(intent, facts, entities, chosen, scope)
        if isinstance(about, Subject):
            key = (about.order.id if about.order else None, about.parcel.id if about.parcel else None)
            if key not in seen:
                seen.append(key)
                yield about
