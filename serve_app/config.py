"""The configuration: one frozen, typed tree. Units stand in names; secrets are named here, never held.

Every field has a default that serves the demo shop on one machine. Unknown fields are refused.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, model_validator

from serve_app.domain.errors import ConfigError
from serve_app.domain.messages import Language
from serve_app.source_settings import BreakerSettings, SecretRef, Settings
from serve_app.tenant_settings import TenantSettings
from serve_app.yaml_lines import YamlText, reason_of


class RedisSettings(Settings):
    """One Redis (or Valkey), or a Redis Cluster."""

    url: str | None = None
    """`redis://HOST:PORT/DB`, `rediss://…` (TLS) or `unix://PATH`; with `?cluster=true`, a cluster's. Default: `REDIS_URL`,
    else the Valkey that `zerowait run` starts."""
    cluster: bool = False
    """The address is a node's of a Redis Cluster."""
    nodes: tuple[Annotated[str, Field(pattern=r"^.+:\d+$")], ...] = ()
    """Further nodes of the cluster, HOST:PORT, to begin with when the one of `url` is away."""
    username: str | None = None
    """The ACL user."""
    password: SecretRef | None = None
    """Its password, so that none need stand in the address."""
    ca_file: Path | None = None
    """For TLS: who signs the servers' certificates (PEM). Default: whom the machine trusts."""
    cert_file: Path | None = None
    """For TLS: our own certificate, where the server asks for one (PEM)."""
    key_file: Path | None = None
    """The key of `cert_file`."""
    timeout_ms: int = Field(default=500, gt=0)
    """For a connection, and for each reply that no answer waits for."""
    budget_ms: int = Field(default=20, gt=0)
    """How long an answer waits for Redis at each step; then it goes on without."""
    breaker: BreakerSettings = BreakerSettings(failures=5, reset_s=1.0)
    """When Redis is left alone."""
    pool_size: int = Field(default=64, ge=1)
    """Connections of a process, at most; of a cluster, calls at a time."""
    session_ttl_s: int = Field(default=7 * 24 * 3600, gt=0)
    """A conversation's time to live after its last turn."""
    session_turns: int = Field(default=60, ge=2)
    """A question sees so many turns of its conversation at most."""
    answer_ttl_s: int = Field(default=24 * 3600, gt=0)
    """A shared answer's time to live."""
    value_bytes_max: int = Field(default=64 * 1024, ge=1024)
    """A longer shared answer is not kept."""

    @model_validator(mode="after")
    def _whole(self) -> RedisSettings:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("`cert_file` and `key_file` go together")
        if self.nodes and not self.is_cluster:
            raise ValueError("`nodes` are a cluster's: set `cluster: true`")
        return self

    @property
    def is_cluster(self) -> bool:
        return self.cluster or "cluster=true" in urlsplit(self.url or "").query.lower().split("&")


class RecordSettings(Settings):
    url: str | None = None
    """Default: SQLite in the data folder. PostgreSQL: `postgresql+asyncpg://…`"""
    heartbeat_ms: int = Field(default=500, gt=0)
    """How often the version of the knowledge is looked at."""
    serve_stale_s: float = Field(default=1.0, ge=0)
    """A view of the versions that is older serves nothing shared."""
    meaning: Literal["answer", "suggest"] = "answer"
    """`answer`: an entry whose wordings lie near a question answers it when every gate agrees. `suggest`: it is offered."""


class AnswersSettings(Settings):
    """What a model may answer. `chat` needs none of the shop's facts or policies: small talk, general advice."""

    languages: tuple[Language, ...] = ("zh", "en")
    """In which languages."""
    kinds: tuple[Literal["public", "personal", "chat"], ...] = ("public", "personal", "chat")
    """Which kinds of answer."""


class ModelSettings(Settings):
    """The model and its engine. `path` None: the packaged one. `engine` goes to vLLM's AsyncEngineArgs as it is."""

    path: str | None = None
    """A Hugging Face name or a folder. Default: the packaged model."""
    name: str | None = None
    """As shown to customers. Default: the last part of `path`."""
    demo: bool | None = None
    """Marked as "may be wrong". Default: true for the packaged model."""
    answers: AnswersSettings | None = None
    """What it may answer. Default: chat in English for the packaged model, everything for others."""
    chat_format: Literal["chatml"] = "chatml"
    """The markers around each message."""
    think_block: bool = False
    """An empty think block opens every answer, so that a model that would think (Qwen3) does not."""
    tensor_parallel_size: int = Field(default=1, ge=1)
    """GPUs that share each layer."""
    pipeline_parallel_size: int = Field(default=1, ge=1)
    """Stages of layers."""
    max_model_len: int = Field(default=4096, ge=512)
    """Tokens of prompt and answer together."""
    engine: dict[str, Any] = Field(default={})
    """Goes to vLLM's AsyncEngineArgs as it is."""
    max_tokens: int = Field(default=256, ge=1)
    """Of an answer."""
    temperature: float = Field(default=0.0, ge=0)
    """0: the likeliest token each time."""
    flush_ms: int = Field(default=40, ge=0)
    """Deltas after the first are gathered this long."""
    cpu_kv_cache_gib: int = Field(default=1, ge=1)
    """Keys and values, on a CPU only."""


