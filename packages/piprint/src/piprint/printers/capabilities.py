"""What IPP attributes say about a printer and its jobs, and what the configuration says instead. Pure functions.

A CUPS queue without a driver tells no paper, no trays and no sides; what a printer says of its paper may be wrong. So the
settings of a printer (``[[printers]]``) are laid over what it told, here and nowhere else: :func:`with_settings`.

Sources: RFC 8011 sections 5.3 and 5.4, PWG 5100.7 (media-col), PWG 5100.13 (print-color-mode), PWG 5100.16
(print-scaling), PWG 5101.1 (names of media).

This module does not know how attributes came here, or Business Central's papers and trays.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from piprint.config.settings import PrinterConfig
from piprint.documents.paper import media_name, media_size, read_paper
from piprint.ipp.codec import Group
from piprint.ipp.registry import Operation
from piprint.printers.printer import Capabilities, JobStatus, Media, PrinterState, PrinterStatus, SpoolerState

__all__ = [
    "CAPABILITY_ATTRIBUTES",
    "JOB_ATTRIBUTES",
    "STATUS_ATTRIBUTES",
    "capabilities_told",
    "holds",
    "is_held",
    "job_told",
    "status_told",
    "with_settings",
]

CAPABILITY_ATTRIBUTES = (
    "color-supported",
    "copies-default",
    "copies-supported",
    "document-format-supported",
    "job-hold-until-supported",
    "media-col-ready",
    "media-col-supported",
    "media-default",
    "media-ready",
    "media-size-supported",
    "media-source-supported",
    "media-supported",
    "operations-supported",
    "orientation-requested-supported",
    "print-color-mode-supported",
    "print-scaling-default",
    "print-scaling-supported",
    "printer-make-and-model",
    "sides-default",
    "sides-supported",
)
"""What :func:`capabilities_told` reads."""

STATUS_ATTRIBUTES = (
    "printer-is-accepting-jobs",
    "printer-state",
    "printer-state-message",
    "printer-state-reasons",
    "printer-up-time",
)
"""What :func:`status_told` reads."""

JOB_ATTRIBUTES = (
    "job-hold-until",
    "job-id",
    "job-impressions-completed",
    "job-k-octets-processed",
    "job-media-sheets-completed",
    "job-name",
    "job-printer-state-message",
    "job-printer-up-time",
    "job-state",
    "job-state-message",
    "job-state-reasons",
    "job-uuid",
    "number-of-documents",
    "time-at-processing",
)
"""What :func:`job_told` and :func:`is_held` read."""

_SIDES = ("one-sided", "two-sided-long-edge", "two-sided-short-edge")
_COLOURFUL = frozenset({"color", "auto", "process-color"})
_HELD_BY_US = "job-hold-until-specified"
_NEAR = 100
"""Hundredths of a millimetre within which a size told in numbers is a size told by name."""
_ROUNDING = 5
"""The same, for sizes that are the same but for how they were rounded."""
_COUNTS = ("job-impressions-completed", "job-media-sheets-completed", "job-k-octets-processed")
"""What a printer counts while it prints a job (RFC 8011 5.3.18)."""
_INCOMPLETE = frozenset({"job-incoming", "job-data-insufficient"})


def capabilities_told(printer: Group) -> Capabilities:
    """Read what a printer told of itself; see :class:`~piprint.printers.printer.Capabilities`."""
    copies = printer.ranges("copies-supported")
    media = _media(printer)
    default = _named(printer.texts("media-default"))
    by_name = {each.name: each for each in media}
    media_col = printer.texts("media-col-supported")
    operations = frozenset(printer.integers("operations-supported"))
    # A CUPS queue without a driver tells media-col-supported and print-scaling-supported, but hands the document on as it is: it tells
    # no media, either.
    knows = bool(printer.texts("media-supported"))
    return Capabilities(
        description=printer.text("printer-make-and-model"),
        formats=frozenset(printer.texts("document-format-supported")),
        media=media,
        # What CUPS calls ready is what the driver knows (measured, CUPS 2.4.2), not what lies in the trays.
        media_ready=() if Operation.CUPS_GET_PRINTERS in operations else _ready(printer, media),
        media_default=by_name.get(default[0].name, default[0]) if default else None,
        custom=_custom(printer),
        sources=printer.texts("media-source-supported"),
        sides=printer.texts("sides-supported"),
        sides_default=printer.text("sides-default"),
        scalings=printer.texts("print-scaling-supported") if knows else (),
        scaling_default=printer.text("print-scaling-default") if knows else "",
        color=printer.boolean("color-supported"),
        color_modes=printer.texts("print-color-mode-supported"),
        copies=max((each.upper for each in copies), default=None),
        copies_default=max(1, printer.integer("copies-default") or 1),
        orientations=printer.integers("orientation-requested-supported"),
        holds=holds(printer),
        media_col={"media-size", "media-source"} <= set(media_col) and knows,
        operations=operations,
    )


def holds(printer: Group) -> bool:
    """Tell whether a job can be made held and be let go later."""
    keeps = "indefinite" in printer.texts("job-hold-until-supported")
    return keeps and Operation.RELEASE_JOB in printer.integers("operations-supported")


def status_told(printer: Group) -> PrinterStatus:
    """Read how a printer is; a state it does not tell counts as idle, so that it is tried."""
    accepting = printer.boolean("printer-is-accepting-jobs")
    state = printer.integer("printer-state")
    return PrinterStatus(
        state=PrinterState(state) if state in set(PrinterState) else PrinterState.IDLE,
        reasons=_reasons(printer.texts("printer-state-reasons")),
        message=_line(printer.text("printer-state-message")),
        accepting=accepting is not False,
        up_time=printer.integer("printer-up-time"),
    )


def job_told(job: Group) -> JobStatus:
    """Read a job; a state that is not told or not known counts as pending: it is followed further."""
    state = job.integer("job-state")
    reasons = _reasons(job.texts("job-state-reasons"))
    # CUPS has the first, as it has no words of its own; printers have the second.
    messages = dict.fromkeys(
        filter(None, map(_line, (job.text("job-printer-state-message"), job.text("job-state-message"))))
    )
    # CUPS tells of a job that is held on purpose and has no document only that it is held.
    complete = _INCOMPLETE.isdisjoint(reasons) and job.integer("number-of-documents") != 0
    return JobStatus(
        id=job.integer("job-id") or 0,
        uuid=job.text("job-uuid"),
        name=job.text("job-name"),
        state=SpoolerState(state) if state in set(SpoolerState) else SpoolerState.PENDING,
        reasons=reasons,
        message="; ".join(messages),
        document_complete=complete,
        # Queues that count nothing tell 0.
        sheets=job.integer("job-impressions-completed") or None,
        begun=job.integer("time-at-processing"),
        progress=tuple(job.integer(name) or 0 for name in _COUNTS),
        up_time=job.integer("job-printer-up-time"),
    )


def is_held(job: Group) -> bool:
    """Tell whether the printer confirms that a job is held as we asked, and not only for want of its document."""
    asked = _HELD_BY_US in job.texts("job-state-reasons") or "indefinite" in job.texts("job-hold-until")
    return asked and job.integer("job-state") == SpoolerState.HELD


def with_settings(told: Capabilities, settings: PrinterConfig) -> Capabilities:
    """Lay what the configuration says about a printer over what it told itself."""
    changes: dict[str, object] = {}
    if papers := tuple(filter(None, map(_paper, settings.paper))):
        known = {(each.width, each.height) for each in told.media}
        changes["media"] = told.media + tuple(each for each in papers if (each.width, each.height) not in known)
        changes["media_ready"] = tuple(("", each) for each in papers)
        listed = {(each.width, each.height) for each in papers}
        own = told.media_default
        if len(papers) == 1:
            changes["media_default"] = papers[0]
        elif own is not None and (own.width, own.height) not in listed:
            changes["media_default"] = None  # it is not there, and nobody said which is the usual one
    if settings.trays:
        changes["sources"] = (*told.sources, *(tray for tray in settings.trays if tray not in told.sources))
    if settings.duplex is not None:
        two_sided = tuple(side for side in told.sides if side.startswith("two-sided")) or _SIDES[1:]
        changes["sides"] = (_SIDES[0], *two_sided) if settings.duplex else _SIDES[:1]
        if not settings.duplex:
            changes["sides_default"] = ""  # it may be one that the printer shall not use: one-sided is said then
    if settings.color is not None:
        changes["color"] = settings.color
        if not settings.color:
            if told.color is not False:
                changes["may_have_color"] = True
            changes["color_modes"] = tuple(mode for mode in told.color_modes if mode not in _COLOURFUL)
    return dataclasses.replace(told, **changes)  # type: ignore[arg-type]


def _reasons(told: Iterable[str]) -> tuple[str, ...]:
    return tuple(reason for reason in told if reason != "none")


def _line(text: str) -> str:
    """Return a printer's words as one line."""
    return " ".join(text.split())


