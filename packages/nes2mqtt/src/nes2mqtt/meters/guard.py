"""The guard: which of the values that arrived may be believed and published.

A reply whose digest verifies can still be wrong. The digest was broken in 2015, a reply of
zeros can be forged without the key, and firmware of some generations fills fields it does not
measure. A register that falls once, by one bad value, puts the whole life of the meter into
one day of somebody's statistics. So registers must earn belief:

====  =======================================================  ========================================
rule  what is seen                                             what is done
====  =======================================================  ========================================
G1    the first value of a register nothing is known about     held until the next read confirms it
G2    it rose, not faster than the meter can count             believed
G3    it rose faster than the meter can count                  held until the next read confirms it; of the
                                                               first such reply nothing is believed
G4    it fell close to a roll-over (a power of ten)            held; confirmed, it restarts from 0
G5    it fell and nothing explains it                          rejected, as long as it lasts; of the first
                                                               such reply nothing is believed
G6    the serial number changed                                next segment; all starts again with G1
G7    it fell and the table layout changed since               held; confirmed, it is the next segment
G8    the owner raised ``segment`` in the configuration        next segment; all starts again with G1
G9    a meter without a serial number rose ten times faster    held; confirmed, it is the next segment
      than it can count
====  =======================================================  ========================================

Reasons. G1: a wrong first value would make every true one after it a fall. G3: an upward spike
is as bad as a fall, but ``max_power`` may be set too low, so the second read decides. G4: registers roll over after 5 to 9
digits (MEP guide v1.1, p. 119, ET42 "Accumulator Rollover Digit"); near that point a fall is expected, and still one
corrupt value must not pass, hence the second read. G3 and G5: a jump and a fall that stays are most often a meter that was
replaced: then the other registers of that reply are the new meter's too, so all wait until the caller has
asked who it is (:attr:`Verdict.doubt`). If the serial number cannot be read, of a fall only the owner knows (G8); a
rise that no consumption explains (G9) is counted from there, so that it is nobody's consumption. G7: a
firmware or program change may redefine what a place in the table means.

"Held" means: absent from the sample. The next read either agrees with the value held or proves it
wrong. A meter that carries more than its owner configured outruns every read: the log says so. Values that are absent in the reply
stay absent; nothing is filled in. So are those that cannot be (:mod:`nes2mqtt.meters.bounds`); other present values (power,
voltage) may be anything and pass.

How long it was between two reads is measured by the monotonic clock. After a restart of this program often only the label
of what was believed last is left; if it or the clock now was wrong, the first values wait for the second read like any
rise, but nobody is blamed for it.

Nothing here knows a clock, a meter or an output: times are passed in, verdicts are returned.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nes2mqtt.meters.bounds import NOT_MEASURED, Bounds, Judge, Ratings
from nes2mqtt.meters.register import Held, Limits, Register, Why, elapsed, measured
from nes2mqtt.readings.reading import Sample, TableGroup, guessed_at
from nes2mqtt.timing.moment import Moment
from osgp.sources import Source

__all__ = ["Guard", "Limits", "Memory", "Note", "Verdict"]

_OUTRUN_SAID_AFTER = 3
"""Reads in a row that outran the limit until the owner is told: without a word, nothing would ever be believed."""
_DOUBT_AGAIN = 600.0
"""Seconds until another jump of the same register, if it is not impossible, is a reason to ask who the meter is: a
``max_power`` that is set too low makes a jump of every read."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What was believed last, so that a restart of this program forgets nothing."""

    segment: int
    segment_start: datetime | None
    received: datetime
    values: Mapping[Source, int]
    serial: str = ""
    restarted: Mapping[Source, datetime] = field(default_factory=dict)
    base: Mapping[Source, int] = field(default_factory=dict)
    known: bool = True
    """Whether :attr:`received` and :attr:`segment_start` are true times; else mere guesses."""
    instant: float | None = None
    """When it was received, by the monotonic clock of this start of the machine; None if in an earlier one."""
    segment_instant: float | None = None
    """Likewise of :attr:`segment_start`."""


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
    """A register has just fallen or jumped without explanation: ask whether the meter is still the same one."""
    notes: tuple[Note, ...] = ()


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
    jumped: bool = False
    """A register has just risen in a way that another meter would explain."""
    next_segment: bool = False
    notes: list[Note] = field(default_factory=list)


