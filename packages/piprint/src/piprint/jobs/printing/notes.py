"""Notes for people about one job: collected while it is printed, and added to the message about its end. None is there twice.

This module does not know what the notes say, except the one that a job may have been printed twice.
"""

from __future__ import annotations

from piprint.jobs import wording
from piprint.printers.printer import Accepted

__all__ = ["obeyed", "says_twice", "with_notes"]


def with_notes(notes: tuple[str, ...], *more: str) -> tuple[str, ...]:
    """Return the notes and those of ``more`` that are not among them."""
    return (*notes, *(note for note in more if note not in notes))


def obeyed(notes: tuple[str, ...], accepted: Accepted) -> tuple[str, ...]:
    """Return the notes after a printer took a job: without those that turned out untrue, with what it left out."""
    return with_notes(tuple(note for note in notes if note not in accepted.untrue), *accepted.ignored)


def says_twice(notes: tuple[str, ...]) -> bool:
    """Tell whether people were warned that the job may be on paper twice."""
    return any(note.startswith(wording.TWICE) for note in notes)
