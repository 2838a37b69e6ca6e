"""What the meter is built of: ET29 (MEP guide v1.1 p. 99-104).

This module does not know what follows from it.
"""

from __future__ import annotations

from osgp.psem import EXTENDED
from osgp.tables.schema.table import Bit, Bits, Field, Filler, Group, Table
from osgp.tables.schema.types import UINT8, UINT32

__all__ = ["ET29"]

_PORT = (Field("board", UINT8), Field("port", UINT8), Field("number", UINT8))

ET29 = Table(
    EXTENDED + 29,
    "Hardware Configuration",
    "99-104",
    (
        Bits(
            UINT8,
            (
                Bit("pulse_output", 0, note="S0"),
                Bit("pulse_input_1", 1, before=(4, 0)),
                Bit("pulse_input_2", 2, before=(4, 0)),
                Bit("disconnect", 5, note="and buzzer"),
                Bit("relay_1", 6),
                Bit("relay_2", 7, since=(4, 30)),
            ),
            page="100",
        ),
        Bits(
            UINT8,
            (
                Bit("mbus", 0),
                Bit("cover_tamper", 1),
                Bit("mep_1", 2),
                Bit("disconnect_sensor", 3),
                Bit("magnetic_tamper", 4),
                Bit("hf_noise_detection_disabled", 5),
                Bit("two_line_disconnect", 6),
                Bit("no_metering", 7),
            ),
            page="100-101",
        ),
        Bits(
            UINT8,
            (
                Bit("no_display", 0),
                Bit("external_ct", 1),
                Bit("backup_power", 2),
                Bit("external_disconnect_feedback", 3),
                Bit("external_voltage", 4),
                Bit("voltage_adc_inverted", 5),
                Bit("non_latching_relay", 6, note="modules only"),
                Bit("mep_2", 7, since=(4, 0)),
            ),
            page="101",
        ),
        # Printed "reserved 2..4", but the options before have three bytes.
        Filler(2, page="101"),
        Bits(
            UINT8,
            (
                Bit("single_phase", 0),
                Bit("polyphase", 1),
                Bit("relay_for_power_limit", 6, note="CT meters", since=(3, 70)),
                Bit("power_boost_relay", 7, since=(4, 0)),
            ),
            page="101-102",
        ),
        Filler(14, page="102"),
        Filler(4, since=(4, 0), page="102"),
        Group(
            "ports",
            _PORT,
            3,
            note="board 1 wireless, 2 wired, 3 PLC; port 1 MEP, 2 M-Bus, 3 PLC",
            since=(4, 0),
            page="102-104",
        ),
        Bits(
            UINT32,
            (
                Bit("two_disconnect_sensors_refresh", 0),
                Bit("disconnect_toggle_button", 1),
                Bit("backlight", 3),
                Bit("buzzer", 4),
                Bit("battery", 5, 6, note="0 none, 1 standard, 3 supercap"),
                Bit("earth_fault_protection", 7),
                Bit("tamper_input_1", 8),
                Bit("tamper_input_2", 9),
                Bit("pulse_output_2", 10),
                Bit("security_chip", 11),
                Bit("last_gasp", 12),
                Bit("relay_1_latching", 13, since=(4, 30)),
                Bit("relay_2_latching", 14, since=(4, 30)),
            ),
            since=(4, 0),
            page="102-103",
        ),
        Filler(10, since=(4, 0), page="103"),
        Bits(
            UINT8,
            (
                Bit("line_sensor", 0, 4, note="0 shunt, 1 PCB coil"),
                Bit("neutral_sensor", 5, 7, note="0 shunt, 1 PCB coil, 2 earth fault transformer"),
            ),
            since=(4, 0),
            page="103",
        ),
        Group(
            "gateway_ports",
            _PORT,
            2,
            note="P2P meters only; board 0 none, 4 modem, 5 PLC, 6 G3; port 3 PLC, 4 modem, 5 optical",
            since=(4, 0),
            page="103-104",
        ),
    ),
)
