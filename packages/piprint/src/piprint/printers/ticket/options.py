"""What a job gets at its printer: the user's choice, else a rule's, else what the printer is set to; never what it merely can.

What is wanted is found out by :mod:`piprint.printers.ticket.requested`. Here it becomes what the printer can do: a printer refuses a job over one
unsupported value (IPP 0x040b), CUPS swallows it silently, and neither helps the person waiting for paper. What was replaced is
told. docs/reference/print-matrix.md shows every case, and is tested.

Sources: PWG 5100.7 (media-col), RFC 8011 5.2 (copies, sides, orientation-requested), PWG 5100.13 (print-color-mode), PWG
5101.1 (media names).

This module does not know IPP's encoding, and not where capabilities come from; what the configuration says of them is laid
over them by :mod:`piprint.printers.capabilities`.
"""

from __future__ import annotations

from collections.abc import Sequence

from piprint.config.settings import PrinterConfig, Rule
from piprint.contract import PDF, ZPL
from piprint.documents.paper import PAPER_SOURCES, custom_media_name, is_same_size
from piprint.documents.payloads import JobPayload
from piprint.documents.placement import MOST_MEASURED
from piprint.printers.capabilities import with_settings
from piprint.printers.printer import Capabilities, Media, Ticket
from piprint.printers.ticket.notes import CARETAKER, Notes
from piprint.printers.ticket.offer import CUSTOM_SOURCE, FIRST_OWN_SOURCE, FORM_SOURCE, Size, size_of, trays
from piprint.printers.ticket.requested import ONE_SIDED, TWO_SIDED, Wish, edge, is_landscape, row_of, wished
from piprint.printers.ticket.scaling import choose_scaling, fits, paper_name

__all__ = ["make_ticket"]

MOST_COPIES = 999
"""Of a printer that does not tell its most; more is a slip of the finger."""

_LANDSCAPE = 4
"""orientation-requested, RFC 8011 5.2.10."""
_MONOCHROME = ("monochrome", "auto-monochrome", "process-monochrome", "bi-level")
_COLOR = ("color", "auto")
_PAPER = ("media", "media-col")
"""The attributes that say which paper."""


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
    notes = Notes()
    for text in payload.notes:
        notes.add(text)
    capabilities = with_settings(capabilities, settings)
    wish = wished(payload, capabilities, settings, rules, printer_id=printer_id, page_size=page_size, notes=notes)
    row = row_of(wish, trays(capabilities, settings), settings)
    told = capabilities.media or capabilities.media_ready or capabilities.media_default
    paper = wish.size or (row.size if row and told else None)
    # Pages that lie across say so themselves, and filters turn them; pages that do not must not be turned.
    across = payload.papertray.landscape and is_landscape(payload, page_size)
    media = _media(paper, page_size, capabilities, settings, notes)
    ticket = Ticket(
        name=name,
        format=_format(capabilities, settings, notes, labels=payload.documenttype == ZPL),
        copies=_copies(wish.copies, capabilities, notes),
        sides=_sides(wish, edge(payload, page_size), capabilities, settings, pages, notes),
        color_mode=_color_mode(wish, capabilities, settings, notes),
        source=_source(wish, capabilities, settings, notes),
        media=media,
        orientation=_LANDSCAPE if across and _LANDSCAPE in capabilities.orientations else None,
        scaling=_scaling(
            wish.scaling, media, page_sizes or ([page_size] if page_size else []), capabilities, settings, notes
        ),
        notes=tuple(notes.told),
    )
    if pages is not None and pages > MOST_MEASURED:
        notes.add(
            f"Only the first {MOST_MEASURED} pages were looked at for their size; check that nothing is missing on the others."
        )
    return ticket, notes.texts


def _format(capabilities: Capabilities, settings: PrinterConfig, notes: Notes, *, labels: bool) -> str:
    known = capabilities.formats
    choices = [PDF, "application/octet-stream"]
    if labels or settings.language == "raw":
        choices = [*([ZPL] if labels else []), "application/vnd.cups-raw", "application/octet-stream"]
    if not known:
        return choices[0] if choices[0] == PDF else choices[-1]
    for choice in choices:
        if choice in known:
            return choice
    notes.add(f"The printer does not say that it takes {choices[0]}; it was sent all the same.")
    return choices[0]


def _copies(wanted: int | None, capabilities: Capabilities, notes: Notes) -> int:
    most = MOST_COPIES if capabilities.copies is None else max(capabilities.copies, 1)
    if wanted is not None and wanted > most:
        made = "1 was" if most == 1 else f"{most} were"
        notes.add(
            f"{wanted} copies were asked for, and this printer makes {most} at most, so {made} printed. "
            "Print the others with further jobs.",
            "copies",
        )
    return min(max(wanted or capabilities.copies_default, 1), most)


