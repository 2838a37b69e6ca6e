"""What the Dabbler firmware called the meter's values, and the document its web page lived on.

The firmware's MQTT topics (:mod:`nes2mqtt.mqtt.dialects.dabbler`) and ``GET /getDashDataWS`` use the
same field names. Numbers are the meter's own integers: despite the names, currents are mA,
voltages mV, frequency mHz, power factors 1/1000.

Where this gateway differs on purpose: negative numbers stay negative (the firmware printed them as
unsigned), a field the meter does not have is left out (the firmware sent 0), and there is no
document at all before the first verified readings and while they are stale (the firmware
went on with old ones). The Home Assistant integration for this firmware takes an HTTP 200 with JSON
for the truth, so the web server has to answer such a moment with something else. A meter without a
serial number (no ET03) goes by its id in the configuration, because that integration builds
its unique ids on the serial number and must never find it empty.

This module does not know MQTT or HTTP.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from nes2mqtt.hub import Hub
from nes2mqtt.reading import MeterInfo, Quality, TableGroup

__all__ = ["FIELDS", "dash_body", "dash_data"]


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

_MQTT_ONLY = frozenset({"L1_PF_Fac", "L2_PF_Fac", "L3_PF_Fac", "ExportReactive_VAr", "ImportReactive_VAr"})


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


def dash_data(hub: Hub, meter: str, version: str, now: datetime) -> dict[str, int | str] | None:
    """Return the document of ``GET /getDashDataWS``, keys in the firmware's order.

    Args:
        hub: where the latest values are.
        meter: id of the meter to tell of.
        version: of this program.
        now: UTC, aware.

    Returns:
        None while there is nothing true to tell: one of the two tables not read yet, or its values stale.
    """
    latest = hub.latest.get(meter)
    if latest is None or latest.status is None:
        return None
    fresh = {group: sample for group, sample in latest.samples.items() if hub.quality(sample) is Quality.GOOD}
    if not fresh.keys() >= {TableGroup.REGISTERS, TableGroup.PRESENT}:
        return None
    values = {source.key: raw for sample in fresh.values() for source, raw in sample.values.items()}
    return _identity(latest.status.info, version, now) | {
        field: values[key] for field, key in FIELDS.items() if key in values and field not in _MQTT_ONLY
    }


def dash_body(document: Mapping[str, int | str]) -> str:
    """Write the document as the firmware did: a line break first, then indented JSON."""
    return "\n" + json.dumps(document, indent=2, ensure_ascii=False)
