"""With which settings vLLM is started."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any, cast

from serve_app.config import ModelSettings
from serve_app.domain.errors import ConfigError

# Fields of the engine's arguments that have a setting of their own.
_OWN_SETTINGS = {
    "model": "path",
    "tensor_parallel_size": "tensor_parallel_size",
    "pipeline_parallel_size": "pipeline_parallel_size",
    "max_model_len": "max_model_len",
}
WARM_TOKENS = 4  # of an answer that only warms


def warm_shapes(settings: ModelSettings, *, on_cpu: bool) -> Sequence[tuple[int, int]]:
    """(requests at a time, prompt tokens each). On a GPU kernels are made per shape, so each power of two is tried once."""
    longest = settings.max_model_len - WARM_TOKENS
    if on_cpu:
        return [(1, 16), (4, min(128, longest))]
    most = int(settings.engine.get("max_num_seqs", 128))
    lengths = [1 << power for power in range(4, longest.bit_length()) if 1 << power <= longest]
    batches = [1 << power for power in range(most.bit_length()) if 1 << power <= most]
    return [(1, length) for length in lengths] + [(batch, 16) for batch in batches]


def engine_arguments(
    settings: ModelSettings, model_path: str, known: Iterable[str], cpu_flags: frozenset[str] | None
) -> Mapping[str, Any]:
    """The keyword arguments for AsyncEngineArgs.

    `known` are the names that it has, `cpu_flags` what the processor can do when the model runs on it (None: on a GPU).
    Raises ConfigError for an unknown name, with those that are near, and for one that has a setting of its own.
    """
    known = set(known)
    for name in settings.engine:
        if name in _OWN_SETTINGS:
            raise ConfigError(f"model.engine.{name}: set model.{_OWN_SETTINGS[name]} instead")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else "see the fields of vLLM's AsyncEngineArgs"
            raise ConfigError(f"model.engine.{name}: this vLLM has no such argument; {hint}")
    defaults: dict[str, Any] = {"enable_prefix_caching": True}
    if cpu_flags is not None:
        # Compiling takes two minutes at the start and gains little on a few cores. A processor without bfloat16 of its own
        # reads a prompt in it five times slower than in float32.
        native_bfloat16 = not cpu_flags.isdisjoint({"avx512_bf16", "amx_bf16"})
        defaults |= {"enforce_eager": True, "dtype": "bfloat16" if native_bfloat16 else "float32"}
    elif settings.tensor_parallel_size * settings.pipeline_parallel_size > 1:
        defaults["distributed_executor_backend"] = "ray"
    return {
        **defaults,
        **settings.engine,
        "model": model_path,
        "tensor_parallel_size": settings.tensor_parallel_size,
        "pipeline_parallel_size": settings.pipeline_parallel_size,
        "max_model_len": settings.max_model_len,
    }


def set_environment(settings: ModelSettings, environ: MutableMapping[str, str]) -> None:
    environ["VLLM_CPU_KVCACHE_SPACE"] = str(settings.cpu_kv_cache_gib)
    if "VLLM_CPU_OMP_THREADS_BIND" not in environ:
        cpu_count = cast(Callable[[], int], importlib.import_module("joblib").cpu_count)
        # The rest of the graph uses the same cores. Threads that are pinned, or that wait by spinning, then hold up each other:
        # a token takes a second instead of 20 ms. Ray gives an actor one thread, and OpenMP does not see a container's share.
        environ["VLLM_CPU_OMP_THREADS_BIND"] = "nobind"
        environ["OMP_NUM_THREADS"] = str(max(1, cpu_count()))
        environ.setdefault("GOMP_SPINCOUNT", "1000")
    # FlashInfer compiles its sampler at run time, for which machines that only run models lack the tools.
    environ.setdefault("VLLM_USE_FLASHINFER_SAMPLER", "0")
    environ.setdefault("VLLM_NO_USAGE_STATS", "1")


def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), ()))
