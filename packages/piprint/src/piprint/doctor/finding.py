"""What an examination found: an aligned line for each finding, and below it what to do where something is wrong.

This module does not know what is examined.
"""

from __future__ import annotations

import enum
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["Finding", "State", "lines", "summary"]

_WIDTH = 110
_NAME = 24
_INDENT = 2 + 8 + _NAME


class State(enum.StrEnum):
    """How a thing is."""

    OK = "ok"
    NOTE = "note"  # works, but should be known
    PROBLEM = "problem"
    SKIPPED = "skipped"  # could not be looked at because of a problem before


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    Attributes:
        topic: the heading it belongs under.
        name: what was looked at.
        state: how it is.
        told: what was found; never a secret.
        fix: what to do; "" when nothing is to be done.
    """

    topic: str
    name: str
    state: State
    told: str = ""
    fix: str = ""


_COLORS = {State.OK: "32", State.NOTE: "33", State.PROBLEM: "31", State.SKIPPED: "2"}


def _printable(text: str) -> str:
    """Keep a printer's name from drawing on the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def lines(findings: Iterable[Finding], *, color: bool) -> Iterator[str]:
    """Yield the lines for people, as the findings come; a heading when the topic changes."""
    topic = ""
    for finding in findings:
        if finding.topic != topic:
            yield f"\n{finding.topic}" if topic else finding.topic
            topic = finding.topic
        word = f"{finding.state:8}"
        if color:
            word = f"\x1b[{_COLORS[finding.state]}m{word}\x1b[0m"
        told = textwrap.wrap(_printable(finding.told), _WIDTH - _INDENT, break_on_hyphens=False) or [""]
        name = _printable(finding.name)
        if len(name) >= _NAME:
            name = name[: _NAME - 2] + "…"
        yield f"  {word}{name:{_NAME}}{told[0]}".rstrip()
        for more in told[1:]:
            yield " " * _INDENT + more
        for first, part in enumerate(
            textwrap.wrap(_printable(finding.fix), _WIDTH - _INDENT - 2, break_on_hyphens=False)
        ):
            yield " " * _INDENT + ("  " if first else "→ ") + part


def summary(findings: Iterable[Finding]) -> str:
    """Return the last line: whether printing can work."""
    states = [finding.state for finding in findings]
    problems, notes = states.count(State.PROBLEM), states.count(State.NOTE)
    if problems:
        return (
            f"{problems} problem{'s' if problems > 1 else ''}; mend the first one first, then run piprint doctor again."
        )
    if notes:
        return f"Everything works; {notes} thing{'s' if notes > 1 else ''} to know, see above."
    return "Everything works."
