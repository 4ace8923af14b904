"""The official `openai` client, unchanged, against the whole graph."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from serve_app.adapters.scripted_engine import ScriptedEngine, says
from tests.graph.front import Front, serving

CHAT = "Tell me a joke"


def client_of(front: Front, customer: str | None = None, **options: Any) -> AsyncOpenAI:
    headers = {"X-Customer-Token": front.token(customer)} if customer else {}
    settings = {"api_key": front.key, "max_retries": 0, "default_headers": headers} | options
    return AsyncOpenAI(base_url=f"{front.url}/v1", **settings)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def said(answer: ChatCompletion) -> dict[str, Any]:
    """As a client puts it into its transcript."""
    return answer.choices[0].message.model_dump()


async def complete(client: AsyncOpenAI, *messages: Any, model: str = "zerowait", **fields: Any) -> ChatCompletion:
    return await client.chat.completions.create(model=model, messages=list(messages), **fields)


class Chat:
    """A client that keeps its transcript as most do."""

    def __init__(self, front: Front, customer: str | None = None, **fields: Any) -> None:
        self._client = client_of(front, customer)
        self._fields = fields
        self.messages: list[Any] = []

    async def ask(self, question: str, **fields: Any) -> str:
        self.messages.append(user(question))
        answer = await complete(self._client, *self.messages, **self._fields, **fields)
        self.messages.append(said(answer))
        return answer.choices[0].message.content or ""


async def test_a_published_question_is_answered_as_on_ask(front: Front) -> None:
    answer = await complete(client_of(front), user("What is your return policy?"))
    assert answer.choices[0].message.content == (await front.ask("What is your return policy?"))["text"]
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.object, answer.model) == ("chat.completion", "zerowait")
    assert answer.id.startswith("chatcmpl-ans_")
    assert answer.usage is not None
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


async def test_a_stream_says_the_same(front: Front) -> None:
    client = client_of(front)
    whole = await complete(client, user("退货政策是什么?"))
    stream = await client.chat.completions.create(
        model="zerowait", messages=[{"role": "user", "content": "退货政策是什么?"}], stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])
    assert text == whole.choices[0].message.content
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert (chunks[-1].choices, chunks[-1].usage) == ([], whole.usage)
    assert len({chunk.id for chunk in chunks}) == 1


async def test_the_customers_own_parcel(front: Front) -> None:
    chat = Chat(front, "C1002")
    assert await chat.ask("我的快递到哪了?") == (await front.ask("我的快递到哪了?", "C1002"))["text"]


async def test_a_follow_up_leans_on_the_transcript(front: Front) -> None:
    chat = Chat(front)
    await chat.ask("退货政策是什么?")
    assert await chat.ask("那运费呢?") == (await front.ask("退货运费谁出?"))["text"]


@pytest.mark.parametrize("pick", ["第二个", "2", "the second one"])
async def test_a_choice_is_a_numbered_list_and_answered_by_words(front: Front, pick: str) -> None:
    chat = Chat(front, "C1005")
    offered = await chat.ask("我的订单什么状态?")
    assert "\n1. " in offered
    assert "\n2. " in offered
    on_ask = await front.ask("我的订单什么状态?", "C1005")
    direct = await front.ask("第二个", "C1005", session_id=on_ask["session_id"])
    if pick == "the second one":
        direct = await front.ask("the second one", "C1005", session_id=(await front.ask("我的订单什么状态?", "C1005"))["session_id"])
    assert await chat.ask(pick) == direct["text"]
