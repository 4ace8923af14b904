"""How much of a card's speed reaches a customer: the whole graph over HTTP beside the bare engine on the same card.

    python -m benchmarks.gpu --model FOLDER --engine load_format=dummy --engine quantization=fp8 --gpus 1

Each arm is asked the same at the same instants: a new question to one of some conversations of known length, each at a random
instant, answered by the model to a fixed number of tokens. Rates go up until TTFT p99 exceeds the objective, then the step is
halved: the knee. With `--later-turns` customers have conversations of their own, with time to think between their questions.

The last line is one JSON object; it is also written to `--out` after every stretch, so that what was measured is kept when time
runs out. `benchmarks/records/gpu.md` says how to read it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from benchmarks.gpu_run import floors, machine, plans
from benchmarks.gpu_run.bare import Bare, Lengths
from benchmarks.gpu_run.graph import Graph, graph
from benchmarks.gpu_run.knee import Knee, knee
from benchmarks.gpu_run.setup import ROUTERS, Setup
from benchmarks.gpu_run.texts import small_talk
from benchmarks.gpu_run.visits import Visit, judged_ms, told
from benchmarks.load.quantiles import Spread

WARM_UP_S = 5.0
SEED = 7


class Findings:
    """What was found so far, kept in a file."""

    def __init__(self, out: Path | None) -> None:
        self._out = out
        self.tree: dict[str, Any] = {"benchmark": "gpu", "at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}

    def keep(self, name: str, value: object) -> None:
        self.tree[name] = value
        self.write()

    def write(self) -> None:
        if self._out is not None:
            self._out.write_text(json.dumps(self.tree))


class Arm:
    """One arm's rates, each a stretch of load."""

    def __init__(
        self, name: str, options: argparse.Namespace, findings: Findings, ask: Callable[[float, int], list[Visit]]
    ) -> None:
        self._options = options
        self._ask = ask
        self._findings = findings
        self._name = name
        self._rows: list[dict[str, Any]] = []
        self.tree: dict[str, Any] = {"rates": self._rows}
        findings.keep(name, self.tree)

    def knee(self) -> Knee:
        found = knee(self._options.rates, self._options.halvings, self._options.objective_ms, self._measure)
        self.tree["knee_per_s"] = {"met": found.met, "missed": found.missed, "crossing": round(found.crossing, 2)}
        self._findings.write()
        return found

    def more(self, **found: object) -> None:
        self.tree |= found
        self._findings.write()

    def _measure(self, rate: float) -> float:
        # The same seed for the same rate, so that every arm is asked the same at the same instants.
        visits = self._ask(rate, SEED + round(rate * 1000))
        measured = [visit for visit in visits if visit.due_s >= self._options.warm_s]
        row = {"rate": rate, **told(measured, self._options.seconds)}
        self._rows.append(row)
        self._findings.write()
        say(f"{self._name} {rate:g}/s: {row['ttft_ms']} failed {row['failed']} sent late {row['sent_late_ms']} ms")
        return judged_ms(measured)


def run(options: argparse.Namespace, setup: Setup, findings: Findings) -> None:
    server, client = machine.halves(options.load_cores)
    findings.keep("machine", {**machine.told(), "server_cores": len(server), "load_cores": len(client)})
    findings.keep("setup", {"command": " ".join(sys.argv[1:]), "model": setup.model_settings()})
    questions = small_talk(SEED)
    lengths = Lengths(options.shared_tokens, options.session_tokens, options.new_tokens)
    knees: dict[str, Knee] = {}
    for name in options.arms:
        if name == "graph":
            with graph(setup, options.shared_tokens, server, client, say) as served:
                knees[name] = of_graph(served, options, findings, questions)
            lengths = _as_asked(findings.tree[name], lengths)
        else:
            bare = Bare(setup, lengths)
            try:
                knees[name] = of_bare(bare, options, findings, questions)
            finally:
                bare.close()
    findings.keep("floors", _floors(findings.tree, setup, options))
    if "graph" in knees and "bare" in knees:
        findings.keep("compared", compared(findings.tree, knees))


