"""Every error crosses a process border whole."""

from __future__ import annotations

import pickle

import pytest

from serve_app.domain.errors import InternalError, SourceFailed, ZeroWaitError
from serve_app.domain.publication import Problem, Unpublishable

OF_THEIR_OWN_FORM: dict[type[InternalError], InternalError] = {
    SourceFailed: SourceFailed("parcels", "late"),
    Unpublishable: Unpublishable((Problem("fee", "entry fee: it needs an answer in en"),)),
}


def tree(kind: type[Exception]) -> list[type[Exception]]:
    return [kind, *(below for child in kind.__subclasses__() for below in tree(child))]


@pytest.mark.parametrize("kind", tree(ZeroWaitError))
def test_an_error_for_callers_keeps_all_its_fields(kind: type[ZeroWaitError]):
    error = kind("write a number", param="limits.body_bytes", retry_after_s=3)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == "write a number"
    assert (again.message, again.param, again.retry_after_s) == ("write a number", "limits.body_bytes", 3)
    assert again.body() == error.body()
    assert (again.status, again.type, again.code) == (kind.status, kind.type, kind.code)


@pytest.mark.parametrize("kind", tree(InternalError))
def test_an_internal_error_keeps_its_text(kind: type[InternalError]):
    error = OF_THEIR_OWN_FORM.get(kind) or kind("the store is away")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error)
    assert vars(again) == vars(error)


@pytest.mark.parametrize("kind", tree(ZeroWaitError))
def test_every_error_for_callers_has_a_status_of_its_own_kind(kind: type[ZeroWaitError]):
    assert 400 <= kind.status <= 599
    assert (kind.type == "server_error") == (kind.status >= 500)
    assert set(kind("x").body()["error"]) == {"message", "type", "code", "param"}
