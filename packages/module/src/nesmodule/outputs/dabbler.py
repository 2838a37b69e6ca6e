"""The document that the Dabbler firmware served at ``/getDashDataWS``, for the Home Assistant integration that reads it.

Its fields are those of :mod:`nes2mqtt.outputs.dabbler`, which says what differs on purpose; the build writes them into a file. There is no
document while something in it would not be true: that integration takes whatever is JSON for the truth.

This module does not know HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from nesmodule.board.files import opened
from nesmodule.board.health import FIRMWARE
from nesmodule.meter.poller import PRESENT_EVERY, REGISTERS_EVERY, Poller
from osgp.sources import SOURCES

__all__ = ["dash"]

_FIELDS = "dabbler.txt"
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def dash(poller: Poller, meter: str, now: int, time_of_day: int = 0) -> Callable[[], Iterator[bytes]] | None:
    """Return the document in pieces; None while there is nothing true to tell.

    Args:
        poller: has the values.
        meter: id of the meter, for one that has no serial number.
        now: milliseconds, as the poller counts.
        time_of_day: milliseconds since 1970; 0 while nobody knows it: then it is told as one in 1970 that goes on.
    """
    registers, present = poller.registers, poller.present
    fresh = now - present.at <= 3 * PRESENT_EVERY and now - registers.at <= 3 * REGISTERS_EVERY
    identity = poller.tables.identity
    if poller.state != "online" or identity is None or not (registers.values and present.values and fresh):
        return None
    day, clock, weekday = _date((time_of_day or now) // 1000)
    told = (
        ("ESP_SW", "nesmodule"),
        ("ESP_SW_By", "nes2mqtt"),
        ("ESP_SW_Version", FIRMWARE),
        ("Meter_Manufacturer", identity.manufacturer and "%-4s" % identity.manufacturer),
        ("Meter_Model", identity.model),
        ("Meter_SW_Version", _software(identity.firmware)),
        ("Utility_SN", identity.serial or meter),
        ("CurrentDateTimeString", "%s (%s) @ %s" % (day, weekday, clock)),
        ("CurrentDateTime", "%sT%s.000Z" % (day, clock)),
    )
    # What is sent must not change while it is counted and sent.
    values = (registers.values, present.values)

    def pieces() -> Iterator[bytes]:
        mark = "\n{\n  "
        for name, text in told:
            yield ('%s"%s": %s' % (mark, name, json.dumps(text))).encode()
            mark = ",\n  "
        with opened(_FIELDS) as file:
            for line in file:
                name, key = line.decode().split()
                source = SOURCES[key]
                for group in values:
                    if source in group:
                        yield ('%s"%s": %d' % (mark, name, group[source])).encode()
        yield b"\n}"

    return pieces


def _software(firmware: str) -> str:
    """Return a version as the firmware showed it: the two bytes of BT01 as decimals."""
    parts = firmware.split(".")
    if len(parts) != 3:
        return ""
    word = int(parts[0]) << 12 | int(parts[1]) << 5 | int(parts[2])
    return "%d.%d" % (word >> 8, word & 255)


def _date(seconds: int) -> tuple[str, str, str]:
    """Return day, time and weekday of seconds since 1970; MicroPython's own epoch differs from chip to chip."""
    days, rest = divmod(seconds, 86400)
    # Years that begin in March: the day that may be there or not is their last.
    count = days + 719468
    era, of_era = divmod(count, 146097)
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    year = year + 400 * era + (month <= 2)
    clock = "%02d:%02d:%02d" % (rest // 3600, rest // 60 % 60, rest % 60)
    return "%d-%02d-%02d" % (year, month, day), clock, _DAYS[(days + 4) % 7]