def of_graph(served: Graph, options: argparse.Namespace, findings: Findings, questions: Iterator[str]) -> Knee:
    begun = time.monotonic()
    openings = [list(islice(questions, options.openings)) for _ in range(options.conversations)]
    served.opened(openings, SEED)

    def branches(rate: float, seed: int) -> list[Visit]:
        asked = plans.branches(rate, options.warm_s + options.seconds, options.conversations, small_talk(seed), seed)
        return served.branches(asked)

    def sessions(rate: float, seed: int) -> list[Visit]:
        until_s = options.warm_s + options.seconds
        return served.sessions(plans.sessions(rate, until_s, options.think_scale, small_talk(seed), seed), until_s)

    arm = Arm("graph", options, findings, sessions if options.later_turns else branches)
    arm.more(engine_start_s=served.start_s, opened_s=round(time.monotonic() - begun, 1))
    alone = served.alone(list(islice(questions, options.alone)))
    arm.more(alone=told(alone, max(1e-9, sum(visit.ended_s for visit in alone))), stretches=served.stretches)
    return arm.knee()


def of_bare(bare: Bare, options: argparse.Namespace, findings: Findings, questions: Iterator[str]) -> Knee:
    del questions

    def branches(rate: float, seed: int) -> list[Visit]:
        asked = plans.branches(rate, options.warm_s + options.seconds, options.conversations, small_talk(seed), seed)
        return bare.branches(asked)

    arm = Arm("bare", options, findings, branches)
    bare.start()
    arm.more(engine_start_s=[bare.start_s])
    bare.opened(options.conversations)
    alone = bare.alone(options.alone)
    arm.more(alone=told(alone, max(1e-9, sum(visit.ended_s for visit in alone))))
    return arm.knee()


def _as_asked(found: dict[str, Any], lengths: Lengths) -> Lengths:
    """The bare engine's prompts are as long as those that the graph sent."""
    prompt = int(found["alone"]["prompt_tokens"] or lengths.shared + lengths.session + lengths.new)
    cached = min(prompt - 1, round(found["alone"]["cached_share"] * prompt))
    new = prompt - cached if cached else lengths.new
    shared = min(lengths.shared, prompt - new)
    return Lengths(shared, prompt - new - shared, new)


def _floors(tree: dict[str, Any], setup: Setup, options: argparse.Namespace) -> dict[str, Any]:
    """Of every arm, beside what its card could do at best. Empty where card or model is not known."""
    names = machine.gpus()
    card = floors.card_named(names[0]) if names else None
    if card is None:
        return {}
    weights = floors.weights_of(json.loads((Path(setup.model) / "config.json").read_text()))
    floor_ms = floors.token_floor_ms(weights, card, options.weight_bits) / setup.tensor
    found: dict[str, Any] = {"parameters": weights.multiplied + weights.tables, "token_ms": round(floor_ms, 2)}
    for name in options.arms:
        rows = [row for row in tree[name]["rates"] if not row["failed"]]
        # Every prompt's last token is computed, cached or not; what a prompt lacks of its cache is counted with the answer.
        each = [
            row["per_s"] * (row["tokens"] + row["prompt_tokens"] * (1 - row["cached_share"])) / setup.replicas for row in rows
        ]
        found[name] = {
            "alone_share_of_weight_read": round(floor_ms / tree[name]["alone"]["token_ms"]["p50"], 3),
            "share_of_compute": {
                f"{row['rate']:g}": round(floors.compute_share(weights, card, options.weight_bits, per_s), 3)
                for row, per_s in zip(rows, each, strict=True)
            },
            "share_of_weight_read": {f"{row['rate']:g}": round(floor_ms / row["token_ms"]["p50"], 3) for row in rows},
        }
    return found


def compared(tree: dict[str, Any], knees: dict[str, Knee]) -> dict[str, Any]:
    """The graph beside the bare engine: knees by ratio, times by difference at each rate that both were asked at."""
    bare = {row["rate"]: row["ttft_ms"] for row in tree["bare"]["rates"]}
    both = [(row["rate"], row["ttft_ms"], bare[row["rate"]]) for row in tree["graph"]["rates"] if row["rate"] in bare]
    return {
        "knee_ratio": _ratio(knees["graph"].crossing, knees["bare"].crossing),
        "knee_ratio_of_rates": _ratio(knees["graph"].met, knees["bare"].met),
        "ttft_p50_added_ms": {
            "alone": _added(tree["graph"]["alone"]["ttft_ms"], tree["bare"]["alone"]["ttft_ms"]),
            **{f"{rate:g}": _added(ours, theirs) for rate, ours, theirs in both},
        },
    }


def _ratio(ours: float, theirs: float) -> float | None:
    return round(ours / theirs, 3) if theirs else None


