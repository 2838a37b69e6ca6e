"""Documents that say of themselves which they are, and the ledger of every sheet that came out of any printer: the truth."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

__all__ = ["Ledger", "Paper", "Sheet", "pages_in", "read"]

_HEAD = re.compile(rb"%PDF-1\.4 number=(\d+) pages=(\d+)( poison)?\n")
_PAGE = re.compile(rb"<page (\d+)>[^<]*</page>")


@dataclass(frozen=True, slots=True)
class Paper:
    """What a user prints.

    Args:
        number: no other document has it.
        pages: how many.
        poison: the filters of CUPS refuse it; a printer that reads PDF aborts it.
        size: bytes of a page, about.
    """

    number: int
    pages: int
    poison: bool = False
    size: int = 600

    @property
    def document(self) -> bytes:
        """Return it as a file."""
        body = b"".join(b"<page %d>%s</page>" % (page, b"." * self.size) for page in range(1, self.pages + 1))
        head = b"%%PDF-1.4 number=%d pages=%d%s\n" % (self.number, self.pages, b" poison" if self.poison else b"")
        return head + body + b"\n%%EOF\n"


def read(document: bytes) -> Paper | None:
    """Read a document's head; None when these bytes are none."""
    found = _HEAD.match(document)
    return Paper(int(found[1]), int(found[2]), bool(found[3])) if found else None


def pages_in(document: bytes) -> list[int]:
    """Return the pages that are whole in these bytes."""
    return [int(number) for number in _PAGE.findall(document)]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page that came out."""

    at: float
    printer: str
    number: int
    page: int


@dataclass
class Ledger:
    """All sheets, in the order in which they came out."""

    sheets: list[Sheet] = field(default_factory=list)

    def counts(self, number: int) -> Counter[int]:
        """Return how often each page of a document came out."""
        return Counter(sheet.page for sheet in self.sheets if sheet.number == number)

    def most(self, number: int) -> int:
        """Return how often the page that came out most often did."""
        return max(self.counts(number).values(), default=0)

    def whole(self, paper: Paper) -> int:
        """Return how often all of a document came out."""
        counts = self.counts(paper.number)
        return min(counts[page] for page in range(1, paper.pages + 1))
