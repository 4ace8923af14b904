"""What the domain needs from outside. Each protocol has a real adapter in `serve_app.adapters` (or a Serve room behind a
handle), and a fake beside it that passes the same contract tests."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import numpy
from numpy.typing import NDArray

from serve_app.domain.facts import Facts
from serve_app.domain.feedback import Feedback
from serve_app.domain.generation import Beat, Finished, Generate, Piece, Tokens
from serve_app.domain.knowledge import Entry, Found, Lookup, Template
from serve_app.domain.live import Note, Talk, Told
from serve_app.domain.messages import Caller, DeskEvent
from serve_app.domain.packet import Packet
from serve_app.domain.proposals import Proposal, State, Variant
from serve_app.domain.question import Focus
from serve_app.domain.scaling import Spent
from serve_app.domain.session import AnswerRecord, Begun, QuestionRecord, Session
from serve_app.domain.tickets import Message, Numbered, Ticket
from serve_app.domain.transcripts import KnownTurn
from serve_app.fleet import Fleet


class Clock(Protocol):
    def now(self) -> datetime:
        """The time of day, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds, for measuring."""
        ...


class Sessions(Protocol):
    """Append-only transcripts with a time to live."""

    async def begin(self, question: QuestionRecord, answer_key: str | None = None) -> Begun:
        """Records the question and waits until every earlier turn of its session has ended.

        One round trip when no turn is in progress; it also reads what stands under `answer_key`. A message that was recorded
        before adds nothing: its answer is awaited and returned. One whose answer broke off (`AnswerRecord.broke_off`) gets its
        turn again, under its number: `repeated` is None, and the new answer takes the place of the broken one.

        Messages that are one question (`QuestionRecord.merged`) share one turn, and each of them, sent again, gets its answer.
        The messages of the last turn, while it has no whole answer, may become more; its question is then the later one.

        A long session is given with its last turns only, from `domain.session.first_shown` on, under their own numbers.

        Raises NotFound (no such session), Forbidden (another customer's), TooLong (the session has as many turns as one may
        have), Conflict (some of the messages were asked before without the others: ask each by itself), StoreFailed.
        """
        ...

    async def finish(self, tenant: str, session_id: str, number: int, answer: AnswerRecord, focus: Focus) -> None:
        """Records the answer and what the conversation is about now, and lets the next turn begin, also when it raises.

        The first answer stays, unless it broke off: then the later one is the turn's.

        Raises StoreFailed, Conflict.
        """
        ...

    async def abandon(self, tenant: str, session_id: str, number: int) -> None:
        """Lets the next turn begin without an answer to this one. The same message, sent again, is answered anew."""
        ...

    async def read(self, tenant: str, session_id: str, customer_id: str | None) -> Session:
        """Raises NotFound, Forbidden, StoreFailed."""
        ...


class LiveSessions(Sessions, Protocol):
    """Sessions that stand before their first question."""

    async def enter(self, tenant: str, session_id: str, customer_id: str | None, *, new: bool = False) -> None:
        """Whether the customer may use the session; one round trip. A `new` one is made: it is kept for a while without turns.

        Raises NotFound, Forbidden, StoreFailed.
        """
        ...

    async def session_of(self, tenant: str, answer_id: str) -> str | None:
        """In which session an answer was given; None when it is unknown or forgotten. Raises StoreFailed."""
        ...


class Transcripts(Protocol):
    """Answered turns of conversations that their clients hold, under `domain.transcripts`' digests. They never change."""

    async def find(self, digests: Sequence[str], answer_key: str | None = None) -> tuple[Mapping[str, KnownTurn], bytes | None]:
        """Those that are known, and in the same round trip what stands under `answer_key`. Raises StoreFailed."""
        ...

    async def keep(self, digest: str, turn: KnownTurn) -> None:
        """Raises StoreFailed, also for a turn that is too long to be kept."""
        ...

    async def of_answer(self, tenant: str, answer_id: str) -> KnownTurn | None:
        """The turn that was answered so; None when it is unknown or forgotten. Raises StoreFailed."""
        ...


