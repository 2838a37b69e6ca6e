"""Who the meter is: BT00, BT01, ET03 and ET04 (MEP guide v1.1 p. 55-67, 196-199).

This module does not know how to ask a meter for them.
"""

from __future__ import annotations

from osgp.errors import MisuseError
from osgp.psem import EXTENDED, table_name
from osgp.tables.schema.count import Count, own_count
from osgp.tables.schema.table import Bit, Bits, Field, Filler, Record, Table
from osgp.tables.schema.types import INT16, LTIME_DATE_UTC, UINT8, UINT16, UINT32, Type, char, octets, set_of

__all__ = ["BT00", "BT01", "ET03", "ET04", "firmware_text", "tables_used"]

_OWN_COUNTS = ("basic_tables_size", "extended_tables_size", "basic_procedures_size", "extended_procedures_size")


def _bitmap(place: int) -> Count:
    return own_count(place, f"BT00.{13 + place}")


BT00 = Table(
    0,
    "General Configuration",
    "196-198",
    (
        Bits(UINT8, (Bit("big_endian", 0), Bit("char_format", 1, 3, note="1 ASCII"))),
        Bits(
            UINT8,
            (
                Bit("time_format", 0, 2, note="2: one UINT8 for each of year to second"),
                Bit("data_access_method", 3, 4, note="1: partial reads by offset and count"),
                Bit("identification_is_bcd", 5),
                Bit("integer_format", 6, 7, note="0: two's complement"),
            ),
        ),
        Bits(UINT8, (Bit("non_integer_format_1", 0, 3, note="8: INT32"), Bit("non_integer_format_2", 4, 7))),
        Field("manufacturer", char(4)),
        Field("nameplate_type", UINT8, note="2 electric"),
        Field("default_set_used", UINT8),
        Field("procedure_parameter_length", UINT8, unit="byte"),
        Field("response_data_length", UINT8, unit="byte"),
        Field("standard_version", UINT8),
        Field("standard_revision", UINT8),
        Field("basic_tables_size", UINT8, unit="byte"),
        Field("extended_tables_size", UINT8, unit="byte"),
        Field("basic_procedures_size", UINT8, unit="byte"),
        Field("extended_procedures_size", UINT8, unit="byte"),
        Field("manufacturer_status_length", UINT8, unit="byte"),
        Field("pending_tables", UINT8),
        # "Reserved for internal use" (p. 198), yet the page defines symbols for their offsets. A real meter's BT00
        # shows the order of C12.19-1997: used tables and procedures, then tables that can be written.
        Field("basic_tables_used", set_of, count=_bitmap(0), note="n: BTn exists"),
        Field("extended_tables_used", set_of, count=_bitmap(1), note="n: ETn exists"),
        Field("basic_procedures_used", set_of, count=_bitmap(2)),
        Field("extended_procedures_used", set_of, count=_bitmap(3)),
        Field("basic_tables_written", set_of, count=_bitmap(0), note="n: BTn can be written"),
        Field("extended_tables_written", set_of, count=_bitmap(1), note="n: ETn can be written"),
    ),
    own_counts=_OWN_COUNTS,
)


def tables_used(record: Record) -> frozenset[str]:
    """Return the names of the tables a meter has, from its BT00.

    Raises:
        FieldAbsent: BT00 was not read as far as its bitmaps.
    """
    return frozenset(
        table_name(first + number)
        for first, name in ((0, "basic_tables_used"), (EXTENDED, "extended_tables_used"))
        for number in record[name]
    )


def _version(raw: bytes) -> tuple[int, int, int]:
    word = int.from_bytes(raw, "big")
    return word >> 12, word >> 5 & 0x7F, word & 0x1F


def _version_bytes(version: tuple[int, int, int]) -> bytes:
    major, minor, build = version
    if not (0 <= major < 1 << 4 and 0 <= minor < 1 << 7 and 0 <= build < 1 << 5):
        raise MisuseError(f"version {version} does not fit 4, 7 and 5 bits")
    return (major << 12 | minor << 5 | build).to_bytes(2, "big")


_VERSION = Type("UINT8, UINT8", "2s", 2, _version, _version_bytes)
"""Major (4 bits), minor (7), build (5), most significant byte first (p. 199)."""


def firmware_text(version: tuple[int, int, int]) -> str:
    """Return a firmware version as the meter's display shows it: ``3.10.21``."""
    major, minor, build = version
    return f"{major}.{minor:02d}.{build:02d}"


_OPTICAL = "Optical guide v1.1 p. "

BT01 = Table(
    1,
    "General Manufacturer Information",
    "198-199",
    (
        Field("manufacturer", char(4)),
        Field("model", char(8)),
        # The MEP guide reserves 12 and 13, and all behind the firmware; the Optical guide names them.
        Field("application_firmware", _VERSION, note="major, minor, build", page=_OPTICAL + "19"),
        Field("firmware", _VERSION, note="of what is legally relevant: major, minor, build"),
        # Printed ARRAY[16], "8 bytes in length"; `since` because a meter may end before, as the MEP guide has it.
        Field("manufacturer_serial", octets(8), since=(2, 0), page=_OPTICAL + "19"),
    ),
)

ET03 = Table(
    EXTENDED + 3,
    "Utility Information",
    "55-56",
    (
        Field("utility_serial_number", char(30)),
        Filler(107),
        Field("image_crc", UINT16),
        # Printed "Reserved 138..142", though the CRC at 137 has two bytes.
        Filler(4),
    ),
)

