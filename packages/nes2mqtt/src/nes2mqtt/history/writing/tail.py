"""The tail: what came since the last commit, so that the end of this program loses nothing.

The database is written once in ``commit_every`` seconds, because that is what spares a disk. Until then readings
are in an append-only file. With ``tail = "memory"`` it lies in a file system in RAM: it survives every end of
the program, kill -9 included, and costs the disk nothing; a power cut takes it. With ``tail = "disk"`` it lies
beside the database, is not synced, and holds register readings only: a power cut takes what the system had not
written yet, usually 30 seconds.

A record is a line: a checksum and JSON. Of a sample it holds only what differs from the same meter's sample before.
The first record tells to what the tail belongs: the run of the program, the boot of the machine, and what was in the
database when it began. The tail ends at a record that was written only in part, because the power went or the file
system was full.

This module does not know SQL.
"""

from __future__ import annotations

import json
import logging
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from errno import ENOSPC
from hashlib import sha256
from operator import sub
from pathlib import Path
from typing import Any

from nes2mqtt.history.config import TailPlace
from nes2mqtt.history.tables.rows import moment, stamp
from nes2mqtt.readings.reading import Sample, TableGroup
from osgp.sources import SOURCES, Source

__all__ = ["Head", "Kept", "Tail", "place_of", "read_tail", "this_boot"]

_log = logging.getLogger(__name__)

_CHANGE = re.compile(r"(\d+)([=+-])(-?\d*)")
"""A source's place and how its value differs from the one before: ``3+25``, ``3-1``; ``3=-17`` the value; ``3=`` absent."""
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode
_OWNER_ONLY = 0o600
_LARGE = 16_000_000
"""Bytes. A larger tail is begun anew once it has doubled: while nothing can be committed, memory drops readings too."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_MOUNTS = Path("/proc/self/mounts")
_IN_RAM = frozenset({"tmpfs", "ramfs"})


def this_boot(folder: Path) -> str:
    """Return a text that is another one after each start of the machine; empty if there is none.

    The kernel's boot id, or where it is hidden (systemd's ProcSubset=pid) whether ``folder`` is in RAM: what is found
    in it then was written since the start.
    """
    with suppress(OSError):
        return _BOOT.read_text(encoding="ascii").strip()
    return "in RAM" if _is_in_ram(folder) else ""


def _is_in_ram(folder: Path) -> bool:
    try:
        mounts = [line.split() for line in _MOUNTS.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return False
    resolved = folder.resolve()
    found = [(len(mount[1]), mount[2]) for mount in mounts if resolved.is_relative_to(mount[1])]
    return bool(found) and max(found)[1] in _IN_RAM


def place_of(database: Path, wanted: TailPlace, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the file for the tail of a database.

    In RAM it needs a folder that outlives the program: systemd's RuntimeDirectory (with RuntimeDirectoryPreserve), named by
    the environment variable RUNTIME_DIRECTORY. Without one the tail goes beside the database.
    """
    if wanted is TailPlace.MEMORY:
        folders = [Path(text) for text in environment.get("RUNTIME_DIRECTORY", "").split(":") if text]
        for folder in folders:
            try:
                folder.mkdir(mode=0o700, exist_ok=True)
            except OSError as error:
                _log.debug("no tail in %s: %s", folder, error)
                continue
            if _is_in_ram(folder):
                name = sha256(str(database.absolute()).encode()).hexdigest()[:16]
                return folder / f"{database.name}-{name}-tail"
    return database.with_name(f"{database.name}-tail")


@dataclass(frozen=True, slots=True)
class Head:
    """To what a tail belongs.

    Args:
        life: the run of the program (:attr:`nes2mqtt.history.writing.numbers.Numbers.life`).
        boot: the start of the machine.
        seq: the last register reading in the database when the tail began.
        block: the last block of present values there.
    """

    life: str
    boot: str
    seq: int
    block: int


@dataclass(slots=True)
class Kept:
    """What a tail holds.

    Args:
        head: to what it belongs.
        registers: numbered register samples.
        present: samples of present values.
        cursors: how far outboxes had delivered, as far as that changed.
        undated: identities of samples whose ``received`` was a guess when they were kept.
    """

    head: Head
    registers: list[tuple[int, Sample]] = field(default_factory=list)
    present: list[Sample] = field(default_factory=list)
    cursors: dict[str, int] = field(default_factory=dict)
    undated: set[int] = field(default_factory=set)

    @property
    def last_seq(self) -> int:
        """Return the last number that was given."""
        return self.registers[-1][0] if self.registers else self.head.seq


