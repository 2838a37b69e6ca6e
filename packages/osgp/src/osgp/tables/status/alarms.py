"""The meter's alarms: BT03.

The MEP guide does not print this table; the "Optical Port Programmer's Guide" (v1.1, June 2021) does, p. 45-47. Pages
here are those of that guide.

This module does not know what to do about an alarm.
"""

from __future__ import annotations

from osgp.tables.schema.count import Count, count
from osgp.tables.schema.table import Bit, Bits, Table
from osgp.tables.schema.types import UINT8, UINT16

__all__ = ["BT03", "alarm_words"]

_OPTICAL = "Optical guide v1.1 p. "


_OLD_LINE = ((2, 12), (2, 13))
"""What was "added in firmware versions 2.12 and 3.01" (p. 47) is not in 3.00."""


def _status(place: int) -> Count:
    """Return whether the manufacturer's status has this byte: a meter with less would fill up with zeros, "no alarm"."""
    return count("status_size").above(place)


BT03 = Table(
    3,
    "End Device Mode Status",
    _OPTICAL + "45-47",
    (
        Bits(UINT8, (Bit("metering", 0), Bit("test_mode", 1), Bit("meter_shop_mode", 2)), page=_OPTICAL + "45"),
        Bits(
            UINT16,
            (
                Bit("unprogrammed", 0),
                Bit("configuration_error", 1),
                Bit("system_reset", 2),
                Bit("ram_failure", 3),
                Bit("rom_failure", 4),
                Bit("nvm_failure", 5),
                Bit("clock_error", 6),
                Bit("measurement_error", 7),
                Bit("low_battery", 8),
                Bit("low_loss_potential", 9),
                Bit("demand_overload", 10),
                Bit("power_failure", 11),
                Bit("cover_removed", 12),
                Bit("reverse_energy", 13),
                Bit("data_backup_incomplete", 14),
                Bit("disconnect_switch_error", 15),
            ),
            page=_OPTICAL + "45-46",
        ),
        Bits(
            UINT8,
            (
                Bit("load_profile_2_unread", 0, since=(3, 50)),
                Bit("load_profile_3_unread", 1, since=(3, 50)),
                Bit("load_profile_4_unread", 2, since=(3, 50)),
                Bit(
                    "neutral_current_deviation",
                    3,
                    since=(3, 60),
                    note="from 4.0 on earth fault, where ET29.33.7 is set",
                ),
            ),
            page=_OPTICAL + "46",
        ),
        Bits(
            UINT8,
            (
                Bit("load_profile_overflow", 0, note="from 3.50 on of the primary profile only"),
                Bit("self_read_occurred", 1),
                Bit("load_disconnect_changed", 2),
                Bit("relay_1_open", 3),
                Bit("phase_loss", 4),
                Bit("phase_inversion", 5),
                Bit("plc_configuration_failure", 6),
                Bit("general_error", 7),
            ),
            when=_status(0),
            page=_OPTICAL + "46",
        ),
        Bits(
            UINT8,
            (
                Bit("invalid_password", 0),
                Bit("remote_communications_inactive", 1),
                Bit("current_on_missing_phase", 2),
                Bit("pulse_input_1_tamper", 3),
                Bit("pulse_input_2_tamper", 4),
                Bit("software_crc_error", 5),
                Bit("code_bank_changed", 6),
                Bit("load_profile_backfill_failed", 7),
            ),
            when=_status(1),
            page=_OPTICAL + "46",
        ),
        Bits(
            UINT8,
            (
                Bit("mep_installed_or_removed", 0, since=(2, 10)),
                Bit("mbus_alarm", 1, since=(2, 10)),
                Bit("mbus_discovery_complete", 2, since=(2, 10)),
                Bit("phase_rotation_changed", 3, since=(2, 10)),
                Bit("prepay_credit_exhausted", 4, since=(2, 10)),
                Bit("prepay_warning_acknowledged", 5, since=(2, 10)),
                Bit("event_log_overflow_pending", 6, since=(3, 1), also=((2, 0), *_OLD_LINE)),
                Bit("log_entry_available", 7, since=(3, 1), also=_OLD_LINE),
            ),
            when=_status(2),
            page=_OPTICAL + "46-47",
        ),
        Bits(
            UINT8,
            (
                Bit("dimension_change", 0, since=(3, 1), also=_OLD_LINE),
                Bit("magnetic_tamper", 1, since=(3, 1), also=_OLD_LINE),
                Bit("access_lockout_override", 2, since=(3, 1), also=_OLD_LINE),
                Bit("power_quality_event", 3, since=(3, 1), also=_OLD_LINE),
                Bit("event_log_unread", 4, since=(3, 1), also=_OLD_LINE),
                Bit("thd_state_changed", 5, since=(3, 1), also=_OLD_LINE),
                Bit("load_profile_1_unread", 6, since=(3, 10)),
                Bit("load_side_voltage", 7, since=(3, 30)),
            ),
            when=_status(3),
            page=_OPTICAL + "47",
        ),
        Bits(
            UINT8,
            (
                Bit("unbalanced_voltage", 0, since=(3, 60)),
                Bit("password_table_written", 1, since=(3, 70)),
                Bit("key_expiration_pending", 2, since=(3, 80), also=((2, 4), (2, 13), (3, 13))),
                Bit("p2p_security", 3, since=(4, 10)),
                Bit("firmware_separation_violation", 4, since=(4, 10)),
                Bit("modem_error", 5, since=(4, 10)),
                Bit("g3_alarm", 6, since=(4, 20)),
                Bit("g3_event", 7, since=(4, 20)),
            ),
            since=(3, 60),
            also=((2, 4), (2, 13), (3, 13)),
            when=_status(4),
            page=_OPTICAL + "47",
        ),
        Bits(UINT8, (Bit("relay_2_open", 0, since=(4, 30)),), since=(4, 30), when=_status(5), page=_OPTICAL + "47"),
    ),
)

_STATES = frozenset({"metering", "test_mode", "meter_shop_mode"})
"""What the meter is doing, as opposed to what it complains about."""
_SPELLED = {"ram": "RAM", "rom": "ROM", "nvm": "memory", "plc": "PLC", "mep": "MEP", "mbus": "M-Bus", "crc": "CRC"} | {
    "p2p": "P2P",
    "g3": "G3",
    "thd": "distortion",
}


def alarm_words(name: str) -> str | None:
    """Return a field of BT03 in words, None for those that are no alarm."""
    if name in _STATES:
        return None
    words = " ".join(_SPELLED.get(word, word) for word in name.split("_"))
    return words[:1].upper() + words[1:]
