"""Samples of one house in virtual time, and recorders that have no thread."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.store import Store
from nes2mqtt.history.writing.recorder import Recorder
from nes2mqtt.readings.reading import Sample, TableGroup
from nes2mqtt.timing.clock import Clock as Clocks
from osgp.sources import SOURCES

_START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
_ZONE = ZoneInfo("Europe/Copenhagen")


class Clock:
    """The time of day of a test."""

    def __init__(self):
        self.now = _START
        self.clocks = Clocks(wall=self._seconds, monotonic=self._seconds, synchronised=lambda: True, built=0.0)

    def _seconds(self):
        return self.now.timestamp()

    @property
    def instant(self):
        """Return the monotonic clock's moment of now."""
        return self.now.timestamp()

    def s(self, seconds):
        """Return the monotonic clock's moment some seconds after the start of the test."""
        return _START.timestamp() + seconds

    def at(self, seconds):
        """Return the moment some seconds after the start of the test."""
        return _START + timedelta(seconds=seconds)


@pytest.fixture
def tmp_path():
    """Return a folder in memory where there is one: the history syncs each commit, and tests make thousands."""
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="nes2mqtt-history-", dir=where) as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def no_runtime_directory(monkeypatch):
    """Keep the tail beside the database, whatever starts the tests."""
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)


@pytest.fixture
def zone():
    return _ZONE


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def registers():
    """Make a register sample: seconds since the start, import energy, anything else by key."""

    def make(seconds, energy=None, *, meter="house", segment=1, segment_start=None, **others):
        values = {} if energy is None else {"active_energy_import": energy}
        values |= others
        return Sample(
            meter,
            TableGroup.REGISTERS,
            _START + timedelta(seconds=seconds),
            {SOURCES[key]: value for key, value in values.items()},
            segment=segment,
            segment_start=segment_start,
            instant=_START.timestamp() + seconds,
        )

    return make


@pytest.fixture
def present():
    """Make a sample of present values: seconds since the start, import power, anything else by key."""

    def make(seconds, watts=None, *, meter="house", **others):
        values = ({} if watts is None else {"active_power_import": watts}) | others
        return Sample(
            meter,
            TableGroup.PRESENT,
            _START + timedelta(seconds=seconds),
            {SOURCES[key]: value for key, value in values.items()},
            instant=_START.timestamp() + seconds,
        )

    return make


@pytest.fixture
def open_store(tmp_path, clock):
    """Make the store of the test's folder."""

    def make(**settings):
        return Store.open(tmp_path / "history.db", HistoryConfig(**settings), _ZONE, clock=clock.clocks)

    return make


@pytest.fixture
def open_recorder(tmp_path, clock):
    """Make an opened recorder of the test's folder; all are closed in the end."""
    recorders = []

    def make(connect=None, *, boot=lambda _: "this boot", **settings):
        recorder = Recorder(
            tmp_path / "history.db", HistoryConfig(**settings), clock.clocks, connect=connect, boot=boot
        )
        recorders.append(recorder)
        recorder.open(clock.instant)
        return recorder

    yield make
    for recorder in recorders:
        recorder.close()


def kill_recorder(recorder):
    """End a recorder as kill -9 does: nothing more is written, and what it had open is closed."""
    recorder._connection.close()
    recorder.waiting._tail.close()
    recorder._connection = recorder.journal = recorder.rollups = recorder._log = recorder.waiting._tail = None


@pytest.fixture
def kill():
    return kill_recorder
