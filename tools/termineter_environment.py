"""Make the environment in which Termineter runs, the independent reader our simulated meter is tested with.

It is another program with other dependencies, so it lives in an environment of its own (``.venv-termineter``), made
here from ``requirements/termineter.txt``. The tests are ``packages/osgp/tests/termineter``; ``bench/optical.py`` uses it too.

Usage: python tools/termineter_environment.py
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

__all__ = ["InstallError", "environment"]

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv-termineter"
REQUIREMENTS = ROOT / "requirements" / "termineter.txt"


class InstallError(RuntimeError):
    """The environment could not be made."""


def environment() -> Path:
    """Return the Python of the environment Termineter is installed in; make it first when it is missing.

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
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"]
    commands: tuple[list[str | Path], ...] = (
        [sys.executable, "-m", "venv", "--clear", VENV],
        [inside, *install, REQUIREMENTS],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise InstallError(
                f"Termineter could not be installed into {VENV.name}. It comes from PyPI once: connect this computer to "
                f"the Internet and run: python tools/termineter_environment.py\n{done.stderr[-4000:]}"
            )
    stamp.write_text(digest)
    return inside


def main() -> int:
    """Make the environment."""
    try:
        print(f"Termineter is installed: {environment()}")
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
