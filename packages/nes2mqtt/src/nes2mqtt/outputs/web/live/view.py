"""What the page is told about a meter, as plain documents ready for JSON.

Shapes are described for readers of the stream in docs/api.md. Values are in the unit people
read (``source.unit``); a value the meter did not send is not in the document. Times of day are made here, late, from
moments of the monotonic clock: what was read while this computer's clock was wrong is shown at its true time once
that is known, and without a time until then.

This module does not know who reads the documents or how they travel.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from nes2mqtt.readings.happened import Happened
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import MeterStatus, Quality, Sample
from nes2mqtt.timing.clock import Clock
from osgp.ports.tap.health import told_of

if TYPE_CHECKING:
    from nes2mqtt.meters.production.keeper import GivenNow

__all__ = [
    "clock_document",
    "group_document",
    "happened_document",
    "iso",
    "label",
    "meter_document",
    "production_document",
    "status_document",
]

Document = dict[str, Any]


_STEADY = timedelta(seconds=2)


def label(clock: Clock, instant: float, made: datetime | None = None) -> datetime | None:
    """Return the time of day of a moment as it is known now; None while it is not.

    Args:
        clock: the clocks of this program.
        instant: the moment, by the monotonic clock.
        made: the label it got when it was now; it stays as long as it is right, so that who asks twice is told the same.
    """
    if not clock.known:
        return None
    late = clock.label(instant)
    return made if made is not None and abs(late - made) < _STEADY else late


def iso(moment: datetime | None) -> str | None:
    """Write a moment as ``2026-11-22T14:03:12.480Z``."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock_document(clock: Clock) -> Document:
    """Describe which clock gives the time of day, and what is wrong with this computer's."""
    trouble = clock.trouble
    return {
        "source": clock.trust.value,
        "off": None if trouble is None or trouble.off is None else round(trouble.off),
        "meter": trouble.meter if trouble else "",
        "code": trouble.code if trouble else "",
        "message": trouble.message if trouble else "",
    }


def group_document(sample: Sample, quality: Quality, clock: Clock) -> Document:
    """Describe values that were read together."""
    return {
        "received": iso(label(clock, sample.instant, sample.received)),
        "instant": round(sample.instant, 3),
        "meter_time": iso(sample.meter_time),
        "quality": quality,
        "values": {source.key: source.scaled(value) for source, value in sample.values.items()},
    }


def status_document(status: MeterStatus, clock: Clock) -> Document:
    """Describe how and who a meter is."""
    return {
        "state": status.state,
        "since": iso(label(clock, status.instant, status.since) if status.instant else status.since),
        "instant": round(status.instant, 3),
        "message": status.message,
        "code": status.code,
        "params": dict(status.params),
        "info": asdict(status.info),
        "link": asdict(status.link),
        "module": None if status.module is None else told_of(status.module),
        "clock_ahead": status.clock_ahead,
    }


def production_document(given: GivenNow | None) -> Document | None:
    """Describe what an inverter gives now; None while that was never told."""
    if given is None:
        return None
    quality = Quality.GOOD if given.fresh else Quality.STALE
    return {"power": given.watts, "instant": round(given.instant, 3), "quality": quality}


def happened_document(one: Happened) -> Document:
    """Describe an entry of a meter's logs, as ``/api/v1/events`` does."""
    return {
        "number": one.number,
        "meter": one.meter,
        "kind": one.kind,
        "time": iso(one.time),
        "read": iso(one.read),
        "news": one.news,
        "event": one.event,
        "name": one.name,
        "who": one.who,
        "user": one.user,
        "argument": one.argument,
        "sequence": one.sequence,
        "end": iso(one.end),
        "seconds": one.seconds,
        "cause": one.cause,
    }


def meter_document(meter: str, hub: Hub) -> Document:
    """Describe all that is known of a meter: ``status`` is None before the first one."""
    latest = hub.latest.get(meter)
    status = latest.status if latest else None
    samples = latest.samples if latest else {}
    return {
        "id": meter,
        "status": status_document(status, hub.clock) if status else None,
        "groups": {group: group_document(sample, hub.quality(sample), hub.clock) for group, sample in samples.items()},
    }
