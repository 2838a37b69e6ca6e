"""Make the environment in which the AL sources are checked: tree-sitter with the grammar of AL, and nothing else.

The grammar says it wants Python 3.12, for its wheel; on 3.11 pip builds it from source with a C compiler, and it works. So
it lives in an environment of its own (``.venv-al``), made here from ``requirements/al.txt`` and again only when that changes.
The checks are ``packages/piprint/al_check``; the tests that run them ``packages/piprint/tests/al``.

Usage: python tools/al_environment.py
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

__all__ = ["InstallError", "environment"]

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv-al"
REQUIREMENTS = ROOT / "requirements" / "al.txt"


class InstallError(RuntimeError):
    """The environment could not be made."""


def environment() -> Path:
    """Return the Python of the environment the checks of AL run in; make it first when it is missing.

    Raises:
        InstallError: it could not be installed; the text says what to do and what pip said.
    """
    with REQUIREMENTS.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        return _made()


def _made() -> Path:
    inside = VENV / "bin" / "python"
    stamp = VENV / "requirements.sha256"
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if inside.exists() and stamp.is_file() and stamp.read_text() == digest:
        return inside
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    install += ["--ignore-requires-python", "--require-hashes", "-r"]
    commands: tuple[list[str | Path], ...] = (
        [sys.executable, "-m", "venv", "--clear", VENV],
        [inside, *install, REQUIREMENTS],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise InstallError(
                f"The grammar of AL could not be installed into {VENV.name}. It comes from PyPI once, and on Python 3.11 "
                "it is built with gcc: connect this computer to the Internet, see that gcc and Python's headers are "
                f"installed (gcc, python3-dev), and run: python tools/al_environment.py\n{done.stderr[-4000:]}"
            )
    stamp.write_text(digest)
    return inside


def main() -> int:
    """Make the environment."""
    try:
        print(f"The grammar of AL is installed: {environment()}")
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
