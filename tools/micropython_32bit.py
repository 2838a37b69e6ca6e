"""Unpack Debian's 32-bit MicroPython into a folder of its own: an ESP32 has 32 bits, and nothing else shows what fits its memory.

Debian 13 has the package for i386. It is not installed: apt fetches it with the libraries it needs, they are unpacked into
``.venv-micropython``, and the interpreter is started through its own loader. So it runs on Debian 12 too, and changes nothing of the
system. The mirror is that of this machine.

Usage: python tools/micropython_32bit.py
"""

from __future__ import annotations

import fcntl
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from fresh_host import Host

__all__ = ["InstallError", "command"]

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv-micropython"
DEBIAN = "trixie"
_LIBRARIES = "usr/lib/i386-linux-gnu"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class InstallError(RuntimeError):
    """The interpreter could not be had."""


def command() -> list[str]:
    """Return the command that starts the interpreter; fetch it first when it is missing.

    Raises:
        InstallError: this machine runs no programs of i386, or apt gave none.
    """
    if platform.machine() not in {"x86_64", "i686"}:
        raise InstallError(f"a 32-bit MicroPython for Intel does not run on {platform.machine()}")
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        root, stamp = FOLDER / "root", FOLDER / "complete"
        if not stamp.exists():
            shutil.rmtree(root, ignore_errors=True)
            for package in _fetched():
                _run("dpkg", "-x", str(package), str(root))
            stamp.touch()
    libraries = root / _LIBRARIES
    return [str(libraries / "ld-linux.so.2"), "--library-path", str(libraries), str(root / "usr/bin/micropython")]


def _fetched() -> list[Path]:
    """Let apt fetch the package and what it needs, as if nothing were installed; return the files."""
    state, cache = FOLDER / "state", FOLDER / "cache"
    for folder in (state / "lists" / "partial", cache / "archives" / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    signed = f"[signed-by={_KEYRING}] " if _KEYRING.exists() else ""
    mirror = Host.here().mirror
    if mirror is None:
        raise InstallError("apt does not tell from where this machine gets Debian's packages")
    sources = FOLDER / "sources.list"
    sources.write_text(f"deb {signed}{mirror} {DEBIAN} main\n")
    (state / "status").touch()
    settings = {
        "APT::Architecture": "i386",
        "APT::Architectures::": "i386",
        "APT::Sandbox::User": "root",
        "Dir::Cache": cache,
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "-",
        "Dir::State": state,
        "Dir::State::Status": state / "status",
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    _run("apt-get", *options, "-qq", "update")
    _run("apt-get", *options, "-qq", "install", "--yes", "--no-install-recommends", "--download-only", "micropython")
    return sorted((cache / "archives").glob("*.deb"))


def _run(*words: str) -> None:
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except OSError as error:
        raise InstallError(f"{words[0]} cannot be run: {error.strerror}") from error
    if done.returncode:
        raise InstallError(f"{words[0]} ended with {done.returncode}: {done.stdout[-1000:]}")


def main() -> int:
    """Fetch it, or say why not."""
    try:
        command()
    except InstallError as error:
        print(f"No 32-bit MicroPython, so the tests that need it are not run: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
