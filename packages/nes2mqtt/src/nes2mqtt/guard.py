"""The guard: which of the values that arrived may be believed and published.

A reply whose digest verifies can still be wrong. The digest was broken in 2015, a reply of
zeros can be forged without the key, and firmware of some generations fills fields it does not
measure. A register that falls once, by one bad value, puts the whole life of the meter into
one day of somebody's statistics. So registers must earn belief:

====  =======================================================  ========================================
rule  what is seen                                             what is done
====  =======================================================  ========================================
R1    the first value of a register nothing is known about     held until the next read confirms it
R2    it rose, not faster than the meter can count             believed
R3    it rose faster than the meter can count                  held until the next read confirms it
R4    it fell close to a roll-over (a power of ten)            held; confirmed, it restarts from 0
R5    it fell and nothing explains it                          rejected, as long as it lasts; of the first
                                                               such reply nothing is believed
R6    the serial number changed                                next segment; all starts again with R1
R7    it fell and the table layout changed since               held; confirmed, it is the next segment
R8    the owner raised ``segment`` in the configuration        next segment; all starts again with R1
====  =======================================================  ========================================

Reasons. R1: a wrong first value would make every true one after it a fall. R3: an upward spike
is as bad as a fall, but a long outage with a clock that was set in between looks the same, so
the second read decides. R4: registers roll over after 5 to 9 digits (MEP guide v1.1,
p. 119, ET42 "Accumulator Rollover Digit"); near that point a fall is expected, and still one
corrupt value must not pass, hence the second read. R5: a fall that stays is most often a meter that was
replaced: then the other registers of that reply are the new meter's too, so all wait until the caller has
asked who it is (:attr:`Verdict.doubt`). If the serial number cannot be read, only the owner knows (R8). R7: a
firmware or program change may redefine what a place in the table means.

"Held" means: absent from the sample. The next read either agrees with the value held or proves it
wrong. A meter that carries more than its owner configured outruns every read: the log says so. Values that are absent in the reply
stay absent; nothing is filled in. Present values (power, voltage) may be anything and pass.

Nothing here knows a clock, a meter or an output: times are passed in, verdicts are returned.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from nes2mqtt.reading import Sample, TableGroup
from osgp.sources import Kind, Quantity, Source

__all__ = ["Guard", "Limits", "Memory", "Note", "Verdict"]

_ROLLOVERS = tuple(10**digits for digits in range(5, 12))
"""Registers roll over after 5 to 9 decimal digits (MEP guide v1.1, p. 119, ET42), of units of 1, 10 or 100 Wh (p. 158):
at 10^5 to 10^11 Wh. The guide speaks of digits "in Wh", but also of larger units that keep the roll-over away
(p. 118-119), so all are tried; a held fall is confirmed anyway."""

_COUNT_ROLLOVERS = (*_ROLLOVERS, 2**8, 2**16, 2**32)
"""Counts may also roll over where their field ends; the guide says of a UINT8 count that it does (p. 187, ET89)."""

_SLACK_SECONDS = 15.0
"""Added to every elapsed time: a register may lag up to 0.5 s, replies wait, clocks are stepped."""

_ENERGIES = frozenset({Quantity.ACTIVE_ENERGY, Quantity.REACTIVE_ENERGY, Quantity.APPARENT_ENERGY})
_SECONDS_PER_HOUR = 3600.0
_MARGIN = 1.1
_OUTRUN_SAID_AFTER = 3
"""Reads in a row that outran the limit until the owner is told: without a word, nothing would ever be believed."""
_PULSES_PER_SECOND = 100.0
"""Pulse inputs and error counters; above any meter pulse output (S0 allows 33 a second)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How fast registers can count.

    Args:
        power: the most that can flow through the meter, in W (var, VA).
    """

    power: float = 100_000.0

    def rate(self, source: Source) -> float:
        """Return how fast a register can grow, in raw units per second."""
        if source.quantity in _ENERGIES:
            return _MARGIN * self.power / _SECONDS_PER_HOUR
        if source.quantity is Quantity.DURATION:
            return _MARGIN
        return _PULSES_PER_SECOND


@dataclass(frozen=True, slots=True)
class Memory:
    """What was believed last, so that a restart of this program forgets nothing."""

    segment: int
    segment_start: datetime | None
    received: datetime
    values: Mapping[Source, int]
    serial: str = ""
    restarted: Mapping[Source, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Note:
    """Something the owner should read in the log, said once per episode."""

    text: str
    warning: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard made of one reply."""

    sample: Sample | None
    """What may be published; None when nothing may."""
    rejected: int = 0
    """Values found wrong by this reply."""
    held: int = 0
    """Values that wait for the next read: reading again soon settles them."""
    doubt: bool = False
    """A register has just fallen without explanation: ask whether the meter is still the same one."""
    notes: tuple[Note, ...] = ()