class LimitSettings(Settings):
    question_chars: int = Field(default=2000, ge=1)
    """A longer question is a 413."""
    body_bytes: int = Field(default=64 * 1024, ge=1024)
    """A longer body is a 413."""
    transcript_bytes: int = Field(default=1024 * 1024, ge=1024)
    """The same of `/v1/chat/completions`, whose body holds the conversation."""
    requests_in_flight: int = Field(default=512, ge=1)
    """Per ingress process; more are a 503 with `Retry-After`."""
    visitors_per_minute: int = Field(default=1200, ge=1)
    """Tokens for the chat page, per ingress process; more are a 429 with `Retry-After`."""
    turn_wait_s: float = Field(default=20.0, gt=0)
    """How long a question waits for its session's earlier one."""
    sockets: int = Field(default=4096, ge=1)
    """Open WebSockets, per ingress process; more are closed with 4503."""
    hello_s: float = Field(default=10.0, gt=0)
    """A WebSocket whose client does not say who it is within this time is closed with 4408."""
    socket_idle_s: float = Field(default=600.0, gt=0)
    """A WebSocket on which the client sends nothing for so long, not even a ping, is closed, unless it waits for an answer."""
    socket_backlog_chars: int = Field(default=1_000_000, ge=1000)
    """A WebSocket whose client leaves so much unread is cut. What it missed can be resumed."""
    messages_waiting: int = Field(default=16, ge=1)
    """Messages of one WebSocket that wait for the answers to earlier ones; further ones are refused."""
    grace_s: float = Field(default=10.0, gt=0)
    """An answer that nobody watches any more goes on for so long, then it is aborted."""
    resume_s: int = Field(default=300, ge=1)
    """An answer's events can be resumed for so long."""
    regenerations: int = Field(default=16, ge=1)
    """After a publication: questions that were answered from a shared tier and are put to the model again, per ingress process
    at a time. The others wait some seconds; where no place comes free, the nearest published questions are offered."""
    pregenerations: int = Field(default=4, ge=0)
    """Answers that an ingress process lets the model make before they are asked for, at a time. 0: none."""
    pregeneration_load: float = Field(default=8.0, gt=0)
    """They are begun only while the model's replicas carry less than this on average: running streams, 100 waiting tokens
    counting as one."""


class DeadlineSettings(Settings):
    request_s: float = Field(default=30.0, gt=0)
    """Until the answer begins, and for the model until it ends."""
    facts_ms: int = Field(default=1000, gt=0)
    """For all of a question's facts."""
    facts_ahead_s: float = Field(default=10.0, ge=0)
    """A signed-in customer's facts are fetched when a new chat opens, and serve its first questions for so long, until one is
    asked of the shop's systems. 0: they are not."""
    cache_ms: int = Field(default=500, gt=0)
    """For looking up."""
    first_token_s: float = Field(default=10.0, gt=0)
    """For the model's first visible word."""


class FailoverSettings(Settings):
    """When a replica of the model is left for another one, in the middle of an answer if need be."""

    silence_s: float = Field(default=2.0, gt=0)
    """A replica that says nothing for so long is left, when another may be asked; a slow one after ten times its time per
    token, at most five times this."""
    moves: int = Field(default=2, ge=0)
    """Of one request, at most. 0: its first replica's failure is its own."""
    budget_floor: int = Field(default=20, ge=0)
    """Moves that an ingress process may make within a minute, however few requests it has."""
    budget_share: float = Field(default=0.1, ge=0)
    """And further ones, of its requests within the minute."""
    set_aside_s: float = Field(default=600.0, ge=0)
    """A prompt under which two replicas died is refused for so long."""
    stall_s: float = Field(default=30.0, gt=0)
    """An engine that owes tokens and gives none for so long fails its replica's health check: Serve replaces it."""


class RoomSettings(Settings):
    """How Serve runs a room."""

    replicas: int = Field(default=1, ge=1)
    """Serve's `num_replicas`."""
    cpus: float = Field(default=0.0, ge=0)
    """Of each replica, as Ray counts them."""
    gpus: float = Field(default=0.0, ge=0)
    """Of each replica."""
    max_ongoing_requests: int = Field(default=256, ge=1)
    """Of each replica, at a time."""


class InferenceSettings(RoomSettings):
    """The model's replicas may come and go with the load."""

    replicas_max: int | None = Field(default=None, ge=1)
    """As many as the cluster has room for. `zerowait policy` says how many run, between 1 and this; until a policy is applied,
    at least `replicas`. `record.url` must hold no password then. Default: the number is fixed."""

    @model_validator(mode="after")
    def _in_order(self) -> InferenceSettings:
        if self.replicas_max is not None and self.replicas_max < self.replicas:
            raise ValueError(f"replicas_max ({self.replicas_max}) is less than replicas ({self.replicas})")
        return self


