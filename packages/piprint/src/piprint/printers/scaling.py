"""What becomes of a page that is larger than its paper: made smaller, refused, or at least told. Nothing is cut silently.

Sources: PWG 5100.16 (print-scaling: auto, auto-fit, fill, fit, none).

This module does not know how pages are drawn, or how a printer is asked.
"""

from __future__ import annotations

from collections.abc import Iterable

from piprint.document_place import SLACK
from piprint.errors import DocumentError
from piprint.paper import kind_of_size
from piprint.printers.offer import Size
from piprint.printers.printer import Capabilities

__all__ = ["TOLERANCE", "choose_scaling", "fits", "paper_name"]

TOLERANCE = round(SLACK * 100)
"""Hundredths of a millimetre a page may be larger than its paper and still be printed as it is: 4 x 6 in on a label of 100 x
150 mm. Margins are wider than that, and bar codes keep their size."""

_SMALLER = ("auto", "auto-fit", "fit")
"""Keywords that make a page smaller that is too large, those first that leave the others as they are."""


def fits(page: Size, sheet: Size) -> bool:
    """Tell whether a page fits a sheet, held as it is or turned."""
    return any(
        width <= sheet[0] + TOLERANCE and height <= sheet[1] + TOLERANCE for width, height in (page, (page[1], page[0]))
    )


def paper_name(size: Size) -> str:
    """Return a size as people say it: ``A4``, or ``100 x 150 mm``."""
    upright = (min(size), max(size))
    kind = kind_of_size(upright) or kind_of_size((upright[1], upright[0]))
    return kind.name if kind else f"{size[0] / 100:g} x {size[1] / 100:g} mm"


def choose_scaling(
    wanted: str, pages: Iterable[Size], sheet: Size | None, capabilities: Capabilities, notes: list[str]
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
    large = next((page for page in pages if sheet is not None and not fits(page, sheet)), None)
    sizes = (
        "" if large is None or sheet is None else f"{paper_name(large)}, larger than the paper ({paper_name(sheet)})"
    )
    if large and wanted == "none":
        raise DocumentError(
            f'the page is {sizes}, and scaling = "none" says that it must not be made smaller; '
            'load larger paper, or write scaling = "auto", then restart the job'
        )
    keyword = _sent(wanted, capabilities) if wanted or large else ""
    if wanted and not keyword:
        notes.append(
            f'This printer cannot be told how to scale a page, so scaling = "{wanted}" was left out and it does as it is set.'
        )
    if large:
        notes.append(_told(sizes, keyword or capabilities.scaling_default))
    return keyword


def _sent(wanted: str, capabilities: Capabilities) -> str:
    known = capabilities.scalings
    if wanted in {"fit", "fill", "none"}:
        return wanted if wanted in known else ""
    if not wanted and capabilities.scaling_default in _SMALLER:
        return ""  # it does so by itself
    return next((keyword for keyword in _SMALLER if keyword in known), "")


def _told(sizes: str, keyword: str) -> str:
    if keyword in _SMALLER:
        return f"The page is {sizes}, so it was made smaller to fit; bar codes on it are smaller, too."
    if keyword == "fill":
        return f"The page is {sizes}, so its edges may be missing; check the print."
    return f"The page is {sizes}, and this printer does not tell whether it makes pages smaller; check that nothing is missing."
