"""How a dialect is written down: rows of topic, value, format and occasion.

A dialect is a tuple of :class:`Row`. Adding a topic means adding a row; no code asks which
dialect it is in. A row whose value is not known publishes nothing, and a document leaves
out the keys that are not known: absent is absent, never 0.

This module does not know when rows are published or to whom.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.dialects.view import Fixed, View

__all__ = ["INTEGER", "TEXT", "Cell", "Decimals", "Document", "Format", "Row", "When", "compact", "render"]


class When(StrEnum):
    """The occasions on which rows are published."""

    LIVE = "live"
    """At the dialect's pace, as long as values are fresh."""
    REGISTERS = "registers"
    """Each register sample, in order, through the queue that survives an outage."""
    STATUS = "status"
    """On connect, when the meter's state changes, and repeated slowly."""
    COSTS = "costs"
    """On connect, and when prices or costs changed, at most once a minute."""


class Format(Protocol):
    """How a value becomes text; a JSON document takes numbers as numbers."""

    def text(self, value: Fixed | str) -> str:
        """Return the payload."""

    def json(self, value: Fixed | str) -> int | float | str:
        """Return what stands in a JSON document."""


@dataclass(frozen=True, slots=True)
class Decimals:
    """A fixed number of decimals in the unit people read; half is rounded away from zero."""

    digits: int

    def __str__(self) -> str:
        return {0: "integer", 1: "1 decimal"}.get(self.digits, f"{self.digits} decimals")

    def _rounded(self, value: Fixed) -> Fixed:
        surplus = value.decimals - self.digits
        if surplus <= 0:
            return Fixed(value.raw * 10**-surplus, self.digits)
        step = 10**surplus
        magnitude = (abs(value.raw) + step // 2) // step
        return Fixed(magnitude if value.raw >= 0 else -magnitude, self.digits)

    def text(self, value: Fixed | str) -> str:
        """Write 228693 mV with two decimals as ``228.69``."""
        if isinstance(value, str):
            return value
        rounded = self._rounded(value)
        sign = "-" if rounded.raw < 0 else ""
        whole, part = divmod(abs(rounded.raw), 10**self.digits)
        return f"{sign}{whole}.{part:0{self.digits}d}" if self.digits else f"{sign}{whole}"

    def json(self, value: Fixed | str) -> int | float | str:
        """Return the rounded number."""
        return value if isinstance(value, str) else self._rounded(value).number


@dataclass(frozen=True, slots=True)
class _Integer:
    """The meter's own integer, in the meter's own unit (mV, mA, Wh)."""

    def __str__(self) -> str:
        return "integer, as the meter holds it"

    def text(self, value: Fixed | str) -> str:
        return value if isinstance(value, str) else str(value.raw)

    def json(self, value: Fixed | str) -> int | float | str:
        return value if isinstance(value, str) else value.raw


@dataclass(frozen=True, slots=True)
class _Text:
    """As it is; a number in the unit people read."""

    def __str__(self) -> str:
        return "text"

    def text(self, value: Fixed | str) -> str:
        return value if isinstance(value, str) else Decimals(value.decimals).text(value)

    def json(self, value: Fixed | str) -> int | float | str:
        return value if isinstance(value, str) else value.number


INTEGER = _Integer()
TEXT = _Text()


@dataclass(frozen=True, slots=True)
class Cell:
    """One value: where it comes from and how it is written."""

    value: str
    """Key of a source or name of an expression, see :mod:`nes2mqtt.outputs.mqtt.dialects.view`."""
    form: Format = TEXT
    key: str = ""
    """Its key in a JSON document."""
    unit: str = ""
    """For the reference page, where the format does not say it."""


Document = Callable[[View], Mapping[str, Any] | None]
"""Builds a JSON object whose keys depend on what the meter has; None for no message."""


@dataclass(frozen=True, slots=True)
class Row:
    """One topic."""

    topic: str
    """Below the dialect's base topic."""
    body: Cell | tuple[Cell, ...] | Document
    """One value as text, several as a JSON object in this order, or an object built by a function."""
    when: When
    retain: bool = False
    qos: int = 0

    def payload(self, view: View) -> str | None:
        """Return the payload, None when there is nothing true to say."""
        if isinstance(self.body, Cell):
            value = view.get(self.body.value)
            return None if value is None else self.body.form.text(value)
        if isinstance(self.body, tuple):
            known = ((cell, view.get(cell.value)) for cell in self.body)
            document: Mapping[str, Any] | None = {c.key: c.form.json(value) for c, value in known if value is not None}
        else:
            document = self.body(view)
        return compact(document) if document else None


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
"""Made once: json.dumps makes one for each document that is not written in its default form."""


def compact(document: Mapping[str, Any]) -> str:
    """Write JSON without blanks; refuses values JSON has no number for."""
    return _encode(document)


def render(rows: Iterable[Row], base: str, view: View) -> Iterator[Message]:
    """Yield the messages of the rows that have something to say, in table order."""
    for row in rows:
        payload = row.payload(view)
        if payload is not None:
            yield Message(f"{base}/{row.topic}", payload, row.qos, row.retain)
