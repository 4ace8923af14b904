"""How many of real customers' questions are answered right, and is any fact that is told wrong?

Asks the demo shop at least 200 questions in each language (benchmarks/questions/*.jsonl, or --questions FILE.jsonl) and scores
every answer against the shop's database and the published policies. Without --url the default installation is started in this
process: every room real, vLLM with the packaged model, no Ray. The last line is one JSON object; all else goes to stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx

from benchmarks.answering.asking import Asked, ask_all
from benchmarks.answering.installation import Installation, in_one_process, running
from benchmarks.answering.judging import Verdict, judge
from benchmarks.answering.policies import Policies, read_policies
from benchmarks.answering.questions import BadQuestions, Question, read_questions
from benchmarks.answering.shop import Shop
from benchmarks.answering.truth import wrong_facts
from serve_app.domain.errors import ConfigError, InternalError

QUESTIONS = Path(__file__).parent / "questions"
ENDINGS = ("correct", "wrong", "suggested", "handed_over")
# More would make the model starve the rest of a small machine, whose late answers are not what is asked here.
AT_ONCE = 2


@dataclass(frozen=True)
class Scored:
    """One question with its ending (None: nothing was expected) and all that was not true in any of its answers."""

    asked: Asked
    verdict: Verdict | None
    wrong: tuple[str, ...]

    @property
    def question(self) -> Question:
        return self.asked.question

    @property
    def is_failure(self) -> bool:
        return bool(self.wrong) or (self.verdict is not None and self.verdict.ending != "correct")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def score(asked: Asked, shop: Shop, policies: Policies) -> Scored:
    """The ending of the first judged turn that is not correct, else correct; the wrong facts of every turn."""
    wrong: list[str] = []
    verdict: Verdict | None = None
    for number, turn in enumerate(asked.turns):
        customer = shop.customer(asked.question.customer, turn.at)
        if not turn.answer.error:
            wrong += [f"turn {number + 1}: {one}" for one in wrong_facts(turn, customer, shop, policies)]
        expect = asked.question.expected(number)
        if expect is not None and (verdict is None or verdict.ending == "correct"):
            verdict = judge(turn, expect, asked.question.language, customer)
    return Scored(asked, verdict, tuple(wrong))


def check_orders(questions: Iterable[Question], shop: Shop, policies: Policies) -> None:
    """Raises BadQuestions for a customer or an order that the shop has not got; says which expected entries are unpublished."""
    unpublished: set[str] = set()
    for question in questions:
        if question.customer is not None and not shop.has(question.customer):
            raise BadQuestions(f"{question.where}: the shop has no customer {question.customer}")
        for order_id in question.order_ids:
            if shop.owners.get(order_id) != question.customer:
                raise BadQuestions(f"{question.where}: {order_id} is not an order of {question.customer}")
        for turn in range(len(question.turns)):
            expect = question.expected(turn)
            unpublished |= set(expect.entries if expect else ()) - policies.entries
    if unpublished:
        say(f"not published, so these cannot be answered: {', '.join(sorted(unpublished))}")


# Figures


def figures(scored: Sequence[Scored]) -> dict[str, Any]:
    judged = [one.verdict for one in scored if one.verdict is not None]
    counts = Counter(verdict.ending for verdict in judged)
    shares = {f"{ending}_rate": round(counts[ending] / max(1, len(judged)), 4) for ending in ENDINGS}
    return {
        "n": len(scored),
        **{ending: counts[ending] for ending in ENDINGS},
        "not_judged": len(scored) - len(judged),
        "wrong_fact": sum(bool(one.wrong) for one in scored),
        "degraded": sum(any(turn.answer.degraded for turn in one.asked.turns) for one in scored),
        "suggested_right": sum(bool(verdict.has_right) for verdict in judged if verdict.ending == "suggested"),
        **shares,
    }


def by_language(scored: Sequence[Scored]) -> dict[str, list[Scored]]:
    return {language: [one for one in scored if one.question.language == language] for language in ("zh", "en")}


def table(scored: Sequence[Scored]) -> str:
    tags = sorted({tag for one in scored for tag in one.question.tags})
    head = f"{'':<6}{'tag':<16}{'n':>5}" + "".join(f"{name:>12}" for name in (*ENDINGS, "wrong_fact"))
    rows = [head]
    for language, mine in by_language(scored).items():
        for tag in ("all", *tags):
            some = [one for one in mine if tag in ("all", *one.question.tags)]
            if some:
                counted = figures(some)
                rows.append(
                    f"{language:<6}{tag:<16}{len(some):>5}"
                    + "".join(f"{counted[name]:>12}" for name in (*ENDINGS, "wrong_fact"))
                )
    return "\n".join(rows)


def told(one: Scored) -> dict[str, Any]:
    """A question that did not go well, for the file of failures."""
    turns = [{"said": turn.said or turn.tapped, "answer": _filled(asdict(turn.answer))} for turn in one.asked.turns]
    return {
        "id": one.question.id,
        "ending": one.verdict.ending if one.verdict else None,
        "why": one.verdict.why if one.verdict else "",
        "wrong_facts": list(one.wrong),
        **_filled({"suggested_right": one.verdict.has_right if one.verdict else None}),
        "language": one.question.language,
        "customer": one.question.customer,
        "expect": one.question.model_dump(exclude_none=True).get("expect"),
        "tags": list(one.question.tags),
        "turns": turns,
    }


def _filled(tree: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in tree.items() if value not in (None, "", (), False)}


# Running


@asynccontextmanager
async def _installation(options: argparse.Namespace) -> AsyncGenerator[Installation]:
    if options.url:
        yield running(options.url, options.key, options.data_dir)
    else:
        async with in_one_process(say) as installation:
            yield installation


async def run(options: argparse.Namespace, questions: Sequence[Question]) -> dict[str, Any]:
    async with _installation(options) as installation:
        shop = Shop(installation.shop, installation.config.tenants[installation.tenant].shop.time_zone)
        hours = [tenant.shop.desk_hours for tenant in installation.config.tenants.values()]
        policies = read_policies(installation.record, shop.zone, installation.tenant, hours)
        check_orders(questions, shop, policies)
        scored: list[Scored] = []
        started = perf_counter()
        async for asked in ask_all(questions, installation, AT_ONCE):
            scored.append(score(asked, shop, policies))
            if len(scored) % 25 == 0 or len(scored) == len(questions):
                say(f"{len(scored)} of {len(questions)} questions, {perf_counter() - started:.0f} s")
        shop.close()
    order = {question.id: number for number, question in enumerate(questions)}
    scored.sort(key=lambda one: order[one.question.id])
    _report(scored, options.failures)
    return {
        "benchmark": "answers",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "installation": installation.what,
        "model": installation.model,
        "took_s": round(perf_counter() - started, 1),
        **figures(scored),
        "languages": {language: figures(mine) for language, mine in by_language(scored).items() if mine},
    }


def _report(scored: Sequence[Scored], failures: Path | None) -> None:
    say(table(scored))
    for one in scored:
        last = one.asked.turns[-1]
        for what in one.wrong:
            say(f"wrong fact  {one.question.id}  {what}  | {last.all_said!r} → {last.answer.text!r}")
        if one.verdict is not None and one.verdict.ending == "wrong":
            say(f"wrong  {one.question.id}  {one.verdict.why}  | {last.all_said!r} → {last.answer.text!r}")
    if failures:
        lines = (json.dumps(told(one), ensure_ascii=False) for one in scored if one.is_failure)
        failures.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, action="append", help="JSON lines (see records/answers.md); repeatable")
    parser.add_argument("--language", choices=("zh", "en"), help="only the questions in this language")
    parser.add_argument(
        "--failures", type=Path, metavar="FILE", help="where to write all that was not correct, with the answers"
    )
    parser.add_argument("--url", help="ask a running installation instead, for example http://127.0.0.1:8000")
    parser.add_argument("--key", help="its API key (default: the one in its data folder)")
    parser.add_argument(
        "--data-dir", type=Path, help="its data folder (default: ZEROWAIT_DATA_DIR, else ~/.local/share/zerowait)"
    )
    options = parser.parse_args()
    try:
        files = options.questions or sorted(QUESTIONS.glob("*.jsonl"))
        questions = [question for file in files for question in read_questions(file)]
        questions = [question for question in questions if options.language in (None, question.language)]
        if len({question.id for question in questions}) < len(questions):
            raise BadQuestions("two files share an id: give each question its own")
        result = asyncio.run(run(options, questions))
    except (BadQuestions, ConfigError, InternalError, OSError, sqlite3.Error, httpx.HTTPError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
