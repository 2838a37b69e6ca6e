"""The log of the gateway; how it hides secrets: :mod:`servicekit.log`.

This module does not know what is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from servicekit.log import Redactor, TextFormatter, journal_listens, send

__all__ = ["set_up"]

_CHATTY = ("asyncio", "mqtt", "serialx", "uvicorn.access")
"""serialx shows every byte of the line at level debug, and an optical port is opened with the key in clear."""


def set_up(level: str, secrets: Iterable[str]) -> None:
    """Send the log to standard error, from ``level`` (``info``) on, without ``secrets``."""
    formatter = TextFormatter(Redactor(secrets), journal=journal_listens())
    send(logging.getLevelNamesMapping()[level.upper()], formatter, chatty=_CHATTY)
