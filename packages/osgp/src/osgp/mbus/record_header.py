"""The header of one record: which of a device's values it is, what it measures and how its data are encoded.

==========  ==========  ========================================================================================
bytes       name        says
==========  ==========  ========================================================================================
1           DIF         data code, function, lowest bit of the storage number
0 to 10     DIFE        more bits of storage number, tariff and subunit
1           VIF         quantity, unit and power of ten, or in which table the next byte says so
1 to 256    text        behind VIF 7C and FC only: length byte, and the unit in characters, the last first
0 to 10     VIFE        what is made of the quantity
==========  ==========  ========================================================================================

The highest bit of each but the text says that another one follows. The guide calls all of it the data record header (DRH;
MEP guide v1.1 p. 32-34, ET57 on p. 164), and prints no more about it than examples; the bits are facts on which libmbus,
m-bus-parser and wmbusmeters agree.

This module does not know the data behind the header.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from osgp.errors import TableError
from osgp.mbus.codes.code import Code, Kind
from osgp.mbus.codes.combinable import COMBINABLE, MANUFACTURER, SECOND_TABLE, Effect
from osgp.mbus.codes.extended import BEHIND_FB, BEHIND_FD, BEHIND_FD_FD
from osgp.mbus.codes.primary import PRIMARY
from osgp.mbus.faults import Fault
from osgp.mbus.values import text as characters

__all__ = ["Function", "RecordHeader", "read_header"]

_MORE = 0x80
_CODE = 0x7F
_MOST_EXTENSIONS = 10
_FB, _FD, _TEXT, _ANY = 0x7B, 0x7D, 0x7C, 0x7E
_THIRD_TABLE = 0x7D
_PLAIN_EFFECTS = frozenset({Effect.KEEPS, Effect.SCALES})


class Function(IntEnum):
    """Which of the values of a quantity it is."""

    INSTANTANEOUS = 0
    MAXIMUM = 1
    MINIMUM = 2
    ERROR_STATE = 3
    """The value during an error of the device."""


@dataclass(frozen=True, slots=True)
class RecordHeader:
    """What stands before a record's data."""

    encoded: bytes
    """The header itself."""
    data_code: int
    """Low four bits of the DIF, a key of :data:`osgp.mbus.values.DATA_SIZES` or VARIABLE."""
    function: Function
    storage: int
    """0 the value now; others are kept values, 1 mostly that of the last billing date."""
    tariff: int
    """0 all tariffs together."""
    subunit: int
    """0 the device itself; others are for instance its pulse inputs."""
    code: Code | None
    """The quantity after all that the modifiers do to it; None where nobody but the manufacturer knows."""
    of: str | None
    """Where modifiers made another quantity of it (a duration, a date, a count): the one it is about."""
    text: str | None
    """The unit in the device's own characters, which then has no code."""
    modifiers: tuple[int, ...]
    """The VIFEs that follow the code, without their highest bits: keys of
    :data:`~osgp.mbus.codes.combinable.COMBINABLE`. Those of the second table have 0x7C00 added, the manufacturer's 0x7F00.
    """
    fault: Fault | None
    """The device says that there is no value."""

    @property
    def plain(self) -> bool:
        """Whether a value here is the quantity its code names, no more and no less."""
        return (
            self.code is not None
            and self.text is None
            and all(code in COMBINABLE and COMBINABLE[code].effect in _PLAIN_EFFECTS for code in self.modifiers)
        )