def _fall(fell: list[str], segment: int) -> Note:
    """Say once what fell, however many registers did, and which number of ``segment`` would start anew (G8).

    The present number may be one that no configuration holds, after a swap the guard saw itself.
    """
    others = f", and {len(fell) - 1} more" if len(fell) > 1 else ""
    return Note(
        f"registers fell: {fell[0]}{others}. Not believed and not published. If the meter was replaced or reset "
        f"and this lasts, set segment = {segment + 1} for this meter in the configuration and start the gateway again"
    )


class Guard:
    """Judges the replies of one meter.

    Args:
        meter: the meter's configured id.
        limits: how fast its registers can count.
        memory: what was believed before this program started, if anything.
        segment: the lowest segment number the owner allows (rule G8).
    """

    def __init__(
        self, meter: str, limits: Limits | None = None, memory: Memory | None = None, *, segment: int = 1
    ) -> None:
        self._meter = meter
        self._limits = limits or Limits()
        self._judge = Judge(Bounds.of(self._limits.power, None))
        self._registers: dict[Source, Register] = {}
        self._segment = segment
        self._segment_start: Moment | None = None
        self._restarted: dict[Source, Moment] = {}
        self._base: Mapping[Source, int] = {}
        self._counts_base = False
        """Whether this segment began before our eyes, so that what its meter counted before can be told."""
        self._serial = ""
        self._layout: Hashable = None
        self._layout_changed = False
        self._unbelievable = False
        """That present values cannot be was said already."""
        self._started_by_owner = memory is not None and segment > memory.segment
        if memory is not None and not self._started_by_owner:
            self._recall(memory)

    def _recall(self, memory: Memory) -> None:
        self._segment = memory.segment
        if memory.segment_start is not None:
            known = memory.known or memory.segment_instant is None
            self._segment_start = Moment(memory.segment_start, memory.segment_instant, known)
        for source, label in memory.restarted.items():
            guess = memory.instant is not None and not memory.known
            at = guessed_at(label, memory.received, memory.instant or 0.0) if guess else None
            self._restarted[source] = Moment(label) if at is None else Moment(label, at, known=False)
        self._base = dict(memory.base)
        self._counts_base = bool(memory.base)
        self._serial = memory.serial
        for source, value in memory.values.items():
            register = self._new_register(source)
            register.value, register.at = value, Moment(memory.received, memory.instant, memory.known)

    def _new_register(self, source: Source) -> Register:
        register = self._registers[source] = Register.of(source, self.limits)
        return register

    @property
    def segment(self) -> int:
        """Return the number of the present segment."""
        return self._segment

    def identify(self, serial: str, layout: Hashable, at: Moment) -> tuple[Note, ...]:
        """Compare who the meter says it is with who it was (G6, G7).

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

    def rate(self, ratings: Ratings | None) -> None:
        """Take what the meter says it is made for, None if it does not: it may carry more than ``max_power`` says."""
        self._judge = Judge(Bounds.of(self._limits.power, ratings))
        for source, register in self._registers.items():
            register.hourly = self.limits.hourly(source)

    @property
    def limits(self) -> Limits:
        """Return how fast registers can count: by the settings, or by what the meter is made for if that is more."""
        return Limits(self._judge.bounds.power)

    def present(self, values: Mapping[Source, int], at: Moment, meter_time: datetime | None) -> Verdict:
        """Judge a reply of present values: what can be is what it is."""
        believed = self._judge.believable(values)
        absurd = {}
        if len(believed) < len(values):
            absurd = {source: value for source, value in values.items() if source not in believed}
        notes: tuple[Note, ...] = ()
        if absurd and not self._unbelievable:
            notes = (_absurd(absurd, self._judge.bounds),)
        self._unbelievable = bool(absurd)
        sample = self._sample(TableGroup.PRESENT, believed, at, meter_time) if believed else None
        return Verdict(sample, rejected=len(absurd), notes=notes)

    def registers(self, values: Mapping[Source, int], at: Moment, meter_time: datetime | None) -> Verdict:
        """Judge a reply of registers."""
        if self._started_by_owner:  # G8
            self._started_by_owner = False
            self._segment_start, self._counts_base = at, True
        tally = _Tally()
        for source, value in values.items():
            if value in NOT_MEASURED:
                tally.rejected += 1
                continue
            register = self._registers.get(source) or self._new_register(source)
            if register.held is None and register.may_become(value, at):
                register.value, register.at, register.falling = value, at, False
                tally.believed[source] = value
            else:
                self._settle(source, register, value, at, tally)
        if tally.next_segment:  # G7, G9: two reads agreed, all starts again with G1
            self._start_segment(at)
            again = self.registers(values, at, meter_time)
            return Verdict(None, tally.rejected, again.held, notes=tuple(tally.notes))
        if not tally.held and not tally.falling:
            self._layout_changed = False
        if tally.fell:  # G5
            tally.notes.append(_fall(tally.fell, self._segment))
        if tally.fell or tally.jumped:
            return Verdict(None, tally.rejected, tally.held, doubt=True, notes=tuple(tally.notes))
        sample = self._sample(TableGroup.REGISTERS, tally.believed, at, meter_time) if tally.believed else None
        return Verdict(sample, tally.rejected, tally.held, notes=tuple(tally.notes))

    def _settle(self, source: Source, register: Register, value: int, at: Moment, tally: _Tally) -> None:
        """Judge a value that does not simply follow the last one, or that must confirm a held one."""
        held, register.held = register.held, None
        if register.may_become(value, at):
            if held is not None and (held.why not in {Why.JUMP, Why.GAP} or value < held.value):
                tally.rejected += 1
            self._believe(source, register, value, at, tally)
        elif held is not None and register.follows(value, held.value, held.at, at):
            self._confirm(source, register, held, tally)
            self._believe(source, register, value, at, tally)
        else:
            if held is not None:
                tally.rejected += 1
            why = self._why_hold(register, value, at)
            if why is None:  # G5
                self._reject(source, register, value, tally)
            else:
                self._note_outrun(source, register, held, value, at, tally)
                if why is Why.JUMP and held is None:
                    tally.jumped |= self._is_doubtful(register, value, at)
                register.held = Held(value, at, why)
                tally.held += 1

    @staticmethod
    def _is_doubtful(register: Register, value: int, at: Moment) -> bool:
        """Tell whether a jump is a reason to ask who the meter is, and note that it was."""
        now, before = at.instant, register.doubted
        if now is None or (before is not None and now - before < _DOUBT_AGAIN and not register.impossible(value, at)):
            return False
        register.doubted = now
        return True

    @staticmethod
    def _note_outrun(
        source: Source, register: Register, held: Held | None, value: int, at: Moment, tally: _Tally
    ) -> None:
        """Say once that a register counts faster than the configuration allows, read after read."""
        register.outran = register.outran + 1 if held is not None and value > held.value else 0
        if held is not None and register.outran == _OUTRUN_SAID_AFTER:
            step, unit = source.text(value - held.value), source.unit
            tally.notes.append(
                Note(
                    f"{source.label} rises by {step} {unit} in {_whole_seconds(elapsed(held.at, at))} s, read after read, "
                    "more than max_power allows. Not believed and not published. "
                    "If the meter carries that much, raise max_power of this meter in the configuration"
                )
            )

    def _believe(self, source: Source, register: Register, value: int, at: Moment, tally: _Tally) -> None:
        if register.value is None and self._counts_base:
            self._base = {**self._base, source: value}
        register.value, register.at, register.falling, register.outran = value, at, False, 0
        tally.believed[source] = value

    def _confirm(self, source: Source, register: Register, held: Held, tally: _Tally) -> None:
        if held.why is Why.ROLLOVER:
            self._restarted[source] = held.at
            tally.notes.append(Note(f"{source.label} rolled over and counts from 0 again", warning=False))
        elif held.why is Why.LAYOUT:
            tally.next_segment = True
            tally.notes.append(
                Note(
                    f"{source.label} restarted after the meter's table layout changed; "
                    f"registers start segment {self._segment + 1}"
                )
            )
        elif held.why is Why.JUMP and register.at is not None and register.value is not None:
            seconds = _whole_seconds(elapsed(register.at, held.at))
            change = f"{source.label} changed by {source.text(held.value - register.value)} {source.unit} in"
            if not self._serial and not register.net and register.impossible(held.value, held.at):  # G9
                tally.next_segment = True
                tally.notes.append(
                    Note(
                        f"{change} {seconds} s, which is no consumption, and this meter tells no serial number: it "
                        f"was replaced or its registers were set. They start segment {self._segment + 1}"
                    )
                )
            elif not register.fast:
                register.fast = True
                tally.notes.append(
                    Note(
                        f"{change} {seconds} s, more than max_power allows; the meter is the same and two reads "
                        "agree, so it is believed. If this comes often, raise max_power of this meter"
                    )
                )

    def _why_hold(self, register: Register, value: int, at: Moment) -> Why | None:
        if register.value is None or register.at is None:
            return Why.FIRST
        if register.net or value > register.value:
            return Why.JUMP if measured(register.at, at) else Why.GAP
        if self._layout_changed:
            return Why.LAYOUT
        return Why.ROLLOVER if register.rolls_over(value, at) else None

    @staticmethod
    def _reject(source: Source, register: Register, value: int, tally: _Tally) -> None:
        tally.rejected += 1
        tally.falling = True
        if not register.falling and register.value is not None:
            register.falling = True
            before, now = source.text(register.value), source.text(value)
            tally.fell.append(f"{source.label} from {before} to {now} {source.unit}".rstrip())

    def _start_segment(self, at: Moment) -> None:
        self._segment += 1
        self._segment_start = at
        self._restarted = {}
        self._base, self._counts_base = {}, True
        self._registers.clear()
        self._layout_changed = False
        self._started_by_owner = False

    def _sample(
        self, group: TableGroup, values: Mapping[Source, int], at: Moment, meter_time: datetime | None
    ) -> Sample:
        if self._segment_start is not None:
            self._segment_start = _settled(self._segment_start, at)
        self._restarted = {source: _settled(moment, at) for source, moment in self._restarted.items()}
        start = self._segment_start
        return Sample(
            meter=self._meter,
            group=group,
            received=at.label,
            values=values,
            meter_time=meter_time,
            segment=self._segment,
            segment_start=start.label if start is not None else None,
            restarted={source: moment.label for source, moment in self._restarted.items()},
            instant=at.instant or 0.0,
            base=self._base,
            segment_instant=start.instant if start is not None else None,
        )


def _whole_seconds(seconds: float | None) -> int:
    return 0 if seconds is None else int(seconds // 1.0)


def _settled(moment: Moment, now: Moment) -> Moment:
    """Return a moment with the label that is known now, if it had none; a label that was known once stays as it is."""
    if moment.known or moment.instant is None or now.instant is None:
        return moment
    return Moment(now.label - timedelta(seconds=now.instant - moment.instant), moment.instant, now.known)


def _absurd(absurd: Mapping[Source, int], bounds: Bounds) -> Note:
    """Say once what cannot be, however many values it is."""
    source, value = next(iter(absurd.items()))
    others = f", and {len(absurd) - 1} more" if len(absurd) > 1 else ""
    advice = (
        "If the meter carries that much, raise max_power of this meter in the configuration"
        if bounds.depends_on_power(source) and value not in NOT_MEASURED
        else "If this lasts, save an osgp dump and report it"
    )
    return Note(
        f"present values that cannot be: {source.label} {source.text(value)} {source.unit}".rstrip()
        + f"{others}. Taken for absent. {advice}"
    )
