"""What a job gets at its printer: the user's choice, overruled by rules, else what the printer is set to; never what it merely can.

Business Central hands a job what the printer *offered* (``duplex``, ``color``, ``defaultcopies`` and the first tray): that is
no wish. Only what cannot come from our own offer was chosen by somebody: another tray, another paper, "not in colour" of a
printer that was offered with colour. docs/reference/print-matrix.md shows every case, and is tested.

What a printer cannot do is replaced by what it can, and told: a printer refuses a job over one unsupported value (IPP
0x040b), CUPS swallows it silently, and neither helps the person waiting for paper.

Sources: PWG 5100.7 (media-col), RFC 8011 5.2 (copies, sides, orientation-requested), PWG 5100.13 (print-color-mode), PWG
5101.1 (media names).

This module does not know IPP's encoding, and not where capabilities come from; what the configuration says of them is laid
over them by :mod:`piprint.printers.capabilities`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from piprint.config import PrinterConfig, Rule
from piprint.contract import PDF, ZPL
from piprint.paper import PAPER_KINDS, PAPER_SOURCES, custom_media_name, is_same_size, read_paper, source_by_name
from piprint.payloads import JobPayload
from piprint.printers.capabilities import with_settings
from piprint.printers.offer import (
    CUSTOM_SOURCE,
    FIRST_OWN_SOURCE,
    FORM_SOURCE,
    OfferedTray,
    Size,
    is_chosen,
    offered,
    size_of,
    trays,
)
from piprint.printers.printer import Capabilities, Media, Ticket
from piprint.printers.scaling import choose_scaling, paper_name
from piprint.printers.wildcard import matches

__all__ = ["make_ticket"]

MOST_COPIES = 999
"""Of a printer that does not tell its most; more is a slip of the finger."""

_ONE_SIDED = "one-sided"
_LANDSCAPE = 4
"""orientation-requested, RFC 8011 5.2.10."""
_MONOCHROME = ("monochrome", "auto-monochrome", "process-monochrome", "bi-level")
_COLOR = ("color", "auto")
_WIDEST_LABEL = 11000
"""Hundredths of a millimetre: the print heads of most label printers are 104 mm wide."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a job shall get: the user's choice, overruled by the rules. None or "": nobody said.

    Attributes:
        copies: how many.
        sides: IPP keyword.
        color: in colour, or not.
        source: number of a .NET PaperSourceKind.
        keyword: IPP media-source, of a rule.
        size: the paper.
        scaling: IPP print-scaling keyword.
    """

    copies: int | None
    sides: str | None
    color: bool | None
    source: int | None
    keyword: str
    size: Size | None
    scaling: str


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
    page_sizes: Sequence[Size] = (),
) -> tuple[Ticket, list[str]]:
    """Say how a job shall be printed, in nothing but what the printer can do.

    Args:
        name: the job's name at the printer.
        payload: what Business Central hands back.
        capabilities: what the printer told.
        settings: what the configuration says of it.
        rules: all rules; those that fit the job are applied in their order, so a later one wins.
        printer_id: for the rules.
        page_size: width and height of the document's first page in hundredths of a millimetre; None when not known.
        pages: of the document; None when not known.
        page_sizes: every size that pages of the document have; the first page's when left out.

    Returns:
        the ticket, and what was replaced or left out, as sentences for people.

    Raises:
        DocumentError: it does not fit the paper, and must not be made smaller.
    """
    notes = list(payload.notes)
    capabilities = with_settings(capabilities, settings)
    fitting = [rule for rule in rules if _fits(rule, payload, printer_id)]
    wish = _wish(payload, capabilities, settings, page_size, notes)
    for rule in fitting:
        wish = _ruled(wish, rule, notes)
    row = _row(wish, trays(capabilities, settings))
    told = capabilities.media or capabilities.media_ready or capabilities.media_default
    paper = wish.size or (row.size if row and told else None)
    # Pages that lie across say so themselves, and filters turn them; pages that do not must not be turned.
    across = payload.papertray.landscape and _is_landscape(payload, page_size)
    media = _media(paper, page_size, capabilities, settings, notes)
    ticket = Ticket(
        name=name,
        format=_format(capabilities, settings, notes, labels=payload.documenttype == ZPL),
        copies=_copies(wish.copies, capabilities, notes),
        sides=_sides(wish.sides, capabilities, pages, notes),
        # A colour printer that shall count as one without must be told so.
        color_mode=_color_mode(
            capabilities, notes, color=False if wish.color is None and settings.color is False else wish.color
        ),
        source=_source(wish, capabilities, settings, notes),
        media=media,
        orientation=_LANDSCAPE if across and _LANDSCAPE in capabilities.orientations else None,
        scaling=_scaling(
            wish.scaling, media, page_sizes or ([page_size] if page_size else []), capabilities, settings, notes
        ),
    )
    return ticket, notes


def _fits(rule: Rule, payload: JobPayload, printer_id: str) -> bool:
    return (
        matches(rule.printer, printer_id)
        and (rule.report is None or rule.report == payload.objectid)
        and (not rule.report_name or matches(rule.report_name, payload.objectname))
        and (not rule.company or matches(rule.company, payload.companyname))
    )


def _wish(
    payload: JobPayload,
    capabilities: Capabilities,
    settings: PrinterConfig,
    page_size: Size | None,
    notes: list[str],
) -> _Wish:
    """Return what somebody chose: all that Business Central hands back and that cannot come from our own offer."""
    offer = offered(capabilities, settings)
    table = trays(capabilities, settings)
    source = payload.papertray.source if is_chosen(payload.papertray.source, table, settings) else None
    sides = None
    if payload.duplex is not None and payload.duplex != offer.duplex:
        edge = "two-sided-short-edge" if _is_landscape(payload, page_size) else "two-sided-long-edge"
        sides = edge if payload.duplex else _ONE_SIDED
    return _Wish(
        copies=payload.copies if payload.copies != offer.copies else None,
        sides=sides,
        color=payload.color if payload.color != offer.color else None,
        source=source,
        keyword="",
        size=_chosen_size(payload, source, table, notes),
        scaling=settings.scaling or "",
    )


def _chosen_size(
    payload: JobPayload, source: int | None, table: Sequence[OfferedTray], notes: list[str]
) -> Size | None:
    """Return the paper somebody chose; None when it is the one we offer with the tray: then the tray decides."""
    tray = payload.papertray
    kind = PAPER_KINDS.get(tray.kind) if tray.kind is not None else None
    if tray.kind is not None and kind is None:
        notes.append(
            f"Business Central asks for paper kind {tray.kind}, which does not exist, so the paper was left to the printer."
        )
    size = (tray.width, tray.height) if tray.width and tray.height else kind.size if kind else None
    offer = next((row.size for row in table if row.source == source), table[0].size)
    return None if size is None or _is_same_sheet(size, offer) else size


def _ruled(wish: _Wish, rule: Rule, notes: list[str]) -> _Wish:
    """Return the wish as a rule leaves it."""
    if rule.copies is not None:
        wish = replace(wish, copies=rule.copies)
    if rule.sides is not None:
        wish = replace(wish, sides=rule.sides)
    if rule.color is not None:
        wish = replace(wish, color=rule.color)
    if rule.scaling is not None:
        wish = replace(wish, scaling=rule.scaling)
    if rule.tray:
        wish = replace(wish, source=source_by_name(rule.tray), keyword=rule.tray)
    if rule.paper:
        size = read_paper(rule.paper)
        if size is None:
            notes.append(f'A rule asks for paper "{rule.paper}", which is no size; write A4, Letter or 100x150mm.')
        else:
            wish = replace(wish, size=size)
    return wish


def _row(wish: _Wish, table: Sequence[OfferedTray]) -> OfferedTray | None:
    """Return the line of the tray that is wished for; None when there is none, or no such."""
    named = next((row for row in table if wish.keyword and row.keyword == wish.keyword), None)
    return named or next((row for row in table if row.source == wish.source), None)


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
    notes.append(f"The printer does not say that it takes {choices[0]}; it was sent all the same.")
    return choices[0]


def _copies(wanted: int | None, capabilities: Capabilities, notes: list[str]) -> int:
    most = MOST_COPIES if capabilities.copies is None else max(capabilities.copies, 1)
    if wanted is not None and wanted > most:
        made = "1 was" if most == 1 else f"{most} were"
        notes.append(
            f"{wanted} copies were asked for, and this printer makes {most} at most, so {made} printed. "
            "Print the others with further jobs."
        )
    return min(max(wanted or capabilities.copies_default, 1), most)


def _sides(wanted: str | None, capabilities: Capabilities, pages: int | None, notes: list[str]) -> str:
    """Choose sides; "" leaves them to the printer, if it told what it does then. Else one-sided is said: nobody asked for backs."""
    known = capabilities.sides
    if not wanted:
        if capabilities.sides_default in known and known:
            return ""
        return _ONE_SIDED if _ONE_SIDED in known else ""
    if wanted in known:
        return wanted
    if wanted != _ONE_SIDED and pages != 1:
        other = next((keyword for keyword in known if keyword.startswith("two-sided")), "")
        if other:
            notes.append(f"This printer cannot turn the sheets as asked ({wanted}), so it was printed {other}.")
            return other
        notes.append(
            "Both sides were asked for, and this printer prints one side only, so it was printed one-sided. "
            "Choose another printer, or change the rule."
        )
    return _ONE_SIDED if _ONE_SIDED in known else ""


def _color_mode(capabilities: Capabilities, notes: list[str], *, color: bool | None) -> str:
    if color and capabilities.color is False:
        notes.append("Colour was asked for, and this printer has none, so it was printed in black.")
        color = False
    if color is None:
        return ""
    for mode in _COLOR if color else _MONOCHROME:
        if mode in capabilities.color_modes:
            return mode
    if capabilities.color_modes and (color or capabilities.color):
        asked = "in colour" if color else "in black only"
        notes.append(f"This printer cannot be told to print {asked}, so it printed as it is set.")
    return ""


def _source(wish: _Wish, capabilities: Capabilities, settings: PrinterConfig, notes: list[str]) -> str:
    """Choose the media-source; "" leaves it to the printer."""
    keyword = _tray(wish, capabilities, settings, notes)
    if keyword and not capabilities.media_col:
        notes.append(
            f"This printer cannot be told to take paper from tray {keyword}, so it came from where the printer takes it by itself."
        )
        return ""
    return keyword


def _tray(wish: _Wish, capabilities: Capabilities, settings: PrinterConfig, notes: list[str]) -> str:
    """Return the keyword of the tray that is wished for; "" when there is none, or no such."""
    if wish.keyword in capabilities.sources:
        return wish.keyword
    source = wish.source
    if source is not None:
        for tray in trays(capabilities, settings):
            if tray.source == source:
                return tray.keyword
        if source in {FORM_SOURCE, CUSTOM_SOURCE}:
            return ""  # of a rule: the printer's own choice
        own = source - FIRST_OWN_SOURCE
        if 0 <= own < len(capabilities.sources):
            return capabilities.sources[own]
    if wish.keyword or source is not None:
        name = wish.keyword or PAPER_SOURCES.get(source or 0, str(source))
        notes.append(
            f"Tray {name} is not in this printer, so the paper came from where the printer takes it by itself."
        )
    return ""


def _media(
    wanted: Size | None,
    page_size: Size | None,
    capabilities: Capabilities,
    settings: PrinterConfig,
    notes: list[str],
) -> Media | None:
    """Choose the sheet; None leaves it to the printer.

    Where nobody chose, the document's own size is taken if such paper is loaded; that the printer could take it is not enough:
    it would stop and ask for it.
    """
    ready = [media for _, media in capabilities.media_ready]
    known = [*capabilities.media, *ready]
    if capabilities.media_default is not None:
        known.append(capabilities.media_default)
    if wanted is None:
        found = _same_sheet(page_size, ready) if page_size else None
        return found or (capabilities.media_default if settings.paper else None)
    found = _same_sheet(wanted, known) or _custom(wanted, capabilities)
    if found is not None:
        return found
    if not known:  # it would not know what to do with a size
        notes.append(
            f"Paper {paper_name(wanted)} was asked for, and this printer does not tell which papers it has, so it was left to "
            f'the printer. Write paper = ["{paper_name(wanted).replace(" ", "")}"] under this printer in the settings.'
        )
        return None
    default = capabilities.media_default or known[0]
    notes.append(
        f"Paper {paper_name(wanted)} was asked for and is not in this printer, so it was printed on {paper_name(size_of(default))}."
    )
    return default


def _scaling(
    wanted: str,
    media: Media | None,
    pages: Sequence[Size],
    capabilities: Capabilities,
    settings: PrinterConfig,
    notes: list[str],
) -> str:
    """Choose the scaling; see :func:`piprint.printers.scaling.choose_scaling`."""
    if settings.language == "raw":
        return ""  # it is not known what the bytes mean
    sheet = media or capabilities.media_default
    if sheet is None and settings.language == "zpl" and (large := _too_wide(pages)):
        notes.append(
            f"The page is {paper_name(large)}, and the size of the labels is not known here, so a part may be missing. "
            f'Write paper = ["100x150mm"], or what the labels have, under this printer in the settings.'
        )
    return choose_scaling(wanted, pages, size_of(sheet) if sheet else None, capabilities, notes)


def _too_wide(pages: Iterable[Size]) -> Size | None:
    return next((page for page in pages if min(page) > _WIDEST_LABEL), None)


def _same_sheet(size: Size, known: Sequence[Media]) -> Media | None:
    """Find a sheet by size, held as asked or the other way round: which way it lies in the tray is the printer's matter."""
    for held in (size, (size[1], size[0])):
        for media in known:
            if is_same_size(held, size_of(media)):
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


def _is_same_sheet(one: Size, other: Size) -> bool:
    return is_same_size(one, other) or is_same_size((one[1], one[0]), other)
