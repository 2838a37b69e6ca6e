"""``osgp read``: everything a meter's owner asks for, once.

This module does not know how values are read or formatted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from osgp.cli.opening import Target, run
from osgp.cli.options import AsJson, Fast, KeyFile, KeyPadding, Padding, Port, Protection, SecurityName, TokenFile
from osgp.cli.text.terminal import columns, note, paint, print_json, print_lines

if TYPE_CHECKING:
    from osgp.cli.readings import Readings

__all__ = ["read"]

_IN_STEP = 2
"""Seconds by which two clocks may differ and still be called equal: reading takes time."""
_UNITS = ((86400, "days"), (3600, "h"), (60, "min"), (1, "s"))


def read(
    *,
    port: Port = None,
    key_file: KeyFile = None,
    token_file: TokenFile = None,
    security: Protection = SecurityName.AUTO,
    padding: Padding = KeyPadding.ZEROS,
    fast: Fast = False,
    every_value: Annotated[bool, typer.Option("--all", help="Show every value the meter sends.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read energy, power, phases, clock, tariff and alarms once."""
    target = Target(port, key_file, security, fast, padding, token_file)

    async def work() -> None:
        from osgp.cli.readings import collect  # noqa: PLC0415

        async with target.meter() as meter:
            readings = await collect(meter)
            if as_json:
                print_json(readings.document(meter.stats))
            else:
                print_lines(_lines(readings, everything=every_value))

    run(work, as_json=as_json)


def _lines(readings: Readings, *, everything: bool) -> list[str]:
    from osgp.cli.text.measured_values import energy_lines, phase_lines, power_lines, value_text  # noqa: PLC0415

    values = readings.values
    lines = columns(_head(readings))
    sections = {
        "Power now": power_lines(values),
        "Phases": phase_lines(values),
        "Meter reading": energy_lines(values),
        "All values": columns(
            [[source.key, value_text(source, raw), source.label] for source, raw in values.items()],
            right=(1,),
            indent=2,
        )
        if everything
        else [],
    }
    for title, content in sections.items():
        if content:
            lines += ["", paint(title, "bold"), *content]
    for reason in readings.refused.values():
        note(f"absent: {reason}")
    return lines


def _head(readings: Readings) -> list[list[str]]:
    from osgp.cli.text.condition import quality_summary, tariff_summary  # noqa: PLC0415
    from osgp.cli.text.log_text import event_words, outage_words  # noqa: PLC0415
    from osgp.cli.text.mbus_devices import device_summary  # noqa: PLC0415
    from osgp.tables.status.alarms import alarm_words  # noqa: PLC0415

    who = readings.identity
    known = [
        f"{who.manufacturer} {who.model}".strip(),
        f"firmware {who.firmware}" if who.firmware else "",
        f"serial number {who.serial}" if who.serial else "",
    ]
    rows = [["Meter", ", ".join(filter(None, known)) or "does not say who it is"]]
    if readings.clock is not None:
        rows.append(["Clock", f"{readings.clock:%Y-%m-%d %H:%M:%S} UTC, {_deviation(readings.ahead or 0.0)}"])
    if readings.tariffs is not None:
        rows.append(["Tariff", tariff_summary(readings.tariffs)])
    if readings.alarms is not None:
        words = ", ".join(alarm_words(name) or name for name in readings.alarms)
        rows.append(["Alarms", paint(words, "red") or "none"])
    if readings.contactor is not None:
        shown = readings.contactor
        rows.append(["Contactor", shown if shown == "closed" else paint(shown, "red")])
    if readings.quality is not None:
        rows.append(["Supply", quality_summary(readings.quality)])
    rows += [["Device", device_summary(device)] for device in readings.devices]
    if readings.newest_event is not None:
        rows.append(["Event", f"newest {event_words(readings.newest_event)}"])
    if readings.newest_outage is not None:
        rows.append(["Outage", f"newest {outage_words(readings.newest_outage)}"])
    return rows


def _deviation(ahead: float) -> str:
    if abs(ahead) <= _IN_STEP:
        return "like this computer"
    size = next((f"{abs(ahead) / unit:.0f} {word}" for unit, word in _UNITS if abs(ahead) >= 2 * unit), "")
    return f"{size} {'ahead of' if ahead > 0 else 'behind'} this computer"
