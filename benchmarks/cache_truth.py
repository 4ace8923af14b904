"""How often is an entry that was found by its meaning the wrong one?

Public sets (Banking77, CLINC150): the train part's questions are the published wordings of one entry an intent, the test part's
are asked; another intent's entry, or any for a question out of scope, is wrong. Hand-made pairs: the first question is the one
published wording of an entry, the second is asked. The same words after two different turns must not get one answer.
Paraphrases of the demo's FAQ are asked of the demo's knowledge. Everything runs as in the product: understanding, index,
embedding, gates.

Embeddings are kept under .cache/truth; without them the first run takes fifteen minutes. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.truth import public, sets
from benchmarks.truth.asking import Answer, Asker, entry_of
from benchmarks.truth.counting import hits, share
from benchmarks.truth.embedding import RememberingEmbedder
from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.intents import Intent
from serve_app.domain.messages import Kind
from serve_app.domain.publication import filled
from serve_app.domain.understanding import Understander
from serve_app.first_questions import make_understander
from serve_app.knowledge import KnowledgeIndex

PAIRS = Path(__file__).parent / "pairs"
CACHE = Path(__file__).parents[1] / ".cache" / "truth"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def ask_pair(pair: sets.Pair, understander: Understander, embedder: RememberingEmbedder) -> Answer:
    """The first question's entry has the intent that the first question is understood to have."""
    first = Asker(understander, embedder, KnowledgeIndex.build([], [], embedder)).understood(pair.first)
    entry = entry_of("first", [pair.first], first.intent if first.settled else Intent.OTHER)
    return Asker(understander, embedder, KnowledgeIndex.build([entry], [], embedder)).ask(pair.second)


def of_pairs(
    asked: Sequence[sets.Pair], understander: Understander, embedder: RememberingEmbedder, show: bool
) -> dict[str, Any]:
    embedder.embed([text for pair in asked for text in (pair.first, pair.second)])
    answers = [ask_pair(pair, understander, embedder) for pair in asked]
    found = [(pair, answer) for pair, answer in zip(asked, answers, strict=True) if answer.entry_id is not None]
    for pair, answer in found if show else ():
        if not pair.same:
            say(f"wrong hit ({answer.how}, {pair.why})\t{pair.first}\t{pair.second}")
    same = sum(pair.same for pair in asked)
    different = len(asked) - same
    wrong = [(pair, answer) for pair, answer in found if not pair.same]
    right = len(found) - len(wrong)
    exact = Counter(pair.same for pair, answer in found if answer.how == "exact")
    return {
        "pairs": len(asked),
        "same": same,
        "same_hits": right,
        "same_hit_rate": share(right, same),
        "different": different,
        "different_hits": len(wrong),
        "of_these_exact": {"same": exact[True], "different": exact[False]},
        "different_by_why": dict(Counter(pair.why for pair, _ in wrong)),
        "hits": hits(right, len(wrong), len(asked)),
        "refused_by": dict(Counter(gate for answer in answers for gate in answer.refused[:1])),
    }


def of_forks(asked: Iterable[sets.Fork], shop: Asker, show: bool) -> dict[str, Any]:
    """A hit: both conversations get one entry, or one key under which answers are shared."""
    count = wrong = 0
    for fork in asked:
        (one, first), (other, second) = (shop.after(turn, fork.question) for turn in fork.turns)
        public_key = one.canonical if one.kind is other.kind is Kind.PUBLIC and one.canonical == other.canonical else ""
        is_wrong = bool(public_key) or (first.entry_id is not None and first.entry_id == second.entry_id)
        count, wrong = count + 1, wrong + is_wrong
        if is_wrong and show:
            say(f"one answer for two\t{fork.turns}\t{fork.question}\t{public_key}\t{first.entry_id}")
    return {"forks": count, "hits": wrong}


