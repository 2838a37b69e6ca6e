"""The two JSON texts that travel with printing in Business Central: what a printer offers, and what a job asks for.

- *Printer payload*: made here, stored in Business Central, read by it whenever anybody looks up printers. One invalid payload
  breaks the look-up of *all* printers, so :func:`build_printer_payload` cannot make one, and
  :func:`validate_printer_payload`, written from the documentation and not from the builder, says so.
- *Job payload*: made by Business Central, read here. :func:`read_job_payload` never fails: a job whose settings cannot be read
  prints with the printer's own.

Sources: Microsoft Learn, Business Central developer documentation, *OnAfterSetupPrinters Event* and
*OnAfterDocumentPrintReady Event*, read in August 2026. The limit of 2048 is the field's, see :mod:`piprint.contract`.

This module does not know what a printer can do, nor IPP's words: see :mod:`piprint.printers.ticket.offer` and :mod:`piprint.printers.ticket.options`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from piprint.contract import PRINTER_WS, cut, decode_name, units
from piprint.documents.paper import PAPER_KINDS, PAPER_SOURCES, kind_by_name, source_by_name

__all__ = [
    "DEFAULT_TRAY",
    "LONGEST",
    "MOST_TRAYS",
    "UNITS",
    "JobPayload",
    "PaperTray",
    "PrinterPayload",
    "Tray",
    "build_printer_payload",
    "read_job_payload",
    "validate_printer_payload",
]

LONGEST = PRINTER_WS.by_name["PrinterJsonPayload"].length or 0
"""UTF-16 units a printer payload may have."""
MOST_TRAYS = 14
LONGEST_DESCRIPTION = 250
MOST_COPIES = 32767
_MOST_READ = 1_000_000_000
"""Copies that are read as a number, if only to be told that the printer makes fewer."""
LARGEST_SIDE = 2_147_483_647

UNITS: dict[str, float] = {
    "HI": 25.4,  # hundredths of an inch: the default
    "TI": 2.54,  # thousandths of an inch
    "IN": 2540.0,
    "CM": 1000.0,
    "MM": 100.0,
    "PC": 2540 / 6,  # picas
    "PT": 2540 / 72,  # points
}
"""Units of a payload, in hundredths of a millimetre."""

_PRINTER_UNITS: dict[int | str, float] = {
    0: UNITS["HI"],
    1: UNITS["TI"],
    2: 1.0,
    3: 10.0,
    "DISPLAY": UNITS["HI"],
    "THOUSANDTHSOFANINCH": UNITS["TI"],
    "HUNDREDTHSOFAMILLIMETER": 1.0,
    "TENTHSOFAMILLIMETER": 10.0,
}
"""Units of a *job* payload are those of .NET's ``PrinterUnit``; the documented sample's 236 x 322 mm arrive as 929 x 1268 in 0."""


# ---- Printer payload -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tray:
    """A tray, or a way to feed paper, as it is offered in Business Central.

    Attributes:
        source: number of a .NET PaperSourceKind.
        kind: number of a .NET PaperKind; 0 (Custom) takes the size from width and height.
        width: hundredths of a millimetre; counts for Custom only.
        height: the same.
        landscape: the tray is offered for landscape.
    """

    source: int
    kind: int
    width: int = 0
    height: int = 0
    landscape: bool = False

    @property
    def problem(self) -> str:
        """Say why Business Central would refuse it; "" when it would not."""
        if self.source not in PAPER_SOURCES:
            return f"{self.source} is not a paper source of .NET"
        if self.kind not in PAPER_KINDS:
            return f"{self.kind} is not a paper kind of .NET"
        if not self.kind and (self.width < 1 or self.height < 1):
            return "a custom paper needs width and height"
        return ""


DEFAULT_TRAY = Tray(source=7, kind=9)
"""A4 from wherever the printer likes: offered by a printer that tells nothing, as PIPrint 1.0 does."""


@dataclass(frozen=True, slots=True)
class PrinterPayload:
    """What a printer offers in Business Central. The first tray is the default one."""

    trays: Sequence[Tray] = (DEFAULT_TRAY,)
    description: str = ""
    duplex: bool = False
    color: bool = False
    copies: int = 1


def build_printer_payload(payload: PrinterPayload) -> tuple[str, list[str]]:
    """Make the JSON text Business Central accepts, at most 2048 UTF-16 units long, with numbers in place of names.

    Returns:
        the text, and what was left out or changed to make it fit, for people.
    """
    dropped: list[str] = []
    trays = _acceptable(payload.trays, dropped)
    if not trays:
        trays = [DEFAULT_TRAY]
        dropped.append("the printer names no usable tray: offered as one with A4")
    told: dict[str, object] = {"version": 1}
    description = cut(_plain(payload.description), LONGEST_DESCRIPTION)
    if description:
        told["description"] = description
    told["duplex"] = payload.duplex
    told["color"] = payload.color
    told["defaultcopies"] = min(max(payload.copies, 0), MOST_COPIES)
    told["papertrays"] = [_tray_told(tray) for tray in trays]
    text = _json(told)
    if units(text) > LONGEST:  # 14 trays at their longest leave 300 units: only a description can be too much
        del told["description"]
        dropped.append("its description: there is no room for it")
        text = _json(told)
    return text, dropped


def _acceptable(trays: Sequence[Tray], dropped: list[str]) -> list[Tray]:
    kept: dict[int, Tray] = {}
    for tray in trays:
        name = PAPER_SOURCES.get(tray.source, str(tray.source))
        if tray.problem:
            dropped.append(f"tray {name}: {tray.problem}")
        elif tray.source in kept:
            dropped.append(f"tray {name}, told twice: Business Central takes each paper source once")
        else:
            kept[tray.source] = tray
    return list(kept.values())  # never more than MOST_TRAYS: there are as many paper sources


def _tray_told(tray: Tray) -> dict[str, object]:
    told: dict[str, object] = {"papersourcekind": tray.source, "paperkind": tray.kind}
    if not tray.kind:
        unit = _exact_unit(tray.width, tray.height)
        told["units"] = unit
        told["height"] = _length(tray.height, unit)
        told["width"] = _length(tray.width, unit)
    if tray.landscape:
        told["landscape"] = True
    return told


def _exact_unit(width: int, height: int) -> str:
    """Return the unit that tells both sides in whole numbers: MM, HI (4 x 6 in), else TI, which is 0.013 mm off at most."""
    for unit in ("MM", "HI"):
        if all(
            side >= UNITS[unit] and abs(round(side / UNITS[unit]) * UNITS[unit] - side) < 1 for side in (width, height)
        ):
            return unit
    return "TI"


def _length(side: int, unit: str) -> int:
    return min(max(round(side / UNITS[unit]), 1), LARGEST_SIDE)


def _plain(text: str) -> str:
    """Return a text without control characters and half surrogates: JSON would blow them up, Business Central refuse them."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+", " ", text).split())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# ---- The validator, from the documentation --------------------------------------------------------------------------

