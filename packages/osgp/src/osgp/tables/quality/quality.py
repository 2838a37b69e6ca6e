"""What the meter counts of the supply's quality, and by which thresholds: ET09 (MEP guide v1.1 p. 67-77).

The outage records stand near the beginning, so everything behind them moves with their number, ET04.53. What the
guide calls a surge is called a swell here, the standards' word for it. Counters are "since statistics were reset", so
they may fall. Each array of three is of phases L1, L2, L3.

This module does not know what the thresholds should be.
"""

from __future__ import annotations

from osgp.psem import EXTENDED
from osgp.tables.schema.count import count
from osgp.tables.schema.table import Bit, Bits, Field, Filler, Group, Table
from osgp.tables.schema.types import INT32, LTIME_DATE_UTC, NI_FMAT, UINT8, UINT16, UINT32

__all__ = ["DISTORTED", "ET09", "PHASES"]

PHASES = ("l1", "l2", "l3")
DISTORTED = ("voltage", "current", "apparent power")
"""Of what the three records of distortion are: the order in which the page names them (p. 74)."""
_CRITICAL_RECORDS = 12

_EVENTS = (
    Field("last_at", LTIME_DATE_UTC, note="UTC"),
    Field("events", UINT16, note="since statistics were reset"),
)

ET09 = Table(
    EXTENDED + 9,
    "Power Quality",
    "67-77",
    (
        Field("long_outage_threshold", UINT16, unit="s", note="shorter outages are only counted", page="68"),
        Field("sag_swell_minutes", UINT8, unit="min", note="longer ones are recorded; 0: all", page="69"),
        Field("sag_threshold", UINT8, unit="%", note="below the rated voltage", page="69"),
        Field("swell_threshold", UINT8, unit="%", note="above the rated voltage", page="69"),
        Field("over_current_threshold", UINT8, unit="%", note="above the reference current", page="69"),
        Group(
            "outages",
            (
                Field("power_on", LTIME_DATE_UTC, note="UTC"),
                Field("cause", UINT8, note="3 power failure, 8 brown-out"),
                Filler(1),
                Field("power_off", LTIME_DATE_UTC, note="UTC"),
                Field("duration", UINT32, unit="s", note="rounded down"),
            ),
            count=count("power_outages_recorded"),
            note="newest first",
            page="69-70",
        ),
        Group("sags", _EVENTS, 3, page="70"),
        Group("swells", _EVENTS, 3, page="70-71"),
        Field("minimum_frequency", INT32, unit="mHz", page="71"),
        Field("minimum_frequency_at", LTIME_DATE_UTC, page="71"),
        Field("maximum_frequency", INT32, unit="mHz", page="71"),
        Field("maximum_frequency_at", LTIME_DATE_UTC, page="71"),
        Field("over_current_events", UINT32, count=3, page="71"),
        Bits(
            UINT8,
            tuple(Bit(f"phase_lost_{phase}", bit) for bit, phase in enumerate(PHASES)),
            page="72",
        ),
        Group("phase_losses", _EVENTS, 3, page="72-73"),
        Field("sag_voltages", NI_FMAT, count=3, unit="mV", note="lowest of the last sag", page="73"),
        Field("swell_voltages", NI_FMAT, count=3, unit="mV", note="highest of the last swell", page="73"),
        Field("short_outages", UINT32, page="73"),
        Field("configuration_id", UINT32, since=(2, 12), page="73"),
        Field("sag_swell_seconds", UINT8, unit="s", note="added to the minutes", since=(2, 12), page="73"),
        Field("power_up_hold", UINT8, unit="s", since=(3, 10), page="74"),
        Field("over_current_seconds", UINT16, unit="s", since=(3, 10), page="74"),
        Group(
            "distortion",
            (
                Field("seconds", UINT16, unit="s", note="longer ones are recorded"),
                Field("threshold", UINT16, unit="0.1 %", note="0: none is recorded"),
                Group(
                    "phases",
                    (
                        Field("events", UINT16),
                        Field("last_at", LTIME_DATE_UTC, note="UTC"),
                        Field("maximum", UINT16, unit="0.1 %", note="of the last event"),
                        Field("maximum_at", LTIME_DATE_UTC, note="UTC"),
                        Field("average", UINT16, unit="0.1 %", note="of the last event"),
                        # The fields that are printed come to 18 bytes; the record's 22, printed too, make A = 357.
                        Filler(4),
                    ),
                    3,
                ),
            ),
            3,
            note="of voltage, current, apparent power; modules record the voltage's only",
            since=(3, 10),
            page="74-75",
        ),
        Group(
            "critical_voltages",
            (
                Field("drp", UINT16, unit="0.1 %"),
                Field("drc", UINT16, unit="0.1 %"),
                Field("at", LTIME_DATE_UTC, note="UTC or local is not said"),
            ),
            _CRITICAL_RECORDS,
            since=(3, 70),
            page="75",
        ),
        # The introduction says that these begin at A + 12 (p. 67); the page's own offsets begin at A + 10 * 12.
        Field("sag2_seconds", UINT16, unit="s", note="0: all sags are recorded", since=(4, 10), page="75"),
        Field("sag2_threshold", UINT8, unit="%", note="below the rated voltage", since=(4, 10), page="76"),
        Group("sags2", _EVENTS, 3, since=(4, 10), page="76"),
        Field("sag2_voltages", NI_FMAT, count=3, unit="mV", note="lowest", since=(4, 10), page="76"),
        Field("average_current_seconds", UINT16, unit="s", since=(4, 10), page="76-77"),
        Bits(
            UINT8,
            (Bit("early_events", 0, note="sags and swells are logged when they begin, too"),),
            since=(4, 21),
            page="77",
        ),
    ),
)
