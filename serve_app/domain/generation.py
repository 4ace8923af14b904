"""What goes to a model's replica and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sampling:
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 256
    seed: int | None = None
    stop: tuple[str, ...] = ()
    ignore_eos: bool = False  # measuring only: fixes the length of an answer


@dataclass(frozen=True, slots=True)
class Generate:
    """One attempt at one generation."""

    request_id: str  # the dispatch id: every attempt has its own
    prompt_token_ids: list[int]
    sampling: Sampling
    session_key: str | None  # decides the home on the ring; None: goes to the least loaded
    cache_salt: str  # the tenant: no tenant can time another's prompts
    timeout_s: float
    uncached_tokens: int | None = None  # of the prompt, where the key is at home; None: all
    sent_token_ids: tuple[int, ...] = ()  # of an answer that goes on after another replica was left: not given again
    join_key: str | None = None  # a public question: equal ones share one generation at their home
    origin: str = ""  # the process that asks
    asked: int = 0  # questions that this process was asked since its last generation, this one included
    trace: dict[str, str] = field(default_factory=dict[str, str])  # W3C trace context

    @property
    def waiting_tokens(self) -> int:
        """What has to be computed before the first token, as far as the caller can tell."""
        known = len(self.prompt_token_ids) if self.uncached_tokens is None else self.uncached_tokens
        return known + len(self.sent_token_ids)

    @property
    def cached_tokens(self) -> int:
        """Of the prompt, where the key is at home, as far as the caller can tell."""
        return 0 if self.uncached_tokens is None else max(0, len(self.prompt_token_ids) - self.uncached_tokens)


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a replica carries for others than the process that is told. Of two reports of a replica the larger `seq` holds."""

    replica_id: str
    seq: int
    streams: int
    waiting_tokens: int  # uncached, of prompts without a first token


@dataclass(frozen=True, slots=True)
class Started:
    """A replica has taken the request. `route` is the router's word for why it was this one."""

    replica_id: str
    route: str  # home, spilled, least-loaded or joined
    load: LoadReport | None = None


@dataclass(frozen=True, slots=True)
class Beat:
    """Nothing to tell, but the engine moves: what lets a caller tell a queue from a hang."""

    load: LoadReport | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """The next of an answer. Their text is made where the answer is told, so that nothing of it is lost with a replica."""

    token_ids: tuple[int, ...]
    load: LoadReport | None = None  # where there is news


@dataclass(frozen=True, slots=True)
class Finished:
    """`reason`: stop, length, abort."""

    reason: str
    prompt_tokens: int
    cached_tokens: int  # of the prompt's
    completion_tokens: int  # with those that another replica had sent
    load: LoadReport | None = None


Piece = Started | Tokens | Finished
