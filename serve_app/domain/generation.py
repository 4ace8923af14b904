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


@dataclass(slots=True)
class Generate:
    """One generation. Mutable in one field: the router writes the ring's order, and the replica names its decision from it."""

    request_id: str
    prompt_token_ids: list[int]
    sampling: Sampling
    session_key: str | None  # None: goes to the least loaded
    cache_salt: str  # the tenant: no tenant can time another's prompts
    timeout_s: float
    trace: dict[str, str] = field(default_factory=dict[str, str])  # W3C trace context
    ranked_replicas: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Started:
    replica_id: str
    route: str  # home, spilled or least-loaded


@dataclass(frozen=True, slots=True)
class Tokens:
    token_ids: list[int]
    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """`reason`: stop, length, abort."""

    reason: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int


Piece = Started | Tokens | Finished
