"""What is wanted of a job: what somebody chose in Business Central, else what the rules say. None or "": nobody said.

Business Central hands a job what the printer *offered* (``duplex``, ``color``, ``defaultcopies`` and the first tray): that is
no wish. Only what cannot come from our own offer was chosen by somebody: another tray, another paper, another number of copies.
A rule that shall win all the same says so (``force``).

This module does not know what the printer can do of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from piprint.config.settings import PrinterConfig, Rule
from piprint.config.wildcard import matches
from piprint.documents.paper import PAPER_KINDS, is_same_size, read_paper, source_by_name
from piprint.documents.payloads import JobPayload
from piprint.printers.printer import Capabilities
from piprint.printers.ticket.notes import Notes
from piprint.printers.ticket.offer import OfferedTray, Size, is_chosen, offered, trays

__all__ = ["ONE_SIDED", "TWO_SIDED", "Wish", "edge", "is_landscape", "row_of", "wished"]

ONE_SIDED = "one-sided"
TWO_SIDED = "two-sided"
"""Of a rule: both sides where the printer can; no keyword of IPP."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a job shall get.

    Attributes:
        copies: how many.
        sides: IPP keyword, or :data:`TWO_SIDED`.
        color: in colour, or not; "auto": in colour where the printer can.
        source: number of a .NET PaperSourceKind.
        keyword: IPP media-source, of a rule.
        size: the paper.
        scaling: IPP print-scaling keyword.
        ruled: which of these a rule says.
    """

    copies: int | None = None
    sides: str | None = None
    color: bool | Literal["auto"] | None = None
    source: int | None = None
    keyword: str = ""
    size: Size | None = None
    scaling: str = ""
    ruled: frozenset[str] = frozenset()


def wished(
    payload: JobPayload,
    capabilities: Capabilities,
    settings: PrinterConfig,
    rules: Sequence[Rule],
    *,
    printer_id: str,
    page_size: Size | None,
    notes: Notes,
) -> Wish:
    """Return what is wanted: what somebody chose, else what a rule says; a rule with ``force`` overrules both.

    Args:
        payload: what Business Central hands back.
        capabilities: what the printer can do, the settings laid over it.
        settings: the printer's.
        rules: all of them; of those that fit the job a later one wins.
        printer_id: for the rules.
        page_size: of the document's first page.
        notes: gets what could not be read, and what a rule overruled.
    """
    fitting = [rule for rule in rules if _fits(rule, payload, printer_id)]
    table = trays(capabilities, settings)
    chosen = _chosen(payload, capabilities, settings, page_size, notes)
    wish = Wish(scaling=settings.scaling or "")
    for rule in fitting:
        wish = wish if rule.force else _ruled(wish, rule, notes)
    wish = _over(wish, chosen, table, settings)
    for rule in fitting:
        if rule.force:
            forced = _ruled(wish, rule, notes)
            _tell_of_force(chosen, forced, rule, notes)
            wish = forced
    return wish


def _fits(rule: Rule, payload: JobPayload, printer_id: str) -> bool:
    return (
        matches(rule.printer, printer_id)
        and (rule.report is None or rule.report == payload.objectid)
        and (not rule.report_name or matches(rule.report_name, payload.objectname))
        and (not rule.company or matches(rule.company, payload.companyname))
    )


def _chosen(
    payload: JobPayload, capabilities: Capabilities, settings: PrinterConfig, page_size: Size | None, notes: Notes
) -> Wish:
    """Return what somebody chose: all that Business Central hands back and that cannot come from our own offer."""
    offer = offered(capabilities, settings)
    table = trays(capabilities, settings)
    source = payload.papertray.source if is_chosen(payload.papertray.source, table, settings) else None
    sides = None
    if payload.duplex is not None and payload.duplex != offer.duplex:
        sides = edge(payload, page_size) if payload.duplex else ONE_SIDED
    return Wish(
        copies=payload.copies if payload.copies != offer.copies else None,
        sides=sides,
        color=payload.color if payload.color != offer.color else None,
        source=source,
        size=_chosen_size(payload, source, table, notes),
    )


def _chosen_size(payload: JobPayload, source: int | None, table: Sequence[OfferedTray], notes: Notes) -> Size | None:
    """Return the paper somebody chose; None when it is the one we offer with the tray: then the tray decides."""
    tray = payload.papertray
    kind = PAPER_KINDS.get(tray.kind) if tray.kind is not None else None
    if tray.kind is not None and kind is None:
        notes.add(
            f"Business Central asks for paper kind {tray.kind}, which does not exist, so the paper was left to the printer.",
            "media",
            "media-col",
        )
    size = (tray.width, tray.height) if tray.width and tray.height else kind.size if kind else None
    offer = next((row.size for row in table if row.source == source), table[0].size)
    return None if size is None or is_same_sheet(size, offer) else size


def _ruled(wish: Wish, rule: Rule, notes: Notes) -> Wish:
    """Return the wish as a rule leaves it."""
    said = {
        name: value for name in ("copies", "sides", "color", "scaling") if (value := getattr(rule, name)) is not None
    }
    wish = replace(wish, ruled=wish.ruled.union(said), **said)
    if rule.tray:
        wish = replace(wish, source=source_by_name(rule.tray), keyword=rule.tray)
    if rule.paper:
        size = read_paper(rule.paper)
        if size is None:
            notes.add(f'A rule asks for paper "{rule.paper}", which is no size; write A4, Letter or 100x150mm.')
        else:
            wish = replace(wish, size=size)
    return wish


def _over(ruled: Wish, chosen: Wish, table: Sequence[OfferedTray], settings: PrinterConfig) -> Wish:
    """Lay what somebody chose over what the rules say. Tray and paper go together: who chose one did not choose the rule's other."""
    wish = ruled
    for name in ("copies", "sides", "color"):
        if (value := getattr(chosen, name)) is not None:
            wish = replace(wish, ruled=wish.ruled - {name}, **{name: value})
    if chosen.source is not None:
        return replace(wish, source=chosen.source, keyword="", size=chosen.size)
    if chosen.size is None:
        return wish
    row = row_of(ruled, table, settings)
    if row is None or not is_same_sheet(row.size, chosen.size):  # the printer would stop and ask for paper in that tray
        wish = replace(wish, source=None, keyword="")
    return replace(wish, size=chosen.size)


