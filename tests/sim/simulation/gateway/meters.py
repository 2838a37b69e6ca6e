"""The meters: the product's simulated meter, with tables that are formulas of true time.

What a meter showed at any moment can therefore be worked out again: every value that the gateway gives out
is compared with what the meter showed within the last half minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from osgp.image import MeterImage
from osgp.optical.events import EndReason
from osgp.psem import table_id
from osgp.simulator import SimulatedMeter
from osgp.sources import Source
from osgp.tables import present, registers
from osgp.tables.survey import survey

__all__ = ["Meter"]

WATTS = 2160
"""What the house draws for its energy: 0.6 Wh a second, whole Wh each 5/3 s."""

_PLAIN = {
    "BT20": bytes((0x3F, 0x0E, 253, 15, 8, 16, 1, 4, 8, 26)),
    "BT21": bytes((3, 12, 0, 11, 0, 0, 0, 4, 0, 22)),
    "BT22": bytes((*range(8), 26, 27, 28)),
    "BT27": bytes((*range(8, 26), *range(81, 85))),
}
"""Eleven summations, four tiers, no demands, 22 present values: a meter of the third generation in Denmark."""

_DEMAND = {
    "BT20": _PLAIN["BT20"],
    "BT21": bytes((0x37, 0x0E, 0, 15, 1, 2, 1, 4, 1, 26)),
    "BT22": bytes((*range(8), 26, 27, 28, 108, 109, 110, 111, 8, 1, 12, 15, 0, 0)),
    "BT27": bytes((8, *range(8, 26), *range(81, 85), *range(104, 108))),
}
"""The same after the grid company configured demand and pulse inputs: all tables are longer, and begin with something else."""


class Meter:
    """One meter at one port.

    Args:
        name: as configured.
        optical: at the optical port, else at the MEP port.
        clock: true time, UTC seconds.
        start: the true time when the world begins.
        wh: what its import register shows then.
    """

    def __init__(self, name: str, *, optical: bool, clock: Callable[[], float], start: float, wh: int) -> None:
        self.name, self.optical = name, optical
        self._clock, self._start, self._base = clock, start, wh
        self.demand = False
        """Its tables are those of a meter with demand configured."""
        self.absent = False
        """All present values are the number that means "none" (0x80000000)."""
        self.changed = -1e9
        """True time of the last change of layout or of the meter itself."""
        self.serial = "0012345678" if optical else "0012345679"
        self._swaps: list[tuple[float, int, str]] = [(float("-inf"), wh, self.serial)]
        """True time from which on, what was added to the formula, who."""
        tables = {
            "BT01": b"NES 83332-3I" + bytes(2) + bytes((0x33, 0x64)),
            **_PLAIN,
            "BT23": b"",
            "BT28": b"",
            "ET03": self._identity(),
            "ET04": bytes(116) + b"\x07" + bytes(6),
        }
        image = MeterImage({table_id(table): bytearray(data) for table, data in tables.items()})
        self.simulated = SimulatedMeter(image, clock=clock, seed=7, shared_uart=False)
        self.simulated.put_in("BT23", self._bt23)
        self.simulated.put_in("BT28", self._bt28)

    def _identity(self) -> bytes:
        return b"LGZ" + self.serial.encode().ljust(27, b"\0") + bytes(113)

    # Truth.

    def energy(self, at: float) -> int:
        """Return Wh imported by the meter that was there at a true time."""
        base = next(base for since, base, _ in reversed(self._swaps) if at >= since)
        return base + int(max(0.0, at - self._start) * WATTS / 3600)

    @staticmethod
    def power(at: float) -> int:
        """Return W at a true time: another one each second."""
        return 1500 + int(at) % 500

    @property
    def swaps(self) -> Iterable[float]:
        """Yield the true times at which another meter came."""
        return (since for since, _, _ in self._swaps[1:])

    @cached_property
    def _quiet(self) -> Mapping[Source, int]:
        """What does not change with time, of both layouts."""
        found: dict[Source, int] = {}
        for layout in (_DEMAND, _PLAIN):
            dims, big = survey(layout), layout is _DEMAND
            found |= registers.decode(self._registers(self._start, demand=big), dims)
            found |= present.decode(self._present(self._start, demand=big), dims)
        return found

    def wrong(self, values: Mapping[Source, int], at: float, patience: float) -> str:
        """Return what in a reply was never shown within the last ``patience`` seconds; empty when all was."""
        quiet, base = self._quiet, self.energy(self._start)
        for source, value in values.items():
            usual = quiet.get(source)
            if usual is None:
                return f"{source.key} {value}, which this meter does not have"
            if source.key == "active_power_import":
                if value not in {self.power(at - s) for s in range(int(patience) + 1)}:
                    return f"{source.key} {value} W; the meter shows {self.power(at)}"
            elif abs(usual) > 10_000_000 or abs(usual - base) <= 1000:
                low, high = (usual - base + self.energy(moment) for moment in (at - patience, at))
                if not min(low, high) <= value <= max(low, high) or (low > high and value not in (low, high)):
                    return f"{source.key} {value}; the meter shows {high}"
            elif value != usual:
                return f"{source.key} {value}; the meter shows {usual} always"
        return ""

    # What it shows.

    def _bt23(self, at: float) -> bytes:
        return self._registers(at, demand=self.demand)

    def _bt28(self, at: float) -> bytes:
        if self.absent:
            return b"\x00\x00\x00\x80" * (27 if self.demand else 22)
        return self._present(at, demand=self.demand)

    def _registers(self, at: float, *, demand: bool) -> bytes:
        energy = self.energy(at)
        block = _numbers((energy, 179, 4056, 2049, 23, 10, energy + 179, energy - 179, 0, 0, 0))
        if not demand:
            return block * 5
        more = _numbers((1, 2, 3, 4)) + bytes((26, 1, 1, 0, 0)) + _numbers((7, 8, 9, 1, 2))
        return b"\x01" + (block + more) * 5

    def _present(self, at: float, *, demand: bool) -> bytes:
        volts, amperes = (230_000, 231_000, 232_000), (2100, 2200, 2300)
        values = (self.power(at), 0, 10, 0, *amperes, *volts, 990, 50_000, 600, 991, 992, 1, 2, 3, 500, 0, 10, 0)
        return _numbers((4242, *values, 1, 2, 3, 4) if demand else values)

    # What happens to it.

    def reconfigure(self) -> None:
        """Let the grid company configure demand, or take it away again: all tables change at once (MEP guide v1.1 p. 54-55)."""
        self.demand = not self.demand
        self.changed = self._clock()
        layout = _DEMAND if self.demand else _PLAIN
        self.simulated.reconfigure({name: layout[name] for name in ("BT21", "BT22", "BT27")})

    def swap(self, serial: str, wh: int) -> None:
        """Put another meter in whose register shows ``wh`` now."""
        now = self._clock()
        self.serial = serial
        self.changed = now
        self.demand = False
        self._swaps.append((now, wh - int(max(0.0, now - self._start) * WATTS / 3600), serial))
        for name, data in _PLAIN.items():
            self.simulated.put_in(name, data)
        self.simulated.replace_identity("LGZ" + serial)

    def resynchronise(self) -> None:
        """Let its sequence number move by itself, as after an error of its own."""
        self.simulated._server.advance(25)

    def restart(self) -> None:
        """Take its power away and give it back: sessions are gone, registers stay."""
        self.simulated._server.advance(1)
        self.simulated._optical._end(EndReason.GUARD)


def _numbers(values: Iterable[int]) -> bytes:
    return b"".join(value.to_bytes(4, "little", signed=True) for value in values)
