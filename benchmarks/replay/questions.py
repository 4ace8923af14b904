"""What customers ask, by what can be known of it beforehand, each pool in the order of how often it is asked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Literal

from benchmarks.replay.details import details
from benchmarks.replay.publications import CAMPAIGN, Truth
from benchmarks.replay.rewriting import mistyped, rewritten
from serve_app.adapters.linear_classifier import load_utterances
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry
from serve_app.domain.messages import Kind, Language
from serve_app.domain.normalise import canonical_form
from serve_app.domain.question import Understanding

ZIPF = 0.9
PAIRS = Path(__file__).parents[1] / "pairs"

# head: a published wording, as it stands, in other dress or mistyped. paraphrase: written by hand for an entry, no wording.
# settled: after a detail, where understanding says that the intent's rule answers. open: after a detail that no entry names.
# templated, personal, action: about the customer's own things. follow: means nothing without the turns before it.
Sort = Literal["head", "paraphrase", "settled", "open", "templated", "personal", "action", "follow"]
# Of a day's questions. An assumption, and what the hit rate hangs on: the figures that are promised do not.
SHARES: dict[Sort, float] = {
    "head": 0.60, "paraphrase": 0.05, "settled": 0.05, "open": 0.12, "templated": 0.10, "personal": 0.02, "action": 0.01,
    "follow": 0.05,
}  # fmt: skip
OWN: frozenset[Sort] = frozenset({"templated", "personal", "action"})
# Of the head.
REWRITTEN, MISTYPED = 0.35, 0.02
WAYS = 12  # of rewriting one question, and as many of mistyping it

_OWN_INTENTS: dict[Sort, tuple[Intent, ...]] = {
    "templated": (Intent.ORDER_STATUS, Intent.PARCEL, Intent.REFUND_PROGRESS, Intent.TIER),
    "action": (Intent.CANCEL_ORDER, Intent.CHANGE_ADDRESS),
}
_PERSONAL: dict[Language, tuple[str, ...]] = {
    "zh": (
        "我买的鞋子的快递怎么这么慢啊说实话", "我上次买的杯子我妈不喜欢你说怎么办", "我的订单里那件衣服和图片差别好大",
        "为什么多扣了我的钱", "我的运费为什么收了两次", "今天心情不好", "讲个笑话", "我的积分少了", "你觉得我买的外套好看吗",
    ),
    "en": (
        "Why is the parcel of my shoes so slow, honestly?", "My mother does not like the mug I bought, what do you say?",
        "why was I charged twice", "my points are missing", "tell me a joke", "I'm bored", "why was I downgraded",
        "My dog ate the shoes from my order, can you believe it?",
    ),
}  # fmt: skip
_FOLLOW: dict[Language, tuple[str, ...]] = {
    "zh": ("那运费呢", "多久到", "为什么", "要钱吗", "第二个呢", "还有呢", "那退货呢", "怎么办", "可以吗", "那换货呢"),
    "en": (
        "And the shipping fee?",
        "How long?",
        "Why?",
        "Does it cost anything?",
        "And the second one?",
        "What about returns?",
        "How?",
    ),
}


@dataclass(frozen=True, slots=True)
class Question:
    """`entry`: which one answers it (of the campaign's two entries the one that is valid)."""

    text: str
    language: Language
    sort: Sort
    entry: str | None = None


class Zipf:
    """Draws from a ranking: the n-th as often as n to the power of -0.9 says."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.questions = questions
        self._sums = list(accumulate((rank + 1) ** -ZIPF for rank in range(len(questions))))

    def draw(self, rng: Random) -> Question:
        return self.questions[bisect_left(self._sums, rng.random() * self._sums[-1])]


@dataclass(frozen=True, slots=True)
class Pools:
    by_sort: dict[tuple[Sort, Language], Zipf]
    campaign: dict[Language, Zipf]

    def draw(self, sort: Sort, language: Language, rng: Random) -> Question:
        return self._dressed(self.by_sort[sort, language].draw(rng), rng)

    def draw_campaign(self, language: Language, rng: Random) -> Question:
        return self._dressed(self.campaign[language].draw(rng), rng)

    @staticmethod
    def _dressed(question: Question, rng: Random) -> Question:
        """As it is typed this time, in one of its few ways."""
        if question.sort not in ("head", "open", "settled"):
            return question
        how, way = rng.random(), Random(f"{rng.randrange(WAYS)} {question.text}")
        if how < MISTYPED:
            text = mistyped(question.text, way)
        elif how < MISTYPED + REWRITTEN:
            text = rewritten(question.text, question.language, way)
        else:
            text = question.text
        return Question(text, question.language, question.sort, question.entry)


def make_pools(entries: Iterable[Entry], truth: Truth, understand: Callable[[str], Understanding], seed: int = 3) -> Pools:
    """The rankings are drawn by lot; each language has its own."""
    rng = Random(seed)
    entries = [entry for entry in entries if entry.id in {owner for owners in truth.publishes.values() for _, owner in owners}]
    by_sort: dict[tuple[Sort, Language], Zipf] = {}
    campaign: dict[Language, Zipf] = {}
    utterances = load_utterances()
    for language in ("zh", "en"):
        pools: dict[Sort, list[Question]] = {
            "head": [
                Question(text, language, "head", entry.id)
                for entry in entries if not entry.id.startswith("campaign")
                for text in entry.questions[language]
            ],
            "paraphrase": [
                Question(text, language, "paraphrase", entry)
                for entry, text in _rows(PAIRS / f"paraphrases.{language}.tsv")
            ],
            **_details(language, truth, understand),
            "personal": [Question(text, language, "personal") for text in _PERSONAL[language]],
            "follow": [Question(text, language, "follow") for text in _FOLLOW[language]],
            **{
                sort: [
                    Question(text, language, sort)
                    for intent in intents
                    for text in utterances[intent] if text.isascii() == (language == "en")
                ]
                for sort, intents in _OWN_INTENTS.items()
            },
        }  # fmt: skip
        for sort, questions in pools.items():
            rng.shuffle(questions)
            by_sort[sort, language] = Zipf(questions)
        ours = next(entry for entry in entries if entry.id == CAMPAIGN).questions[language]
        # Its wordings, and as often questions after a detail of it: what is made for those is true until midnight only.
        worded = [Question(text, language, "head", CAMPAIGN) for text in ours]
        detailed = [Question(text, language, "open") for text in details(language, "campaign")]
        campaign[language] = Zipf([question for pair in zip(worded, detailed, strict=False) for question in pair])
    return Pools(by_sort, campaign)


def _details(language: Language, truth: Truth, understand: Callable[[str], Understanding]) -> dict[Sort, list[Question]]:
    """Those that are read as public and whole; the others are another kind of question to the machine."""
    found: dict[Sort, list[Question]] = {"settled": [], "open": []}
    for text in details(language):
        understood = understand(text)
        if understood.kind is Kind.PUBLIC and understood.canonical and canonical_form(text) not in truth.publishes:
            sort: Sort = "settled" if understood.settled else "open"
            found[sort].append(Question(text, language, sort))
    return found


def _rows(path: Path) -> Iterable[tuple[str, str]]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    for line in lines[1:]:
        entry, _, question = line.partition("\t")
        yield entry, question
