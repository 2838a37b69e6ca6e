"""Compiles the code and the tests before they run, each file once, on all processors.

Pytest rewrites the assertions of a test file when it loads it, and keeps what it made. In a fresh clone each of its workers does that
for itself, at the same time as the others. And where the environment forbids Python to keep what it compiled
(PYTHONDONTWRITEBYTECODE), each of the hundreds of programs that tests start compiles all of ours again.
"""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from _pytest.assertion.rewrite import PYC_TAIL, _read_pyc, _rewrite_test, _write_pyc, get_cache_dir

ROOT = Path(__file__).resolve().parent.parent
CODE = ("packages/*/src", "packages/*/tests", "packages/piprint/al_check", "tests", "tools")
TESTS = ("packages/*/tests", "tests")
REWRITTEN = ("test_*.py", "conftest.py")
"""What pytest rewrites by itself."""
_FEWEST = 10
"""Fewer are no work for several processes."""


def test_files() -> list[Path]:
    """Return the files whose assertions pytest rewrites."""
    found = (path for name in REWRITTEN for folder in TESTS for path in ROOT.glob(f"{folder}/**/{name}"))
    return sorted([*found, ROOT / "conftest.py"])


def cached(path: Path) -> Path:
    """Return where pytest keeps what it made of a file."""
    return get_cache_dir(path) / f"{path.stem}{PYC_TAIL}"


def rewrite(path: Path) -> None:
    """Rewrite one file. What cannot be compiled or kept is left to pytest, which says so or does without."""
    try:
        source_hash, code = _rewrite_test(path, cast("Any", None))
        cached(path).parent.mkdir(exist_ok=True)
    except (OSError, SyntaxError, ValueError):
        return
    _write_pyc(cast("Any", SimpleNamespace(trace=lambda _: None)), code, source_hash, cached(path))


def rewrite_all(paths: Iterable[Path]) -> int:
    """Rewrite what was not, or has changed since; return how many."""
    left = [path for path in paths if _read_pyc(path, cached(path)) is None]
    if len(left) < _FEWEST:
        for path in left:
            rewrite(path)
    else:
        with ProcessPoolExecutor() as pool:
            list(pool.map(rewrite, left, chunksize=4))
    return len(left)


def main() -> None:
    """Compile what is not yet."""
    for pattern in CODE:
        for folder in ROOT.glob(pattern):
            compileall.compile_dir(folder, quiet=2, workers=0)
    rewrite_all(test_files())
    # Plugins of pytest are rewritten as well, as soon as it starts.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(
        [sys.executable, "-m", "pytest", "--version"], cwd=ROOT, env=environment, capture_output=True, check=False
    )


if __name__ == "__main__":
    main()
