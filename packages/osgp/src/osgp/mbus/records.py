"""The records of a telegram: where each begins and ends, and what it says.

>>> telegram = decode_records(bytes.fromhex("0c 13 45 23 01 00"))
>>> [(record.quantity, str(record.value), record.unit) for record in telegram.records]
[('volume', '12.345', 'm³')]

A wrong *value* (a digit that is none, a date that is none) is a fault of its record, which then has no value; its neighbours
are as good as before. Only where the next record begins can get lost: then the telegram ends there, with what was read and
the rest as it is. A value is absent or true: see :attr:`Record.plain`.

The format is that of EN 13757-3 as libmbus, m-bus-parser and wmbusmeters read it (see :mod:`osgp.mbus.codes`).

This module does not know who sent the telegram.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal

from osgp.errors import TableError
from osgp.mbus.codes.code import Code, Kind
from osgp.mbus.dates import TimePoint, decode_time_point
from osgp.mbus.faults import Fault
from osgp.mbus.record_header import Function, RecordHeader, read_header
from osgp.mbus.values import (
    DATA_SIZES,
    REAL,
    SPECIAL,
    VARIABLE,
    decimal_digits,
    fixed_number,
    scaled,
    variable_size,
    variable_value,
)

__all__ = ["Record", "Records", "Value", "decode_records", "decode_value"]

Value = Decimal | date | datetime | time | str | bytes
"""A number in the record's unit, a point in time without zone, a text, or bytes whose meaning is not known."""

_MANUFACTURER_DATA, _MORE_FOLLOW = 0x0F, 0x1F
_FILLER = 0x2F
_KEPT_OF_A_VALUE = 4
"""A load profile channel holds so many bytes of a value (MEP guide v1.1 p. 32)."""
_LONG_INTEGERS, _LONG_DECIMAL = frozenset({6, 7}), 0xE
_NUMBERS_OF_A_BYTE = 100
"""Two decimal digits."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record."""

    header: RecordHeader
    raw: bytes = field(repr=False)
    """The data as they were sent, with the length byte where there is one."""
    value: Value | None
    """None if there are no data, or a fault."""
    fault: Fault | None = None
    """Why there is no value."""
    summer_time: bool | None = None
    """Of a date and time: whether the device's summer time is in force, if it says so."""
    modulus: Decimal | None = None
    """Of a number that was cut to its low digits: what the true one differs from it by a multiple of, in the same unit."""

    @property
    def quantity(self) -> str | None:
        """Name of the quantity; None where nobody but the manufacturer knows."""
        return None if self.header.code is None else self.header.code.quantity

    @property
    def unit(self) -> str:
        """Unit of a number; empty for none, and for what is no number."""
        return "" if isinstance(self.value, (str, bytes)) else self._unit_of_code

    @property
    def plain(self) -> bool:
        """Whether the value is the quantity and nothing else.

        False for a value that a modifier made another one of ("volume per pulse"), for bytes and texts where a number is
        due, and for a number that was cut. Such a value must not be shown under the name of the quantity.
        """
        if not self.header.plain or self.modulus is not None or isinstance(self.value, bytes):
            return False
        return not (self._unit_of_code and isinstance(self.value, str))

    @property
    def _unit_of_code(self) -> str:
        return "" if self.header.code is None else self.header.code.unit

    @property
    def present(self) -> bool:
        """Whether it is the device's main value of the quantity, now: plain, all tariffs, no kept, highest or lowest one."""
        head = self.header
        main = not (head.storage or head.tariff or head.subunit) and head.function is Function.INSTANTANEOUS
        return main and self.plain and self.value is not None

    @property
    def encoded(self) -> bytes:
        """The whole record as it was sent."""
        return self.header.encoded + self.raw


@dataclass(frozen=True, slots=True)
class Records:
    """What :func:`decode_records` found."""

    records: tuple[Record, ...]
    manufacturer: bytes = b""
    """What follows DIF 0F or 1F: known to the manufacturer alone, also if it looks like records."""
    more_follow: bool = False
    """The device has more records, in its next telegram (DIF 1F)."""
    rest: bytes = b""
    """What could not be read, from the start of the record that has no end; empty if all was read."""
    trouble: str | None = None
    """Why there is a rest, for people."""
    skipped: tuple[int, ...] = ()
    """Reserved bytes between records (DIF 3F to 7F), which mean nothing here."""


def decode_records(data: bytes, *, msb_first: bool = False) -> Records:
    """Decode the records of one telegram. Never fails: what cannot be read stays as ``rest``.

    Args:
        data: what follows the telegram's header, without the closing zero.
        msb_first: values are sent with the most significant byte first ("Mode 2").
    """
    records: list[Record] = []
    skipped: list[int] = []
    place = 0
    while place < len(data):
        dif = data[place]
        if dif in {_MANUFACTURER_DATA, _MORE_FOLLOW}:
            return Records(tuple(records), data[place + 1 :], more_follow=dif == _MORE_FOLLOW, skipped=tuple(skipped))
        if dif & 0x8F == SPECIAL:
            if dif != _FILLER:
                skipped.append(dif)
            place += 1
            continue
        try:
            record = _record(data, place, msb_first=msb_first)
        except TableError as error:
            return Records(tuple(records), rest=data[place:], trouble=str(error), skipped=tuple(skipped))
        records.append(record)
        place += len(record.encoded)
    return Records(tuple(records), skipped=tuple(skipped))


