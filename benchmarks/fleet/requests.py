"""What arrives at a fleet: requests made of prefix chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Chunk = tuple[int, int]  # an id that stands for all text up to the chunk's end, and its own tokens


@dataclass(slots=True, eq=False)
class Request:
    arrives_s: float
    session: str
    first_message: str  # of the conversation: what some routers take for its key
    prompt: tuple[Chunk, ...]
    answer: Chunk
    new_tokens: int  # of the prompt, where the session is at home
    process: int  # of the ingress, that asks
    prompt_tokens: int = field(init=False)

    def __post_init__(self) -> None:
        self.prompt_tokens = sum(tokens for _, tokens in self.prompt)


@dataclass(frozen=True, slots=True)
class Trace:
    """`history` only fills the caches, `warm_up_s` is simulated and not counted. Times start with the warm-up."""

    history: Sequence[Request]
    requests: Sequence[Request]
    warm_up_s: float
    objective_s: float = 0.5  # of the 99th percentile of the times to the first token
