"""What the Dabbler firmware called the meter's values, and the document its web page lived on.

The firmware's MQTT topics (:mod:`nes2mqtt.outputs.mqtt.dialects.dabbler`) and ``GET /getDashDataWS`` use the
same field names. Numbers are the meter's own integers: despite the names, currents are mA,
voltages mV, frequency mHz, power factors 1/1000.

Where this gateway differs on purpose: negative numbers stay negative (the firmware printed them as
unsigned), a field the meter does not have is left out (the firmware sent 0, which is no measurement), and there is no
document at all before the first verified readings and while they are stale (the firmware
went on with old ones). The Home Assistant integration for this firmware takes an HTTP 200 with JSON
for the truth, so the web server has to answer such a moment with something else. A meter without a
serial number (no ET03) goes by its id in the configuration, because that integration builds
its unique ids on the serial number and must never find it empty.

**One snapshot.** The document holds the registers as they were read last and the power read just before them, of the
same meter: :class:`DashDocument`. Power that came later is not told before registers have been read again, because a
meter may have been swapped in between, and the integration takes power, energy and serial number for one moment.

This module does not know MQTT or HTTP.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import MeterEvent, MeterInfo, MeterStatus, Quality, Sample, TableGroup

__all__ = ["FIELDS", "MQTT_ONLY", "DashDocument", "dash_body"]

LONGEST_PAIR = 15.0
"""Seconds that power waits for registers to confirm the meter. Where registers are read less often, the newest power is
told: an old one would not be power now."""


def _per_phase(name: str, key: str) -> dict[str, str]:
    return {f"L{phase}_{name}": f"{key}_l{phase}" for phase in (1, 2, 3)}


FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "Fwd_Act_Wh": "active_energy_import",
        "Rev_Act_Wh": "active_energy_export",
        "Fwd_W": "active_power_import",
        "Rev_W": "active_power_export",
        "Freq_mHz": "frequency",
        **_per_phase("RMS_A", "current"),
        **_per_phase("RMS_V", "voltage"),
        **_per_phase("Fwd_W", "active_power_import"),
        **_per_phase("Rev_W", "active_power_export"),
        "Fwd_Avg_W": "active_power_average_import",
        "Rev_Avg_W": "active_power_average_export",
        **_per_phase("Fwd_Avg_W", "active_power_average_import"),
        **_per_phase("Rev_Avg_W", "active_power_average_export"),
        **_per_phase("PF_Fac", "power_factor"),
        "ExportReactive_VAr": "reactive_power_export",
        "ImportReactive_VAr": "reactive_power_import",
    }
)
"""Field name -> key of the source. The order is that of the document."""

MQTT_ONLY = frozenset({"L1_PF_Fac", "L2_PF_Fac", "L3_PF_Fac", "ExportReactive_VAr", "ImportReactive_VAr"})
"""Fields that the firmware published and did not serve."""


def _software_version(firmware: str) -> str:
    """Return the firmware version as the Dabbler page showed it.

    BT01 holds main version, version and revision in 4, 7 and 5 bits of one word; the page
    printed its two bytes as decimals: 3.10.21 is 0x3155 and shows as ``49.85``.
    """
    match = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", firmware)
    if match is None:
        return ""
    main, version, revision = (int(part) for part in match.groups())
    word = (main & 0xF) << 12 | (version & 0x7F) << 5 | revision & 0x1F
    return f"{word >> 8}.{word & 0xFF}"


def _identity(info: MeterInfo, version: str, now: datetime) -> dict[str, int | str]:
    return {
        "ESP_SW": "nes2mqtt",
        "ESP_SW_By": "nes2mqtt",
        "ESP_SW_Version": version,
        # The firmware showed BT01's four characters with their blanks.
        "Meter_Manufacturer": info.manufacturer.ljust(4) if info.manufacturer else "",
        "Meter_Model": info.model,
        "Meter_SW_Version": _software_version(info.firmware),
        "Utility_SN": info.serial or info.id,
        "CurrentDateTimeString": now.strftime("%Y-%m-%d (%A) @ %H:%M:%S"),
        "CurrentDateTime": now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }


class DashDocument:
    """Makes the document of ``GET /getDashDataWS`` from what the hub tells.

    Args:
        hub: says what is fresh, and who the meters are.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._newest: dict[str, Sample] = {}
        self._pairs: dict[str, tuple[Sample, Sample]] = {}
        """Registers, and the present values before them."""

    def offer(self, event: MeterEvent) -> None:
        """Take an event of the hub; it remembers at most three samples of a meter."""
        meter = event.meter
        if isinstance(event, MeterStatus):
            if not self._known(meter):
                self._newest.pop(meter, None)
                self._pairs.pop(meter, None)
        elif event.group is TableGroup.PRESENT:
            self._newest[meter] = event
            waiting = self._pairs.get(meter)
            if waiting is None or waiting[1].segment != event.segment:
                self._pair(meter, event)
        else:
            present = self._newest.get(meter)
            if present is not None and present.segment == event.segment:
                self._pairs[meter] = (event, present)
            else:
                self._pairs.pop(meter, None)

    def _known(self, meter: str) -> bool:
        """Tell whether the hub still holds values of this meter: it forgets them when another meter is there."""
        latest = self._hub.latest.get(meter)
        return latest is not None and bool(latest.samples)

    def _pair(self, meter: str, present: Sample) -> None:
        """Begin with the registers that are known, where no present values came before them."""
        latest = self._hub.latest.get(meter)
        registers = latest.samples.get(TableGroup.REGISTERS) if latest else None
        if registers is not None and registers.segment == present.segment:
            self._pairs[meter] = (registers, present)
        else:
            self._pairs.pop(meter, None)

    def _snapshot(self, meter: str) -> tuple[Sample, Sample] | None:
        pair = self._pairs.get(meter)
        if pair is None or not self._known(meter):
            return None
        registers, present = pair
        newest = self._newest[meter]
        age = self._hub.clock.monotonic() - present.instant
        if age > LONGEST_PAIR and newest.segment == registers.segment:
            present = newest
            fresh = self._hub.quality(present) is Quality.GOOD
        else:
            fresh = self._hub.quality(newest) is Quality.GOOD
        return (registers, present) if fresh and self._hub.quality(registers) is Quality.GOOD else None

    def document(self, meter: str, version: str) -> dict[str, int | str] | None:
        """Return the document, keys in the firmware's order.

        Args:
            meter: id of the meter to tell of.
            version: of this program.

        Returns:
            None while there is nothing true to tell: one of the two tables not read yet, not of the same meter, or
            its values stale.
        """
        latest = self._hub.latest.get(meter)
        snapshot = self._snapshot(meter)
        if latest is None or latest.status is None or snapshot is None:
            return None
        values = {source.key: raw for sample in snapshot for source, raw in sample.values.items()}
        return _identity(latest.status.info, version, self._now()) | {
            field: values[key] for field, key in FIELDS.items() if key in values and field not in MQTT_ONLY
        }

    def _now(self) -> datetime:
        """Return the time of day; while nobody knows it, one in 1970 that cannot be mistaken for it, and goes on."""
        clock = self._hub.clock
        return clock.now() if clock.known else datetime.fromtimestamp(max(clock.monotonic(), 0.0), UTC)


def dash_body(document: Mapping[str, int | str]) -> str:
    """Write the document as the firmware did: a line break first, then indented JSON."""
    return "\n" + json.dumps(document, indent=2, ensure_ascii=False)
