"""Reading a ring in small parts, the newest entry first, while the meter may enter more.

A long log takes many answers, and other tables are read in between. So the header is read first, then the entries from the
newest to the oldest, then the header again (MEP guide v1.1 p. 108): it tells how many entries came meanwhile, and these stand
where the oldest ones stood. What may have been overwritten is given away. What remains is what the ring held when its first
header was read, the newest entries without a gap; what came later is found by the next reading.

Where the last reading ended is a :class:`Mark`: the number of its newest entry and a sum over it. The sum tells whether the
entry with this number is still the same: before firmware 3.70 numbers begin anew when a log is emptied (p. 242).

This module does not know how bytes travel. Whoever reads asks :attr:`RingReading.wanted` and gives the bytes to
:meth:`RingReading.take` until nothing is wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

from osgp.errors import MisuseError
from osgp.tables.logs.ring import Entry, Ring, RingHeader
from osgp.tables.schema.windows import Window

__all__ = ["Mark", "RingReading", "marks_of", "marks_text"]

_MOST_TEXT = 1000
"""Characters of marks: there are two for each log at most."""
_SEPARATOR = ","


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a log was read."""

    sequence: int
    """Number of the newest entry."""
    check: int | None
    """CRC-32 of its bytes; None where there was none."""

    @classmethod
    def of(cls, entry: Entry) -> Mark:
        """Return the mark behind which this entry is no longer new."""
        return cls(entry.sequence, crc32(entry.raw))


def marks_text(marks: Mapping[str, Mark]) -> str:
    """Return marks, by table, as text to keep: ``BT74:65539:9ae1c07f``. One line, no blanks."""
    return _SEPARATOR.join(
        f"{table}:{mark.sequence}:{'' if mark.check is None else f'{mark.check:08x}'}" for table, mark in marks.items()
    )


def marks_of(text: str) -> dict[str, Mark]:
    """Return the marks that :func:`marks_text` wrote.

    Raises:
        MisuseError: it did not write this.
    """
    marks = {}
    try:
        if len(text) > _MOST_TEXT:
            raise ValueError(text)  # noqa: TRY301 - one message for all of them
        for each in text.split(_SEPARATOR) if text else ():
            table, sequence, check = each.split(":")
            number, known = int(sequence), int(check, 16) if check else None
            if number < 0 or (known is not None and known < 0):
                raise ValueError(each)  # noqa: TRY301
            marks[table] = Mark(number, known)
    except ValueError as error:
        raise MisuseError(
            f"'{text[:80]}' does not tell how far a log was read. Give what an earlier reading of this log returned, or "
            "nothing to read all of it"
        ) from error
    return marks


class RingReading:
    """One reading of one ring.

    Args:
        ring: which.
        since: where the last reading ended; None to read all entries.
        most: read no more than so many, the newest.
    """

    def __init__(self, ring: Ring, since: Mark | None = None, most: int | None = None) -> None:
        self.ring = ring
        self.upset = False
        """The ring was emptied, or turned round once, while it was read: read it anew."""
        self.restarted = False
        """The log is not the one that was read before, or its numbers began anew: all its entries are new."""
        self._since = since
        self._most = ring.places if most is None else most
        self._header: RingHeader | None = None
        self._entries: list[Entry] = []
        self._read = 0
        self._left = 0
        self._restart_at = 0
        self._ended = False

    def wanted(self, limit: int) -> Window | None:
        """Return offset and count of what to read next; None when the reading has ended.

        Args:
            limit: bytes that are read at once. Only whole entries are wanted, and one at least.
        """
        if self._ended:
            return None
        if self._header is None or not self._left:
            return 0, self.ring.shape.size
        # Those before what was read, up to place 0: behind it the ring goes on at its end.
        last = (self._header.newest - self._read) % self.ring.places
        count = min(self._left, last + 1, max(1, limit // self.ring.entry_size))
        return self.ring.offset(last - count + 1), count * self.ring.entry_size

    def take(self, data: bytes) -> None:
        """Take the bytes that :meth:`wanted` asked for.

        Raises:
            TableError: the header points out of the ring.
        """
        if self._header is None:
            self._begin(self.ring.header(data))
        elif self._left:
            self._add(data)
        else:
            self._end(self._header, self.ring.header(data))

    @property
    def entries(self) -> list[Entry]:
        """Return the new entries, the newest first."""
        return self._entries

    @property
    def mark(self) -> Mark:
        """Return where this reading ended: give it to the next one."""
        if self._entries:
            return Mark.of(self._entries[0])
        if self._since is not None and not self.restarted:
            return self._since
        return Mark(0 if self._header is None else self._header.sequence, None)

    def _begin(self, header: RingHeader) -> None:
        self._header = header
        self._left = min(header.valid, self._most)
        self._ended = not self._left
        since = self._since
        if since is None or since.check is None:
            return
        ahead = self._ahead(header.sequence, since.sequence)
        if not header.valid or ahead < 0:
            self.restarted = True
        elif ahead == 0:
            # Nothing was entered. That a log was emptied and has come to this very number again is not worth a read each time.
            self._left, self._ended = 0, True
        else:
            # One more than can be new: it is compared with the mark.
            self._left = min(self._left, ahead + 1)

    def _ahead(self, sequence: int, other: int) -> int:
        """Return how many numbers one is ahead of another; negative if it is behind. Counts begin at 0 again after the last."""
        modulus = 1 << 8 * self.ring.shape.sequence.size
        return (sequence - other + modulus // 2) % modulus - modulus // 2

    def _add(self, data: bytes) -> None:
        assert self._header is not None  # noqa: S101 - or take() had begun
        size = self.ring.entry_size
        raw = [data[at : at + size] for at in range(len(data) - size, -1, -size)]
        if self._entries:
            # The number of an entry follows from that of the one before.
            before = self._entries[-1]
            found = list(self.ring.numbered(before.sequence, [before.raw, *raw]))[1:]
        else:
            found = list(self.ring.numbered(self._header.sequence, raw))
        self._read += len(raw)
        self._left -= len(raw)
        for entry in found:
            if self._is_old(entry):
                self._left = 0
                return
            self._entries.append(entry)
        if len(found) < len(raw):
            self._left = 0

    def _is_old(self, entry: Entry) -> bool:
        """Tell whether the last reading gave this entry. Where its place is taken by another one, the log began anew."""
        since = self._since
        if since is None or since.check is None or self.restarted:
            return False
        ahead = self._ahead(entry.sequence, since.sequence)
        if ahead == 0 and crc32(entry.raw) == since.check:
            return True
        if ahead <= 0:
            assert self._header is not None  # noqa: S101 - or there were no entries
            self.restarted, self._restart_at = True, len(self._entries)
            self._left = min(self._header.valid, self._most) - self._read
        return False

    def _end(self, first: RingHeader, last: RingHeader) -> None:
        """Give away what may have been overwritten since the first header."""
        self._ended = True
        places = self.ring.places
        came = self._ahead(last.sequence, first.sequence)
        moved = (last.newest - first.newest) % places
        # Event logs share their numbers: fewer entries than numbers may have come to one of them.
        fits = moved <= came if self.ring.number_at is not None else moved == came
        if not fits or not 0 <= came < places or last.valid != min(places, first.valid + moved):
            self.upset = True
            self._entries.clear()
            return
        kept = places - moved
        del self._entries[kept:]
        if self.restarted and self._restart_at >= kept:
            self.restarted = False  # what was compared with the mark had been overwritten
