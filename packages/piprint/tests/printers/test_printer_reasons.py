"""Printers' keywords are told in plain words, and nothing a printer says is lost."""

from __future__ import annotations

import re

import pytest

from piprint.printers.printer import PrinterState, PrinterStatus
from piprint.printers.reasons import in_words, told
from piprint.printers.trouble import _BLOCKING, blocked


@pytest.mark.parametrize(
    ("keywords", "message", "text"),
    [
        (("media-empty-error",), "", "no paper"),
        (("media-empty-error", "media-empty-report"), "Tray 2 is empty.", "no paper: Tray 2 is empty."),
        (("media-jam", "un-known-thing-warning"), "", "paper jam, un known thing"),
        (("document-format-error",), "", "the printer cannot read the document"),
        (("cups-missing-filter-warning",), "", "CUPS lacks a filter or driver"),
        ((), "its own words", "its own words"),
        ((), "", ""),
    ],
)
def test_keywords_are_told_in_words(keywords: tuple[str, ...], message: str, text: str) -> None:
    assert told(keywords, message) == text


def test_no_keyword_that_keeps_a_printer_from_printing_reaches_people_raw() -> None:
    for keyword in sorted(_BLOCKING):
        for suffix in ("", "-error", "-warning", "-report"):
            status = PrinterStatus(PrinterState.STOPPED, (keyword + suffix,))
            assert not re.search(r"[a-z]-[a-z]", blocked(status)), keyword
    assert blocked(PrinterStatus(PrinterState.STOPPED)) == "stopped"
    assert in_words(("a-b", "a-b-error")) == ("a b",)
