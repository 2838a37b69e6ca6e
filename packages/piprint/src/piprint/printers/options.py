"""Between Business Central's print settings and IPP's: what is offered there, and what a job's ticket says here.

Both directions go through one table per printer, :func:`trays`: which paper source of .NET stands for which IPP
media-source. What a printer cannot do is replaced by what it can, and told: a printer refuses a job over one unsupported
value (IPP 0x040b), CUPS swallows it silently, and neither helps the person waiting for paper.

Sources: PWG 5100.7 and 5100.3 (media-source keywords, media-col), RFC 8011 5.2 (copies, sides, orientation-requested),
PWG 5100.13 (print-color-mode), PWG 5101.1 (media names).

This module does not know IPP's encoding, and not where capabilities come from; what the configuration says of them is laid
over them by :mod:`piprint.printers.capabilities`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from piprint.config import PrinterConfig, Rule
from piprint.contract import PDF, ZPL
from piprint.paper import (
    PAPER_KINDS,
    PAPER_SOURCES,
    custom_media_name,
    is_same_size,
    kind_of_size,
    read_paper,
    source_by_name,
)
from piprint.payloads import JobPayload, PrinterPayload, Tray, build_printer_payload
from piprint.printers.capabilities import with_settings
from piprint.printers.printer import Capabilities, Media, Ticket
from piprint.printers.wildcard import matches

__all__ = ["OfferedTray", "make_ticket", "offered", "printer_payload", "trays"]

Size = tuple[int, int]

MOST_COPIES = 999
"""Of a printer that does not tell its most; more is a slip of the finger."""

_AUTOMATIC_FEED = 7
_FORM_SOURCE = 15
_CUSTOM_SOURCE = 257
_FIRST_OWN_SOURCE = 256
"""DMBIN_USER of ``wingdi.h``: from here on, a number means one of the printer's own trays."""

