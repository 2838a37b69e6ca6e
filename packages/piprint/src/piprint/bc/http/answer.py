"""What an error answer of Business Central, or of what stands before it, means: status, headers and bytes to one of our errors.

Sources: Microsoft's "Troubleshooting REST API/OData calls" (``webservices/dynamics-error-codes``) for the codes,
"Troubleshooting web service errors" (``webservices/web-service-troubleshooting``) for the status, RFC 9110 section 10.2.3
for ``Retry-After``.

Proxies and gateways answer with HTML, with nothing, or with very long texts; some repeat the request, login included.
So only JSON's ``error.message`` is passed on, cut, without control characters, and without the secrets the caller names.

This module does not know HTTP's machinery (:mod:`piprint.bc.http.client`), nor who tries again when.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from urllib.parse import urlsplit

from piprint.clock import http_date
from piprint.contract import PROCESSOR_PERMISSION_SET
from piprint.errors import (
    BcConflict,
    BcDenied,
    BcDuplicate,
    BcError,
    BcMissing,
    BcRefused,
    BcThrottled,
    BcUnreachable,
)

__all__ = ["MOST_ERROR_BYTES", "Answered", "error_of", "may_have_been_done", "plain", "retry_after"]

MOST_ERROR_BYTES = 64 * 1024
"""Read of an error's body; Business Central's are under 2 kB, a gateway's page may be endless."""

_LONGEST_MESSAGE = 400
_LONGEST_WAIT = 300.0
"""Seconds of ``Retry-After`` that are obeyed: as long as Business Central counts calls for (6,000 in 5 minutes). More is a clock
set wrong somewhere, or a proxy's page; whoever still wants to wait says so again."""

_CORRELATION = re.compile(r"\s*CorrelationId:\s*([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\.?")
_CODE = re.compile(r"[A-Za-z0-9_.]{1,80}")
_RIGHTS = re.compile(r"permissions? prevented|do(?:es)? not have (?:the )?(?:following )?permission", re.IGNORECASE)

_WAIT = frozenset({408, 429, 500, 502, 503, 504})
_REDIRECT = frozenset({301, 302, 303, 307, 308})
_PERMISSIONS = (
    f"open Microsoft Entra Applications (or Users, on-premises) in Business Central and give it the permission set "
    f"{PROCESSOR_PERMISSION_SET}"
)


class _Facts(TypedDict):
    status: int
    code: str
    correlation: str


@dataclass(frozen=True, slots=True)
class Answered:
    """An error answer.

    Attributes:
        status: the HTTP status.
        headers: without regard to the case of names.
        body: its beginning, at most :data:`MOST_ERROR_BYTES`.
        asked: what was asked, for people: "read the printers".
        url: what was asked, for its host.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    asked: str
    url: str


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read ``Retry-After``: seconds, or a date; None when it is missing or neither.

    A date is measured from the answer's own ``Date``, so that a clock set wrong here does no harm.
    """
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    if re.fullmatch(r"\d{1,9}(?:\.\d{1,6})?", text, re.ASCII):
        return min(float(text), _LONGEST_WAIT)
    then = http_date(text)
    if then is None:
        return None
    return min(max((then - (http_date(headers.get("Date", "")) or now)).total_seconds(), 0.0), _LONGEST_WAIT)


