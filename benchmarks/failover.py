"""Do replicas that die or hang under load cost a customer an answer, a changed word, or only a pause?

Runs the model's replicas on a Ray of its own: vLLM with the packaged model, behind the real router and failover. Streams run on
all of them when one is struck (`SIGKILL` or `SIGSTOP`, of the replica or of its engine's process), and further questions come
at once. Every answer is compared, token by token, with the one that was given before in peace. Frozen processes are thawed,
killed replicas replaced by Serve, before the next round.

The last line is one JSON object. All else goes to stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

from benchmarks.model_replicas import FAULTS, ROOT, Fault, processes_of, running
from serve_app.answering.failover import Event, Failover
from serve_app.config import FailoverSettings
from serve_app.domain.errors import InternalError, ZeroWaitError
from serve_app.domain.generation import Beat, Finished, Generate, Piece, Sampling, Started, Tokens
from serve_app.fleet import Fleet
from serve_app.packaged_model import prepare
from serve_app.ports import Replicas

PROMPT_TOKENS = 24
# Every stream has given so many tokens when a replica is struck.
BEGUN_TOKENS = 8
PATIENCE_S = 300.0
# Serve starts a replica in place of one that was killed.
REPLACED_S = 900.0


class Recorded:
    """The port `Replicas`, with a list of the attempts."""

    def __init__(self, replicas: Replicas) -> None:
        self.fleet: Fleet = replicas.fleet
        self.attempts: list[str] = []
        self._replicas = replicas

    def generate(
        self, request: Generate, avoid: frozenset[str] = frozenset(), only: str | None = None
    ) -> AsyncGenerator[Piece | Beat, None]:
        self.attempts.append(request.request_id)
        return self._replicas.generate(request, avoid, only)


@dataclass
class Answer:
    """What a caller was given."""

    name: str
    prompt: int
    replica_id: str | None = None
    token_ids: list[int] = field(default_factory=list[int])
    finished: Finished | None = None
    error: str | None = None
    pause_s: float = 0.0  # the longest between two pieces
    moves: int = 0

    @property
    def is_whole(self) -> bool:
        return self.finished is not None and self.finished.reason == "length"


@dataclass(frozen=True)
class Struck:
    """One round."""

    fault: Fault
    replica_id: str
    answers: Sequence[Answer]


class Scene:
    """Streams over the replicas, and faults. `tokens`: of each answer."""

    def __init__(self, replicas: Replicas, settings: FailoverSettings, tokens: int) -> None:
        self.events = Counter[Event]()
        self.fleet = replicas.fleet
        self._recorded = Recorded(replicas)
        self._tokens = tokens
        self._numbers = iter(range(1_000_000))
        self._failover = Failover(self._recorded, settings, time.monotonic, lambda event: self.events.update([event]))

    async def aclose(self) -> None:
        await self._failover.aclose()

    async def in_peace(self, prompts: int) -> Mapping[int, Sequence[int]]:
        """The answers to compare with, by prompt. Raises RuntimeError when one is not whole."""
        answers = await asyncio.gather(*(self._ask(prompt, Answer("", prompt)) for prompt in range(prompts)))
        if broken := [answer.error for answer in answers if not answer.is_whole]:
            raise RuntimeError(f"not answered in peace: {broken}")
        return {answer.prompt: answer.token_ids for answer in answers}

    async def strike(self, fault: Fault, streams: int, late: int) -> Struck:
        """Strikes the replica with most streams, with `late` questions coming after. Ends with all answers' ends; what was
        frozen is thawed, and answers its probe."""
        running = [Answer("", prompt) for prompt in range(streams)]
        tasks = [asyncio.create_task(self._ask(answer.prompt, answer)) for answer in running]
        await until(lambda: all(len(answer.token_ids) >= BEGUN_TOKENS for answer in running))
        [(victim, _)] = Counter(answer.replica_id for answer in running if answer.replica_id is not None).most_common(1)
        processes = await processes_of(victim)
        try:
            processes.strike(fault)
            tasks += [asyncio.create_task(self._ask(prompt, Answer("", prompt))) for prompt in range(late)]
            answers = await asyncio.gather(*tasks)
        finally:
            processes.thaw()
        return Struck(fault, victim, answers)

    async def until_replicas(self, count: int) -> None:
        """Until so many may be asked."""
        await until(lambda: len(self.fleet.admitted()) >= count, REPLACED_S)

    async def _ask(self, prompt: int, answer: Answer) -> Answer:
        name = answer.name = f"stream-{next(self._numbers)}"
        ids = random.Random(prompt).choices(range(1000, 40_000), k=PROMPT_TOKENS)
        sampling = Sampling(max_tokens=self._tokens, ignore_eos=True)
        request = Generate(name, ids, sampling, f"session-{prompt}", "benchmark", timeout_s=PATIENCE_S)
        last = time.monotonic()
        try:
            async with aclosing(self._failover.generate(request)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Started):
                        answer.replica_id = piece.replica_id
                        continue
                    now = time.monotonic()
                    answer.pause_s, last = max(answer.pause_s, now - last), now
                    if isinstance(piece, Tokens):
                        answer.token_ids += piece.token_ids
                    else:
                        answer.finished = piece
        except (InternalError, ZeroWaitError) as error:
            answer.error = f"{type(error).__name__}: {error}"
        answer.moves = sum(attempt.rpartition(".")[0] == name for attempt in self._recorded.attempts) - 1
        return answer


async def until(condition: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
    async with asyncio.timeout(within_s):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)


def changed(answer: Answer, expected: Sequence[int]) -> bool:
    """Whether a word of it is another than in peace, as far as it goes."""
    return answer.token_ids != list(expected[: len(answer.token_ids)])


async def measure(replicas: Replicas, arguments: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    scene = Scene(replicas, FailoverSettings(silence_s=arguments.silence_s), arguments.tokens)
    rounds: list[Struck] = []
    try:
        expected = await scene.in_peace(arguments.streams)
        for number in range(arguments.rounds * len(arguments.faults)):
            await scene.until_replicas(arguments.replicas)
            struck = await scene.strike(arguments.faults[number % len(arguments.faults)], arguments.streams, arguments.late)
            rounds.append(struck)
            pauses = [round(1000 * answer.pause_s) for answer in struck.answers if answer.moves]
            say(f"{struck.fault} of {struck.replica_id}: {len(pauses)} moved, paused {sorted(pauses)} ms")
            for answer in struck.answers:
                if answer.error or not answer.is_whole or changed(answer, expected[answer.prompt]):
                    say(f"  {answer.name}: {answer.error}, {len(answer.token_ids)} tokens, {answer.finished}")
    finally:
        await scene.aclose()
    answers = [answer for struck in rounds for answer in struck.answers]
    pauses_ms = sorted(1000 * answer.pause_s for answer in answers if answer.moves)
    cuts = quantiles(pauses_ms, n=100, method="inclusive") if len(pauses_ms) > 1 else pauses_ms * 99
    return {
        "benchmark": "failover",
        "lost_answers": sum(not answer.is_whole for answer in answers),
        "changed_text": sum(changed(answer, expected[answer.prompt]) for answer in answers),
        "pause_p99_ms": round(cuts[98]) if cuts else None,
        "pause_p50_ms": round(cuts[49]) if cuts else None,
        "answers": len(answers),
        "moved": len(pauses_ms),
        "moved_twice": sum(answer.moves > 1 for answer in answers),
        "faults": dict(Counter(struck.fault for struck in rounds)),
        "pause_p50_ms_by_fault": _by_fault(rounds),
        "events": dict(scene.events),
        "silence_s": arguments.silence_s,
        "replicas": arguments.replicas,
        "streams": arguments.streams,
        "late": arguments.late,
        "tokens": arguments.tokens,
    }


def _by_fault(rounds: Sequence[Struck]) -> dict[str, int]:
    found: dict[str, int] = {}
    for fault in dict.fromkeys(struck.fault for struck in rounds):
        pauses = sorted(a.pause_s for struck in rounds if struck.fault == fault for a in struck.answers if a.moves)
        if pauses:
            found[fault] = round(1000 * pauses[len(pauses) // 2])
    return found


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="of each fault (default: 5)")
    parser.add_argument("--faults", nargs="+", choices=FAULTS, default=FAULTS, help="one after the other (default: all)")
    parser.add_argument("--replicas", type=int, default=3, help="(default: 3)")
    parser.add_argument("--streams", type=int, default=8, help="that run when a replica is struck (default: 8)")
    parser.add_argument("--late", type=int, default=4, help="questions that come right after (default: 4)")
    parser.add_argument("--tokens", type=int, default=64, help="of an answer (default: 64)")
    parser.add_argument("--silence-s", type=float, default=2.0, help="failover.silence_s (default: 2.0)")
    arguments = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    with running(prepare(ROOT / ".cache", say), arguments.replicas, say) as replicas:
        print(json.dumps(asyncio.run(measure(replicas, arguments, say))))


if __name__ == "__main__":
    main()
