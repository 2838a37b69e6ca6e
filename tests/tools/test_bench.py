"""The bench's frame: figures are kept with their machine, one bench that breaks takes no other with it, and no port is fixed."""

from __future__ import annotations

import importlib.util
import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHES = {
    "good": "from table import Row\ndef rows():\n    yield Row('speed', '5 a second', 'at least 4', True)\n",
    "bad": "from table import Row\ndef rows():\n    yield Row('first', '1')\n    raise RuntimeError('no broker here')\n",
}


@pytest.fixture
def frame(tmp_path):
    """Run the bench's frame with benches of ours; return its exit code and what it said."""
    (tmp_path / "bench").mkdir()
    for name in ("run.py", "machine.py", "table.py"):
        shutil.copy(ROOT / "bench" / name, tmp_path / "bench")
    (tmp_path / "VERSION").write_text("1.2.3\n")
    listed = "{" + ", ".join(f'"{name}": "Of {name}"' for name in BENCHES) + "}"
    run = tmp_path / "bench" / "run.py"
    before, _, after = run.read_text(encoding="utf-8").partition("BENCHES = {")
    run.write_text(f"{before}BENCHES = {listed}\n" + after.partition("}\n")[2], encoding="utf-8")
    for name, text in BENCHES.items():
        (tmp_path / "bench" / f"{name}.py").write_text(text)

    def call(*words):
        done = subprocess.run([sys.executable, run, *words], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return call


def test_a_bench_that_breaks_takes_no_other_with_it(frame, tmp_path):
    code, said = frame("bad", "good")
    assert code == 1
    assert "no broker here" in said
    assert "5 a second" in said
    result = json.loads((tmp_path / "build/bench.json").read_text())
    assert [(row["bench"], row["what"]) for row in result["rows"]] == [
        ("bad", "first"), ("bad", "could not be measured"), ("good", "speed"),
    ]  # fmt: skip


def test_figures_are_kept_with_the_machine_they_are_of(frame, tmp_path):
    code, said = frame("good")
    assert code == 0
    result = json.loads((tmp_path / "build/bench.json").read_text())
    assert result["version"] == "1.2.3"
    assert result["processor"]
    assert result["processor"] in said
    for moment in ("before", "after"):
        assert all(value > 0 for value in result["calibration"][moment].values())
        assert set(result["calibration"][moment]) == {"python_ms", "sha256_ms"}
    assert result["rows"] == [
        {"bench": "good", "what": "speed", "figure": "5 a second", "goal": "at least 4", "met": True}
    ]


def test_figures_of_a_release_are_of_all_benches_and_named_after_it(frame, tmp_path):
    assert frame("--release", "1.3.0", "good")[0] == 2
    assert frame("--release", "1.3.0")[0] == 1  # one of ours is broken
    result = json.loads((tmp_path / "bench/results/1.3.0.json").read_text())
    assert result["version"] == "1.3.0"
    assert {row["bench"] for row in result["rows"]} == set(BENCHES)


def test_ports_that_somebody_has_are_passed_over():
    spec = importlib.util.spec_from_file_location("bench_town", ROOT / "bench/town.py")
    assert spec is not None
    assert spec.loader is not None
    town = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(town)
    first = town.free_ports(40)
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", first + 20))
        second = town.free_ports(40)
    assert second > first + 20
    assert second + 39 < 65536
    with pytest.raises(RuntimeError, match="no 60000 free ports"):
        town.free_ports(60000)
