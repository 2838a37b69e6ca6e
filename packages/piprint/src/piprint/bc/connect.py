"""Business Central by the configuration: builds the calls, finds out which extension answers, returns its dialect.

Where the configuration does not name the extension, Business Central is asked for our API pages. If they are not there (404; 405
where API services are switched off), PIPrint 1.0's web services must be. This module does not know what the queue is used for.
"""

from __future__ import annotations

from typing import Any

from piprint.bc.dialects.api import ApiQueue
from piprint.bc.dialects.webservice import WebServiceQueue
from piprint.bc.http.client import READ_ONLY, Http, Wire
from piprint.bc.login.tokens import login_for
from piprint.bc.odata import Place, company_id, rows, text
from piprint.clock import Clock
from piprint.config.settings import Config
from piprint.contract import API_GROUP, API_PUBLISHER, API_VERSION, JOBS_API
from piprint.errors import BcError, BcMissing, BcRefused

__all__ = ["connect"]

_MOST_NAMED = 10
_NO_COMPANY = "Internal_CompanyNotFound"
_API_SWITCHED_OFF = 405
"""What a server on-premises answers whose API services are switched off; its OData services may be on."""


async def connect(config: Config, *, instance: str, clock: Clock | None = None) -> WebServiceQueue | ApiQueue:
    """Return Business Central's queue, a :class:`piprint.bc.queue.Queue` that counts its calls; close it at the end.

    Args:
        config: all settings.
        instance: which processor of its host this is.
        clock: gives the time of day, and hears what every answer says of it.

    Raises:
        ConfigError: the settings cannot work: files, characters.
        BcMissing: no extension is installed, or there is no such company; the message tells which.
        BcError: anything else that keeps us from finding out; try again later.
    """
    bc = config.business_central
    clock = clock or Clock()
    wire = Wire(bc, dated=clock.witness)
    try:
        login = login_for(bc, wire, now=clock.theirs)  # proofs of login are held against their clock
        http = Http(wire, login, parallel=config.limits.parallel_calls, now=clock.now)
        return await _dialect(config, http, instance)
    except BaseException:
        await wire.close()
        raise


async def _dialect(config: Config, http: Http, instance: str) -> WebServiceQueue | ApiQueue:
    bc = config.business_central
    document_bytes = config.limits.document_mb * 1_000_000
    old = WebServiceQueue(http, Place(bc.odata, bc.company), host=config.host, document_bytes=document_bytes)
    if bc.extension == "1.0":
        return old
    base = f"{bc.root}api/{API_PUBLISHER}/{API_GROUP}/{API_VERSION}/"
    try:
        place = await _company(http, base, bc.company)
    except (BcMissing, BcRefused) as error:
        absent = isinstance(error, BcMissing) or error.status == _API_SWITCHED_OFF
        if bc.extension == "2.0" or error.code == _NO_COMPANY or not absent:
            raise
        await _check_old(old, error)
        return old
    return ApiQueue(http, place, host=config.host, instance=instance, document_bytes=document_bytes)


async def _check_old(old: WebServiceQueue, missing: BcError) -> None:
    try:
        await old.check()
    except BcMissing as error:
        if error.code == _NO_COMPANY:
            raise
        raise BcMissing(
            "No print extension answers in Business Central: neither ours (API pages) nor PIPrint 1.0 (web services). "
            "Install it under Extension Management, and check environment and url.",
            status=missing.status,
            code=missing.code,
            correlation=missing.correlation,
        ) from error


async def _company(http: Http, base: str, wanted: str) -> Place:
    """Find the company among those the API pages know; return where its pages lie."""
    data = await http.json("GET", Place(base).all("companies"), asked="read the companies", headers=READ_ONLY)
    found = rows(data)
    fitting = [row for row in found if not wanted or _is(row, wanted)]
    if len(fitting) != 1:
        names = ", ".join(f'"{name}"' for name in sorted(text(row, "name") for row in found)[:_MOST_NAMED])
        what = f"has no company {wanted!r}" if wanted else "has more than one company, or none that this login may see"
        raise BcMissing(f"Business Central {what}. Set company to one of: {names}.", status=404, code=_NO_COMPANY)
    place = Place(f"{base}companies({text(fitting[0], 'id')})/")
    url = place.all(JOBS_API.name, top=0)
    await http.json("GET", url, asked="open the print jobs", headers=READ_ONLY)
    return place


def _is(row: dict[str, Any], wanted: str) -> bool:
    by_id = company_id(wanted)
    return text(row, "id").lower() == by_id.lower() if by_id else text(row, "name") == wanted
