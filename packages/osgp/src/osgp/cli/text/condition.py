"""The supply's quality, tariffs and the meter's state as lines of text, and as documents for scripts.

This module does not know meters or terminals.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from osgp.cli.text.terminal import columns, duration, paint
from osgp.dissector.values import to_json
from osgp.tables.calendar.tariffs import Drive

if TYPE_CHECKING:
    from osgp.tables.calendar.schedule import Switch
    from osgp.tables.calendar.tariffs import Tariffs
    from osgp.tables.quality.report import Distortion, Events, Extreme, SupplyQuality

__all__ = [
    "quality_document",
    "quality_lines",
    "quality_summary",
    "switch_document",
    "tariff_document",
    "tariff_lines",
    "tariff_summary",
]

_MILLI = 1000


def quality_lines(quality: SupplyQuality) -> list[str]:
    """Return all that the meter counts, a column for each phase."""
    phases = quality.phases
    rows = [
        ["", *(phase.name.upper() for phase in phases)],
        ["Now", *(paint("missing", "red") if phase.lost else "there" for phase in phases)],
        ["Phase losses", *(_events(phase.losses) for phase in phases)],
        [f"Sags, {quality.sag_percent} % below rated", *(_events(phase.sags) for phase in phases)],
        [f"Swells, {quality.swell_percent} % above rated", *(_events(phase.swells) for phase in phases)],
        ["Over-currents", *(_count(phase.over_currents) for phase in phases)],
    ]
    if any(phase.deep_sags is not None for phase in phases):
        rows.append(["Deep sags", *(_events(phase.deep_sags) if phase.deep_sags else "" for phase in phases)])
    rows += [
        [f"Distortion of {name}", *(_distortion(phase.distortion[name]) for phase in phases)]
        for name in phases[0].distortion
    ]
    lowest, highest = quality.lowest_frequency, quality.highest_frequency
    supply = [["Frequency", f"{_frequency(lowest)} to {_frequency(highest)}"]] if lowest and highest else []
    supply.append(["Short outages", f"{quality.short_outages}, shorter than {duration(quality.long_outage_seconds)}"])
    counted = duration(quality.event_seconds) if quality.event_seconds else "any time"
    return [
        *columns(rows),
        "",
        *columns(supply),
        "",
        f"Sags and swells count that lasted {counted}. All counts are since statistics were reset; times are UTC.",
    ]


def quality_summary(quality: SupplyQuality) -> str:
    """Return the supply's quality in one line."""
    lost = [phase.name.upper() for phase in quality.phases if phase.lost]
    counts = {
        "phase losses": sum(phase.losses.count for phase in quality.phases),
        "sags": sum(phase.sags.count for phase in quality.phases),
        "swells": sum(phase.swells.count for phase in quality.phases),
        "short outages": quality.short_outages,
    }
    told = ", ".join(f"{number} {what}" for what, number in counts.items() if number) or "no trouble counted"
    return f"{paint(' and '.join(lost) + ' missing', 'red')}; {told}" if lost else told


def quality_document(quality: SupplyQuality) -> dict[str, Any]:
    """Return the supply's quality for scripts: voltages in mV, frequencies in mHz."""
    document: dict[str, Any] = to_json(asdict(quality))
    return document


def tariff_lines(tariffs: Tariffs) -> list[str]:
    """Return the tariff that counts, and the next."""
    rows = [["Tariff", f"{tariffs.tier + 1}, {_drive(tariffs.drive)}"]]
    if tariffs.until is not None:
        rows.append(["Until", f"{_time(tariffs.until)} UTC"])
    if tariffs.next is not None:
        rows.append(
            ["Next", f"tariff {tariffs.next.tier + 1} from {tariffs.next.at:%Y-%m-%d %H:%M} on, the meter's local time"]
        )
    else:
        rows.append(["Next", f"not known: {tariffs.unknown}" if tariffs.unknown else "none within a year"])
    rows.append(["Season", str(tariffs.season + 1)])
    if tariffs.calendar_id is not None:
        rows.append(["Calendar", str(tariffs.calendar_id)])
    return columns(rows)


def tariff_summary(tariffs: Tariffs) -> str:
    """Return the tariff that counts, and the next, in a few words."""
    words = [str(tariffs.tier + 1)]
    if tariffs.drive is not Drive.CALENDAR:
        words.append(_drive(tariffs.drive))
    if tariffs.next is not None:
        words.append(f"then {tariffs.next.tier + 1} from {tariffs.next.at:%Y-%m-%d %H:%M} on")
    return ", ".join(words)


def tariff_document(tariffs: Tariffs) -> dict[str, Any]:
    """Return the tariffs for scripts; they count from 1, as on the display."""
    return {
        "tariff": tariffs.tier + 1,
        "set_by": None if tariffs.drive is None else tariffs.drive.name.lower(),
        "at": to_json(tariffs.at),
        "until": to_json(tariffs.until),
        "next": switch_document(tariffs.next),
        "unknown": tariffs.unknown or None,
        "season": tariffs.season + 1,
        "special_schedule": tariffs.special_schedule,
        "calendar_id": tariffs.calendar_id,
    }


def switch_document(switch: Switch | None) -> dict[str, Any] | None:
    """Return a tariff that begins, for scripts."""
    return None if switch is None else {"at": to_json(switch.at), "tariff": switch.tier + 1}


def _drive(drive: Drive | None) -> str:
    if drive is Drive.CALENDAR:
        return "by the calendar"
    return "overridden, it is not told by what" if drive is None else drive.value


def _events(events: Events) -> str:
    if not events.count:
        return "none"
    last = f", last {_time(events.last)}" if events.last is not None else ""
    voltage = f", {events.voltage / _MILLI:.1f} V" if events.voltage is not None else ""
    return f"{events.count}{last}{voltage}"


def _distortion(found: Distortion) -> str:
    if not found.count:
        return "none"
    last = f", last {_time(found.last)}" if found.last is not None else ""
    return f"{found.count}{last}, up to {found.maximum} %"


def _count(number: int) -> str:
    return str(number) if number else "none"


def _frequency(extreme: Extreme) -> str:
    at = f" ({_time(extreme.at)})" if extreme.at is not None else ""
    return f"{extreme.value / _MILLI:.3f} Hz{at}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
