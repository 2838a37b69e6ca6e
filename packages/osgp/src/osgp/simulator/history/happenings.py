"""What happens to a simulated meter: power cuts, a clock that is set, lost phases, and more, in the order of time.

A :class:`History` is data: the same happenings give the same meter, at whatever moment it is asked. Times are true time, UTC
seconds. The meter's own clock may differ from it since a :class:`ClockSet`: :meth:`History.shown` says what it shows.

This module does not know what a meter records of a happening, nor how much the house draws.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, TypeVar

from osgp.errors import MisuseError
from osgp.simulator.history.configuration import FIRMWARE, FIRMWARES, OTHER_DATA_SETS, DataSet, Version
from osgp.simulator.history.mbus_devices import KINDS

__all__ = [
    "AlarmsCleared",
    "BrokenConductor",
    "ClockSet",
    "CoverOpened",
    "DemandReset",
    "FirmwareChanged",
    "Happening",
    "History",
    "Lasting",
    "MbusBatteryLow",
    "MbusExchanged",
    "MbusSilent",
    "NeutralLost",
    "PhaseLost",
    "PowerCut",
    "Reconfigured",
    "Run",
    "VoltageChange",
]

_PHASES = (1, 2, 3)
_ALL = frozenset(_PHASES)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happens at one moment.

    Args:
        at: true time, UTC seconds.
    """

    at: int

    @property
    def over(self) -> int:
        """Return the first second at which it is over."""
        return self.at


@dataclass(frozen=True, slots=True)
class Lasting(Happening):
    """Something that lasts.

    Args:
        seconds: how long; at least one.
    """

    seconds: int

    def __post_init__(self) -> None:
        if self.seconds < 1:
            raise MisuseError(f"something that lasts takes at least one second, not {self.seconds}")

    @property
    def over(self) -> int:
        """Return the first second at which it is over."""
        return self.at + self.seconds

    def covers(self, moment: float) -> bool:
        """Tell whether it lasts at this moment."""
        return self.at <= moment < self.over


@dataclass(frozen=True, slots=True)
class PowerCut(Lasting):
    """All phases are without voltage: the meter does not answer and counts nothing. Its clock goes on."""


@dataclass(frozen=True, slots=True)
class _OfPhase(Lasting):
    phase: int = 1

    def __post_init__(self) -> None:
        Lasting.__post_init__(self)
        if self.phase not in _PHASES:
            raise MisuseError(f"a meter has phases 1, 2 and 3; there is no {self.phase}")


@dataclass(frozen=True, slots=True)
class PhaseLost(_OfPhase):
    """One phase is without voltage, so that the meter counts nothing on it (MEP guide v1.1 p. 64)."""

    ALARM_AFTER: ClassVar[int] = 60
    """Seconds: "Phase Loss Threshold Seconds" of ET55 (p. 72)."""


@dataclass(frozen=True, slots=True)
class VoltageChange(_OfPhase):
    """One phase has another voltage than usual.

    Args:
        percent: of the usual voltage.
    """

    percent: int = 80

    def levels(self) -> tuple[int, int, int]:
        """Return the percentage of each phase."""
        one, two, three = (self.percent if phase == self.phase else 100 for phase in _PHASES)
        return one, two, three


@dataclass(frozen=True, slots=True)
class NeutralLost(_OfPhase):
    """The neutral is lost: one phase has 115 % or more, the others 60 to 85 %, the "zero fault" (MEP guide v1.1 p. 35-36)."""

    ALARM_AFTER: ClassVar[int] = 10
    """Seconds (p. 36)."""

    def levels(self) -> tuple[int, int, int]:
        """Return the percentage of each phase."""
        one, two, three = (122 if phase == self.phase else 74 for phase in _PHASES)
        return one, two, three


@dataclass(frozen=True, slots=True)
class BrokenConductor(_OfPhase):
    """A conductor of the medium voltage is broken: two phases have half of the third (MEP guide v1.1 p. 35)."""

    ALARM_AFTER: ClassVar[int] = 600
    """Seconds (p. 35)."""

    def levels(self) -> tuple[int, int, int]:
        """Return the percentage of each phase."""
        one, two, three = (100 if phase == self.phase else 50 for phase in _PHASES)
        return one, two, three


