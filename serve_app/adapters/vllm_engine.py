"""vLLM's engine behind the `Engine` port.

Uses only what the CPU build 0.32.0 and the CUDA build 0.25.1 have in common. vLLM is imported when the engine starts: the
import takes seconds and reads the environment that is set here.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import fields
from pathlib import Path
from typing import Any, Protocol, cast

from serve_app.adapters.vllm_settings import WARM_TOKENS, cpu_flags, engine_arguments, set_environment, warm_shapes
from serve_app.adapters.vllm_stats import EngineSteps
from serve_app.config import ModelSettings
from serve_app.domain.errors import ConfigError, DeadlineExceeded, MalformedRequest, ModelFailed, Overloaded, TooLong
from serve_app.domain.generation import Finished, Generate, Sampling, Tokens
from serve_app.ports import EngineSignals

logger = logging.getLogger(__name__)

_SHUTDOWN_S = 10.0


class VllmEngine:
    """One model's engine. `start` it once; then any number of generations run at the same time.

    `settings.engine` goes to vLLM's AsyncEngineArgs as it is. `stat_loggers` are vLLM's factories (under Ray:
    `ray_stat_loggers()`), which export the engine's metrics.
    """

    def __init__(
        self, settings: ModelSettings, model_path: Path | str, stat_loggers: Callable[[], list[Any]] | None = None
    ) -> None:
        self._settings = settings
        self._model_path = str(model_path)
        self._stat_loggers = stat_loggers
        self._vllm: _Vllm | None = None
        self._engine: _AsyncLlm | None = None
        self._end_ids: frozenset[int] = frozenset()
        self._steps = EngineSteps(time.monotonic)
        self._in_flight = 0

    @property
    def in_flight(self) -> int:
        """Generations that run or wait."""
        return self._in_flight

    def signals(self) -> EngineSignals:
        return self._steps.signals(idle=not self._in_flight)

    async def start(self) -> None:
        """Loads the model and warms it up; takes half a minute or minutes. Raises ConfigError or ModelFailed."""
        started = time.monotonic()
        set_environment(self._settings, os.environ)
        # In threads: the loop goes on answering while torch is imported and the weights are read.
        vllm = await asyncio.to_thread(_import_vllm)
        arguments = engine_arguments(self._settings, self._model_path, vllm.argument_names(), vllm.cpu_flags)
        self._vllm = vllm
        try:
            config = await asyncio.to_thread(vllm.engine_config, arguments)
            loggers = [self._steps.stat_logger(), *(self._stat_loggers() if self._stat_loggers else ())]
            self._engine = await asyncio.to_thread(vllm.make_engine, config, loggers)
            self._end_ids = vllm.end_ids(config, self._engine)
            loaded = time.monotonic()
            await self._warm_up(on_cpu=vllm.cpu_flags is not None)
        except (ConfigError, ModelFailed):
            await self.close()
            raise
        except Exception as error:
            await self.close()
            raise ModelFailed(f"the engine does not start with {self._model_path}: {error}") from error
        logger.info("engine ready: loaded in %.1f s, warmed in %.1f s", loaded - started, time.monotonic() - loaded)

    async def generate(self, request: Generate) -> AsyncGenerator[Tokens | Finished, None]:
        """Tokens as they come, then Finished. The first are given at once, later ones gathered for `flush_ms`.

        Closing the iterator, or cancelling its task, aborts. Raises TooLong, MalformedRequest, Overloaded, DeadlineExceeded
        (no token within `timeout_s`; an answer that has begun is cut, with the reason `abort`) or ModelFailed.
        """
        engine, vllm = self._running()
        prompt_tokens, completed = len(request.prompt_token_ids), len(request.sent_token_ids)
        room = self._settings.max_model_len - prompt_tokens
        _check(request, room)
        tokens_left = min(request.sampling.max_tokens, room) - completed
        if (reason := self._ended(request, tokens_left)) is not None:
            yield Finished(reason, prompt_tokens, 0, completed)
            return
        parameters = vllm.sampling_parameters(request.sampling, tokens_left)
        prompt_ids = [*request.prompt_token_ids, *request.sent_token_ids]
        prompt = {"type": "token", "prompt_token_ids": prompt_ids, "cache_salt": request.cache_salt}
        deadline = asyncio.get_running_loop().time() + request.timeout_s
        cached, has_given = 0, False
        self._begin_one()
        try:
            async with aclosing(engine.generate(prompt, parameters, request.request_id)) as outputs:
                while reason is None:
                    try:
                        async with asyncio.timeout_at(deadline):
                            # vLLM joins what came meanwhile, so that waiting is all it takes to gather.
                            if has_given and self._settings.flush_ms:
                                await asyncio.sleep(self._settings.flush_ms / 1000)
                            output = await anext(outputs)
                    except TimeoutError:
                        if not completed:
                            raise DeadlineExceeded("The model did not begin to answer in time.", retry_after_s=5) from None
                        reason = "abort"
                        break
                    delta = output.outputs[0]
                    completed += len(delta.token_ids)
                    cached = max(cached, output.num_cached_tokens or 0)
                    if delta.token_ids:
                        has_given = True
                        yield Tokens(tuple(delta.token_ids))
                    reason = (delta.finish_reason or "abort") if output.finished else None
        except (ModelFailed, DeadlineExceeded):
            raise
        except StopAsyncIteration:
            raise ModelFailed("the engine ended a stream without a last output") from None
        except Exception as error:
            raise vllm.translated(error) from error
        finally:
            self._in_flight -= 1
        if reason == "error":
            raise ModelFailed("the engine gave up on a request")
        yield Finished(reason, prompt_tokens, min(cached, prompt_tokens), completed)

    async def check_health(self) -> None:
        """Raises ModelFailed when the engine is not there or has died."""
        engine, vllm = self._running()
        try:
            await engine.check_health()
        except Exception as error:
            raise vllm.translated(error) from error

    async def close(self) -> None:
        """Ends the engine's processes. Idempotent."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await asyncio.to_thread(engine.shutdown, _SHUTDOWN_S)

    def _running(self) -> tuple[_AsyncLlm, _Vllm]:
        if self._engine is None or self._vllm is None:
            raise ModelFailed("the engine is not running")
        return self._engine, self._vllm

    def _begin_one(self) -> None:
        if not self._in_flight:
            self._steps.begin()
        self._in_flight += 1

    def _ended(self, request: Generate, tokens_left: int) -> str | None:
        """Why nothing is left to say, where a replica was lost between an answer's last token and its end."""
        if not request.sent_token_ids:
            return None
        if request.sent_token_ids[-1] in self._end_ids and not request.sampling.ignore_eos:
            return "stop"
        return "length" if tokens_left < 1 else None

    async def _warm_up(self, *, on_cpu: bool) -> None:
        for batch, length in warm_shapes(self._settings, on_cpu=on_cpu):
            await asyncio.gather(*(self._warm_one(f"warm-{length}-{batch}-{i}", length, i) for i in range(batch)))

    async def _warm_one(self, request_id: str, length: int, seed: int) -> None:
        ids = [(seed * 37 + position * 11) % 1000 for position in range(length)]
        sampling = Sampling(max_tokens=WARM_TOKENS, ignore_eos=True)
        # The first use of a kernel may compile it for minutes.
        request = Generate(request_id, ids, sampling, None, "warm-up", timeout_s=1800)
        async for _ in self.generate(request):
            pass


