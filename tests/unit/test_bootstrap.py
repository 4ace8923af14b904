"""The set-up's decisions. That it really installs is tried in tests/cluster/test_setup.py and by every clean clone."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from serve_app.bootstrap import ROOT, Setup, _ports_of
from serve_app.domain.errors import ConfigError
from serve_app.local.machine import Need, check_machine

# What the system's Python reads, which may be an old one.
EARLY = [
    "serve_app/__init__.py",
    "serve_app/bootstrap.py",
    "serve_app/domain/__init__.py",
    "serve_app/domain/errors.py",
    "serve_app/local/__init__.py",
    "serve_app/local/machine.py",
    "serve_app/local/ports.py",
    "serve_app/local/processes.py",
]


@pytest.mark.parametrize("name", EARLY)
def test_an_old_python_can_read_it_and_needs_no_package(name: str) -> None:
    tree = ast.parse((ROOT / name).read_text(), feature_version=(3, 8))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {
        name
        for node in imports
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
    }
    ours = {module for module in modules if module and module.startswith("serve_app")}
    assert {f"{module.replace('.', '/')}.py" for module in ours} <= set(EARLY)


def make(tmp_path: Path) -> Setup:
    requirements = tmp_path / "requirements"
    requirements.mkdir(exist_ok=True)
    for name in ("cpu.txt", "torch-cpu.txt"):
        (requirements / name).touch()
    return Setup(tmp_path / ".venv", requirements, "cpu", "")


def test_an_environment_is_whole_only_with_the_stamp_of_these_locks(tmp_path: Path) -> None:
    setup = make(tmp_path)
    assert not setup.is_complete()
    setup.stamp.parent.mkdir()
    assert not setup.is_complete()
    setup.stamp.write_text("{")
    assert not setup.is_complete()
    setup.stamp.write_text(json.dumps(setup.expected))
    assert setup.is_complete()
    (tmp_path / "requirements" / "cpu.txt").write_text("more==1")
    assert not make(tmp_path).is_complete()


def test_a_folder_that_is_no_environment_is_not_touched(tmp_path: Path) -> None:
    setup = make(tmp_path)
    setup.venv.mkdir()
    (setup.venv / "mine").touch()
    with pytest.raises(ConfigError, match="no Python environment"):
        setup.make()
    assert (setup.venv / "mine").exists()


def test_each_need_is_stated_and_what_is_missing_marked(tmp_path: Path) -> None:
    lines: list[str] = []
    with pytest.raises(ConfigError, match="nothing was changed"):
        check_machine(lines.append, tmp_path / ".venv", Need(10**6, 10**6, "4 to 10", "1 GB"), gpu=False)
    assert "4 to 10 minutes" in lines[0]
    assert sum(line.startswith("  missing  1000000 GiB of ") for line in lines) == 2
    assert any(line.startswith("  ok       Linux on x86-64 with AVX2") for line in lines)


def test_the_ports_that_the_start_will_take_are_checked() -> None:
    ports = _ports_of(["--port", "8123", "--host", "127.0.0.1", "--stats-port=8124"])
    assert (ports["--port"], ports["--stats-port"], ports["--dashboard-port"]) == (8123, 8124, 8265)


@pytest.mark.parametrize("lock", ["cpu.txt", "gpu.txt"])
def test_a_lock_is_hashed_throughout_and_names_no_address(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    packages = [block for block in text.replace("\\\n", " ").splitlines() if block and not block.startswith("#")]
    assert len(packages) > 150
    assert all("==" in block and "--hash=sha256:" in block for block in packages)
    assert "://" not in text
