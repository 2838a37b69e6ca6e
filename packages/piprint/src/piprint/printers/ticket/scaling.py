"""What becomes of a page that is larger than its paper: made smaller, refused, or at least told. Nothing is cut silently.

Sources: PWG 5100.16 (print-scaling: auto, auto-fit, fill, fit, none).

This module does not know how pages are drawn, or how a printer is asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from piprint.documents.paper import kind_of_size
from piprint.documents.placement import slack_of
from piprint.errors import DocumentError
from piprint.printers.printer import Capabilities
from piprint.printers.ticket.notes import CARETAKER, Notes
from piprint.printers.ticket.offer import Size

__all__ = ["choose_scaling", "fits", "paper_name"]

_MILLIMETRE = 100
_SMALLER = ("auto", "auto-fit", "fit")
"""Keywords that make a page smaller that is too large, those first that leave the others as they are."""

_WORDS = re.compile("(?<=[A-Z0-9a-z])(?=[A-Z][a-z])")
"""Between the words of a name of .NET's, such as C6Envelope."""


def fits(page: Size, sheet: Size) -> bool:
    """Tell whether a page fits a sheet, held as it is or turned.

    It may be a little larger (:func:`piprint.documents.placement.slack_of`): 4 x 6 in on a label of 100 x 150 mm is printed as it is, so
    that bar codes keep their size.
    """
    most = [side + slack_of(side, _MILLIMETRE) for side in sheet]
    return any(width <= most[0] and height <= most[1] for width, height in (page, (page[1], page[0])))


def paper_name(size: Size) -> str:
    """Return a size as people say it: ``A4``, or ``100 x 150 mm``."""
    upright = (min(size), max(size))
    kind = kind_of_size(upright) or kind_of_size((upright[1], upright[0]))
    return _WORDS.sub(" ", kind.name) if kind else f"{size[0] / 100:g} x {size[1] / 100:g} mm"


def choose_scaling(
    wanted: str, pages: Sequence[Size], sheet: Size | None, capabilities: Capabilities, notes: Notes
) -> str:
    """Return the print-scaling keyword to send; "" leaves it to the printer.

    Args:
        wanted: what a rule or the printer's setting says; "" when none does.
        pages: the sizes of the document's pages.
        sheet: the paper; None when not known.
        capabilities: which keywords the printer knows, and which it uses of itself.
        notes: gets what people must know.

    Raises:
        DocumentError: the pages shall not be made smaller, and do not fit.
    """
    too_large = [page for page in pages if sheet is not None and not fits(page, sheet)]
    sizes = (
        ""
        if not too_large or sheet is None
        else f"{paper_name(too_large[0])}, larger than the paper ({paper_name(sheet)})"
    )
    if sizes and wanted == "none":
        raise DocumentError(
            f'the page is {sizes}, and the settings say that it must not be made smaller (scaling = "none"); load larger paper and '
            f"restart the job, or {CARETAKER}"
        )
    keyword = _sent(wanted, capabilities, large=bool(sizes)) if wanted or sizes else ""
    if wanted not in {"", "auto"} and not keyword:
        notes.add(
            f'This printer cannot be told how to scale a page, so scaling = "{wanted}" was left out and it does as it is set.',
            "print-scaling",
        )
    if sizes:
        notes.add(_told(sizes, keyword or capabilities.scaling_default), "print-scaling", "media", "media-col")
    if keyword == "fit" != wanted and len(too_large) < len(pages):
        notes.add("Smaller pages of the document were made larger: this printer does both or neither.", "print-scaling")
    return keyword


def _sent(wanted: str, capabilities: Capabilities, *, large: bool) -> str:
    known = capabilities.scalings
    if wanted in {"fit", "fill", "none"}:
        return wanted if wanted in known else ""
    if not wanted and capabilities.scaling_default in _SMALLER:
        return ""  # it does so by itself
    # "fit" makes a page that is smaller larger: only where one must become smaller.
    return next((keyword for keyword in _SMALLER if keyword in known and (large or keyword != "fit")), "")


def _told(sizes: str, keyword: str) -> str:
    """Say what became of a page that is too large.

    Args:
        sizes: the page's and the paper's.
        keyword: what the printer does with it; "" when it does not tell.
    """
    if keyword in _SMALLER:
        return f"The page is {sizes}, so it was made smaller to fit; bar codes on it are smaller, too."
    if keyword == "fill":
        return f"The page is {sizes}, so its edges may be missing; check the print."
    if keyword:
        return f"The page is {sizes}, and this printer does not make pages smaller, so a part may be missing; print it on larger paper."
    return f"The page is {sizes}, and this printer does not tell whether it makes pages smaller; check that nothing is missing."
