"""Read cookies of a request.

By hand: http.cookies takes seconds for one hostile header of 64 kB (CVE-2024-7592), and Debian 12 has that version.
This module does not know what is in them.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["cookies"]


def cookies(lines: Iterable[str], name: str) -> list[str]:
    """Return the values of all cookies of a name, in their order; empty ones are left out.

    A neighbour under the same host name (another port, another path) can set one of the same name, and it may come first. So
    whoever looks for a good one looks at all.

    Args:
        lines: the request's ``Cookie`` lines.
        name: of the cookie.
    """
    pairs = (pair.partition("=") for line in lines for pair in line.split(";"))
    return [value.strip() for key, _, value in pairs if key.strip() == name and value.strip()]
