"""Whose scripts may talk to us."""

from __future__ import annotations

import pytest

from serve_app.api.origins import require_origin
from serve_app.api.visitors import Quota
from serve_app.domain.errors import Forbidden, RateLimited

SHOPS = ("https://shop.example",)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://shop.example"},
        {"origin": "http://127.0.0.1:8000", "host": "127.0.0.1:8000"},
        {"origin": "https://Chat.example", "host": "chat.example"},
        {"origin": "https://chat.example", "host": "backend:8000", "x-forwarded-host": "chat.example, proxy"},
        {"origin": "https://chat.example", "host": "backend:8000", "sec-fetch-site": "same-origin"},
    ],
)
def test_our_own_page_and_the_shops_are_let_in(headers: dict[str, str]) -> None:
    require_origin(headers, SHOPS)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "host": "chat.example"},
        {"origin": "https://shop.example.evil.example", "host": "chat.example"},
        {"origin": "null", "host": ""},
        {"origin": "http://shop.example", "host": "chat.example"},
        {"origin": "https://chat.example", "host": "backend:8000", "sec-fetch-site": "same-site"},
        {"origin": ""},
    ],
)
def test_others_are_not(headers: dict[str, str]) -> None:
    with pytest.raises(Forbidden, match="origins"):
        require_origin(headers, SHOPS)


def test_a_minute_has_its_number_of_visitors() -> None:
    passed = [0.0]
    quota = Quota(2, lambda: passed[0])
    quota.take()
    passed[0] = 50
    quota.take()
    with pytest.raises(RateLimited) as refused:
        quota.take()
    assert refused.value.retry_after_s == 10
    passed[0] = 60
    quota.take()
