"""What a meter says of itself while the gateway is set up: whether one is there, and whether the key is right.

Both go through the library's own client, as the gateway does later. On the optical port a key is shown once and not again:
a meter may count wrong ones.

This module does not know who asks.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Token
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nes2mqtt.setup.draft import Seen
from nes2mqtt.setup.said import Said
from osgp.errors import (
    CorruptFrame,
    DigestMismatch,
    KeyRejected,
    LinkRefused,
    MeterRefused,
    OsgpError,
    PortBusy,
    PortMissing,
    PortPermission,
    ResponseTimeout,
    SequenceLost,
    TableError,
    TransportError,
)
from osgp.key import MeterKey
from osgp.optical.key import Padding
from osgp.optical.settings import SessionSettings
from osgp.ports.transport import Address, wire_tap
from osgp.sources import SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable

    from osgp.meter import Meter

__all__ = ["Found", "find_meter", "read_meter"]

_SEARCHING = 4.5
"""Seconds in which a meter is asked twice on the optical port, because it may miss the first packet, and four times on the MEP port."""
_PATIENCE = 60.0
"""Seconds for all that is asked of a meter; ten reads on a slow line take twenty."""
_OPTICAL = {"serial": "optical", "tcp": "optical+tcp"}
_IMPORT, _EXPORT = SOURCES["active_power_import"], SOURCES["active_power_export"]
_DRAWN = SOURCES["active_energy_import"]


@dataclass(frozen=True, slots=True)
class Found:
    """What is at a port."""

    address: Address
    """On the socket that answered; the one asked for where none did."""
    answers: bool
    seen: Seen | None = None
    """What a meter tells without a key: on the optical port who it is."""
    said: Said | None = None
    """Why it cannot be used."""


async def find_meter(address: Address, *, either: bool) -> Found:
    """Find out whether a meter answers at a port, with no key or a made-up one.

    On the MEP port a meter tells nothing without its key, but its refusal shows that it is there.

    Args:
        address: where to look.
        either: the port may be either socket of the meter, so try the other one too.
    """
    ways = [address]
    other = _other_socket(address)
    if either and other is not None:
        # The MEP port first: whether it is silent is known sooner.
        ways = sorted((address, other), key=lambda way: way.optical)
    first: Found | None = None
    for way in ways:
        found = await _find(way)
        if found.answers or (
            isinstance(found.said, Said) and found.said.code.startswith("port_") and not found.said.passable
        ):
            return found
        first = first if first is not None and first.said != Said("port_silent", "port", passable=True) else found
    assert first is not None  # noqa: S101 - there is a way at least
    return first


def _other_socket(address: Address) -> Address | None:
    other = _OPTICAL.get(address.scheme) or {to: of for of, to in _OPTICAL.items()}.get(address.scheme)
    return None if other is None or address.baud != Address(other).baud else replace(address, scheme=other)


async def _find(address: Address) -> Found:
    from osgp.meter import open_meter  # noqa: PLC0415 - takes a moment to load

    key = None if address.optical else MeterKey(bytes(16))
    seen = None
    with _listening() as heard:
        try:
            async with (
                asyncio.timeout(_PATIENCE),
                _given_up_when_silent(heard),
                open_meter(str(address), key=key) as meter,
            ):
                who = await meter.identity()
                seen = Seen(who.manufacturer, who.model, who.serial)
        except (KeyRejected, MeterRefused, LinkRefused, SequenceLost, DigestMismatch, TableError):
            pass  # only a meter says such things
        except TransportError as error:
            return Found(address, answers=False, said=_of_the_port(error, address))
        except (OsgpError, TimeoutError):
            code = "port_noise" if heard.is_set() else "port_silent"
            return Found(address, answers=False, said=Said(code, "port", passable=True))
    return Found(address, answers=True, seen=seen)


@contextmanager
def _listening() -> Iterator[asyncio.Event]:
    """Set an event when a byte comes from a port that is opened meanwhile."""
    heard = asyncio.Event()

    def tap(_data: bytes, sent: bool) -> None:  # noqa: FBT001 - the tap's signature
        if not sent:
            heard.set()

    before: Token[Callable[[bytes, bool], None] | None] = wire_tap.set(tap)
    try:
        yield heard
    finally:
        wire_tap.reset(before)


@contextlib.asynccontextmanager
async def _given_up_when_silent(heard: asyncio.Event) -> Any:
    """Raise TimeoutError in the body when nothing at all was heard in :data:`_SEARCHING` seconds."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:
        timer = loop.call_later(_SEARCHING, lambda: None if heard.is_set() else limit.reschedule(loop.time()))
        try:
            yield
        finally:
            timer.cancel()


def _of_the_port(error: TransportError, address: Address) -> Said:
    """Say why a port cannot be used."""
    where = address.path or address.place
    if isinstance(error, PortMissing):
        return Said("port_missing" if address.path else "port_unreachable", "port", {"port": where})
    if isinstance(error, PortPermission):
        return Said("port_forbidden", "port", {"port": where})
    if isinstance(error, PortBusy):
        return Said("port_busy", "port", {"port": where})
    return Said("port_gone", "port", {"port": where})


async def read_meter(address: Address, key: MeterKey, padding: str, now: Callable[[], datetime]) -> Seen | Said:
    """Show the key to the meter and read who it is and what it measures.

    Args:
        address: of the port.
        key: as for this port.
        padding: ``zeros`` or ``blanks``: what a short key of an optical port is filled up with.
        now: this computer's time, aware.

    Returns:
        What the meter tells, or why it does not.
    """
    from osgp.meter import open_meter  # noqa: PLC0415 - takes a moment to load

    session = SessionSettings(padding=Padding.BLANKS if padding == "blanks" else Padding.ZEROS)
    answered = False
    try:
        async with asyncio.timeout(_PATIENCE):
            async with open_meter(str(address), key=key, session=session) as meter:
                # First what needs the key on both ports: on the optical port everybody may ask who it is.
                registers = await meter.registers()
                answered = True
                return await _all_it_tells(meter, registers.get(_DRAWN), now)
    except KeyRejected:
        return Said("key_refused_optical" if address.optical else "key_refused", "key")
    except TransportError as error:
        return replace(_of_the_port(error, address), field="")
    except (MeterRefused, TableError):
        return Said("meter_no_values", passable=True)
    except (ResponseTimeout, TimeoutError):
        return Said("meter_stopped" if answered else "meter_silent", passable=True)
    except (CorruptFrame, OsgpError):
        return Said("meter_line", passable=True)


async def _all_it_tells(meter: Meter, reading: int | None, now: Callable[[], datetime]) -> Seen:
    present = await meter.present()
    who = await meter.identity()
    clock = None
    with contextlib.suppress(TableError, MeterRefused):
        clock = await meter.clock()
    power = None
    if _IMPORT in present or _EXPORT in present:
        power = present.get(_IMPORT, 0) - present.get(_EXPORT, 0)
    behind = (now().astimezone(UTC) - clock).total_seconds() if clock is not None else None
    return Seen(who.manufacturer, who.model, who.serial, power, reading, behind, clock)
