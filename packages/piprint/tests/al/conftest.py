"""The gate runs in an environment of its own; these fixtures make it once and run it there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PACKAGE = Path(__file__).resolve().parents[2]
ROOT = PACKAGE.parents[1]
EXTENSION = PACKAGE / "al"


@pytest.fixture(scope="session")
def gate_python() -> Path:
    """The Python that has the grammar; made from requirements/al.txt when it is missing."""
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "al_environment.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return ROOT / ".venv-al" / "bin" / "python"


@pytest.fixture(scope="session")
def run_gate(gate_python: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str | Path, script: str | Path = "", input: str = "") -> subprocess.CompletedProcess[str]:  # noqa: A002
        what = [script] if script else ["-m", "al_check"]
        command = [gate_python, *what, *arguments]
        environment = {"PYTHONPATH": str(PACKAGE), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment, input=input, timeout=280
        )

    return run


@pytest.fixture(scope="session")
def extension_said(run_gate) -> dict[str, Any]:
    """Findings and contract of our extension, as JSON."""
    return json.loads(run_gate(EXTENSION, "--json").stdout)


@pytest.fixture(scope="session")
def break_all(run_gate, tmp_path_factory) -> Callable[[dict[str, tuple[str, str, str]]], dict[str, Any]]:
    """Puts defects into a copy, ``{name: (file, before, after)}``, one after the other; returns what the gate says of each."""

    def run(wanted: dict[str, tuple[str, str, str]]) -> dict[str, Any]:
        folder = shutil.copytree(EXTENSION, tmp_path_factory.mktemp("broken") / "al")
        done = run_gate(folder, script=Path(__file__).parent / "break.py", input=json.dumps(wanted))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def extension(tmp_path: Path) -> Path:
    """A copy of the extension to break."""
    return Path(shutil.copytree(EXTENSION, tmp_path / "al"))
