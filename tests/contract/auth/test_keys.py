"""Keys: whose they are, what they may do, and what becomes of them."""

from __future__ import annotations

import asyncio

import pytest

from serve_app.adapters.auth import bearer
from serve_app.domain.errors import Forbidden, NotReady, Unauthenticated
from serve_app.domain.messages import Caller
from tests.contract.auth.desk import Desk


async def test_a_key_says_whose_it_is(desk: Desk):
    assert await desk.authenticator.caller(await desk.key("hs"), None, "ask") == Caller("hs", None)


@pytest.mark.parametrize("key", [None, "", "zw_unknown", "nonsense", "zw_\ud800", "zw_\x00" * 9999])
async def test_without_a_good_key_nobody_is_let_in(desk: Desk, key: str | None):
    with pytest.raises(Unauthenticated):
        await desk.authenticator.caller(key, None, "ask")


async def test_a_scope_that_the_key_lacks_is_forbidden(desk: Desk):
    key = await desk.key("hs", "ask", "ops")
    await desk.authenticator.caller(key, None, "ops")
    with pytest.raises(Forbidden, match="admin"):
        await desk.authenticator.caller(key, None, "admin")


async def test_a_tenant_that_is_not_configured_is_not_let_in(desk: Desk):
    with pytest.raises(Unauthenticated):
        await desk.authenticator.caller(await desk.key("elsewhere"), None, "ask")


async def test_a_revocation_takes_effect_within_two_seconds(desk: Desk):
    key = await desk.key()
    await desk.authenticator.caller(key, None, "ask")
    (grant,) = await desk.keys.list("hs")
    await desk.keys.revoke(grant.id, desk.clock.now())
    desk.clock.passed_s += 2
    with pytest.raises(Unauthenticated):
        await desk.authenticator.caller(key, None, "ask")


async def test_the_record_is_asked_once_for_many_requests(desk: Desk):
    key = await desk.key()
    await asyncio.gather(*(desk.authenticator.caller(key, None, "ask") for _ in range(50)))
    await desk.authenticator.caller(key, None, "ask")
    assert desk.keys.asked == 1
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            await desk.authenticator.caller("zw_unknown", None, "ask")
    assert desk.keys.asked == 2


async def test_a_request_that_goes_away_does_not_end_the_others(desk: Desk):
    key = await desk.key()
    first, second = (asyncio.create_task(desk.authenticator.caller(key, None, "ask")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == Caller("hs")
    assert desk.keys.asked == 1


async def test_without_the_record_it_is_not_ready(desk: Desk):
    key = await desk.key()
    desk.keys.away = True
    with pytest.raises(NotReady):
        await desk.authenticator.caller(key, None, "ask")
    desk.keys.away = False
    assert await desk.authenticator.caller(key, None, "ask") == Caller("hs")


async def test_a_record_that_is_silent_counts_as_one_that_is_away(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("serve_app.adapters.auth.LOOK_UP_WITHIN_S", 0.001)
    key = await desk.key()
    monkeypatch.setattr(desk.keys, "find", lambda _: asyncio.Event().wait())
    with pytest.raises(NotReady):
        await desk.authenticator.caller(key, None, "ask")
    monkeypatch.undo()
    assert await desk.authenticator.caller(key, None, "ask") == Caller("hs"), "nothing is joined that is lost"


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Bearer zw_x", "zw_x"),
        ("bearer   zw_x ", "zw_x"),
        ("Basic zw_x", None),
        ("zw_x", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("", None),
        (None, None),
    ],
)
def test_the_key_is_read_from_the_header(header: str | None, key: str | None):
    assert bearer(header) == key
