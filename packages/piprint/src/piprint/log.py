"""The log of the service: a line per change, as text or JSON, and never a secret.

How the configured secrets are hidden: :mod:`servicekit.log`. Here bearer tokens, and whatever looks like a login of HTTP or OAuth2,
are replaced besides. The last lines are also kept in memory, for the status page and for ``piprint report``.

This module does not know what is logged.
"""

from __future__ import annotations

import json
import logging
import re
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from servicekit import log as kit
from servicekit.log import HIDDEN, TextFormatter

__all__ = ["RecentLines", "Redactor", "set_up"]

_KEPT = 300
"""Lines kept in memory."""

_LOOKS_SECRET = re.compile(
    r"(?P<before>\b(?:Bearer|Basic)\s+|\bAuthorization\b['\"]?\s*[:=]\s*['\"]?(?:(?:Bearer|Basic)\s+)?"
    r"|\b(?:client_secret|client_assertion|access_token|password)\b['\"]?\s*[:=]\s*['\"]?)"
    r"[^\s'\",;&{}\[\]]{4,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,2}",  # a JSON Web Token begins with {" in base64
    re.IGNORECASE,
)


class Redactor(kit.Redactor):
    """Replaces secrets in a text, and what looks like a login though nobody configured it."""

    def __call__(self, text: str) -> str:
        """Return the text without any secret."""
        return _LOOKS_SECRET.sub(lambda match: (match["before"] or "") + HIDDEN, super().__call__(text))


class _Json(logging.Formatter):
    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._redact(record.getMessage()),
        }
        if record.exc_info:
            said["traceback"] = self._redact(self.formatException(record.exc_info))
        return json.dumps(said, ensure_ascii=False)


class RecentLines(logging.Handler):
    """Keeps the last lines, already without secrets; :attr:`count` counts all there ever were."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(TextFormatter(redact, journal=False))
        self._lines: deque[str] = deque(maxlen=_KEPT)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self._lines.append(self.format(record))
        self.count += 1

    def since(self, count: int = 0) -> list[str]:
        """Return the lines after the ``count``-th, as far as they are still there."""
        new = min(self.count - count, len(self._lines))
        return list(self._lines)[len(self._lines) - new :] if new > 0 else []


def set_up(form: Literal["text", "json"], secrets: Iterable[str]) -> RecentLines:
    """Send the log to standard error without ``secrets``; return the lines kept in memory."""
    redact = Redactor(secrets)
    formatter = _Json(redact) if form == "json" else TextFormatter(redact, journal=kit.journal_listens())
    recent = RecentLines(redact)
    kit.send(logging.INFO, formatter, recent, chatty=("asyncio", "aiohttp.access", "aiohttp.server"))
    return recent