_GEN4 = (4, 0)
_KEY_USAGE = (3, 80)
_OLDER_KEY_USAGE = ((3, 13),)
"""An older line that counts how often keys were used, too; there only partial reads reach the fields (p. 66)."""

ET04 = Table(
    EXTENDED + 4,
    "System Information",
    "56-67",
    (
        Field("plc_sequence_number", UINT32, page="56"),
        Field("transceiver_id", octets(6), page="57"),
        Field("subnet_id", UINT8, note="not 0: commissioned", page="57"),
        Field("node_id", UINT8, page="57"),
        Bits(
            UINT8,
            (
                Bit("explicit_message_received", 0),
                Bit("force_neuron_configuration", 1),
                Bit("request_neuron_state", 2),
                Bit("plc_encryption_disabled", 3),
                Bit("neuron_eeprom_lock_disabled", 4),
                Bit("neuron_phase", 5, 7),
            ),
            page="57",
        ),
        Field("rated_frequency", UINT8, unit="Hz", page="58"),
        Field("program_id", octets(8), page="58"),
        Field("self_identification", octets(30), page="58"),
        Field("pk_access_disabled", UINT8, page="58"),
        Field("power_outages_recorded", UINT8, note="entries of ET09", page="58"),
        Filler(1, page="58"),
        Field("total_energy_registers", UINT8, note="registers in ET12", page="58"),
        Field("registration_current", UINT16, unit="mA", page="58"),
        Field("maximum_current", UINT16, unit="A", page="58"),
        Field("rated_voltage", UINT16, unit="V", page="58"),
        Bits(
            UINT8,
            (
                Bit("voltage_absent_l1", 0),
                Bit("voltage_absent_l2", 1),
                Bit("voltage_absent_l3", 2),
                Bit("separate_inactive_phases", 3),
                Bit("current_absent_l1", 4),
                Bit("current_absent_l2", 5),
                Bit("current_absent_l3", 6),
            ),
            page="58-60",
        ),
        Field("daylight_saving_off_delta", INT16, unit="min", page="60"),
        Field("self_read_hour", UINT8, page="60"),
        Field("self_read_minute", UINT8, page="60"),
        Field("stop_mode_days", UINT8, unit="d", page="60"),
        Filler(3, page="60"),
        Bits(
            UINT8,
            (
                Bit("clock_access_disabled", 0),
                Bit("test_point", 1),
                Bit("test_point_confirmed", 2),
                Bit("load_profile_uses_skipped", 3),
            ),
            page="60-61",
        ),
        Field("neuron_state", UINT8, page="61"),
        Field("phase_rotation", UINT8, note="0 L1L2L3, 1 L3L2L1, 2 unknown", page="61"),
        Field("plc_inactive_threshold", UINT16, unit="min", page="61"),
        Field("broadcast_receipt", LTIME_DATE_UTC, page="61"),
        Field("broadcast_base", UINT32, page="61"),
        Field("broadcast_delta", UINT16, page="62"),
        Field("reverse_energy_current", UINT16, unit="mA", page="62"),
        Field("plc_signal_quality", UINT8, page="62"),
        Field("auto_discovery_ta", UINT16, unit="bit times", page="63"),
        Field("auto_discovery_to", UINT16, unit="ms", page="63"),
        Field("auto_discovery_disabled", UINT8, page="63"),
        Field("amplifier_gain_sensitivity", INT16, page="63"),
        Field("event_outage_threshold", UINT16, unit="s", page="63"),
        Field("nvm_size", UINT16, unit="KiB", page="63"),
        Field("safe_image_locked", UINT8, page="63"),
        Field("mep_sequence_number", UINT32, before=(4, 0), page="63"),
        Filler(2, page="63"),
        Field("premise_generation", UINT8, page="63"),
        Field("outage_detection_threshold", UINT8, unit="%", page="63"),
        Field("phase_loss_threshold", UINT8, unit="%", page="64"),
        Field("meter_form", UINT8, note="0 IEC, else the letter S or A", page="64-65"),
        Field("clock_error_tier", UINT8, page="65"),
        Field("c1219_compliance", UINT16, page="65"),
        Field("idt_version", UINT8, note="changes with any dimension", page="65"),
        Field("tilt_timer", UINT8, unit="s", page="65"),
        Field("minimum_registration_current", UINT16, unit="mA", page="65"),
        Field("registration_current_fraction", UINT8, unit="0.1 mA", page="65"),
        Bits(UINT8, (Bit("constant_phase_loss_alarm", 0, since=(3, 60)),), page="65"),
        Field("power_up_wait", UINT8, unit="s", page="65-66"),
        Field("maximum_key_usage", UINT32, since=_KEY_USAGE, also=_OLDER_KEY_USAGE, page="66"),
        Field(
            "security_mode", UINT8, note="0 RC4, 2 OSGP-AES-128-PSK", since=_KEY_USAGE, also=_OLDER_KEY_USAGE, page="66"
        ),
        Field("fcm_message_count", UINT8, since=_KEY_USAGE, also=_OLDER_KEY_USAGE, page="67"),
        Field("mep_sequence_numbers", UINT32, count=2, note="one per port", since=_GEN4, page="67"),
        Field("reverse_energy_delay_ms", UINT8, unit="ms", since=_GEN4, page="67"),
        Field("reverse_energy_delay", UINT16, unit="s", since=_GEN4, page="67"),
    ),
)
