"""Errors of the history that only its owner can mend.

Troubles that may pass (disk full, file not writable, file damaged) are no exceptions for
callers: the store goes on, says so in its status and tries again.
"""

from __future__ import annotations

__all__ = ["HistoryError", "NewerSchema", "Unreadable"]


class HistoryError(Exception):
    """Root of the history's errors. The text is for the owner."""


class NewerSchema(HistoryError):
    """The database was written by a newer version of this program."""

    def __init__(self, have: int, known: int) -> None:
        super().__init__(
            f"the history was written by a newer version of nes2mqtt (its format is {have}, this version knows up to "
            f"{known}). Nothing was changed. Install the newer version again, or set another path under [history]."
        )


class Unreadable(HistoryError):
    """A question cannot be answered now: the database cannot be read. No answer is better than an empty one."""