def _added(ours: Spread, theirs: Spread) -> float | None:
    return None if ours["p50"] is None or theirs["p50"] is None else round(ours["p50"] - theirs["p50"], 1)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=(__doc__ or "").partition("\n\n")[0])
    add = parser.add_argument
    add("--model", required=True, help="a folder with config.json and tokenizer.json, and weights unless they are dummies")
    add("--engine", action="append", default=[], metavar="NAME=VALUE", help="to vLLM's AsyncEngineArgs; repeat it")
    add("--arms", type=lambda text: text.split(","), default=["graph", "bare"], help="in this order (default: graph,bare)")
    add("--rates", type=_numbers, default=[20.0, 30.0, 35.0, 40.0], help="questions a second, ascending (default: 20,30,35,40)")
    add("--halvings", type=int, default=2, help="of the last step (default %(default)s)")
    add("--seconds", type=float, default=25.0, help="measured at each rate (default %(default)s)")
    add("--warm-s", type=float, default=WARM_UP_S, help="not measured, before it (default %(default)s)")
    add("--objective-ms", type=float, default=300.0, help="TTFT p99 of a knee (default %(default)s)")
    add("--alone", type=int, default=8, help="questions one at a time, before the rates (default %(default)s)")
    add("--conversations", type=int, default=64, help="that are asked at random (default %(default)s)")
    add("--openings", type=int, default=2, help="turns that each has had (default %(default)s)")
    add("--shared-tokens", type=int, default=512, help="that all prompts begin with (default %(default)s)")
    add("--session-tokens", type=int, default=300, help="of a conversation, of the bare arm alone (default %(default)s)")
    add("--new-tokens", type=int, default=40, help="of a question, of the bare arm alone (default %(default)s)")
    add("--answer-tokens", type=int, default=128, help="(default %(default)s)")
    add("--later-turns", action="store_true", help="whole conversations with time to think; the graph alone")
    add("--think-scale", type=float, default=0.25, help="of the median of 20 s, with --later-turns (default %(default)s)")
    add("--replicas", type=int, default=1, help="of the model (default %(default)s)")
    add("--gpus", type=float, default=0.0, help="of each replica's worker (default %(default)s)")
    add("--ingresses", type=int, default=1, help="ingress processes (default %(default)s)")
    add("--tensor", type=int, default=1, help="tensor_parallel_size")
    add("--pipeline", type=int, default=1, help="pipeline_parallel_size")
    add("--router", choices=tuple(ROUTERS), default="affinity", help="of the model's replicas (default %(default)s)")
    add("--flush-ms", type=int, help="tokens after the first are gathered for so long (default: the product's)")
    add("--paced", action="store_true", help="no model: an engine that gives tokens at one H100's pace; the graph alone")
    add("--weight-bits", type=int, choices=(8, 16), default=8, help="of the weights in the floors (default %(default)s)")
    add("--load-cores", type=int, default=2, help="the last ones, for the load alone (default %(default)s)")
    add("--sweep", type=Path, help="scenarios as YAML: a name and its engine's settings each; one after the other")
    add("--only", type=lambda text: text.split(","), help="of the sweep's scenarios, by name")
    add("--out", type=Path, help="the findings so far, after every stretch")
    options = parser.parse_args(arguments)
    if options.later_turns or options.paced:
        options.arms = ["graph"]
    if unknown := set(options.arms) - {"graph", "bare"}:
        parser.error(f"--arms: there are graph and bare, no {', '.join(sorted(unknown))}")
    return options


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]


def setup_of(options: argparse.Namespace) -> Setup:
    return Setup(
        model=options.model,
        engine={name: yaml.safe_load(value) for name, _, value in (one.partition("=") for one in options.engine)},
        answer_tokens=options.answer_tokens,
        tensor=options.tensor,
        pipeline=options.pipeline,
        replicas=options.replicas,
        ingresses=options.ingresses,
        gpus=options.gpus,
        router=options.router,
        paced=options.paced,
        flush_ms=options.flush_ms,
    )


def main() -> None:
    options = parsed(sys.argv[1:])
    findings, setup = Findings(options.out), setup_of(options)
    if options.sweep is None:
        run(options, setup, findings)
    else:
        scenarios = yaml.safe_load(options.sweep.read_text())
        for scenario in scenarios:
            if options.only and scenario["name"] not in options.only:
                continue
            say(f"scenario {scenario['name']}: {scenario['engine']}; foreseen: {scenario['foreseen']}")
            inner = Findings(None)
            findings.keep(scenario["name"], inner.tree)
            inner.write = findings.write
            try:
                run(options, setup.with_engine(scenario["engine"]), inner)
            except Exception as error:  # noqa: BLE001 one that does not start must not end the others
                inner.tree["failed"] = f"{type(error).__name__}: {error}"[-2000:]
                findings.write()
    print(json.dumps(findings.tree))


if __name__ == "__main__":
    main()
