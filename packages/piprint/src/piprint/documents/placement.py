"""Where a page lies on a label: turned, made smaller or larger, in its middle. Pure geometry, in dots.

Source: PWG 5100.16 (print-scaling). This module does not know PDF.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["MOST_MEASURED", "Placed", "place", "slack_of"]

MOST_MEASURED = 100_000
"""Pages of a document whose size is looked at; that takes three seconds."""
SLACK = 3.0
"""Millimetres a side of a page may be longer than the label's and still be drawn at its own size; the printer leaves the edge out."""
SHARE = 0.02
"""The same, as a share of the label's side; the lesser counts: 3 mm are a quarter of a label that is 12 mm high."""


def slack_of(side: float, unit: float) -> float:
    """Return how much longer a page's side may be than the paper's.

    Args:
        side: the paper's.
        unit: how many of what ``side`` is counted in make a millimetre.
    """
    return min(SLACK * unit, SHARE * side)


@dataclass(frozen=True, slots=True)
class Placed:
    """How a page is drawn.

    Attributes:
        sheet: width and height of the bitmap, dots.
        page: width and height of the page on it, after turning.
        corner: where the page's upper left corner is; negative where it reaches beyond the sheet.
        quarters: quarter turns, clockwise.
    """

    sheet: tuple[int, int]
    page: tuple[int, int]
    corner: tuple[int, int]
    quarters: int


def place(page: tuple[float, float], sheet: Sequence[int] | None, scaling: str, *, unit: float) -> Placed:
    """Return how a page is drawn.

    A page that lies otherwise than the sheet is turned. At its own size the bitmap is the page's; a scaled page is drawn in the
    middle of a bitmap of the sheet's size.

    Args:
        page: its size at the printer's resolution, dots.
        sheet: the label's; None when not known.
        scaling: a keyword of print-scaling; "auto" makes a page smaller that is too large.
        unit: dots of a millimetre.
    """
    own = (max(1, round(page[0])), max(1, round(page[1])))
    if sheet is None:
        return Placed(own, own, (0, 0), 0)
    quarters = 0
    if own[0] != own[1] and sheet[0] != sheet[1] and (own[1] > own[0]) is not (sheet[1] > sheet[0]):
        own, quarters = (own[1], own[0]), 1
    # Sizes in dots are rounded: half a dot more is none.
    larger = any(mine > side + slack_of(side, unit) + 0.5 for mine, side in zip(own, sheet, strict=True))
    ratios = (sheet[0] / own[0], sheet[1] / own[1])
    if scaling == "fill":
        ratio = max(ratios)
    elif scaling == "fit" or (scaling != "none" and larger):
        ratio = min(ratios)
    else:
        return Placed(own, own, (0, 0), quarters)
    scaled = (max(1, round(own[0] * ratio)), max(1, round(own[1] * ratio)))
    corner = ((sheet[0] - scaled[0]) // 2, (sheet[1] - scaled[1]) // 2)
    return Placed((sheet[0], sheet[1]), scaled, corner, quarters)