class LiveAnswers(Protocol):
    """The events of answers as they are given, kept for some minutes, and what processes that show them tell each other.

    One object is one process: it hears what the others say, never itself.
    """

    async def tell(self, talk: Talk, answer_id: str, events: Sequence[Told]) -> int:
        """Stores the next events of an answer and tells the others, in one step. To repeat it adds nothing.

        Returns how many of the answer's events are stored now. Fewer than told: those in between are missing (the store has
        lost them), nothing was done, and the owner tells from there. Raises StoreFailed.
        """
        ...

    async def told(self, talk: Talk, answer_id: str, after_seq: int) -> Sequence[Told] | None:
        """The stored events after this one, in order; None: the answer is unknown, or was too long ago. Raises StoreFailed."""
        ...

    async def under_way(self, talk: Talk) -> Mapping[str, int]:
        """The answers that are being given, and how many events of each are stored. Raises StoreFailed."""
        ...

    async def forget(self, talk: Talk, answer_id: str) -> None:
        """Raises StoreFailed."""
        ...

    async def say(self, talk: Talk, note: Note) -> None:
        """Raises StoreFailed."""
        ...

    async def listen(self, talk: Talk) -> None:
        """Hears of this conversation. In effect when it returns: whatever is told from then on is heard. Raises StoreFailed."""
        ...

    async def ignore(self, talk: Talk) -> None:
        """Hears no more of it."""
        ...

    def heard(self) -> AsyncGenerator[tuple[Talk, Sequence[Told] | Note] | None, None]:
        """What the others say, for as long as it is read; at most one reader. None: something may have been missed."""
        ...


class DeskFeed(Protocol):
    """What the desk does, as it happens, in this process."""

    def follow(self, tenant: str, session_id: str) -> AsyncGenerator[DeskEvent, None]:
        """A person's words and the changes of state from now on, each once. Ends only by closing it."""
        ...


class DeskView(DeskFeed, Protocol):
    """The open tickets as this process knows them: at most a heartbeat old, and no query to ask."""

    def has_open(self, tenant: str, session_id: str) -> bool: ...

    def waiting_before(self, ticket: Ticket) -> int:
        """How many conversations of its tenant wait in front of it."""
        ...

    def changed_here(self, ticket: Ticket) -> None:
        """This process has changed a ticket: it is known at once, and its followers hear of it without waiting for a beat."""
        ...


class Tickets(Protocol):
    """Conversations that a person takes over, in the system of record. Histories are append-only.

    Each method is one transaction, and changes of one ticket come one after the other, so that a message is either before a
    claim or after it. Each raises StoreFailed when the record does not answer.
    """

    async def open(self, ticket: Ticket, packet: Packet) -> tuple[Ticket, bool]:
        """Opens it, or adds its reasons to the one that is open in this session. Returns the ticket, and whether it is new."""
        ...

    async def hear(self, tenant: str, session_id: str, customer_id: str | None, message: Message) -> Ticket | None:
        """Adds a customer's words to the session's open ticket, and returns the ticket as they found it; None: none is open.
        The same words under the same id (`about`) are added once."""
        ...

    async def note(self, tenant: str, session_id: str, messages: Sequence[Message]) -> None:
        """Adds what was said beside the desk (the bot's answers) to the session's open ticket, if one is open."""
        ...

    async def claim(self, tenant: str, ticket_id: str, agent: str, joined: Message) -> Ticket:
        """A person takes a waiting conversation; of two at once one gets it. Raises NotFound, Conflict."""
        ...

    async def reply(self, tenant: str, ticket_id: str, message: Message, joined: Message) -> Ticket:
        """Adds an agent's words, and claims the ticket for the message's name when it waits. The same words under the same id
        (`about`) are added once. Raises NotFound, Conflict (closed)."""
        ...

    async def close(self, tenant: str, ticket_id: str, note: str, ended: Message) -> Ticket:
        """Raises NotFound, Conflict (closed already)."""
        ...

    async def read(self, tenant: str, ticket_id: str) -> tuple[Ticket, Packet, Sequence[Message]]:
        """Raises NotFound."""
        ...

    async def list(self, tenant: str, *, closed: bool = False, limit: int = 100) -> Sequence[Ticket]:
        """The open ones, oldest first; with `closed` the last `limit` of all."""
        ...

    async def of_session(self, tenant: str, session_id: str) -> tuple[Ticket | None, Sequence[Message]]:
        """The session's last ticket, and what was said in all of its tickets, in order."""
        ...

    async def changed(self, since: datetime, open_since: datetime | None = None) -> Sequence[Ticket]:
        """Every ticket of every tenant that changed since then; with `open_since`, which is earlier, also those that changed
        since that and are open. One query."""
        ...

    async def messages(self, ticket_ids: Sequence[str]) -> Sequence[Numbered]:
        """What was said in these, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """A change of a ticket, to be told to a webhook. `id` is the same at every attempt; `attempt` counts from 1."""

    id: str
    tenant: str
    body: str  # JSON
    created_at: datetime
    attempt: int


class Outbox(Protocol):
    """Changes that wait to be told, written in the transaction that made each change. Raises StoreFailed."""

    async def take(self, tenant: str, now: datetime, lease_s: float, limit: int = 10) -> Sequence[Notice]:
        """The tenant's notices that are due, oldest first. Nobody else gets them within the lease."""
        ...

    async def delivered(self, notice_id: str) -> None: ...

    async def failed(self, notice_id: str, reason: str, again_at: datetime | None) -> None:
        """`again_at` None: it is given up, and kept for a while, to be seen."""
        ...

    async def given_up(self, tenant: str, since: datetime) -> int:
        """How many changes since then were."""
        ...


