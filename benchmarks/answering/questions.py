"""The questions: one JSON object a line. `benchmarks/records/answers.md` describes the form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

Language = Literal["zh", "en"]
Thing = Literal["order", "parcel", "refund", "invoice", "coupon"]

ORDER_FIELDS = (
    "state", "payment", "total", "freight", "deposit", "balance", "balance_due", "placed",
    "parcel_state", "parcel_count", "eta", "promised", "delivered", "carrier", "tracking_no", "pickup_code", "pickup_point",
    "after_sale_stage", "after_sale_deadline", "refund_amount", "refund_channel", "return_no", "freight_payer",
    "invoice_state", "invoice_amount",
)  # fmt: skip
CUSTOMER_FIELDS = ("points", "tier", "tier_until", "coupons", "coupon_count", "coupon_dates", "order_count", "open_order_count")
# Each line says one of these.
OUTCOMES = (
    "entry", "shows", "choices", "none", "not_found", "sign_in", "handed_over", "refused", "chat", "any",
)  # fmt: skip


class BadQuestions(Exception):
    """A file that cannot be asked; the message names the line."""


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Expect(_Form):
    """What a right answer is. Exactly one of OUTCOMES; `order` or `option` says whose fields `shows` names."""

    entry: str | tuple[str, ...] | None = None
    shows: tuple[str, ...] | None = None
    order: str | None = None
    option: int | None = None  # of the choices that the turn before offered; 1 is the first, -1 the last
    choices: tuple[str, ...] | None = None
    none: Thing | None = None
    not_found: Literal[True] | None = None
    sign_in: Literal[True] | None = None
    handed_over: Literal[True] | None = None
    refused: Literal[True] | None = None
    chat: Literal[True] | None = None
    any: tuple[Expect, ...] | None = None

    @model_validator(mode="after")
    def _one_outcome(self) -> Expect:
        said = [name for name in OUTCOMES if getattr(self, name) is not None]
        if len(said) != 1:
            raise ValueError(f"`expect` says exactly one of {', '.join(OUTCOMES)}")
        if self.shows is None and (self.order is not None or self.option is not None):
            raise ValueError("`order` and `option` go with `shows`")
        if self.order is not None and self.option is not None:
            raise ValueError("give `order` or `option`, not both")
        allowed = CUSTOMER_FIELDS if self.order is None and self.option is None else ORDER_FIELDS
        for name in self.shows or ():
            if name not in allowed:
                raise ValueError(f"`shows` has no field {name!r} here; there are {', '.join(allowed)}")
        if self.option == 0 or self.shows == () or self.choices == () or self.any == () or self.entry == ():
            raise ValueError("an empty list or an option 0 expects nothing")
        return self

    @property
    def entries(self) -> tuple[str, ...]:
        return (self.entry,) if isinstance(self.entry, str) else self.entry or ()

    @property
    def order_ids(self) -> tuple[str, ...]:
        nested = [order_id for one in self.any or () for order_id in one.order_ids]
        return (*([self.order] if self.order else []), *(self.choices or ()), *nested)


class Tap(_Form):
    """A tap on what the answer before offered: its place (1 is the first) or its id."""

    tap: int | str


class Question(_Form):
    """One conversation. The last turn is scored, or each turn that `expect`, as a list, says something of."""

    id: str = ""
    language: Language
    customer: str | None = None
    turns: Annotated[tuple[str | Tap, ...], Field(min_length=1)]
    expect: Expect | tuple[Expect | None, ...] | None = None
    tags: tuple[str, ...] = ()
    _where: str = PrivateAttr("")

    @property
    def where(self) -> str:
        """File and line, or the id of one that comes from no file."""
        return self._where or f"question {self.id}"

    @staticmethod
    def at(where: str, tree: Mapping[str, Any]) -> Question:
        """Raises ValidationError."""
        question = Question.model_validate(tree)
        question._where = where
        return question

    @model_validator(mode="after")
    def _fits(self) -> Question:
        if isinstance(self.expect, tuple) and len(self.expect) != len(self.turns):
            raise ValueError("`expect`, as a list, has one item for each turn (null: not judged)")
        if any(isinstance(turn, str) and not turn.strip() for turn in self.turns):
            raise ValueError("a turn is empty")
        return self

    def expected(self, turn: int) -> Expect | None:
        """What is expected of the answer to the turn (0 is the first)."""
        if isinstance(self.expect, tuple):
            return self.expect[turn]
        return self.expect if turn == len(self.turns) - 1 else None

    @property
    def order_ids(self) -> tuple[str, ...]:
        """Every order that an expectation names."""
        expects = self.expect if isinstance(self.expect, tuple) else (self.expect,)
        return tuple(order_id for expect in expects if expect for order_id in expect.order_ids)


def read_questions(path: Path) -> Sequence[Question]:
    """Raises BadQuestions, naming the line: not JSON, a field that is missing, unknown or wrong, an id given twice."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadQuestions(f"{path}: cannot be read as UTF-8 text: {error}") from error
    questions = list(_parsed(path, text))
    if not questions:
        raise BadQuestions(f"{path}: there are no questions in it")
    return questions


def _parsed(path: Path, text: str) -> Iterator[Question]:
    seen: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        question = _question(f"{path}, line {number}", line, default_id=f"line-{number}")
        if question.id in seen:
            raise BadQuestions(f"{path}, line {number}: the id {question.id!r} is that of line {seen[question.id]}")
        seen[question.id] = number
        yield question


def _question(where: str, line: str, default_id: str) -> Question:
    try:
        tree: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise BadQuestions(f"{where}: not JSON: {error.msg} at character {error.pos + 1}") from None
    if not isinstance(tree, dict):
        raise BadQuestions(f"{where}: a question is a JSON object")
    try:
        return Question.at(where, {"id": default_id, **tree})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(step) for step in first["loc"])
        message = first["msg"].removeprefix("Value error, ").replace("valid tuple", "list").replace("Tuple", "List")
        raise BadQuestions(f"{where}: {path + ': ' if path else ''}{message}") from None