def plain(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text of another program as it may be shown: no secrets, no control characters, not long."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    text = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 1] + "…"


def may_have_been_done(error: BcError) -> bool:
    """Tell whether a write that ended so may have been done all the same.

    429 is answered before anything is done. All else that asks to wait may come from a gateway that gave up waiting.
    """
    return isinstance(error, BcUnreachable) or (isinstance(error, BcThrottled) and error.status != 429)  # noqa: PLR2004


def error_of(answer: Answered, *, now: datetime, secrets: Iterable[str] = ()) -> BcError:
    """Make the error of an answer whose status is not 2xx."""
    secrets = tuple(secrets)
    code, message, correlation = _read(answer, secrets)
    facts: _Facts = {"status": answer.status, "code": code, "correlation": correlation}
    said = f' It says: "{message}"' if message else ""
    trace = f" (HTTP {answer.status}{f', {code}' if code else ''}{f', correlation id {correlation}' if correlation else ''})"
    status, asked = answer.status, answer.asked
    if code == "Request_EntityChanged" or status == 412:  # noqa: PLR2004
        return BcConflict(f"Someone changed the row since it was read: cannot {asked}.{trace}", **facts)
    if code == "Internal_EntityWithSameKeyExists":
        return BcDuplicate(f"There is such a row already: cannot {asked}.{said}{trace}", **facts)
    if status in {401, 403} or _RIGHTS.search(message):
        return _denied(answer, code, said + trace, facts)
    if status == 409:  # noqa: PLR2004 - also a conflict of the database that passes: read again, decide again
        return BcConflict(f"Business Central met a conflict: cannot {asked} now.{said}{trace}", **facts)
    if status in {404, 410}:
        return _missing(answer, code, said + trace, facts)
    if status in _WAIT:
        wait = retry_after(answer.headers, now)
        when = f"in {wait:g} s" if wait is not None else "later"
        return BcThrottled(
            f"Business Central is busy or restarting: could not {asked}; this is tried again {when}.{said}{trace}",
            retry_after=wait,
            **facts,
        )
    return BcRefused(_REFUSED.get(status, _redirect if status in _REDIRECT else _other)(answer) + said + trace, **facts)


def _read(answer: Answered, secrets: tuple[str, ...]) -> tuple[str, str, str]:
    """Return code, message and correlation id; all "" of a body that is not Business Central's JSON."""
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        data = None
    error = data.get("error") if isinstance(data, dict) else None
    told = error if isinstance(error, dict) else {}
    text = told.get("message")
    message = text if isinstance(text, str) else ""
    correlation = _CORRELATION.search(message)
    code = told.get("code")
    known = isinstance(code, str) and _CODE.fullmatch(code) and not any(secret in code for secret in secrets if secret)
    return (
        code if isinstance(code, str) and known else "",
        plain(_CORRELATION.sub("", message), secrets),
        correlation[1].lower() if correlation else "",
    )


def _denied(answer: Answered, code: str, tail: str, facts: _Facts) -> BcDenied:
    asked = answer.asked
    if "Tenant" in code or "Environment" in code:
        return _environment(answer, tail, facts)
    if answer.status == 401:  # noqa: PLR2004
        return BcDenied(
            f"Business Central does not know this login: cannot {asked}. With Microsoft Entra, {_PERMISSIONS}, and set its "
            f"state to Enabled; on-premises, check ValidAudiences, or user name and password.{tail}",
            cause="login",
            **facts,
        )
    return BcDenied(
        f"The login's rights in Business Central do not suffice to {asked}: {_PERMISSIONS}.{tail}",
        cause="permission set",
        **facts,
    )


def _environment(answer: Answered, tail: str, facts: _Facts) -> BcDenied:
    return BcDenied(
        f"Business Central has no such environment: cannot {answer.asked}. Check environment, tenant and url.{tail}",
        cause="environment",
        **facts,
    )


def _missing(answer: Answered, code: str, tail: str, facts: _Facts) -> BcError:
    if "Tenant" in code or "Environment" in code:
        return _environment(answer, tail, facts)
    if code == "Internal_CompanyNotFound":
        return BcMissing(f"Business Central has no such company: cannot {answer.asked}. Check company.{tail}", **facts)
    if code == "Internal_RecordNotFound":
        return BcMissing(f"The row is gone: cannot {answer.asked}.{tail}", **facts)
    return BcMissing(
        f"Nothing is there: cannot {answer.asked}. The row was deleted, the extension is not installed, or url is wrong.{tail}",
        **facts,
    )


def _redirect(answer: Answered) -> str:
    try:
        to = urlsplit(answer.headers.get("Location", ""))
    except ValueError:
        to = urlsplit("")
    place = f"{to.scheme}://{to.hostname}" if to.scheme and to.hostname else "another place"
    return (
        f"The server sends us on to {plain(place)} when asked to {answer.asked}. The login is not sent there; "
        "if that is Business Central's right address, write it to url."
    )


def _other(answer: Answered) -> str:
    return f"Business Central refused to {answer.asked}."


_REFUSED = {
    405: lambda answer: (
        f"Business Central does not allow to {answer.asked}. OData services are switched off on the server, or url is wrong."
    ),
    407: lambda answer: (
        f"A proxy between here and Business Central wants its own login: cannot {answer.asked}. Set HTTPS_PROXY for it."
    ),
    413: lambda answer: f"What was sent or asked for is too large for Business Central: cannot {answer.asked}.",
}
"""Status that say more than "refused"."""
