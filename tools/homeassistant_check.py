"""Run Home Assistant's own code against what we publish.

Home Assistant needs a newer Python than this repository, so it lives in an environment of its own
(``.venv-homeassistant``), made here from ``requirements/homeassistant.txt`` by any Python 3.13 or newer that the
machine has. The check itself is ``packages/nes2mqtt/tests/homeassistant``, which also ``make test`` runs.

Usage: python tools/homeassistant_check.py [--install-only]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pythons

__all__ = ["NOT_INSTALLED", "NOT_RUN", "InstallError", "environment", "find_python", "must_run"]

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv-homeassistant"
REQUIREMENTS = ROOT / "requirements" / "homeassistant.txt"
TESTS = ROOT / "packages" / "nes2mqtt" / "tests" / "homeassistant"
VERSIONS = ((3, 13), (3, 14))
"""Tried in this order: the locked Home Assistant is the last one that runs on 3.13.0."""

NOT_RUN = "Home Assistant check: not run, no Python 3.13+ found"

NOT_INSTALLED = "Home Assistant check: not run, Home Assistant could not be installed"


def must_run() -> bool:
    """Tell whether not running is a failure: CI has what it takes."""
    return bool(os.environ.get("CI"))


class InstallError(RuntimeError):
    """The environment could not be made."""


def find_python() -> Path | None:
    """Return a Python that can run Home Assistant, None if this machine has none."""
    return pythons.find_python(VERSIONS)


def environment() -> Path | None:
    """Return the Python of the environment Home Assistant is installed in; make it first when it is missing.

    Returns:
        None when this machine has no Python new enough.

    Raises:
        InstallError: it could not be installed; the text is pip's.
    """
    inside = VENV / "bin" / "python"
    stamp = VENV / "requirements.sha256"
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if inside.exists() and stamp.is_file() and stamp.read_text() == digest:
        return inside
    python = find_python()
    if python is None:
        return None
    print(f"Installing Home Assistant into {VENV.name} (about 700 MB, once) ...", flush=True)
    commands: tuple[list[str | Path], ...] = (
        [python, "-m", "venv", "--clear", VENV],
        [
            inside,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
            REQUIREMENTS,
        ],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise InstallError(done.stderr[-4000:])
    stamp.write_text(digest)
    return inside


def main() -> int:
    """Make the environment, then run the check."""
    parser = argparse.ArgumentParser(description="Run Home Assistant's own code against what nes2mqtt publishes.")
    parser.add_argument("--install-only", action="store_true", help="only make the environment")
    arguments = parser.parse_args()
    try:
        python = environment()
    except InstallError as error:
        print(f"{NOT_INSTALLED}\n{error}", file=sys.stderr)
        return must_run()
    if python is None:
        print(NOT_RUN)
        return must_run()
    if arguments.install_only:
        return 0
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-rP", "--no-header", TESTS], check=False, cwd=ROOT
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
