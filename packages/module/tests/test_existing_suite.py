"""The link's own tests, unchanged, run on the rewritten modules: what they guard, they guard for the module too."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import osgp
from nesmodule_build.shared import LINK, Shared
from nesmodule_build.tree import write_tree

ROOT = Path(__file__).resolve().parents[3]
TESTS = (
    *(f"link/test_link_{name}.py" for name in ("client", "digest", "end_to_end", "frame", "golden", "server")),
    "test_key.py",
    "test_budget_and_windows.py",
)
ASKS_FOR_MORE = "test_only_secret_shows_the_key"
"""Wants an object without ``__dict__``; MicroPython has no slots."""
AT_LEAST = 270
AS_THEY_ARE = ("osgp.key_text", "osgp.mep.tls_frames")
"""The module has another reader of keys, and of TLS the codes alone; the tests want all of it."""


def test_the_rewritten_link_passes_the_tests_of_the_link(tmp_path):
    # All of osgp, with the rewritten modules in the place of ours. They count in seconds here, as the tests do. The packages that hold
    # them are empty on the module, too.
    shutil.copytree(Path(osgp.__file__).parent, tmp_path / "osgp", ignore=shutil.ignore_patterns("__pycache__"))
    for package in ("", "meter"):
        (tmp_path / "osgp" / package / "__init__.py").write_text("")
    modules = [*(one for one in LINK if one.name not in AS_THEY_ARE), Shared("osgp.meter.budget")]
    write_tree(tmp_path, modules, also=AS_THEY_ARE)
    assert "dataclass" not in (tmp_path / "osgp" / "mep" / "frame.py").read_text()
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header",
            *(f"packages/osgp/tests/{name}" for name in TESTS), "--deselect", f"packages/osgp/tests/test_key.py::{ASKS_FOR_MORE}",
        ],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    passed = int(re.search(r"(\d+) passed", done.stdout)[1])
    assert passed >= AT_LEAST