class SharedAnswers(Protocol):
    """Exact answers, shared by a tenant's customers. Values are opaque; `serve_app.domain.sharing` reads and writes them."""

    async def get(self, key: str) -> bytes | None: ...

    async def put(self, key: str, value: bytes, ttl_s: int) -> None: ...


class AnswerTiers(SharedAnswers, Protocol):
    """Shared answers with a first tier in this process. A tier that fails counts as a miss; nothing is raised."""

    def get_from_memory(self, key: str) -> bytes | None: ...

    def remember(self, key: str, value: bytes) -> None:
        """Keeps in memory what was read elsewhere, by `Sessions.begin` in its round trip."""
        ...


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What an API key allows. The key itself is known only as a hash."""

    id: str
    tenant: str
    scopes: frozenset[str]
    created_at: datetime
    note: str = ""
    revoked_at: datetime | None = None


class Keys(Protocol):
    """API keys in the system of record."""

    async def create(self, tenant: str, scopes: frozenset[str], note: str, now: datetime) -> tuple[KeyGrant, str]:
        """Returns the grant and the key itself, which is never seen again."""
        ...

    async def find(self, key: str) -> KeyGrant | None:
        """The grant of a key that is neither unknown nor revoked."""
        ...

    async def list(self, tenant: str | None = None) -> Sequence[KeyGrant]: ...

    async def revoke(self, key_id: str, now: datetime) -> bool: ...


class KnowledgeRecord(Protocol):
    """Published knowledge in the system of record."""

    async def published(self, tenant: str) -> tuple[Sequence[Entry], Sequence[Template]]: ...

    async def version(self, tenant: str) -> int:
        """Grows with every publication, and when an entry's validity begins or ends; cheap, asked twice a second."""
        ...

    async def versions(self, tenant: str) -> Mapping[str, int]:
        """The current version of every published source, by id; a policy's id is `policy.NAME`."""
        ...


@dataclass(frozen=True, slots=True)
class PolicyEdit:
    """One edit of the scaling policy. `refused` is why it was, None for one that was applied."""

    version: int
    text: str  # the YAML as it was written
    applied_at: datetime
    by: str
    note: str = ""
    refused: str | None = None


class ScalingRecord(Protocol):
    """The scaling policy in the system of record: every edit, by version, from 1. Every method raises StoreFailed."""

    async def add(self, text: str, by: str, now: datetime, *, note: str = "", refused: str | None = None) -> PolicyEdit:
        """Writes an edit down, applied or refused. Several may write at once: each gets a version of its own."""
        ...

    async def latest(self) -> int:
        """The last edit's version, 0 before the first; cheap, asked every two seconds."""
        ...

    async def history(self, limit: int = 50, *, applied_only: bool = False) -> Sequence[PolicyEdit]:
        """The last edits, the newest first. The first of those that were applied is in force."""
        ...

    async def edit(self, version: int) -> PolicyEdit:
        """Raises NotFound."""
        ...

    async def spent(self) -> Spent | None:
        """What the last day cost that anything is known of."""
        ...

    async def spend(self, spent: Spent) -> None:
        """Writes down what a day has cost until now. A day never costs less again."""
        ...


class Embedder(Protocol):
    @property
    def name(self) -> str:
        """The model and its version. Vectors of different models cannot be compared."""
        ...

    @property
    def related_from(self) -> float:
        """Texts whose vectors' product is smaller have nothing to do with each other; each model has its own scale."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[numpy.float32]:
        """Unit vectors, [len(texts), dimensions]. Takes milliseconds a text: call it off the event loop, from any thread."""
        ...


class Classifier(Protocol):
    """A small intent classifier; in process, well under a millisecond."""

    def classify(self, text: str) -> Sequence[tuple[str, float]]:
        """Intents with probabilities, best first."""
        ...


class LanguageDetector(Protocol):
    def detect(self, text: str) -> tuple[str, float]:
        """An ISO 639-1 code and its probability."""
        ...


class Detokenizer(Protocol):
    """The text of one answer's tokens as they come. Together it is what `Tokenizer.decode` makes of all of them."""

    def feed(self, token_ids: Iterable[int]) -> str:
        """As much as is certain: a character whose tokens are not all there is held back."""
        ...

    def end(self) -> str:
        """What was held back, when no more tokens come: U+FFFD for a broken character."""
        ...


