"""``python -m nesmodule_build flash``: brings MicroPython and the module's program onto a board that is connected by a cable.

It calls two programs of others, ``esptool`` and ``mpremote``, downloads nothing, and says what is erased before it asks. Secrets go into
files that only their owner can read, never into a command line.

This module does not know what is in the program.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NoReturn

from nesmodule_build.device.key_text import read_key
from nesmodule_build.label import Credentials, label_text, new_credentials, save
from osgp.errors import KeyFormatError

__all__ = ["FlashFailed", "main"]

_MODULE = Path(__file__).resolve().parents[2]
_DEVICES = Path("/dev")
_PORTS = ("serial/by-id/*", "ttyUSB*", "ttyACM*", "cu.usbserial*", "cu.usbmodem*")
_INSTALL = "Install both with: pipx install esptool && pipx install mpremote"
_TRIES = 3
"""How often the first words with a new MicroPython are tried: it lays out its file system first."""
_WORD = "ERASE"
_CHECK = """
import hashlib
def look(folder, lines):
    for line in lines:
        digest, size, name = line.split(' ')
        found = hashlib.sha256()
        with open(folder + name, 'rb') as file:
            part = file.read(512)
            while part:
                found.update(part)
                part = file.read(512)
        if found.digest().hex() != digest:
            return name
    return ''
with open('a/files.txt') as file:
    lines = file.read().split('\\n')[1:-1]
print('wrong ' + look('a/', lines) if look('a/', lines) else 'whole')
"""
"""Runs on the module: reads back what the slot's list names."""


class FlashFailed(RuntimeError):
    """It cannot be done, or stopped in the middle; the text says what to do."""


@dataclass(frozen=True, slots=True)
class _Chip:
    """What is at the port."""

    kind: str
    """``esp32`` or ``esp32c3``."""
    described: str
    flash: str


