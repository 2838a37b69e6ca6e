"""Reads registers and present values again and again, has them judged, and keeps what may be believed.

Nothing is filled in: a value that is not read any more is forgotten with :data:`FORGET`, so an output shows what is true or nothing.

This module does not know outputs or pins; how a silent meter's level shifter is switched is handed in.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable

from nes2mqtt.meters.guard import Guard
from nes2mqtt.timing.moment import Moment
from nesmodule.meter.layout import Block
from nesmodule.meter.tables import Tables
from osgp.errors import KeyRejected, LinkError, OsgpError, ResponseTimeout, TransportError
from osgp.ports.silences import Silences
from osgp.sources import Source

__all__ = ["FORGET", "Group", "Poller"]

PRESENT_EVERY = 10_000
REGISTERS_EVERY = 60_000
AGAIN = 5000
"""Milliseconds after a failure, and until a held register is read again."""
FORGET = 3 * REGISTERS_EVERY
"""Milliseconds after which a value that nobody confirmed is gone."""


class Group:
    """Values that were read together; empty when there are none that may be believed."""

    def __init__(self) -> None:
        self.values: OrderedDict[Source, int] = OrderedDict()
        self.at = 0
        self.count = 0
        """Grows with each reading, so that an output sees that there is a new one."""

    def take(self, values: OrderedDict[Source, int], at: int) -> None:
        """Note what was believed of one reply."""
        self.values = values
        self.at = at
        self.count += 1


class Poller:
    """Polls one meter.

    Args:
        tables: of the meter.
        guard: judges.
        now: gives milliseconds that only grow.
        sleep: waits.
        power_cycle: switches the level shifter off and on; None where it cannot be switched.
        time_of_day: gives milliseconds since 1970, or 0 when the time is not known.
    """

    def __init__(
        self,
        tables: Tables,
        guard: Guard,
        now: Callable[[], int],
        sleep: Callable[[int], Awaitable[None]],
        *,
        power_cycle: Callable[[], Awaitable[None]] | None = None,
        time_of_day: Callable[[], int] | None = None,
    ) -> None:
        self.tables = tables
        self._guard = guard
        self._now = now
        self._sleep = sleep
        self._power_cycle = power_cycle
        self._time_of_day = time_of_day
        self._silences = Silences()
        self.registers = Group()
        self.present = Group()
        self.segment = 1
        self.state = "starting"
        self.message = ""
        """For people: what is wrong and what to do; empty when all is well."""
        self.power_cycles = 0
        self.rejected = 0
        self.notes: list[str] = []
        """What the guard said that nobody has logged yet."""

    async def run(self) -> None:
        """Poll for ever. Ends only when the line is gone.

        Raises:
            TransportError: the line is gone.
        """
        present_at = registers_at = 0
        while True:
            now = self._now()
            try:
                if self.tables.layout is None:
                    await self._find_out()
                if now >= registers_at:
                    held = await self._read(self.registers)
                    registers_at = self._now() + (AGAIN if held else REGISTERS_EVERY)
                if now >= present_at:
                    await self._read(self.present)
                    present_at = now + PRESENT_EVERY
            except TransportError:
                raise
            except OsgpError as error:
                await self._failed(error)
            self._forget()
            await self._sleep(max(100, min(present_at, registers_at) - self._now()) if not self.message else AGAIN)

    async def _find_out(self) -> None:
        await self.tables.survey()
        identity = self.tables.identity
        serial = "" if identity is None else identity.serial
        self._note(self._guard.identify(serial, None, self._moment()))
        if self.segment != self._guard.segment:
            # What is kept is another meter's.
            self.segment = self._guard.segment
            self.registers.values = OrderedDict()
            self.present.values = OrderedDict()

    async def _read(self, group: Group) -> int:
        """Read one table; return how many of its values wait for the next read."""
        layout = self.tables.layout
        if layout is None:
            return 1
        block: Block = layout.registers if group is self.registers else layout.present
        values: OrderedDict[Source, int] = OrderedDict()
        await self.tables.allow()
        if group is self.registers and layout.resets:
            layout.resets_of(await self.tables.part(block.table, 0, 1), values)
        for offset, count in block.windows():
            block.decode(await self.tables.part(block.table, offset, count), offset, values)
        at = self._moment()
        confirmed = await self.tables.confirmed()
        self._answered()
        if not confirmed:
            return 1
        judge = self._guard.registers if group is self.registers else self._guard.present
        verdict = judge(values, at, None)
        self._note(verdict.notes)
        self.rejected += verdict.rejected
        self.segment = self._guard.segment
        if verdict.doubt:
            # A register fell or jumped: ask who the meter is before anything else of it is believed.
            self.tables.layout = None
        if verdict.sample is not None:
            believed = verdict.sample.values
            group.take(
                OrderedDict([(source, value) for source, value in values.items() if source in believed]), self._now()
            )
        return verdict.held

    def _moment(self) -> Moment:
        told = 0 if self._time_of_day is None else self._time_of_day()
        return Moment(told, self._now(), known=told > 0)  # type: ignore[arg-type]

    def _note(self, notes: tuple[object, ...]) -> None:
        self.notes = (self.notes + [note.text for note in notes])[-8:]  # type: ignore[attr-defined]

    def _answered(self) -> None:
        self._silences.answered()
        self.state, self.message = "online", ""

    async def _failed(self, error: OsgpError) -> None:
        self.message = str(error)
        self.state = (
            "key_refused"
            if isinstance(error, KeyRejected)
            else "silent"
            if isinstance(error, LinkError)
            else "no_values"
        )
        if isinstance(error, ResponseTimeout) and self._silences.silent(self._now()) and self._power_cycle is not None:
            self._silences.cycled(self._now())
            self.power_cycles += 1
            await self._power_cycle()

    def _forget(self) -> None:
        for group in (self.registers, self.present):
            if group.values and self._now() - group.at > FORGET:
                group.values = OrderedDict()
