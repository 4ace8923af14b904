"""How long the shop's rules may be in a prompt."""

from __future__ import annotations

from datetime import UTC, datetime

from serve_app.adapters.tokenizer import ByteTokenizer
from serve_app.answering.voices import Voices
from serve_app.config import AnswersSettings, ModelSettings
from serve_app.domain.intents import Intent
from serve_app.domain.knowledge import Entry, Template
from serve_app.domain.model_card import card_of
from serve_app.tenant_settings import TenantSettings


class _Record:
    def __init__(self, answer: str) -> None:
        self._entry = Entry("fee", 1, Intent.SHIPPING_FEE, {"zh": ("运费",), "en": ("fee",)}, {"zh": answer, "en": answer})

    async def published(self, tenant: str) -> tuple[list[Entry], list[Template]]:
        return [self._entry], []

    async def version(self, tenant: str) -> int:
        return 1

    async def versions(self, tenant: str) -> dict[str, int]:
        return {"fee": 1}


class _Clock:
    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


async def _prompt(answer: str) -> str:
    tokenizer = ByteTokenizer()
    model = ModelSettings(path="some/model", answers=AnswersSettings(), max_model_len=4096, max_tokens=64)
    voices = Voices({"demo": TenantSettings()}, _Record(answer), tokenizer, model, card_of(model), _Clock())
    await voices.renew("demo")
    prompt = voices.of("demo").renderer.session_prompt((), "some", "hello", facts_text=None, language="en")
    return tokenizer.decode(prompt.token_ids)


async def test_rules_that_fit_are_told() -> None:
    assert "eight yuan" in await _prompt("eight yuan")


async def test_rules_that_leave_no_room_are_left_out() -> None:
    prompt = await _prompt("eight yuan " * 400)
    assert "eight yuan" not in prompt
    assert "hello" in prompt
