"""Registrations, relay modes, firmware images and what is asked of a port: ET89, ET90 and ET97 (MEP guide v1.1 p. 186-196).

ET89 goes on behind its last field here: a bitmap of A bytes, then security events and, from 4.60 on, the state of TLS on each
port. The page defines neither A nor B, which the offsets are made of (p. 189-190), so that stays bytes (``Record.tail``).

This module does not know TLS.
"""

from __future__ import annotations

from osgp.psem import EXTENDED
from osgp.tables.schema.count import count
from osgp.tables.schema.table import Bit, Bits, Field, Group, Table
from osgp.tables.schema.types import LTIME_DATE, UINT8, UINT16, UINT32, octets

__all__ = ["ET89", "ET90", "ET97"]

_PORTS = (1, 2)
_STATES = "0 open, 1 closed, 2 unknown"


def _registration(port: int) -> tuple[Field, ...]:
    return (
        Field(f"mep_{port}_previous_handle", UINT16, page="187"),
        Field(f"mep_{port}_previous_id", octets(30), note="of the device that was deregistered last", page="187"),
        Field(f"mep_{port}_registrations", UINT8, note="tried again; after 255 comes 0", page="187"),
        Field(f"mep_{port}_new_handles", UINT8, note="given for these", page="187"),
    )


def _mode(name: str) -> Bits:
    return Bits(
        UINT32,
        (
            Bit(f"{name}_remaining", 0, 18, note="s"),
            Bit(f"{name}_without_end", 19),
            Bit(f"{name}_state", 20, 21, note=_STATES),
        ),
    )


ET89 = Table(
    EXTENDED + 89,
    "Meter LN Status",
    "186-190",
    (
        *(field for port in _PORTS for field in _registration(port)),
        Field("h1_telegram_at", LTIME_DATE, note="UTC or local is not said", since=(4, 50), page="187"),
        Bits(UINT8, (Bit("h1_device_present", 0), Bit("plc_disabled", 1)), since=(4, 50), page="187-188"),
        Group(
            "relays",
            (
                Bits(UINT8, (Bit("mode", 0, 2, note="0 maintenance, 1 locked, 2 remote, 3 local"),)),
                *map(_mode, ("maintenance", "locked", "remote", "local")),
            ),
            2,
            since=(4, 50),
            page="188-189",
        ),
        Field("image_key_ids", UINT16, count=2, since=(4, 50), page="189"),
        Bits(
            UINT8,
            (Bit("image_key_1_invalidated", 0), Bit("image_key_2_invalidated", 1)),
            since=(4, 50),
            page="189",
        ),
        Field(
            "image_error",
            UINT8,
            note="0 none, 1 not signed, 2 key unknown, 3 key invalidated, 16-18 signature, 32-33 key, 240 unknown",
            since=(4, 50),
            page="189",
        ),
        Field("image_key_id", UINT16, since=(4, 50), page="189"),
        Field("image_length", UINT32, unit="byte", since=(4, 50), page="189"),
        Field("image_signature_length", UINT8, unit="byte", since=(4, 50), page="189"),
        Field("image_signature", octets(8), note="its first bytes", since=(4, 50), page="189"),
    ),
)

_SIZES = (4, 10)
_FREE_TEXTS = ((3, 82),)
"""3.82 has free texts, as all versions from 4.02 on have (p. 192)."""

ET90 = Table(
    EXTENDED + 90,
    "Dimension LN",
    "190-192",
    (
        Field("ip_address_size", UINT16, unit="byte", since=_SIZES, page="191"),
        Field("urgent_alarms_size", UINT8, unit="byte", since=_SIZES, page="191"),
        Field("connection_reasons_size", UINT8, unit="byte", since=_SIZES, page="191"),
        Field("apn_size", UINT8, unit="byte", since=_SIZES, page="191"),
        Field("apn_user_size", UINT8, unit="byte", since=_SIZES, page="191"),
        Field("apn_password_size", UINT8, unit="byte", since=_SIZES, page="191"),
        Field("sim_pin_size", UINT8, unit="byte", since=_SIZES, page="191"),
        Field("modem_manufacturer_size", UINT8, unit="byte", since=_SIZES, page="191"),
        Field("modem_model_size", UINT8, unit="byte", since=_SIZES, page="191"),
        Field("modem_revision_size", UINT8, unit="byte", since=_SIZES, page="191"),
        Field("modem_imei_size", UINT8, unit="byte", since=_SIZES, page="191"),
        Field("phone_number_size", UINT8, unit="byte", since=_SIZES, page="191"),
        Field("operator_name_size", UINT8, unit="byte", since=_SIZES, page="191"),
        Field("modem_connections", UINT8, since=_SIZES, page="192"),
        Field("modem_services", UINT8, since=_SIZES, page="192"),
        Field("free_texts", UINT8, note="messages that ET97 holds", since=(4, 2), also=_FREE_TEXTS, page="192"),
        Field("at_reply_size", UINT16, unit="byte", since=(4, 20), page="192"),
        Field("iccid_size", UINT8, unit="byte", since=(4, 20), page="192"),
    ),
)

_FREE_TEXT_SIZE = 8
_COMPARISON = "0 standard, 1 by mask, 2 always another device, 3 always the same"

ET97 = Table(
    EXTENDED + 97,
    "Meter Configuration LN",
    "192-196",
    (
        Field(
            "free_texts",
            octets(_FREE_TEXT_SIZE),
            count=count("free_texts"),
            since=(4, 2),
            also=_FREE_TEXTS,
            page="193",
        ),
        Field("mep_1_id_comparison", UINT8, note=_COMPARISON, since=(4, 2), also=_FREE_TEXTS, page="193"),
        Field("mep_1_id_mask", octets(30), since=(4, 2), also=_FREE_TEXTS, page="193"),
        Field("mep_2_id_comparison", UINT8, note=_COMPARISON, since=(4, 2), page="193-194"),
        Field("mep_2_id_mask", octets(30), since=(4, 2), page="194"),
        Bits(UINT8, (Bit("power_boost_relay", 0), Bit("mbus_discovery_at_300_baud", 1)), since=(4, 2), page="194"),
        Group(
            "relays",
            (
                Field("group_ids", UINT16, count=5),
                Bits(UINT8, (Bit("mode", 0, 2, note="0 standard, 1 load management"), Bit("explicit_heartbeat", 3))),
                Field("heartbeat", UINT16, unit="min", note="0: none is expected"),
                Bits(
                    UINT8,
                    (
                        Bit("maintenance_entry", 0, 1, note="0 by command, 1 cover removed"),
                        Bit("maintenance_display", 2, 3, note="0 none, 1 state, 2 state and button"),
                        Bit("maintenance_open", 4),
                        Bit("maintenance_exit", 5, 6, note="0 by command, 1 cover replaced, 2 at a time"),
                    ),
                ),
                Field("maintenance_exit_delay", UINT8, unit="s"),
                Field("maintenance_exit_hour", UINT8, note="local time"),
                Field("maintenance_exit_minute", UINT8, note="local time"),
            ),
            2,
            since=(4, 2),
            page="194-195",
        ),
        # Printed UINT16, of which the second byte is the flag printed behind it; the three flags' offsets agree.
        Field("security_log_minutes", UINT8, unit="min", since=(4, 2), page="195"),
        Bits(UINT8, (Bit("tls_required_optical", 0),), since=(4, 2), page="195"),
        Bits(UINT8, (Bit("tls_required_mep_1", 0),), since=(4, 2), page="195"),
        Bits(UINT8, (Bit("tls_required_mep_2", 0),), since=(4, 2), page="195-196"),
    ),
)
