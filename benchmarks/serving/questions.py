"""Questions that only a model answers, no two of them alike, with the tokens that it reads for them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path

from benchmarks.serving.asking import Prompt
from serve_app.adapters.tokenizer import HfTokenizer
from serve_app.config import ModelSettings
from serve_app.domain.intents import Intent
from serve_app.domain.prompt import FORMATS, PromptRenderer
from serve_app.domain.question import Focus
from serve_app.domain.system_text import chat_text
from serve_app.first_questions import make_understander

OPENINGS = ("I feel bored, please tell me a joke about", "Please tell me a joke, I am bored:")
KINDS = """
    brave calm clever cosy curious eager fancy fluffy gentle giant happy hungry jolly kind lazy little lonely loud lucky
    merry modest nervous noisy polite proud quiet quick shy silly sleepy slow sly small snowy soft strange striped sunny
    tame tidy timid tiny wild wise witty young
"""
ANIMALS = """
    badgers bears beavers camels cats cows crows deer dogs dolphins donkeys doves ducks eagles elephants falcons ferrets
    foxes frogs geese giraffes goats hamsters hares hawks hedgehogs hens herons horses kittens koalas lambs larks lions
    llamas mice moles monkeys moose newts otters owls oxen pandas parrots penguins pigs ponies puffins puppies rabbits
    ravens robins seals sheep sloths sparrows squirrels storks swans tigers toads turtles whales wolves wombats wrens yaks
    zebras
"""


def small_talk(model: ModelSettings, folder: Path, seed: int) -> Iterator[Prompt]:
    """Thousands, in random order. None needs a fact of the shop, and none is an exact wording of anything published."""
    tokenizer = HfTokenizer.load(folder)
    renderer = PromptRenderer(
        tokenizer,
        chat_text(),
        "",
        FORMATS[model.chat_format],
        think_block=model.think_block,
        max_model_len=model.max_model_len,
        answer_tokens=model.max_tokens,
    )
    understander, day = make_understander(), date(2026, 1, 5)
    texts = [f"{opening} {kind} {animal}" for opening, kind, animal in product(OPENINGS, KINDS.split(), ANIMALS.split())]
    random.Random(seed).shuffle(texts)
    for text in texts:
        understood = understander.understand(text, Focus(), day)
        if understood.intent is Intent.CHITCHAT and understood.language == "en":
            prompt = renderer.session_prompt([], "", understood.text, facts_text=None, language="en")
            yield Prompt(text, prompt.token_ids)