_PAYLOAD_KEYS = frozenset({"version", "description", "duplex", "color", "defaultcopies", "papertrays"})
_TRAY_KEYS = frozenset({"papersourcekind", "paperkind", "units", "height", "width", "landscape"})


def validate_printer_payload(text: str) -> list[str]:
    """Say what is wrong with a printer payload; an empty list when Business Central takes it.

    Source: Microsoft Learn, *OnAfterSetupPrinters Event*, section *Printer payload*.
    """
    problems: list[str] = []
    if units(text) > LONGEST:
        problems.append(f"{units(text)} characters; the field takes {LONGEST}")
    try:
        payload = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return [*problems, f"not JSON: {error}"]
    if not isinstance(payload, dict):
        return [*problems, "not a JSON object"]
    problems += [f"{key!r} is not a key of a printer payload" for key in payload.keys() - _PAYLOAD_KEYS]
    if not _is_whole(payload.get("version"), 1, 1):
        problems.append("version must be 1")
    description = payload.get("description", "")
    if not isinstance(description, str) or units(description) > LONGEST_DESCRIPTION:
        problems.append(f"description must be a text of at most {LONGEST_DESCRIPTION} characters")
    problems += [
        f"{key} must be true or false" for key in ("duplex", "color") if not isinstance(payload.get(key, False), bool)
    ]
    if not _is_whole(payload.get("defaultcopies", 1), 0, MOST_COPIES):
        problems.append(f"defaultcopies must be a whole number from 0 to {MOST_COPIES}")
    trays = payload.get("papertrays")
    if not isinstance(trays, list) or not 1 <= len(trays) <= MOST_TRAYS:
        return [*problems, f"papertrays must be a list of 1 to {MOST_TRAYS} trays"]
    sources: list[int] = []
    for number, tray in enumerate(trays, 1):
        problems += [f"tray {number}: {problem}" for problem in _tray_problems(tray, sources)]
    return problems


