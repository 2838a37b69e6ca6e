"""Decides which slot is started, or that none is.

This module does not know what a slot's program does.
"""

from __future__ import annotations

import asyncio
from typing import Any

from nesmodule.board.flash import Flash
from nesmodule.board.settings import Settings
from nesmodule.updates.slots import SET_UP, Slots

__all__ = ["ask", "choose", "confirm", "safe", "set_up"]

_PAGE = "setup.html"
_ADDRESS = "192.168.4.1"
"""Of the access point, as the chip's own software has it."""

_GAVE_UP = (
    "The program that was sent last did not prove itself. The one before it is there, but it does not start either."
)
_OFTEN = (
    "The program was started three times and did not prove itself, or somebody asked for safe mode to send another one."
)


def choose() -> tuple[str, dict[str, Any]]:
    """Return the slot to start, :data:`~nesmodule.updates.slots.SAFE` or :data:`~nesmodule.updates.slots.SET_UP`, and the settings."""
    files = Flash()
    values = Settings(files).values
    if not (values.get("wifi_name") or values.get("line")):
        return SET_UP, values
    return Slots(files).choose(), values


def confirm(slot: str) -> None:
    """Note that the program of a slot works."""
    Slots(Flash()).confirm(slot)


def ask(what: str) -> None:
    """Have the next start be one in safe mode or at the access point; or, ``forget``, forget all that the label does not say."""
    if what == "forget":
        Settings(Flash()).forget()
    else:
        Slots(Flash()).ask_for(what)


def set_up(host: str, port: int, names_port: int) -> None:
    """Serve the access point. Returns when the chip is to start again."""
    # Loaded for this alone: the program that runs otherwise needs the memory.
    from nesmodule.board.clock import Clock  # noqa: PLC0415
    from nesmodule.setup.portal import Portal  # noqa: PLC0415
    from nesmodule.setup.radio import Radio  # noqa: PLC0415
    from nesmodule.setup.server import SetUp  # noqa: PLC0415

    files, now = Flash(), Clock().now
    settings = Settings(files)
    radio = Radio()
    values = settings.values
    address = radio.open(values.get("access_point_key") or "", values.get("name") or "") or _ADDRESS
    portal = Portal(settings, address, now)
    numbers = bytes([int(part) for part in address.split(".")])
    asyncio.run(SetUp(portal, radio, lambda: files.open(_PAGE, "rb"), now).run(host, port, names_port, numbers))


def safe(host: str, port: int) -> None:
    """Serve safe mode. Returns when the chip is to start again."""
    # Loaded for this alone: the program that runs otherwise needs the memory.
    from nesmodule.board.clock import Clock  # noqa: PLC0415
    from nesmodule.updates.package import Package  # noqa: PLC0415
    from nesmodule.updates.safe import SafeMode  # noqa: PLC0415

    files = Flash()
    slots = Slots(files)
    modulus = _modulus(files)

    def package(older: bool) -> Any:  # noqa: FBT001 - asked for by safe mode
        return Package(files, slots, modulus, older=older)

    values = Settings(files).values
    key = values.get("device_key") or ""
    mode = SafeMode(_GAVE_UP if slots.gave_up() else _OFTEN, key, package, Clock().now)
    asyncio.run(_with_radio(mode.run(host, port), values))


async def _with_radio(serving: Any, values: dict[str, Any]) -> None:
    """Serve safe mode in the owner's network and at the access point; only in the network of a computer where there is no radio."""
    try:
        from nesmodule.setup.radio import Radio  # noqa: PLC0415

        radio = Radio()
    except ImportError:
        await serving
        return
    radio.open(values.get("access_point_key") or "", values.get("name") or "")
    radio.join(values.get("wifi_name") or "", values.get("wifi_password") or "")
    feeding = asyncio.create_task(_feed(radio))
    await serving
    feeding.cancel()


async def _feed(radio: Any) -> None:
    from nesmodule.board.clock import sleep_ms  # noqa: PLC0415

    while True:
        radio.feed()
        await sleep_ms(1000)


def _modulus(files: Any) -> bytes:
    """Return the key that packages are signed with; nothing is taken without one."""
    try:
        with files.open("update_key", "rb") as file:
            found: bytes = file.read()
            return found
    except OSError:
        return b""
