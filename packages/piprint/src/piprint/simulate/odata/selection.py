"""Which rows of a page an answer holds, in which order, and which fields of them: OData's query options.

``$filter``, ``$orderby``, ``$select``, ``$top``, ``$skip``, and the server's own paging: an answer that does not hold all ends
with a link whose ``$skiptoken`` names its last row. Source: Microsoft, ``webservices/server-driven-paging-in-odata-web-services``.
This module does not know addresses.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from piprint.simulate.extension.tables import Processor, Row, Tables
from piprint.simulate.odata.pages import Page, Tongue
from piprint.simulate.odata.query import Filter, FilterError, Order, parse_filter, parse_order
from piprint.simulate.refusal import Refusal

__all__ = ["MOST_ROWS", "Selection"]

MOST_ROWS = 20_000
"""Rows of one answer (Microsoft, ``administration/operational-limits-online``)."""


@dataclass(slots=True)
class Selection:
    """Which rows of a page, in which order, and which fields of them.

    ``count`` is how many rows pass the filter; known after :meth:`choose`.
    """

    accepts: Filter
    order: tuple[Order, ...]
    names: tuple[str, ...]
    skip: int
    top: int
    size: int
    after: str
    count: int = 0

    @classmethod
    def read(cls, query: Mapping[str, str], prefer: str, page: Page, tongue: Tongue, page_size: int) -> Selection:
        """Read a request's options.

        Args:
            query: the URL's, decoded.
            prefer: the header; ``odata.maxpagesize`` asks for smaller answers.
            page: the rows are of.
            tongue: states in the filter are told in.
            page_size: most rows of one answer.

        Raises:
            Refusal: an option cannot be used.
        """
        fields = page.entity.by_name
        names = [name.strip() for name in query.get("$select", "").split(",") if name.strip()]
        for name in names:
            if name not in fields:
                raise Refusal("BadRequest", f"Could not find a property named '{name}' on type '{page.entity.name}'.")
        in_allowed = query.get("$schemaversion") == "2.1"
        try:
            accepts: Filter = lambda _get: True  # noqa: E731 - a filter like those that are read
            if "$filter" in query:
                accepts = parse_filter(query["$filter"], fields, tongue.read, in_allowed=in_allowed)
            order = parse_order(query["$orderby"], fields) if "$orderby" in query else ()
        except FilterError as error:
            raise Refusal("BadRequest", f"{error}.") from None
        return cls(
            accepts,
            order,
            tuple(name for name in fields if name in names) if names else tuple(fields),
            _number(query, "$skip", 0),
            _number(query, "$top", MOST_ROWS),
            max(1, min(page_size, MOST_ROWS, _preferred(prefer))),
            query.get("$skiptoken", ""),
        )

    def choose(self, page: Page, tables: Tables) -> tuple[list[Row], bool]:
        """Return the rows of this answer, and whether there are more."""
        rows = list(page.rows(tables))
        for order in reversed(self.order):
            rows.sort(key=_sort_key(page, tables, order.field), reverse=order.descending)
        if self.after:
            rows = rows[self._position(rows) :]
        passing = [row for row in rows if self.accepts(page.getter(tables, row))]
        self.count = len(passing)
        wanted = passing[self.skip : self.skip + self.top]
        return wanted[: self.size], len(wanted) > self.size

    def _position(self, rows: list[Row]) -> int:
        try:
            last = base64.urlsafe_b64decode(self.after).decode()
        except (binascii.Error, ValueError):
            last = ""
        bookmarks = [_bookmark(row) for row in rows]
        if last in bookmarks:
            return bookmarks.index(last) + 1
        if re.fullmatch("[0-9]{1,10}", last) and not self.order:  # the last row was deleted meanwhile
            return sum(int(mark) <= int(last) for mark in bookmarks if mark.isdecimal())
        raise Refusal("BadRequest", "The value of $skiptoken is not valid.")

    def next_query(self, query: Mapping[str, str], rows: list[Row]) -> str:
        """Return the query of the link to what follows these rows."""
        following = {name: value for name, value in query.items() if name not in {"$skip", "$skiptoken"}}
        if "$top" in query:
            following["$top"] = str(self.top - len(rows))
        following["$skiptoken"] = base64.urlsafe_b64encode(_bookmark(rows[-1]).encode()).decode()
        return urlencode(following, quote_via=quote)


def _bookmark(row: Row) -> str:
    return row.id if isinstance(row, Processor) else str(row.row_no)


def _sort_key(page: Page, tables: Tables, name: str) -> Callable[[Row], Any]:
    return lambda row: page.value(name, tables, row)


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10):  # noqa: PLR2004 - of Edm.Int32
        raise Refusal("BadRequest", f"Invalid value '{text}' for {name} query option found.")
    return int(text)


def _preferred(header: str) -> int:
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name.lower() in {"odata.maxpagesize", "maxpagesize"} and value.isascii() and value.isdecimal():
            return int(value)
    return MOST_ROWS
