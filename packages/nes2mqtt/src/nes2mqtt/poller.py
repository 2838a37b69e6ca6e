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
the table is refused   (unchanged)  that table is left alone for ten minutes, the others go on
=====================  ===========  ==============================================================

Each change of state is one line in the log and one :class:`~nes2mqtt.reading.MeterStatus`. A
single refusal of the key is not believed: one flipped bit of our request looks the same to the
meter (response 0x0B). After a silence, what answers may be another meter: everything is opened
afresh and the identity read before a value is published.

**Meter time.** The clock (BT52, whole seconds, UTC) is read each ``clock_every`` seconds. Between
two reads :attr:`~nes2mqtt.reading.Sample.meter_time` is the last clock plus the time that passed
since, cut to whole seconds: right to about 2 s as long as nobody sets the clock in between. It is
None before the first read and when the last one is older than three periods.

This module does not know outputs, nor how bytes reach the meter.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

from nes2mqtt.backoff import Backoff
from nes2mqtt.guard import Guard, Verdict
from nes2mqtt.hub import Hub
from nes2mqtt.reading import LinkQuality, MeterInfo, MeterState, MeterStatus
from nes2mqtt.schedule import Schedule
from osgp.errors import KeyRejected, LinkError, MeterRefused, OsgpError, PasswordRefused, TableError, TransportError
from osgp.sources import Source

__all__ = ["Cadence", "Identity", "MeterSession", "OpenMeter", "Poller"]

_T = TypeVar("_T")
_COUNTS = tuple(field.name for field in fields(LinkQuality))
_log = logging.getLogger(__name__)

_SILENT_AFTER = 2
"""Failed reads in a row until the meter counts as silent. Each was asked three times on the line already."""
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
_CONFIRM_AFTER = 1.0
"""Seconds until registers are read again when the guard holds some back."""
_STATUS_EVERY = 10.0
"""Link counts are published at most this often, in seconds; the meter's clock as soon as it was read."""
_AGAIN_AFTER = 0.5
"""Seconds before a failed read is asked again."""
_CLOCK_VALID_PERIODS = 3
_HALF_SECOND = timedelta(seconds=0.5)
"""BT52 shows whole seconds: on average the meter's clock is half a second further."""


class Identity(Protocol):
    """Who the meter says it is; empty text where it does not tell."""

    @property
    def serial(self) -> str:
        """The grid company's serial number."""

    @property
    def manufacturer(self) -> str:
        """The maker's name."""

    @property
    def model(self) -> str:
        """The model's name."""

    @property
    def firmware(self) -> str:
        """The firmware as on the display."""


class MeterSession(Protocol):
    """What the poller needs of :class:`osgp.meter.Meter`; every reply has been verified."""

    @property
    def url(self) -> str:
        """The port by its identity, which stays when an adapter is plugged in elsewhere."""

    @property
    def stats(self) -> object:
        """Link counts, named as in :class:`~nes2mqtt.reading.LinkQuality`."""

    async def identity(self) -> Identity:
        """Ask who it is."""

    async def dimensions(self) -> Hashable:
        """Ask how its tables are laid out."""

    async def registers(self) -> Mapping[Source, int]:
        """Read BT23."""

    async def present(self) -> Mapping[Source, int]:
        """Read BT28."""

    async def clock(self) -> datetime:
        """Read BT52."""