def read_tail(path: Path) -> Kept | None:
    """Return what is in a tail, up to its first damaged record; None if there is none."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return None
    records = _records(lines)
    try:
        first = next(records)
        kept = Kept(Head(first["life"], first["boot"], first["seq"], first["block"]))
        replay = _Replay(kept)
        for record in records:
            replay.add(record)
    except (StopIteration, LookupError, TypeError, ValueError):
        return None
    return kept


def _records(lines: Iterable[bytes]) -> Iterator[Any]:
    for line in lines:
        check, _, text = line.partition(b" ")
        if not text or check != b"%08x" % zlib.crc32(text):
            return
        yield json.loads(text)


class _Replay:
    """Makes samples of records, each of which says what differs from the one before."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._series: list[tuple[str, str, list[str]]] = []
        self._values: list[dict[Source, int]] = []
        self._places: dict[str, dict[str, Any]] = {}

    def add(self, record: dict[str, Any]) -> None:
        if "to" in record:
            self._kept.cursors.update(record["to"])
            return
        if "meter" in record:  # what follows is called by its place in the order of these
            self._series.append((record["meter"], record["group"], record["keys"]))
            self._values.append({})
        number = record["n"]
        meter, group, keys = self._series[number]
        values = dict(self._values[number])
        for place, sign, figures in _CHANGE.findall(record["v"]):
            source = SOURCES.get(keys[int(place)])
            if source is None:
                continue
            if sign != "=":
                values[source] += int(sign + figures)
            elif figures:
                values[source] = int(figures)
            else:
                values.pop(source, None)
        self._values[number] = values
        place = self._places[meter] = record.get("place") or self._places.get(meter, {})
        received = record["at"]
        meter_off = record.get("off")
        sample = Sample(
            meter=meter,
            group=TableGroup(group),
            received=moment(received),
            values=values,
            meter_time=None if meter_off is None else moment(received + meter_off),
            segment=place.get("segment", 1),
            segment_start=None if place.get("start") is None else moment(place["start"]),
            restarted={SOURCES[key]: moment(at) for key, at in place.get("restarted", {}).items() if key in SOURCES},
            instant=record["i"],
            base={SOURCES[key]: value for key, value in place.get("base", {}).items() if key in SOURCES},
            segment_instant=place.get("instant"),
        )
        if "undated" in record:
            self._kept.undated.add(id(sample))
        if "seq" in record:
            self._kept.registers.append((record["seq"], sample))
        else:
            self._kept.present.append(sample)


@dataclass(slots=True)
class _Series:
    """Samples of one table of one meter, each written as what differs from the one before.

    Args:
        number: how the records call it.
        places: how they call each source.
        values: what the last sample held.
        in_order: that it held all sources, in the order of their places.
    """

    number: int
    places: Mapping[Source, int]
    values: Mapping[Source, int] = field(default_factory=dict)
    in_order: bool = False

    def take(self, values: Mapping[Source, int]) -> Mapping[Source, int]:
        self.values = values
        self.in_order = list(values) == list(self.places)
        return values


