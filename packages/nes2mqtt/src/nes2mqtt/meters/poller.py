"""The poller: reads one meter for ever and hands what it says to the guard and the hub.

One task per meter. It opens the port, asks who the meter is, reads on schedule, and tells apart
what can go wrong, because each wants something else:

=====================  ===========  ==============================================================
what happens           state        what is done
=====================  ===========  ==============================================================
the port is gone       PORT_GONE    opened again for ever by its identity, with back-off
no or garbled replies  SILENT       asked again for ever; power-cycled meanwhile if configured
the key is refused     KEY_REFUSED  MEP port: asked again after 1 minute, then up to each hour
                                    optical port: never again, because the meter may lock the port
a table is refused     ONLINE, with asked again once in a fresh session, then each ten minutes
a table gets no reply  a message    asked again each minute, while the meter answers otherwise
both tables of values  NO_VALUES    as above
=====================  ===========  ==============================================================

A meter counts as online once values were read, not when it said who it is. Each change of state is one line in the
log and one :class:`~nes2mqtt.readings.reading.MeterStatus`. A single refusal of the key is not believed: one flipped
bit of our request looks the same to the meter (response 0x0B). After a silence, what answers may be another meter:
everything is opened afresh and the identity read before a value is published. The same goes for a register that falls
or jumps. A swap without a silence is noticed below (:class:`~osgp.errors.MeterSwapped`), before a value is handed up:
no value of the new meter gets through with the name of the old one.

**Meter time.** The clock (BT52, whole seconds, UTC) is read first, and each ``clock_every`` seconds. Between two reads
:attr:`~nes2mqtt.readings.reading.Sample.meter_time` is the last clock plus the time that passed since, cut to whole
seconds: right to about 2 s as long as nobody sets the clock in between. It is None before the first read and when the
last one is older than three periods. The clock is also the witness of :mod:`nes2mqtt.timing.clock`; one that jumped is
read again soon.

This module does not know outputs, nor how bytes reach the meter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import TypeVar

from nes2mqtt.codes import NO_VALUES, TABLE_REFUSED
from nes2mqtt.meters.guard import Guard, Verdict
from nes2mqtt.meters.health import Health, Job, Problem
from nes2mqtt.meters.mbus import hand_on_devices
from nes2mqtt.meters.register import Limits
from nes2mqtt.meters.schedule import Pace, Schedule
from nes2mqtt.meters.session import Cadence, Identity, MeterSession, OpenMeter
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import LinkQuality, MeterInfo, MeterState
from nes2mqtt.timing.backoff import Backoff
from osgp.errors import (
    KeyRejected,
    LinkError,
    MeterRefused,
    MeterSwapped,
    OsgpError,
    PasswordRefused,
    TableError,
    TransportError,
)
from osgp.sources import Source
from osgp.tables.load_profile.profile import LoadProfile

__all__ = ["Cadence", "Identity", "MeterSession", "OpenMeter", "Poller"]

_T = TypeVar("_T")
_COUNTS = tuple(field.name for field in fields(LinkQuality))

_SILENT_AFTER = 2
"""Failed reads in a row until the meter counts as silent; each was asked three times on the line already."""
_SILENT_PERIODS = 2
"""So many periods without a verified reply make one failed read enough: silence is told within three."""
_KEY_REFUSED_AFTER = 3
"""Refusals of the key in a row until it counts as wrong; a bit flipped on the cable refuses it once."""
_KEY_RETRY = (60.0, 3600.0)
_REOPEN_FIRST = 0.5
_PACE = (1.0, 10.0)
"""A port that is gone and a meter that is silent are tried once per period of the schedule, but in seconds within this:
what is back is then noticed within three periods."""
_REFUSED_TABLE_RETRY = 600.0
_UNANSWERED_TABLE_RETRY = 60.0
_UNBELIEVABLE_AFTER = 3
"""Replies in a row without a single value that can be, until the owner is told."""
_CONFIRM_AFTER = 1.0
"""Seconds until registers are read again when the guard holds some back, or a clock that jumped."""
_AGAIN_AFTER = 0.5
"""Seconds before a failed read is asked again."""
_PATIENCE = 900.0
"""Seconds after which a read that should have ended long ago never will; a power cycle may take some minutes."""
_CLOCK_VALID_PERIODS = 3
_HALF_SECOND = timedelta(seconds=0.5)
"""BT52 shows whole seconds: on average the meter's clock is half a second further."""


