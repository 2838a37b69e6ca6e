"""Fixtures of all gateway tests: a clock that jumps, a scripted meter, samples.

A test marked ``virtual_clock`` runs on a loop whose time jumps to the next timer as soon as
nothing else is to be done: hours pass in no time and in the right order.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from virtual_clock import pytest_asyncio_loop_factories, pytest_configure

from nes2mqtt.readings.reading import LinkQuality, Sample, TableGroup
from nes2mqtt.timing.clock import Clock
from osgp.errors import MeterSwapped
from osgp.meter import Ratings
from osgp.sources import SOURCES, Source
from osgp.tables.mbus.devices import MbusDevice

__all__ = ["pytest_asyncio_loop_factories", "pytest_configure"]  # for pytest, which finds hooks by their names

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
"""The host's time when a virtual clock starts."""


def wall_clock() -> datetime:
    """Return the host's time that belongs to the running loop's time."""
    return START + timedelta(seconds=asyncio.get_running_loop().time())


def loop_clocks(wall: Callable[[], datetime] = wall_clock, *, synchronised: bool | None = True) -> Clock:
    """Return the clocks of a program on a virtual loop; ``wall`` is the host's, so it may step."""
    return Clock(
        wall=lambda: wall().timestamp(),
        monotonic=lambda: asyncio.get_running_loop().time(),
        synchronised=lambda: synchronised,
        built=0.0,
    )


def labelled_clocks(wall: Callable[[], datetime]) -> Clock:
    """Return clocks whose monotonic one shows the seconds since 1970 of ``wall``: an instant is a label's timestamp."""
    return Clock(
        wall=lambda: wall().timestamp(), monotonic=lambda: wall().timestamp(), synchronised=lambda: True, built=0.0
    )


IMPORT = SOURCES["active_energy_import"]
EXPORT = SOURCES["active_energy_export"]
POWER = SOURCES["active_power_import"]


@dataclass(frozen=True)
class FakeIdentity:
    """As ``osgp.meter.Identity``."""

    serial: str = "87654321"
    manufacturer: str = "NES"
    model: str = "83332-3I"
    firmware: str = "3.10.21"


@dataclass
class FakeMeter:
    """A meter that says what the test wants, or raises it; :attr:`log` tells what it was asked and when."""

    identity_now: FakeIdentity = field(default_factory=FakeIdentity)
    dimensions_now: str = "dimensions"
    register_values: dict[Source, int] = field(default_factory=lambda: {IMPORT: 65_845_342, EXPORT: 179})
    present_values: dict[Source, int] = field(default_factory=lambda: {POWER: 1514})
    rated: Ratings = field(default_factory=Ratings)
    devices_now: tuple[MbusDevice, ...] | Exception = ()
    trouble: Exception | None = None
    """Raised by every read while set."""
    opening_trouble: Exception | None = None
    """Raised when the port is opened."""
    once: list[Exception] = field(default_factory=list)
    """Raised by the next reads, one each."""
    log: list[tuple[float, str]] = field(default_factory=list)
    asked_for: list[str] = field(default_factory=list)
    url: str = "serial:///dev/serial/by-id/adapter"
    security: str | None = None
    health: Any = None
    clock_error: timedelta = timedelta(0)
    stats: LinkQuality = field(default_factory=LinkQuality)
    notices_swaps: bool = False
    """Whether it refuses values to who asked another meter for its name, as osgp's does when the link was lost between."""
    seconds_per_read: float = 0.1
    _named: FakeIdentity | None = None

    @asynccontextmanager
    async def open(self, url: str) -> AsyncIterator[FakeMeter]:
        self._note("open")
        self.asked_for.append(url)
        if self.opening_trouble is not None:
            raise self.opening_trouble
        self.stats = LinkQuality()
        try:
            yield self
        finally:
            self._note("close")

    def _note(self, what: str) -> None:
        self.log.append((asyncio.get_running_loop().time(), what))

    def times(self, what: str) -> list[float]:
        return [at for at, said in self.log if said == what]

    async def _reply(self, what: str, value: Any) -> Any:
        self._note(what)
        await asyncio.sleep(self.seconds_per_read)
        self.stats = LinkQuality(requests=self.stats.requests + 1)
        if self.once:
            raise self.once.pop(0)
        if self.trouble is not None:
            raise self.trouble
        if self.notices_swaps and what in {"registers", "present"} and self._named != self.identity_now:
            raise MeterSwapped("another meter answers here")
        return value() if callable(value) else value

    async def identity(self) -> FakeIdentity:
        self._named = await self._reply("identity", lambda: self.identity_now)
        return self._named

    async def dimensions(self) -> str:
        return await self._reply("dimensions", lambda: self.dimensions_now)

    async def ratings(self) -> Ratings:
        return await self._reply("ratings", lambda: self.rated)

    async def registers(self) -> dict[Source, int]:
        return await self._reply("registers", lambda: dict(self.register_values))

    async def present(self) -> dict[Source, int]:
        return await self._reply("present", lambda: dict(self.present_values))

    async def mbus_devices(self) -> tuple[MbusDevice, ...]:
        if isinstance(self.devices_now, Exception):
            self._note("devices")
            raise self.devices_now
        return await self._reply("devices", self.devices_now)

    async def clock(self) -> datetime:
        return await self._reply("clock", lambda: (wall_clock() + self.clock_error).replace(microsecond=0))


