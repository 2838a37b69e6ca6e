"""How a host is given to the resolver without loading more than it takes.

This module does not know who wants to connect.
"""

from __future__ import annotations

__all__ = ["for_resolver"]


def for_resolver(host: str) -> str | bytes:
    """Return a host as ``getaddrinfo`` takes it: an address or a plain name as bytes, a name with other letters as it is.

    For every text, Python loads what it knows of all letters of the world (IDNA, RFC 3490): 1 MB.
    """
    return host.encode() if host.isascii() else host
