"""Decides which slot is started, or that none is.

This module does not know what a slot's program does.
"""

from __future__ import annotations

import asyncio
from typing import Any

from nesmodule.board.flash import Flash
from nesmodule.updates.slots import Slots

__all__ = ["ask_for_safe_mode", "choose", "confirm", "safe"]

_GAVE_UP = (
    "The program that was sent last did not prove itself. The one before it is there, but it does not start either."
)
_OFTEN = (
    "The program was started three times and did not prove itself, or somebody asked for safe mode to send another one."
)


def choose() -> str:
    """Return the slot to start, or :data:`~nesmodule.updates.slots.SAFE`."""
    return Slots(Flash()).choose()


def confirm(slot: str) -> None:
    """Note that the program of a slot works."""
    Slots(Flash()).confirm(slot)


def ask_for_safe_mode() -> None:
    """Have the next start be one in safe mode."""
    Slots(Flash()).ask_for_safe_mode()


def safe(host: str, port: int) -> None:
    """Serve safe mode. Returns when the chip is to start again."""
    # Loaded for this alone: the program that runs otherwise needs the memory.
    from nesmodule.board.clock import Clock  # noqa: PLC0415
    from nesmodule.board.settings import Settings  # noqa: PLC0415
    from nesmodule.updates.package import Package  # noqa: PLC0415
    from nesmodule.updates.safe import SafeMode  # noqa: PLC0415

    files = Flash()
    slots = Slots(files)
    modulus = _modulus(files)

    def package(older: bool) -> Any:  # noqa: FBT001 - asked for by safe mode
        return Package(files, slots, modulus, older=older)

    key = Settings(files).values.get("device_key") or ""
    mode = SafeMode(_GAVE_UP if slots.gave_up() else _OFTEN, key, package, Clock().now)
    asyncio.run(mode.run(host, port))


def _modulus(files: Any) -> bytes:
    """Return the key that packages are signed with; nothing is taken without one."""
    try:
        with files.open("update_key", "rb") as file:
            found: bytes = file.read()
            return found
    except OSError:
        return b""