_USUAL_SOURCES: dict[str, tuple[int, ...]] = {
    "auto": (_AUTOMATIC_FEED,),
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

_SPARE_SOURCES = (1, 2, 3, 14, 9, 10, 8, 15, 5, 6, 4, 11, _CUSTOM_SOURCE, _AUTOMATIC_FEED)
"""What is left is given out in this order."""

_LANDSCAPE = 4
"""orientation-requested, RFC 8011 5.2.10."""
_MONOCHROME = ("monochrome", "auto-monochrome", "process-monochrome", "bi-level")
_COLOR = ("color", "auto")
_A4: Size = (21000, 29700)


# ---- What a printer offers -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OfferedTray:
    """A line of the table.

    Attributes:
        source: number of .NET's PaperSourceKind.
        keyword: IPP media-source; "" where only the paper tells the trays apart.
        size: the paper that is offered with it.
    """

    source: int
    keyword: str
    size: Size


def trays(capabilities: Capabilities, settings: PrinterConfig) -> list[OfferedTray]:
    """Return the printer's table of trays, the default one first; never empty, never more than .NET has paper sources."""
    capabilities = with_settings(capabilities, settings)
    if not capabilities.sources:  # only the papers can be told apart
        ready = list(dict.fromkeys(_size(media) for _, media in capabilities.media_ready))
        papers = ready or [_default_size(capabilities)]
        sources = [_AUTOMATIC_FEED, *_SPARE_SOURCES[:-1]]
        return [OfferedTray(source, "", size) for source, size in zip(sources, papers, strict=False)]
    loaded = _loaded(capabilities, settings)
    table = [
        OfferedTray(source, keyword, loaded.get(keyword) or _default_size(capabilities))
        for keyword, source in _sources(capabilities.sources, settings).items()
    ]
    table.sort(key=lambda tray: tray.keyword != "auto")  # stable: auto is the default, then the printer's order
    return table


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
    told = {source: _size(media) for source, media in reversed(capabilities.media_ready) if source}
    return told | dict(zip(settings.trays, papers, strict=False))


def _default_size(capabilities: Capabilities) -> Size:
    if capabilities.media_default is not None:
        return _size(capabilities.media_default)
    return next((_size(media) for _, media in capabilities.media_ready), _A4)


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


def printer_payload(capabilities: Capabilities, settings: PrinterConfig) -> str:
    """Return the printer's JSON payload for Business Central; see :func:`piprint.payloads.build_printer_payload`."""
    text, _ = build_printer_payload(offered(capabilities, settings))
    return text


# ---- What a job gets -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a job shall get: Business Central's word, overruled by the rules. None: nobody said."""

    copies: int
    sides: str | None
    color: bool | None
    source: int | None
    keyword: str
    size: Size | None


def make_ticket(
    name: str,
    payload: JobPayload,
    capabilities: Capabilities,
    settings: PrinterConfig,
    rules: Sequence[Rule],
    *,
    printer_id: str,
    page_size: Size | None = None,
    pages: int | None = None,
) -> tuple[Ticket, list[str]]:
    """Say how a job shall be printed, in nothing but what the printer can do.

    Args:
        name: the job's name at the printer.
        payload: what Business Central asks for.
        capabilities: what the printer told.
        settings: what the configuration says of it.
        rules: all rules; those that fit the job are applied in their order, so a later one wins.
        printer_id: for the rules.
        page_size: width and height of the document's first page in hundredths of a millimetre; None when not known.
        pages: of the document; None when not known.

    Returns:
        the ticket, and what was replaced or left out, as sentences for people.
    """
    notes = list(payload.notes)
    capabilities = with_settings(capabilities, settings)
    fitting = [rule for rule in rules if _fits(rule, payload, printer_id)]
    wish = _wish(payload, fitting, page_size, notes)
    # Pages that lie across say so themselves, and filters turn them; pages that do not must not be turned.
    across = payload.papertray.landscape and _is_landscape(payload, page_size)
    ticket = Ticket(
        name=name,
        format=_format(capabilities, settings, notes, labels=payload.documenttype == ZPL),
        copies=_copies(wish.copies, capabilities, notes),
        sides=_sides(wish.sides, capabilities, pages, notes),
        color_mode=_color_mode(capabilities, notes, color=wish.color),
        source=_source(wish, capabilities, settings, notes),
        media=_media(wish.size, page_size, capabilities, settings, notes),
        orientation=_LANDSCAPE if across and _LANDSCAPE in capabilities.orientations else None,
    )
    return ticket, notes


def _fits(rule: Rule, payload: JobPayload, printer_id: str) -> bool:
    return (
        matches(rule.printer, printer_id)
        and (rule.report is None or rule.report == payload.objectid)
        and (not rule.report_name or matches(rule.report_name, payload.objectname))
        and (not rule.company or matches(rule.company, payload.companyname))
    )


def _wish(payload: JobPayload, rules: Iterable[Rule], page_size: Size | None, notes: list[str]) -> _Wish:
    tray = payload.papertray
    kind = PAPER_KINDS.get(tray.kind) if tray.kind is not None else None
    if tray.kind is not None and kind is None:
        notes.append(f"Business Central asks for paper kind {tray.kind}, which .NET does not have: the printer decides")
    size = (tray.width, tray.height) if tray.width and tray.height else kind.size if kind else None
    edge = "two-sided-short-edge" if _is_landscape(payload, page_size) else "two-sided-long-edge"
    wish = _Wish(
        copies=payload.copies or 1,
        sides=None if payload.duplex is None else edge if payload.duplex else "one-sided",
        color=payload.color,
        source=tray.source,
        keyword="",
        size=size,
    )
    for rule in rules:
        wish = _ruled(wish, rule, notes)
    return wish


def _ruled(wish: _Wish, rule: Rule, notes: list[str]) -> _Wish:
    """Return the wish as a rule leaves it."""
    if rule.copies is not None:
        wish = replace(wish, copies=rule.copies)
    if rule.sides is not None:
        wish = replace(wish, sides=rule.sides)
    if rule.color is not None:
        wish = replace(wish, color=rule.color)
    if rule.tray:
        wish = replace(wish, source=source_by_name(rule.tray), keyword=rule.tray)
    if rule.paper:
        size = read_paper(rule.paper)
        if size is None:
            notes.append(f'a rule asks for paper "{rule.paper}", which is no size: write A4, Letter or 100x150mm')
        else:
            wish = replace(wish, size=size)
    return wish


def _is_landscape(payload: JobPayload, page_size: Size | None) -> bool:
    """Tell whether the pages are to be read across: the pages themselves decide, Business Central where they are not known."""
    if page_size is not None:
        return page_size[0] > page_size[1]
    return bool(payload.papertray.landscape)


def _format(capabilities: Capabilities, settings: PrinterConfig, notes: list[str], *, labels: bool) -> str:
    known = capabilities.formats
    choices = [PDF, "application/octet-stream"]
    if labels or settings.language == "raw":
        choices = [*([ZPL] if labels else []), "application/vnd.cups-raw", "application/octet-stream"]
    if not known:
        return choices[0] if choices[0] == PDF else choices[-1]
    for choice in choices:
        if choice in known:
            return choice
    notes.append(f"the printer does not say that it takes {choices[0]}; sent all the same")
    return choices[0]


def _copies(wanted: int, capabilities: Capabilities, notes: list[str]) -> int:
    most = MOST_COPIES if capabilities.copies is None else max(capabilities.copies, 1)
    if wanted > most:
        notes.append(f"{wanted} copies are more than this printer makes: {most} printed")
    return min(max(wanted, 1), most)


def _sides(wanted: str | None, capabilities: Capabilities, pages: int | None, notes: list[str]) -> str:
    """Choose sides; one-sided is said, too, so that the printer's own setting never decides."""
    known = capabilities.sides
    wanted = wanted or "one-sided"
    if wanted in known:
        return wanted
    if wanted != "one-sided" and pages != 1:
        other = next((keyword for keyword in known if keyword.startswith("two-sided")), "")
        if other:
            notes.append(f"{wanted} is not possible here: printed {other}")
            return other
        notes.append("two-sided is not possible at this printer: printed one-sided")
    return "one-sided" if "one-sided" in known else ""


def _color_mode(capabilities: Capabilities, notes: list[str], *, color: bool | None) -> str:
    if color and capabilities.color is False:
        notes.append("colour is not possible at this printer: printed in black")
        color = False
    if color is None:
        return ""
    for mode in _COLOR if color else _MONOCHROME:
        if mode in capabilities.color_modes:
            return mode
    if not color and capabilities.color and capabilities.color_modes:
        notes.append("this printer cannot be told to print in black only")
    return ""


def _source(wish: _Wish, capabilities: Capabilities, settings: PrinterConfig, notes: list[str]) -> str:
    """Choose the media-source; "" leaves it to the printer."""
    if wish.keyword in capabilities.sources:
        return wish.keyword
    source = wish.source
    if source is not None:
        for tray in trays(capabilities, settings):
            if tray.source == source:
                return tray.keyword
        if source in {_AUTOMATIC_FEED, _FORM_SOURCE, _CUSTOM_SOURCE}:
            return ""  # that is what they mean; Microsoft's samples say Custom where nobody chose a tray
        own = source - _FIRST_OWN_SOURCE
        if 0 <= own < len(capabilities.sources):
            return capabilities.sources[own]
    if wish.keyword or source is not None:
        name = wish.keyword or PAPER_SOURCES.get(source or 0, str(source))
        notes.append(f"tray {name} is not in this printer: printed from its default tray")
    return ""


def _media(
    wanted: Size | None,
    page_size: Size | None,
    capabilities: Capabilities,
    settings: PrinterConfig,
    notes: list[str],
) -> Media | None:
    """Choose the sheet among those the printer has; None leaves it to the printer."""
    known = [*capabilities.media, *(media for _, media in capabilities.media_ready)]
    if capabilities.media_default is not None:
        known.append(capabilities.media_default)
    if wanted is None:
        found = _same_sheet(page_size, known) if page_size else None
        return found or (capabilities.media_default if settings.paper else None)
    found = _same_sheet(wanted, known) or _custom(wanted, capabilities)
    if found is not None or not known:
        return found  # a printer that tells no sizes gets none: it would not know what to do with them
    default = capabilities.media_default or known[0]
    notes.append(f"paper {_paper_name(wanted)} is not in this printer: printed on {_paper_name(_size(default))}")
    return default


def _same_sheet(size: Size, known: Sequence[Media]) -> Media | None:
    """Find a sheet by size, held as asked or the other way round: which way it lies in the tray is the printer's matter."""
    for held in (size, (size[1], size[0])):
        for media in known:
            if is_same_size(held, _size(media)):
                return media
    return None


def _custom(size: Size, capabilities: Capabilities) -> Media | None:
    if capabilities.custom is None:
        return None
    least, most = capabilities.custom
    for width, height in (size, (size[1], size[0])):
        if least.width <= width <= most.width and least.height <= height <= most.height:
            return Media(width, height, custom_media_name((width, height)))
    return None


def _size(media: Media) -> Size:
    return media.width, media.height


def _paper_name(size: Size) -> str:
    kind = kind_of_size(size) or kind_of_size((size[1], size[0]))
    return kind.name if kind else f"{size[0] / 100:g} x {size[1] / 100:g} mm"