def of_paraphrases(asked: Sequence[sets.Paraphrase], shop: Asker, embedder: RememberingEmbedder) -> dict[str, Any]:
    embedder.embed([one.question for one in asked])
    answers = [shop.ask(one.question) for one in asked]
    top = [one.entry_id in shop.suggested(one.question) for one in asked]
    both = list(zip(asked, answers, strict=True))
    right = Counter(answer.how for one, answer in both if answer.entry_id == one.entry_id)
    wrong = Counter(answer.how for one, answer in both if answer.entry_id not in (None, one.entry_id))
    offered = sum(one.entry_id in answer.suggested for one, answer in both)
    return {
        "asked": len(asked),
        "exact": hits(right["exact"], wrong["exact"], len(asked)),
        "meaning": hits(right["faq"], wrong["faq"], len(asked)),
        "hit_rate": share(sum(right.values()) + sum(wrong.values()), len(asked)),
        "suggest_top3": share(sum(top), len(asked)),
        "answered_or_suggested": share(sum(right.values()) + offered, len(asked)),
        "otherwise": dict(Counter(answer.how for answer in answers if answer.how not in ("exact", "faq"))),
        "refused_by": dict(Counter(gate for answer in answers for gate in answer.refused[:1])),
    }


def demo_shop(understander: Understander, embedder: RememberingEmbedder) -> Asker:
    demo = filled(demo_knowledge())
    return Asker(understander, embedder, KnowledgeIndex.build(demo.entries, demo.templates, embedder))


def run(options: argparse.Namespace) -> dict[str, Any]:
    started = perf_counter()
    understander, embedder = make_understander(), RememberingEmbedder(CACHE)
    result: dict[str, Any] = {"benchmark": "cache_truth", "at": datetime.now(UTC).isoformat(timespec="seconds")}
    left_out: list[str] = []
    if options.pairs is not None:
        result["pairs"] = {
            str(file): of_pairs(sets.pairs(file), understander, embedder, options.show) for file in options.pairs
        }
    if options.pairs is None or options.all:
        result |= _hand_made(understander, embedder, options, left_out)
        result |= _public(understander, embedder, options, left_out)
    embedder.keep()
    return {**result, "left_out": left_out, "took_s": round(perf_counter() - started, 1)}


def _hand_made(
    understander: Understander, embedder: RememberingEmbedder, options: argparse.Namespace, left_out: list[str]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    shop = demo_shop(understander, embedder)
    for name in ("adversarial", "same"):
        if (file := PAIRS / f"{name}.tsv").exists():
            result[name] = of_pairs(sets.pairs(file), understander, embedder, options.show)
        else:
            left_out.append(file.name)
    if (file := PAIRS / "context.tsv").exists():
        result["context"] = of_forks(sets.forks(file), shop, options.show)
    for language in ("zh", "en"):
        if (file := PAIRS / f"paraphrases.{language}.tsv").exists():
            result[f"paraphrases_{language}"] = of_paraphrases(sets.paraphrases(file), shop, embedder)
    summary = {
        "adversarial_hits": result.get("adversarial", {}).get("different_hits"),
        "context_hits": result.get("context", {}).get("hits"),
        "zh_hit_rate": result.get("paraphrases_zh", {}).get("hit_rate"),
        "suggest_top3": result.get("paraphrases_zh", {}).get("suggest_top3"),
    }
    return {**result, **summary}


def _public(
    understander: Understander, embedder: RememberingEmbedder, options: argparse.Namespace, left_out: list[str]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, read in (("banking77", sets.banking77), ("clinc150", sets.clinc150)):
        labelled = read(options.data)
        if labelled is None:
            left_out.append(f"{name}: not in {options.data} (--data FOLDER)")
            continue
        say(f"{name}: {len(labelled.train)} wordings, {len(labelled.test)} questions")
        result[name] = public.measured(labelled, understander, embedder)
        if options.cross_validate:
            result[name]["train_curve"] = public.cross_validated(labelled, understander, embedder)
    meaning = [one["meaning"] for one in result.values()]
    if meaning:
        result["wrong_hits_upper"] = max(one["wrong_interval"][1] for one in meaning)
        result["hit_rate"] = min(one["hit_rate"] for one in meaning)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cache_truth", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=Path("data"), help="the folder of banking77-*.csv and clinc150.json (default %(default)s)"
    )
    parser.add_argument(
        "--pairs",
        type=Path,
        action="append",
        metavar="FILE.tsv",
        help="only these pairs (question, question, 1 or 0); repeatable",
    )
    parser.add_argument("--all", action="store_true", help="everything else beside --pairs, too")
    parser.add_argument("--cross-validate", action="store_true", help="the curve within the train parts, too (minutes)")
    parser.add_argument("--show", action="store_true", help="print the wrong hits among pairs")
    options = parser.parse_args()
    try:
        result = run(options)
    except sets.BadSet as error:
        sys.exit(str(error))
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
