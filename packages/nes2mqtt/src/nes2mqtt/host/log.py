"""The log: one line per change of state, and never a secret.

Under systemd lines carry the priority journald understands and no time of their own. Every
line passes a last line of defence: the text of each configured secret, also as hex or escaped,
is replaced. Nothing should ever log one; this is for the day something does.

This module does not know what is logged.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import sys
from collections.abc import Iterable
from urllib.parse import quote

__all__ = ["Redactor", "set_up"]

_HIDDEN = "[secret]"
_LEAST = 4
"""Shorter texts are left alone: they would blank out half of every line and are no secrets anyway."""

_CONTROLS = {
    code: ascii(chr(code))[1:-1]
    for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    if chr(code) not in "\n\t"
}
"""Characters that make a terminal or a journal show something else than what was logged, and what stands for them."""

_JOURNAL_PRIORITY = {
    logging.DEBUG: "<7>",
    logging.INFO: "<6>",
    logging.WARNING: "<4>",
    logging.ERROR: "<3>",
    logging.CRITICAL: "<2>",
}
"""sd-daemon(3): the prefix that sets a line's priority."""


def _spellings(secret: str) -> set[str]:
    """Return the ways a text can end up in a line."""
    raw = secret.encode()
    return {
        secret,
        secret.strip(),
        raw.hex(),
        raw.hex(" "),
        raw.hex(":"),
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        repr(secret)[1:-1],
        repr(raw)[2:-1],
        json.dumps(secret)[1:-1],
        quote(secret, safe=""),
    }


class Redactor:
    """Replaces secrets in a text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        spellings = {spelling for secret in secrets for spelling in _spellings(secret) if len(spelling) >= _LEAST}
        longest_first = sorted(spellings, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if spellings else None

    def __call__(self, text: str) -> str:
        """Return ``text`` without any secret."""
        return self._pattern.sub(_HIDDEN, text) if self._pattern else text


class _Formatter(logging.Formatter):
    """Writes a record, its traceback included, and hides secrets in all of it."""

    def __init__(self, redact: Redactor, *, journal: bool) -> None:
        super().__init__("%(message)s" if journal else "%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%d %H:%M:%S")
        self._redact = redact
        self._journal = journal

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class calls it so
        record.message = record.message.translate(_CONTROLS)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        text = self._redact(super().format(record))
        if not self._journal:
            return text
        priority = _JOURNAL_PRIORITY.get(record.levelno, "<6>")
        return "\n".join(priority + line for line in text.splitlines())


def set_up(level: str, secrets: Iterable[str]) -> None:
    """Send the log to standard error, from ``level`` (``info``) on, without ``secrets``."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(Redactor(secrets), journal="JOURNAL_STREAM" in os.environ))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    # serialx shows every byte of the line at level debug, and an optical port is opened with the key in clear.
    for chatty in ("asyncio", "mqtt", "serialx", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