class Tokenizer(Protocol):
    """A model's tokenizer."""

    def encode(self, text: str) -> list[int]:
        """Special tokens are read as such, none is added."""
        ...

    def encode_plain(self, text: str) -> list[int]:
        """Whatever the text holds, no special token comes out of it: for what customers and sources wrote."""
        ...

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of the tokens, without special ones."""
        ...

    def stream(self) -> Detokenizer:
        """For one answer."""
        ...


@dataclass(frozen=True, slots=True)
class FactsQuery:
    """Whose facts, and which orders beyond the open ones. `within_s` is what the request's deadline leaves for it."""

    tenant: str
    customer_id: str
    now: datetime
    within_s: float
    order_ids: tuple[str, ...] = ()
    order_tails: tuple[str, ...] = ()
    tracking_nos: tuple[str, ...] = ()
    trace: dict[str, str] = field(default_factory=dict[str, str])


class FactSource(Protocol):
    """One declared source: rows of one part of the facts."""

    @property
    def name(self) -> str: ...

    async def fetch(self, parameters: dict[str, Any]) -> Sequence[dict[str, Any]]:
        """Rows as the source has them; `serve_app.domain.mapping` reads them. Raises SourceFailed, and nothing else."""
        ...

    async def close(self) -> None: ...


# The rooms, as the ingress sees them.


class ContextRoom(Protocol):
    async def facts(self, query: FactsQuery) -> Facts:
        """Never raises for a source: what is late, down or malformed stands in `missing`."""
        ...


class CacheRoom(Protocol):
    async def look_up(self, lookup: Lookup) -> Found: ...


class InferenceRoom(Protocol):
    def generate(self, request: Generate) -> AsyncGenerator[Piece, None]:
        """Started, then Tokens as they come, then Finished. Closing the iterator aborts. Raises ModelFailed, Overloaded."""
        ...


class Replicas(Protocol):
    """The model's replicas, one attempt at a time; `serve_app.answering.failover` makes an `InferenceRoom` of them."""

    @property
    def fleet(self) -> Fleet:
        """What this process knows of them."""
        ...

    def generate(
        self, request: Generate, avoid: frozenset[str] = frozenset(), only: str | None = None
    ) -> AsyncGenerator[Piece | Beat, None]:
        """As `InferenceRoom.generate`, with the beats between. `avoid`: those that were left; `only`: for a probe."""
        ...


# `Engine.generate`, and what lies around it.
Stream = Callable[[Generate], AsyncGenerator[Tokens | Finished, None]]


@dataclass(frozen=True, slots=True)
class EngineSignals:
    """How an engine is doing, as it said after its last step. `moved_at` is monotonic seconds: its last step, or the last time
    that it had nothing to do. An engine whose process is frozen does not move."""

    running: int
    waiting: int
    kv_use: float  # of its keys and values, 0 to 1
    moved_at: float


class Engine(Protocol):
    """A model's engine, inside an Inference replica."""

    @property
    def in_flight(self) -> int:
        """Generations that run or wait."""
        ...

    async def start(self) -> None:
        """Returns when the engine is loaded and warm. Raises ConfigError, ModelFailed."""
        ...

    def signals(self) -> EngineSignals: ...

    def generate(self, request: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        """Tokens as they come, then Finished. Closing the generator, or cancelling its task, aborts.

        Goes on after `request.sent_token_ids`, which count as part of the answer. Stop strings are the caller's affair.

        Raises TooLong, MalformedRequest, Overloaded, ModelFailed, and DeadlineExceeded when no token came in time.
        """
        ...

    async def check_health(self) -> None:
        """Raises ModelFailed."""
        ...

    async def close(self) -> None: ...


class Authenticator(Protocol):
    async def caller(self, api_key: str | None, customer_token: str | None, scope: str) -> Caller:
        """Raises Unauthenticated (no or bad key or token) or Forbidden (wrong scope)."""
        ...


class Proposals(Protocol):
    """Proposed variants in the system of record. Every method raises StoreFailed."""

    async def keep(self, tenant: str, variant: Variant, now: datetime) -> None:
        """Counts it once more, whatever was decided about it. A new one is passed by while `PROPOSED_MAX` wait already."""
        ...

    async def list(self, tenant: str, state: State, limit: int) -> Sequence[Proposal]:
        """Those in the state, the most often asked first."""
        ...

    async def find(self, tenant: str, proposal_id: str) -> Proposal | None: ...

    async def decide(self, tenant: str, proposal_id: str, state: State, by: str, now: datetime) -> None:
        """Keeps what was decided, by whom and when."""
        ...


class Ratings(Protocol):
    """Customers' feedback in the system of record. Every method raises StoreFailed."""

    async def keep(self, tenant: str, feedback: Feedback) -> None:
        """A later one on the same subject takes the place of the earlier."""
        ...

    async def latest(self, tenant: str, limit: int) -> Sequence[Feedback]:
        """The newest first."""
        ...
