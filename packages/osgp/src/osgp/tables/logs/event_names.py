"""Names for the numbers of events: what the owner of a meter found out about it.

No guide lists the events of a meter: "consult the documentation for your meter" (MEP guide v1.1 p. 243). They differ from model
to model, so a file of the owner names them, in TOML:

    [events]
    69 = "cover opened"
    0x801 = "software error"

Two numbers have a name without such a file. The log is "a history log, as defined by ANSI C12.19" (Optical guide v1.1 p. 49),
with that standard's events (p. 51), of which 1 is the loss of power and 2 its return. No meter was seen to say so. A name of the
owner goes before.

This module does not know any log, nor where the file is.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from osgp.errors import MisuseError

__all__ = ["STANDARD_NAMES", "name_of", "parse_names"]

STANDARD_NAMES: Mapping[int, str] = {1: "power down", 2: "power up"}
"""C12.19, standard events."""

_MOST_NUMBER = 0x0FFF
"""An event has 12 bits (MEP guide v1.1 p. 243)."""
_LONGEST = 100
_EXAMPLE = 'write lines such as 69 = "cover opened" under a line [events]'


def parse_names(text: str, origin: str = "the file of event names") -> dict[int, str]:
    """Return the names that a TOML text gives under ``[events]``, by number, decimal or 0x hexadecimal.

    Args:
        text: TOML.
        origin: names it in errors.

    Raises:
        MisuseError: it is not of this form; says what is wrong and what to write.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MisuseError(f"{origin} is no TOML: {error}; {_EXAMPLE}") from error
    except RecursionError as error:
        raise MisuseError(f"{origin} is no file of event names; {_EXAMPLE}") from error
    events = document.get("events")
    if not isinstance(events, dict):
        raise MisuseError(f"{origin} has no names; {_EXAMPLE}")
    return {_number(key, origin): _name(key, value, origin) for key, value in events.items()}


def name_of(event: int, names: Mapping[int, str]) -> str:
    """Return the name of an event, the owner's or the standard's; "" if it has none."""
    return names.get(event) or STANDARD_NAMES.get(event, "")


def _number(key: str, origin: str) -> int:
    try:
        number = int(key, 16 if key[:2].lower() == "0x" else 10)
    except ValueError:
        number = -1
    if not 0 <= number <= _MOST_NUMBER:
        raise MisuseError(
            f"{origin}: {key!r} is no number of an event; write one from 0 to {_MOST_NUMBER}, such as 69 or 0x45"
        )
    return number


def _name(key: str, value: object, origin: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST or not value.isprintable():
        raise MisuseError(
            f"{origin}: the name of event {key} is no text of 1 to {_LONGEST} characters on one line; {_EXAMPLE}"
        )
    return value.strip()
