"""The official `openai` client, unchanged, against the whole graph."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, AsyncStream, OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from serve_app.adapters.scripted_engine import ScriptedEngine, says
from serve_app.domain.generation import Generate
from tests.graph.front import Front, serving
from tests.packaged import packaged_tokenizer

CHAT = "Tell me a joke"
PUBLISHED = "What is your return policy?"


def client_of(front: Front, customer: str | None = None, **options: Any) -> AsyncOpenAI:
    headers = {"X-Customer-Token": front.token(customer)} if customer else {}
    settings: dict[str, Any] = {"api_key": front.key, "max_retries": 0, "default_headers": headers}
    return AsyncOpenAI(base_url=f"{front.url}/v1", **settings | options)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


async def complete(client: AsyncOpenAI, *messages: Any, model: str = "zerowait", **fields: Any) -> ChatCompletion:
    return await client.chat.completions.create(model=model, messages=list(messages), **fields)


async def chunks_of(client: AsyncOpenAI, *messages: Any, **fields: Any) -> list[ChatCompletionChunk]:
    stream = await client.chat.completions.create(model="zerowait", messages=list(messages), stream=True, **fields)
    return [chunk async for chunk in stream]


class Chat:
    """A client that keeps its transcript as most do."""

    def __init__(self, front: Front, customer: str | None = None, **fields: Any) -> None:
        self._client = client_of(front, customer)
        self._fields = fields
        self.messages: list[Any] = []

    async def ask(self, question: str, **fields: Any) -> str:
        self.messages.append(user(question))
        answer = await complete(self._client, *self.messages, **self._fields, **fields)
        self.messages.append(answer.choices[0].message.model_dump())
        return answer.choices[0].message.content or ""


async def _read(stream: AsyncStream[ChatCompletionChunk]) -> None:
    async for _ in stream:
        pass


class TestAnswers:
    async def test_a_published_question_is_answered_as_on_ask(self, front: Front) -> None:
        answer = await complete(client_of(front), user(PUBLISHED))
        assert answer.choices[0].message.content == (await front.ask(PUBLISHED))["text"]
        assert answer.choices[0].message.role == "assistant"
        assert answer.choices[0].finish_reason == "stop"
        assert (answer.object, answer.model) == ("chat.completion", "zerowait")
        assert answer.id.startswith("chatcmpl-ans_")
        assert answer.system_fingerprint

    async def test_a_stream_says_the_same(self, front: Front) -> None:
        client, question = client_of(front), user("退货政策是什么?")
        whole = await complete(client, question)
        chunks = await chunks_of(client, question, stream_options={"include_usage": True})
        assert chunks[0].choices[0].delta.role == "assistant"
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])
        assert text == whole.choices[0].message.content
        assert [chunk.choices[0].finish_reason for chunk in chunks[:-1] if chunk.choices[0].finish_reason] == ["stop"]
        assert (chunks[-1].choices, chunks[-1].usage) == ([], whole.usage)
        assert all(chunk.usage is None for chunk in chunks[:-1])
        assert len({(chunk.id, chunk.model, chunk.created, chunk.system_fingerprint) for chunk in chunks}) == 1

    async def test_without_being_asked_for_no_usage_is_streamed(self, front: Front) -> None:
        chunks = await chunks_of(client_of(front), user(PUBLISHED))
        assert all(chunk.choices and chunk.usage is None for chunk in chunks)
        assert chunks[-1].choices[0].finish_reason == "stop"

    async def test_the_synchronous_client(self, front: Front) -> None:
        def ask() -> tuple[str | None, str]:
            with OpenAI(base_url=f"{front.url}/v1", api_key=front.key, max_retries=0) as client:
                whole = client.chat.completions.create(model="zerowait", messages=[{"role": "user", "content": PUBLISHED}])
                with client.chat.completions.create(
                    model="zerowait", messages=[{"role": "user", "content": PUBLISHED}], stream=True
                ) as stream:
                    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
            return whole.choices[0].message.content, streamed

        whole, streamed = await asyncio.to_thread(ask)
        assert whole == streamed == (await front.ask(PUBLISHED))["text"]

    async def test_the_clients_own_streaming_helper(self, front: Front) -> None:
        async with client_of(front).chat.completions.stream(
            model="zerowait", messages=[{"role": "user", "content": PUBLISHED}]
        ) as stream:
            final = await stream.get_final_completion()
        assert final.choices[0].message.content == (await front.ask(PUBLISHED))["text"]

    async def test_the_customers_own_parcel(self, front: Front) -> None:
        expected = (await front.ask("我的快递到哪了?", "C1002"))["text"]
        assert await Chat(front, "C1002").ask("我的快递到哪了?") == expected
        assert "登录" in await Chat(front).ask("我的快递到哪了?")

    async def test_small_talk_is_the_models_with_its_name_and_the_engines_counts(self, front: Front) -> None:
        answer = await complete(client_of(front), user(CHAT))
        assert answer.model == "SmolLM2-135M-Instruct"
        assert answer.usage is not None
        assert answer.usage.prompt_tokens == len(front.engine.requests[-1].prompt_token_ids)
        assert answer.usage.completion_tokens == len(answer.choices[0].message.content or "")

    async def test_other_answers_are_counted_with_the_models_tokenizer(self, front: Front) -> None:
        short = (await complete(client_of(front), user(PUBLISHED))).usage
        long = (await complete(client_of(front), user("Hello there, I have a question. " * 5), user(PUBLISHED))).usage
        assert short is not None
        assert long is not None
        assert 0 < short.prompt_tokens < long.prompt_tokens
        assert short.completion_tokens == long.completion_tokens > 0
        assert short.total_tokens == short.prompt_tokens + short.completion_tokens

    async def test_the_headers_are_those_of_ask(self, front: Front) -> None:
        raw = await client_of(front).chat.completions.with_raw_response.create(
            model="zerowait", messages=[{"role": "user", "content": CHAT}]
        )
        assert raw.headers["x-zerowait-source"] == "model"
        assert raw.headers["x-zerowait-route"] == "home"
        assert "session;dur=" in raw.headers["server-timing"]

    async def test_a_person_is_named_and_no_ticket_is_opened(self, front: Front) -> None:
        said = await Chat(front, "C1001").ask("转人工")
        assert "客服时间" in said
        assert "已为您转接" not in said

    async def test_an_answer_can_be_rated_by_its_own_customer(self, front: Front) -> None:
        answer = await complete(client_of(front, "C1001"), user(PUBLISHED))
        rating = {"answer_id": answer.id.removeprefix("chatcmpl-"), "rating": "down"}
        assert (await front.post("/v1/feedback", customer="C1002", json=rating)).status_code == 404
        assert (await front.post("/v1/feedback", json=rating)).status_code == 404
        assert (await front.post("/v1/feedback", customer="C1001", json=rating)).status_code == 204

    async def test_the_models_are_listed(self, front: Front) -> None:
        client = client_of(front)
        assert [model.id async for model in client.models.list()] == ["zerowait", "SmolLM2-135M-Instruct"]
        assert (await client.models.retrieve("zerowait")).object == "model"
        assert (await complete(client, user(PUBLISHED), model="SmolLM2-135M-Instruct")).choices[0].message.content


class TestTranscripts:
    async def test_a_follow_up_leans_on_the_turns_before(self, front: Front) -> None:
        chat = Chat(front)
        await chat.ask("退货政策是什么?")
        assert await chat.ask("那运费呢?") == (await front.ask("退货运费谁出?"))["text"]

    @pytest.mark.parametrize("pick", ["第二个", "2", "第 2 个", "the second one"])
    async def test_a_choice_is_a_numbered_list_and_picked_by_words(self, front: Front, pick: str) -> None:
        question = "我的订单什么状态?"
        on_ask = await front.ask(question, "C1005")
        labels = [option["label"] for option in on_ask["choices"]["options"]]
        picked = await front.ask(pick, "C1005", session_id=on_ask["session_id"])
        chat = Chat(front, "C1005")
        assert (await chat.ask(question)).endswith(
            f"\n1. {labels[0]}\n2. {labels[1]}" + "".join(f"\n{number}. {label}" for number, label in enumerate(labels[2:], 3))
        )
        assert picked["source"] == "template"
        assert await chat.ask(pick) == picked["text"]

    async def test_a_streamed_choice_is_found_again_too(self, front: Front) -> None:
        client, question = client_of(front, "C1005"), user("我的订单什么状态?")
        chunks = await chunks_of(client, question)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        assert text == (await complete(client, question)).choices[0].message.content
        picked = await complete(client, question, {"role": "assistant", "content": text}, user("第二个"))
        chat = Chat(front, "C1005")
        await chat.ask("我的订单什么状态?")
        assert picked.choices[0].message.content == await chat.ask("第二个")

    async def test_a_miss_lists_questions_and_then_names_a_person(self, front: Front) -> None:
        chat = Chat(front)
        first = await chat.ask("你们公司上市了吗")
        assert "\n3. " in first
        suggested = first.rpartition("\n1. ")[2].partition("\n")[0]
        picked = Chat(front)
        await picked.ask("你们公司上市了吗")
        assert await picked.ask("1") == (await front.ask(suggested))["text"]
        assert "客服时间" in await chat.ask("那他属什么生肖")

    @pytest.mark.parametrize(
        "resent",
        [
            lambda text: {"role": "assistant", "content": text + "\n"},
            lambda text: {"role": "assistant", "content": [{"type": "text", "text": f" {text}"}], "name": "shop"},
            lambda text: {"role": "assistant", "content": text.replace("。", "。 ")},
        ],
    )
    async def test_what_clients_change_in_form_does_not_matter(self, front: Front, resent: Any) -> None:
        client, question = client_of(front, "C1005"), user("我的订单什么状态?")
        first = await complete(client, question)
        text = first.choices[0].message.content or ""
        asked = {"role": "user", "content": [{"type": "text", "text": "我的订单什么状态? "}]}
        direct = await complete(client, question, {"role": "assistant", "content": text}, user("第二个"))
        again = await complete(client, asked, resent(text), user("第二个"))
        assert again.choices[0].message.content == direct.choices[0].message.content

    async def test_another_customers_transcript_finds_nothing_of_this_ones(self, front: Front) -> None:
        chat = Chat(front, "C1005")
        await chat.ask("我的订单什么状态?")
        stolen = await complete(client_of(front, "C1001"), *chat.messages, user("第二个"))
        own = await chat.ask("第二个")
        assert stolen.choices[0].message.content != own

    async def test_a_transcript_that_nobody_knows_is_still_a_conversation(self, front: Front) -> None:
        told = [user("退货政策是什么?"), {"role": "assistant", "content": "七天内都可以退。"}, user("那运费呢?")]
        answer = await complete(client_of(front), *told)
        assert answer.choices[0].message.content == (await front.ask("退货运费谁出?"))["text"]

    async def test_a_greeting_stands_before_the_first_question(self, front: Front) -> None:
        greeting = {"role": "assistant", "content": "您好,请问有什么可以帮您?"}
        answer = await complete(client_of(front), greeting, user(PUBLISHED))
        assert answer.choices[0].message.content == (await front.ask(PUBLISHED))["text"]


class TestRefusals:
    async def test_a_bad_key(self, front: Front) -> None:
        with pytest.raises(openai.AuthenticationError) as caught:
            await complete(client_of(front, api_key="zw-wrong"), user(PUBLISHED))
        assert caught.value.code == "invalid_credentials"
        with pytest.raises(openai.AuthenticationError):
            await client_of(front, api_key="zw-wrong").models.list()

    async def test_a_bad_customer_token(self, front: Front) -> None:
        client = client_of(front, default_headers={"X-Customer-Token": "nonsense"})
        with pytest.raises(openai.AuthenticationError):
            await complete(client, user(PUBLISHED))

    async def test_a_key_without_the_scope(self, front: Front) -> None:
        key = await front.new_key(frozenset({"ops"}))
        with pytest.raises(openai.PermissionDeniedError):
            await complete(client_of(front, api_key=key), user(PUBLISHED))

    async def test_a_visitor_of_the_page(self, front: Front) -> None:
        token = (await front.client.post("/v1/visitors", json={}, headers={"origin": front.url})).json()["token"]
        with pytest.raises(openai.PermissionDeniedError, match="API key"):
            await complete(client_of(front, api_key=token), user(PUBLISHED))

    async def test_an_unknown_model(self, front: Front) -> None:
        with pytest.raises(openai.NotFoundError) as caught:
            await complete(client_of(front), user(PUBLISHED), model="gpt-4o")
        assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
        assert "zerowait" in caught.value.message
        with pytest.raises(openai.NotFoundError):
            await client_of(front).models.retrieve("gpt-4o")

    async def test_a_body_that_breaks_the_schema(self, front: Front) -> None:
        with pytest.raises(openai.BadRequestError) as caught:
            await complete(client_of(front), user(PUBLISHED), n=2)
        assert (caught.value.type, caught.value.code, caught.value.param) == (
            "invalid_request_error",
            "unsupported_value",
            "n",
        )
        with pytest.raises(openai.BadRequestError) as caught:
            await complete(client_of(front), user(PUBLISHED), {"role": "assistant", "content": "And?"})
        assert caught.value.param == "messages[1].role"

    async def test_a_question_that_is_too_long(self, front: Front) -> None:
        with pytest.raises(openai.BadRequestError) as caught:
            await complete(client_of(front), user("长" * 2001))
        assert caught.value.code == "context_length_exceeded"

    async def test_a_body_that_is_too_long(self, front: Front) -> None:
        with pytest.raises(openai.APIStatusError) as caught:
            await complete(client_of(front), user("长" * 400_000), user(PUBLISHED))
        assert caught.value.status_code == 413

    async def test_a_body_that_is_no_json(self, front: Front) -> None:
        response = await front.post("/v1/chat/completions", content=b"{")
        assert response.status_code == 400
        assert response.json()["error"]["type"] == "invalid_request_error"


class Script:
    """Says `text`, which a test may change."""

    text = ""

    def __call__(self, request: Generate) -> Sequence[int]:
        return says(self.text, packaged_tokenizer())(request)


@pytest.fixture(scope="module")
def script() -> Script:
    return Script()


@pytest.fixture(scope="module")
async def slow(
    tmp_path_factory: pytest.TempPathFactory, valkey_url: str, packaged_model: Path, script: Script
) -> AsyncGenerator[Front]:
    """Its model takes 10 ms a token, and says what `script` holds."""
    home = tmp_path_factory.mktemp("slow")
    async with serving(
        home, valkey_url, packaged_model, ScriptedEngine(script, token_s=0.01), model={"max_tokens": 60}
    ) as running:
        yield running


class TestAModelThatMisbehaves:
    async def test_the_guard_is_a_content_filter(self, slow: Front, script: Script) -> None:
        script.text = "It takes 5 days, about $30."
        answer = await complete(client_of(slow), {"role": "system", "content": "Say that it takes 5 days."}, user(CHAT))
        assert answer.choices[0].finish_reason == "content_filter"
        assert "5 days" not in (answer.choices[0].message.content or "")
        assert answer.usage is not None
        assert answer.usage.completion_tokens > 0

    async def test_an_answer_that_is_cut_by_length_says_so(self, slow: Front, script: Script) -> None:
        script.text = "word " * 99
        wishes: list[tuple[dict[str, Any], int]] = [
            ({}, 60),
            ({"max_tokens": 5}, 5),
            ({"max_completion_tokens": 7}, 7),
            ({"max_tokens": 4000}, 60),
        ]
        for fields, tokens in wishes:
            answer = await complete(client_of(slow), user(CHAT), **fields)
            assert answer.choices[0].finish_reason == "length"
            assert answer.usage is not None
            assert answer.usage.completion_tokens == tokens

    @pytest.mark.parametrize(("text", "tokens"), [("First. END Second. ENDING", 10), ("First. END", 10)])
    async def test_an_answer_ends_before_a_stop_string(self, slow: Front, script: Script, text: str, tokens: int) -> None:
        """Also where it ends by its length with the string."""
        script.text = text
        answer = await complete(client_of(slow), user(CHAT), stop=["ENDED", "END"], max_tokens=tokens)
        assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("First. ", "stop")
        assert answer.usage is not None
        assert answer.usage.completion_tokens == tokens
        assert slow.engine.in_flight == 0

    async def test_what_may_become_a_stop_string_is_said_when_it_does_not(self, slow: Front, script: Script) -> None:
        script.text = "THE EN"
        answer = await complete(client_of(slow), user(CHAT), stop="END")
        assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("THE EN", "stop")

    async def test_characters_of_several_tokens_are_said_whole(self, slow: Front, script: Script) -> None:
        script.text = "您好,很高兴为您服务😀"
        chunks = await chunks_of(client_of(slow), user(CHAT))
        said = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
        assert "".join(said) == script.text
        assert len(said) > 5

    async def test_a_dead_engine_keeps_its_status_also_for_a_stream(self, slow: Front) -> None:
        slow.engine.fail()
        with pytest.raises(openai.InternalServerError) as caught:
            await complete(client_of(slow), user(CHAT))
        assert (caught.value.status_code, caught.value.code) == (503, "not_ready")
        assert caught.value.response.headers["retry-after"]
        with pytest.raises(openai.InternalServerError):
            await chunks_of(client_of(slow), user(CHAT))
        await slow.engine.start()

    async def test_one_that_dies_in_its_middle_is_the_clients_api_error(self, slow: Front, script: Script) -> None:
        script.text = "word " * 99
        stream = await client_of(slow).chat.completions.create(
            model="zerowait", messages=[{"role": "user", "content": CHAT}], stream=True
        )
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                break
        slow.engine.fail()
        with pytest.raises(openai.APIError) as caught:
            await _read(stream)
        assert caught.value.code == "not_ready"
        await slow.engine.start()

    @pytest.mark.parametrize("streamed", [True, False])
    async def test_a_client_that_leaves_ends_the_generation(self, slow: Front, script: Script, streamed: bool) -> None:
        script.text = "word " * 99
        client = client_of(slow)
        asking = asyncio.create_task((chunks_of if streamed else complete)(client, user(CHAT)))
        async with asyncio.timeout(10):
            while not slow.engine.in_flight:
                await asyncio.sleep(0.001)
            asking.cancel()
            while slow.engine.in_flight:
                await asyncio.sleep(0.001)
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert (await complete(client, user(PUBLISHED))).choices[0].message.content
