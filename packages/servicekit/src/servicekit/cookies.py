"""Read the cookies of a request.

http.cookies is not used, because it takes seconds for one hostile header of 64 kB (CVE-2024-7592), and Debian 12 has
that version. This module does not know what the cookies mean.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["cookies"]


def cookies(lines: Iterable[str], name: str) -> list[str]:
    """Return the values of all cookies with this name, in their order; empty values are left out.

    Another program under the same host name (on another port or path) may set a cookie of the same name, and that
    cookie may come first. So the caller must check every value, not only the first.

    Args:
        lines: the request's ``Cookie`` lines.
        name: the cookie's name.
    """
    pairs = (pair.partition("=") for line in lines for pair in line.split(";"))
    return [value.strip() for key, _, value in pairs if key.strip() == name and value.strip()]
