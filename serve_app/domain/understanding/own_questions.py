"""Questions about one's own orders, read word by word.

The world is closed: every word must be known, and belong to what is asked. What is left over can only be the thing that was
bought (电饭煲到哪了, "where are my sneakers"); whether the customer has such a thing, the facts tell when they are there.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from serve_app.domain.intents import OF_ORDERS, OF_PARCELS, OF_REFUNDS, Intent
from serve_app.domain.understanding.own_words import (
    CHINESE,
    CHINESE_FILLER,
    ENGLISH,
    ENGLISH_FILLER,
    NO_THING_EN,
    NO_THING_ZH,
)
from serve_app.domain.understanding.things import THINGS
from serve_app.domain.understanding.topics import named_in

_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[a-z]")
_BORDER = re.compile(r"(?<=[a-z0-9])(?=[\u3400-\u9fff])|(?<=[\u3400-\u9fff])(?=[a-z0-9])")
_CHINESE = (CHINESE, CHINESE_FILLER)
_ENGLISH = (ENGLISH, ENGLISH_FILLER)
_ME = re.compile(
    r"我(?!们?(?:出|承担|掏|付(?!了|过|的)))|俺|本人|[这那]个?(?:订单|单)|你们?收到"
    r"|\b(?:my(?! (?:card|wallet|bank|mind|company|size))|i|me|mine|im|ive)\b"
)
# Said of one thing that there is: 羽绒服那单, 付了多少, "the mug". Rules are asked for in other words.
_DEFINITE = re.compile(r"[那这]一?[单个件笔双条台套]|[走买]的|没有?$|[付开退买发到收修换](?:好|完)?(?:了|过|没)|来着")
_THE = re.compile(r"^(?:why )?(?:is|are|was|were|has|have|hasnt|havent|did) the (?:\w+ for the )?")
# It has begun, so it is the customer's: 换货寄出了没.
_DONE = re.compile(r"了没有?$|[付开退修换发寄](?:好|完|出|回)?了(?:没|多少)")
# What anyone does, not what this customer did: "how much do i pay".
_ANYONE = re.compile(
    r"\b(?:do|can|could|should|must|may|might|would|if|when|to) i"
    r" (?!have\b|still\b|owe\b|get my\b|currently\b|check\b|see\b|track\b)\w+"
)
# A command, not a question: "refund my order".
_COMMAND = re.compile(
    r"^(?:please )?(?:refund|return|exchange|repair|replace|swap) (?:my|me|the|this|it|order|zw)\b"
    r"|^(?:please )?(?:dont|do not)\b|^(?:给我|帮我)(?:退|换|修)"
)
_SPENT = re.compile(r"花|\bspen[dt]")
_TAKEN = "\x00"
_LEFT = re.compile(r"[\u3400-\u9fffa-z](?:[ -]?[\u3400-\u9fffa-z0-9]+)*")
_THINGS_MAX = 2
_THING_ZH_MAX = 8  # characters
_THING_EN_MAX = 4  # words
_LONGEST = 60  # characters; a longer text tells a story


@dataclass(frozen=True, slots=True)
class OwnQuestion:
    """`things` are what the customer calls what was bought; `marks` ("unpaid", "lost") tell the order by its state."""

    intent: Intent
    things: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    leans: bool = False  # on the question before it
    is_definite: bool = False  # it speaks of one thing that there is, not of anyone's
    is_sure: bool = True  # that it is about one's own order: nothing but the name of a thing may say so


@dataclass(frozen=True, slots=True)
class _Form:
    """An intent and the words that ask for it: one of each group in `needs`, and besides these only `may`.

    `alone`: it is about one's own order even when nothing else says so.
    """

    intent: Intent
    needs: tuple[frozenset[str], ...]
    may: frozenset[str]
    alone: bool = False


def _form(intent: Intent, needs: str, may: str = "", *, alone: bool = False) -> _Form:
    groups = tuple(frozenset(group.split("|")) for group in needs.split())
    return _Form(intent, groups, frozenset(may.split()).union(*groups, {"me", "thing", "definite"}), alone)


_THEIRS = "order parcel placed"
# Tried in order.
_FORMS = (
    _form(Intent.OWN_RETURN_NUMBER, "return_number", f"refund amount {_THEIRS}"),
    _form(Intent.OWN_RETURN_NUMBER, "refund number", f"amount {_THEIRS}"),
    _form(Intent.OWN_RETURN_FREIGHT, "return_freight", f"who_pays refund sendback sent_back amount {_THEIRS}"),
    _form(Intent.OWN_RETURN_FREIGHT, "freight|sendback|sent_back who_pays", f"refund freight {_THEIRS}"),
    _form(Intent.PARCEL_PICKUP, "code", f"pickup amount parcel remain where when {_THEIRS}", alone=True),
    _form(Intent.PARCEL_PICKUP, "pickup parcel", "where list", alone=True),
    _form(Intent.PARCEL_PICKUP, "pickup", f"where arrive done state when parcel not list {_THEIRS}"),
    _form(Intent.PARCEL_PROMISE, "promise when", f"arrive delivered {_THEIRS}", alone=True),
    _form(Intent.PARCEL_NUMBER, "number", f"carrier amount list remain shipped {_THEIRS}", alone=True),
    _form(Intent.PARCEL_NUMBER, "carrier", f"shipped arrive parcel {_THEIRS}"),
    _form(Intent.PARCEL_COUNT, "count_parcels", f"shipped count parcel arrive missing {_THEIRS}"),
    _form(Intent.PARCEL_COUNT, "parcel count", f"shipped {_THEIRS}"),
    _form(
        Intent.OWN_INVOICE,
        "invoice done|state|amount|when|not|shipped|count|where",
        f"where done state amount when how_long not count pay shipped remain {_THEIRS}",
    ),
    _form(
        Intent.ORDER_BALANCE,
        "balance amount|when|deadline",
        f"short deposit deadline pay remain when amount unpaid not state {_THEIRS}",
        alone=True,
    ),
    _form(
        Intent.ORDER_BALANCE,
        "balance|deposit",
        f"short amount when deadline balance deposit pay remain not done unpaid state {_THEIRS}",
    ),
    _form(Intent.ORDER_BALANCE, "pay amount deadline|remain", f"when not {_THEIRS}"),
    _form(Intent.OWN_REFUND_CHANNEL, "channel", f"refund where not when state done {_THEIRS}"),
    _form(Intent.OWN_REFUND_AMOUNT, "refund amount", f"done count pay {_THEIRS}"),
    _form(Intent.REFUND_PROGRESS, "refund|sendback|sent_back deadline", f"sendback sent_back when done refund {_THEIRS}"),
    _form(Intent.REFUND_PROGRESS, "refund state", "where", alone=True),
    _form(
        Intent.REFUND_PROGRESS,
        "refund where|state|done|when|how_long|not|arrive|stuck|why|delivered|moved|expire|shipped",
        f"where state done when how_long not arrive stuck why pay delivered moved remain expire lost shipped "
        f"sent_back {_THEIRS}",
    ),
    _form(Intent.REFUND_PROGRESS, "sent_back arrive|done|delivered|state", f"where not when refund moved {_THEIRS}"),
    _form(Intent.REFUND_PROGRESS, "refund", _THEIRS),
    _form(Intent.ORDER_FREIGHT, "freight", f"amount pay {_THEIRS}"),
    _form(Intent.ORDER_STATUS, "unpaid order", "count state list remain", alone=True),
    _form(Intent.MY_ORDERS, "count_orders", f"placed open amount remain not done pay count {_THEIRS}"),
    _form(Intent.MY_ORDERS, "order count|list", "placed open remain amount"),
    _form(Intent.MY_ORDERS, "order open", "placed remain amount"),
    _form(Intent.ORDER_TOTAL, "unpaid amount", f"pay {_THEIRS}", alone=True),
    _form(Intent.ORDER_TOTAL, "amount order|pay|placed", f"pay {_THEIRS}"),
    _form(Intent.ORDER_PAYMENT, "pay|success success|done", f"not success state remain {_THEIRS}", alone=True),
    _form(Intent.ORDER_PAYMENT, "pay not", f"done {_THEIRS}"),
    _form(Intent.ORDER_PAYMENT, "pay order"),
    _form(Intent.TIER, "points|coupon balance|remain", "tier balance remain points coupon amount count", alone=True),
    _form(Intent.TIER, "tier remain how_long|when", "expire", alone=True),
    _form(Intent.TIER, "tier|points|coupon", "amount count list when remain state not tier points coupon deadline balance"),
    _form(
        Intent.TIER, "tier|coupon expire", "count list when how_long remain tier coupon deadline"
    ),  # of points a rule tells it
    _form(Intent.ORDER_STATUS, "missing", f"shipped not {_THEIRS}"),
    _form(Intent.ORDER_STATUS, "shipped not", f"why order parcel {_THEIRS}", alone=True),
    _form(Intent.ORDER_STATUS, "shipped", f"when how_long not why state order missing {_THEIRS}"),
    _form(Intent.PARCEL, "arrive when", "parcel order not remain", alone=True),
    _form(
        Intent.PARCEL,
        "where|arrive|moved|stuck|delivered",
        f"where arrive moved stuck delivered lost when how_long not why state done shipped count carrier remain {_THEIRS}",
    ),
    _form(Intent.PARCEL, "parcel where", alone=True),
    _form(Intent.PARCEL, "lost thing", f"state not {_THEIRS}"),
    _form(Intent.PARCEL, "parcel state|why|when|how_long", "where state why when how_long not"),
    _form(Intent.PARCEL, "order when|how_long"),
    _form(Intent.PARCEL, "parcel deadline", "when"),
    _form(Intent.ORDER_DATE, "placed when", _THEIRS),
    _form(Intent.ORDER_STATUS, "order|unpaid|placed state|why", "where when not unpaid placed done order"),
    _form(Intent.ORDER_STATUS, "order list|remain", "placed"),
    _form(Intent.PARCEL, "parcel", "placed"),
    _form(Intent.ORDER_STATUS, "order", "unpaid"),
    _form(Intent.PARCEL, "state|why", "not count"),
    _form(Intent.PARCEL, "me definite thing", "placed"),  # 我那个台灯呢
)
# A thing alone does not make these a question on an order: a price, the shop's ways.
_NEED_MORE_THAN_A_THING = frozenset({Intent.MY_ORDERS, Intent.TIER})
# What a question that leans on another is about.
_SUBJECTS: Mapping[Intent, frozenset[str]] = {
    **dict.fromkeys(OF_REFUNDS, frozenset({"refund"})),
    **dict.fromkeys(OF_PARCELS, frozenset({"parcel"})),
    **dict.fromkeys(OF_ORDERS, frozenset({"order"})),
    Intent.TIER: frozenset({"tier"}),
    Intent.OWN_INVOICE: frozenset({"invoice"}),
}
# The rule that was asked for, and what it is for one's own order.
_OWN_OF: Mapping[Intent, Intent] = {
    Intent.RETURN_FREIGHT: Intent.OWN_RETURN_FREIGHT,
    Intent.REFUND_TIME: Intent.REFUND_PROGRESS,
    Intent.REFUND_CHANNEL: Intent.OWN_REFUND_CHANNEL,
    Intent.REFUND_AMOUNT: Intent.OWN_REFUND_AMOUNT,
    Intent.SHIPPING_FEE: Intent.ORDER_FREIGHT,
    Intent.DEPOSIT: Intent.ORDER_BALANCE,
    Intent.INVOICE: Intent.OWN_INVOICE,
    Intent.PICKUP_POINT: Intent.PARCEL_PICKUP,
    Intent.CARRIER: Intent.PARCEL_NUMBER,
}


# Which order is meant, by its state.
_WHICH = frozenset({"unpaid", "lost"})


@dataclass(frozen=True, slots=True)
class _Words:
    said: frozenset[str]
    things: tuple[str, ...]

    @property
    def marks(self) -> tuple[str, ...]:
        return tuple(sorted(self.said & _WHICH))

    @property
    def own(self) -> bool:
        told_apart = "order" in self.said and not self.said.isdisjoint(_WHICH)
        return not self.said.isdisjoint({"me", "definite", "thing"}) or told_apart


def own_question(plain: str, last: Intent | None) -> OwnQuestion | None:
    """What `plain` asks of the customer's own orders; None when it asks for anything else. `last` is the question before it."""
    if len(plain) > _LONGEST or _COMMAND.search(plain):
        return None
    return _read(plain, last) or _in_a_clause(plain, last)


