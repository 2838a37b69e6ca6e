"""Registers that the owner wrote down: ``2024-01-01=12345.6``, in kWh.

Nothing here knows a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.importing.amounts import NotANumber, amount
from nes2mqtt.history.importing.lines import Line, Refused
from nes2mqtt.history.importing.times import NotATime, time_of
from osgp.sources import SOURCES

__all__ = ["Totals"]

_WRITE = "Write it as 2024-01-01=12345.6, in kWh"


class Totals:
    """Totals by hand.

    Args:
        written: ``TIME=KWH`` by the option with which they were given, by the key of their register.
        unit: of all that name none.

    Raises:
        HistoryError: one of them is none; the text says what to write.
    """

    columns = "totals by hand"

    def __init__(self, written: Mapping[str, Sequence[str]], unit: str) -> None:
        self._lines: list[Line] = []
        for key, totals in written.items():
            for place, text in enumerate(totals, start=1):
                time, equals, number = text.partition("=")
                try:
                    found = amount(number, unit or "kWh")
                    at = time_of(time)
                except (NotANumber, NotATime) as error:
                    raise HistoryError(f"total '{text}': {error}. {_WRITE}") from error
                if not equals or found is None:
                    raise HistoryError(f"total '{text}' has no register. {_WRITE}")
                self._lines.append(Line(place, at, {SOURCES[key]: found[0]}, found[1]))
        self._lines.sort(key=lambda line: line.time.replace(tzinfo=None))

    def __iter__(self) -> Iterator[Line | Refused]:
        """Yield the totals."""
        return iter(self._lines)