def _tray_problems(tray: object, sources: list[int]) -> Iterator[str]:
    """Yield what is wrong with one tray; ``sources`` are those of the trays before it, and grow by this one's."""
    if not isinstance(tray, dict):
        yield "not a JSON object"
        return
    yield from (f"{key!r} is not a key of a tray" for key in tray.keys() - _TRAY_KEYS)
    source = _enum(tray.get("papersourcekind"), PAPER_SOURCES)
    if source is None:
        yield f"papersourcekind {tray.get('papersourcekind')!r} is none of .NET's PaperSourceKind"
    elif source in sources:
        yield f"papersourcekind {PAPER_SOURCES[source]} is told twice"
    else:
        sources.append(source)
    kind = _enum(tray.get("paperkind"), {number: each.name for number, each in PAPER_KINDS.items()})
    if kind is None:
        yield f"paperkind {tray.get('paperkind')!r} is none of .NET's PaperKind"
    unit = tray.get("units", "HI")
    if not isinstance(unit, str) or unit.upper() not in UNITS:
        yield f"units must be one of {', '.join(UNITS)}"
    for side in ("height", "width"):
        if not _is_whole(tray.get(side, 0), 1 if kind == 0 else 0, LARGEST_SIDE):
            yield f"{side} must be a whole number from 1 to {LARGEST_SIDE}"
    if not isinstance(tray.get("landscape", False), bool):
        yield "landscape must be true or false"


