"""What an ingress process does of pre-generation: it puts jobs to its model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from serve_app.answering.library import Library
from serve_app.answering.speaker import Speaker
from serve_app.answering.voices import Voices
from serve_app.config import Config
from serve_app.domain.model_card import card_of
from serve_app.domain.question import Understanding
from serve_app.ports import Clock, InferenceRoom, Tokenizer
from serve_app.pregeneration.asking import Asking
from serve_app.pregeneration.assembling import Stores
from serve_app.pregeneration.choosing import languages_of
from serve_app.pregeneration.drafts import Drafts
from serve_app.pregeneration.making import EntryMaker, Makers, RenewalMaker, TemplateMaker
from serve_app.pregeneration.worker import Worker
from serve_app.pregeneration.writing import Writer


@dataclass(frozen=True, slots=True)
class Means:
    """How a process puts questions to the model."""

    speaker: Speaker
    room: InferenceRoom
    voices: Voices
    tokenizer: Tokenizer
    library: Library
    understand: Callable[[str, str], Understanding]
    clock: Clock
    new_id: Callable[[str], str]


def worker(config: Config, stores: Stores, means: Means, load: Callable[[], float]) -> Worker | None:
    """None where the model may make nothing: the jobs wait for a process whose model may."""
    card, limits = card_of(config.model), config.limits
    if not languages_of(card) or not limits.pregenerations:
        return None
    asking = Asking(means.speaker, means.library, means.understand, means.clock, means.new_id)
    writer = Writer(means.room, means.tokenizer, config.model, means.new_id)
    makers = Makers(
        {
            "answer": EntryMaker(asking, writer),
            "template": TemplateMaker(stores.editor, writer),
            "renewal": RenewalMaker(asking, Drafts(stores.editor), means.voices, means.clock),
        }
    )
    return Worker(
        stores.jobs,
        makers,
        card.name,
        config.tenants,
        means.clock,
        at_once=limits.pregenerations,
        has_room=lambda: load() < limits.pregeneration_load,
    )
