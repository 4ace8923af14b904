"""The shop's application as `serve_app.graph.build` makes it, with an engine that tells plain words to a fixed length."""

# No postponed annotations: Serve reads those of the builders.

import os

from ray.serve.deployment import Application

from benchmarks.gpu_run.paced import PacedEngine
from benchmarks.gpu_run.recalling import Recalling
from benchmarks.gpu_run.watching import Watched
from benchmarks.serving.fixed_length import WORDS, FixedLength
from deployments.inference.room import vllm_engine
from serve_app.adapters.tokenizer import HfTokenizer
from serve_app.config import Config
from serve_app.graph import inference, ingress
from serve_app.packaged_model import model_path
from serve_app.ports import Engine

# The pace of one H100 beside some forty streams (Qwen3-32B in FP8), at 30 to 35 questions a second.
FIRST_MS, TOKEN_MS = 70.0, 25.0


def shop(config: Config) -> Application:
    """With vLLM."""
    config = config.resolved(os.environ)
    return ingress(config, inference(config, computing))


def paced(config: Config) -> Application:
    """Without a model."""
    config = config.resolved(os.environ)
    return ingress(config, inference(config, pacing))


def computing(config: Config) -> Engine:
    words = words_of(config)
    return FixedLength(Recalling(Watched(vllm_engine(config), config.home), words), words)


def pacing(config: Config) -> Engine:
    return Watched(PacedEngine(words_of(config), FIRST_MS, TOKEN_MS, config.model.flush_ms), config.home)


def words_of(config: Config) -> list[int]:
    return HfTokenizer.load(config.model.path or model_path(config.home)).encode_plain(WORDS)
