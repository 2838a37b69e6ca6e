"""What a printer says it will not do as asked, and what is asked of it then.

A printer that gets a value it does not have may take the job all the same and name what it left out (CUPS from 2.4.10 on, many
printers: successful-ok-ignored-or-substituted-attributes), or refuse the whole job (ippeveprinter). The first is told. In the
second case the job is asked for once more without what was refused (:class:`Attempts`), and that is told, too: an invoice on the
wrong paper can be printed again, a queue that stands still over it helps nobody. What was to be told of a setting before it was
refused is not true any more and is taken back (:func:`not_done`).

Sources: RFC 8011, 3.1.7 and 4.1.7 (unsupported attributes), 4.2.1.2 (ipp-attribute-fidelity), appendix B.1.2.2 and B.1.4.12.

This module does not know how a printer is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from piprint.errors import PrinterRefused
from piprint.ipp.codec import Attribute, Message
from piprint.ipp.registry import Delimiter, Status

__all__ = ["HOLD", "Attempts", "ignored", "not_done", "not_taken"]

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
_GROUPS = (
    ("media", "media-col"),
    ("print-scaling",),
    ("orientation-requested",),
    ("print-color-mode",),
    ("sides",),
    ("copies",),
)
"""The same, those first that printers refuse most, and those last that cost people most."""


class Attempts:
    """What a printer is asked for, one try after the other, until it takes the job.

    What it names is left out. A printer that refuses and names nothing gets the job without one thing at a time: without the hold,
    then without one of the settings, the number of copies last; then without several. All of that is for this job only.

    Args:
        job: the job attributes that are wanted.

    Attributes:
        job: those to ask for now.
    """

    def __init__(self, job: Sequence[Attribute]) -> None:
        self.job = list(job)
        self._rest = list(job)
        self._names = {each.name for each in job}
        self._plans = _plans(self._names)

    @property
    def left_out(self) -> set[str]:
        """Return the names of what is wanted and not asked for now."""
        return self._names - {each.name for each in self.job}

    def go_on(self, refusal: PrinterRefused) -> bool:
        """Choose what to ask for after a refusal; return False when less would not help."""
        if refusal.status not in {Status.ATTRIBUTES_OR_VALUES_NOT_SUPPORTED, Status.CONFLICTING_ATTRIBUTES}:
            return False
        if named := {each.name for each in self.job}.intersection(refusal.unsupported):
            self._rest = [each for each in self._rest if each.name not in named]
            self._plans = _plans({each.name for each in self._rest})
            self.job = list(self._rest)
            return True
        plan = next(self._plans, None)
        if plan is None:
            return False
        self.job = [each for each in self._rest if each.name not in plan]
        return True


def _plans(names: Collection[str]) -> Iterator[set[str]]:
    """Yield what to leave out, the least first; each once."""
    settings = [set(group).intersection(names) for group in _GROUPS]
    all_but_copies = set().union(*settings) - {"copies"}
    several = [all_but_copies, all_but_copies | {"copies"}, {HOLD, *all_but_copies}, set(names)]
    tried: list[set[str]] = [set()]
    for plan in ({HOLD}, *settings, *several):
        if (less := plan.intersection(names)) not in tried:
            tried.append(less)
            yield less


def ignored(answer: Message, sent: Iterable[Attribute], left_out: Collection[str]) -> tuple[str, ...]:
    """Say what a printer that took a job will not do as asked.

    Args:
        answer: to the request that made the job.
        sent: the job attributes of that request.
        left_out: names of those that were refused before.

    Returns:
        sentences for people.
    """
    asked = [each.name for each in sent if each.name in _WORDS]
    names = not_done(answer, sent, left_out)
    if matters := not_taken(names):
        return matters
    named = answer.first(Delimiter.UNSUPPORTED).attributes
    unnamed = answer.code in {Status.OK_IGNORED_OR_SUBSTITUTED, Status.OK_CONFLICTING} and not named
    if unnamed and asked:
        return ("The printer left out or changed one of the print settings and does not say which; check the print.",)
    return ()


def not_taken(names: Collection[str]) -> tuple[str, ...]:
    """Say of a job's attributes that the printer did not take them; nothing of those that are no business of people's."""
    words = [words for name, words in _WORDS.items() if name in names]
    if not words:
        return ()
    return (
        f"The printer did not take what was asked about {_listed(words)}, and did it as it is set; check the print.",
    )


def not_done(answer: Message, sent: Iterable[Attribute], left_out: Collection[str]) -> set[str]:
    """Return the names of what a printer does as it is set, and not as asked; see :func:`ignored`."""
    named = {each.name for each in answer.first(Delimiter.UNSUPPORTED).attributes}
    return {*left_out, *named.intersection(each.name for each in sent)}


def _listed(words: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
