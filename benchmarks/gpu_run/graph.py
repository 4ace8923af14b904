"""The whole graph: Ray, HAProxy, Valkey and every room, as `zerowait run` starts them, asked over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.gpu_run import watching
from benchmarks.gpu_run.loading import Loading, loading
from benchmarks.gpu_run.plans import Asked, Conversation, Session
from benchmarks.gpu_run.setup import Setup
from benchmarks.gpu_run.texts import wishes
from benchmarks.gpu_run.visits import Target, Visit
from benchmarks.hits.cost import cpu_s, family, pin
from benchmarks.local_run import LocalRun, running
from serve_app.adapters.tokenizer import HfTokenizer

Say = Callable[[str], None]


class Graph:
    """`stretches` are what each stretch of load cost the server, in their order."""

    def __init__(self, run: LocalRun, load: Loading, cores: frozenset[int]) -> None:
        self._run = run
        self._load = load
        self._cores = cores
        self._conversations: list[Conversation] = []
        self.stretches: list[dict[str, Any]] = []

    @property
    def start_s(self) -> list[float]:
        """Of each replica's engine, with its warming."""
        return [lines[0]["start_s"] for lines in watching.lines_of(self._run.home).values() if lines]

    def opened(self, openings: Sequence[Sequence[str]], seed: int) -> None:
        self._conversations = self._load.opened([f"c{seed}-{number}" for number in range(len(openings))], openings)
        # Replicas and processes that were started on demand are there now.
        pin(family(self._run.pid), *self._cores)

    def alone(self, questions: Sequence[str]) -> list[Visit]:
        asked = [self._conversations[number % len(self._conversations)] for number in range(len(questions))]
        return self._load.alone(asked, questions)

    def branches(self, asked: Sequence[Asked]) -> list[Visit]:
        return self._measured(lambda: self._load.branches(self._conversations, asked))

    def sessions(self, sessions: Sequence[Session], until_s: float) -> list[Visit]:
        return self._measured(lambda: self._load.sessions(sessions, until_s))

    def _measured(self, load: Callable[[], list[Visit]]) -> list[Visit]:
        pids = family(self._run.pid)
        before, began = cpu_s(pids), time.time()
        visits = load()
        after, ended = cpu_s(pids), time.time()
        answers = max(1, sum(visit.is_whole for visit in visits))
        spent = {name: seconds - before.get(name, 0.0) for name, seconds in after.items()}
        self.stretches.append(
            {
                "cpu_ms_an_answer": {name: round(s / answers * 1000, 2) for name, s in sorted(spent.items()) if s > 0},
                "cores_busy": {name: round(s / (ended - began), 2) for name, s in sorted(spent.items()) if s > 0},
                "replicas": self._replicas(began, ended),
            }
        )
        return visits

    def _replicas(self, began: float, ended: float) -> list[Mapping[str, float]]:
        return [watching.between(lines, began, ended) for lines in watching.lines_of(self._run.home).values()]


@contextmanager
def graph(setup: Setup, shared_tokens: int, server: frozenset[int], client: frozenset[int], say: Say) -> Generator[Graph]:
    """Served on the cores `server`, asked from the cores `client`."""
    tokenizer = HfTokenizer.load(setup.model)
    with running(setup.tree(), say, packaged=False) as run:
        address = urlsplit(run.url)
        assert address.hostname is not None
        assert address.port is not None
        target = Target(address.hostname, address.port, run.key, Path(setup.model).name, wishes(tokenizer, shared_tokens))
        pin(family(run.pid), *server)
        with loading(target, client) as load:
            yield Graph(run, load, server)