def _paper(text: str) -> Media | None:
    size = read_paper(text)
    return None if size is None else Media(*size, media_name(size))


def _named(names: Iterable[str]) -> tuple[Media, ...]:
    """Make media of self-describing names; those that are none (``photo``, ``tray-1``) tell no size."""
    sizes = ((name, media_size(name)) for name in names if not name.startswith(("custom_min_", "custom_max_")))
    return tuple(Media(*size, name) for name, size in sizes if size)


def _media(printer: Group) -> tuple[Media, ...]:
    """Read the sizes from media-supported, as exactly as media-size-supported tells them (PWG 5100.7).

    A name in inches does not tell how the printer rounded: 4.125 in are 10477 for one, 10478 for another, and a job that
    names the other's is refused.
    """
    exact = [size for each in printer.collections("media-size-supported") if (size := _size(each))]
    named = _named(dict.fromkeys(printer.texts("media-supported")))
    return tuple(Media(*_nearest(each, exact, _ROUNDING), each.name) for each in named)


def _nearest(media: Media, sizes: Iterable[tuple[int, int]], most: int) -> tuple[int, int]:
    """Return the size that a medium misses least, if by at most so much; else the medium's own."""
    own = (media.width, media.height)
    nearest = min(sizes, key=lambda size: _miss(media, size), default=own)
    return nearest if _miss(media, nearest) <= most else own


