"""Where a meter's registers and present values stand, and what they are: from its tables of sizes, by the plan of constants.

Gives what :mod:`osgp.tables` gives, for the totals of BT23 and the present values of BT28; a test compares all of it. Tariff
tiers, demands and values of the primary side are left to the gateway.

This module does not know how tables are read, nor what may be believed.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Sequence

from nesmodule.meter import plan
from osgp.errors import TableError
from osgp.sources import SOURCES, Source, by_id
from osgp.tables.schema.windows import Window, windows

__all__ = ["Block", "Layout", "energy_unit_place", "et55_size", "firmware_of", "flag", "text"]

MOST_BYTES = 100
"""Of one partial read: meters of generation 4 refuse longer ones at times, and a short reply is soon there."""

_ENERGY_UNITS = (1, 10, 100)
"""All that is supported (MEP guide v1.1 p. 159)."""
_VALUE = 4


class Block:
    """The values of one table that stand in a row, four bytes each, signed.

    Args:
        table: its id.
        first: offset of the first value.
        sources: what each is, None where it has no name.
        order: of their bytes, as :mod:`struct` writes it.
    """

    def __init__(self, table: int, first: int, sources: Sequence[Source | None], order: str) -> None:
        self.table = table
        self.sources = sources
        self._first = first
        self._code = order + "i"
        self.factors: dict[Source, int] = {}
        """What one step of a stored number is worth in its raw unit, where that is not 1."""

    def windows(self) -> list[Window]:
        """Return offset and count of the partial reads that bring every named value."""
        first = self._first
        pieces = [(first + _VALUE * place, _VALUE) for place, source in enumerate(self.sources) if source is not None]
        return windows(pieces, MOST_BYTES)

    def decode(self, data: bytes, offset: int, into: OrderedDict[Source, int]) -> None:
        """Add the values that lie wholly in ``data``, which begins at ``offset`` of the table, in raw units."""
        at = self._first - offset
        end = len(data) - _VALUE
        for source in self.sources:
            if source is not None and 0 <= at <= end:
                into[source] = struct.unpack_from(self._code, data, at)[0] * self.factors.get(source, 1)
            at += _VALUE


class Layout:
    """How the values of one meter are laid out.

    Args:
        sizes: BT21, or BT20 of a meter without it.
        summation_ids: BT22 from its beginning; None if the meter does not have it: then the guide's order counts.
        present_ids: BT27 from its beginning; likewise.
        energy_unit: Wh, varh per step of an energy (ET55); what is none of 1, 10 and 100 was not told.
        big_endian: the byte order BT00 tells.
        firmware: major and minor; None if unknown.

    Raises:
        TableError: the sizes are not all there.
    """

    def __init__(
        self,
        sizes: bytes,
        *,
        summation_ids: bytes | None = None,
        present_ids: bytes | None = None,
        energy_unit: int = 1,
        big_endian: bool = False,
        firmware: tuple[int, int] | None = None,
    ) -> None:
        if len(sizes) < plan.SIZES:
            raise TableError(f"BT21 has {len(sizes)} bytes where {plan.SIZES} are needed. Read it again")
        order = ">" if big_endian else "<"
        demands, summations, values = sizes[plan.PRESENT_DEMANDS], sizes[plan.SUMMATIONS], sizes[plan.PRESENT_VALUES]
        self.resets = flag(sizes, plan.RESET_COUNTER)
        """BT23 begins with the number of demand resets."""
        ids = plan.SUMMATION_IDS if summation_ids is None else summation_ids[:summations]
        self.registers = Block(23, int(self.resets), _named(ids, summations, apparent=True), order)
        first = demands * (_VALUE + 3 * flag(sizes, plan.TIME_REMAINING))
        ids = plan.PRESENT_IDS if present_ids is None else present_ids[demands : demands + values]
        self.present = Block(28, first, _named(ids, values, apparent=False), order)
        unit = energy_unit if energy_unit in _ENERGY_UNITS else 1
        for source in self.registers.sources:
            if source is None:
                continue
            if unit != 1 and source.raw_unit in ("Wh", "varh"):
                self.registers.factors[source] = unit
            elif source.key == "outage_duration" and firmware == plan.OUTAGE_IN_MINUTES:
                self.registers.factors[source] = 60

    def resets_of(self, data: bytes, into: OrderedDict[Source, int]) -> None:
        """Add the number of demand resets from the first byte of BT23, where the meter counts them."""
        if self.resets:
            into[SOURCES["demand_reset_count"]] = data[0]


def flag(data: bytes, place: tuple[int, int]) -> bool:
    """Return one bit of a table."""
    byte, bit = place
    return data[byte] >> bit & 1 == 1


def text(data: bytes) -> str:
    """Return a text field: up to the first zero byte, without blanks at its end; control characters become ``?``."""
    letters = [chr(byte) if 32 <= byte < 127 else "?" for byte in data.split(b"\0")[0]]
    return "".join(letters).rstrip()


def firmware_of(data: bytes) -> tuple[int, int, int]:
    """Return major, minor and build of the two bytes of a version (MEP guide v1.1 p. 199)."""
    word = data[0] << 8 | data[1]
    return word >> 12, word >> 5 & 0x7F, word & 0x1F


def energy_unit_place(firmware: tuple[int, int] | None, tiers: int) -> int:
    """Return where ET55 holds the energy unit; -1 where it does not.

    Args:
        firmware: of the meter, None if unknown.
        tiers: the most that the meter supports.
    """
    place = _since(plan.ENERGY_UNIT, firmware)
    return place if place < 0 else place + 4 * (tiers - 4)


def et55_size(firmware: tuple[int, int] | None) -> int:
    """Return how long ET55 is with four tiers."""
    return _since(plan.ET55_SIZE, firmware)


def _since(steps: Sequence[tuple[int, int, int]], firmware: tuple[int, int] | None) -> int:
    if firmware is None:
        return steps[0][2]
    found = steps[1][2]
    for major, minor, value in steps[1:]:
        if firmware >= (major, minor):
            found = value
    return found


def _named(ids: bytes, count: int, *, apparent: bool) -> list[Source | None]:
    """Return what ``count`` values are, by their source ids; a source met a second time has no name."""
    named = [by_id(number) for number in ids]
    if apparent and len(ids) >= plan.FIRST_APPARENT:
        # Numbers 15 to 18 are apparent energies, for which the guide prints no ids: by position (p. 210).
        named = named[: plan.FIRST_APPARENT] + [
            SOURCES["apparent_energy_q" + str(quadrant)] for quadrant in (1, 2, 3, 4)
        ]
    found: list[Source | None] = []
    for source in named[:count]:
        found.append(None if source in found else source)
    return found + [None] * (count - len(found))
