"""What printers say by keyword, in plain words: the one place for the page, the commands and Business Central. Data.

Sources: RFC 8011, 5.4.12 (printer-state-reasons, with their suffixes -report, -warning and -error) and 5.3.8
(job-state-reasons); PWG 5100.9; ``offline`` and ``cups-...`` are CUPS's own. A keyword that is not here is told with blanks
for its hyphens, which mostly reads well: ``aborted-by-system``.

This module does not know which of them matter (see :mod:`piprint.printers.trouble`).
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["base", "in_words", "remedy", "told"]

_SUFFIXES = ("-error", "-warning", "-report")

_WORDS = {
    "connecting-to-device": "connecting",
    "cover-open": "a cover is open",
    "cups-filter-crashed": "one of CUPS's filters crashed",
    "cups-insecure-filter-warning": "CUPS does not trust one of its filters",
    "cups-missing-filter": "CUPS lacks a filter or driver",
    "document-access-error": "the printer could not fetch the document",
    "document-format-error": "the printer cannot read the document",
    "document-password-error": "the document asks for a password",
    "document-permission-error": "the document forbids printing",
    "document-security-error": "the printer cannot decrypt the document",
    "document-unprintable-error": "the printer cannot print the document",
    "door-open": "a door is open",
    "input-tray-missing": "a tray is missing",
    "interlock-open": "a cover is open",
    "job-completed-with-errors": "a filter of CUPS failed",
    "job-canceled-at-device": "at the device",
    "job-canceled-by-operator": "by an operator",
    "job-canceled-by-user": "by a user",
    "job-hold-until-specified": "until it is released",
    "marker-supply-empty": "no ink or toner",
    "marker-supply-low": "little ink or toner left",
    "media-empty": "no paper",
    "media-jam": "paper jam",
    "media-low": "little paper left",
    "media-needed": "paper needed",
    "moving-to-paused": "being paused",
    "offline": "switched off or not connected",
    "output-area-full": "the output is full",
    "paused": "the queue is stopped",
    "printer-stopped": "the printer is stopped",
    "resources-are-not-ready": "something it needs is not there",
    "shutdown": "shut down",
    "spool-area-full": "its memory is full",
    "stopped-partly": "a part of it is stopped",
    "timed-out": "does not answer",
    "toner-empty": "no toner",
    "toner-low": "little toner left",
    "unsupported-document-format": "the printer cannot read the document",
}

_REMEDIES = {
    "connecting-to-device": "Look whether the printer is switched on and in the network",
    "cover-open": "Close the cover",
    "door-open": "Close the door",
    "input-tray-missing": "Put the tray back",
    "interlock-open": "Close the cover",
    "job-hold-until-specified": "Release the job on CUPS's page, or cancel it here",
    "marker-supply-empty": "Put in ink, toner or ribbon",
    "media-empty": "Put in paper",
    "media-jam": "Take out the jammed paper",
    "media-needed": "Put in the paper the printer asks for",
    "offline": "Look whether the printer is switched on and in the network",
    "output-area-full": "Take the paper out of the output",
    "paused": "Start the queue again, on CUPS's page or with cupsenable, or press Resume at the printer",
    "printer-stopped": "Start the queue again, on CUPS's page or with cupsenable, or press Resume at the printer",
    "shutdown": "Switch the printer on",
    "stopped": "Start the queue again, on CUPS's page or with cupsenable, or press Resume at the printer",
    "timed-out": "Look whether the printer is switched on and in the network",
    "toner-empty": "Put in toner",
}
_REMEDY = "Look at the printer"


def base(keyword: str) -> str:
    """Return a printer-state-reason without the suffix that says how bad it is."""
    for suffix in _SUFFIXES:
        if keyword.endswith(suffix):
            return keyword[: -len(suffix)]
    return keyword


def in_words(keywords: Iterable[str]) -> tuple[str, ...]:
    """Say keywords in plain words, each once."""
    return tuple(dict.fromkeys(_words(keyword) for keyword in keywords))


def remedy(keywords: Iterable[str]) -> str:
    """Return what a person can do about the first of these that is known; else, where to look."""
    return next((_REMEDIES[base(each)] for each in keywords if base(each) in _REMEDIES), _REMEDY)


def told(keywords: Iterable[str], message: str) -> str:
    """Return keywords and the printer's own message as one text; "" when it says nothing."""
    return ": ".join(part for part in (", ".join(in_words(keywords)), message) if part)


def _words(keyword: str) -> str:
    known = _WORDS.get(keyword) or _WORDS.get(base(keyword))
    return known or base(keyword).replace("-", " ")
