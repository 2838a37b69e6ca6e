"""What may happen to a simulated meter, by name, as a person writes it: ``power-cut=90s``, ``clock-set=+120s,at=-2d``.

A text is a name, perhaps ``=`` and a value, and settings after commas. ``at=`` says when: after the start (``+30s``), before it
(``-2d``), or at a time of day in UTC (``2026-11-03T12:00``). A firmware without ``at`` is the one that the meter always had. :data:`SCENARIOS`
is the list.

This module has no clock: when the simulated meter starts is told to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from osgp.errors import MisuseError
from osgp.simulator.history.configuration import FIRMWARE, FIRMWARES
from osgp.simulator.history.happenings import (
    AlarmsCleared,
    BrokenConductor,
    ClockSet,
    CoverOpened,
    DemandReset,
    FirmwareChanged,
    Happening,
    History,
    NeutralLost,
    PhaseLost,
    PowerCut,
    Reconfigured,
    VoltageChange,
)

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
class Scenario:
    """How one happening is written and what it does.

    Args:
        form: of the value; empty if it takes none.
        does: in words.
        make: makes it of its moment, the value and the phase; a firmware's value is a hundred times its number.
        usual: the value where none is written; empty: there must be one.
        phased: it takes ``phase=``.
    """

    form: str
    does: str
    make: Callable[[int, int, int], Happening]
    usual: str = ""
    phased: bool = False

    @property
    def usage(self) -> str:
        """Return how the scenario is written, after its name."""
        value = f"={self.form}" if self.form else ""
        value = f"[{value}]" if self.usual else value
        return f"{value}{'[,phase=N]' if self.phased else ''}[,at=WHEN]"


SCENARIOS: Mapping[str, Scenario] = {
    "power-cut": Scenario("TIME", "takes the power away for so long", lambda at, value, _: PowerCut(at, value)),
    "clock-set": Scenario(
        "[+|-]TIME",
        "sets the meter's clock forward, or back",
        lambda at, value, _: ClockSet(at, value),
    ),
    "phase-lost": Scenario(
        "TIME", "takes the voltage of one phase away for so long", PhaseLost, usual="10m", phased=True
    ),
    "neutral-lost": Scenario(
        "TIME",
        "loses the neutral for so long, so that one phase has too much voltage and two have too little",
        NeutralLost,
        usual="2m",
        phased=True,
    ),
    "broken-conductor": Scenario(
        "TIME",
        "breaks a conductor of the medium voltage for so long, so that two phases have half of the third",
        BrokenConductor,
        usual="20m",
        phased=True,
    ),
    "sag": Scenario(
        "TIME",
        "lets the voltage of one phase sink to 80 % for so long",
        lambda at, value, phase: VoltageChange(at, value, phase, 80),
        usual="2m",
        phased=True,
    ),
    "swell": Scenario(
        "TIME",
        "lets the voltage of one phase rise to 115 % for so long",
        lambda at, value, phase: VoltageChange(at, value, phase, 115),
        usual="2m",
        phased=True,
    ),
    "cover-opened": Scenario("", "opens the meter's cover", lambda at, _value, _phase: CoverOpened(at)),
    "reconfigured": Scenario(
        "", "gives the meter other load profiles, which are empty", lambda at, _value, _phase: Reconfigured(at)
    ),
    "firmware": Scenario(
        "VERSION",
        f"gives the meter this firmware ({', '.join(f'{major}.{minor:02}' for major, minor in FIRMWARES)}), with the tables it has",
        lambda at, value, _phase: FirmwareChanged(at, (*divmod(value, 100), _BUILD)),
    ),
    "demand-reset": Scenario("", "resets the meter's demands", lambda at, _value, _phase: DemandReset(at)),
    "alarms-cleared": Scenario("", "clears the meter's alarms", lambda at, _value, _phase: AlarmsCleared(at)),
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
    firmware, happenings = FIRMWARE, []
    for text in texts:
        one, dated = _read(text, int(start))
        if isinstance(one, FirmwareChanged) and not dated:
            firmware = one.firmware
        else:
            happenings.append(one)
    return History(happenings, firmware=firmware)


def _read(text: str, start: int) -> tuple[Happening, bool]:
    """Return what happens, and whether the text says when."""
    head, *settings = (part.strip() for part in text.split(","))
    name, equals, value = (part.strip() for part in head.partition("="))
    scenario = SCENARIOS.get(name)
    if scenario is None:
        raise MisuseError(f"there is no scenario '{name}'; choose from {', '.join(SCENARIOS)}")
    told = {"at": _LATER, "phase": "1"}
    allowed = ("at", "phase") if scenario.phased else ("at",)
    for setting in settings:
        key, _, given = (part.strip() for part in setting.partition("="))
        if key not in allowed:
            raise MisuseError(f"scenario {name}: there is no setting '{key}'; write {name}{scenario.usage}")
        told[key] = given
    if told["phase"] not in _PHASES:
        raise MisuseError(f"scenario {name}: phase '{told['phase']}' is not 1, 2 or 3")
    at = _moment(name, told["at"], start)
    if bool(equals) and not scenario.form:
        raise MisuseError(f"scenario {name} takes no value; write {name}{scenario.usage}")
    amount = 0
    if scenario.form == "VERSION":
        amount = _version(value)
    elif scenario.form:
        read = _seconds(value or scenario.usual)
        signed = scenario.form.startswith("[")
        if not read or (read < 0 and not signed):
            raise MisuseError(
                f"scenario {name}: '{value}' is no time such as {'+90s or -2m' if signed else '90s, 15m or 2h'}; "
                f"{name}={scenario.form} {scenario.does}"
            )
        amount = read
    return scenario.make(at, amount, int(told["phase"])), any(setting.startswith("at") for setting in settings)


def _version(text: str) -> int:
    """Return a firmware times a hundred: 4.3 and 4.30 are the same, as on a meter's display."""
    matched = _VERSION.fullmatch(text)
    version = (int(matched[1]), int(matched[2].ljust(2, "0"))) if matched else None
    if version not in FIRMWARES:
        raise MisuseError(
            f"scenario firmware: there is no '{text}' to simulate; choose from "
            f"{', '.join(f'{major}.{minor:02}' for major, minor in FIRMWARES)}"
        )
    return version[0] * 100 + version[1]


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
