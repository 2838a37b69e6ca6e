"""The check says so when it cannot run, and CI does not accept that."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture
def tool(monkeypatch, tmp_path):
    check = sys.modules["homeassistant_check"]  # loaded by conftest
    monkeypatch.setattr(check, "VENV", tmp_path / "none")
    monkeypatch.setattr(sys, "argv", ["homeassistant_check.py"])
    return check


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_without_a_python_new_enough(tool, monkeypatch, capsys, ci, code):
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(tool, "find_python", lambda: None)
    assert tool.main() == code
    assert capsys.readouterr().out == "Home Assistant check: not run, no Python 3.13+ found\n"


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_without_the_packages(tool, monkeypatch, capsys, tmp_path, ci, code):
    monkeypatch.setenv("CI", ci)
    broken = tmp_path / "python3.13"
    broken.write_text("#!/bin/sh\necho no network >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(tool, "find_python", lambda: broken)
    assert tool.main() == code
    assert "could not be installed\nno network" in capsys.readouterr().err


def test_a_shim_that_does_not_run_is_passed_over(tool, monkeypatch, tmp_path):
    for name in ("python3.13", "python3.14"):
        shim = tmp_path / name
        shim.write_text("#!/bin/sh\necho not switched on >&2\nexit 127\n")
        shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
    found = tool.find_python()
    assert found is None or found.parent != tmp_path
