"""Sentences for people about how a job will be printed, collected while the job's ticket is made.

Each sentence says what it is about (for example the tray), so that it can be read alone.

This module does not decide how a job is printed.
"""

from __future__ import annotations

__all__ = ["CARETAKER", "Notes"]

CARETAKER = "ask whoever looks after the print processor"
"""The advice for cases in which the settings would have to be changed, because most readers cannot change them."""


class Notes:
    """Sentences for people, in the order in which they were added.

    Attributes:
        told: each sentence, and the IPP attributes that it is about. If the printer does not accept one of these
            attributes, the sentence is not true.
    """

    def __init__(self) -> None:
        self.told: list[tuple[str, tuple[str, ...]]] = []

    def add(self, text: str, *about: str) -> None:
        """Add a sentence."""
        self.told.append((text, about))

    @property
    def texts(self) -> list[str]:
        """Return the sentences alone."""
        return [text for text, _ in self.told]
