"""What the shop publishes in the course of the day, each entry and each template with a canary of its words, and what of it
may be said when.

At midnight a campaign begins, published long before by its times; until then another entry answers the same questions. At noon
some figures change, and with them the words of all that they stand in, and an offer is withdrawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone

from benchmarks.replay.canaries import sources_canary
from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.knowledge import Entry, Template, TemplateCase
from serve_app.domain.normalise import canonical_form
from serve_app.domain.policies import Policy
from serve_app.domain.publication import Publication

ZONE = timezone(timedelta(hours=8))
CAMPAIGN = "campaign"
_DEMOS_CAMPAIGN = "campaign-double-12"  # a canary holds no figure
BEFORE_CAMPAIGN = "campaign-not-yet"
WITHDRAWN = "newcomer-offer"
# Figures in their units, from noon on.
CHANGED: dict[str, int] = {"return_days": 10, "free_shipping_from": 12_900, "shipping_fee": 1_000, "dispatch_hours": 24}

BEGINS = datetime(2026, 12, 9, 18, tzinfo=ZONE)
MIDNIGHT = datetime(2026, 12, 10, tzinfo=ZONE)
NOON = datetime(2026, 12, 10, 12, tzinfo=ZONE)
_EVER, _NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Times:
    """From when until when words are true."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Truth:
    """What may be said when: `words` by source id and wording."""

    words: dict[tuple[str, str], Times]
    publishes: dict[str, tuple[tuple[Times, str], ...]]  # a question's canonical form -> when whose it is

    def is_stale(self, said: tuple[str, str], at: datetime, grace: timedelta) -> bool:
        """Whether these words were no longer true `grace` before, or not yet true at `at`."""
        times = self.words.get(said)
        return times is None or at < times.begins or at - grace > times.ends

    def owner(self, form: str, at: datetime) -> str | None:
        """The entry that has the question among its wordings."""
        return next((owner for times, owner in self.publishes.get(form, ()) if times.begins <= at < times.ends), None)

    def changed(self, source_id: str, since: datetime, until: datetime) -> bool:
        """Whether words of the source ended or began in between."""
        borders = [
            border for (owner, _), times in self.words.items() if owner == source_id for border in (times.begins, times.ends)
        ]
        return any(since < border <= until for border in borders)


def morning() -> Publication:
    """What is published before the day begins."""
    demo = demo_knowledge()
    campaign = next(replace(entry, id=CAMPAIGN) for entry in demo.entries if entry.id == _DEMOS_CAMPAIGN)
    assert campaign.valid_from == MIDNIGHT, "the demo's campaign begins at another time"
    entries = [*(entry for entry in demo.entries if entry.id != _DEMOS_CAMPAIGN), campaign, _not_yet(campaign)]
    return Publication(
        tuple(_marked(entry, "a") for entry in entries),
        tuple(_marked_template(template, "a") for template in demo.templates),
        demo.policies,
    )


def afternoon() -> Publication:
    """What is published at noon."""
    before = morning()
    touched = _touched(before)
    return Publication(
        tuple(_again(entry, "b") if entry.id in touched else entry for entry in before.entries if entry.id != WITHDRAWN),
        tuple(_template_again(one, "b") if one.id in touched else one for one in before.templates),
        tuple(_changed(policy) for policy in before.policies),
    )


def truth() -> Truth:
    before, touched = morning(), _touched(morning())
    words: dict[tuple[str, str], Times] = {}
    publishes: dict[str, list[tuple[Times, str]]] = {}
    for item in (*before.entries, *before.templates):
        times = _times(item)
        if item.id in touched or item.id == WITHDRAWN:
            words[item.id, "a"] = Times(times.begins, NOON)
        else:
            words[item.id, "a"] = times
        if item.id in touched:
            words[item.id, "b"] = Times(NOON, times.ends)
        if isinstance(item, Entry):
            ends = NOON if item.id == WITHDRAWN else times.ends
            for form in {canonical_form(text) for texts in item.questions.values() for text in texts}:
                publishes.setdefault(form, []).append((Times(times.begins, ends), item.id))
    return Truth(words, {form: tuple(owners) for form, owners in publishes.items()})


def _times(item: Entry | Template) -> Times:
    if isinstance(item, Template):
        return Times(_EVER, _NEVER)
    return Times(item.valid_from or _EVER, item.valid_to or _NEVER)


def _touched(publication: Publication) -> frozenset[str]:
    uses = re.compile(rf"\{{policy\.(?:{'|'.join(CHANGED)})\b")
    items: Iterable[Entry | Template] = (*publication.entries, *publication.templates)
    return frozenset(item.id for item in items if any(uses.search(text) for text in _said(item)))


def _said(item: Entry | Template) -> Iterable[str]:
    if isinstance(item, Entry):
        return item.answers.values()
    return [text for case in item.cases for text in case.text.values()]


def _not_yet(campaign: Entry) -> Entry:
    return replace(
        campaign,
        id=BEFORE_CAMPAIGN,
        valid_from=None,
        valid_to=campaign.valid_from,
        answers={
            "zh": "双十二活动还没有开始，请留意店铺公告。",
            "en": "The Double 12 sale has not begun yet; please watch the shop's notice.",
        },
    )


def _marked(entry: Entry, wording: str) -> Entry:
    mark = sources_canary(entry.id, wording)
    return replace(entry, answers={language: f"{text} {mark}" for language, text in entry.answers.items()})


def _marked_template(template: Template, wording: str) -> Template:
    mark = sources_canary(template.id, wording)
    cases = (TemplateCase(case.when, {lang: f"{text} {mark}" for lang, text in case.text.items()}) for case in template.cases)
    return replace(template, cases=tuple(cases))


def _again(entry: Entry, wording: str) -> Entry:
    old, new = sources_canary(entry.id, "a"), sources_canary(entry.id, wording)
    return replace(entry, answers={language: text.replace(old, new) for language, text in entry.answers.items()})


def _template_again(template: Template, wording: str) -> Template:
    old, new = sources_canary(template.id, "a"), sources_canary(template.id, wording)
    cases = (
        TemplateCase(one.when, {lang: text.replace(old, new) for lang, text in one.text.items()}) for one in template.cases
    )
    return replace(template, cases=tuple(cases))


def _changed(policy: Policy) -> Policy:
    return replace(policy, value=CHANGED[policy.id]) if policy.id in CHANGED else policy
