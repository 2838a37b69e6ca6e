"""Reads parts of tables, no faster than the guide wishes, and finds out who the meter is and how its tables are laid out.

A layout is believed only while the meter's IDT version (ET04.116) stays the same: it changes with every change of the tables (MEP guide
v1.1 p. 54-55). A meter that does not show it is asked for its sizes again instead.

This module does not know values.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nesmodule.meter import plan
from nesmodule.meter.layout import MOST_BYTES, Layout, energy_unit_place, et55_size, firmware_of, flag, text
from nesmodule.meter.line import MeterLine
from osgp.errors import MeterRefused, TableError
from osgp.psem import EXTENDED, PartialRead, ResponseCode

__all__ = ["Identity", "Tables"]

_BT00, _BT01, _BT20, _BT21, _BT22, _BT27 = 0, 1, 20, 21, 22, 27
_ET03, _ET04, _ET55 = EXTENDED + 3, EXTENDED + 4, EXTENDED + 55

_BURST = 30_000
_READ = 1000
"""Milliseconds of patience that one table takes: the guide wishes one a second on average (p. 51)."""

_FOUR_TIERS, _EIGHT_TIERS = 4, 8
_FIRST_METER_MAJOR = 2
"""Control point modules count their own versions, which say nothing of fields."""


class Identity:
    """Who the meter is; empty where it does not say."""

    def __init__(self, serial: str, manufacturer: str, model: str, firmware: str) -> None:
        self.serial = serial
        self.manufacturer = manufacturer
        self.model = model
        self.firmware = firmware


class Tables:
    """The tables of the meter at the end of a line.

    Args:
        line: asks.
        now: gives milliseconds that only grow.
        sleep: waits so many milliseconds.
    """

    def __init__(self, line: MeterLine, now: Callable[[], int], sleep: Callable[[int], Awaitable[None]]) -> None:
        self.line = line
        self._now = now
        self._sleep = sleep
        self._patience = _BURST
        self._counted = now()
        self._sizes = b""
        self._signature: tuple[str, bytes | None, int | None] | None = None
        self._resyncs = 0
        self.layout: Layout | None = None
        self.identity: Identity | None = None

    async def allow(self) -> None:
        """Wait until a table may be read."""
        now = self._now()
        self._patience = min(_BURST, self._patience + now - self._counted) - _READ
        self._counted = now
        if self._patience < 0:
            await self._sleep(-self._patience)

    async def part(self, table: int, offset: int, count: int) -> bytes:
        """Return ``count`` bytes of a table from ``offset``. Raises OsgpError as :meth:`MeterLine.exchange`, and MeterRefused."""
        request = PartialRead(table, offset, count)
        response = await self.line.exchange(request)
        response.raise_for_code(request)
        return response.data

    async def _maybe(self, table: int, offset: int, count: int) -> bytes | None:
        """Return a part of a table; None where the meter refuses it for good."""
        await self.allow()
        found = b""
        try:
            while len(found) < count:
                found += await self.part(table, offset + len(found), min(MOST_BYTES, count - len(found)))
        except MeterRefused as error:
            if ResponseCode.ERROR <= error.code <= ResponseCode.INAPPROPRIATE_ACTION:
                return None
            raise
        return found

    async def survey(self) -> None:
        """Find out who the meter is and how its tables are laid out.

        Raises:
            TableError: it tells no sizes, or they changed meanwhile.
            OsgpError: see :meth:`MeterLine.exchange`.
        """
        self.layout = None
        before = await self._read_signature()
        made = await self._maybe(_BT01, 0, plan.FIRMWARE[0] + 2)
        version = firmware_of(made[plan.FIRMWARE[0] :]) if made is not None else None
        firmware = version[:2] if version is not None and version[0] >= _FIRST_METER_MAJOR else None
        order = await self._maybe(_BT00, plan.BIG_ENDIAN[0], 1)
        most = await self._maybe(_BT20, 0, plan.SIZES)
        sizes = await self._maybe(_BT21, 0, plan.SIZES) or most
        if sizes is None:
            raise TableError("the meter tells its table sizes neither in BT21 nor in BT20, so it cannot be read")
        summations = await self._ids(_BT22, sizes[plan.SUMMATIONS])
        present = await self._ids(_BT27, sizes[plan.PRESENT_DEMANDS] + sizes[plan.PRESENT_VALUES])
        unit = await self._energy_unit(firmware, sizes, most)
        if await self._read_signature() != before:
            raise TableError("the meter's tables changed while they were read. They are read again")
        self._signature, self._sizes, self._resyncs = before, sizes, self.line.resyncs
        self.layout = Layout(
            sizes,
            summation_ids=summations,
            present_ids=present,
            energy_unit=unit,
            big_endian=order is not None and flag(order, (0, plan.BIG_ENDIAN[1])),
            firmware=firmware,
        )
        shown = "%d.%02d.%02d" % version if version is not None else ""
        maker, model = (
            (b"", b"") if made is None else (made[: plan.MANUFACTURER[1]], made[plan.MODEL[0] :][: plan.MODEL[1]])
        )
        self.identity = Identity(before[0], text(maker), text(model), shown)

    async def confirmed(self) -> bool:
        """Tell whether the layout still was right when the last part was read; otherwise survey again before the next one."""
        if self.layout is None or self._signature is None:
            return False
        if self.line.resyncs != self._resyncs:
            # Another meter, or somebody else on the line: ask who it is.
            self._resyncs = self.line.resyncs
            same = await self._read_signature() == self._signature
        elif self._signature[2] is None:
            sizes = await self._maybe(_BT21, 0, plan.SIZES) or await self._maybe(_BT20, 0, plan.SIZES)
            same = sizes == self._sizes
        else:
            same = await self._version() == self._signature[2]
        if not same or self.line.resyncs != self._resyncs:
            self.layout = None
        return self.layout is not None

    async def _read_signature(self) -> tuple[str, bytes | None, int | None]:
        version = await self._version()
        program = await self._maybe(_ET04, plan.PROGRAM[0], plan.PROGRAM[1])
        serial = await self._maybe(_ET03, plan.SERIAL[0], plan.SERIAL[1])
        return "" if serial is None else text(serial), program, version

    async def _version(self) -> int | None:
        found = await self._maybe(_ET04, plan.IDT_VERSION[0], 1)
        return None if found is None else found[0]

    async def _ids(self, table: int, count: int) -> bytes | None:
        return await self._maybe(table, 0, count) if count else None

    async def _energy_unit(self, firmware: tuple[int, int] | None, sizes: bytes, most: bytes | None) -> int:
        """Return what ET55 says an energy is counted in; 1 where it does not."""
        if most is not None:
            tiers = most[plan.TIERS]
        else:
            tiers = max(_FOUR_TIERS, sizes[plan.TIERS])
            if tiers < _EIGHT_TIERS and energy_unit_place(firmware, tiers) >= 0:
                # Nothing told how many tiers there can be: the length of ET55 does. Behind the end of a table come zeros.
                beyond = await self._maybe(_ET55, et55_size(firmware), 4 * (_EIGHT_TIERS - _FOUR_TIERS))
                tiers = _EIGHT_TIERS if beyond is not None and any(beyond) else tiers
        place = energy_unit_place(firmware, tiers)
        found = await self._maybe(_ET55, place, 1) if place >= 0 else None
        return 1 if found is None else found[0]
