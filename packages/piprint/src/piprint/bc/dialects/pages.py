"""Reading all rows of a question, over as many pages as the server cuts the answer into.

Source: Microsoft's "Server-driven paging in OData web services". This module does not know what the rows mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from piprint.bc.http.client import Http, page_size
from piprint.bc.odata import next_page, rows
from piprint.errors import BcRefused

__all__ = ["read_all"]

_PAGE = 500
"""Rows of a page: 500 jobs with full payloads are under 3 MB."""
_MOST_PAGES = 100


async def read_all(http: Http, url: str, *, asked: str, headers: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return all rows, in the server's order.

    Args:
        http: the calls.
        url: of the first page.
        asked: what for, for people.
        headers: such as :data:`piprint.bc.http.client.READ_WRITE`.

    Raises:
        BcError: a page could not be read, lies on another server, or there is no end of them.
    """
    following: str | None = url
    found: list[dict[str, Any]] = []
    for _ in range(_MOST_PAGES):
        if following is None:
            return found
        data = await http.json("GET", following, asked=asked, headers={**headers, **page_size(_PAGE)})
        found += rows(data)
        following = next_page(data, following)
    raise BcRefused(f"Cannot {asked}: the answer has more than {_MOST_PAGES} pages.")
