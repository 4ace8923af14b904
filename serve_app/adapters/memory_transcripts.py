"""The known turns of clients' transcripts in this process's memory: a fake for tests. It forgets nothing by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from serve_app.adapters.redis_transcripts import named_so, turn_json, turn_of
from serve_app.domain.transcripts import KnownTurn
from serve_app.ports import SharedAnswers


class MemoryTranscripts:
    """The port `Transcripts`. `shared`: where the shared answers stand that `find` reads along."""

    def __init__(self, shared: SharedAnswers | None = None) -> None:
        self._turns: dict[str, bytes] = {}
        self._answers: dict[tuple[str, str], str] = {}
        self._shared = shared

    async def find(self, digests: Sequence[str], answer_key: str | None = None) -> tuple[Mapping[str, KnownTurn], bytes | None]:
        """See the port."""
        turns = {digest: turn for digest in digests if (turn := turn_of(self._turns.get(digest)))}
        return turns, await self._shared.get(answer_key) if self._shared and answer_key else None

    async def keep(self, digest: str, turn: KnownTurn) -> None:
        """See the port."""
        self._turns[digest] = turn_json(turn)
        if turn.turn.answer is not None:
            self._answers[turn.turn.question.tenant, turn.turn.answer.answer_id] = digest

    async def of_answer(self, tenant: str, answer_id: str) -> KnownTurn | None:
        """See the port."""
        return named_so(turn_of(self._turns.get(self._answers.get((tenant, answer_id), ""))), answer_id)
