"""What is declared of a model: its name, and what it may answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from serve_app.config import AnswersSettings, ModelSettings
from serve_app.domain.messages import Kind, Language

PACKAGED_NAME = "SmolLM2-135M-Instruct"
# The packaged model speaks no usable Chinese and gets a shop's facts wrong.
_PACKAGED_ANSWERS = AnswersSettings(languages=("en",), kinds=("chat",))


@dataclass(frozen=True, slots=True)
class ModelCard:
    """`key` names the model in records of rendered prompts; a prompt that one model saw is no use to another."""

    name: str
    key: str
    demo: bool  # shown as "may be wrong", never in a shared tier
    languages: frozenset[Language]
    kinds: frozenset[str]  # of "public", "personal", "chat"
    max_model_len: int  # tokens


def card_of(settings: ModelSettings) -> ModelCard:
    """The card of the configured model. What the settings leave open depends on whether it is the packaged one."""
    packaged = settings.path is None
    name = settings.name or (PACKAGED_NAME if settings.path is None else PurePosixPath(settings.path).name)
    answers = settings.answers or (_PACKAGED_ANSWERS if packaged else AnswersSettings())
    return ModelCard(
        name=name,
        key=f"{settings.path or PACKAGED_NAME}|{settings.chat_format}",
        demo=packaged if settings.demo is None else settings.demo,
        languages=frozenset(answers.languages),
        kinds=frozenset(answers.kinds),
        max_model_len=settings.max_model_len,
    )


def may_answer(card: ModelCard, language: Language, kind: Kind, chat: bool) -> bool:
    """Whether the model may answer such a question. `chat`: it needs none of the shop's facts or policies.

    A model gives no templated answers (they are the shop's words) and does no actions (they take two confirmed steps).
    """
    if language not in card.languages:
        return False
    if chat:
        return "chat" in card.kinds
    return kind in (Kind.PUBLIC, Kind.PERSONAL) and kind.value in card.kinds