def _enum(value: object, names: Mapping[int, str]) -> int | None:
    """Return the number of a .NET enumeration's value, told by number or by name."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value in names else None
    return next((number for number, name in names.items() if name == value), None)


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key is told twice")
    return made


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


# ---- Job payload -----------------------------------------------------------------------------------------------------

_MOST_TEXT = 1_000_000
"""Characters read of a job payload; with PIPrint 1.0 it has 2048 at most, with ours it is a blob."""
_LONGEST_TEXT = 2048


@dataclass(frozen=True, slots=True)
class PaperTray:
    """The paper and where to take it from, as a job asks; None: it does not say.

    Attributes:
        source: number of a .NET PaperSourceKind; from 256 on, a tray of the printer's own.
        kind: number of a .NET PaperKind, 0 (Custom) for a size of its own.
        landscape: the report is landscape.
        width: hundredths of a millimetre, of a custom paper only.
        height: the same.
    """

    source: int | None = None
    kind: int | None = None
    landscape: bool | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class JobPayload:
    """What a job asks for; names as in the JSON, None or "" where it says nothing.

    Attributes:
        copies: from ``defaultcopies``, 1 or more.
        documenttype: MIME type of the document, in lower case; see :data:`piprint.contract.ZPL`.
        notes: what could not be read, for people.
        See the documentation of ``OnAfterDocumentPrintReady`` for the others.
    """

    copies: int | None = None
    duplex: bool | None = None
    color: bool | None = None
    papertray: PaperTray = field(default_factory=PaperTray)
    documenttype: str = ""
    objectname: str = ""
    objectid: int | None = None
    companyname: str = ""
    reportrunid: str = ""
    notes: tuple[str, ...] = ()


def read_job_payload(text: str) -> JobPayload:
    """Read what a job asks for: names or numbers of enumerations, unknown keys ignored, cut text as far as it goes.

    Never raises; what could not be read stands in :attr:`JobPayload.notes`.
    """
    notes: list[str] = []
    payload = _object(text.removeprefix("\ufeff"), notes)
    tray = payload.get("papertray")
    copies = _copies(payload.get("defaultcopies"), notes)
    return JobPayload(
        copies=copies or None,
        duplex=_truth(payload.get("duplex")),
        color=_truth(payload.get("color")),
        papertray=_paper_tray(tray, notes) if isinstance(tray, dict) else PaperTray(),
        documenttype=_text(payload.get("documenttype")).casefold(),
        objectname=_text(payload.get("objectname")),
        objectid=_whole(payload.get("objectid"), LARGEST_SIDE),
        companyname=_text(payload.get("companyname")),
        reportrunid=_text(payload.get("reportrunid")),
        notes=tuple(notes),
    )


def _copies(value: object, notes: list[str]) -> int | None:
    copies = _whole(value, _MOST_READ)
    if copies is None and value is not None:
        asked = (
            "some number of"
            if isinstance(value, bool) or not isinstance(value, str | int | float)
            else cut(str(value), 40)
        )
        notes.append(
            f"Business Central asks for {asked} copies, which cannot be, so it was printed as the printer is set."
        )
    return copies


def _object(text: str, notes: list[str]) -> dict[str, Any]:
    if not text.strip():
        notes.append("Business Central sent no print settings, so it was printed as the printer is set.")
        return {}
    try:
        whole = json.loads(text) if len(text) <= _MOST_TEXT else None
    except (ValueError, RecursionError):  # ValueError: also a number of 5000 digits
        whole = None
    if isinstance(whole, dict):
        return whole
    salvaged = dict(_members(text[:_MOST_TEXT]))
    got = ", ".join(sorted(cut(key, 40) for key in list(salvaged)[:20]))
    damaged = "The print settings from Business Central are cut or damaged"
    if got:
        notes.append(f"{damaged}: only {got} could be read, and for the rest it was printed as the printer is set.")
    else:
        notes.append(f"{damaged}, so it was printed as the printer is set.")
    return salvaged


_DECODER = json.JSONDecoder()
_KEY = re.compile(r'\s*[{,]\s*("(?:[^"\\\x00-\x1f]|\\.){0,100}")\s*:\s*')


def _members(text: str, *, nested: bool = False) -> Iterator[tuple[str, Any]]:
    """Yield the members of an object whose text breaks off, the last one as far as it goes; so far within a tray, too."""
    at = 0
    while match := _KEY.match(text, at):
        try:
            key = json.loads(match[1])
            value, at = _DECODER.raw_decode(text, match.end())
        except (ValueError, RecursionError):
            if not nested and text.startswith("{", match.end()) and match[1] == '"papertray"':
                yield "papertray", dict(_members(text[match.end() :], nested=True))
            return
        if at == len(text) and not isinstance(value, str | list | dict):
            return  # 25 may have been 257
        yield key, value


def _paper_tray(tray: Mapping[str, Any], notes: list[str]) -> PaperTray:
    kind = _named(tray.get("paperkind"), "paper kind", notes)
    width = height = None
    if not kind:  # a kind with a size of its own tells none; other than 0 the fields mean nothing
        width, height = (_hundredths(tray.get(side), tray.get("units", 0)) for side in ("width", "height"))
    if width is None or height is None:
        width = height = None  # one side alone says nothing; {"paperkind":0,"width":0,"height":0} is sent, too
    return PaperTray(
        source=_named(tray.get("papersourcekind"), "paper source", notes),
        kind=kind,
        landscape=_truth(tray.get("landscape")),
        width=width,
        height=height,
    )


def _named(value: object, what: str, notes: list[str]) -> int | None:
    """Read a paper kind or source: a number, a number in a text, a name, an XML-encoded name."""
    if value is None:
        return None
    number = _whole(value, 65535)
    if number is None and isinstance(value, str):
        name = decode_name(value)
        kind = kind_by_name(name)
        number = source_by_name(name) if what == "paper source" else kind.number if kind else None
    if number is None:
        asked = value if isinstance(value, str | int | float) else "?"
        notes.append(
            f"Business Central asks for {what} {cut(str(asked), 40)!r}, which does not exist, so it was left to the printer."
        )
    return number


def _hundredths(value: object, unit: object) -> int | None:
    """Return a side in hundredths of a millimetre; None for one that no sheet has (10 m or more, 0.01 mm or less)."""
    code = _whole(unit, 99)
    if code is None and isinstance(unit, str):
        plain = decode_name(unit).strip().upper()
        scale = UNITS.get(plain) or _PRINTER_UNITS.get(plain)
    else:
        scale = None if code is None else _PRINTER_UNITS.get(code)
    number = _number(value)
    if scale is None or number is None:
        return None
    side = number * scale
    return round(side) if 1 < side < 1_000_000 else None  # noqa: PLR2004 - see the docstring


def _number(value: object) -> float | None:
    """Return a finite number, also one written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value[:40] if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _whole(value: object, most: int) -> int | None:
    """Return a whole number from 0 to ``most``, also one written as text or as 1.0."""
    number = _number(value)
    return int(number) if number is not None and number.is_integer() and 0 <= number <= most else None


def _truth(value: object) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().casefold())
    return bool(value) if isinstance(value, int) and value in (0, 1) else None


def _text(value: object) -> str:
    """Return a text without control characters, of a length that fits a message or a page; "" for anything else."""
    return cut(_plain(value[: 2 * _LONGEST_TEXT]), _LONGEST_TEXT) if isinstance(value, str) else ""
