"""The log of a service: one line per change of state, and never a secret.

Under systemd lines carry the priority that the journal understands and no time of their own. Every line passes a last
defence: the text of each configured secret, in all spellings, is replaced. Nothing should ever log one; this is for the day
something does.

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
from urllib.parse import quote, quote_plus

__all__ = ["HIDDEN", "Redactor", "TextFormatter", "journal_listens", "send"]

HIDDEN = "[secret]"
"""What stands in the place of a secret."""
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
    raw = secret.encode(errors="surrogatepass")
    return {
        secret,
        secret.strip(),
        secret.translate(_CONTROLS),
        raw.hex(),
        raw.hex(" "),
        raw.hex(":"),
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        repr(secret)[1:-1],
        repr(raw)[2:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(raw),
        quote(raw, safe=""),
        quote_plus(raw),
    }


class Redactor:
    """Replaces secrets in a text.

    Args:
        secrets: the texts nobody should see.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {word for secret in secrets for word in _spellings(secret) if len(word.strip()) >= _LEAST}
        longest_first = sorted(known, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if known else None

    def __call__(self, text: str) -> str:
        """Return ``text`` without any secret."""
        return self._known.sub(HIDDEN, text) if self._known else text


class TextFormatter(logging.Formatter):
    """Writes a record, its traceback included, and hides secrets in all of it.

    Args:
        redact: replaces secrets.
        journal: write for systemd's journal: each line with its priority, none with the time.
    """

    def __init__(self, redact: Redactor, *, journal: bool) -> None:
        super().__init__("%(message)s" if journal else "%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%d %H:%M:%S")
        self._redact = redact
        self._journal = journal

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class calls it so
        """Write the message."""
        # Hidden before anything is moved: a secret may hold a line break. Indented, as a name from the network could hold a
        # line that looks like one of ours.
        record.message = self._redact(record.message).translate(_CONTROLS).replace("\n", "\n    ")
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        """Write the record."""
        text = self._redact(super().format(record))
        if not self._journal:
            return text
        priority = _JOURNAL_PRIORITY.get(record.levelno, "<6>")
        return "\n".join(priority + line for line in text.splitlines())


def journal_listens() -> bool:
    """Tell whether standard error goes to systemd's journal (systemd.exec(5), ``JOURNAL_STREAM``)."""
    return "JOURNAL_STREAM" in os.environ


def send(level: int, formatter: logging.Formatter, *others: logging.Handler, chatty: Iterable[str]) -> None:
    """Send the log to standard error, and warnings of libraries with it.

    Args:
        level: from which level on.
        formatter: writes the lines.
        others: handlers that get every record, too.
        chatty: loggers of libraries that are heard from level warning on.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler, *others], force=True)
    logging.captureWarnings(capture=True)
    for name in chatty:
        logging.getLogger(name).setLevel(max(logging.WARNING, level))
