"""A process that the tests kill: `session_worker.py URL hold|answer SESSION`.

hold: begins a turn, says "holds", and keeps it. answer: answers turn after turn, and says "NUMBER:TEXT" after each.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from itertools import count

from serve_app.adapters.redis_client import connect
from serve_app.adapters.redis_sessions import RedisSessions
from serve_app.config import RedisSettings
from serve_app.domain.messages import Kind
from serve_app.domain.question import Focus
from serve_app.domain.session import AnswerRecord, QuestionRecord


async def work(url: str, what: str, session_id: str) -> None:
    sessions = RedisSessions(connect(RedisSettings(url=url)), ttl_s=3600, turn_wait_s=5, lease_s=0.3)
    now = datetime.now(UTC)
    for n in count(1):
        message_id = f"m{n}"
        question = QuestionRecord("demo", session_id, message_id, "a", "C1001", message_id, now, new_session=n == 1)
        begun = await sessions.begin(question)
        if what == "hold":
            say("holds")
            await asyncio.Event().wait()
        answer = AnswerRecord("a", f"answer-{n}", "en", Kind.PUBLIC, "faq", "stop", now)
        await sessions.finish("demo", session_id, begun.number, answer, Focus())
        say(f"{begun.number}:{answer.text}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:4]))
