"""Whom we trust over TLS beyond the authorities this host knows: a PEM file, made by hand or fetched from the server.

This module does not know who asks, nor what goes over the line.
"""

from __future__ import annotations

import ssl
from pathlib import Path

__all__ = ["trust_file"]


def trust_file(context: ssl.SSLContext, pem: Path) -> None:
    """Let a context trust the certificates in a file: authorities, or a server's own.

    The same with all versions of Python: 3.13 began to refuse what only lacks marks of RFC 5280, as the authorities of
    printers and small servers do, and to take a server's own certificate for an authority, as they are fetched.

    Raises:
        ValueError: the file cannot be used; says why, in half a sentence.
    """
    try:
        context.load_verify_locations(cafile=pem)
    except ssl.SSLError:
        raise ValueError("it holds no certificate") from None
    except OSError as error:
        raise ValueError(error.strerror or "it cannot be read") from None
    context.verify_flags = (context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
