"""M-Bus devices behind a simulated meter: what each has counted by a moment, and the telegram it answers with.

Readings are functions of time, as the house's are, and never fall. Records follow EN 13757-3: a header (DIF, VIF), then the value,
mostly binary coded decimals. The maker's letters are OSG, which no maker has.

This module does not know what the meter keeps of a telegram.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from osgp.errors import MisuseError
from osgp.simulator.localtime import STANDARD_OFFSET
from osgp.simulator.noise import mix

__all__ = ["KINDS", "MbusMeter"]

_DAY = 86400
_SWING = 0.8
"""How much faster than usual, or slower, a device counts in the course of a day."""
_MAKER = "OSG"
_BATTERY_LOW = 0x04
"""Bit of a device's status (MEP guide v1.1 p. 94)."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of device.

    Args:
        device_type: as in a telegram.
        per_day: what it counts in a day, in its own unit: litres, or Wh.
        records: makes its records.
    """

    device_type: int
    per_day: int
    records: Callable[[MbusMeter, float], bytes]


@dataclass(frozen=True, slots=True)
class MbusMeter:
    """One device.

    Args:
        kind: a key of :data:`KINDS`.
        seed: decides its serial number and reading.
        begin: when it was put in, UTC seconds.
    """

    kind: str
    seed: int
    begin: int

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise MisuseError(f"there is no M-Bus device '{self.kind}'; choose from {', '.join(KINDS)}")

    @property
    def serial(self) -> str:
        """Return its serial number, eight digits."""
        return f"{mix(self.seed) % 10**8:08}"

    def counted(self, moment: float) -> int:
        """Return its counter, in litres or Wh."""
        rate = KINDS[self.kind].per_day / _DAY
        elapsed, turn = moment - self.begin, 2 * math.pi / _DAY
        swing = _SWING / turn * (math.sin(moment * turn) - math.sin(self.begin * turn))
        return mix(self.seed + 1) % 1_000_000 + int(rate * (elapsed + swing))

    def billed(self, moment: float) -> tuple[int, datetime]:
        """Return its counter at the begin of the year, and that day; of the year it was put in, the day of that."""
        year = datetime.fromtimestamp(moment, UTC).year
        day = max(int(datetime(year, 1, 1, tzinfo=UTC).timestamp()), self.begin)
        return self.counted(day), datetime.fromtimestamp(day, UTC)

    def power(self, moment: float) -> int:
        """Return how fast it counts, in watts or litres an hour."""
        return round(KINDS[self.kind].per_day / 24 * (1 + _SWING * math.cos(moment * 2 * math.pi / _DAY)))

    def telegram(self, moment: float, access: int, *, battery_low: bool = False) -> bytes:
        """Return what it answers, from the serial number on, without checksum."""
        one, two, three = (ord(letter) - 64 for letter in _MAKER)
        maker = (one << 10 | two << 5 | three).to_bytes(2, "little")
        status = _BATTERY_LOW if battery_low else 0
        head = _bcd(int(self.serial), 4) + maker + bytes((1, KINDS[self.kind].device_type, access & 0xFF, status, 0, 0))
        return head + KINDS[self.kind].records(self, moment)


def _gas(meter: MbusMeter, moment: float) -> bytes:
    """Volume, not converted to standard temperature, and the hour it is of."""
    return b"\x0c\x93\x3a" + _bcd(meter.counted(moment), 4) + b"\x06\x6d" + _time(moment)


def _water(meter: MbusMeter, moment: float) -> bytes:
    """Volume, and error flags, of which there are none."""
    return b"\x0c\x13" + _bcd(meter.counted(moment), 4) + b"\x02\xfd\x17\0\0"


def _heat(meter: MbusMeter, moment: float) -> bytes:
    """Energy, volume, power, flow and return temperature; energy at the billing date, and that date."""
    energy, power = meter.counted(moment), meter.power(moment)
    billed, day = meter.billed(moment)
    return b"".join(
        (
            b"\x0c\x06" + _bcd(energy // 1000, 4),
            b"\x0c\x14" + _bcd(energy // 450, 4),  # 45 kWh for each m3, in hundredths of it
            b"\x0b\x2d" + _bcd(power // 100, 3),
            b"\x0a\x5a" + _bcd(680 + power // 100, 2),
            b"\x0a\x5e" + _bcd(340, 2),
            b"\x4c\x06" + _bcd(billed // 1000, 4),
            b"\x42\x6c" + _date(day),
        )
    )


KINDS: Mapping[str, _Kind] = {
    "gas": _Kind(3, 4_100, _gas),
    "water": _Kind(7, 310, _water),
    "heat": _Kind(4, 31_000, _heat),
}
"""Device types are those of the MEP guide v1.1 p. 94."""


def _bcd(number: int, size: int) -> bytes:
    """Return decimals, two in each byte, the last ones first."""
    return bytes.fromhex(f"{number % 100**size:0{2 * size}}")[::-1]


def _date(day: datetime) -> bytes:
    """Return a date of type G."""
    year = day.year % 100
    return bytes((day.day | (year & 7) << 5, day.month | year >> 3 << 4))


def _time(moment: float) -> bytes:
    """Return date and time of type I, in standard time, at the full hour."""
    local = datetime.fromtimestamp(moment - moment % 3600 + STANDARD_OFFSET, UTC)
    _, week, weekday = local.isocalendar()
    return bytes((0, 0, local.hour | weekday << 5)) + _date(local) + bytes((week,))
