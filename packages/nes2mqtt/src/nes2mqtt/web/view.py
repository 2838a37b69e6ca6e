"""What the page is told about a meter, as plain documents ready for JSON.

Shapes are described for readers of the stream in docs/api.md. Values are in the unit people
read (``source.unit``); a value the meter did not send is not in the document.

This module does not know who reads the documents or how they travel.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from nes2mqtt.hub import Hub
from nes2mqtt.reading import MeterStatus, Quality, Sample

__all__ = ["group_document", "iso", "meter_document", "status_document"]

Document = dict[str, Any]


def iso(moment: datetime) -> str:
    """Write a moment as ``2026-11-22T14:03:12.480Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def group_document(sample: Sample, quality: Quality) -> Document:
    """Describe values that were read together."""
    return {
        "received": iso(sample.received),
        "meter_time": iso(sample.meter_time) if sample.meter_time else None,
        "quality": quality,
        "values": {source.key: source.scaled(value) for source, value in sample.values.items()},
    }


def status_document(status: MeterStatus) -> Document:
    """Describe how and who a meter is."""
    return {
        "state": status.state,
        "since": iso(status.since),
        "message": status.message,
        "info": asdict(status.info),
        "link": asdict(status.link),
        "clock_ahead": status.clock_ahead,
    }


def meter_document(meter: str, hub: Hub) -> Document:
    """Describe all that is known of a meter: ``status`` is None before the first one."""
    latest = hub.latest.get(meter)
    status = latest.status if latest else None
    samples = latest.samples if latest else {}
    return {
        "id": meter,
        "status": status_document(status) if status else None,
        "groups": {group: group_document(sample, hub.quality(sample)) for group, sample in samples.items()},
    }
