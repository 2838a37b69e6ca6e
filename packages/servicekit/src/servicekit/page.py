"""Which requests a page may look at: their form, and whether a browser sent them for the page itself or for another one.

A browser tells by ``Sec-Fetch-Site`` and ``Sec-Fetch-Mode`` (W3C, Fetch Metadata Request Headers) who wants to load something, and by ``Origin``
(RFC 6454) where a script runs. Programs tell nothing of the kind.

This module does not know what the page shows, and no web server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["MOST_HEAD", "STATIC", "TWO_CALLERS", "Asked", "Page", "Refusal", "digest", "refused_form"]

STATIC = Path(__file__).parent / "static"
"""The folder of files that the pages of all services load besides their own: ``base.css``, ``elements.js``."""
MOST_HEAD = 16 * 1024
"""Bytes of a request's first line and headers; browsers send one or two thousand."""
_ELSEWHERE = frozenset({"cross-site", "same-site"})
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not looked at."""

    status: int
    """Of the answer (RFC 9110, 15)."""
    what: str
    """What is wrong, in half a sentence."""
    remedy: str
    """What to do, in full sentences."""


TWO_CALLERS = Refusal(
    400,
    "X-Forwarded-For and Forwarded name different callers",
    "Send neither. If you did not, let the reverse proxy remove the one it does not write; in nginx: "
    'proxy_set_header Forwarded "";',
)
"""Nobody knows which of the two headers the proxy wrote; see :mod:`servicekit.caller`."""


def refused_form(
    names: Container[str], target: int, headers: Iterable[tuple[Sequence[object], Sequence[object]]]
) -> Refusal | None:
    """Return what is wrong with the form of a request; None when it may be looked at.

    Args:
        names: the headers it has, to be asked in lower case.
        target: the length of the path and query as they came.
        headers: names and values as they came.
    """
    if "content-length" in names and "transfer-encoding" in names:
        # RFC 9112, section 6.1: two lengths are how a request is smuggled past a proxy that believes the other one.
        return Refusal(400, "The request tells its length twice", "Send Content-Length or Transfer-Encoding, not both.")
    if target + sum(len(name) + len(value) + 4 for name, value in headers) > MOST_HEAD:
        return Refusal(
            431,
            "The request's headers are too long",
            f"Send at most {MOST_HEAD} bytes; delete old cookies of this page.",
        )
    return None


def digest(text: str) -> bytes:
    """Return what a secret is compared by in constant time, whatever its length."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request tells for whom it was sent; a header that is absent is None."""

    path: str
    """Below the page's own path."""
    host: str
    """``Host`` as the browser sent it, with its port."""
    origin: str | None
    """``Origin``."""
    site: str | None
    """``Sec-Fetch-Site``."""
    mode: str | None
    """``Sec-Fetch-Mode``."""


class Page:
    """A page at its address.

    Args:
        path: the path of its public address, with a slash at both ends.
        public: scheme, host and port of its public address; empty without one.
        stream: the path of what lasts: nobody goes there, so it is never loaded for another page.
    """

    def __init__(self, path: str, public: str, stream: str) -> None:
        self._path = path
        self._public = public.lower()
        self._stream = stream

    def path_here(self, path: str) -> str:
        """Return the path below the public address. Some proxies leave the path they stand at in front, others take it off."""
        return path[len(self._path) - 1 :] if self._path != "/" and path.startswith(self._path) else path

    def is_for_another(self, asked: Asked) -> bool:
        """Tell whether a browser says that another page wants to load this; programs say nothing of the kind."""
        if asked.site is None:
            # By plain http in the network browsers send no Sec-Fetch-Site, but Origin with what a script of another page
            # loads. They also send it with our own files, and a proxy may change Host; the files tell nothing.
            return asked.origin is not None and not asked.path.startswith("/static/") and not self.is_ours(asked)
        return asked.site in _ELSEWHERE and (asked.mode != "navigate" or asked.path == self._stream)

    def is_ours(self, asked: Asked) -> bool:
        """Tell whether ``Origin`` is the address of this page."""
        origin = (asked.origin or "").lower()
        if self._public and origin == self._public:
            return True
        try:
            told = urlsplit(origin)
        except ValueError:
            return False
        # Behind a proxy that speaks TLS the scheme differs, so only host and port are compared.
        host = asked.host.lower()
        return bool(told.netloc) and told.netloc in {host, host.removesuffix(_DEFAULT_PORTS.get(told.scheme, ""))}