class Rooms(Settings):
    # Every open WebSocket is one of Serve's ongoing requests.
    ingress: RoomSettings = RoomSettings(max_ongoing_requests=8192)
    context: RoomSettings = RoomSettings(max_ongoing_requests=512)
    cache: RoomSettings = RoomSettings(max_ongoing_requests=256)
    inference: InferenceSettings = InferenceSettings(max_ongoing_requests=256)


Role = Literal["both", "gateway", "engine"]


class Config(Settings):
    role: Role = "both"
    """`both`: one application. `gateway` and `engine`: the two of a production deployment."""
    engine_app: str = "engine"
    """The application in which a gateway finds its engine."""
    data_dir: Path | None = None
    """Default: `ZEROWAIT_DATA_DIR`, else `~/.local/share/zerowait`."""
    tenants: dict[str, TenantSettings] = Field(default={"demo": TenantSettings()})
    """By name: a key belongs to one."""
    redis: RedisSettings = RedisSettings()
    record: RecordSettings = RecordSettings()
    model: ModelSettings = ModelSettings()
    limits: LimitSettings = LimitSettings()
    deadlines: DeadlineSettings = DeadlineSettings()
    failover: FailoverSettings = FailoverSettings()
    rooms: Rooms = Rooms()

    @model_validator(mode="after")
    def _tokens_of_one_tenant_only(self) -> Config:
        for (one, its), (other, others) in combinations(self.tenants.items(), 2):
            shared = its.tokens.shares_keys_with(others.tokens)
            if shared and (
                None in (its.tokens.audience, others.tokens.audience) or its.tokens.audience == others.tokens.audience
            ):
                raise ValueError(
                    f"the tenants {one} and {other} have the same tokens.{shared}, so they would accept each other's customer "
                    f"tokens: give each its own, or an `audience` of its own"
                )
        return self

    def resolved(self, environ: Mapping[str, str]) -> Config:
        """The same with every default that depends on the machine filled in: paths absolute, addresses known.

        Done once, where the application is built; the rooms get the result and read no environment of their own.
        """
        data_dir = self.data_dir or Path(environ.get("ZEROWAIT_DATA_DIR", "~/.local/share/zerowait"))
        data_dir = data_dir.expanduser().resolve()
        redis_url = self.redis.url or environ.get("REDIS_URL", LOCAL_REDIS_URL)
        record_url = self.record.url or f"sqlite+aiosqlite:///{data_dir / 'record.db'}"
        return self.model_copy(
            update={
                "data_dir": data_dir,
                "redis": self.redis.model_copy(update={"url": redis_url}),
                "record": self.record.model_copy(update={"url": record_url}),
            }
        )

    @property
    def longest_answer_s(self) -> float:
        """From a question's arrival until its answer is written down, at most."""
        return self.deadlines.request_s + WRITING_S

    @property
    def home(self) -> Path:
        """The data folder of a resolved configuration."""
        if self.data_dir is None:
            raise ConfigError("the configuration is not resolved: call `Config.resolved(os.environ)` first")
        return self.data_dir


# After the model's last word: a hand-over, the record, a client that reads slowly.
WRITING_S = 30.0
# Ray's own store listens on 6379, so the local Valkey stays away from it.
LOCAL_REDIS_PORT = 6399
LOCAL_REDIS_URL = f"redis://127.0.0.1:{LOCAL_REDIS_PORT}/0"


def secret(ref: str, data_dir: Path, environ: Mapping[str, str] = os.environ) -> str:
    """Reads a secret by its reference. Raises ConfigError, naming what is missing and never the secret."""
    scheme, _, name = ref.partition(":")
    if scheme == "env":
        if name not in environ:
            raise ConfigError(f"the environment variable {name} is not set")
        return environ[name]
    path = data_dir / Path(name).expanduser()
    try:
        return path.read_text().strip()
    except OSError as error:
        raise ConfigError(f"the secret in {path} cannot be read: {error.strerror}") from error


def load_config(path: Path, without: Role = "engine") -> Config:
    """Reads a configuration: a plain YAML file of `Config`, or a Serve file, whose application's `args` are one; where the
    gateway and the engine are two applications, the gateway's, or the engine's `without` the gateway.

    Raises ConfigError, naming the file, the line and the field; never a value, which might be a secret.
    """
    file = YamlText.of_file(path)
    tree, base = file.tree, ()
    if isinstance(tree, dict) and "applications" in tree:
        base = ("applications", _application(file, without), "args")
        tree = file.at(base)
    try:
        return Config.model_validate({} if tree is None else tree)
    except ValidationError as error:
        lines = [file.told((*base, *found["loc"]), reason_of(found), shown=found["loc"]) for found in error.errors()]
        raise ConfigError("\n".join(lines)) from error


def _application(file: YamlText, without: Role) -> int:
    """Which of a Serve file's applications: the first that has another role."""
    applications = file.at(("applications",))
    count = len(cast(list[Any], applications)) if isinstance(applications, list) else 0
    roles = [file.at(("applications", number, "args", "role")) for number in range(count)]
    return next((number for number, role in enumerate(roles) if role != without), 0)
