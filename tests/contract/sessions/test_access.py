"""Whose a session is and who may use it, with every keeper of sessions."""

from __future__ import annotations

from uuid import uuid4

import pytest

from serve_app.domain.errors import Forbidden, NotFound, StoreFailed
from tests.contract.sessions.keeping import Kept, ask, start


async def test_an_unknown_session_is_not_found(kept: Kept):
    question = ask("no-such-session")
    with pytest.raises(NotFound):
        await kept.begin(question)
    with pytest.raises(NotFound):
        await kept.read(question)


async def test_another_tenant_has_no_such_session(kept: Kept):
    question = start()
    await kept.begin(question)
    with pytest.raises(NotFound):
        await kept.begin(ask(question.session_id, tenant="other"))
    with pytest.raises(NotFound):
        await kept.sessions.read("other", question.session_id, "C1001")


async def test_tenant_and_session_do_not_run_into_each_other(kept: Kept):
    name = uuid4().hex
    await kept.begin(ask(f"b/{name}", tenant="a", new_session=True))
    with pytest.raises(NotFound):
        await kept.begin(ask(name, tenant="a/b"))


async def test_another_customers_session_is_forbidden(kept: Kept):
    question = start()
    await kept.begin(question)
    for customer_id in ("C1002", None):
        with pytest.raises(Forbidden):
            await kept.begin(ask(question.session_id, customer_id=customer_id))
        with pytest.raises(Forbidden):
            await kept.read(question, customer_id)
    assert len((await kept.read(question)).turns) == 1, "a refused question adds nothing"


async def test_an_anonymous_session_is_claimed_by_the_first_customer_who_uses_it(kept: Kept):
    question = start(customer_id=None)
    begun = await kept.begin(question)
    assert begun.session.customer_id is None
    await kept.finish(question, 1)
    assert (await kept.read(question, None)).customer_id is None
    claimed = await kept.begin(ask(question.session_id, customer_id="C1002"))
    assert claimed.session.customer_id == "C1002"
    assert len(claimed.session.turns) == 1
    for customer_id in ("C1001", None):
        with pytest.raises(Forbidden):
            await kept.begin(ask(question.session_id, customer_id=customer_id))


async def test_a_session_may_stand_before_its_first_question(kept: Kept):
    name = uuid4().hex
    with pytest.raises(NotFound):
        await kept.enter(name, "C1001")
    await kept.enter(name, "C1001", new=True)
    await kept.enter(name, "C1001")
    for customer_id in ("C1002", None):
        with pytest.raises(Forbidden):
            await kept.enter(name, customer_id)
    question = ask(name)
    assert (await kept.read(question)).turns == ()
    assert (await kept.begin(question)).number == 1
    await kept.enter(name, "C1001", new=True)
    assert len((await kept.read(question)).turns) == 1


async def test_an_anonymous_session_may_be_entered_by_anybody_until_it_is_a_customers(kept: Kept):
    name = uuid4().hex
    await kept.enter(name, None, new=True)
    await kept.enter(name, "C1001")
    await kept.enter(name, "C1002")
    await kept.begin(ask(name, customer_id="C1001"))
    await kept.enter(name, "C1001")
    for customer_id in ("C1002", None):
        with pytest.raises(Forbidden):
            await kept.enter(name, customer_id)


async def test_an_answer_to_no_session_is_refused(kept: Kept):
    with pytest.raises(StoreFailed):
        await kept.finish(ask("no-such-session"), 1)
    question = start()
    await kept.begin(question)
    with pytest.raises(StoreFailed):
        await kept.finish(question, 2)
