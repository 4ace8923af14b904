"""How Redis is reached: TLS, an ACL user, a password that stands in no address; and what that user must be allowed."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from serve_app.adapters.redis_answers import RedisAnswers
from serve_app.adapters.redis_client import connect, session_keys
from serve_app.adapters.redis_link import RedisLink
from serve_app.adapters.redis_live import RedisLive
from serve_app.adapters.redis_sessions import RedisSessions
from serve_app.adapters.redis_transcripts import RedisTranscripts
from serve_app.config import RedisSettings
from serve_app.domain.errors import ConfigError, NotFound, StoreFailed
from serve_app.domain.live import Watch
from serve_app.domain.question import Focus
from tests.contract.sessions.keeping import answer, ask, start
from tests.contract.test_live_answers import Listener, events, talk
from tests.contract.test_transcripts import a_digest, a_turn
from tests.redis_servers import Server, cluster, everywhere, redis7_binary, server, valkey_binary
from tests.throwaway_ca import ThrowawayCA

PASSWORD = "p@ss:word/?#"
# What README.md tells an operator to allow.
ACL = (
    "resetkeys ~zw:* resetchannels &zw:l:* -@all +ping +get +getex +set +del +evalsha +eval +subscribe +unsubscribe "
    "+hget +hset +hdel +hmget +hincrby +hgetall +expire +exists +llen +lrange +rpush +publish +time "
    "+zadd +zrange +zrem +zscore"
)
# And in a cluster.
ACL_CLUSTER = ACL + " +cluster|slots +command +asking"


async def everything_works(link: RedisLink) -> None:
    """Whatever the application does in Redis, once."""
    await link.ping()
    await answers_work(link)
    sessions = RedisSessions(link, ttl_s=60, turn_wait_s=5, lease_s=0.05)
    try:
        await sessions_work(link, sessions)
    finally:
        await sessions.aclose()
    await transcripts_work(link)
    listener = Listener(heard := RedisLive(link, keep_s=60, timeout_s=2))
    try:
        await live_works(RedisLive(link, keep_s=60), heard, listener)
    finally:
        await listener.end()


async def answers_work(link: RedisLink) -> None:
    answers, key = RedisAnswers(link), uuid4().hex
    await answers.put(key, b"shared", 60)
    assert await answers.get(key) == b"shared"
    await answers.put(key, b"shared", 0)
    assert await answers.get(key) is None


async def sessions_work(link: RedisLink, sessions: RedisSessions) -> None:
    question = start()
    await sessions.begin(question, "key")
    first = await link.call("HGET", lease := session_keys("demo", question.session_id)[0], "l:1")
    async with asyncio.timeout(5):
        while await link.call("HGET", lease, "l:1") == first:
            await asyncio.sleep(0.01)
    await sessions.finish("demo", question.session_id, 1, answer(), Focus())
    later = ask(question.session_id)
    number = (await sessions.begin(later)).number
    await sessions.abandon("demo", question.session_id, number)
    known = ask(question.session_id)
    assert (await sessions.begin_answered(known, answer(), Focus(), Focus(misses=1))).number == 3
    assert len((await sessions.read("demo", question.session_id, "C1001")).turns) == 3
    await sessions.enter("demo", uuid4().hex, "C1001", new=True)
    assert await sessions.session_of("demo", "a") == question.session_id


async def transcripts_work(link: RedisLink) -> None:
    turns, digest = RedisTranscripts(link, ttl_s=60), a_digest()
    await turns.keep(digest, a_turn())
    assert (await turns.find([digest], "key"))[0] == {digest: a_turn()}
    assert await turns.of_answer("demo", "a1")


async def live_works(one: RedisLive, other: RedisLive, listener: Listener) -> None:
    place = talk()
    assert await listener.next() is None
    await other.listen(place)
    await one.say(place, Watch(1))
    assert await listener.next() == (place, Watch(1))
    assert await one.tell(place, "a", events(1, 2)) == 2
    assert await one.under_way(place) == {"a": 2}
    assert list(await one.told(place, "a", 0) or ()) == events(1, 2)
    await one.forget(place, "a")
    await other.ignore(place)


@contextmanager
def with_user(store: Server, rules: str) -> Generator[RedisSettings]:
    store.call("ACL", "SETUSER", "shop", "reset", "on", f">{PASSWORD}", *rules.split())
    yield RedisSettings(url=store.url, username="shop", password="file:redis-password", timeout_ms=5000)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "redis-password").write_text(PASSWORD + "\n")
    return tmp_path


@pytest.mark.parametrize("binary", [valkey_binary, redis7_binary])
async def test_the_rights_that_the_documentation_names_suffice(binary: Any, home: Path):
    with server(binary()) as store, with_user(store, ACL) as settings:
        link = connect(settings, home)
        await everything_works(link)
        for command in (("FLUSHALL",), ("KEYS", "*"), ("GET", "another application's"), ("CONFIG", "GET", "*")):
            with pytest.raises(StoreFailed, match="NoPermission"):
                await link.call(*command)
        await link.aclose()


async def test_they_suffice_in_a_cluster(home: Path):
    with cluster(valkey_binary()) as stores:
        for store in stores.primaries:
            store.call("ACL", "SETUSER", "shop", "reset", "on", f">{PASSWORD}", *ACL_CLUSTER.split())
        link = connect(RedisSettings(url=stores.url, username="shop", password="file:redis-password", timeout_ms=5000), home)
        await everything_works(link)
        await link.aclose()


# Who may not unsubscribe gets a new connection instead.
@pytest.mark.parametrize("right", [right for right in ACL.split() if right.startswith("+") and right != "+unsubscribe"])
async def test_none_of_them_can_be_left_out(right: str, valkey_url: str):
    """A user who has all but this one cannot do everything: nothing is granted that is not used."""
    name, left = f"without-{right[1:]}", " ".join(one for one in ACL.split() if one != right)
    admin = connect(RedisSettings(url=valkey_url))
    await admin.call("ACL", "SETUSER", name, "reset", "on", ">x", *left.split())
    link = connect(RedisSettings(url=valkey_url.replace("//", f"//{name}:x@"), timeout_ms=5000))
    await everywhere(admin, "SCRIPT", "FLUSH")
    with pytest.raises((StoreFailed, NotFound, AssertionError, TimeoutError, pytest.fail.Exception)):
        await everything_works(link)
    await link.aclose()
    await admin.call("ACL", "DELUSER", name)
    await admin.aclose()


async def test_a_wrong_password_is_a_failed_store_and_is_not_repeated(home: Path):
    with server(valkey_binary()) as store, with_user(store, ACL) as settings:
        (home / "redis-password").write_text("hidden")
        link = connect(settings, home)
        with pytest.raises(StoreFailed) as refused:
            await link.ping()
        assert "hidden" not in str(refused.value)
        await link.aclose()


def test_a_password_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="redis-password"):
        connect(RedisSettings(url="redis://127.0.0.1/0", password="file:redis-password"), tmp_path)


@contextmanager
def over_tls(ca: ThrowawayCA, address: str = "127.0.0.1", *options: str) -> Generator[str]:
    """A server that speaks TLS only, with a certificate for `address`."""
    certificate, key = ca.issue(f"server-{address}", address)
    files = ("--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-ca-cert-file", str(ca.file))

    def greets(port: int) -> bool:
        context = ssl.create_default_context(cafile=str(ca.file))
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as plain:
                context.wrap_socket(plain).close()
        except ssl.SSLError as error:
            return "CERTIFICATE_REQUIRED" in str(error)
        except OSError:
            return False
        return True

    with server(redis7_binary(), *files, *options, tls=True, ready=greets) as store:
        yield store.url.replace("redis://", "rediss://")


async def test_tls_with_an_authority_of_ones_own(tmp_path: Path):
    ca = ThrowawayCA(tmp_path)
    with over_tls(ca, "127.0.0.1", "--tls-auth-clients", "no") as url:
        link = connect(RedisSettings(url=url, ca_file=ca.file, timeout_ms=5000))
        await everything_works(link)
        await link.aclose()
        untrusting = connect(RedisSettings(url=url, timeout_ms=5000))
        with pytest.raises(StoreFailed, match=r"(?i)certificate"):
            await untrusting.ping()
        await untrusting.aclose()


async def test_tls_with_a_certificate_of_our_own(tmp_path: Path):
    ca = ThrowawayCA(tmp_path)
    certificate, key = ca.issue("ours")
    with over_tls(ca, "127.0.0.1", "--tls-auth-clients", "yes") as url:
        settings = partial(RedisSettings, url=url, ca_file=ca.file, timeout_ms=5000)
        link = connect(settings(cert_file=certificate, key_file=key))
        await everything_works(link)
        await link.aclose()
        nobody = connect(settings())
        with pytest.raises(StoreFailed):
            await nobody.ping()
        await nobody.aclose()


async def test_a_server_with_another_ones_certificate_is_not_spoken_to(tmp_path: Path):
    ca = ThrowawayCA(tmp_path)
    with over_tls(ca, "127.0.0.2", "--tls-auth-clients", "no") as url:
        link = connect(RedisSettings(url=url, ca_file=ca.file, timeout_ms=5000))
        with pytest.raises(StoreFailed, match=r"(?i)certificate"):
            await link.ping()
        await link.aclose()


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"no-such\.pem"):
        connect(RedisSettings(url="rediss://127.0.0.1/0", ca_file=tmp_path / "no-such.pem"))


@pytest.mark.parametrize(
    "settings",
    [{"cert_file": "x.pem"}, {"key_file": "x.key"}, {"nodes": ["127.0.0.1:1"]}, {"cluster": True, "nodes": ["127.0.0.1"]}],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, Any]):
    with pytest.raises(ValidationError):
        RedisSettings(**settings)


@pytest.mark.parametrize("url", ["redis://127.0.0.1/1?cluster=true", "unix:///x?cluster=true", "http://127.0.0.1?cluster=true"])
def test_an_address_that_is_none_of_a_clusters_is_refused(url: str):
    with pytest.raises(ConfigError):
        connect(RedisSettings(url=url))
