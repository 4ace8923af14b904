"""How soon is an answer gone, everywhere, when the entry that it used is published anew, and is anything else lost by it?

Two ingress processes' views in this one process: each with its own heartbeat, index of what is published and memory of shared
answers, over one record (SQLite) with thousands of entries. Again and again one entry is published with new words. From its
commit on, both are asked for an answer that used it, for one that did not, and for the new words.

The last line is one JSON object; times are milliseconds from the commit. `hidden_ms`: when either of
the two said the old answer for the last time; `shown_ms`: when both had the new words.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from serve_app.adapters.memory_answers import MemoryAnswers
from serve_app.adapters.memory_tier_counts import MemoryTierCounts
from serve_app.adapters.record import connect, create_tables
from serve_app.adapters.redis_answers import TieredAnswers
from serve_app.adapters.sql_aside import SqlSetAsides
from serve_app.adapters.sql_knowledge import Expected, SqlKnowledge
from serve_app.adapters.system import SystemClock
from serve_app.answering.shared_tier import SharedTier
from serve_app.answering.voices import Stamp
from serve_app.domain.generation import Sampling
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Lookup, SourceVersion
from serve_app.domain.messages import Kind
from serve_app.domain.normalise import canonical_form
from serve_app.domain.publication import Publication, filled
from serve_app.domain.sharing import SharedAnswer
from serve_app.published import Published
from serve_app.versions import Versions

TENANT = "shop"
HEARTBEAT_S = 0.5
LOOK_S = 0.002
STAMP = Stamp("2", "digest", "model", Sampling())
CLOCK = SystemClock()


def entry(number: int, said: str) -> Entry:
    zh = tuple(f"第{number}号商品{asked}" for asked in ("怎么退货", "能换吗", "有保修吗"))
    en = tuple(f"can item {number} be {asked}" for asked in ("returned", "exchanged", "repaired"))
    answer = f"{said} 签收后7天内可以退货，商品和包装要完好，运费由买家承担。Within 7 days of delivery, unused and in its box."
    return Entry(f"item-{number}", 0, Intent.OTHER, {"zh": zh, "en": en}, {"zh": answer, "en": answer})


class Ingress:
    """What of an ingress process says shared answers."""

    def __init__(self, knowledge: SqlKnowledge, asides: SqlSetAsides, common: MemoryAnswers) -> None:
        self.published = Published(knowledge)
        self.versions = Versions(knowledge, asides, [TENANT], CLOCK, HEARTBEAT_S, self.published.renew)
        self.shared = SharedTier(
            TieredAnswers(MemoryAnswers(), common),
            view=self.versions.view,
            shops={TENANT: TENANT},
            stamp=lambda _: STAMP,
            clock=CLOCK,
            ttl_s=3600,
            serve_stale_s=1.0,
            counts=MemoryTierCounts(),
        )

    async def keep(self, number: int) -> None:
        view = self.versions.view(TENANT)
        assert view is not None
        source = SourceVersion(f"item-{number}", view.versions[f"item-{number}"])
        self.shared.keep(self.key(number), SharedAnswer("words", "zh", "model", CLOCK.now(), "model", sources=(source,)))
        await self.shared.settled()

    def key(self, number: int) -> str:
        return self.shared.key_of(TENANT, "zh", f"a question about {number}")

    async def says(self, number: int) -> bool:
        return await self.shared.anywhere(TENANT, self.key(number)) is not None

    def answers(self, number: int, said: str) -> bool:
        """Whether the published index has these words."""
        text = f"第{number}号商品怎么退货"
        lookup = Lookup(TENANT, canonical_form(text), text, Intent.OTHER, Kind.PUBLIC, "zh", CLOCK.now())
        found, view = self.published.exact(lookup), self.versions.view(TENANT)
        if found is None or found.entry is None or view is None or not view.is_current(found.entry.source):
            return False
        return found.entry.answers["zh"].startswith(f"{said} ")


async def measure(entries: int, publications: int) -> dict[str, object]:
    with TemporaryDirectory(prefix="zerowait-validity-") as folder:
        engine = connect(f"sqlite+aiosqlite:///{Path(folder) / 'record.db'}")
        await create_tables(engine)
        # The publisher is a process of its own: another object, which has read nothing.
        knowledge, asides, common = SqlKnowledge(engine), SqlSetAsides(engine), MemoryAnswers()
        items = [entry(number, "v0") for number in range(entries)]
        say(f"publishing {entries:,} entries")
        await knowledge.publish(TENANT, items, (), (), CLOCK.now())
        began = time.perf_counter()
        both = [Ingress(SqlKnowledge(engine), asides, common) for _ in range(2)]
        for ingress in both:
            await ingress.versions.refresh()
        start_s = (time.perf_counter() - began) / len(both)
        say(f"a process is ready after {start_s:.1f} s")
        beats = [asyncio.create_task(ingress.versions.run()) for ingress in both]
        hidden: list[float] = []
        shown: list[float] = []
        lost = looks = 0
        served = filled(Publication(tuple(items)))
        for turn in range(1, publications + 1):
            for ingress in both:
                await ingress.keep(1)
                await ingress.keep(2)
            said = f"v{turn}"
            items[1] = entry(1, said)
            written = Publication(tuple(items))
            # What else there is of publishing is done before: the clock starts at the commit.
            served = Publication((*served.entries[:1], items[1], *served.entries[2:]))
            latest = await knowledge.latest(TENANT)
            await knowledge.publish_checked(TENANT, written, served, CLOCK.now(), by="", note="", expected=Expected(latest))
            at = time.perf_counter()
            is_hidden, last_said = False, at
            while True:
                looks += len(both)
                lost += sum([not await ingress.says(2) for ingress in both])
                if any([await ingress.says(1) for ingress in both]):
                    last_said = time.perf_counter()
                elif not is_hidden:
                    is_hidden = True
                    hidden.append((last_said - at) * 1000)
                if is_hidden and all(ingress.answers(1, said) for ingress in both):
                    shown.append((time.perf_counter() - at) * 1000)
                    break
                await asyncio.sleep(LOOK_S)
            say(f"publication {turn}: hidden after {hidden[-1]:.0f} ms, shown after {shown[-1]:.0f} ms")
        began = time.perf_counter()
        for _ in range(20):
            await both[0].versions.refresh()
        beat_ms = (time.perf_counter() - began) / 20 * 1000
        for beat in beats:
            beat.cancel()
            with suppress(asyncio.CancelledError):
                await beat
        await engine.dispose()
    return {
        "entries": entries,
        "publications": publications,
        "start_s": round(start_s, 2),
        "idle_heartbeat_ms": round(beat_ms, 2),
        "hidden_ms_p50": round(median(hidden), 1),
        "hidden_ms_max": round(max(hidden), 1),
        "shown_ms_p50": round(median(shown), 1),
        "shown_ms_max": round(max(shown), 1),
        "others_missed": lost,
        "others_asked": looks,
        "load": round(os.getloadavg()[0], 1),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cache_validity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=10_000, help="in the record (default %(default)s)")
    parser.add_argument("--publications", type=int, default=20, help="of one entry each (default %(default)s)")
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options.entries, options.publications))))


if __name__ == "__main__":
    main()
