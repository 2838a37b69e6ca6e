"""Run the packages' own tests on the newest Python that this machine has: those that take no browser, broker farm or long day.

Our users' systems move on before ours do: Raspberry Pi OS came with Python 3.13, which verifies certificates differently, while the
tests ran on 3.11. The environment is ``.venv-newest``, made from the same locked requirements.

Usage: python tools/newest_python.py
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pythons

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv-newest"
REQUIREMENTS = tuple(ROOT / "requirements" / f"{name}.txt" for name in ("runtime", "piprint", "dev"))
PACKAGES = tuple(ROOT / "packages" / name for name in ("servicekit", "osgp", "nes2mqtt", "piprint"))
VERSIONS = ((3, 14), (3, 13), (3, 12))
"""Newest first: what the locked requirements have wheels for."""

TESTS = (
    "packages/servicekit",
    "packages/osgp",
    *(
        f"packages/nes2mqtt/tests/{folder}"
        for folder in (
            "config",
            "history",
            "host",
            "meters",
            "mqtt",
            "outputs",
            "readings",
            "runtime",
            "security",
            "timing",
            "web",
        )
    ),
    "packages/piprint/tests/bc",
    # Of the core's long list of decisions those files that lean on asyncio, SQLite and the clock; the rest is the same on any Python.
    *(
        f"packages/piprint/tests/jobs/test_core_{name}.py"
        for name in ("backup", "dispatcher", "journal", "late", "lock", "restored", "time", "worker")
    ),
    "packages/piprint/tests/ipp",
    "packages/piprint/tests/documents",
    "packages/piprint/tests/printers",
    "packages/piprint/tests/runtime",
    "packages/piprint/tests/simulate",
)
NOT_HERE = (
    "packages/osgp/tests/cli",  # programs started again and again
    "packages/osgp/tests/simulator/test_house.py",
    "packages/osgp/tests/simulator/test_simulate_command.py",
    "packages/osgp/tests/optical_meter/test_killed_client.py",
    "packages/osgp/tests/termineter",  # another program in an environment of its own
    "packages/nes2mqtt/tests/runtime/test_cli.py",
    "packages/nes2mqtt/tests/runtime/test_optical_gateway.py",  # whole days
    "packages/nes2mqtt/tests/security/test_canaries.py",
    "packages/nes2mqtt/tests/security/test_page_attacks.py",
    "packages/nes2mqtt/tests/mqtt/test_logs_end_to_end.py",
    "packages/nes2mqtt/tests/mqtt/test_costs_end_to_end.py",
    "packages/nes2mqtt/tests/year",  # sums, the same on any Python
    "packages/piprint/tests/simulate/test_stand_in_page.py",
    # A browser.
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "packages/nes2mqtt/tests/web").glob("test_web_page*.py"))),
)
"""What takes long and has nothing in it that a newer Python would do differently; all of it is in ``make test``."""


class InstallError(RuntimeError):
    """The environment could not be made."""


def environment(python: Path) -> Path:
    """Return the Python of the environment; make it first when it is missing.

    Raises:
        InstallError: it could not be installed; the text is pip's.
    """
    inside = VENV / "bin" / "python"
    stamp = VENV / "requirements.sha256"
    digest = hashlib.sha256(str(python).encode())
    for path in (*REQUIREMENTS, ROOT / "VERSION", *(package / "pyproject.toml" for package in PACKAGES)):
        digest.update(path.read_bytes())
    if inside.exists() and stamp.is_file() and stamp.read_text() == digest.hexdigest():
        return inside
    print(f"Installing the packages for tests into {VENV.name} ...", flush=True)
    pip = (inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    commands = (
        (python, "-m", "venv", "--clear", VENV),
        (*pip, "--require-hashes", *(word for path in REQUIREMENTS for word in ("-r", path))),
        (
            *pip,
            "--no-deps",
            "--no-build-isolation",
            "--no-index",
            *(word for path in PACKAGES for word in ("-e", path)),
        ),
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise InstallError(done.stderr[-4000:])
    stamp.write_text(digest.hexdigest())
    return inside


def main() -> int:
    """Make the environment and run the tests."""
    ours = sys.version_info[:2]
    python = pythons.find_python(version for version in VERSIONS if version > ours)
    if python is None:
        print(f"No Python newer than {ours[0]}.{ours[1]} is found here, so the tests run on that alone.")
        return 0
    try:
        inside = environment(python)
    except InstallError as error:
        print(f"The packages for tests could not be installed with {python}:\n{error}", file=sys.stderr)
        return 1
    version = subprocess.run([inside, "-V"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"The packages' own tests, on {version}:", flush=True)
    command = [str(inside), "-m", "pytest", "-n", "2", "--dist", "loadgroup", "--timeout", "300", "--no-header", "-q"]
    # Two Pythons share neither pytest's cache nor its last failures.
    command += ["-p", "no:cacheprovider", *(f"--ignore={path}" for path in NOT_HERE), *TESTS]
    return subprocess.run(command, check=False, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
