"""Where the questions go: the default installation in one process, or one that already runs."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from deployments import one_process
from serve_app import packaged_model
from serve_app.adapters.customer_tokens import new_token
from serve_app.adapters.vllm_engine import VllmEngine
from serve_app.config import Config, load_config
from serve_app.domain.model_card import card_of
from serve_app.local import serve_file, valkey
from serve_app.local.ports import free_port
from serve_app.local.setup import prepare
from serve_app.ports import Engine

Say = Callable[[str], None]
# The packaged model and the questions' vectors: half a minute to make, the same for every run.
CACHE = Path(__file__).parents[2] / ".cache"
VECTORS = "vectors.npz"
DAY_S = 86_400


@dataclass(frozen=True)
class Installation:
    """`home` is its data folder: the shop's database, the record, the secret of its customers' tokens."""

    url: str
    key: str
    home: Path
    what: str
    model: str
    config: Config

    @property
    def shop(self) -> Path:
        return self.home / "shop.db"

    @property
    def record(self) -> Path:
        return self.home / "record.db"

    @property
    def tenant(self) -> str:
        return next(iter(self.config.tenants))

    def token(self, customer: str) -> str:
        """As `zerowait token --customer` makes it."""
        return new_token(customer, self.config.tenants[self.tenant], DAY_S, datetime.now(UTC), self.home)


def running(url: str, key: str | None, data_dir: Path | None) -> Installation:
    """One that is served elsewhere. Raises OSError when its data folder holds no API key."""
    config = Config(data_dir=data_dir).resolved(os.environ)
    own_key = key or (config.home / "api-key").read_text().strip()
    return Installation(url.rstrip("/"), own_key, config.home, f"running at {url}", "as configured there", config)


@asynccontextmanager
async def in_one_process(say: Say, engine: Engine | None = None) -> AsyncGenerator[Installation]:
    """What `make run` serves, without Ray: real rooms, Valkey, and vLLM with the packaged model; new and empty.

    `engine` takes the place of vLLM's where no model is asked. Raises ConfigError, ModelFailed, StoreFailed.
    """
    with TemporaryDirectory(prefix="zerowait-answers-") as folder, valkey_server(Path(folder)) as redis_url:
        home = Path(folder)
        settings = load_config(serve_file.default())
        config = settings.model_copy(update={"data_dir": home, "redis": settings.redis.model_copy(update={"url": redis_url})})
        config = config.resolved({})
        await asyncio.to_thread(_borrow, home, say)
        prepared = await asyncio.to_thread(prepare, config, say)
        engine = engine or _vllm(config, say)
        await engine.start()
        try:
            async with one_process.serving(config, engine) as (host, port):
                _keep_vectors(home)
                yield Installation(
                    url=f"http://{host}:{port}",
                    key=prepared.key,
                    home=home,
                    what="the default installation in one process, without Ray",
                    model=f"{card_of(config.model).name}, vLLM" if isinstance(engine, VllmEngine) else "none",
                    config=config,
                )
        finally:
            await engine.close()


def _vllm(config: Config, say: Say) -> VllmEngine:
    say("starting the model's engine (about half a minute)")
    # vLLM writes its log to stdout, where only the result belongs.
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("VLLM_LOGGING_STREAM", "ext://sys.stderr")
    return VllmEngine(config.model, packaged_model.model_path(config.home))


def _borrow(home: Path, say: Say) -> None:
    """The packaged model and the vectors from this folder's cache, where the tests keep them too."""
    CACHE.mkdir(exist_ok=True)
    packaged_model.prepare(CACHE, say)
    (home / "models").symlink_to(CACHE / "models")
    if (CACHE / VECTORS).exists():
        shutil.copy(CACHE / VECTORS, home / VECTORS)


def _keep_vectors(home: Path) -> None:
    partial = CACHE / f"{VECTORS}.{os.getpid()}"
    shutil.copy(home / VECTORS, partial)
    partial.replace(CACHE / VECTORS)


@contextmanager
def valkey_server(home: Path) -> Generator[str]:
    port = free_port()
    log = home / "valkey.log"
    with log.open("wb") as output:
        server = subprocess.Popen(valkey.command(home, port), stdout=output, stderr=output)
    try:
        valkey.await_ready(port, lambda: server.poll() is not None, log)
        yield valkey.url(port)
    finally:
        server.terminate()
        server.wait()
