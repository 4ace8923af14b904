"""Where Redis is and how it is reached, by its settings; and what stands under which name in it."""

# redis-py types its arguments only in part.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import hiredis
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisClusterException

from serve_app.adapters.redis_link import ClusterLink, OneLink, RedisLink
from serve_app.config import LOCAL_REDIS_URL, RedisSettings, secret
from serve_app.domain.errors import ConfigError
from serve_app.domain.live import Talk


def connect(settings: RedisSettings, home: Path = Path()) -> RedisLink:
    """A link to where `settings` say; `home` is the data folder, in which relative names of secrets lie. Nothing is opened
    before the first call.

    A call waits at most `timeout_ms` for a connection of the pool, and as long for each reply. A connection that the server has
    closed since (a restart) is replaced once, at once: every call that the adapters make may be repeated.

    Raises ConfigError when the address, a file or a secret cannot be read.
    """
    timeout_s = settings.timeout_ms / 1000
    url = _address(settings.url or LOCAL_REDIS_URL)
    options: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "protocol": 2,
        "username": settings.username,
        "password": secret(settings.password, home) if settings.password else None,
    }
    if urlsplit(url).scheme == "rediss":
        options |= _tls(settings)
    try:
        if settings.is_cluster:
            cluster = RedisCluster.from_url(
                url,
                startup_nodes=[ClusterNode(*_host_and_port(node)) for node in settings.nodes],
                max_connections=settings.pool_size,
                # While some slots have no server, the others' conversations go on.
                require_full_coverage=False,
                retry=Retry(NoBackoff(), 1),
                **options,
            )
            return ClusterLink(cluster, settings.pool_size, timeout_s)
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=settings.pool_size,
            timeout=timeout_s,
            retry=Retry(NoBackoff(), 1, (RedisConnectionError,)),
            **options,
        )
        pool.connection_class = packing(pool.connection_class)
    except (ValueError, RedisClusterException) as error:
        # The address may hold a password, so it is not repeated here.
        raise ConfigError(
            "redis.url (or REDIS_URL) is not an address: write redis://HOST:PORT/DB, rediss://… or unix://PATH; a cluster has "
            "neither a DB nor a PATH"
        ) from error
    return OneLink(Redis.from_pool(pool))


def packing(connection: type[AbstractConnection]) -> type[AbstractConnection]:
    """A kind of connection that lets hiredis, which reads its replies already, also write its commands: a fifth of the time
    that redis-py's own asyncio connection takes for it."""

    class Packing(connection):
        def pack_command(self, *args: Any) -> list[bytes]:
            name = args[0]
            if isinstance(name, str) and " " in name:
                args = (*name.split(), *args[1:])
            return [hiredis.pack_command(args)]

        def pack_commands(self, commands: Iterable[Iterable[Any]]) -> list[bytes]:
            return [b"".join(piece for command in commands for piece in self.pack_command(*command))]

    return Packing


def _address(url: str) -> str:
    """Without what is ours to read."""
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "cluster"]
    return urlunsplit(parts._replace(query=urlencode(query)))


def _host_and_port(node: str) -> tuple[str, int]:
    host, _, port = node.rpartition(":")
    return host.strip("[]"), int(port)


def _tls(settings: RedisSettings) -> dict[str, Any]:
    """The server's name is checked, always."""
    for file in (settings.ca_file, settings.cert_file, settings.key_file):
        if file is not None and not file.expanduser().is_file():
            raise ConfigError(f"redis: there is no file {file}: check ca_file, cert_file and key_file")
    files = {"ssl_ca_certs": settings.ca_file, "ssl_certfile": settings.cert_file, "ssl_keyfile": settings.key_file}
    named = {name: str(file.expanduser()) for name, file in files.items() if file is not None}
    return {"ssl_cert_reqs": "required", "ssl_check_hostname": True} | named


def session_keys(tenant: str, session_id: str) -> tuple[str, str, str]:
    """A session's keys (head, turns, queue). They share one hash tag, so they lie in one slot of a cluster."""
    tag = f"zw:s:{{{_quoted(tenant)}/{_quoted(session_id)}}}"
    return f"{tag}:head", f"{tag}:turns", f"{tag}:queue"


def live_names(talk: Talk, answer_id: str) -> tuple[str, str, str]:
    """A conversation's channel; and two keys in one slot: an answer's events, and the conversation's answers under way."""
    tag = f"zw:l:{{{_quoted(talk.tenant)}/{_quoted(talk.session_id)}}}"
    return tag, f"{tag}:e:{answer_id}", f"{tag}:u"


def answer_key_in_redis(key: str) -> str:
    """Where a shared answer stands."""
    return f"zw:a:{key}"


def _quoted(name: str) -> str:
    return quote(name, safe="", errors="surrogatepass")
