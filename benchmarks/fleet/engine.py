"""One replica: vLLM's continuous batching on one GPU, advanced from event to event.

A step gives every running stream one token and works on waiting prompts, first come first served, up to a budget of tokens.
Steps with a prompt in them are events of their own; between them nothing changes, so that stretch is one event.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import count

from benchmarks.fleet.kv import KvCache
from benchmarks.fleet.requests import Chunk, Request

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class EngineFigures:
    """Qwen3-32B FP8 on one H100; `benchmarks.fleet.calibration` compares them with what was measured."""

    step_s: float = 0.0143  # reading the weights once
    stream_s: float = 0.000005  # a step's more for each stream: sampling, bookkeeping
    # A step reads the keys and values of every stream's context: 256 KiB a token (bf16) at 3.35 TB/s.
    context_token_s: float = 256 * 1024 / 3.35e12
    prefill_tokens_per_s: float = 13_000
    overhead_s: float = 0.005  # from the request's arrival to the scheduler, and from the step's end to its first token
    step_tokens: int = 8192  # max_num_batched_tokens
    most_streams: int = 256  # max_num_seqs
    kv_tokens: int = 145_000
    host_tokens: int = 0
    host_token_s: float = 256 * 1024 / 25e9  # PCIe 5 x16 at 25 GB/s


BF16 = EngineFigures()
# Twice as many tokens fit, and no step is shorter for it. Measured is the sum, at 900 tokens; that the context's part is as in
# bf16 and the rest the stream's is a choice.
FP8 = replace(BF16, stream_s=0.000035, kv_tokens=318_000, host_token_s=BF16.host_token_s / 2)
FP8_HOST = replace(FP8, host_tokens=64 * GIB // (128 * 1024))
KV_KINDS = {"bf16": BF16, "fp8": FP8, "fp8+host": FP8_HOST}


@dataclass(slots=True, eq=False)
class Job:
    """A request at a replica."""

    request: Request
    dispatch_id: str
    replica: int = -1
    sent_s: float = 0.0
    chunks: tuple[Chunk, ...] = ()
    left_tokens: int = 0  # of the prompt, still to be computed
    cached_tokens: int = 0
    may_start: int = 0  # the number of the first step that can take it up
    first_token_s: float = math.nan
    length_told: int = 0  # of the replica's queue, when it accepted this


@dataclass(slots=True, eq=False)
class Happened:
    """What one event brought about."""

    begun: list[Job] = field(default_factory=list)
    ended: list[Job] = field(default_factory=list)


class ReplicaModel:
    """`wake_s` is when `wake` must be called next; infinity: only an arrival or a load's end changes anything."""

    def __init__(self, figures: EngineFigures) -> None:
        self.figures = figures
        self.cache = KvCache(figures.kv_tokens, figures.host_tokens)
        self.wake_s = math.inf
        self.loads: list[tuple[float, Job]] = []  # new ones from the host's memory, with their end; the caller empties this
        self._loading = 0
        self._waiting: deque[Job] = deque()
        self._prefilling: list[Job] = []
        self._streams: list[tuple[int, int, Job]] = []  # by the step in which they end
        self._context_tokens = 0.0
        self._step = 0  # steps done at `_since`
        self._since = 0.0
        self._length_s = math.inf  # of each step since
        self._plan: list[tuple[Job, int]] = []
        self._link_free_s = 0.0
        self._numbers = count()

    @property
    def step_s(self) -> float:
        """Of the step that runs; 0: none does."""
        return self._length_s if self._length_s < math.inf else 0.0

    def arrive(self, now: float, job: Job) -> None:
        job.may_start = self._next_open_step(now)
        self._waiting.append(job)
        self._rouse(now, job.may_start)

    def loaded(self, now: float, job: Job) -> None:
        self._loading -= 1
        job.may_start = self._next_open_step(now)
        self._prefilling.append(job)
        self._rouse(now, job.may_start)

    def wake(self, now: float) -> Happened:
        """A step ends."""
        happened = Happened()
        if self._plan:
            self._step += 1
            self._computed(now, happened)
        else:
            self._step += round((now - self._since) / self._length_s)
        self._since = now
        while self._streams and self._streams[0][0] <= self._step:
            job = heapq.heappop(self._streams)[2]
            self._context_tokens -= _context(job)
            self.cache.release(job.chunks)
            happened.ended.append(job)
        self._begin(now)
        return happened

    def _next_open_step(self, now: float) -> int:
        """vLLM schedules a step ahead: while one runs, the next is full already."""
        if self._length_s == math.inf:
            return self._step
        running = 0 if self._plan else int((now - self._since) / self._length_s)
        return self._step + running + 2

    def _rouse(self, now: float, step: int) -> None:
        if self._length_s == math.inf:
            self._since = now
            self._begin(now)
        elif not self._plan:
            self.wake_s = min(self.wake_s, self._since + (step - self._step) * self._length_s)

    def _computed(self, now: float, happened: Happened) -> None:
        for job, tokens in self._plan:
            job.left_tokens -= tokens
            if not job.left_tokens:
                job.first_token_s = now + self.figures.overhead_s
                self._prefilling.remove(job)
                self._context_tokens += _context(job)
                ends = self._step + max(0, job.request.answer[1] - 1)
                heapq.heappush(self._streams, (ends, next(self._numbers), job))
                happened.begun.append(job)
        self._plan = []

    def _begin(self, now: float) -> None:
        """Takes up what may start, and decides how long nothing changes."""
        figures, streams = self.figures, len(self._streams)
        self._admit(now)
        budget = figures.step_tokens - streams
        for job in self._prefilling:
            if budget <= 0:
                break
            if job.may_start <= self._step:
                tokens = min(job.left_tokens, budget)
                self._plan.append((job, tokens))
                budget -= tokens
        length_s = figures.step_s + figures.stream_s * streams + figures.context_token_s * self._context_tokens
        if self._plan:
            tokens = figures.step_tokens - streams - budget
            self._length_s = length_s + tokens / figures.prefill_tokens_per_s
            self.wake_s = now + self._length_s
        elif streams:
            self._length_s = length_s
            ends = self._streams[0][0]
            if self._waiting and self._waiting[0].may_start > self._step:
                ends = min(ends, self._waiting[0].may_start)
            for job in self._prefilling:
                ends = min(ends, job.may_start)
            self.wake_s = now + (ends - self._step) * length_s
        elif later := [job.may_start for job in (*self._prefilling, *self._waiting) if job.may_start > self._step]:
            # Nothing runs: what was to wait for the steps between starts now.
            self._step = min(later)
            self._begin(now)
        else:
            self._length_s = self.wake_s = math.inf

    def _admit(self, now: float) -> None:
        figures = self.figures
        while (
            self._waiting
            and self._waiting[0].may_start <= self._step
            and len(self._streams) + len(self._prefilling) + self._loading < figures.most_streams
        ):
            job = self._waiting[0]
            request = job.request
            job.chunks = (*request.prompt, request.answer)
            found = self.cache.acquire(job.chunks)
            if found is None:
                return
            self._waiting.popleft()
            here, there = found
            # The last token is always computed, and blocks are of 16 tokens.
            job.left_tokens = max(16, request.prompt_tokens - here - there)
            job.cached_tokens = max(0, request.prompt_tokens - job.left_tokens)
            if there:
                self._link_free_s = max(now, self._link_free_s) + there * figures.host_token_s
                self.loads.append((self._link_free_s, job))
                self._loading += 1
            else:
                self._prefilling.append(job)


def _context(job: Job) -> float:
    """Tokens that a stream reads in a step, on average over its answer."""
    return job.request.prompt_tokens + job.request.answer[1] / 2