def read_header(data: bytes, start: int = 0, *, msb_first: bool = False) -> RecordHeader:
    """Read the header that begins at ``start``.

    Args:
        data: a telegram's records, or a header alone; what follows the header does not matter.
        start: where the DIF is.
        msb_first: the device sends the first character of a text first.

    Raises:
        TableError: it ends too early, or has more than ten DIFE or VIFE.
    """
    dif, place = _byte(data, start, "its data information"), start + 1
    extensions, place = _extensions(data, place, "data") if dif & _MORE else (b"", place)
    storage, tariff, subunit = dif >> 6 & 1, 0, 0
    for number, byte in enumerate(extensions):
        storage |= (byte & 0x0F) << 1 + 4 * number
        tariff |= (byte >> 4 & 3) << 2 * number
        subunit |= (byte >> 6 & 1) << number

    vif, place = _byte(data, place, "its value information"), place + 1
    text = None
    if vif & _CODE == _TEXT:
        length, place = _byte(data, place, "the length of its unit's text"), place + 1
        if place + length > len(data):
            raise TableError(f"an M-Bus record ends within the {length} characters of its unit's text")
        text = data[place : place + length]
        place += length
    vifes, place = _extensions(data, place, "value") if vif & _MORE else (b"", place)
    code, rest = _code(vif & _CODE, bytes(byte & _CODE for byte in vifes))
    modifiers = _modifiers(vif & _CODE, rest)
    header = RecordHeader(
        encoded=data[start:place],
        data_code=dif & 0x0F,
        function=Function(dif >> 4 & 3),
        storage=storage,
        tariff=tariff,
        subunit=subunit,
        code=code,
        of=None,
        text=None if text is None else characters(text[::-1] if msb_first else text),
        modifiers=modifiers,
        fault=None,
    )
    return _modified(header)


def _byte(data: bytes, place: int, name: str) -> int:
    if place >= len(data):
        raise TableError(f"an M-Bus record ends before {name}")
    return data[place]


def _extensions(data: bytes, start: int, name: str) -> tuple[bytes, int]:
    """Return the bytes up to and with the first whose highest bit is clear, and the place behind it."""
    for place in range(start, start + _MOST_EXTENSIONS):
        if not _byte(data, place, f"its {name} information is complete") & _MORE:
            return data[start : place + 1], place + 1
    raise TableError(f"an M-Bus record has more than {_MOST_EXTENSIONS} extensions of its {name} information")


def _code(vif: int, vifes: bytes) -> tuple[Code | None, bytes]:
    """Return the code, and the VIFEs that are no part of it."""
    if vif == _FB and vifes:
        return BEHIND_FB.get(vifes[0]), vifes[1:]
    if vif == _FD and vifes[:1] == bytes([_THIRD_TABLE]):
        return BEHIND_FD_FD.get(vifes[1]) if len(vifes) > 1 else None, vifes[2:]
    if vif == _FD and vifes:
        return BEHIND_FD.get(vifes[0]), vifes[1:]
    return PRIMARY.get(vif), vifes


def _modifiers(vif: int, vifes: bytes) -> tuple[int, ...]:
    """Return the codes of the VIFEs, each with the table it is of."""
    found: list[int] = []
    table = MANUFACTURER << 8 if vif == MANUFACTURER else 0
    for byte in vifes:
        found.append(table | byte)
        if table != MANUFACTURER << 8:
            table = byte << 8 if byte in {SECOND_TABLE, MANUFACTURER} and not table else 0
    return tuple(found)


def _modified(header: RecordHeader) -> RecordHeader:
    """Return the header with its code as the modifiers make it."""
    code, of, fault, exponent = header.code, header.of, header.fault, 0
    if code is None and header.text is not None:
        code = Code("text")
    named = code
    for modifier in header.modifiers:
        row = COMBINABLE.get(modifier)
        if row is None:
            continue
        exponent += row.exponent
        fault = fault or row.fault
        if code is None or named is None:
            continue
        if row.effect is Effect.COUNTS:
            code, of = Code("count"), named.quantity
        elif row.effect is Effect.LASTS:
            code, of = Code("duration", row.unit), named.quantity
        elif row.effect is Effect.DATES:
            code, of = Code("date", kind=Kind.TIME_POINT), named.quantity
    if code is not None and exponent:
        code = replace(code, exponent=code.exponent + exponent)
    return replace(header, code=code, of=of, fault=fault)