def thing_after(plain: str, last: Intent | None) -> OwnQuestion | None:
    """The last question again, of the thing that is named: 耳机那个, "the earbuds", "and for my sneakers"."""
    words = _words_in(plain)
    intent = _OWN_OF.get(last, last) if last else None
    known = intent in _SUBJECTS and intent is not Intent.TIER
    if intent is None or words is None or not known or not (words.things or words.marks):
        return None
    if intent is not last and "me" not in words.said:
        return None  # 那新疆呢 goes on about the rule
    if (
        words.said
        - {"me", "thing", "definite", "order", "parcel", "unpaid", "lost", "placed"}
        - (_SUBJECTS[intent] | {"return_freight"})
    ):
        return None
    return OwnQuestion(Intent.PARCEL if "lost" in words.marks else intent, words.things, words.marks, leans=True)


def _read(plain: str, last: Intent | None) -> OwnQuestion | None:
    words = _words_in(plain)
    if words is None:
        return None
    found = _fitting(words, own=words.own)
    leans = False
    if found is None and last is not None and last in _SUBJECTS:
        spoken = words.said
        words = _Words(words.said | _SUBJECTS[last] | {"me"}, words.things)
        found, leans = _fitting(words, own=True), True
        if _says_nothing_new(plain, spoken, last, found):
            return None
    if found is None:
        return None
    definite = "definite" in words.said
    sure = definite or "me" in words.said or not words.things
    return OwnQuestion(found, words.things, words.marks, leans, is_definite=definite, is_sure=sure)


