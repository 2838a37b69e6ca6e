"""OData as Business Central speaks it: addresses, filters, pages, and what a row says.

Sources: OASIS OData 4.01 part 2 (URL conventions) sections 4.3 and 5.1; Microsoft's "Using filter expressions in OData
URIs" and "Server-driven paging in OData web services".

A value is quoted first (``'`` doubled), then the whole option is percent-encoded: ``Jensen & Søn's`` arrives as it is.
Each field of an answer is checked; a row of another shape counts as no answer (:class:`~piprint.errors.BcUnreachable`).

This module does not know HTTP, nor the names of Business Central's pages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from piprint.errors import BcRefused, BcUnreachable

__all__ = ["Place", "both", "company_id", "equal", "moment", "next_page", "number", "rows", "tag", "text", "truth"]

_GUID = re.compile(r"\{?([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}?")
_FIRST_YEAR = 1
"""Business Central's empty date and time is 0001-01-01T00:00:00Z."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where entities lie.

    Attributes:
        base: the address, with its closing slash.
        company: a name or an id; "" for the server's default company.
    """

    base: str
    company: str = ""

    def all(self, entity: str, **options: str | int) -> str:
        """Return the address of an entity's rows.

        Args:
            entity: its name.
            options: system query options without the dollar sign: ``filter``, ``select``, ``top``, ``orderby``.
        """
        return self._address(entity, options)

    def one(self, entity: str, key: str | int, *, action: str = "", **options: str | int) -> str:
        """Return the address of one row: by its number, or by its id. ``action`` is put behind it, with a slash."""
        return self._address(f"{entity}({key})" + (f"/{action}" if action else ""), options)

    def _address(self, path: str, options: Mapping[str, str | int]) -> str:
        base, query = self.base, {f"${name}": str(value) for name, value in options.items()}
        if by_id := company_id(self.company):
            base += f"Company(Id={by_id})/"
        elif self.company:
            # Not in the path: a slash in a name ("CRONUS Danmark A/S") does not get through all servers there.
            query = {"company": self.company, **query}
        encoded = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        return base + path + (f"?{encoded}" if encoded else "")


def company_id(company: str) -> str:
    """Return the id, if a company is told by its id; "" if by its name."""
    match = _GUID.fullmatch(company)
    return match[1] if match else ""


def equal(field: str, value: str) -> str:
    """Return the filter "this field is this text"."""
    doubled = value.replace("'", "''")
    return f"{field} eq '{doubled}'"


def both(*filters: str) -> str:
    """Return the filter "all of these"."""
    return " and ".join(filters)


def rows(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a page of an answer."""
    value = data.get("value")
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise _strange("value")
    return value


def next_page(data: Mapping[str, Any], url: str) -> str | None:
    """Return the address of the next page; None at the end.

    Raises:
        BcRefused: it lies on another server: the login is not sent there.
    """
    link = data.get("@odata.nextLink")
    if not isinstance(link, str) or not link:
        return None
    try:
        following = urljoin(url, link)
        there, here = urlsplit(following), urlsplit(url)
    except ValueError:
        raise _strange("@odata.nextLink") from None
    if (there.scheme, there.netloc.lower()) != (here.scheme, here.netloc.lower()):
        raise BcRefused(
            f"Business Central's next page lies on another server ({there.hostname}), where the login is not sent. "
            "Write to url the address the server calls itself."
        )
    return following


def tag(row: Mapping[str, Any]) -> str:
    """Return the row's tag, to be sent back as it is; "" when it has none."""
    value = row.get("@odata.etag")
    # A header cannot hold everything a text can.
    return value if isinstance(value, str) and value.isascii() and value.isprintable() else ""


def text(row: Mapping[str, Any], field: str) -> str:
    """Return a text; "" for null."""
    value = row.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _strange(field)
    return value


def number(row: Mapping[str, Any], field: str) -> int:
    """Return a whole number; 0 for null."""
    value = row.get(field)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise _strange(field)
    return value


def truth(row: Mapping[str, Any], field: str) -> bool:
    """Return a boolean; False for null."""
    value = row.get(field)
    if value is not None and not isinstance(value, bool):
        raise _strange(field)
    return bool(value)


def moment(row: Mapping[str, Any], field: str) -> datetime | None:
    """Return a date and time in UTC; None for null and for Business Central's empty one."""
    said = text(row, field)
    if not said:
        return None
    try:
        value = datetime.fromisoformat(said)
        value = value if value.tzinfo else value.replace(tzinfo=UTC)
        return None if value.year == _FIRST_YEAR else value.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _strange(field) from None


def _strange(field: str) -> BcUnreachable:
    return BcUnreachable(
        f"Business Central's answer is not as agreed: {field} is missing or of another kind. "
        "Check that url is Business Central's and the extension's version."
    )
