"""How many bytes the history writes in a day of one meter at the default cadence.

Days are fed to the recorder in a few seconds each: registers every 10 s, present values every 2 s, each
acknowledged by one outbox, time passed in, so that every commit happens as in a real day. Readings are
kept for one day only, so that the last day is like every later one: old readings go as new ones come.

Counted is what the kernel counts for this process (``write_bytes`` in ``/proc/self/io``, proc(5)): a block of 4 KiB each
time it becomes dirty. Every commit is synced, so a day that goes by in seconds counts like a real one. A tail on disk is
not synced by the gateway, but written back by the system: every 5 s it writes what has been dirty for 30 s (Linux,
vm.dirty_writeback_centisecs and vm.dirty_expire_centisecs). Here it is synced like that.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nes2mqtt.history.config import HistoryConfig, TailPlace
from nes2mqtt.history.writing.recorder import Recorder
from nes2mqtt.readings.reading import Sample, TableGroup
from nes2mqtt.timing.clock import Clock
from osgp.image import MeterImage
from osgp.sources import Quantity, Source
from osgp.tables import present, registers
from table import Row, print_rows

GOAL = 25_000_000
_DAY = 86_400
_DAYS = 3
_START = datetime(2026, 1, 1, tzinfo=UTC)
_REGISTERS_EVERY = 10
_PRESENT_EVERY = 2
_WRITTEN_BACK_AFTER = 30
_LOOK_EVERY = 5


class House:
    """The values of the real Danish meter, moving: loads come and go, voltages and currents tremble."""

    def __init__(self) -> None:
        image = MeterImage.load("image:denmark-gen3")
        image.derive_dimensions()
        dims = image.dimensions()
        self._registers = dict(registers.decode(bytes(image.tables[23]), dims))
        self._present = dict(present.decode(bytes(image.tables[28]), dims))
        self._random = random.Random(1)
        self._load = 1.0

    def registers(self, at: datetime) -> Sample:
        """Return the registers, those of energies that ever moved a little further."""
        for source, value in self._registers.items():
            if value and source.quantity in {Quantity.ACTIVE_ENERGY, Quantity.REACTIVE_ENERGY}:
                self._registers[source] = value + self._random.randrange(4)
        return Sample("house", TableGroup.REGISTERS, at, dict(self._registers), meter_time=at)

    def present(self, at: datetime) -> Sample:
        """Return present values."""
        if self._random.random() < 0.01:
            self._load = self._random.uniform(0.3, 12)
        return Sample("house", TableGroup.PRESENT, at, {s: self._moved(s, v) for s, v in self._present.items()})

    def _moved(self, source: Source, value: int) -> int:
        if source.quantity is Quantity.VOLTAGE:
            return value + self._random.randrange(-1500, 1500)
        if source.quantity in {Quantity.FREQUENCY, Quantity.POWER_FACTOR}:
            return value + self._random.randrange(-20, 20)
        return round(value * self._load * self._random.uniform(0.97, 1.03))


def _samples(house: House, second: int) -> Iterator[Sample]:
    at = _START + timedelta(seconds=second)
    if second % _REGISTERS_EVERY == 0:
        yield house.registers(at)
    if second % _PRESENT_EVERY == 0:
        yield house.present(at)


class Days:
    """Days of a recorder that go by in seconds.

    Args:
        folder: for the database, on a disk.
        settings: of the history.
    """

    def __init__(self, folder: Path, settings: HistoryConfig) -> None:
        self._second = 0
        clock = Clock(wall=self._now, monotonic=self._now, synchronised=lambda: True, built=0.0)
        self.recorder = Recorder(folder / "history.db", settings, clock)
        self.recorder.open(self._now())
        self.recorder.deliver("mqtt", 0, self._now())
        self._tail = folder / "history.db-tail"
        self._clean = 0
        self._dirty_since: int | None = None
        self._house = House()

    def _now(self) -> float:
        return _START.timestamp() + self._second

    def live(self, seconds: int) -> tuple[int, float]:
        """Let seconds go by; return how many samples they brought, and the CPU seconds spent."""
        count, spent = 0, 0.0
        recorder = self.recorder
        for _ in range(seconds):
            self._second += 1
            samples = list(_samples(self._house, self._second))
            begin = time.thread_time()
            recorder.take(samples, self._now())
            due = recorder.due()
            if due is not None and self._now() >= due:
                recorder.work(self._now())
            if recorder.last_seq > recorder.cursors["mqtt"]:
                recorder.deliver("mqtt", recorder.last_seq, self._now())  # the broker confirms
            spent += time.thread_time() - begin
            count += len(samples)
            self._write_back()
        return count, spent

    def _write_back(self) -> None:
        """Bring a tail on disk to it, when the system would."""
        if self._second % _LOOK_EVERY or not self._tail.exists():
            return
        if self._dirty_since is None and self._tail.stat().st_size != self._clean:
            self._dirty_since = self._second
        if self._dirty_since is not None and self._second - self._dirty_since > _WRITTEN_BACK_AFTER:
            with self._tail.open("rb") as file:
                os.fsync(file.fileno())
            self._clean, self._dirty_since = self._tail.stat().st_size, None


def _write_bytes() -> int:
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines())
    return int(lines["write_bytes"])


def measure(settings: HistoryConfig) -> tuple[list[float], float]:
    """Return MB of each day, and CPU seconds of a sample."""
    counted, spent, count = [], 0.0, 0
    # Beside the working folder: a folder for temporary files may lie in memory, where nothing is counted.
    with tempfile.TemporaryDirectory(dir=".") as folder:
        days = Days(Path(folder), settings)
        for _ in range(_DAYS):
            before = _write_bytes()
            more, took = days.live(_DAY)
            count, spent = count + more, spent + took
            counted.append((_write_bytes() - before) / 1e6)
        days.recorder.close()
    return counted, spent / count


def _with_tail_in_memory(settings: HistoryConfig) -> tuple[list[float], float]:
    """Measure as under systemd, which gives the service a folder in memory."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        os.environ["RUNTIME_DIRECTORY"] = folder
        try:
            return measure(settings)
        finally:
            del os.environ["RUNTIME_DIRECTORY"]


def rows() -> list[Row]:
    """Measure."""
    counted, spent = _with_tail_in_memory(HistoryConfig(keep_raw_days=1))
    on_disk, _ = measure(HistoryConfig(keep_raw_days=1, tail=TailPlace.DISK))
    return [
        Row(
            "history: MB a day by the kernel's count, registers 10 s, present 2 s",
            f"{counted[-1]:.1f}",
            f"< {GOAL / 1e6:.0f}",
            counted[-1] * 1e6 < GOAL,
        ),
        Row("  on the first day, when nothing is old enough to go", f"{counted[0]:.1f}"),
        Row("  with the tail on disk", f"{on_disk[-1]:.1f}", f"< {GOAL / 1e6:.0f}", on_disk[-1] * 1e6 < GOAL),
        Row("history: CPU of a sample, kept, committed and rolled up", f"{spent * 1e6:.0f} us"),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commit-every", type=float, metavar="SECONDS", help="measure one other setting only")
    seconds = parser.parse_args().commit_every
    if seconds is None:
        print_rows(rows())
    else:
        one = HistoryConfig(keep_raw_days=1, commit_every=seconds)
        for name, found in (("memory", _with_tail_in_memory(one)), ("disk", measure(one))):
            print(f"tail {name}: {found[0]} MB, {found[1] * 1e6:.0f} us a sample")
