"""The packages' own tests on another Python: which one, and what when there is none."""

from __future__ import annotations

import sys

import newest_python
import pythons


def fake(folder, version, says):
    path = folder / f"python{version}"
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)
    return path


def only(monkeypatch, folder):
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(folder / "pyenv"))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(folder / "uv"))


def test_the_newest_that_runs_is_taken(monkeypatch, tmp_path):
    only(monkeypatch, tmp_path)
    fake(tmp_path, "3.97", "echo not switched on >&2; exit 127")
    right = fake(tmp_path, "3.96", "echo 3.96")
    fake(tmp_path, "3.95", "echo 3.95")
    assert pythons.find_python([(3, 98), (3, 97), (3, 96), (3, 95)]) == right


def test_a_python_that_is_another_than_its_name_is_passed_over(monkeypatch, tmp_path):
    only(monkeypatch, tmp_path)
    fake(tmp_path, "3.97", "echo 3.11")
    assert pythons.find_python([(3, 97)]) is None


def test_none_newer_is_said(monkeypatch, capsys):
    monkeypatch.setattr(newest_python.pythons, "find_python", lambda _versions: None)
    assert newest_python.main() == 0
    assert f"No Python newer than {sys.version_info[0]}.{sys.version_info[1]}" in capsys.readouterr().out


def test_what_is_run_is_there():
    assert all((newest_python.ROOT / path).exists() for path in (*newest_python.TESTS, *newest_python.NOT_HERE))