OpenMeter = Callable[[str], AbstractAsyncContextManager[MeterSession]]
"""Opens the meter at an address; key, budget and power cycle are already in it."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """Seconds between reads."""

    present: float = 2.0
    registers: float = 10.0
    clock: float = 600.0


class _Job(StrEnum):
    """What is read."""

    PRESENT = "present values (BT28)"
    REGISTERS = "registers (BT23)"
    CLOCK = "clock (BT52)"


class _Reopen(Exception):
    """Close the port and begin anew, because another meter may be there."""


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
        self._info = info
        self._address = address
        self._open = open_meter
        self._guard = guard
        self._hub = hub
        self._cadence = cadence
        self._spread = spread
        self._start_after = start_after
        self._clocks = hub.clock

        self._state = MeterState.STARTING
        self._since = hub.clock.now()
        self._message = ""
        self._link_before = LinkQuality()
        self._link = LinkQuality()
        self._rejected = 0
        self._status_due = 0.0
        self._clock: _Clock | None = None
        self._clock_ahead: float | None = None
        self._failures = 0
        self._refusals = 0
        self._heard = float("inf")
        """When a verified reply came last; nothing is overdue before the first."""
        self._pace = min(max(min(cadence.present, cadence.registers), _PACE[0]), _PACE[1])
        self._reopen = Backoff(_REOPEN_FIRST, self._pace)
        self._key_retry = Backoff(*_KEY_RETRY)
        self._key_was_right = False
        self._unreadable: set[_Job] = set()

    @property
    def state(self) -> MeterState:
        """Return how the meter is."""
        return self._state

    async def run(self) -> None:
        """Read until cancelled."""
        self._publish_status()
        await asyncio.sleep(self._start_after)
        while True:
            wait = self._reopen.next()
            try:
                async with self._open(self._address) as meter:
                    self._address = meter.url
                    try:
                        await self._attend(meter)
                    finally:
                        self._close_counts(meter)
            except _Reopen:
                wait = 0.0
            except TransportError as error:
                self._enter(MeterState.PORT_GONE, str(error))
            except PasswordRefused as error:
                self._enter(MeterState.KEY_REFUSED, f"{error}. Then start the gateway again")
                await asyncio.Event().wait()
            except KeyRejected as error:
                # A key that was right before is likely to be right again: the line is disturbed, on purpose or not.
                wait = _KEY_RETRY[0] if self._key_was_right else self._key_retry.next()
                self._enter(MeterState.KEY_REFUSED, str(error))
            except OsgpError as error:
                self._enter(MeterState.SILENT, str(error))
            except Exception as error:  # noqa: BLE001 - whatever it is, other meters and the next attempt must go on
                self._enter(MeterState.SILENT, f"this program made a mistake ({type(error).__name__})", mistake=error)
            await asyncio.sleep(wait * (1 + self._spread / 4))

    async def _attend(self, meter: MeterSession) -> None:
        """Read on schedule until something demands a fresh start."""
        loop = asyncio.get_running_loop()
        await self._identify(meter)
        schedule = Schedule(
            {
                _Job.CLOCK: self._cadence.clock,  # first, so that every sample has the meter's time
                _Job.PRESENT: self._cadence.present,
                _Job.REGISTERS: self._cadence.registers,
            },
            loop.time(),
        )
        while True:
            job, due = schedule.next()
            await asyncio.sleep(max(0.0, due - loop.time()))
            try:
                verdict = await self._read(job, meter)
            except (MeterRefused, TableError) as error:
                schedule.postpone(job, loop.time() + _REFUSED_TABLE_RETRY)
                if job not in self._unreadable:
                    self._unreadable.add(job)
                    self._say(f"the {job} cannot be read: {error}. Trying again each ten minutes")
                continue
            self._unreadable.discard(job)
            schedule.done(job, loop.time())
            if verdict is not None:
                self._heed(verdict)
                if verdict.held:
                    schedule.soon(job, loop.time() + _CONFIRM_AFTER)
            if loop.time() >= self._status_due:
                self._count(meter)
                self._publish_status()

    async def _ask(self, meter: MeterSession, read: Callable[[], Awaitable[_T]]) -> _T:
        """Carry out one read; ask again where that may help.

        Raises:
            KeyRejected: the key is wrong and not just one request garbled.
            _Reopen: it was silent and answers again: it may be another meter.
        """
        while True:
            try:
                answer = await read()
            except PasswordRefused:
                raise
            except KeyRejected:
                self._refusals += 1
                if self._refusals >= _KEY_REFUSED_AFTER:
                    self._refusals = 0
                    raise
            except LinkError as error:
                self._failures += 1
                unheard = asyncio.get_running_loop().time() - self._heard
                if self._failures >= _SILENT_AFTER or unheard >= _SILENT_PERIODS * self._pace:
                    self._failures = 0
                    self._enter(MeterState.SILENT, str(error))
                    await self._until_it_answers(meter)
                    raise _Reopen from error
            except (MeterRefused, TableError):
                self._answered()
                raise
            else:
                self._answered()
                return answer
            await asyncio.sleep(_AGAIN_AFTER)

    def _answered(self) -> None:
        self._failures = self._refusals = 0
        self._heard = asyncio.get_running_loop().time()

    async def _until_it_answers(self, meter: MeterSession) -> None:
        """Wait out a silence: ask for the clock, for ever. The meter's session does the power cycles meanwhile."""
        while True:
            await asyncio.sleep(self._pace)
            try:
                await meter.clock()
            except LinkError:
                continue
            except (KeyRejected, MeterRefused, TableError):
                return  # a refusal is an answer
            return

    async def _identify(self, meter: MeterSession) -> None:
        """Ask who the meter is and compare with who it was; from here on it is online."""
        identity = await self._ask(meter, meter.identity)
        try:
            layout = await self._ask(meter, meter.dimensions)
        except (MeterRefused, TableError):
            layout = None  # it does not tell; the guard then knows of no layout to change
        for note in self._guard.identify(identity.serial, layout, self._clocks.now()):
            self._say(note.text, warning=note.warning)
        known = self._info
        self._info = replace(
            known,
            serial=identity.serial,
            manufacturer=identity.manufacturer,
            model=identity.model,
            firmware=identity.firmware,
        )
        self._reopen.reset()
        self._key_retry.reset()
        self._key_was_right = True
        if self._state is MeterState.ONLINE and self._info != known:
            self._publish_status()  # outputs must know who it is before they get its values
        self._enter(MeterState.ONLINE, "")

    async def _read(self, job: _Job, meter: MeterSession) -> Verdict | None:
        """Read one table and let the guard judge it; the clock has no verdict."""
        if job is _Job.CLOCK:
            await self._read_clock(meter)
            return None
        if job is _Job.PRESENT:
            values = await self._ask(meter, meter.present)
            return self._guard.present(values, self._clocks.now(), self._meter_time(), self._clocks.monotonic())
        values = await self._ask(meter, meter.registers)
        return self._guard.registers(values, self._clocks.now(), self._meter_time(), self._clocks.monotonic())

    def _heed(self, verdict: Verdict) -> None:
        """Publish what is believed, say what is not."""
        self._rejected += verdict.rejected
        for note in verdict.notes:
            self._say(note.text, warning=note.warning)
        if verdict.sample is not None:
            self._hub.publish(verdict.sample)
        if verdict.doubt:
            raise _Reopen  # perhaps the meter is another one, so ask who it is

    async def _read_clock(self, meter: MeterSession) -> None:
        time = await self._ask(meter, meter.clock)
        instant = self._clocks.monotonic()
        self._clock = _Clock(time, instant)
        self._clocks.witness(self._info.id, time + _HALF_SECOND, instant)
        self._clock_ahead = round((time + _HALF_SECOND - self._clocks.now()).total_seconds(), 1)
        self._status_due = 0.0

    def _meter_time(self) -> datetime | None:
        """Return the meter's time now, or None when it is not known truthfully."""
        if self._clock is None:
            return None
        age = self._clocks.monotonic() - self._clock.at
        if age > _CLOCK_VALID_PERIODS * self._cadence.clock:
            return None
        return self._clock.time + timedelta(seconds=int(age))

    def _say(self, text: str, *, warning: bool = True) -> None:
        _log.log(logging.WARNING if warning else logging.INFO, "meter %s: %s", self._info.id, text)

    def _enter(self, state: MeterState, message: str, mistake: Exception | None = None) -> None:
        """Change state: one line in the log and one status, and neither when nothing changed."""
        if (state, message) == (self._state, self._message):
            return
        if state is not self._state or mistake is not None:
            self._log_change(state, message, mistake)
            self._since = self._clocks.now()
        if state is not MeterState.ONLINE:
            self._clock = None  # what answers next may be another meter
            self._clocks.forget(self._info.id)
        self._state, self._message = state, message
        self._publish_status()

    def _log_change(self, state: MeterState, message: str, mistake: Exception | None) -> None:
        if state is MeterState.ONLINE:
            serial = f"serial {self._info.serial}" if self._info.serial else "no serial number"
            who = " ".join(part for part in (self._info.manufacturer, self._info.model, serial) if part)
            seconds = round((self._clocks.now() - self._since).total_seconds())
            gone = "" if self._state is MeterState.STARTING else f" again after {timedelta(seconds=seconds)}"
            self._say(f"online{gone}: {who}, firmware {self._info.firmware or 'unknown'}", warning=False)
        else:
            _log.warning("meter %s: %s: %s", self._info.id, state.replace("_", " "), message, exc_info=mistake)

    def _publish_status(self) -> None:
        self._status_due = asyncio.get_running_loop().time() + _STATUS_EVERY
        link = replace(self._link, rejected=self._rejected)
        self._hub.publish(MeterStatus(self._info, self._state, self._since, self._message, link, self._clock_ahead))

    def _count(self, meter: MeterSession) -> None:
        """Bring the link counts up to date: what earlier connections counted plus this one's."""
        now = {name: getattr(self._link_before, name) + getattr(meter.stats, name, 0) for name in _COUNTS}
        self._link = LinkQuality(**now)

    def _close_counts(self, meter: MeterSession) -> None:
        self._count(meter)
        self._link_before = self._link