def make_sample(
    values: Mapping[Source, int] | None = None,
    *,
    meter: str = "house",
    group: TableGroup = TableGroup.REGISTERS,
    received: datetime = START,
    **more: Any,
) -> Sample:
    """Return a sample; by default of the first two registers. Its instant is that of :func:`loop_clocks`."""
    more.setdefault("instant", (received - START).total_seconds())
    return Sample(meter, group, received, values or {IMPORT: 65_845_342, EXPORT: 179}, **more)


class Said(logging.Handler):
    """Hears the log. Who waits for a line is woken by it and need not look again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._waiting: list[tuple[str, asyncio.Event, asyncio.AbstractEventLoop]] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        self.lines.append(line)
        for wanted, heard, loop in self._waiting:
            if wanted in line:
                loop.call_soon_threadsafe(heard.set)  # the history has a thread of its own

    async def __call__(self, wanted: str) -> None:
        """Wait until a line holds a text, if none has yet."""
        waiting = wanted, asyncio.Event(), asyncio.get_running_loop()
        self._waiting.append(waiting)
        if not any(wanted in line for line in self.lines):
            async with asyncio.timeout(60):
                await waiting[1].wait()
        self._waiting.remove(waiting)


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Iterator[Said]:
    """Return what hears the log, from level info on."""
    caplog.set_level("INFO")
    handler = Said()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


@pytest.fixture(autouse=True)
def no_container(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test depend on where it runs: in a container the time zone is warned of."""
    monkeypatch.setattr("nes2mqtt.timing.time_zone.in_container", lambda: False)


@pytest.fixture
def fake_meter() -> FakeMeter:
    """Return a meter that answers well until told otherwise."""
    return FakeMeter()


@pytest.fixture(name="make_sample")
def make_sample_fixture() -> Callable[..., Sample]:
    """Return :func:`make_sample`."""
    return make_sample


@pytest.fixture(name="loop_clocks")
def loop_clocks_fixture() -> Callable[..., Clock]:
    """Return :func:`loop_clocks`."""
    return loop_clocks


@pytest.fixture(name="labelled_clocks")
def labelled_clocks_fixture() -> Callable[[Callable[[], datetime]], Clock]:
    """Return :func:`labelled_clocks`."""
    return labelled_clocks


@pytest.fixture(name="wall_clock")
def wall_clock_fixture() -> Callable[[], datetime]:
    """Return :func:`wall_clock`."""
    return wall_clock
