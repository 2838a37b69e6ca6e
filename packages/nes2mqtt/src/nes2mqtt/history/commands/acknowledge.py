"""The command ``nes2mqtt history acknowledge``.

This module does not know what may have happened.
"""

from __future__ import annotations

from pathlib import Path

from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.writing.notices import Notices, notices_of

__all__ = ["acknowledge"]


def acknowledge(database: Path) -> tuple[str, ...]:
    """Forget what happened to the history, also while the gateway runs; return what it was.

    Raises:
        HistoryError: it cannot be forgotten.
    """
    notices = Notices(notices_of(database))
    try:
        return notices.acknowledge()
    except OSError as error:
        raise HistoryError(
            f"{notices.path} cannot be removed: {error.strerror}. Run this as the gateway's user."
        ) from error
