"""The fields of a form as a browser sends them (``application/x-www-form-urlencoded``).

This module does not know what the fields mean.
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["fields"]


def fields(body: bytes) -> Iterator[tuple[str, str]]:
    """Yield name and value of each field. Raises ValueError where the text makes no sense."""
    for one in body.split(b"&"):
        name, _, value = one.partition(b"=")
        if name:
            yield _plain(name), _plain(value)


def _plain(text: bytes) -> str:
    parts = text.replace(b"+", b" ").split(b"%")
    found = parts[0]
    for part in parts[1:]:
        if len(part) < 2:
            raise ValueError("no form")
        found += bytes((int(part[:2], 16),)) + part[2:]
    return found.decode()
