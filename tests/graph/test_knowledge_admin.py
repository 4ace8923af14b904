"""The knowledge over HTTP: drafted, published, answered by, rolled back; feedback and what taps teach."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.graph.front import Front

KNOWLEDGE = "/v1/admin/knowledge"
CSV = "id,language,questions,answer\n"
WRAP = CSV + "hat-party,zh,你们办帽子派对吗,每年都办。\nhat-party,en,can you hat-party this,Yes we can.\n"


class Desk:
    """The staff's side of a front."""

    def __init__(self, front: Front, key: str) -> None:
        self._client = front.client
        self._key = key

    async def __call__(self, method: str, path: str, expected: int = 200, **options: Any) -> Any:
        headers = {"authorization": f"Bearer {self._key}"} | options.pop("headers", {})
        response = await self._client.request(method, path, headers=headers, **options)
        assert response.status_code == expected, response.text
        return response.json() if response.content else None

    async def put(self, text: str | bytes, media_type: str = "text/csv", expected: int = 200, query: str = "") -> Any:
        content = text.encode() if isinstance(text, str) else text
        headers = {"content-type": media_type}
        return await self("PUT", f"{KNOWLEDGE}/draft{query}", expected, content=content, headers=headers)


@pytest.fixture(scope="module")
async def desk(front: Front) -> Desk:
    return Desk(front, await front.new_key(frozenset({"admin"})))


async def answered(front: Front, question: str, words: str, customer: str | None = None) -> dict[str, Any]:
    """Asks until the publication has reached every room; a heartbeat is half a second."""
    async with asyncio.timeout(20):
        while words not in (answer := await front.ask(question, customer))["text"]:
            await asyncio.sleep(0.05)
    return answer


async def test_a_draft_is_compared_published_answered_by_and_rolled_back(front: Front, desk: Desk) -> None:
    before = await desk("GET", KNOWLEDGE)
    drafted = await desk.put(WRAP)
    assert [(change["id"], change["what"]) for change in drafted["changes"]] == [("hat-party", "added")]
    assert (await desk("GET", f"{KNOWLEDGE}/diff")) == drafted
    with_draft = await desk("GET", f"{KNOWLEDGE}/draft")
    assert len(with_draft["entries"]) == len(before["entries"]) + 1
    assert with_draft["policies"] == before["policies"]
    assert (await desk("GET", KNOWLEDGE)) == before

    body = {"note": "hats", "revision": drafted["draft"]["revision"]}
    done = await desk("POST", f"{KNOWLEDGE}/publish", json=body)
    assert done == {"version": before["version"] + 1, "added": ["hat-party"], "changed": [], "withdrawn": []}
    answer = await answered(front, "请问你们办帽子派对吗？", "每年都办。")
    assert answer["source"] in ("faq", "cache")
    assert (await desk("GET", f"{KNOWLEDGE}/draft"))["draft"] is None
    versions = (await desk("GET", f"{KNOWLEDGE}/versions?limit=1"))["versions"]
    assert (versions[0]["version"], versions[0]["note"], versions[0]["added"]) == (done["version"], "hats", 1)
    assert versions[0]["by"].startswith("key_")

    back = await desk("POST", f"{KNOWLEDGE}/rollback")
    assert back["withdrawn"] == ["hat-party"]
    assert (await desk("GET", KNOWLEDGE))["entries"] == before["entries"]
    assert (await desk("GET", f"{KNOWLEDGE}?version={done['version']}"))["entries"] == with_draft["entries"]


async def test_one_entry_is_withdrawn(desk: Desk) -> None:
    drafted = await desk("DELETE", f"{KNOWLEDGE}/draft/items/return-policy")
    assert [(change["id"], change["what"]) for change in drafted["changes"]] == [("return-policy", "withdrawn")]
    await desk("DELETE", f"{KNOWLEDGE}/draft/items/return-policy", 404)
    await desk("DELETE", f"{KNOWLEDGE}/draft", 204)