def main(words: list[str], ask: Callable[[str], str] = input) -> int:
    """Bring the program onto a board, or say what is in the way."""
    chosen = _chosen(words)
    try:
        _flash(chosen, ask)
    except FlashFailed as error:
        print(f"Not done: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 1
    return 0


def _chosen(words: list[str]) -> argparse.Namespace:
    boards = sorted(path.stem for path in (_MODULE / "boards").glob("*.toml"))
    parser = argparse.ArgumentParser(
        prog="nesmodule_build flash",
        description="Bring MicroPython and the module's program onto a board. Everything on it is erased.",
    )
    parser.add_argument("--port", help="serial port of the board; may be left out where there is one only")
    parser.add_argument("--image", type=Path, required=True, help="MicroPython's official firmware, which you fetched")
    parser.add_argument("--sha256", help="checksum of the image, where packages/module/firmware.toml has none")
    parser.add_argument("--board", choices=boards, required=True, help="which board it is (docs/module.md)")
    parser.add_argument("--build", type=Path, default=Path("build/module"), help="what `make module` wrote")
    parser.add_argument(
        "--labels", type=Path, default=Path.home() / ".local/share/nesmodule", help="folder for the label"
    )
    parser.add_argument(
        "--key-file", type=Path, help="file with the meter's key; it can be entered on the module's page, too"
    )
    parser.add_argument("--wifi-name", help="network that the module joins")
    parser.add_argument("--wifi-password-file", type=Path, help="file with its password")
    parser.add_argument("--tap", action="store_true", help="let a gateway that has the token use the meter's line")
    parser.add_argument("--dry-run", action="store_true", help="show the commands, do nothing")
    return parser.parse_args(words)


def _flash(chosen: argparse.Namespace, ask: Callable[[str], str]) -> None:
    known = tomllib.loads((_MODULE / "firmware.toml").read_text())
    board = tomllib.loads((_MODULE / "boards" / f"{chosen.board}.toml").read_text())
    for name in ("esptool", "mpremote"):
        if not chosen.dry_run and shutil.which(name) is None:
            raise FlashFailed(f"{name} is not installed, or not on the PATH. {_INSTALL}")
    _check_build(chosen.build)
    firmware = known[board["chip"]]
    _check_image(chosen.image, chosen.sha256, known, firmware)
    credentials = new_credentials()
    settings = _settings(chosen, credentials)
    port = chosen.port or _only_port()
    if chosen.dry_run:
        _show(port, chosen, firmware)
        return
    chip = _chip(port)
    if chip.kind != board["chip"]:
        raise FlashFailed(
            f"the board {chosen.board} has an {board['chip']}, but at {port} is an {chip.described}. Nothing was changed"
        )
    print(
        f"At {port}: {chip.described}, flash {chip.flash}.\nAll of its flash is erased: the program that is on it, its settings, the meter's "
        f"key in them. To keep a copy, stop here and run:\n  esptool --port {port} read-flash 0 ALL before.bin"
    )
    if ask(f"Type {_WORD} to go on: ").strip() != _WORD:
        raise FlashFailed("nothing was changed")
    try:
        files = save(chosen.labels, credentials)
    except OSError as error:
        raise FlashFailed(f"the label cannot be written ({error}). Nothing was changed") from error
    _write(port, chosen, firmware, settings)
    print(
        f"Done. The label of this module, which nobody can tell you again:\n\n{label_text(credentials)}\n  {files[0]}\n  {files[1]}"
    )
    if not (chosen.build / "start" / "update_key").exists():
        print(
            "This module takes no updates: it was built without --sign, so it knows no key that they are signed with."
        )


def _write(port: str, chosen: argparse.Namespace, firmware: dict[str, Any], settings: dict[str, Any]) -> None:
    """Write everything onto the board, and read the program back. Raises FlashFailed."""
    with tempfile.TemporaryDirectory() as folder:
        stage = _staged(Path(folder), chosen.build, settings)
        for step in _firmware_steps(port, chosen.image, firmware):
            _run(step, "The board has no program now, or half of one. Connect it again and start this command anew")
        for step in _program_steps(port, stage):
            _run(
                step,
                "The board has MicroPython, but not the whole program. Start this command anew",
                tries=_TRIES,
            )
        said = _run(["mpremote", "connect", port, "exec", _CHECK], "What was written cannot be read back")
        if said.strip() != "whole":
            raise FlashFailed(
                "what was written is not what is on the board: its flash may be worn out. Start this command anew"
            )
        _run(
            ["mpremote", "connect", port, "reset"],
            "Everything is on the board. Take its power away for a moment to start it",
        )


def _check_build(build: Path) -> None:
    for name in ("start/main.py", "start/begin.mpy", "stock/files.txt"):
        if not (build / name).exists():
            raise FlashFailed(f"{build / name} is not there. Build the program first: make module")


def _check_image(image: Path, given: str | None, known: dict[str, Any], firmware: dict[str, Any]) -> None:
    """Raises FlashFailed for an image that is not the one that is wanted."""
    fetch = f"Fetch it from {firmware['page']}: the newest file called {firmware['names']}"
    if not image.is_file():
        raise FlashFailed(f"{image} is not there. {fetch}")
    version = re.search(r"-v(\d+)\.(\d+)", image.name)
    if not fnmatchcase(image.name, firmware["names"]) or version is None:
        raise FlashFailed(f"{image.name} is not the firmware for this chip. {fetch}")
    if [int(part) for part in version.groups()] < known["oldest"]:
        raise FlashFailed(f"{image.name} is too old for the program. {fetch}")
    wanted = known["sha256"].get(image.name) or given
    found = hashlib.sha256(image.read_bytes()).hexdigest()
    if not wanted:
        raise FlashFailed(
            f"nobody here knows the checksum of {image.name}. Its SHA-256 is {found}: fetch the file a second time by another way, "
            f"compare, then add --sha256 {found}"
        )
    if wanted.lower() != found:
        raise FlashFailed(
            f"{image.name} is damaged or another file: its SHA-256 is {found}, wanted was {wanted.lower()}. {fetch}"
        )


def _settings(chosen: argparse.Namespace, of: Credentials) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": of.name, "board": chosen.board, "http_port": 80, "device_key": of.device_key, "access_point_key": of.access_point_key,
    }  # fmt: skip
    if chosen.tap:
        found["tap_token"] = of.tap_token
    if chosen.wifi_name:
        found["wifi_name"] = chosen.wifi_name
    for name, path in (("wifi_password", chosen.wifi_password_file), ("key", chosen.key_file)):
        if path is not None:
            try:
                found[name] = path.read_text().strip("\r\n")
            except OSError as error:
                raise FlashFailed(f"{path} cannot be read: {error.strerror}") from error
    if "key" in found:
        try:
            read_key(found["key"])
        except KeyFormatError as error:
            raise FlashFailed(f"{chosen.key_file}: {error}") from error
    return found