def _says_nothing_new(plain: str, said: frozenset[str], last: Intent, found: Intent | None) -> bool:
    """为什么 and 在哪里买的 would get the last answer again, and what was spent is no refund."""
    if last in OF_REFUNDS and (said & {"delivered", "pay"} or _SPENT.search(plain)):
        return True
    return found is last and ("placed" in said or said - {"me"} <= {"why"} or said - {"me"} <= {"day"})


def _fitting(words: _Words, *, own: bool) -> Intent | None:
    which = _WHICH if words.said & {"order", "thing"} else frozenset[str]()
    # 明天能送吗 asks what the shop does, unless something says that it is about one's own order.
    said = words.said - {"day"} | {"when"} if own and "day" in words.said else words.said
    for form in _FORMS:
        fits = all(group & said for group in form.needs) and not said - form.may - which
        bare = not (words.things and form.intent in _NEED_MORE_THAN_A_THING)
        if fits and bare and (own or form.alone):
            return form.intent
    return None


def _in_a_clause(plain: str, last: Intent | None) -> OwnQuestion | None:
    """What one clause asks, where the others only tell: 到哪了,急用."""
    clauses = [clause for clause in plain.split(",") if clause.strip()]
    if len(clauses) < 2:
        return None
    read = [_read(clause, last) for clause in clauses]
    asked = {(question.intent, question.things) for question in read if question}
    others = [clause for clause, question in zip(clauses, read, strict=True) if question is None]
    if len(asked) != 1 or any(named_in(clause).things or _ASKS.search(clause) for clause in others):
        return None
    return next(question for question in read if question)


