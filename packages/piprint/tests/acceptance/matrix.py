"""Reads docs/reference/print-matrix.md: the table for people is the table of the tests.

Its words are turned into a printer's IPP attributes, a job's payload, rules and settings here, so that calculation and real
printers are asked about the very same case.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from piprint.config.settings import PrinterConfig, Rule
from piprint.documents.paper import PAPER_KINDS, read_paper
from piprint.ipp.codec import Attribute, Group, Range, attribute
from piprint.ipp.registry import Delimiter, Operation, Tag

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "print-matrix.md"

AS_OFFERED = "as offered"
NO_SETTINGS = "no print settings"

_ALONE = "says nothing about itself (a queue without a driver)"
_SIDES = "one-sided,two-sided-long-edge,two-sided-short-edge"
_A4, _A5 = "iso_a4_210x297mm", "iso_a5_148x210mm"


def _size(size: tuple[int, int]) -> str:
    return f"MEMBER integer x-dimension {size[0]} MEMBER integer y-dimension {size[1]}"


def _sheet(size: tuple[int, int], tray: str) -> str:
    return f"{{MEMBER collection media-size {{{_size(size)}}} MEMBER keyword media-source {tray}}}"


_TRAYS = {
    "media-source-supported": "auto,tray-1,tray-2",
    "media-supported": f"{_A4},{_A5}",
    "media-default": _A4,
    "media-size-supported": f"{{{_size((21000, 29700))}}},{{{_size((14800, 21000))}}}",
    "print-scaling-supported": "auto,fit,fill,none",
}
_LETTERHEAD = f"{_sheet((21000, 29700), 'tray-1')},{_sheet((21000, 29700), 'tray-2')}"
_TWO_SIZES = f"{_sheet((21000, 29700), 'tray-1')},{_sheet((14800, 21000), 'tray-2')}"
_PAPERS = {"media-supported": f"{_A4},{_A5},iso_a6_105x148mm", "media-default": _A4, "media-ready": f"{_A4},{_A5}"}
_SCALES = {"media-supported": f"{_A4},{_A5}", "media-default": _A4, "print-scaling-supported": "auto,fit,fill,none"}

PRINTERS: dict[str, dict[str, str]] = {
    "can print both sides, is set to one": {"sides-supported": _SIDES, "sides-default": "one-sided"},
    "can print both sides, is set to both": {"sides-supported": _SIDES, "sides-default": "two-sided-long-edge"},
    "can print both sides, does not say what it is set to": {"sides-supported": _SIDES},
    "prints one side only": {"sides-supported": "one-sided", "sides-default": "one-sided"},
    _ALONE: {},
    "prints colour": {"color-supported": "true", "print-color-mode-supported": "auto,color,monochrome"},
    "can turn sheets at the long edge only": {
        "sides-supported": "one-sided,two-sided-long-edge",
        "sides-default": "one-sided",
    },
    "prints colour, and cannot be told to print in black": {
        "color-supported": "true",
        "print-color-mode-supported": "auto,color",
    },
    "prints black only": {"color-supported": "false", "print-color-mode-supported": "monochrome"},
    "makes up to 99 copies, 1 by itself": {"copies-supported": "1-99", "copies-default": "1"},
    "makes up to 99 copies, 2 by itself": {"copies-supported": "1-99", "copies-default": "2"},
    "makes up to 9999 copies, 1 by itself (a queue of CUPS)": {"copies-supported": "1-9999", "copies-default": "1"},
    "does not say how many copies it makes": {},
    "makes 2 copies by itself, does not say how many it makes at most": {"copies-default": "2"},
    "is a queue of CUPS whose driver knows A4 and A5": {
        "media-supported": f"{_A4},{_A5}",
        "media-default": _A4,
        "media-ready": f"{_A4},{_A5}",
        "operations-supported": f"{Operation.CREATE_JOB:d},{Operation.CUPS_GET_PRINTERS:d}",
    },
    "has A4 in tray 1 and A4 letterhead in tray 2": _TRAYS | {"media-col-ready": _LETTERHEAD},
    "has A4 in tray 1 and A5 in tray 2": _TRAYS | {"media-col-ready": _TWO_SIZES},
    "has A4 loaded, and A5": _PAPERS | {"print-scaling-supported": "auto,fit,fill,none"},
    "takes any size up to 216 x 356 mm": {
        "media-supported": f"{_A4},custom_min_76x127mm,custom_max_216x356mm",
        "media-default": _A4,
    },
    "scales when told": _SCALES,
    "scales when told, and is set to fit": _SCALES | {"print-scaling-default": "fit"},
    "scales when told, and is set to none": _SCALES | {"print-scaling-default": "none"},
    "scales never, and says so": _SCALES | {"print-scaling-supported": "none", "print-scaling-default": "none"},
    "knows fit and none": _SCALES | {"print-scaling-supported": "fit,none"},
    "cannot be told to scale": {"media-supported": f"{_A4},{_A5}", "media-default": _A4},
}
"""What a printer of these words tells of itself: IPP attributes, written as ippeveprinter reads them."""

_SYNTAX = {
    "color-supported": Tag.BOOLEAN,
    "copies-default": Tag.INTEGER,
    "copies-supported": Tag.RANGE,
    "media-col-ready": Tag.BEGIN_COLLECTION,
    "operations-supported": Tag.ENUM,
    "media-size-supported": Tag.BEGIN_COLLECTION,
}
_WORDS = {
    Tag.BOOLEAN: "boolean",
    Tag.INTEGER: "integer",
    Tag.RANGE: "rangeOfInteger",
    Tag.BEGIN_COLLECTION: "collection",
}

_TRAY_NUMBERS = {"Upper": 1, "Lower": 2, "Envelope": 5, "Custom (nobody chose)": 257}


@dataclass(frozen=True)
class Row:
    """A line of the page.

    Attributes:
        number: such as S1.
        cells: by the title of the column.
    """

    number: str
    cells: dict[str, str] = field(hash=False)

    def __str__(self) -> str:
        """Return its number, which the test is named after."""
        return self.number

    @property
    def printer(self) -> str:
        """Return the words for the printer."""
        return self.cells.get("The printer") or self.cells["The printer has A4, and"]

    @property
    def handed_back(self) -> str:
        """Return the words for what Business Central hands back."""
        return self.cells.get("Business Central hands back", AS_OFFERED)

    @property
    def pages(self) -> int:
        """Return how many pages the document has."""
        return int(self.cells.get("Pages", 2))

    @property
    def page(self) -> tuple[int, int]:
        """Return the size of the document's first page, A4 where it does not matter."""
        return self.page_sizes[0]

    @property
    def page_sizes(self) -> list[tuple[int, int]]:
        """Return the sizes of the document's pages."""
        return [self._size(text) for text in self.cells.get("The page", "A4").split(", then ")]

    def _size(self, text: str) -> tuple[int, int]:
        size = read_paper(text.removesuffix(" across"))
        assert size is not None, text
        return (size[1], size[0]) if text.endswith("across") else size

    @property
    def setting(self) -> dict[str, Any]:
        """Return what stands under [[printers]]."""
        return self._toml(printer=True)

    @property
    def rule(self) -> dict[str, Any]:
        """Return what stands under [[rules]]."""
        return self._toml(printer=False)

    def _toml(self, *, printer: bool) -> dict[str, Any]:
        return tomllib.loads(self.lines(printer=printer))

    def lines(self, *, printer: bool) -> str:
        """Return the lines of TOML under [[printers]], or under [[rules]]."""
        rules, _, printers = self.cells["Rule or setting"].partition("printer:")
        return "\n".join(re.findall("`([^`]*)`", printers if printer else rules))

    @property
    def told(self) -> str:
        """Return what the printer is told."""
        return self.cells["Told"].replace("`", "")

    @property
    def message(self) -> str:
        """Return what the job's message adds."""
        return self.cells["The job's message adds"]

    def settings(self, **more: Any) -> PrinterConfig:
        """Return the printer's settings."""
        return PrinterConfig(**({"id": "p"} | self.setting | more))

    def rules(self) -> list[Rule]:
        """Return the rules."""
        return [Rule(**self.rule)] if self.rule else []

    def payload(self, offer: str) -> str:
        """Return the job's payload, as Business Central makes it of what the printer offers.

        Args:
            offer: the printer's payload.
        """
        if self.handed_back == NO_SETTINGS:
            return ""
        told = json.loads(offer)
        first = told["papertrays"][0]
        tray = {name: first[name] for name in ("papersourcekind", "paperkind", "width", "height") if name in first}
        if "width" in tray:
            tray["units"] = first.get("units", "HI")
        made = {name: told[name] for name in ("duplex", "color", "defaultcopies")} | {"papertray": tray}
        wish, _, _ = self.handed_back.partition(", ")
        if wish in {"one side", "both sides"}:
            made["duplex"] = wish == "both sides"
        elif wish in {"colour", "no colour"}:
            made["color"] = wish == "colour"
        elif found := re.fullmatch("([0-9]+) copies", wish):
            made["defaultcopies"] = int(found[1])
        elif wish.startswith("tray "):
            number = _TRAY_NUMBERS[wish.removeprefix("tray ")]
            theirs = next((each for each in told["papertrays"] if each["papersourcekind"] == number), first)
            made["papertray"] = theirs | {"papersourcekind": number}
        elif wish.startswith("paper "):
            size = read_paper(wish.removeprefix("paper "))
            assert size is not None
            kind = next((number for number, kind in PAPER_KINDS.items() if kind.size == size), 0)
            sides = {} if kind else {"units": 0, "width": round(size[0] / 25.4), "height": round(size[1] / 25.4)}
            made["papertray"] = {"papersourcekind": 7, "paperkind": kind} | sides
        else:
            assert wish == AS_OFFERED, wish
        return json.dumps(made)