def _only_port() -> str:
    for pattern in _PORTS:
        found = sorted(str(path) for path in _DEVICES.glob(pattern))
        if len(found) == 1:
            return found[0]
        if found:
            raise FlashFailed(f"there is more than one port: {', '.join(found)}. Say which with --port")
    raise FlashFailed(
        "no serial port is there. Connect the board; on DabblerDK's with an adapter of 3.3 V at J5 and J7 1-2 closed"
    )


def _chip(port: str) -> _Chip:
    """Ask what is at a port; raises FlashFailed."""
    said = _run(
        ["esptool", "--port", port, "flash-id"],
        "Nothing was changed. Is the board in download mode (GPIO0 low at its start: J7 1-2, or BOOT held), and does it have power",
    )
    described = re.search(r"Chip type:\s*(\S.*)", said)
    size = re.search(r"Detected flash size:\s*(\S+)", said)
    if described is None:
        raise FlashFailed("esptool did not say which chip it is. It must be version 5 or newer: pipx upgrade esptool")
    if re.search(r"Features:.*PSRAM", said):
        raise FlashFailed(
            f"{described[1]} has PSRAM, which needs the pins of the meter's line (GPIO16, GPIO17). Nothing was changed"
        )
    family = re.match(r"ESP32(-[A-Z]\d+(?=\W|$))?", described[1])
    kind = "" if family is None else family[0].lower().replace("-", "")
    return _Chip(kind, described[1].strip(), size[1] if size else "of unknown size")


def _firmware_steps(port: str, image: Path, firmware: dict[str, Any]) -> list[list[str]]:
    return [
        ["esptool", "--port", port, "erase-flash"],
        ["esptool", "--port", port, "write-flash", hex(firmware["offset"]), str(image)],
    ]


def _program_steps(port: str, stage: Path) -> list[list[str]]:
    # What starts it all comes last: a board that lost its cable in between has no half of a program that starts.
    names = sorted(path.name for path in stage.iterdir() if path.name != "main.py")
    copies = [str(stage / name) for name in (*names, "main.py")]
    return [["mpremote", "connect", port, "cp", "-r", *copies, ":"]]


def _staged(folder: Path, build: Path, settings: dict[str, Any]) -> Path:
    """Return a folder as the module's flash is to be."""
    shutil.copytree(build / "start", folder, dirs_exist_ok=True)
    shutil.copytree(build / "stock", folder / "a")
    (folder / "settings.json").write_text(json.dumps(settings))
    return folder


def _show(port: str, chosen: argparse.Namespace, firmware: dict[str, Any]) -> None:
    steps = [["esptool", "--port", port, "flash-id"], *_firmware_steps(port, chosen.image, firmware)]
    for step in steps:
        print(" ".join(step))
    print(
        f"mpremote connect {port} cp -r ... :     ({chosen.build}/start, {chosen.build}/stock as a, and settings.json)"
    )
    print(f"mpremote connect {port} exec ...        (reads back the program and compares it)")
    print(f"mpremote connect {port} reset")
    print("Nothing was done. All of the chip's flash would be erased.")


def _run(words: list[str], trouble: str, tries: int = 1) -> str:
    """Run a program of others and return what it said; raises FlashFailed with what it said last."""
    for left in reversed(range(tries)):
        try:
            done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)  # noqa: S603 - as a list, no shell
        except OSError as error:
            raise FlashFailed(f"{words[0]} cannot be started ({error}). {_INSTALL}") from error
        if not done.returncode:
            return done.stdout
        if not left:
            _failed(words, done.stdout, trouble)
    raise AssertionError


def _failed(words: list[str], said: str, trouble: str) -> NoReturn:
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
    raise FlashFailed(f"{words[0]} failed: {last.strip()}\n{trouble}.")