def _size(media_size: Group) -> tuple[int, int] | None:
    """Read a media-size collection; None for a range of sizes, or nonsense."""
    width, height = media_size.integer("x-dimension"), media_size.integer("y-dimension")
    return (width, height) if width and height and width > 0 and height > 0 else None


def _miss(media: Media, size: tuple[int, int]) -> int:
    return max(abs(media.width - size[0]), abs(media.height - size[1]))


def _ready(printer: Group, known: Iterable[Media]) -> tuple[tuple[str, Media], ...]:
    """Read what is loaded: with its trays from media-col-ready (PWG 5100.7), else only the sizes from media-ready."""
    found = [
        (each.text("media-source"), _recognized(size, known))
        for each in printer.collections("media-col-ready")
        for collection in each.collections("media-size")
        if (size := _size(collection))
    ]
    return tuple(dict.fromkeys(found)) or tuple(("", each) for each in _named(printer.texts("media-ready")))


def _recognized(size: tuple[int, int], known: Iterable[Media]) -> Media:
    """Return the sheet of that size among those with a name; drivers count in points and miss A5 by half a millimetre."""
    nearest = min(known, key=lambda each: _miss(each, size), default=None)
    return nearest if nearest is not None and _miss(nearest, size) <= _NEAR else Media(*size, media_name(size))


def _custom(printer: Group) -> tuple[Media, Media] | None:
    """Read the smallest and largest custom size: from the names (PWG 5101.1), else from the ranges (PWG 5100.7)."""
    ends = [
        next((media_size(name) for name in printer.texts("media-supported") if name.startswith(prefix)), None)
        for prefix in ("custom_min_", "custom_max_")
    ]
    if ends[0] and ends[1]:
        return Media(*ends[0]), Media(*ends[1])
    for each in printer.collections("media-size-supported"):
        across, along = each.ranges("x-dimension"), each.ranges("y-dimension")
        if across and along and across[0].lower < across[0].upper and along[0].lower < along[0].upper:
            return Media(across[0].lower, along[0].lower), Media(across[0].upper, along[0].upper)
    return None
