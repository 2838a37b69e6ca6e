"""How the meter treats the clients of its MEP ports: ET51, ET70 and ET71 (MEP guide v1.1 p. 127-130, 173-175).

This module does not know how a client talks to the meter.
"""

from __future__ import annotations

from osgp.psem import EXTENDED
from osgp.tables.schema.count import count
from osgp.tables.schema.table import Bit, Bits, Field, Filler, Group, Table
from osgp.tables.schema.types import NI_FMAT, UINT8, UINT16

__all__ = ["ET51", "ET70", "ET71"]

_OPTICAL = "Optical guide v1.1 p. "

ET51 = Table(
    EXTENDED + 51,
    "MEP Device Configuration",
    "127-130",
    (
        Group(
            "clients",
            (
                Bits(
                    UINT8,
                    (
                        # With both ports in use (ET54.0.8) ET55 has the timers of the optical port instead.
                        Bit("optical_timers", 0),
                        Bit("monitor_health", 1),
                        Bit("reset_when_down", 2, since=(3, 40)),
                        Bit("reset_now", 3, since=(3, 60)),
                        Bit("disabled", 7),
                    ),
                    page=f"128; {_OPTICAL}14-15",
                ),
                Field("health_timeout", UINT16, unit="s", page="129"),
                Field("on_demand_timeout", UINT8, unit="s", page="129"),
                Field("optical_session_timeout", UINT16, unit="s", page="129"),
                Field("optical_session_hold_off", UINT16, unit="s", page="129"),
                Field("reset_duration", UINT8, unit="s", since=(3, 40), page="129"),
                Bits(UINT8, (Bit("home_network_deactivated", 0),), since=(3, 70), page="130"),
            ),
            count=count("mep_clients"),
        ),
    ),
)

ET70 = Table(
    EXTENDED + 70,
    "RAM Only Status",
    "173-174",
    (
        Filler(142),
        Field("channel", UINT8, note="the MEP port on which this is read: 1 or 2", since=(4, 0)),
        Filler(13, since=(4, 0)),
    ),
)

ET71 = Table(
    EXTENDED + 71,
    "Delta Data Alerts",
    "174-175",
    (
        Group(
            "sources",
            (
                Field("source", UINT16, note="extended id; 255: not in use"),
                Field("delta", UINT16, note="0: no alert"),
                Field("comparison", NI_FMAT),
                Field("sample", NI_FMAT, note="about once a second"),
                # The text speaks of an "alert state" bit, which the list of bits does not have (p. 175).
                Bits(UINT8, (Bit("invalid", 0, note="no such source"),)),
            ),
            count=count("delta_alert_sources"),
            since=(3, 40),
        ),
    ),
    note="Lost with the power.",
)