def rows(*sections: str) -> list[Row]:
    """Return the lines of these sections of the page, by the letters of their numbers."""
    found: list[Row] = []
    titles: list[str] = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch("[A-Z][0-9]+", cells[0]):
            assert len(cells) == len(titles), line
            if cells[0][0] in sections:
                found.append(Row(cells[0], dict(zip(titles, cells, strict=True))))
        elif not cells[0]:
            titles = cells
    return found


def attributes(printer: str) -> str:
    """Return a printer as ``ippeveprinter -a`` reads it."""
    told = PRINTERS[printer].items()
    return "".join(
        f"ATTR {_WORDS.get(_SYNTAX.get(name, Tag.KEYWORD), 'keyword')} {name} {value}\n" for name, value in told
    )


def group(printer: str) -> Group:
    """Return a printer's answer to Get-Printer-Attributes."""
    made = [_attribute(name, value) for name, value in PRINTERS[printer].items()]
    if printer != _ALONE:
        made.append(attribute("media-col-supported", Tag.KEYWORD, "media-size", "media-source"))
    return Group(Delimiter.PRINTER, tuple(made))


def _attribute(name: str, text: str) -> Attribute:
    syntax = _SYNTAX.get(name, Tag.KEYWORD)
    if syntax is Tag.RANGE:
        lower, upper = text.split("-")
        return attribute(name, syntax, Range(int(lower), int(upper)))
    if syntax is Tag.BOOLEAN:
        return attribute(name, syntax, text == "true")
    if syntax in {Tag.INTEGER, Tag.ENUM}:
        return attribute(name, syntax, *(int(each) for each in text.split(",")))
    if syntax is Tag.BEGIN_COLLECTION:
        return attribute(name, syntax, *(_collection(*found) for found in _COLLECTION.findall(text)))
    return attribute(name, syntax, *text.split(","))


_COLLECTION = re.compile(
    r"x-dimension (\d+) MEMBER integer y-dimension (\d+)(?:} MEMBER keyword media-source ([\w-]+))?"
)


def _collection(width: str, height: str, tray: str) -> tuple[Attribute, ...]:
    sides = (
        attribute("x-dimension", Tag.INTEGER, int(width)),
        attribute("y-dimension", Tag.INTEGER, int(height)),
    )
    if not tray:
        return sides
    return (attribute("media-size", Tag.BEGIN_COLLECTION, sides), attribute("media-source", Tag.KEYWORD, tray))
