"""How much of a shop's day comes from the cache tiers, and is anything of it out of date or another customer's?

    python -m benchmarks.cache_replay

Plays a day, from 18:00 to 18:00, of conversations of 1,000 customers and of visitors, in the order of a clock that stands still
between them: two ingress processes as `serve_app.assembly` makes them, the real Cache and Context rooms, the record and the
shop's database in SQLite, sessions and shared answers in Valkey. Left out are HTTP, Ray and the model: a fake one repeats every
canary that its prompt holds. At midnight a campaign begins, at noon policies change and an offer is withdrawn.

Every customer's facts hold a canary of that customer, and every published text one of its words; each answer is searched for
those of others, and for words that were no longer true a second before its question. At nine some customers find an answer of
the model wrong, which then must not be given again.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import uvloop

from benchmarks.replay.canaries import CUSTOMERS_MAX
from benchmarks.replay.day import conversations
from benchmarks.replay.driving import Drive
from benchmarks.replay.engine import Parrot
from benchmarks.replay.judging import GRACE, Judge
from benchmarks.replay.processes import CACHE, TENANT, DayClock, a_valkey, running
from benchmarks.replay.publications import BEGINS, morning, truth
from benchmarks.replay.questions import make_pools
from benchmarks.replay.shop import customer_id, make_shop
from serve_app.adapters.tokenizer import HfTokenizer
from serve_app.config import Config
from serve_app.demo.sources import SHOP_FILE
from serve_app.domain.question import Understanding
from serve_app.first_questions import FirstQuestions, make_understander
from serve_app.packaged_model import prepare

TOLD_EVERY_S = 15.0


async def replay(questions: int, customers: int, *, with_rules: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Plays the day; what it came to."""
    began = time.perf_counter()
    true, clock = truth(), DayClock()
    first_questions = FirstQuestions(Config().tenants, make_understander, lambda: BEGINS)

    @cache
    def understand(text: str) -> Understanding:
        return first_questions(TENANT, text)

    pools = make_pools(morning().entries, true, understand)
    judge = Judge(true, understand)
    owners: dict[str, int | None] = {}
    parrot = Parrot(HfTokenizer.load(prepare(CACHE, say)), owners.get, lambda said: true.is_stale(said, clock.now(), GRACE))
    with TemporaryDirectory(prefix="zerowait-replay-") as folder, a_valkey(Path(folder) / "valkey") as redis_url:
        home = Path(folder)
        languages = make_shop(home / SHOP_FILE, customers)
        plan = list(conversations(pools, languages, questions))
        async with running(home, redis_url, clock, morning(), parrot, with_rules=with_rules) as fleet:
            say(f"ready after {time.perf_counter() - began:.0f} s: {len(plan)} conversations")
            started = time.perf_counter()
            drive = Drive(fleet, judge, customer_id, owners, _progress(questions, judge, say))
            await drive.run(plan)
            took_s = time.perf_counter() - started
    for answer in (*judge.stale[:5], *judge.leaks[:5], *judge.set_aside[:5], *judge.others[:5]):
        say(f"wrong: {answer}")
    return {
        **judge.told(),
        "stale_prompts": parrot.stale_prompts,
        "leaking_prompts": parrot.leaking_prompts,
        "outdated_pasts": parrot.outdated_pasts,
        "generations": parrot.generations,
        "admissions": dict(fleet.counts.offers),
        "stale_reads": dict(fleet.counts.stale),
        "evictions": dict(fleet.counts.evictions),
        "refused_by_gate": dict(fleet.counts.gates),
        "customers": customers,
        "conversations": len(plan),
        "processes": len(fleet.processes),
        "rules_in_prompts": with_rules,
        "questions_per_s": round(questions / took_s),
        "wall_s": round(time.perf_counter() - began),
        "missed_most": dict(judge.missed.most_common(10)),
        "not_kept_most": dict(judge.not_kept().most_common(10)),
        "wrong_most": [[*which, count] for which, count in judge.wrong.most_common(10)],
    }


def _progress(questions: int, judge: Judge, say: Callable[[str], None]) -> Callable[[int], None]:
    told_at = time.perf_counter()

    def tell(asked: int) -> None:
        nonlocal told_at
        if time.perf_counter() >= told_at + TOLD_EVERY_S:
            told_at = time.perf_counter()
            say(f"{asked} of {questions} questions; stale {len(judge.stale)}, leaks {len(judge.leaks)}")

    return tell


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cache_replay", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--questions", type=int, default=200_000, help="of the day (default %(default)s)")
    parser.add_argument("--customers", type=int, default=1000, help="of the shop (default %(default)s)")
    parser.add_argument(
        "--rules", action="store_true", help="every prompt holds all the rules, so that each publication changes every key"
    )
    options = parser.parse_args()
    if not 0 < options.customers <= CUSTOMERS_MAX:
        parser.error(f"--customers: from 1 to {CUSTOMERS_MAX}")
    logging.getLogger("serve_app").setLevel(logging.ERROR)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    told = uvloop.run(replay(options.questions, options.customers, with_rules=options.rules, say=say))
    print(orjson.dumps(told, option=orjson.OPT_NON_STR_KEYS).decode())


if __name__ == "__main__":
    main()
