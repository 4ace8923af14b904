"""What is worth making ahead, and whether what was made still holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from serve_app.config import ModelSettings
from serve_app.domain.draft_effects import Touched
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Passage, SourceVersion, Template, TemplateCase
from serve_app.domain.messages import NO_ASIDES, Asides, Ask, Caller, Kind
from serve_app.domain.model_card import ModelCard, card_of
from serve_app.domain.pregeneration import (
    Job,
    Renewal,
    answer_jobs,
    drafted_passages,
    entry_of,
    is_news,
    made_of,
    passage_of,
    renewal_jobs,
    shared_answer,
    stale_after,
    template_jobs,
    to_do,
    withheld,
    wordings,
)
from serve_app.domain.publication import Publication
from serve_app.domain.question import Entities, Understanding
from serve_app.domain.question_log import Asked, asked_of, counted_as
from serve_app.pregeneration.publishing import renewals

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
FREIGHT = Entry("freight", 3, Intent.SHIPPING_FEE, {"zh": ("运费谁出",), "en": ("who pays",)}, {"zh": "您出", "en": "You"})
GIFTS = replace(FREIGHT, id="gifts", version=1, intent=Intent.OTHER, questions={"zh": ("赠品",), "en": ("gifts",)})


def asked(canonical: str, count: int = 1, kind: Kind = Kind.PUBLIC, intent: Intent = Intent.OTHER, **fields: object) -> Asked:
    plain = Asked("demo", kind, "zh", canonical, canonical, intent, "model", ("freight",), NOW, NOW, count)
    return replace(plain, **fields)  # pyright: ignore[reportArgumentType]


def job(canonical: str = "a", **fields: object) -> Job:
    plain = Job("demo", "answer", "zh", canonical, canonical, Intent.OTHER, 1, NOW)
    return replace(plain, **fields)  # pyright: ignore[reportArgumentType]


def understood(**fields: object) -> Understanding:
    plain = Understanding("谁出运费", "zh", False, Intent.SHIPPING_FEE, 1.0, Entities(), Kind.PUBLIC, "谁出运费")
    return replace(plain, **fields)  # pyright: ignore[reportArgumentType]


# What is counted


def counted(
    ask: Ask | None = None, text: str = "谁出运费", from_client: bool = False, **fields: object
) -> tuple[str, str] | None:
    ask, known = ask or Ask(Caller("demo", "C1"), "s", "m", text), understood(**fields)
    canonical = counted_as(ask, known, from_client=from_client)
    if canonical is None:
        return None
    found = asked_of(ask, text, known, canonical, "model", (SourceVersion("a", 1), SourceVersion("a", 1)), NOW)
    assert found is None or found.sources == ("a",)
    return None if found is None else (found.canonical, found.text)


def test_public_questions_that_stand_alone_are_counted_with_their_words() -> None:
    assert counted() == ("谁出运费", "谁出运费")
    ask = Ask(Caller("demo"), "s", "m", "谁出运费")
    assert counted(replace(ask, order_id="A1")) is None
    assert counted(replace(ask, asides=Asides(instructions="be rude"))) is None
    assert replace(ask, asides=NO_ASIDES) == ask
    assert counted(from_client=True) is None
    assert counted(carried=True) is None
    assert counted(canonical="", kind=Kind.PERSONAL) is None
    assert counted(foreign=True) is None
    assert counted(kind=Kind.ACTION) is None


def test_what_may_be_somebodys_own_is_not_kept() -> None:
    assert counted(text="我叫王伟,谁出运费") is None
    assert counted(text="订单20261122谁出运费") is None


def test_a_templated_question_is_counted_by_its_intent_alone() -> None:
    assert counted(text="我的耐克鞋到哪了", kind=Kind.TEMPLATED, intent=Intent.PARCEL) == ("@parcel", "")


# What is chosen


def test_the_head_that_nothing_answers_is_chosen() -> None:
    head = [asked("a", 9), asked("运费谁出", 8), asked("@shipping_fee", 7), asked("b", 6), asked("c", 5)]
    chosen = answer_jobs(head, wordings([FREIGHT], NOW), NOW, 2)
    assert [(one.canonical, one.count) for one in chosen] == [("a", 9), ("b", 6)]
    ended = replace(FREIGHT, valid_to=NOW)
    assert len(answer_jobs(head, wordings([ended], NOW), NOW, 9)) == 5


def test_templates_are_wished_for_by_intent() -> None:
    head = [
        asked("@tier", 5, Kind.TEMPLATED, Intent.TIER),
        asked("@parcel", 4, Kind.TEMPLATED, Intent.PARCEL),
        asked("@parcel", 3, Kind.TEMPLATED, Intent.PARCEL, language="en"),
        asked("x", 99),
    ]
    chosen = template_jobs(head, lambda one: True, NOW, 9, "demo")
    assert [(one.intent, one.count, one.kind) for one in chosen] == [
        (Intent.PARCEL, 7, "template"),
        (Intent.TIER, 5, "template"),
    ]
    assert template_jobs(head, lambda one: False, NOW, 9, "demo") == []


def test_renewals_are_of_one_draft() -> None:
    chosen = renewal_jobs([asked("a", 9), asked("赠品", 7), asked("b")], wordings([GIFTS], NOW), "r1", NOW, 1)
    assert [(one.canonical, one.revision) for one in chosen] == [("a", "r1")]
    assert chosen[0].id != replace(chosen[0], revision="r2").id
    assert chosen[0].id == replace(chosen[0], count=1, text="A").id


def test_what_is_made_stays_made_until_its_sources_change() -> None:
    versions = {"freight": 3}
    made = entry_of(job("a"), {"zh": "a"}, {"zh": "x"}, [passage_of(FREIGHT, "zh")])
    known = {
        one.id: one
        for one in (
            job("waits"),
            job("made", state="made", made=made),
            job("failed", state="failed"),
            job("rejected", state="rejected", made=made),
        )
    }
    wanted = [job(name) for name in ("waits", "made", "failed", "rejected", "new")]
    assert [one.canonical for one in to_do(wanted, known, versions)] == ["new"]
    assert [one.canonical for one in to_do(wanted, known, versions, failed_too=True)] == ["failed", "new"]
    assert [one.canonical for one in to_do(wanted, known, {"freight": 4})] == ["made", "rejected", "new"]


def test_an_entry_is_true_as_long_as_what_it_was_made_of() -> None:
    ends = [replace(passage_of(FREIGHT, "zh"), valid_to=NOW + timedelta(days=days)) for days in (2, 1)]
    entry = entry_of(job("@shipping_fee"), {"zh": "a"}, {"zh": "x"}, [*ends, passage_of(FREIGHT, "zh")])
    assert (entry.valid_to, entry.intent) == (NOW + timedelta(days=1), Intent.SHIPPING_FEE)
    assert entry.derived_from == (SourceVersion("freight", 3),)
    assert entry_of(job("a"), {"zh": "a"}, {"zh": "x"}, []).intent is Intent.OTHER


# What is withheld


def test_what_was_made_of_something_withheld_is_withheld() -> None:
    derived = {"one": [SourceVersion("freight", 3)], "two": [SourceVersion("one", 1)], "three": [SourceVersion("gifts", 1)]}
    versions = {"freight": 4, "gifts": 1, "one": 1, "two": 1, "three": 1}
    assert withheld(derived, versions) == {"one", "two"}
    assert withheld(derived, versions | {"freight": 3}) == frozenset()
    assert withheld({"a": [SourceVersion("b", 1)], "b": [SourceVersion("a", 1)]}, {"a": 1, "b": 1}) == frozenset()


_NAMES = st.sampled_from("abcdef")


@given(st.dictionaries(_NAMES, st.lists(st.builds(SourceVersion, _NAMES, st.integers(1, 2)), max_size=3)), st.data())
def test_exactly_what_stands_on_current_sources_is_served(derived: dict[str, list[SourceVersion]], data: st.DataObject) -> None:
    versions = data.draw(st.dictionaries(_NAMES, st.integers(1, 2)))
    gone = withheld(derived, versions)
    for entry_id, sources in derived.items():
        is_sound = all(versions.get(source.id) == source.version and source.id not in gone for source in sources)
        assert (entry_id not in gone) == is_sound


def test_what_a_draft_changes_is_told_with_its_reasons() -> None:
    derived = replace(GIFTS, id="asked", derived_from=(SourceVersion("freight", 3), SourceVersion("gifts", 1)))
    versions = {"freight": 3, "gifts": 1, "asked": 1}
    assert stale_after([derived, FREIGHT], frozenset(), versions) == {}
    assert stale_after([derived], frozenset({"freight"}), versions) == {"asked": ("freight",)}
    assert stale_after([derived], frozenset(), {**versions, "gifts": 2}) == {"asked": ("gifts",)}


def test_news_are_other_words_not_other_versions() -> None:
    template = Template("tier", 1, Intent.TIER, (TemplateCase("", {"zh": "好", "en": "ok"}),))
    before = {"freight": FREIGHT, "gifts": GIFTS, "tier": template}
    after = {"freight": replace(FREIGHT, version=9), "tier": replace(template, cases=())}
    assert is_news(before, after) == {"gifts", "tier"}


# What a publication renews


def renewed(*passages: Passage, stamp: str = "d") -> Job:
    made = Renewal("新的", stamp, made_of(passages))
    return job(kind="renewal", state="made", made=made, made_at=NOW, model="capable")


def test_a_renewal_is_shared_under_the_versions_that_were_given_to_its_words() -> None:
    drafted = [passage_of(replace(one, version=0), "zh") for one in (FREIGHT, GIFTS)]
    published = {"freight": replace(FREIGHT, version=4), "gifts": GIFTS}
    answer = shared_answer(renewed(*drafted), published, "d")
    assert answer is not None
    assert answer.sources == (SourceVersion("freight", 4), SourceVersion("gifts", 1))
    assert (answer.text, answer.model, answer.source, answer.created_at) == ("新的", "capable", "model", NOW)
    assert [citation.id for citation in answer.citations] == ["freight", "gifts"]


def test_a_renewal_of_other_words_is_not_shared() -> None:
    drafted = [passage_of(FREIGHT, "zh")]
    published = {"freight": FREIGHT}
    assert shared_answer(renewed(*drafted), published, "another prompt") is None
    assert shared_answer(renewed(*drafted), {}, "d") is None
    assert shared_answer(renewed(*drafted), {"freight": replace(FREIGHT, answers={"zh": "别的", "en": "You"})}, "d") is None
    assert shared_answer(renewed(*drafted), {"freight": replace(FREIGHT, valid_to=NOW)}, "d") is None
    assert shared_answer(renewed(), published, "d") is None
    assert shared_answer(replace(renewed(*drafted), state="waiting", made=None), published, "d") is None


def test_a_renewal_ends_with_the_first_of_its_passages() -> None:
    ends = replace(FREIGHT, valid_to=NOW + timedelta(days=1))
    answer = shared_answer(renewed(passage_of(ends, "zh"), passage_of(GIFTS, "zh")), {"freight": ends, "gifts": GIFTS}, "d")
    assert answer is not None
    assert answer.expires_at == ends.valid_to


def test_a_draft_finds_the_intents_own_entry_then_what_is_found_now_in_its_words() -> None:
    drafted = {
        "freight": replace(FREIGHT, answers={"zh": "新", "en": "new"}),
        "late": replace(GIFTS, id="late", valid_from=NOW),
    }
    found = [passage_of(GIFTS, "zh"), passage_of(FREIGHT, "zh"), passage_of(replace(GIFTS, id="late"), "zh")]
    passages = drafted_passages(found, drafted, Intent.SHIPPING_FEE, "zh", NOW, 3)
    assert [(passage.source.id, passage.text) for passage in passages] == [("freight", "新"), ("late", "您出")]
    assert drafted_passages(found, drafted, Intent.OTHER, "zh", NOW - timedelta(days=1), 1)[0].source.id == "freight"


def test_a_publication_ends_the_shared_answers_that_used_what_it_changes() -> None:
    capable = card_of(ModelSettings(path="capable"))
    head = [
        asked("a", 9),
        asked("b", 8, sources=("gifts",)),
        asked("c", 7, language="en"),
        asked("赠品", 6),
        asked("d", 5, tier="none"),
        asked("@tier", 4, Kind.TEMPLATED),
    ]
    touched = Touched(Publication((GIFTS,)), frozenset({"freight"}), {})

    def chosen(card: ModelCard) -> list[str]:
        return [job.canonical for job in renewals(head, touched, card, "r1", NOW, 9)]

    assert chosen(capable) == ["a", "c"]
    assert chosen(replace(capable, languages=frozenset({"zh"}))) == ["a"]
    assert renewals(head, replace(touched, changed=frozenset({"other"})), capable, "r1", NOW, 9) == []
