"""What may happen to a simulated meter, by name, as a person writes it: ``power-cut=90s``, ``clock-set=+120s,at=-2d``.

A text is a name, perhaps ``=`` and a value, and settings after commas. ``at=`` says when: after the start (``+30s``), before it
(``-2d``), or at a time of day in UTC (``2026-11-03T12:00``). A firmware without ``at`` is the one that the meter always had. :data:`SCENARIOS`
is the list.

This module has no clock: when the simulated meter starts is told to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from osgp.errors import MisuseError
from osgp.simulator.history.configuration import FIRMWARE, FIRMWARES, Version
from osgp.simulator.history.happenings import (
    AlarmsCleared,
    BrokenConductor,
    ClockSet,
    CoverOpened,
    DemandReset,
    FirmwareChanged,
    Happening,
    History,
    MbusBatteryLow,
    MbusExchanged,
    MbusSilent,
    NeutralLost,
    PhaseLost,
    PowerCut,
    Reconfigured,
    VoltageChange,
)
from osgp.simulator.history.mbus_devices import KINDS

__all__ = ["SCENARIOS", "Scenario", "history_of"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d{1,9})([smhd]?)", re.ASCII)
_LONGEST = 3660 * 86400
"""Ten years in seconds."""
_LATER = "+10s"
"""When something happens that is told without ``at``."""
_PHASES = ("1", "2", "3")
_BUILD = 5
_VERSION = re.compile(r"(\d)\.(\d\d?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Told:
    """What a text says: when, and by what its value and settings stand for."""

    at: int
    seconds: int = 0
    phase: int = 1
    version: Version = FIRMWARE
    device: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """How one happening is written and what it does.

    Args:
        form: of the value; empty if it takes none.
        does: in words.
        make: makes it of what a text says; None: it is how the meter always was.
        usual: the value where none is written; empty: there must be one.
        phased: it takes ``phase=``.
    """

    form: str
    does: str
    make: Callable[[_Told], Happening] | None
    usual: str = ""
    phased: bool = False

    @property
    def settings(self) -> tuple[str, ...]:
        """Return the settings that it takes."""
        return (*("phase",) * self.phased, *("at",) * (self.make is not None))

    @property
    def usage(self) -> str:
        """Return how the scenario is written, after its name."""
        value = f"={self.form}" if self.form else ""
        value = f"[{value}]" if self.usual else value
        return value + "".join({"phase": "[,phase=N]", "at": "[,at=WHEN]"}[name] for name in self.settings)


SCENARIOS: Mapping[str, Scenario] = {
    "power-cut": Scenario("TIME", "takes the power away for so long", lambda told: PowerCut(told.at, told.seconds)),
    "clock-set": Scenario(
        "[+|-]TIME", "sets the meter's clock forward, or back", lambda told: ClockSet(told.at, told.seconds)
    ),
    "phase-lost": Scenario(
        "TIME",
        "takes the voltage of one phase away for so long",
        lambda told: PhaseLost(told.at, told.seconds, told.phase),
        usual="10m",
        phased=True,
    ),
    "neutral-lost": Scenario(
        "TIME",
        "loses the neutral for so long, so that one phase has too much voltage and two have too little",
        lambda told: NeutralLost(told.at, told.seconds, told.phase),
        usual="2m",
        phased=True,
    ),
    "broken-conductor": Scenario(
        "TIME",
        "breaks a conductor of the medium voltage for so long, so that two phases have half of the third",
        lambda told: BrokenConductor(told.at, told.seconds, told.phase),
        usual="20m",
        phased=True,
    ),
    "sag": Scenario(
        "TIME",
        "lets the voltage of one phase sink to 80 % for so long",
        lambda told: VoltageChange(told.at, told.seconds, told.phase, 80),
        usual="2m",
        phased=True,
    ),
    "swell": Scenario(
        "TIME",
        "lets the voltage of one phase rise to 115 % for so long",
        lambda told: VoltageChange(told.at, told.seconds, told.phase, 115),
        usual="2m",
        phased=True,
    ),
    "cover-opened": Scenario("", "opens the meter's cover", lambda told: CoverOpened(told.at)),
    "reconfigured": Scenario(
        "", "gives the meter other load profiles, which are empty", lambda told: Reconfigured(told.at)
    ),
    "firmware": Scenario(
        "VERSION",
        f"gives the meter this firmware ({', '.join(f'{major}.{minor:02}' for major, minor in FIRMWARES)}), with the tables it has",
        lambda told: FirmwareChanged(told.at, told.version),
    ),
    "mbus": Scenario(
        "DEVICES",
        f"puts M-Bus devices behind the meter, of {', '.join(KINDS)}; several are joined by a +",
        None,
        usual="+".join(KINDS),
    ),
    "mbus-silent": Scenario(
        "DEVICE", "lets an M-Bus device answer no more", lambda told: MbusSilent(told.at, told.device)
    ),
    "mbus-battery-low": Scenario(
        "DEVICE",
        "lets an M-Bus device say that its battery is nearly empty",
        lambda told: MbusBatteryLow(told.at, told.device),
    ),
    "mbus-exchanged": Scenario(
        "DEVICE", "replaces an M-Bus device by another one", lambda told: MbusExchanged(told.at, told.device)
    ),
    "demand-reset": Scenario("", "resets the meter's demands", lambda told: DemandReset(told.at)),
    "alarms-cleared": Scenario("", "clears the meter's alarms", lambda told: AlarmsCleared(told.at)),
}
"""Every scenario by the name a person types."""


def history_of(texts: Iterable[str], start: float) -> History:
    """Return what is written in texts.

    Args:
        texts: as the module's head says.
        start: when the simulated meter starts, UTC seconds.

    Raises:
        MisuseError: says which text is wrong, and what may be written instead.
    """
    firmware, devices, happenings = FIRMWARE, "", []
    for text in texts:
        head, *settings = (part.strip() for part in text.split(","))
        name, equals, value = (part.strip() for part in head.partition("="))
        scenario = SCENARIOS.get(name)
        if scenario is None:
            raise MisuseError(f"there is no scenario '{name}'; choose from {', '.join(SCENARIOS)}")
        if equals and not scenario.form:
            raise MisuseError(f"scenario {name} takes no value; write {name}{scenario.usage}")
        if scenario.make is None:
            _settings(name, scenario, settings)
            devices = value or scenario.usual
            continue
        told = _read(name, scenario, value, _settings(name, scenario, settings), int(start))
        if name == "firmware" and not settings:
            firmware = told.version
        else:
            happenings.append(scenario.make(told))
    return History(happenings, firmware=firmware, devices=[one for one in devices.split("+") if one])


def _settings(name: str, scenario: Scenario, texts: Iterable[str]) -> dict[str, str]:
    told = {"at": _LATER, "phase": "1"}
    for text in texts:
        key, _, given = (part.strip() for part in text.partition("="))
        if key not in scenario.settings:
            raise MisuseError(f"scenario {name}: there is no setting '{key}'; write {name}{scenario.usage}")
        told[key] = given
    if told["phase"] not in _PHASES:
        raise MisuseError(f"scenario {name}: phase '{told['phase']}' is not 1, 2 or 3")
    return told


def _read(name: str, scenario: Scenario, value: str, settings: Mapping[str, str], start: int) -> _Told:
    told = _Told(_moment(name, settings["at"], start), phase=int(settings["phase"]))
    match scenario.form:
        case "":
            return told
        case "VERSION":
            return replace(told, version=_version(value))
        case "DEVICE":
            return replace(told, device=value)
    seconds = _seconds(value or scenario.usual)
    signed = scenario.form.startswith("[")
    if not seconds or (seconds < 0 and not signed):
        raise MisuseError(
            f"scenario {name}: '{value}' is no time such as {'+90s or -2m' if signed else '90s, 15m or 2h'}; "
            f"{name}={scenario.form} {scenario.does}"
        )
    return replace(told, seconds=seconds)


def _version(text: str) -> Version:
    """Return a firmware: 4.3 and 4.30 are the same, as on a meter's display."""
    matched = _VERSION.fullmatch(text)
    version = (int(matched[1]), int(matched[2].ljust(2, "0"))) if matched else None
    if version not in FIRMWARES:
        raise MisuseError(
            f"scenario firmware: there is no '{text}' to simulate; choose from "
            f"{', '.join(f'{major}.{minor:02}' for major, minor in FIRMWARES)}"
        )
    return (*version, _BUILD)


def _moment(name: str, text: str, start: int) -> int:
    if text[:1] in {"+", "-"}:
        seconds = _seconds(text)
        if seconds is not None:
            return start + seconds
    else:
        try:
            moment = datetime.fromisoformat(text)
            return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
        except (ValueError, OverflowError):
            pass
    raise MisuseError(
        f"scenario {name}: at={text} is no moment; write at=+30s for after the start, at=-2d for before it, or a time of day "
        "in UTC such as at=2026-11-03T12:00"
    )


def _seconds(text: str) -> int | None:
    """Return a duration with or without a sign in seconds; None if the text is none."""
    matched = _DURATION.fullmatch(text.lstrip("+-") if text[:2] not in {"++", "+-", "-+", "--"} else "")
    if matched is None:
        return None
    seconds = int(matched[1]) * _UNITS[matched[2] or "s"]
    if seconds > _LONGEST:
        return None
    return -seconds if text.startswith("-") else seconds