def _sides(
    wish: Wish, turned: str, capabilities: Capabilities, settings: PrinterConfig, pages: int | None, notes: Notes
) -> str:
    """Choose sides; "" leaves them to the printer, if it told what it does then. Else one-sided is said: nobody asked for backs.

    Args:
        wish: what is wanted. What no rule wants needs no word: Business Central has no place to choose sides, so the printer was
            offered with them once.
        turned: which way the pages of this document are to be turned.
        capabilities: what the printer can.
        settings: the printer's; ``duplex = true`` says that it can, and leaves it to the printer, too.
        pages: of the document.
        notes: gets what people must know.
    """
    known, wanted = capabilities.sides, wish.sides
    other = next((keyword for keyword in known if keyword.startswith(TWO_SIDED)), "")
    if wanted == TWO_SIDED:
        wanted = turned if other and pages != 1 else None
    own = ONE_SIDED if ONE_SIDED in known else ""
    if not wanted:
        return "" if settings.duplex or (capabilities.sides_default in known and known) else own
    if wanted in known:
        return wanted
    ruled = "sides" in wish.ruled and settings.language == "pdf"  # labels have one side
    if wanted == ONE_SIDED:
        if ruled and not known:
            notes.add("This printer cannot be told to print one side only, so it printed as it is set.", "sides")
        return own
    if pages == 1:
        return own
    if other:
        asked, done = ("short", "long") if "short" in wanted else ("long", "short")
        notes.add(
            f"The sheets were to be turned at the {asked} edge, and this printer can do so at the {done} edge only; the backs may "
            "stand upside down.",
            "sides",
        )
        return other
    if ruled and known:
        notes.add(
            "A rule asks for both sides, and this printer prints one side only, so it was printed one-sided. Choose another printer, "
            f"or {CARETAKER} to change the rule.",
            "sides",
        )
    elif ruled:
        notes.add(
            "A rule asks for both sides, and this printer does not tell whether it can print them, so it printed as it is set. If it "
            f"can, {CARETAKER} to write duplex = true under this printer in the settings.",
            "sides",
        )
    return own


def _color_mode(wish: Wish, capabilities: Capabilities, settings: PrinterConfig, notes: Notes) -> str:
    """Choose colour or black; "" leaves it to the printer. As with sides, only what a rule wants needs a word if it cannot be."""
    color = wish.color
    if color == "auto":
        color = None if capabilities.color is False else True
    elif color and capabilities.color is False:
        if "color" in wish.ruled:
            notes.add(
                "A rule asks for colour, and this printer has none, so it was printed in black.", "print-color-mode"
            )
        color = False
    if color is None and settings.color is False:  # a colour printer that shall count as one without must be told so
        color = False
    if color is None:
        return ""
    for mode in _COLOR if color else _MONOCHROME:
        if mode in capabilities.color_modes:
            return mode
    if color and wish.color != "auto":
        notes.add("This printer cannot be told to print in colour, so it printed as it is set.", "print-color-mode")
    elif not color and (capabilities.color is not False or capabilities.may_have_color):
        notes.add("This printer cannot be told to print in black only, so it printed as it is set.", "print-color-mode")
    return ""


def _source(wish: Wish, capabilities: Capabilities, settings: PrinterConfig, notes: Notes) -> str:
    """Choose the media-source; "" leaves it to the printer."""
    keyword = _tray(wish, capabilities, settings, notes)
    if keyword and not capabilities.media_col:
        name = keyword.replace("-", " ")
        notes.add(
            f"This printer cannot be told to take paper from {name if name.startswith('tray') else f'tray {name}'}, so it came from "
            "where the printer takes it by itself.",
            "media-col",
        )
        return ""
    return keyword


def _tray(wish: Wish, capabilities: Capabilities, settings: PrinterConfig, notes: Notes) -> str:
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
        notes.add(
            f"Tray {name} is not in this printer, so the paper came from where the printer takes it by itself.",
            "media-col",
        )
    return ""


def _media(
    wanted: Size | None, page_size: Size | None, capabilities: Capabilities, settings: PrinterConfig, notes: Notes
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
        only = capabilities.media_default if len(settings.paper) == 1 else None
        return found or only or (_label(page_size, ready) if settings.language == "zpl" and page_size else None)
    found = _same_sheet(wanted, known) or _custom(wanted, capabilities)
    if found is not None:
        return found
    if not known:  # it would not know what to do with a size
        name = paper_name(wanted).replace(" ", "")
        listed = ", ".join(f'"{each}"' for each in dict.fromkeys(["A4", name]))
        notes.add(
            f"Paper {paper_name(wanted)} was asked for, and this printer does not tell which papers it has, so it was left to the "
            f"printer. For the next time, {CARETAKER} to write all papers it has under this printer in the settings, such as "
            f"paper = [{listed}].",
            *_PAPER,
        )
        return None
    default = capabilities.media_default
    instead = f"it was printed on {paper_name(size_of(default))}" if default else "the paper was left to the printer"
    notes.add(f"Paper {paper_name(wanted)} was asked for and is not in this printer, so {instead}.", *_PAPER)
    return default


def _label(page: Size, ready: Sequence[Media]) -> Media | None:
    """Return the label a page is drawn for: the smallest that it fits, else the largest."""
    by_size = sorted(ready, key=_area)
    return next((media for media in by_size if fits(page, size_of(media))), by_size[-1] if by_size else None)


def _area(media: Media) -> int:
    return media.width * media.height


def _scaling(
    wanted: str,
    media: Media | None,
    pages: Sequence[Size],
    capabilities: Capabilities,
    settings: PrinterConfig,
    notes: Notes,
) -> str:
    """Choose the scaling; see :func:`piprint.printers.ticket.scaling.choose_scaling`."""
    if settings.language == "raw":  # it is not known what the bytes mean
        if wanted:
            notes.add(f'This printer is given documents as they are, so scaling = "{wanted}" was left out.')
        return ""
    sheet = media or capabilities.media_default
    if sheet is None:  # what is larger than all of them is larger than the one that is taken
        sheet = max((ready for _, ready in capabilities.media_ready), key=_area, default=None)
    if sheet is None and settings.language == "zpl" and pages:
        notes.add(
            f"The size of the labels is not known here, so nobody checked that the page ({paper_name(pages[0])}) fits; a part may be "
            f'missing. For the next time, {CARETAKER} to write paper = ["100x150mm"], or what the labels have, under this printer '
            "in the settings."
        )
    return choose_scaling(wanted, pages, size_of(sheet) if sheet else None, capabilities, notes)


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
