"""Find other versions of Python on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["Version", "find_python"]

Version = tuple[int, int]


def find_python(versions: Iterable[Version]) -> Path | None:
    """Return the first Python of these versions that runs and can make environments, None if this machine has none."""
    for version in versions:
        for candidate in _candidates(version):
            if _runs(candidate, version):
                return candidate
    return None


def _candidates(version: Version) -> Iterator[Path]:
    """Yield interpreters on the PATH, then those of pyenv and uv, newest first."""
    name = f"python{version[0]}.{version[1]}"
    if found := shutil.which(name):
        yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or Path.home() / ".local/share/uv/python")
    for folder, pattern in ((pyenv, f"{version[0]}.{version[1]}*"), (uv, f"cpython-{version[0]}.{version[1]}*")):
        for home in sorted(folder.glob(pattern), reverse=True):
            yield home / "bin" / name


def _runs(python: Path, version: Version) -> bool:
    """Tell whether it is what its name says: pyenv's shims exist for versions that are not switched on."""
    probe = "import ensurepip, sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", probe], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.strip() == f"{version[0]}.{version[1]}"
