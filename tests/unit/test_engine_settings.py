"""What a configuration becomes for vLLM, without vLLM."""

from __future__ import annotations

import pytest

from serve_app.adapters.vllm_settings import engine_arguments, warm_shapes
from serve_app.config import ModelSettings
from serve_app.domain.errors import ConfigError

KNOWN = ["model", "dtype", "quantization", "max_num_seqs", "kv_cache_dtype", "enforce_eager", "distributed_executor_backend"]


def test_settings_go_through_as_they_are() -> None:
    settings = ModelSettings(engine={"quantization": "fp8", "max_num_seqs": 64}, tensor_parallel_size=2, max_model_len=8192)
    arguments = engine_arguments(settings, "some/model", KNOWN, None)
    assert arguments["quantization"] == "fp8"
    assert arguments["max_num_seqs"] == 64
    assert (arguments["model"], arguments["tensor_parallel_size"], arguments["max_model_len"]) == ("some/model", 2, 8192)


def test_a_slip_is_named_with_what_was_meant() -> None:
    with pytest.raises(ConfigError, match=r"model\.engine\.max_num_seq: .*did you mean max_num_seqs"):
        engine_arguments(ModelSettings(engine={"max_num_seq": 64}), "m", KNOWN, None)


def test_a_name_like_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="AsyncEngineArgs"):
        engine_arguments(ModelSettings(engine={"zzz": 1}), "m", KNOWN, None)


def test_what_has_its_own_setting_is_set_there() -> None:
    with pytest.raises(ConfigError, match=r"set model\.max_model_len instead"):
        engine_arguments(ModelSettings(engine={"max_model_len": 1024}), "m", KNOWN, None)


@pytest.mark.parametrize(("flags", "dtype"), [({"avx2"}, "float32"), ({"avx2", "avx512_bf16"}, "bfloat16")])
def test_on_a_processor_the_type_is_one_that_it_computes_fast(flags: set[str], dtype: str) -> None:
    arguments = engine_arguments(ModelSettings(), "m", KNOWN, frozenset(flags))
    assert (arguments["dtype"], arguments["enforce_eager"]) == (dtype, True)


def test_defaults_yield_to_what_was_set() -> None:
    settings = ModelSettings(engine={"dtype": "bfloat16", "enforce_eager": False})
    arguments = engine_arguments(settings, "m", KNOWN, frozenset())
    assert (arguments["dtype"], arguments["enforce_eager"]) == ("bfloat16", False)


def test_several_gpus_are_ray_s_to_place_unless_said_otherwise() -> None:
    assert engine_arguments(ModelSettings(tensor_parallel_size=2), "m", KNOWN, None)["distributed_executor_backend"] == "ray"
    own = ModelSettings(tensor_parallel_size=2, engine={"distributed_executor_backend": "mp"})
    assert engine_arguments(own, "m", KNOWN, None)["distributed_executor_backend"] == "mp"
    assert "distributed_executor_backend" not in engine_arguments(ModelSettings(), "m", KNOWN, None)


def test_every_shape_that_is_warmed_fits_the_model() -> None:
    settings = ModelSettings(max_model_len=4096, engine={"max_num_seqs": 48})
    shapes = warm_shapes(settings, on_cpu=False)
    assert max(length for _, length in shapes) == 2048
    assert max(batch for batch, _ in shapes) == 32
    assert len(warm_shapes(settings, on_cpu=True)) <= 2