async def test_a_bad_row_is_named_and_nothing_is_kept(desk: Desk) -> None:
    error = (await desk.put(WRAP + "x,fr,q,a\n", expected=422))["error"]
    assert "body.csv:4: there is no language 'fr'" in error["message"]
    assert (error["param"], error["type"]) == ("body", "invalid_request_error")
    lonely = (await desk.put(CSV + "\nlonely,en,am I alone,yes\n", expected=422))["error"]["message"]
    assert lonely == "body.csv:3: entry lonely: it needs questions and an answer in zh"
    assert "CSV UTF-8" in (await desk.put("编号".encode("gbk"), expected=422))["error"]["message"]
    assert (await desk("GET", f"{KNOWLEDGE}/draft"))["draft"] is None


async def test_the_other_forms_are_taken_too(desk: Desk) -> None:
    markdown = "## hat-party\n### zh\n- 办派对吗\n\n可以\n### en\n- wrap?\n\nYes\n"
    assert [change["id"] for change in (await desk.put(markdown, "text/markdown"))["changes"]] == ["hat-party"]
    policies = "return_days: {unit: days, value: 30}"
    drafted = await desk.put(policies, "application/yaml", query="?name=policies.yaml")
    policy = next(change for change in drafted["changes"] if change["kind"] == "policy")
    assert policy["fields"] == [{"name": "value", "before": "7", "after": "30"}]
    assert "return-policy" in policy["used_by"]
    await desk("DELETE", f"{KNOWLEDGE}/draft", 204)
    await desk.put(WRAP, "application/pdf", expected=415)
    await desk.put(WRAP, query="?name=../x.csv", expected=422)
    await desk.put(WRAP, query="?replace=maybe", expected=422)


async def test_what_was_published_meanwhile_is_not_lost(desk: Desk) -> None:
    await desk.put(WRAP)
    stale = (await desk("GET", f"{KNOWLEDGE}/draft"))["draft"]["revision"]
    await desk.put(CSV + "hat-rental,zh,帽子能租吗,有。\nhat-rental,en,may I rent a hat,Yes.\n")
    await desk("POST", f"{KNOWLEDGE}/publish", 409, json={"revision": stale})
    await desk("POST", f"{KNOWLEDGE}/publish")
    await desk.put(CSV + "hat-rental,en,may I rent a hat,Yes there is.\n")
    await desk("POST", f"{KNOWLEDGE}/rollback")
    assert "rebase" in (await desk("POST", f"{KNOWLEDGE}/publish", 409))["error"]["message"]
    assert (await desk("GET", f"{KNOWLEDGE}/diff"))["conflicts"] == ["hat-rental"]
    await desk("POST", f"{KNOWLEDGE}/rebase", 409)
    rebased = await desk("POST", f"{KNOWLEDGE}/rebase", json={"keep": "draft"})
    assert [(change["id"], change["what"]) for change in rebased["changes"]] == [("hat-rental", "added")]
    await desk("DELETE", f"{KNOWLEDGE}/draft", 204)
    await desk("POST", f"{KNOWLEDGE}/publish", 409)
    await desk("POST", f"{KNOWLEDGE}/rollback", 404, json={"version": 9999})


async def test_what_is_published_comes_before_what_a_model_would_say(front: Front, desk: Desk) -> None:
    await desk.put(CSV + "joke,zh,讲个笑话,帽子笑了。\njoke,en,tell me a hat joke,The hat laughed.\n")
    await desk("POST", f"{KNOWLEDGE}/publish")
    assert (await answered(front, "讲个笑话", "帽子笑了。"))["source"] == "faq"


async def test_only_an_admin_key_may(front: Front) -> None:
    for path in (KNOWLEDGE, f"{KNOWLEDGE}/proposals", "/v1/admin/feedback"):
        assert (await front.get(path)).status_code == 403
        assert (await front.client.get(path)).status_code == 401


# Feedback


async def rate(front: Front, answer_id: str, rating: Any, customer: str | None = None, **fields: Any) -> httpx.Response:
    return await front.post("/v1/feedback", customer=customer, json={"answer_id": answer_id, "rating": rating, **fields})


