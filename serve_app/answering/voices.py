"""How each tenant's prompts are written, kept true to what is published."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from serve_app.config import ModelSettings
from serve_app.domain.errors import ConfigError
from serve_app.domain.generation import Sampling
from serve_app.domain.knowledge import Entry
from serve_app.domain.model_card import ModelCard
from serve_app.domain.prompt import FORMATS, Encoder, PromptRenderer
from serve_app.domain.system_text import PROMPT_VERSION, chat_text, policies_text, system_text
from serve_app.ports import Clock, KnowledgeRecord
from serve_app.tenant_settings import TenantSettings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What could change an answer, besides the question: it stands in every key of a shared answer.

    The published rules do not stand in it, nor in the prompt of an answer that may be shared: such an answer names every
    published text that its prompt held, with its version. So a publication hides just the answers that used what it changed.
    """

    prompt_version: str
    system_digest: str  # of the system text
    model: str
    sampling: Sampling

    def digest(self) -> str:
        """Of all of it: what was made under another stamp is not said under this one."""
        return _digest(self.prompt_version, self.system_digest, self.model, repr(self.sampling))


@dataclass(frozen=True, slots=True)
class Voice:
    renderer: PromptRenderer
    stamp: Stamp
    fingerprint: str  # of all that a conversation's prompt begins with
    time_zone: str


class Voices:
    """One voice a tenant. `renew` is called at the start and whenever something was published."""

    def __init__(
        self,
        tenants: Mapping[str, TenantSettings],
        record: KnowledgeRecord,
        encoder: Encoder,
        model: ModelSettings,
        card: ModelCard,
        clock: Clock,
    ) -> None:
        self._tenants = tenants
        self._record = record
        self._encoder = encoder
        self._model = model
        self._card = card
        self._clock = clock
        self._voices: dict[str, Voice] = {}

    def of(self, tenant: str) -> Voice:
        return self._voices[tenant]

    def stamp(self, tenant: str) -> Stamp:
        return self._voices[tenant].stamp

    async def renew(self, tenant: str) -> None:
        """Rules that would leave no room for a conversation are left out: a question still finds the passages for it.

        Raises StoreFailed, and ConfigError when a model cannot take the instructions alone.
        """
        # A model that may say nothing of the shop is not told its rules either.
        entries = () if self._is_for_chat else (await self._record.published(tenant))[0]
        # Thousands of rules take a while to encode, and customers are answered meanwhile.
        self._voices[tenant] = await asyncio.to_thread(self._speaking_of, tenant, entries)

    def _speaking_of(self, tenant: str, entries: Iterable[Entry]) -> Voice:
        shop, model = self._tenants[tenant].shop, self._model
        system, policies = self._texts(tenant, entries)
        try:
            renderer = self._renderer(system, policies)
        except ConfigError as error:
            renderer = self._renderer(system, policies := "")
            logger.warning("tenant %s: the model is told no rules but those that a question finds: %s", tenant, error)
        sampling = Sampling(temperature=model.temperature, max_tokens=model.max_tokens)
        stamp = Stamp(PROMPT_VERSION, _digest(system), self._card.key, sampling)
        return Voice(renderer, stamp, _digest(system, policies), shop.time_zone)

    def _renderer(self, system: str, policies: str) -> PromptRenderer:
        model = self._model
        return PromptRenderer(
            self._encoder,
            system,
            policies,
            FORMATS[model.chat_format],
            think_block=model.think_block,
            max_model_len=model.max_model_len,
            answer_tokens=model.max_tokens,
        )

    @property
    def _is_for_chat(self) -> bool:
        return self._card.kinds <= {"chat"}

    def _texts(self, tenant: str, entries: Iterable[Entry]) -> tuple[str, str]:
        """System text and policies."""
        if self._is_for_chat:
            return chat_text(), ""
        shop, now = self._tenants[tenant].shop, self._clock.now()
        return system_text(shop.name_zh, shop.name_en), policies_text([entry for entry in entries if entry.is_valid(now)], "zh")


def _digest(*texts: str) -> str:
    told = "".join(f"{len(text)}:{text}" for text in texts)
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()
