"""How many bytes the history writes in a day of one meter at the default cadence.

Days are fed to the recorder in a few seconds each: registers every 10 s, present values every 2 s, each
acknowledged by one outbox, time passed in, so that every commit happens as in a real day. Readings are
kept for one day only, so that the last day is like every later one: old readings go as new ones come. Counted is
what SQLite gives to the operating system: every frame of the log and, at each checkpoint, every
page. That does not depend on how fast the day goes by. What reaches the disk does: Linux writes whole
blocks of 4 KiB, a few times a minute. ``--real SECONDS`` runs in real time and prints what the kernel
counted for this process.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.recorder import Recorder
from nes2mqtt.reading import Sample, TableGroup
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


def _feed(recorder: Recorder, house: House, second: int) -> int:
    """Let one second go by; return how many samples it brought."""
    now = _START + timedelta(seconds=second)
    samples = list(_samples(house, second))
    recorder.take(samples, now)
    if recorder.waiting.registers or _is_due(recorder, now):
        recorder.work(now)
    if recorder.last_seq > recorder.cursors["mqtt"]:
        recorder.deliver("mqtt", recorder.last_seq, now)  # the broker confirms
    return len(samples)


def _is_due(recorder: Recorder, now: datetime) -> bool:
    due = recorder.due()
    return due is not None and now >= due


def simulated(folder: Path) -> tuple[float, float, float]:
    """Return the bytes written on the first day, on a later day when old readings go, and CPU seconds a sample."""
    recorder = Recorder(folder / "history.db", HistoryConfig(keep_raw_days=1))
    recorder.open(_START)
    recorder.deliver("mqtt", 0, _START)
    house = House()
    count, spent, days, before = 0, 0.0, [], 0
    for second in range(_DAYS * _DAY):
        begin = time.thread_time()
        count += _feed(recorder, house, second)
        spent += time.thread_time() - begin
        if second % _DAY == _DAY - 1:
            # The rest of the log will move into the database as well: counted as if it did now.
            written = recorder.written + recorder.outstanding()
            days.append(written - before)
            before = written
    recorder.close()
    return days[0], days[-1], spent / count


def real(folder: Path, seconds: int) -> float:
    """Return the bytes a day the kernel counted for this process while it ran in real time."""
    recorder = Recorder(folder / "history.db", HistoryConfig())
    recorder.open(_START)
    recorder.deliver("mqtt", 0, _START)
    house = House()
    before, start = _write_bytes(), time.monotonic()
    for second in range(seconds):
        time.sleep(max(0.0, start + second - time.monotonic()))
        _feed(recorder, house, second)
    counted = _write_bytes() - before
    recorder.close()
    return counted / seconds * _DAY


def _write_bytes() -> int:
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines())
    return int(lines["write_bytes"])


def rows() -> list[Row]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        first, later, spent = simulated(Path(folder))
    return [
        Row(
            "history: MB written a day, registers 10 s, present 2 s",
            f"{later / 1e6:.1f}",
            f"< {GOAL / 1e6:.0f}",
            later < GOAL,
        ),
        Row("  on the first day, when nothing is old enough to go", f"{first / 1e6:.1f}"),
        Row("history: CPU of a sample, made, committed and rolled up", f"{spent * 1e6:.0f} us"),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=int, metavar="SECONDS", help="run in real time and ask the kernel")
    seconds = parser.parse_args().real
    if seconds is None:
        print_rows(rows())
    else:
        with tempfile.TemporaryDirectory(dir=".") as place:
            print_rows([Row("history: MB a day, counted by the kernel", f"{real(Path(place), seconds) / 1e6:.1f}")])
