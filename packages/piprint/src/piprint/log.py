"""The log of the service: a line per change, as text or JSON, and never a secret.

Every line passes a last defence: the texts of the configured secrets in all spellings, bearer tokens, and whatever looks
like a login of HTTP or OAuth2 are replaced. Nothing should log one; this is for the day something does. The last lines are
also kept in memory, for the status page and for ``piprint report``.

This module does not know what is logged.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import sys
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote, quote_plus

__all__ = ["RecentLines", "Redactor", "set_up"]

HIDDEN = "[secret]"
_SHORTEST = 4
"""A shorter text would blank out half of every line, and is no secret anyway."""
_KEPT = 300
"""Lines kept in memory."""

_LOOKS_SECRET = re.compile(
    r"(?P<before>\b(?:Bearer|Basic)\s+|\bAuthorization\b['\"]?\s*[:=]\s*['\"]?(?:(?:Bearer|Basic)\s+)?"
    r"|\b(?:client_secret|client_assertion|access_token|password)\b['\"]?\s*[:=]\s*['\"]?)"
    r"[^\s'\",;&{}\[\]]{4,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,2}",  # a JSON Web Token begins with {" in base64
    re.IGNORECASE,
)

_CONTROLS = {
    code: ascii(chr(code))[1:-1]
    for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    if chr(code) not in "\n\t"
}
"""Characters that let a printer's name draw something else on a terminal, and what stands for them."""

_JOURNAL_PRIORITY = {10: "<7>", 20: "<6>", 30: "<4>", 40: "<3>", 50: "<2>"}
"""sd-daemon(3): the prefix that gives a line its priority."""


def _spellings(secret: str) -> set[str]:
    """Return how a text may end up in a line."""
    raw = secret.encode()
    return {
        secret,
        raw.hex(),
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        repr(secret)[1:-1],
        repr(raw)[2:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        secret.translate(_CONTROLS),
    }


class Redactor:
    """Replaces secrets in a text.

    Args:
        secrets: the texts nobody should see.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {word for secret in secrets for word in _spellings(secret) if len(word.strip()) >= _SHORTEST}
        longest_first = sorted(known, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if known else None

    def __call__(self, text: str) -> str:
        """Return the text without any secret."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        return _LOOKS_SECRET.sub(lambda match: (match["before"] or "") + HIDDEN, text)


class _Text(logging.Formatter):
    def __init__(self, redact: Redactor, *, journal: bool) -> None:
        super().__init__("%(message)s" if journal else "%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%d %H:%M:%S")
        self._redact = redact
        self._journal = journal

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class calls it so
        # Indented, as a name from the network could hold a line that looks like one of ours.
        record.message = record.message.translate(_CONTROLS).replace("\n", "\n    ")
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        text = self._redact(super().format(record))
        if not self._journal:
            return text
        return "\n".join(_JOURNAL_PRIORITY.get(record.levelno, "<6>") + line for line in text.splitlines())


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
        self.setFormatter(_Text(redact, journal=False))
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
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json(redact) if form == "json" else _Text(redact, journal="JOURNAL_STREAM" in os.environ))
    recent = RecentLines(redact)
    logging.basicConfig(level=logging.INFO, handlers=[handler, recent], force=True)
    logging.captureWarnings(capture=True)
    for chatty in ("asyncio", "aiohttp.access", "aiohttp.server"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return recent
