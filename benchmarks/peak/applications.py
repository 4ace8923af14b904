"""The shop's application with a scripted engine that talks like a large model: 128 tokens, one every 14 ms."""

# No postponed annotations: Serve reads those of the builder.

import os

from ray.serve.deployment import Application

from serve_app.adapters.scripted_engine import ScriptedEngine
from serve_app.adapters.tokenizer import HfTokenizer
from serve_app.config import Config
from serve_app.graph import inference, ingress
from serve_app.packaged_model import model_path
from serve_app.ports import Engine

TOKENS, TOKEN_S = 128, 0.014


def talking(config: Config) -> Engine:
    words = HfTokenizer.load(model_path(config.home)).encode_plain(" We are glad to help you with that." * TOKENS)[:TOKENS]
    return ScriptedEngine(lambda _request: words, token_s=TOKEN_S)


def shop(config: Config) -> Application:
    config = config.resolved(os.environ)
    return ingress(config, inference(config, talking))