_ASKS = re.compile(
    r"怎么|咋|如何|可以|能不能|一般|正常|通常|多少|什么|哪|谁|几|吗$|取消|退|换|改|不要|\b(?:how|can|could|what|when|where|who|which|cancel|return|refund|change)\b"
)


@functools.lru_cache(maxsize=1024)
def _words_in(plain: str) -> _Words | None:
    """The words of the form; None when something is left over that can be no thing."""
    rest = _BORDER.sub(" ", plain)
    languages = [_CHINESE] * bool(_HAN.search(rest)) + [_ENGLISH] * bool(_LATIN.search(rest))
    said = {"me"} if _ME.search(_ANYONE.sub(" ", rest)) else set[str]()
    for words, filler in languages:
        for name, pattern in words:
            rest, count = pattern.subn(_taken, rest)
            if count and not name.startswith("_"):
                said.add(name)
        rest = filler.sub(_taken, rest)
    things = tuple(match[0].strip() for match in _LEFT.finditer(rest))
    if things:
        said.add("thing")
    told = _THE.match(plain)
    if (_DEFINITE if things else _DONE).search(plain) or (told and plain.startswith(things, told.end())):
        said.add("definite")
    if len(things) > _THINGS_MAX or not all(map(_may_be_a_thing, things)):
        return None
    return _Words(frozenset(said), things)


def _taken(match: re.Match[str]) -> str:
    return _TAKEN * len(match[0])


def _may_be_a_thing(left: str) -> bool:
    if _HAN.search(left):
        return 2 <= len(left) <= _THING_ZH_MAX and not NO_THING_ZH.search(left) and not _is_a_place(left)
    return len(left) >= 3 and len(left.split()) <= _THING_EN_MAX and not NO_THING_EN.search(left)


def _is_a_place(left: str) -> bool:
    """西藏, 新疆发: where something is sent, not what."""
    named = (match for name in ("region", "abroad") for match in THINGS[name].chinese.finditer(left))
    return any(len(left) - len(match[0]) <= 1 for match in named)
