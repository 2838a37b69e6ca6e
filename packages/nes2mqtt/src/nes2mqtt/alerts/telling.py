"""What is told of an alert: one entry of a numbered list, which every channel goes through at its own pace.

This module does not know who is told, nor in which words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import isfinite
from typing import Any

from nes2mqtt.alerts.kinds import Kind

__all__ = ["Telling", "What", "moment_of", "number_of"]


class What(StrEnum):
    """What happened to an alert."""

    RAISED = "raised"
    CLEARED = "cleared"
    PASSED = "passed"
    """It was raised and cleared while nobody was to be told."""
    HAPPENED = "happened"
    """The meter logged something."""
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Telling:
    """Something to tell.

    Args:
        what: happened.
        kind: of the alert.
        meter: its id.
        phase: where there is one.
        value: that was seen last, in the unit of the kind.
        limit: beyond which it is wrong.
        fuse: of the phase, in A.
        since: when it began (UTC, aware); None if that is not known.
        until: when it ended, likewise.
        times: how often it was raised, of what passed.
        events: what the meter logged, in English.
        time: when this was decided; None while the time of day is not known.
        number: only grows; 0 before it has one.
        instant: of :attr:`time` by the monotonic clock; None if that was before this program started. It is not kept.
    """

    what: What
    kind: Kind
    meter: str
    phase: str = ""
    value: float | None = None
    limit: float | None = None
    fuse: float | None = None
    since: datetime | None = None
    until: datetime | None = None
    times: int = 1
    events: tuple[str, ...] = ()
    time: datetime | None = None
    number: int = 0
    instant: float | None = field(default=None, compare=False)

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it; what is not known is absent."""
        whole = {
            "number": self.number,
            "what": self.what.value,
            "kind": self.kind.value,
            "meter": self.meter,
            "phase": self.phase or None,
            "value": self.value,
            "limit": self.limit,
            "fuse": self.fuse,
            "since": _iso(self.since),
            "until": _iso(self.until),
            "times": self.times if self.what is What.PASSED else None,
            "events": list(self.events) or None,
            "time": _iso(self.time),
        }
        return {key: value for key, value in whole.items() if value is not None}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Telling:
        """Return what a document says.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: it is none.
        """
        return cls(
            What(document["what"]),
            Kind(document["kind"]),
            str(document["meter"]),
            str(document.get("phase", "")),
            number_of(document.get("value")),
            number_of(document.get("limit")),
            number_of(document.get("fuse")),
            moment_of(document.get("since")),
            moment_of(document.get("until")),
            int(document.get("times", 1)),
            tuple(str(each) for each in document.get("events", ())),
            moment_of(document.get("time")),
            int(document["number"]),
        )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


def number_of(value: Any) -> float | None:
    """Return the number that is written.

    Raises:
        ValueError, TypeError: it is none.
    """
    if value is None:
        return None
    if not isfinite(number := float(value)):
        raise ValueError("this is no number")
    return number


def moment_of(text: Any) -> datetime | None:
    """Return the moment that is written.

    Raises:
        ValueError, TypeError: it is none.
    """
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its offset")
    return moment