def _tell_of_force(chosen: Wish, forced: Wish, rule: Rule, notes: Notes) -> None:
    """Say which of somebody's choices a rule overruled."""
    overruled = [
        words
        for words, said, one, other in (
            ("the number of copies", rule.copies is not None, chosen.copies, forced.copies),
            ("the sides of the paper", rule.sides is not None, chosen.sides, forced.sides),
            ("colour or black", rule.color is not None, chosen.color, forced.color),
            ("the tray", bool(rule.tray), chosen.source, forced.source),
            ("the paper", bool(rule.paper), chosen.size, forced.size),
        )
        if said and one is not None and one != other
    ]
    for words in overruled:
        notes.add(f"A rule of the print processor decides about {words} here, so what was chosen did not count.")


def row_of(wish: Wish, table: Sequence[OfferedTray], settings: PrinterConfig) -> OfferedTray | None:
    """Return the line of the tray that is wished for; None when there is none, no such, or it is the printer's own choice."""
    named = next((row for row in table if wish.keyword and row.keyword == wish.keyword), None)
    row = named or next((row for row in table if row.source == wish.source), None)
    return row if row is not None and is_chosen(row.source, table, settings) else None


def edge(payload: JobPayload, page_size: Size | None) -> str:
    """Return which way the sheets are to be turned."""
    return "two-sided-short-edge" if is_landscape(payload, page_size) else "two-sided-long-edge"


def is_landscape(payload: JobPayload, page_size: Size | None) -> bool:
    """Tell whether the pages are to be read across: the pages themselves decide, Business Central where they are not known."""
    if page_size is not None:
        return page_size[0] > page_size[1]
    return bool(payload.papertray.landscape)


def is_same_sheet(one: Size, other: Size) -> bool:
    """Tell whether two sizes are the same sheet, whichever way it lies."""
    return is_same_size(one, other) or is_same_size((one[1], one[0]), other)