async def test_a_customer_rates_an_answer_and_the_conversation(front: Front, desk: Desk) -> None:
    question = "Can I engrave a hat?"
    await desk.put(CSV + f"hat-engraving,zh,帽子能刻字吗,能。\nhat-engraving,en,{question},Yes.\n")
    await desk("POST", f"{KNOWLEDGE}/publish")
    answer = await answered(front, question, "Yes.", "C1001")
    assert (await rate(front, answer["answer_id"], "down", "C1001", reason="too  long")).status_code == 204
    assert (await rate(front, answer["answer_id"], "up", "C1001")).status_code == 204
    stars = await rate(front, answer["answer_id"], 4, "C1001", session_id=answer["session_id"])
    assert (stars.status_code, stars.content) == (204, b"")
    kept = [one for one in (await desk("GET", "/v1/admin/feedback"))["feedback"] if one["answer_id"] == answer["answer_id"]]
    assert {(one["about"], one["rating"]) for one in kept} == {("answer", "up"), ("conversation", "4")}
    assert kept[0]["question"] == question
    assert kept[0]["entry_ids"] == ["hat-engraving"]
    assert "C1001" not in str(kept)


async def test_only_the_answers_own_customer_may_rate_it(front: Front) -> None:
    answer = await front.ask("你好", "C1001")
    for customer in ("C1002", None):
        refused = await rate(front, answer["answer_id"], "up", customer)
        assert refused.status_code == 404
        assert refused.json() == (await rate(front, f"ans_{uuid4().hex}", "up", customer)).json()
    elsewhere = await front.ask("你好", "C1001")
    assert (await rate(front, answer["answer_id"], "up", "C1001", session_id=elsewhere["session_id"])).status_code == 404


@pytest.mark.parametrize("rating", [0, 6, True, "UP", 2.5, None])
async def test_a_rating_is_a_thumb_or_one_to_five(front: Front, rating: Any) -> None:
    response = await rate(front, "ans_x", rating)
    assert (response.status_code, response.json()["error"]["param"]) == (422, "rating")


# What taps teach


async def tap(front: Front, question: str) -> str:
    """Asks what nothing answers, and taps the first suggestion, twice with the same message; returns its id."""
    missed = await front.ask(question, "C1001")
    choice = missed["suggestions"][0]["id"]
    body = {"choice": choice, "session_id": missed["session_id"], "message_id": uuid4().hex}
    for _ in range(2):
        assert (await front.post("/v1/ask", customer="C1001", json=body)).status_code == 200
    return choice


async def proposed(desk: Desk, text: str, count: int = 1) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            for one in (await desk("GET", f"{KNOWLEDGE}/proposals"))["proposals"]:
                if one["variant"]["text"] == text and one["count"] == count:
                    return one
            await asyncio.sleep(0.01)


async def test_what_was_asked_before_a_tap_is_proposed_and_may_be_accepted(front: Front, desk: Desk) -> None:
    question = "你们老板的生日是哪天"
    entry_id = await tap(front, question)
    one = await proposed(desk, question)
    assert one["variant"] == {"entry_id": entry_id, "language": "zh", "text": question}
    assert (one["state"], "C1001" in str(one)) == ("proposed", False)
    await tap(front, question)
    await proposed(desk, question, 2)

    await desk("POST", f"{KNOWLEDGE}/proposals/{one['id']}/accept")
    drafted = await desk("GET", f"{KNOWLEDGE}/diff")
    assert [change["id"] for change in drafted["changes"]] == [entry_id]
    assert question in drafted["changes"][0]["fields"][0]["after"]
    await desk("POST", f"{KNOWLEDGE}/proposals/{one['id']}/accept", 409)
    await desk("POST", f"{KNOWLEDGE}/proposals/{one['id']}/reject", 409)
    await desk("POST", f"{KNOWLEDGE}/proposals/var_none/accept", 404)
    await desk("DELETE", f"{KNOWLEDGE}/draft", 204)


async def test_what_could_be_a_customers_own_is_not_kept(front: Front, desk: Desk) -> None:
    await tap(front, "你们老板的生日是不是8812")
    harmless = "你们老板喜欢什么颜色"
    await tap(front, harmless)
    await proposed(desk, harmless)
    texts = [one["variant"]["text"] for one in (await desk("GET", f"{KNOWLEDGE}/proposals"))["proposals"]]
    assert not any("8812" in text for text in texts)
    rejected = next(
        one for one in (await desk("GET", f"{KNOWLEDGE}/proposals"))["proposals"] if one["variant"]["text"] == harmless
    )
    await desk("POST", f"{KNOWLEDGE}/proposals/{rejected['id']}/reject")
    kept = (await desk("GET", f"{KNOWLEDGE}/proposals?state=rejected"))["proposals"]
    assert [one["id"] for one in kept] == [rejected["id"]]
