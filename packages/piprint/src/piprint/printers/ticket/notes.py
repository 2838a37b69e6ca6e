"""Sentences for people about how a job will be printed, collected while its ticket is made; each names its subject.

This module does not know what is decided.
"""

from __future__ import annotations

__all__ = ["CARETAKER", "Notes"]

CARETAKER = "ask whoever looks after the print processor"
"""Said where the settings would have to be changed: most readers cannot."""


class Notes:
    """Sentences for people, in the order they are told.

    Attributes:
        told: each sentence, and the IPP attributes it speaks of: where the printer does not take one of these, it is not true.
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
