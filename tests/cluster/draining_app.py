"""The engine's application with an engine that speaks for minutes; the rest is the product's."""

# No postponed annotations: Serve reads that of `build`.

import os
from itertools import cycle, islice

from ray.serve.deployment import Application

from deployments.inference.door import Door
from serve_app.adapters.scripted_engine import ScriptedEngine
from serve_app.adapters.tokenizer import HfTokenizer
from serve_app.config import Config, RoomSettings
from serve_app.domain.generation import Generate
from serve_app.graph import deploy, inference
from serve_app.packaged_model import model_path
from serve_app.ports import Engine

TOKEN_S = 0.5
# Tokens of the answer, by a word of the question.
TOKENS = {"song": 360, "poem": 200, "joke": 12}
WORDS = " alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec"


def answer(tokenizer: HfTokenizer, tokens: int) -> list[int]:
    return list(islice(cycle(tokenizer.encode_plain(WORDS)), tokens))


def slow_engine(config: Config) -> Engine:
    tokenizer = HfTokenizer.load(model_path(config.home))

    def script(request: Generate) -> list[int]:
        prompt = tokenizer.decode(request.prompt_token_ids)
        return next(answer(tokenizer, tokens) for word, tokens in TOKENS.items() if word in prompt)

    return ScriptedEngine(script, token_s=TOKEN_S)


def build(config: Config) -> Application:
    config = config.resolved(os.environ)
    return deploy(Door, RoomSettings(), config).bind(inference(config, slow_engine))