@dataclass(frozen=True, slots=True)
class CoverOpened(Happening):
    """Somebody opens the meter's cover."""


@dataclass(frozen=True, slots=True)
class ClockSet(Happening):
    """The utility sets the meter's clock.

    Args:
        seconds: forward, or back if negative.
    """

    seconds: int

    def __post_init__(self) -> None:
        if not self.seconds:
            raise MisuseError("a clock that is set by 0 seconds is not set")


@dataclass(frozen=True, slots=True)
class Reconfigured(Happening):
    """The utility configures other load profiles: the old ones are gone.

    Args:
        data_sets: the new ones, as many as the old ones.
    """

    data_sets: tuple[DataSet, ...] = OTHER_DATA_SETS


@dataclass(frozen=True, slots=True)
class FirmwareChanged(Happening):
    """The meter gets another firmware.

    Args:
        firmware: of the same generation as before: a meter of the third cannot become one of the fourth.
    """

    firmware: Version

    def __post_init__(self) -> None:
        if self.firmware[:2] not in FIRMWARES:
            raise MisuseError(f"firmware {self.firmware[0]}.{self.firmware[1]:02} cannot be simulated")


@dataclass(frozen=True, slots=True)
class DemandReset(Happening):
    """The utility resets demands."""


@dataclass(frozen=True, slots=True)
class AlarmsCleared(Happening):
    """The utility's head end clears all alarms."""


@dataclass(frozen=True, slots=True)
class _OfDevice(Happening):
    device: str = ""


@dataclass(frozen=True, slots=True)
class MbusSilent(_OfDevice):
    """An M-Bus device does not answer any more."""


@dataclass(frozen=True, slots=True)
class MbusBatteryLow(_OfDevice):
    """An M-Bus device says from now on that its battery is nearly empty."""


@dataclass(frozen=True, slots=True)
class MbusExchanged(_OfDevice):
    """An M-Bus device is replaced by another one of its kind."""


_K = TypeVar("_K", bound=Happening)


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of time in which the meter had power and its clock was not set: from ``begin`` up to ``end``, true time."""

    begin: int
    end: int
    ahead: int
    """Seconds by which the meter's clock was ahead of true time."""

    @property
    def first_shown(self) -> int:
        """Return what the meter's clock showed at the begin, UTC seconds."""
        return self.begin + self.ahead

    @property
    def last_shown(self) -> int:
        """Return what it showed at the end."""
        return self.end + self.ahead


