"""What a printer offers in Business Central: its trays with their papers, and what it can do.

Both directions go through one table per printer, :func:`trays`: which paper source of .NET stands for which IPP media-source.
The first line is what Business Central hands back when nobody chose a tray. So it stands for no tray at all, but for what the
printer itself does: where another tray comes back, somebody has chosen it.

Sources: PWG 5100.7 and 5100.3 (media-source keywords, media-col), ``wingdi.h`` (DMBIN numbers).

This module does not know jobs; what the configuration says of a printer is laid over what it told by
:mod:`piprint.printers.capabilities`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from piprint.config.settings import PrinterConfig
from piprint.documents.paper import PAPER_SOURCES, kind_of_size, read_paper, source_by_name
from piprint.documents.payloads import PrinterPayload, Tray, build_printer_payload
from piprint.printers.capabilities import with_settings
from piprint.printers.printer import Capabilities, Media

__all__ = [
    "CUSTOM_SOURCE",
    "FIRST_OWN_SOURCE",
    "FORM_SOURCE",
    "OfferedTray",
    "Size",
    "is_chosen",
    "offered",
    "printer_payload",
    "size_of",
    "trays",
]

Size = tuple[int, int]
"""Width and height in hundredths of a millimetre."""

AUTOMATIC_FEED = 7
"""The paper source of the first line: the printer takes the paper from where it is set to."""
FORM_SOURCE = 15
CUSTOM_SOURCE = 257
FIRST_OWN_SOURCE = 256
"""DMBIN_USER of ``wingdi.h``: from here on, a number means one of the printer's own trays."""

_AUTO = "auto"
_NO_TRAY = ""
"""Stands in the table for a printer that has trays, but no word for "whichever"."""

_NO_TRAYS = frozenset({_AUTO, _NO_TRAY})
_USUAL_SOURCES: dict[str, tuple[int, ...]] = {
    _AUTO: (AUTOMATIC_FEED,),
    _NO_TRAY: (AUTOMATIC_FEED,),
    "tray-1": (1,),
    "top": (1,),
    "main": (1, 14),
    "tray-2": (2,),
    "bottom": (2,),
    "alternate": (2,),
    "tray-3": (3,),
    "middle": (3,),
    "center": (3,),
    "manual": (4, 6),
    "by-pass-tray": (4, 6),
    "envelope": (5,),
    "large-capacity": (11,),
    "photo": (9,),
    "hagaki": (9,),
    "main-roll": (8,),
    "roll-1": (8,),
    "tray-4": (14,),
    "rear": (14,),
}
"""The paper sources an IPP media-source keyword goes by, the best first. Fixed numbers, not counted ones: a tray that is
added must not rename those that people have chosen already."""

_SPARE_SOURCES = (1, 2, 3, 14, 9, 10, 8, 15, 5, 6, 4, 11, CUSTOM_SOURCE, AUTOMATIC_FEED)
"""What is left is given out in this order."""

_A4: Size = (21000, 29700)


@dataclass(frozen=True, slots=True)
class OfferedTray:
    """A line of the table.

    Attributes:
        source: number of .NET's PaperSourceKind.
        keyword: IPP media-source; "" where only the paper tells the trays apart, or where the printer decides.
        size: the paper that is offered with it.
    """

    source: int
    keyword: str
    size: Size


def trays(capabilities: Capabilities, settings: PrinterConfig) -> list[OfferedTray]:
    """Return the printer's table of trays, the default one first; never empty, never more than .NET has paper sources."""
    capabilities = with_settings(capabilities, settings)
    if not capabilities.sources:  # only the papers can be told apart
        ready = list(dict.fromkeys(size_of(media) for _, media in capabilities.media_ready))
        papers = ready or [_default_size(capabilities)]
        sources = [AUTOMATIC_FEED, *_SPARE_SOURCES[:-1]]
        return [OfferedTray(source, "", size) for source, size in zip(sources, papers, strict=False)]
    loaded = _loaded(capabilities, settings)
    own = {source_by_name(text) for text in settings.trays.values()}
    spare = _AUTO not in capabilities.sources and AUTOMATIC_FEED not in own
    keywords = (_NO_TRAY, *capabilities.sources) if spare else capabilities.sources
    table = [
        OfferedTray(source, keyword, loaded.get(keyword) or _default_size(capabilities))
        for keyword, source in _sources(keywords, settings).items()
    ]
    # Stable: the printer's own choice, whatever the settings call it, then the printer's order.
    table.sort(key=lambda tray: (tray.source != AUTOMATIC_FEED, tray.keyword not in _NO_TRAYS))
    return table


def is_chosen(source: int | None, table: Sequence[OfferedTray], settings: PrinterConfig) -> bool:
    """Tell whether a paper source that Business Central hands back was chosen by somebody, be it in the settings here."""
    if source is None or source in {FORM_SOURCE, CUSTOM_SOURCE}:
        # Microsoft's samples say Custom where nobody chose a tray; FormSource is the printer's own choice by its name.
        return any(tray.source == source for tray in table)
    first = table[0]
    return source != first.source or (first.keyword in settings.trays and first.keyword not in _NO_TRAYS)


def _sources(keywords: Sequence[str], settings: PrinterConfig) -> dict[str, int]:
    """Give each keyword a paper source: as the settings say, else its usual one, else a spare one, while there are any."""
    asked: dict[str, tuple[int, ...]] = {}
    for keyword, text in settings.trays.items():
        number = source_by_name(text)
        asked[keyword] = (number,) if number in PAPER_SOURCES and number is not None else ()
    given: dict[str, int] = {}
    for choices in (asked, _USUAL_SOURCES, dict.fromkeys(keywords, _SPARE_SOURCES)):
        for keyword in keywords:
            free = (number for number in choices.get(keyword, ()) if number not in given.values())
            if keyword not in given and (number := next(free, None)) is not None:
                given[keyword] = number
    return {keyword: given[keyword] for keyword in keywords if keyword in given}


def _loaded(capabilities: Capabilities, settings: PrinterConfig) -> dict[str, Size]:
    """Return what lies in which tray: as the settings list trays and papers, in their order, else as the printer tells."""
    papers = [size for text in settings.paper if (size := read_paper(text))]
    told = {source: size_of(media) for source, media in reversed(capabilities.media_ready) if source}
    return told | dict(zip(settings.trays, papers, strict=False))


def _default_size(capabilities: Capabilities) -> Size:
    if capabilities.media_default is not None:
        return size_of(capabilities.media_default)
    return next((size_of(media) for _, media in capabilities.media_ready), _A4)


def offered(capabilities: Capabilities, settings: PrinterConfig) -> PrinterPayload:
    """Return what Business Central shall offer for this printer."""
    capabilities = with_settings(capabilities, settings)
    return PrinterPayload(
        trays=[_tray(each) for each in trays(capabilities, settings)],
        description=capabilities.description,
        duplex=any(keyword.startswith("two-sided") for keyword in capabilities.sides),
        color=capabilities.color is not False,
        copies=capabilities.copies_default,
    )


def _tray(each: OfferedTray) -> Tray:
    kind = kind_of_size(each.size)
    if kind is None:
        return Tray(each.source, 0, *each.size)
    return Tray(each.source, kind.number)


def size_of(media: Media) -> Size:
    """Return a sheet's size."""
    return media.width, media.height


def printer_payload(capabilities: Capabilities, settings: PrinterConfig) -> str:
    """Return the printer's JSON payload for Business Central; see :func:`piprint.documents.payloads.build_printer_payload`."""
    text, _ = build_printer_payload(offered(capabilities, settings))
    return text