def _check(request: Generate, room: int) -> None:
    if not request.prompt_token_ids:
        raise MalformedRequest("The prompt is empty.")
    if room < 1:
        raise TooLong("The conversation and the question are longer than the model can read. Please ask more briefly.")


class _Delta(Protocol):
    token_ids: Sequence[int]
    finish_reason: str | None


class _Output(Protocol):
    outputs: Sequence[_Delta]
    finished: bool
    num_cached_tokens: int | None


class _AsyncLlm(Protocol):
    """What is used of vLLM's AsyncLLM."""

    def generate(self, prompt: Any, sampling_params: Any, request_id: str) -> AsyncGenerator[_Output, None]: ...
    def get_tokenizer(self) -> Any: ...
    async def check_health(self) -> None: ...
    def shutdown(self, timeout: float | None = None) -> None: ...


class _Vllm:
    """What is used of the module `vllm`, which has no types that can be relied on across its versions."""

    def __init__(self, modules: Mapping[str, Any]) -> None:
        self._arguments = modules["vllm.engine.arg_utils"].AsyncEngineArgs
        self._async_llm = modules["vllm.v1.engine.async_llm"].AsyncLLM
        self._sampling = modules["vllm.sampling_params"]
        self._usage = modules["vllm.usage.usage_lib"].UsageContext
        self._dead = modules["vllm.v1.engine.exceptions"].EngineDeadError
        self._invalid = (ValueError, modules["vllm.exceptions"].VLLMValidationError)
        on_cpu: bool = modules["vllm.platforms"].current_platform.is_cpu()
        self.cpu_flags = cpu_flags() if on_cpu else None

    def argument_names(self) -> list[str]:
        return [field.name for field in fields(self._arguments)]

    def engine_config(self, arguments: Mapping[str, Any]) -> Any:
        try:
            return self._arguments(**arguments).create_engine_config(self._usage.ENGINE_CONTEXT)
        except (ValueError, TypeError, OSError) as error:
            raise ConfigError(f"model: vLLM refuses these settings: {error}") from error

    def make_engine(self, config: Any, stat_loggers: list[Any]) -> _AsyncLlm:
        return self._async_llm.from_vllm_config(config, usage_context=self._usage.ENGINE_CONTEXT, stat_loggers=stat_loggers)

    def end_ids(self, config: Any, engine: _AsyncLlm) -> frozenset[int]:
        """The tokens at which the model ends an answer."""
        known: int | list[int] | None = config.model_config.try_get_generation_config().get("eos_token_id")
        ids = [known] if isinstance(known, int) else known or []
        return frozenset(one for one in (*ids, engine.get_tokenizer().eos_token_id) if one is not None)

    def sampling_parameters(self, sampling: Sampling, max_tokens: int) -> Any:
        try:
            return self._sampling.SamplingParams(
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                max_tokens=max_tokens,
                seed=sampling.seed,
                ignore_eos=sampling.ignore_eos,
                detokenize=False,
                output_kind=self._sampling.RequestOutputKind.DELTA,
            )
        except self._invalid as error:
            raise MalformedRequest(f"The sampling cannot be used: {error}") from error

    def translated(self, error: Exception) -> Exception:
        """The same in our terms."""
        if isinstance(error, self._dead):
            return ModelFailed("the engine has died")
        if isinstance(error, self._invalid):
            return MalformedRequest(f"The model refuses the request: {error}")
        if getattr(error, "http_status", None) == 503:
            return Overloaded("The model has too many requests waiting.", retry_after_s=2)
        return ModelFailed(f"the engine failed: {type(error).__name__}: {error}")


def _import_vllm() -> _Vllm:
    names = (
        "vllm.platforms",
        "vllm.engine.arg_utils",
        "vllm.v1.engine.async_llm",
        "vllm.v1.engine.exceptions",
        "vllm.sampling_params",
        "vllm.usage.usage_lib",
        "vllm.exceptions",
    )
    try:
        return _Vllm({name: cast(Any, importlib.import_module(name)) for name in names})
    except ImportError as error:
        raise ConfigError(f"vLLM cannot be imported: {error}. Install requirements/cpu.txt or requirements/gpu.txt") from error