def decode_value(header: bytes, raw: bytes, *, msb_first: bool = False) -> Record:
    """Decode one value that is kept apart from its header, as in a channel of the load profile.

    A channel holds the first four data bytes, with zeros behind shorter data (MEP guide v1.1 p. 32). How many count, the
    header says. Of integers and decimals of six and eight bytes the low digits are left: see :attr:`Record.modulus`. Data with
    their length in front have no value here.

    Args:
        header: DIF to the last VIFE; what follows it is ignored (ET57 has three bytes for every header).
        raw: the data bytes.
        msb_first: as for :func:`decode_records`. Of cut data nothing is known then.

    Raises:
        TableError: the header is not whole, or is none.
    """
    head = read_header(header, msb_first=msb_first)
    if head.data_code == SPECIAL:
        raise TableError(f"{header.hex(' ').upper()} is no header of an M-Bus value: its data code is F")
    # Whether a channel holds the length byte of data that have one, the guide does not say.
    size = None if head.data_code == VARIABLE else DATA_SIZES[head.data_code]
    if size is None or len(raw) < size:
        return _cut(head, raw, msb_first=msb_first)
    return _valued(head, raw[:size], msb_first=msb_first)


def _record(data: bytes, start: int, *, msb_first: bool) -> Record:
    head = read_header(data, start, msb_first=msb_first)
    place = start + len(head.encoded)
    if head.data_code == SPECIAL:
        raise TableError("an M-Bus record has data of a kind that does not say how long they are (DIF 8F to FF)")
    if head.data_code == VARIABLE:
        if place >= len(data):
            raise TableError("an M-Bus record ends before the length of its data")
        size = 1 + variable_size(data[place])
    else:
        size = DATA_SIZES[head.data_code]
    if place + size > len(data):
        raise TableError(f"an M-Bus record has {len(data) - place} bytes of data where its header tells {size}")
    return _valued(head, data[place : place + size], msb_first=msb_first)


def _valued(head: RecordHeader, raw: bytes, *, msb_first: bool) -> Record:
    code = head.code
    if head.fault is not None:
        return Record(head, raw, None, head.fault)
    variable = head.data_code == VARIABLE
    content = raw[1:] if variable else raw
    if code is None or code.kind is Kind.RAW:
        return Record(head, raw, content or None)
    if code.kind is Kind.SECRET:
        return Record(head, raw, None, Fault.WITHHELD)
    ordered = content[::-1] if msb_first else content
    if not variable and not content:
        return Record(head, raw, None)
    if code.kind is Kind.TIME_POINT:
        return _point_in_time(head, raw, ordered)
    signed = code.kind is not Kind.FLAGS
    if variable:
        found = variable_value(raw[0], ordered, signed=signed)
    else:
        found = fixed_number(head.data_code, ordered, signed=signed)
    if isinstance(found, Fault):
        return Record(head, raw, None, found)
    if isinstance(found, bytes):
        found = content  # as it was sent: nobody knows what it is
    return Record(head, raw, scaled(found, code.exponent) if isinstance(found, Decimal) else found)


def _point_in_time(head: RecordHeader, raw: bytes, ordered: bytes) -> Record:
    if head.data_code == VARIABLE:
        found = variable_value(raw[0], ordered)
        # A device may write a date in words; numbers with a length in front are no date of any format.
        return Record(head, raw, found) if isinstance(found, str) else Record(head, raw, None, Fault.NO_DATE)
    point = Fault.NO_DATE if head.data_code == REAL else decode_time_point(ordered)
    if isinstance(point, TimePoint):
        return Record(head, raw, point.value, summer_time=point.summer_time)
    return Record(head, raw, None, point)


def _cut(head: RecordHeader, raw: bytes, *, msb_first: bool) -> Record:
    """Return the record of a value of which only the first bytes are there."""
    code = head.code
    kept = len(raw)
    if head.fault is not None or code is None or code.kind is not Kind.NUMBER or msb_first or kept < _KEPT_OF_A_VALUE:
        return Record(head, raw, None, head.fault or _hidden(code) or Fault.CUT)
    if head.data_code in _LONG_INTEGERS:
        return _low_part(head, code, raw, int.from_bytes(raw, "little"), 256**kept)
    if head.data_code == _LONG_DECIMAL:
        digits = decimal_digits(raw)
        if digits is None:
            return Record(head, raw, None, Fault.NOT_DECIMAL)
        return _low_part(head, code, raw, digits, _NUMBERS_OF_A_BYTE**kept)
    return Record(head, raw, None, Fault.CUT)


def _hidden(code: Code | None) -> Fault | None:
    return Fault.WITHHELD if code is not None and code.kind is Kind.SECRET else None


def _low_part(head: RecordHeader, code: Code, raw: bytes, number: int, modulus: int) -> Record:
    value, step = (scaled(Decimal(part), code.exponent) for part in (number, modulus))
    return Record(head, raw, value, modulus=step)