class _Reopen(Exception):
    """Close the port and begin anew, because another meter may be there."""


class _Unanswered(Exception):
    """One table gets no answer, although the meter answers other questions."""

    def __init__(self, error: OsgpError) -> None:
        super().__init__(str(error))


@dataclass(frozen=True, slots=True)
class _Clock:
    """The meter's clock and when, on the monotonic clock, it was read."""

    time: datetime
    at: float


class Poller:
    """Reads one meter for ever.

    Args:
        info: the meter as configured: id and name.
        address: its port.
        open_meter: opens it.
        guard: judges what it says.
        hub: gets samples and statuses.
        cadence: how often to read what.
        spread: this meter's share, 0 to 1, of delays that keep thousands of meters apart.
        start_after: seconds until the first open.
    """

    def __init__(
        self,
        info: MeterInfo,
        address: str,
        open_meter: OpenMeter,
        guard: Guard,
        hub: Hub,
        cadence: Cadence,
        *,
        spread: float = 0.0,
        start_after: float = 0.0,
    ) -> None:
        self._health = Health(info, hub)
        self._address = address
        self._open = open_meter
        self._guard = guard
        self._hub = hub
        self._cadence = cadence
        self._spread = spread
        self._start_after = start_after
        self._clocks = hub.clock

        self._link_before = LinkQuality()
        self._clock: _Clock | None = None
        self._failures = 0
        self._refusals = 0
        self._moves_by = float("inf")
        """When this poller does something again, at the latest."""
        self._heard = float("inf")
        """When a verified reply came last; nothing is overdue before the first."""
        self._pace = min(max(min(cadence.present, cadence.registers), _PACE[0]), _PACE[1])
        self._reopen = Backoff(_REOPEN_FIRST, self._pace)
        self._key_retry = Backoff(*_KEY_RETRY)
        self._key_was_right = False
        self._rated = False
        """Whether the guard knows what this meter is made for."""
        self._unanswered: set[Job] = set()
        """What got no answer last time, so that the next time the meter is asked something else as well."""
        self._refused: set[Job] = set()
        """What was refused last time, so that it is not asked in a fresh session again."""
        self._paces = {Job.PRESENT: Pace(cadence.present), Job.REGISTERS: Pace(cadence.registers)}
        self._meter: MeterSession | None = None  # the open one
        self._unbelievable = 0
        """Replies of present values in a row without one that can be."""

    @property
    def name(self) -> str:
        """Return the meter's id."""
        return self._health.info.id

    @property
    def stands_still(self) -> bool:
        """Tell whether this poller has not moved for so long that it never will."""
        return asyncio.get_running_loop().time() > self._moves_by

    @property
    def state(self) -> MeterState:
        """Return how the meter is."""
        return self._health.state

    @property
    def limits(self) -> Limits:
        """Return how fast the meter's registers can count."""
        return self._guard.limits

    async def profile(self, since: datetime, data_set: int = 1) -> LoadProfile | None:
        """Read the intervals that ended then or later, beside the schedule; None while the meter is not read."""
        return await self.beside(lambda meter: meter.profile(data_set=data_set, since=since))

    async def beside(self, read: Callable[[MeterSession], Awaitable[_T]]) -> _T | None:
        """Read something beside the schedule; None while the meter is not read."""
        online = self.state is MeterState.ONLINE
        return await read(self._meter) if online and self._meter is not None else None

    async def run(self) -> None:
        """Read until cancelled."""
        self._health.publish()
        await asyncio.sleep(self._start_after)
        while True:
            wait = self._reopen.next()
            self._moves_within(0.0)
            try:
                async with self._open(self._address) as meter:
                    self._address, self._meter = meter.url, meter
                    try:
                        await self._attend(meter)
                    finally:
                        self._meter = None
                        self._close_counts(meter)
            except _Reopen:
                wait = 0.0
            except MeterSwapped as error:
                self._health.say(f"{error}", warning=False)
                wait = 0.0
            except TransportError as error:
                self._enter(MeterState.PORT_GONE, error)
            except PasswordRefused as error:
                self._enter(MeterState.KEY_REFUSED, error, f"{error}. Then start the gateway again")
                self._moves_by = float("inf")
                await asyncio.Event().wait()
            except KeyRejected as error:
                # A key that was right before is likely to be right again: the line is disturbed, on purpose or not.
                wait = _KEY_RETRY[0] if self._key_was_right else self._key_retry.next()
                self._enter(MeterState.KEY_REFUSED, error)
            except OsgpError as error:
                self._enter(MeterState.SILENT, error)
            except Exception as error:  # noqa: BLE001 - whatever it is, other meters and the next attempt must go on
                self._enter(MeterState.SILENT, error, f"this program made a mistake ({type(error).__name__})")
            wait *= 1 + self._spread / 4
            self._moves_within(wait)
            await asyncio.sleep(wait)

    def _moves_within(self, seconds: float) -> None:
        self._moves_by = asyncio.get_running_loop().time() + seconds + _PATIENCE

    async def _attend(self, meter: MeterSession) -> None:
        """Read on schedule until something demands a fresh start."""
        loop = asyncio.get_running_loop()
        await self._identify(meter)
        for pace in self._paces.values():
            pace.restart()
        periods = {
            Job.CLOCK: self._cadence.clock,  # first, so that every sample has the meter's time
            Job.PRESENT: self._cadence.present,
            Job.REGISTERS: self._cadence.registers,
            Job.DEVICES: self._cadence.devices,
        }
        schedule = Schedule({job: period for job, period in periods.items() if period}, loop.time())
        while True:
            job, due = schedule.next()
            wait = max(0.0, due - loop.time())
            self._moves_within(wait)
            await asyncio.sleep(wait)
            try:
                verdict = await self._read(job, meter)
            except (MeterRefused, TableError) as error:
                if job not in self._refused:
                    self._refused.add(job)
                    raise _Reopen from error  # perhaps not the table was refused but something of this session
                schedule.postpone(job, loop.time() + _REFUSED_TABLE_RETRY)
                text = f"the {job} cannot be read: {error}. Trying again each ten minutes"
                self._health.note_problem(job, Problem(TABLE_REFUSED, text))
                continue
            except _Unanswered as error:
                schedule.postpone(job, loop.time() + _UNANSWERED_TABLE_RETRY)
                text = (
                    f"the meter answers, but not when asked for the {job}: {error}. Trying again each minute. "
                    "If this lasts, save an osgp dump and report it"
                )
                self._health.note_problem(job, Problem(NO_VALUES, text))
                continue
            schedule.done(job, loop.time())
            if job in self._paces:
                self._note_pace(job, self._paces[job])
            self._heed(job, verdict)
            if verdict.held:
                schedule.soon(job, loop.time() + _CONFIRM_AFTER)
            if loop.time() >= self._health.due:
                self._count(meter)
                self._health.publish()

    async def _ask(self, meter: MeterSession, read: Callable[[], Awaitable[_T]], job: Job | None = None) -> _T:
        """Carry out one read; ask again where that may help.

        Raises:
            KeyRejected: the key is wrong and not just one request garbled.
            _Unanswered: this job gets no answer, although the meter answers something else.
            _Reopen: it was silent and answers again: it may be another meter.
        """
        while True:
            try:
                answer = await read()
            except KeyRejected as error:
                await self._bear_refusal(meter, error, job)
            except LinkError as error:
                self._failures += 1
                unheard = asyncio.get_running_loop().time() - self._heard
                if self._failures >= _SILENT_AFTER or unheard >= _SILENT_PERIODS * self._pace:
                    self._failures = 0
                    await self._bear_silence(meter, error, job)
            except (MeterRefused, TableError):
                self._answered()
                raise
            else:
                self._answered()
                if job is not None:
                    self._unanswered.discard(job)
                    self._refused.discard(job)
                return answer
            await asyncio.sleep(_AGAIN_AFTER)

    def _answered(self) -> None:
        self._failures = self._refusals = 0
        self._heard = asyncio.get_running_loop().time()

    async def _bear_refusal(self, meter: MeterSession, error: KeyRejected, job: Job | None) -> None:
        """Count a refusal of the key.

        Raises:
            KeyRejected: it is wrong.
            _Unanswered: the meter takes it for other questions.
        """
        if isinstance(error, PasswordRefused):
            raise error
        self._refusals += 1
        if self._refusals >= _KEY_REFUSED_AFTER:
            self._refusals = 0
            if job is not None and await self._answers(meter, job):
                raise _Unanswered(error) from error
            raise error

    async def _bear_silence(self, meter: MeterSession, error: LinkError, job: Job | None) -> None:
        """Tell a table that gets no answer from a meter that gives none, and wait until that one does.

        Raises:
            _Unanswered: it is the table.
            _Reopen: the meter answers again.
        """
        if job is not None:
            # A meter that was well is told silent without delay; whether it was the table alone shows afterwards.
            suspected = job in self._unanswered or self._health.state is not MeterState.ONLINE
            self._unanswered.add(job)
            if suspected and await self._answers(meter, job):
                raise _Unanswered(error) from error
        self._enter(MeterState.SILENT, error)
        while True:
            self._moves_within(self._pace)
            await asyncio.sleep(self._pace)  # the meter's session does the power cycles meanwhile
            try:
                await self._other_question(meter, job)
            except LinkError:
                continue
            except (KeyRejected, MeterRefused, TableError):
                pass  # a refusal is an answer
            raise _Reopen from error

    async def _answers(self, meter: MeterSession, job: Job) -> bool:
        """Tell whether the meter answers something else than this job."""
        try:
            await self._other_question(meter, job)
        except PasswordRefused:
            raise
        except (MeterRefused, TableError):
            pass
        except (KeyRejected, LinkError):
            return False
        self._answered()
        return True

    @staticmethod
    async def _other_question(meter: MeterSession, job: Job | None) -> None:
        if job is Job.CLOCK:
            await meter.identity()
        else:
            await meter.clock()

    async def _identify(self, meter: MeterSession) -> None:
        """Ask who the meter is and compare with who it was."""
        identity = await self._ask(meter, meter.identity)
        try:
            layout = await self._ask(meter, meter.dimensions)
        except (MeterRefused, TableError):
            layout = None  # it does not tell; the guard then knows of no layout to change
        if identity.serial and self._health.info.serial and identity.serial != self._health.info.serial:
            self._clock = self._health.clock_ahead = None
            self._clocks.forget(self._health.info.id)
            self._health.forget_problems()
        for note in self._guard.identify(identity.serial, layout, self._clocks.moment()):
            self._health.say(note.text, warning=note.warning)
        if not self._rated or self._health.info.serial != identity.serial:
            await self._rate(meter)
        known = self._health.info
        self._health.info = replace(
            known,
            serial=identity.serial,
            manufacturer=identity.manufacturer,
            model=identity.model,
            firmware=identity.firmware,
        )
        self._reopen.reset()
        self._key_retry.reset()
        self._key_was_right = True
        if self._health.info != known:
            self._health.publish()  # outputs must know who it is before they get its values

    async def _rate(self, meter: MeterSession) -> None:
        """Ask once per meter what it is made for; one that does not tell is bound by the settings, and read all the same."""
        ratings = None
        try:
            ratings = await meter.ratings()
        except PasswordRefused:
            raise
        except (KeyRejected, LinkError):
            self._rated = False  # the next session asks again
        except (MeterRefused, TableError):
            self._rated = True
        else:
            self._rated = True
        self._guard.rate(ratings)

    async def _read(self, job: Job, meter: MeterSession) -> Verdict:
        """Read one table and let the guard judge it."""
        if job is Job.CLOCK:
            time = await self._ask(meter, meter.clock, job)
            instant = self._clocks.monotonic()
            return Verdict(None, held=0 if self._take_clock(time, instant) else 1)
        if job is Job.DEVICES:
            await hand_on_devices(self.name, self._hub, lambda: self._ask(meter, meter.mbus_devices, job))
            return Verdict(None)
        table = meter.present if job is Job.PRESENT else meter.registers
        values: Mapping[Source, int] = await self._ask(meter, table, job)
        at, meter_time = self._clocks.moment(), self._meter_time()
        judge = self._guard.present if job is Job.PRESENT else self._guard.registers
        verdict = judge(values, at, meter_time)
        if job is Job.PRESENT:
            nothing_can_be = bool(values) and verdict.sample is None
            self._unbelievable = self._unbelievable + 1 if nothing_can_be else 0
        return verdict

    def _heed(self, job: Job, verdict: Verdict) -> None:
        """Publish what is believed, say what is not."""
        self._health.rejected += verdict.rejected
        for note in verdict.notes:
            self._health.say(note.text, warning=note.warning)
        if job is Job.PRESENT and self._unbelievable >= _UNBELIEVABLE_AFTER:
            text = f"the meter answers, but none of its {job} can be. If this lasts, save an osgp dump and report it"
            self._health.note_problem(job, Problem(NO_VALUES, text))
        elif not (job is Job.PRESENT and self._unbelievable):
            self._health.note_well(job)
        if verdict.sample is not None:
            self._hub.publish(verdict.sample)
        if verdict.doubt:
            raise _Reopen  # perhaps the meter is another one, so ask who it is

    def _take_clock(self, time: datetime, instant: float) -> bool:
        """Note what the meter's clock shows; False when it jumped and should be read again soon."""
        self._clock = _Clock(time, instant)
        believed = self._clocks.witness(self._health.info.id, time + _HALF_SECOND, instant)
        self._health.clock_ahead = round((time + _HALF_SECOND - self._clocks.label(instant)).total_seconds(), 1)
        return believed

    def _meter_time(self) -> datetime | None:
        """Return the meter's time now, or None when it is not known truthfully."""
        if self._clock is None:
            return None
        age = self._clocks.monotonic() - self._clock.at
        fresh = age <= _CLOCK_VALID_PERIODS * self._cadence.clock
        return self._clock.time + timedelta(seconds=int(age)) if fresh else None

    def _enter(self, state: MeterState, error: Exception, message: str = "") -> None:
        """Note that nothing can be read any more, and why."""
        self._clock = None  # what answers next may be another meter
        self._health.enter(state, error, message, self._address)

    def _note_pace(self, job: Job, pace: Pace) -> None:
        """Say once when the meter cannot be read as often as it should be."""
        seconds = pace.done(asyncio.get_running_loop().time())
        if seconds is not None:
            self._health.say(
                f"the {job} come every {seconds:.1f} s, not every {pace.wanted:g} s: this meter needs so long for its "
                "answers. Nothing is lost. Longer periods (present_every, registers_every) leave more room for both"
            )

    def _count(self, meter: MeterSession) -> None:
        """Bring up to date how the link is: its security, and counts, what earlier connections counted plus this one's."""
        before, now = self._link_before, meter.stats
        self._health.link = LinkQuality(**{name: getattr(before, name) + getattr(now, name, 0) for name in _COUNTS})
        self._health.security, self._health.module = meter.security or "", meter.health

    def _close_counts(self, meter: MeterSession) -> None:
        self._count(meter)
        self._link_before = self._health.link