class History:
    """What happens to one meter, or to all meters of a street.

    Args:
        happenings: in any order.
        firmware: that the meter had when it was installed.
        devices: the M-Bus devices behind it, by their places: "gas", "water", "heat".

    Raises:
        MisuseError: a meter gets the firmware of another generation, or something happens to a device that is not there.
    """

    def __init__(
        self, happenings: Iterable[Happening] = (), *, firmware: Version = FIRMWARE, devices: Sequence[str] = ()
    ) -> None:
        if unknown := [kind for kind in devices if kind not in KINDS]:
            raise MisuseError(f"there is no M-Bus device '{unknown[0]}'; choose from {', '.join(KINDS)}")
        self.devices = tuple(devices)
        self._all: list[Happening] = []
        self._installed_firmware = firmware
        self._supply: list[tuple[int, int, frozenset[int]]] | None = None
        for one in sorted(happenings, key=_when):
            self.add(one)

    def __bool__(self) -> bool:
        return bool(self._all or self.devices)

    def __iter__(self) -> Iterator[Happening]:
        return iter(tuple(self._all))

    def add(self, happening: Happening) -> None:
        """Let something happen. What lies in the past changes what the meter has shown since.

        Raises:
            MisuseError: a meter gets the firmware of another generation, or something happens to a device that is not there.
        """
        if isinstance(happening, _OfDevice) and happening.device not in self.devices:
            raise MisuseError(
                f"no M-Bus device '{happening.device}' is behind this meter, so nothing can happen to it; put one there "
                "(scenario mbus)"
            )
        if isinstance(happening, FirmwareChanged) and happening.firmware[0] != self._installed_firmware[0]:
            raise MisuseError(
                f"a meter with firmware {self._installed_firmware[0]}.x cannot get {happening.firmware[0]}.x; its hardware is "
                "another"
            )
        insort(self._all, happening, key=_when)
        self._supply = None

    def until(self, moment: float, kind: type[_K]) -> list[_K]:
        """Return what of a kind has begun by then, the oldest first."""
        return [one for one in self._all if isinstance(one, kind) and one.at <= moment]

    def firmware(self, moment: float) -> Version:
        """Return the meter's firmware."""
        changes = self.until(moment, FirmwareChanged)
        return changes[-1].firmware if changes else self._installed_firmware

    # -- power ----------------------------------------------------------------------------------

    def powered(self, moment: float) -> bool:
        """Tell whether the meter has power."""
        return self.dead_phases(moment) != _ALL

    def dead_phases(self, moment: float) -> frozenset[int]:
        """Return the phases without voltage, numbered from 1."""
        for begin, end, dead in self.supply():
            if begin <= moment < end:
                return dead
        return frozenset()

    def supply(self) -> list[tuple[int, int, frozenset[int]]]:
        """Return begin, end and dead phases of each stretch of time in which there are any; none overlaps another."""
        if self._supply is None:
            lacks = [one for one in self._all if isinstance(one, PowerCut | PhaseLost)]
            edges = sorted({moment for one in lacks for moment in (one.at, one.over)})
            self._supply = [
                (begin, end, frozenset[int]().union(*(_dead(one) for one in lacks if one.covers(begin))))
                for begin, end in pairwise(edges)
                if any(one.covers(begin) for one in lacks)
            ]
        return self._supply

    def cuts(self, moment: float) -> list[tuple[int, int]]:
        """Return begin and end of each time without power that is over by then. What follows at once is one."""
        found: list[tuple[int, int]] = []
        for begin, end, dead in self.supply():
            if dead != _ALL:
                continue
            if found and found[-1][1] == begin:
                found[-1] = (found[-1][0], end)
            else:
                found.append((begin, end))
        return [(begin, end) for begin, end in found if end <= moment]

    def levels(self, moment: float) -> tuple[int, int, int]:
        """Return the voltage of each phase in percent of what is usual."""
        one = two = three = 100
        for change in self._all:
            if isinstance(change, VoltageChange | NeutralLost | BrokenConductor) and change.covers(moment):
                one, two, three = change.levels()
        dead = self.dead_phases(moment)
        return 0 if 1 in dead else one, 0 if 2 in dead else two, 0 if 3 in dead else three  # noqa: PLR2004 - phases

    # -- the meter's clock ------------------------------------------------------------------------

    def ahead(self, moment: float) -> int:
        """Return the seconds by which the meter's clock is ahead of true time."""
        return sum(one.seconds for one in self.until(moment, ClockSet))

    def shown(self, moment: float) -> float:
        """Return what the meter's clock shows, UTC seconds."""
        return moment + self.ahead(moment)

    def runs(self, begin: int, end: int) -> list[Run]:
        """Return the stretches with power and a clock that runs evenly, from ``begin`` to ``end``."""
        sets = [one.at for one in self._all if isinstance(one, ClockSet)]
        power = [moment for first, last, dead in self.supply() if dead == _ALL for moment in (first, last)]
        inner = sorted({moment for moment in (*sets, *power) if begin < moment < end})
        return [
            Run(first, last, self.ahead(first))
            for first, last in pairwise((begin, *inner, end))
            if first < last and self.powered(first)
        ]


def _when(one: Happening) -> int:
    return one.at


def _dead(one: PowerCut | PhaseLost) -> frozenset[int]:
    return _ALL if isinstance(one, PowerCut) else frozenset((one.phase,))
