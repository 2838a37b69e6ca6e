"""A telegram as the meter keeps it: the device's header and its records, without anything of the bus.

ET16 (MEP guide v1.1 p. 92-95), ET45 and ET74 hold for each device a list of telegrams, each with its length in front. A
telegram is kept from the serial number on; what stood before it on the bus (start, address, control information) and the
checksum are not. Behind the records stands one zero byte, which is none of them. Two forms:

==========================  ===================================================================================
variable (CI 72 and 76)     serial number 4, manufacturer 2, version, device type, access number, status, signature 2;
                            then records
fixed (CI 73 and 77)        16 bytes, see :mod:`osgp.mbus.fixed`
==========================  ===================================================================================

This module does not know the tables: which form it is, the byte order and whether the meter decrypted, they say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from osgp.errors import TableError
from osgp.mbus.codes.device_types import DEVICE_TYPES
from osgp.mbus.records import Records, decode_records

__all__ = ["HEADER_SIZE", "Header", "Status", "Telegram", "decode_telegram", "split_telegrams"]

HEADER_SIZE = 12
_CLOSING = 0
_KNOWN_MODES = range(1, 16)


@dataclass(frozen=True, slots=True)
class Status:
    """What the device says about itself (MEP guide v1.1 p. 94)."""

    code: int
    """The byte as sent."""

    @property
    def busy(self) -> bool:
        """The device had no time to answer well."""
        return self.code & 3 == 1

    @property
    def application_error(self) -> bool:
        """Something in the device's program failed."""
        return self.code & 3 == 2  # noqa: PLR2004 - the printed code

    @property
    def alarm(self) -> bool:
        """The device reports an alarm. The guide calls the code reserved; wmbusmeters reads it so."""
        return self.code & 3 == 3  # noqa: PLR2004 - the printed code

    @property
    def power_low(self) -> bool:
        """The battery is nearly empty."""
        return bool(self.code & 0x04)

    @property
    def permanent_error(self) -> bool:
        """An error that does not go away by itself."""
        return bool(self.code & 0x08)

    @property
    def temporary_error(self) -> bool:
        """An error that may go away."""
        return bool(self.code & 0x10)

    @property
    def manufacturer_bits(self) -> int:
        """The upper three bits, which the manufacturer alone knows, as 0 to 7."""
        return self.code >> 5


@dataclass(frozen=True, slots=True)
class Header:
    """Who sent the telegram."""

    serial: str
    """Eight characters. They should be digits, but some devices have letters A to F in them."""
    manufacturer: str
    """Three letters, such as ``KAM``; other characters where the device has none."""
    version: int
    device_type: int
    """A key of :data:`~osgp.mbus.codes.device_types.DEVICE_TYPES`, or one nobody here knows."""
    access_number: int
    """Counts the device's answers, modulo 256."""
    status: Status
    signature: int
    """Whether and how the records are encrypted."""

    @property
    def device(self) -> str:
        """Name of the device type for people."""
        return DEVICE_TYPES.get(self.device_type, f"unknown ({self.device_type:02X})")

    @property
    def encryption_mode(self) -> int:
        """0 for none; 1 to 15 are modes, and what is above is nonsense that devices without encryption send."""
        return self.signature >> 8 & 0x1F

    @classmethod
    def decode(cls, data: bytes, *, msb_first: bool = False) -> Header:
        """Read the first twelve bytes of a telegram.

        Args:
            data: the telegram.
            msb_first: numbers of more than one byte have their most significant byte first. The guide says so of every
                "multi-byte record" (p. 92), and by an exception to it of the fixed form too (p. 95).

        Raises:
            TableError: there are fewer.
        """
        if len(data) < HEADER_SIZE:
            raise TableError(
                f"an M-Bus telegram of {len(data)} bytes is too short: its header alone has {HEADER_SIZE}. The meter kept "
                "only a part of it; read it again after the next billing read of the device"
            )
        order: Literal["big", "little"] = "big" if msb_first else "little"
        maker, signature = (int.from_bytes(data[place : place + 2], order) for place in (4, 10))
        letters = "".join(chr(64 + (maker >> shift & 31)) for shift in (10, 5, 0))
        serial = f"{int.from_bytes(data[:4], order):08X}"
        return cls(serial, letters, data[6], data[7], data[8], Status(data[9]), signature)


@dataclass(frozen=True, slots=True)
class Telegram:
    """One telegram of the variable form."""

    header: Header
    content: Records | None
    """None if the records are encrypted, or seem to be."""
    undecoded: bytes = b""
    """The encrypted bytes."""
    whole: bool = True
    """False if the meter had no room for all of it."""


def split_telegrams(data: bytes) -> list[tuple[bytes, bool]]:
    """Cut a device's bytes into telegrams, each with its length in front.

    Args:
        data: from the first length byte on, and no more than the table says is valid: behind it are leftovers.

    Returns:
        Each telegram without its length, and whether it is all there. The last may be cut ("may be incomplete", p. 93).
    """
    found: list[tuple[bytes, bool]] = []
    place = 0
    while place < len(data) and data[place]:
        length = data[place]
        body = data[place + 1 : place + 1 + length]
        found.append((body, len(body) == length))
        place += 1 + length
    return found


def decode_telegram(body: bytes, *, whole: bool = True, msb_first: bool = False, decrypted: bool = False) -> Telegram:
    """Decode a telegram of the variable form.

    Args:
        body: from the serial number on, with the closing zero if it is whole.
        whole: as :func:`split_telegrams` says.
        msb_first: bit 0 of the response information (p. 92).
        decrypted: bit 2 of it: the meter decrypted what was encrypted (p. 93).

    Raises:
        TableError: it is too short for a header.
    """
    header = Header.decode(body, msb_first=msb_first)
    records = body[HEADER_SIZE:]
    if not decrypted and header.encryption_mode in _KNOWN_MODES:
        return Telegram(header, None, records, whole)
    content = _without_closing(records, whole=whole, msb_first=msb_first)
    if not decrypted and header.encryption_mode and content.rest:
        # A mode nobody knows and records that make no sense: it may well be encrypted.
        return Telegram(header, None, records, whole)
    return Telegram(header, content, whole=whole)


def _without_closing(data: bytes, *, whole: bool, msb_first: bool) -> Records:
    """Decode the records without the zero behind them, unless they need it."""
    if not whole or not data or data[-1] != _CLOSING:
        return decode_records(data, msb_first=msb_first)
    content = decode_records(data[:-1], msb_first=msb_first)
    if content.rest:
        with_zero = decode_records(data, msb_first=msb_first)
        if not with_zero.rest:
            return with_zero
    return content
