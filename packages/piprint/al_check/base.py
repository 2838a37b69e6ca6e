"""What the checks know of Microsoft's own objects that the extension touches: tables, codeunits, their procedures and rights.

Each name was looked up in Microsoft's published sources (ALAppExtensions, BCApps and the base application, versions 23 to 25); an
object or procedure that is missing here was not looked up, so the gate asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["CODEUNITS", "TABLES", "Unit", "View"]


@dataclass(frozen=True, slots=True)
class View:
    """A table: its fields' types by lower-case name, and its procedures with fewest and most arguments."""

    fields: dict[str, str] = field(default_factory=dict)
    procedures: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unit:
    """A codeunit: its procedures with fewest and most arguments, and the rights to tables its caller needs, at least indirect ones."""

    procedures: dict[str, tuple[int, int]] = field(default_factory=dict)
    needs: dict[str, str] = field(default_factory=dict)


_ENQUEUE = {
    "job queue entry": "rimd",
    "job queue log entry": "imd",
    "error message": "imd",
    "error message register": "imd",
}
"""What ``CheckRequiredPermissions`` of table 472 asks for, and what its own rights build on."""

TABLES: dict[str, View] = {
    "job queue entry": View(
        fields={
            "id": "guid",
            "description": "text",
            "maximum no. of attempts to run": "integer",
            "object id to run": "integer",
            "object type to run": "option",
            "recurring job": "boolean",
            "status": "option",
            "user session started": "datetime",
        },
        procedures={"cancel": (0, 0), "initrecurringjob": (1, 1), "restart": (0, 0)},
    ),
    "job queue log entry": View(),
    "error message": View(),
    "error message register": View(),
}

CODEUNITS: dict[str, Unit] = {
    "base64 convert": Unit({"tobase64": (1, 3)}),
    "company-initialize": Unit(),
    "job queue - enqueue": Unit(needs=_ENQUEUE),
    "printer setup": Unit(),
    "reportmanagement": Unit(),
    "temp blob": Unit({"createinstream": (1, 2), "createoutstream": (1, 2)}),
    "upgrade tag": Unit(
        {"hasupgradetag": (1, 2), "setdatabaseupgradetag": (1, 1), "setupgradetag": (1, 1)},
    ),
}