class _Why(Enum):
    """Why a value waits for the next read."""

    FIRST = auto()
    JUMP = auto()
    ROLLOVER = auto()
    LAYOUT = auto()


@dataclass(frozen=True, slots=True)
class _Held:
    value: int
    at: datetime
    why: _Why


@dataclass(slots=True)
class _Register:
    """What is known of one register."""

    rate: float
    net: bool
    rollovers: tuple[int, ...]
    value: int | None = None
    """The last value believed."""
    at: datetime | None = None
    held: _Held | None = None
    """What the last read said and the next one has to confirm."""
    falling: bool = False
    """An unexplained fall was said already."""
    fast: bool = False
    """A confirmed jump was said already."""
    outran: int = 0
    """Reads in a row that rose too fast to confirm the one before."""

    def most(self, since: datetime, at: datetime) -> float:
        """Return the most this register can have counted between two moments."""
        elapsed = (at - since).total_seconds()
        return self.rate * ((elapsed if elapsed > 0 else 0.0) + _SLACK_SECONDS)

    def follows(self, value: int, earlier: int, since: datetime, at: datetime) -> bool:
        """Tell whether ``value`` at ``at`` can come after ``earlier`` at ``since`` (R2)."""
        step = value - earlier
        if step == 0:
            return True
        if step < 0 and not self.net:
            return False
        return abs(step) <= self.most(since, at)

    def rolls_over(self, value: int, at: datetime) -> bool:
        """Tell whether a fall to ``value`` is what a roll-over looks like (R4): by more than half of the range."""
        if self.net or self.value is None or self.at is None or not 0 <= value < self.value:
            return False
        most = self.most(self.at, at)
        return any(
            self.value < limit and limit - self.value + value <= min(most, limit // 2) for limit in self.rollovers
        )


@dataclass(slots=True)
class _Tally:
    """What became of the values of one reply."""

    believed: dict[Source, int] = field(default_factory=dict)
    rejected: int = 0
    held: int = 0
    falling: bool = False
    """A register stays below what was believed."""
    fell: list[str] = field(default_factory=list)
    """What has just begun to."""
    next_segment: bool = False
    notes: list[Note] = field(default_factory=list)


def _fall(fell: list[str]) -> Note:
    """Say once what fell, however many registers did."""
    others = f", and {len(fell) - 1} more" if len(fell) > 1 else ""
    return Note(
        f"registers fell: {fell[0]}{others}. Not believed and not published. If the meter was replaced or reset "
        "and this lasts, raise 'segment' of this meter in the configuration by one"
    )


class Guard:
    """Judges the replies of one meter.

    Args:
        meter: the meter's configured id.
        limits: how fast its registers can count.
        memory: what was believed before this program started, if anything.
        segment: the lowest segment number the owner allows (rule R8).
    """

    def __init__(
        self, meter: str, limits: Limits | None = None, memory: Memory | None = None, *, segment: int = 1
    ) -> None:
        self._meter = meter
        self._limits = limits or Limits()
        self._registers: dict[Source, _Register] = {}
        self._segment = segment
        self._segment_start: datetime | None = None
        self._restarted: Mapping[Source, datetime] = {}
        self._serial = ""
        self._layout: Hashable = None
        self._layout_changed = False
        self._started_by_owner = memory is not None and segment > memory.segment
        if memory is not None and not self._started_by_owner:
            self._recall(memory)

    def _recall(self, memory: Memory) -> None:
        self._segment = memory.segment
        self._segment_start = memory.segment_start
        self._restarted = dict(memory.restarted)
        self._serial = memory.serial
        for source, value in memory.values.items():
            register = self._new_register(source)
            register.value, register.at = value, memory.received

    def _new_register(self, source: Source) -> _Register:
        register = _Register(
            self._limits.rate(source),
            net=source.kind is not Kind.REGISTER,
            rollovers=_COUNT_ROLLOVERS if source.quantity is Quantity.COUNT else _ROLLOVERS,
        )
        self._registers[source] = register
        return register

    @property
    def segment(self) -> int:
        """Return the number of the present segment."""
        return self._segment

    def identify(self, serial: str, layout: Hashable, at: datetime) -> tuple[Note, ...]:
        """Compare who the meter says it is with who it was (R6, R7).

        Args:
            serial: the serial number; empty when the meter does not tell it.
            layout: anything that differs when its tables mean something else; None if unknown.
            at: when it was read.
        """
        notes: tuple[Note, ...] = ()
        if serial and self._serial and serial != self._serial:
            self._start_segment(at)
            notes = (
                Note(
                    f"the meter was replaced: serial number {self._serial} became {serial}; "
                    f"its registers start segment {self._segment}, no total goes backwards"
                ),
            )
        elif layout is not None and self._layout is not None and layout != self._layout:
            self._layout_changed = True
            notes = (Note("the meter's table layout changed (new firmware or program)", warning=False),)
        self._serial = serial or self._serial
        self._layout = layout if layout is not None else self._layout
        return notes

    def present(
        self, values: Mapping[Source, int], received: datetime, meter_time: datetime | None, instant: float = 0.0
    ) -> Verdict:
        """Judge a reply of present values: they are what they are."""
        if not values:
            return Verdict(None)
        return Verdict(self._sample(TableGroup.PRESENT, values, received, meter_time, instant))

    def registers(
        self, values: Mapping[Source, int], received: datetime, meter_time: datetime | None, instant: float = 0.0
    ) -> Verdict:
        """Judge a reply of registers."""
        if self._started_by_owner:  # R8
            self._started_by_owner = False
            self._segment_start = received
        tally = _Tally()
        for source, value in values.items():
            register = self._registers.get(source) or self._new_register(source)
            if (
                register.held is None
                and register.value is not None
                and register.at is not None
                and register.follows(value, register.value, register.at, received)
            ):
                register.value, register.at, register.falling = value, received, False
                tally.believed[source] = value
            else:
                self._settle(source, register, value, received, tally)
        if tally.next_segment:  # R7: two reads agreed on the new layout, all starts again with R1
            self._start_segment(received)
            again = self.registers(values, received, meter_time, instant)
            return Verdict(None, tally.rejected, again.held, notes=tuple(tally.notes))
        if not tally.held and not tally.falling:
            self._layout_changed = False
        if tally.fell:  # R5
            tally.notes.append(_fall(tally.fell))
            return Verdict(None, tally.rejected, tally.held, doubt=True, notes=tuple(tally.notes))
        sample = (
            self._sample(TableGroup.REGISTERS, tally.believed, received, meter_time, instant)
            if tally.believed
            else None
        )
        return Verdict(sample, tally.rejected, tally.held, notes=tuple(tally.notes))

    def _settle(self, source: Source, register: _Register, value: int, at: datetime, tally: _Tally) -> None:
        """Judge a value that does not simply follow the last one, or that must confirm a held one."""
        held, register.held = register.held, None
        if (
            register.value is not None
            and register.at is not None
            and register.follows(value, register.value, register.at, at)
        ):
            if held is not None and (held.why is not _Why.JUMP or value < held.value):
                tally.rejected += 1
            self._believe(source, register, value, at, tally)
        elif held is not None and register.follows(value, held.value, held.at, at):
            self._confirm(source, register, held, at, tally)
            self._believe(source, register, value, at, tally)
        else:
            if held is not None:
                tally.rejected += 1
            why = self._why_hold(register, value, at)
            if why is None:  # R5
                self._reject(source, register, value, tally)
            else:
                self._note_outrun(source, register, held, value, at, tally)
                register.held = _Held(value, at, why)
                tally.held += 1

    @staticmethod
    def _note_outrun(
        source: Source, register: _Register, held: _Held | None, value: int, at: datetime, tally: _Tally
    ) -> None:
        """Say once that a register counts faster than the configuration allows, read after read."""
        register.outran = register.outran + 1 if held is not None and value > held.value else 0
        if held is not None and register.outran == _OUTRUN_SAID_AFTER:
            step, unit = source.scaled(value - held.value), source.unit
            tally.notes.append(
                Note(
                    f"{source.label} rises by {step:g} {unit} in {(at - held.at).total_seconds():.0f} s, read after read, "
                    "more than max_power allows. Not believed and not published. "
                    "If the meter carries that much, raise max_power of this meter in the configuration"
                )
            )

    @staticmethod
    def _believe(source: Source, register: _Register, value: int, at: datetime, tally: _Tally) -> None:
        register.value, register.at, register.falling, register.outran = value, at, False, 0
        tally.believed[source] = value

    def _confirm(self, source: Source, register: _Register, held: _Held, at: datetime, tally: _Tally) -> None:
        if held.why is _Why.ROLLOVER:
            self._restarted = {**self._restarted, source: held.at}
            tally.notes.append(Note(f"{source.label} rolled over and counts from 0 again", warning=False))
        elif held.why is _Why.LAYOUT:
            tally.next_segment = True
            tally.notes.append(
                Note(
                    f"{source.label} restarted after the meter's table layout changed; "
                    f"registers start segment {self._segment + 1}"
                )
            )
        elif held.why is _Why.JUMP and not register.fast and register.at is not None and register.value is not None:
            register.fast = True
            step, unit = source.scaled(held.value - register.value), source.unit
            tally.notes.append(
                Note(
                    f"{source.label} changed by {step:g} {unit} in {(at - register.at).total_seconds():.0f} s, "
                    "more than max_power allows; two reads agree, so it is believed. "
                    "If this comes often, raise max_power of this meter"
                )
            )

    def _why_hold(self, register: _Register, value: int, at: datetime) -> _Why | None:
        if register.value is None:
            return _Why.FIRST
        if register.net or value > register.value:
            return _Why.JUMP
        if self._layout_changed:
            return _Why.LAYOUT
        return _Why.ROLLOVER if register.rolls_over(value, at) else None

    @staticmethod
    def _reject(source: Source, register: _Register, value: int, tally: _Tally) -> None:
        tally.rejected += 1
        tally.falling = True
        if not register.falling and register.value is not None:
            register.falling = True
            before, now = source.scaled(register.value), source.scaled(value)
            tally.fell.append(f"{source.label} from {before:g} to {now:g} {source.unit}".rstrip())

    def _start_segment(self, at: datetime) -> None:
        self._segment += 1
        self._segment_start = at
        self._restarted = {}
        self._registers.clear()
        self._layout_changed = False
        self._started_by_owner = False

    def _sample(
        self,
        group: TableGroup,
        values: Mapping[Source, int],
        received: datetime,
        meter_time: datetime | None,
        instant: float,
    ) -> Sample:
        return Sample(
            meter=self._meter,
            group=group,
            received=received,
            values=values,
            meter_time=meter_time,
            segment=self._segment,
            segment_start=self._segment_start,
            restarted=self._restarted,
            instant=instant,
        )
