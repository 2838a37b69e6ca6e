"""What a printer says it will not do as asked, and what is asked of it then.

A printer that gets a value it does not have may take the job all the same and name what it left out (CUPS from 2.4.10 on, many
printers: successful-ok-ignored-or-substituted-attributes), or refuse the whole job (ippeveprinter). The first is told. In the
second case the job is asked for once more without what was refused, and that is told, too: an invoice on the wrong paper can
be printed again, a queue that stands still over it helps nobody.

Sources: RFC 8011, 3.1.7 and 4.1.7 (unsupported attributes), 4.2.1.2 (ipp-attribute-fidelity), appendix B.1.2.2 and B.1.4.12.

This module does not know how a printer is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from piprint.errors import PrinterRefused
from piprint.ipp.codec import Attribute, Message
from piprint.ipp.registry import Delimiter, Status

__all__ = ["HOLD", "fewer", "ignored"]

HOLD = "job-hold-until"

_WORDS: dict[str, str] = {
    "copies": "the number of copies",
    "sides": "the sides of the paper",
    "print-color-mode": "colour or black",
    "orientation-requested": "the direction of the page",
    "media": "the paper",
    "media-col": "the paper or its tray",
    "print-scaling": "the scaling",
}
"""The attributes of a ticket, as people say them; others are no business of theirs."""


def fewer(job: Sequence[Attribute], refusal: PrinterRefused) -> list[Attribute] | None:
    """Return what to ask for after a refusal: less of it; None when that cannot help.

    A printer that does not say what it refuses is spared the hold first, then everything.
    """
    if refusal.status not in {Status.ATTRIBUTES_OR_VALUES_NOT_SUPPORTED, Status.CONFLICTING_ATTRIBUTES} or not job:
        return None
    names = {each.name for each in job}
    left_out = names.intersection(refusal.unsupported) or names.intersection({HOLD}) or names
    return [each for each in job if each.name not in left_out]


def ignored(answer: Message, sent: Iterable[Attribute], left_out: Collection[str]) -> tuple[str, ...]:
    """Say what a printer that took a job will not do as asked.

    Args:
        answer: to the request that made the job.
        sent: the job attributes of that request.
        left_out: names of those that were refused before.

    Returns:
        sentences for people.
    """
    named = {each.name for each in answer.first(Delimiter.UNSUPPORTED).attributes}
    asked = [each.name for each in sent if each.name in _WORDS]
    matters = [words for name, words in _WORDS.items() if name in left_out or (name in named and name in asked)]
    if matters:
        return (
            f"The printer did not take what was asked about {_listed(matters)}, and did it as it is set; check the print.",
        )
    unnamed = answer.code in {Status.OK_IGNORED_OR_SUBSTITUTED, Status.OK_CONFLICTING} and not named
    if unnamed and asked:
        return ("The printer left out or changed one of the print settings and does not say which; check the print.",)
    return ()


def _listed(words: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