class Tail:
    """Appends to the tail.

    Args:
        path: its file; the folder is there.
        in_ram: whether that costs the disk nothing, so that present values go in too.
    """

    def __init__(self, path: Path, *, in_ram: bool) -> None:
        self.path = path
        self.in_ram = in_ram
        self.failed: OSError | None = None
        """Why nothing is kept in it now; None if all is well."""
        self._handle: int | None = None
        self._size = self._began = 0
        self._lines: list[bytes] = []
        self._series: dict[tuple[str, TableGroup], _Series] = {}
        self._begun = 0
        self._places: dict[str, dict[str, Any]] = {}

    @property
    def large(self) -> bool:
        """Tell whether it takes more than it should, as happens when nothing can be committed for days."""
        return self._size > max(_LARGE, 2 * self._began)

    def settled(self) -> None:
        """Note that all that is to be in the tail is in it."""
        self._began = self._size

    def begin(self, head: Head) -> None:
        """Begin anew, in one step: what was in the tail is in the database now."""
        self._lines.clear()
        self._series.clear()
        self._begun = 0
        self._places.clear()
        line = _line({"life": head.life, "boot": head.boot, "seq": head.seq, "block": head.block})
        new = self.path.with_name(f"{self.path.name}.new")
        try:
            handle = os.open(
                new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), _OWNER_ONLY
            )
            self.close()
            self._handle = handle
            os.write(handle, line)
            new.replace(self.path)
        except OSError as error:
            self._fail(error)
            return
        self._size = len(line)
        if self.failed is not None:
            _log.warning("history: %s can be written again", self.path)
        self.failed = None

    def keep(self, sample: Sample, seq: int | None, *, dated: bool) -> None:
        """Take a sample for the next :meth:`write`."""
        if seq is None and not self.in_ram:
            return
        record = self._differences(sample)
        record["at"], record["i"] = stamp(sample.received), round(sample.instant, 3)
        if not dated:
            record["undated"] = 1
        if seq is not None:
            record["seq"] = seq
            if sample.meter_time is not None:
                record["off"] = stamp(sample.meter_time) - stamp(sample.received)
            place = {
                "segment": sample.segment,
                "start": None if sample.segment_start is None else stamp(sample.segment_start),
                "restarted": {source.key: stamp(at) for source, at in sample.restarted.items()},
                "base": {source.key: value for source, value in sample.base.items()},
                "instant": sample.segment_instant,
            }
            if self._places.get(sample.meter) != place:
                self._places[sample.meter] = record["place"] = place
        self._lines.append(_line(record))

    def _differences(self, sample: Sample) -> dict[str, Any]:
        """Return a record with the values that are not those of the sample before of the same table."""
        key = (sample.meter, sample.group)
        series = self._series.get(key)
        if series is None or not series.places.keys() >= sample.values.keys():
            series = self._series[key] = _Series(self._begun, {source: n for n, source in enumerate(sample.values)})
            self._begun += 1
            return {
                "meter": sample.meter,
                "group": sample.group.value,
                "keys": [source.key for source in sample.values],
                "n": series.number,
                "v": ",".join(f"{place}={value}" for place, value in enumerate(series.take(sample.values).values())),
            }
        alike = series.in_order
        before = series.values
        values = series.take(sample.values)
        if alike and series.in_order:  # as nearly always: no look-ups
            steps = enumerate(map(sub, values.values(), before.values()))
            return {"n": series.number, "v": ",".join([f"{n}+{by}" if by > 0 else f"{n}{by}" for n, by in steps if by])}
        places = series.places
        changed = []
        for source, value in values.items():
            earlier = before.get(source)
            if earlier is None:
                changed.append(f"{places[source]}={value}")
            elif value > earlier:
                changed.append(f"{places[source]}+{value - earlier}")
            elif value < earlier:
                changed.append(f"{places[source]}{value - earlier}")
        if before.keys() != values.keys():
            changed += [f"{places[source]}=" for source in before if source not in values]
        return {"n": series.number, "v": ",".join(changed)}

    def delivered(self, outbox: str, seq: int) -> None:
        """Take an outbox's position for the next :meth:`write`."""
        self._lines.append(_line({"to": {outbox: seq}}))

    def write(self) -> bool:
        """Write what was taken; return whether all of it survives the end of this program."""
        lines, self._lines = self._lines, []
        if self._handle is None or self.failed is not None:
            return False
        data = b"".join(lines)
        if not data:
            return True
        try:
            written = os.write(self._handle, data)
        except OSError as error:
            self._fail(error)
            return False
        if written != len(data):
            self._fail(OSError(ENOSPC, os.strerror(ENOSPC)))
            return False
        self._size += len(data)
        return True

    def close(self) -> None:
        """Close the file; it stays."""
        if self._handle is not None:
            with suppress(OSError):
                os.close(self._handle)
            self._handle = None

    def remove(self) -> None:
        """Close and remove the file: everything is in the database."""
        self.close()
        with suppress(OSError):
            self.path.unlink()

    def _fail(self, error: OSError) -> None:
        if self.failed is None:
            _log.warning(
                "history: readings cannot be kept in %s (%s); each is written to the database at once instead, "
                "which wears out a card sooner. Make room there, or set [history] tail.",
                self.path,
                error.strerror or error,
            )
        self.failed = error


def _line(record: Mapping[str, Any]) -> bytes:
    text = _ENCODE(record).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)
