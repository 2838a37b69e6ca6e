"""Which time zone this computer is in: asked of everything that may say so, also in a container.

=======================================  ======================================================================
what is found                            what is done
=======================================  ======================================================================
``TZ`` holds a name or the path of a     that zone
zone file
``/etc/localtime`` leads to a zone file  its name, if it is about the rules the file holds: a file bind-mounted
                                         over it lands in the zone file that it leads to
``/etc/localtime`` is a plain file       ``/etc/timezone`` if it has the same rules, else any zone that has
``/etc/localtime`` is missing            ``/etc/timezone``
=======================================  ======================================================================

Rules are compared, not bytes: two releases of the zone data write the same rules differently.

This module does not know what the zone is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from nes2mqtt import __built__

__all__ = ["in_container", "system_zone"]

_CONTAINER_MARKS = (".dockerenv", "run/.containerenv")
_SAMPLES = 60
_BETWEEN = timedelta(days=13)


def system_zone(environment: Mapping[str, str], root: Path = Path("/")) -> ZoneInfo | None:
    """Return the time zone; None when nothing says it.

    Args:
        environment: of this process.
        root: where the file system begins.
    """
    names = available_timezones()
    named = _name_in(environment.get("TZ", "").lstrip(":"))
    if named in names:
        return ZoneInfo(named)
    localtime = root / "etc/localtime"
    written = _written(root / "etc/timezone")
    try:
        content = localtime.read_bytes()
        rules = _rules(ZoneInfo.from_file(BytesIO(content)))
    except (OSError, ValueError):
        return ZoneInfo(written) if written in names else None
    target = _name_in(str(localtime.resolve()))
    for name in (target, written):
        if name in names and _rules(_pristine(name)) == rules:
            return ZoneInfo(name)
    same = [name for name in names if "/" in name and _rules(_pristine(name)) == rules]
    folder = root / "usr/share/zoneinfo"
    return ZoneInfo(min(same, key=lambda name: (not _is(folder / name, content), _rank(name)))) if same else None


def in_container(root: Path = Path("/")) -> bool:
    """Tell whether this is a container, whose time zone is often not its owner's."""
    return any((root / mark).exists() for mark in _CONTAINER_MARKS)


def _name_in(path: str) -> str:
    """Return the name of a zone from its file's path, or the name itself."""
    name = path.rpartition("/zoneinfo/")[2]
    first, _, rest = name.partition("/")
    return rest if first in {"posix", "right"} else name


def _written(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="ignore")[:100].strip()
    except OSError:
        return ""


def _pristine(name: str) -> ZoneInfo:
    """Return a zone as the package tzdata has it: on the disk another file may lie over it."""
    from importlib.resources import files  # noqa: PLC0415 - only where the zone has to be guessed

    try:
        with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    except (OSError, ModuleNotFoundError):
        return ZoneInfo(name)


def _rules(zone: ZoneInfo) -> tuple[timedelta | None, ...]:
    """Return the offsets from UTC over two years from the time this program was made."""
    begin = datetime.fromisoformat(__built__).replace(tzinfo=UTC)
    return tuple((begin + n * _BETWEEN).astimezone(zone).utcoffset() for n in range(_SAMPLES))


def _is(file: Path, content: bytes) -> bool:
    try:
        return file.read_bytes() == content
    except OSError:
        return False


_CONTINENTS = ("Europe", "America", "Asia")
"""Where these meters stand; of zones with the same rules one there is the likeliest."""


def _rank(name: str) -> tuple[bool, int, str]:
    continent = name.partition("/")[0]
    return (
        name != "Etc/UTC",
        _CONTINENTS.index(continent) if continent in _CONTINENTS else len(_CONTINENTS),
        name,
    )
