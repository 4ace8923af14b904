"""One question over HTTP to its last word, and what a stretch of many came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from benchmarks.load.quantiles import Spread, quantile, spread
from benchmarks.load.streams import Streams

Turn = tuple[str, str]  # question and answer


@dataclass(frozen=True, slots=True)
class Target:
    """Who is asked, and what each prompt begins with. `model` is the name that the server knows."""

    host: str
    port: int
    key: str
    model: str
    wishes: str


@dataclass(slots=True)
class Visit:
    """Times in seconds; those after `due_s` count from it, so that a load that is sent late shows. `due_s` counts from the
    stretch's beginning."""

    due_s: float
    turn: int  # of its conversation, from 1
    late_s: float = 0.0
    first_s: float | None = None
    ended_s: float = 0.0
    status: int = 0
    why: str = ""  # where it failed
    source: str = ""
    finish: str = ""
    pieces: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    tokens: int = 0
    text: str = ""
    replica: str = ""
    route: str = ""
    steps_ms: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def is_whole(self) -> bool:
        """Answered by the model, to the last token that it may say."""
        return self.first_s is not None and self.source == "model" and self.finish == "length"


async def ask(
    streams: Streams, target: Target, session: str, turns: Sequence[Turn], question: str, due_s: float, due: float
) -> Visit:
    """`due`: the instant of `time.perf_counter` at which it is sent."""
    visit = Visit(due_s, len(turns) + 1)
    said: list[str] = []

    def heard(_: str, data: bytes, now: float) -> None:
        if data == b"[DONE]":
            return
        event = orjson.loads(data)
        if "error" in event:
            visit.why = str(event["error"])[:200]
            return
        for choice in event["choices"]:
            if text := choice["delta"].get("content"):
                visit.first_s = now - due if visit.first_s is None else visit.first_s
                visit.pieces += 1
                said.append(text)
            visit.finish = choice["finish_reason"] or visit.finish
        if usage := event.get("usage"):
            visit.prompt_tokens, visit.tokens = usage["prompt_tokens"], usage["completion_tokens"]
            visit.cached_tokens = usage["prompt_tokens_details"]["cached_tokens"]
        visit.ended_s = now - due

    headers = {
        "Authorization": f"Bearer {target.key}",
        "Content-Type": "application/json",
        "Accept": "text/event-stream",
        "X-Session-Id": session,
    }
    answered = await streams.post("/v1/chat/completions", headers, _body(target, turns, question), heard)
    visit.status, visit.text = answered.status, "".join(said)
    if answered.status != 200:
        visit.why = answered.body.decode(errors="replace")[:200] or "the connection broke"
    told = answered.headers
    visit.source, visit.replica = told.get("x-zerowait-source", ""), told.get("x-zerowait-replica", "")
    visit.route = told.get("x-zerowait-route", "")
    visit.steps_ms = _steps(told.get("server-timing", ""))
    return visit


def _body(target: Target, turns: Sequence[Turn], question: str) -> bytes:
    messages = [{"role": "system", "content": target.wishes}]
    for asked, answer in turns:
        messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
    messages.append({"role": "user", "content": question})
    options = {"stream": True, "stream_options": {"include_usage": True}}
    return orjson.dumps({"model": target.model, "messages": messages, **options})


def _steps(header: str) -> dict[str, float]:
    steps = (step.strip().split(";dur=") for step in header.split(",") if ";dur=" in step)
    return {name: float(value) for name, value in steps}


# What many came to


def ttft_ms(visits: Iterable[Visit]) -> Spread:
    return spread(visit.first_s * 1000 for visit in visits if visit.first_s is not None)


def told(visits: Sequence[Visit], seconds: float) -> dict[str, object]:
    """Of a stretch of so many seconds: every visit that was due in it counts, the failed ones apart."""
    whole = [visit for visit in visits if visit.is_whole]
    first, later = [v for v in whole if v.turn == 1], [v for v in whole if v.turn > 1]
    found: dict[str, object] = {
        "per_s": round(len(visits) / seconds, 2),
        "ttft_ms": ttft_ms(whole),
        **({"ttft_first_ms": ttft_ms(first), "ttft_later_ms": ttft_ms(later)} if first and later else {}),
        "whole_ms": spread(v.ended_s * 1000 for v in whole),
        "token_ms": spread(((v.ended_s - (v.first_s or 0.0)) * 1000 / max(1, v.tokens - 1) for v in whole), 2),
        "failed": len(visits) - len(whole),
        "prompt_tokens": quantile([v.prompt_tokens for v in whole], 0.5) if whole else 0,
        "cached_share": round(sum(v.cached_tokens for v in whole) / max(1, sum(v.prompt_tokens for v in whole)), 3),
        "tokens": quantile([v.tokens for v in whole], 0.5) if whole else 0,
        "pieces": quantile([v.pieces for v in whole], 0.5) if whole else 0,
        "sent_late_ms": round(max((v.late_s for v in visits), default=0.0) * 1000, 1),
    }
    if reasons := sorted({f"{v.status} {v.source} {v.finish} {v.why}"[:120] for v in visits if not v.is_whole}):
        found["reasons"] = reasons[:3]
    names = sorted({name for visit in whole for name in visit.steps_ms})
    if names:
        found["steps_p50_ms"] = {name: round(quantile([v.steps_ms.get(name, 0.0) for v in whole], 0.5), 2) for name in names}
    for name in ("replica", "route"):
        values = [str(getattr(visit, name)) for visit in whole]
        if any(values):
            found[f"by_{name}"] = {value[-8:]: values.count(value) for value in sorted(set(values))}
    return found


def judged_ms(visits: Sequence[Visit]) -> float:
    """What a knee is judged by: TTFT p99 of later turns where there are some, else of all. A visit that failed never came."""
    later = [visit for visit in visits if visit.turn > 1] or visits
    return quantile([(v.first_s if v.is_whole and v.first_s is not None else float("inf")) * 1000 for v in later], 0.99)
