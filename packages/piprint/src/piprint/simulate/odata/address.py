"""Addresses of Business Central's OData: which company, which page, which row, and what of it.

``ODataV4/Company('CRONUS')/PIPrintQueueWS(7)``, ``api/piprint/printing/v2.0/companies(<id>)/printJobs(<id>)/document``.
Source: OData 4.01 Part 2: URL Conventions, 4; Microsoft, ``webservices/odata-web-services``.

This module does not know which companies, pages and rows there are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from piprint.simulate.refusal import Refusal

__all__ = ["Address", "parse_address"]

_SEGMENT = re.compile(r"([^()]+)(?:\((.*)\))?")
_NAMED = re.compile(r"[A-Za-z]+=(.*)")
_COMPANIES = frozenset({"Company", "companies"})


@dataclass(frozen=True, slots=True)
class Address:
    """What a URL below ``ODataV4/`` or the API's route names.

    Attributes:
        company: name or id of the company; None when the path names none.
        entity: the page, ``Company`` or ``companies``, ``$metadata``, or "" for the service document.
        key: what the row is asked by, without quotes; None for the whole set.
        rest: what follows the row or set: a stream's name, an action, ``$count``; "" for nothing.
    """

    company: str | None = None
    entity: str = ""
    key: str | None = None
    rest: str = ""


def parse_address(path: str) -> Address:
    """Read a path below the service's root, still percent-encoded.

    Raises:
        Refusal: it is no such address.
    """
    segments = [_segment(unquote(part)) for part in path.strip("/").split("/") if part]
    company = None
    if len(segments) > 1 and segments[0][0] in _COMPANIES and segments[0][1] is not None:
        company = segments.pop(0)[1]
    if not segments:
        return Address()
    (entity, key), *more = segments
    if len(more) > 1 or any(more_key is not None for _, more_key in more):
        raise Refusal("BadRequest_ResourceNotFound", f"Resource not found for the segment '{more[0][0]}'.")
    return Address(company, entity, key, more[0][0] if more else "")


def _segment(text: str) -> tuple[str, str | None]:
    match = _SEGMENT.fullmatch(text)
    if match is None:
        raise Refusal("BadRequest_NotFound", "Bad Request - Error in query syntax.")
    key = match[2]
    if key is not None:
        named = _NAMED.fullmatch(key)
        key = named[1] if named else key
        if key[:1] == "'":
            if len(key) < 2 or key[-1] != "'" or "'" in key[1:-1].replace("''", ""):  # noqa: PLR2004 - two apostrophes
                raise Refusal("BadRequest_NotFound", "Bad Request - Error in query syntax.")
            key = key[1:-1].replace("''", "'")
    return match[1], key
