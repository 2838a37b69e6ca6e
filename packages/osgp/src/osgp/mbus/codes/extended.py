"""The further tables: what the byte behind FB and behind FD means, and the one behind FD FD.

The key is the byte without its highest bit.

This module does not know what further bytes make of a code.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from osgp.mbus.codes.code import Code, Kind, durations, powers, single

__all__ = ["BEHIND_FB", "BEHIND_FD", "BEHIND_FD_FD"]

_NEWER = "m-bus-parser; not in libmbus and wmbusmeters, which are older"
_OLDER = "libmbus and wmbusmeters; m-bus-parser, which is newer, no longer has it"
_TWO = "m-bus-parser and wmbusmeters"
_DISPUTED = "libmbus and wmbusmeters; m-bus-parser has radio send periods here, which belong elsewhere"
_LONG = "h d month year"

BEHIND_FB: Mapping[int, Code] = MappingProxyType(
    dict(
        [
            *powers(range(0x02), "energy", "MWh", -1),
            *powers(range(0x02, 0x04), "reactive_energy", "kvarh", 0, source=_NEWER),
            *powers(range(0x04, 0x06), "apparent_energy", "kVAh", 0, source=_NEWER),
            *powers(range(0x08, 0x0A), "energy", "GJ", -1),
            *powers(range(0x0C, 0x10), "energy", "Mcal", -1, source=_NEWER),
            *powers(range(0x10, 0x12), "volume", "m³", 2),
            *powers(range(0x14, 0x18), "reactive_power", "kvar", -3, source=_NEWER),
            *powers(range(0x18, 0x1A), "mass", "t", 2),
            *powers(range(0x1A, 0x1C), "relative_humidity", "%", -1),
            *single(0x20, "volume", "ft³"),
            *powers([0x21], "volume", "ft³", -1),
            # 23 is left out: gallons for libmbus and wmbusmeters, an angle for m-bus-parser.
            *powers([0x22], "volume", "gal", -1, source=_OLDER),
            *powers([0x24], "volume_flow", "gal/min", -3, source=_OLDER),
            *single(0x25, "volume_flow", "gal/min", source=_OLDER),
            *single(0x26, "volume_flow", "gal/h", source=_OLDER),
            *powers(range(0x28, 0x2A), "power", "MW", -1),
            *powers([0x2A], "voltage_phase_angle", "°", -1, source=_NEWER),
            *powers([0x2B], "current_phase_angle", "°", -1, source=_NEWER),
            *powers(range(0x2C, 0x30), "frequency", "Hz", -3, source=_NEWER),
            *powers(range(0x30, 0x32), "power", "GJ/h", -1),
            *powers(range(0x34, 0x38), "apparent_power", "kVA", -3, source=_NEWER),
            *powers(range(0x58, 0x5C), "flow_temperature", "°F", -3),
            *powers(range(0x5C, 0x60), "return_temperature", "°F", -3),
            *powers(range(0x60, 0x64), "temperature_difference", "°F", -3),
            *powers(range(0x64, 0x68), "external_temperature", "°F", -3),
            *(row for code in range(0x68, 0x6F) for row in single(code, "allocator_rating", source=_NEWER)),
            *powers(range(0x70, 0x74), "temperature_limit", "°F", -3),
            *powers(range(0x74, 0x78), "temperature_limit", "°C", -3),
            *powers(range(0x78, 0x80), "cumulated_maximum_power", "W", -3),
        ]
    )
)
"""The byte behind VIF FB -> code."""

BEHIND_FD: Mapping[int, Code] = MappingProxyType(
    dict(
        [
            *powers(range(0x04), "credit", "", -3),
            *powers(range(0x04, 0x08), "debit", "", -3),
            *single(0x08, "access_number"),
            *single(0x09, "medium"),
            *single(0x0A, "manufacturer"),
            *single(0x0B, "parameter_set"),
            *single(0x0C, "model_version"),
            *single(0x0D, "hardware_version"),
            *single(0x0E, "firmware_version"),
            *single(0x0F, "software_version"),
            *single(0x10, "customer_location"),
            *single(0x11, "customer"),
            *single(0x12, "user_access_code", kind=Kind.SECRET),
            *single(0x13, "operator_access_code", kind=Kind.SECRET),
            *single(0x14, "system_operator_access_code", kind=Kind.SECRET),
            *single(0x15, "developer_access_code", kind=Kind.SECRET),
            *single(0x16, "password", kind=Kind.SECRET),
            *single(0x17, "error_flags", kind=Kind.FLAGS),
            *single(0x18, "error_mask", kind=Kind.FLAGS),
            *single(0x1A, "digital_output", kind=Kind.FLAGS),
            *single(0x1B, "digital_input", kind=Kind.FLAGS),
            *single(0x1C, "baud_rate", "Bd"),
            *single(0x1D, "response_delay", "bit times"),
            *single(0x1E, "retries"),
            *single(0x20, "first_storage_number"),
            *single(0x21, "last_storage_number"),
            *single(0x22, "storage_block_size"),
            *durations(0x24, "storage_interval", "s min h d month year"),
            *durations(0x2C, "time_since_readout"),
            *single(0x30, "tariff_start", kind=Kind.TIME_POINT),
            *durations(0x31, "tariff_duration", "min h d", source=_DISPUTED),
            *durations(0x34, "tariff_period", "s min", source=_DISPUTED),
            *durations(0x36, "tariff_period", _LONG),
            *single(0x3A, "number"),
            *powers(range(0x40, 0x50), "voltage", "V", -9),
            *powers(range(0x50, 0x60), "current", "A", -12),
            *single(0x60, "reset_counter"),
            *single(0x61, "cumulation_counter"),
            *single(0x62, "control_signal"),
            *single(0x63, "weekday"),
            *single(0x64, "week_number"),
            *single(0x65, "day_change"),
            *single(0x66, "parameter_state"),
            *single(0x67, "supplier_information"),
            *durations(0x68, "time_since_cumulation", _LONG),
            *durations(0x6C, "battery_operating_time", _LONG),
            *single(0x70, "battery_change", kind=Kind.TIME_POINT),
            *single(0x71, "radio_level", "dBm", source=_TWO),
            *single(0x72, "summer_time_data", kind=Kind.RAW, source=_TWO),
            *single(0x74, "remaining_battery", "d", source="wmbusmeters; m-bus-parser gives no unit"),
            *single(0x75, "times_stopped", source=_TWO),
        ]
    )
)
"""The byte behind VIF FD -> code."""

BEHIND_FD_FD: Mapping[int, Code] = MappingProxyType(
    dict(durations(0x02, "remaining_battery", "month year", source="m-bus-parser"))
)
"""The byte behind FD FD -> code."""
