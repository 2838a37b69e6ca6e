"""Which printers Business Central offers for this host: added, brought up to date, switched off, never deleted.

Deleting a printer would delete its jobs, so one that is gone is disabled. Who disabled it, we or a user, must be known
when it comes back, also on another host after a reinstallation; so it is written where it can be seen: the printer's
payload then describes it as :data:`GONE`. A disabled printer's payload is not used for anything else, and when the
printer is back its payload is written anew and the mark with it goes away. A user's switch has no such mark and stays.

What a user may change (the name, jobs on hold, times of deletion) is never written after the printer was added.

Both dialects use this; their fields' names are data (:class:`Names`). This module does not know jobs.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from piprint.bc.dialects.pages import read_all
from piprint.bc.http.client import READ_WRITE, Http
from piprint.bc.odata import Place, equal, tag, text, truth
from piprint.bc.queue import BcProblem, OfferedPrinter
from piprint.contract import PRINTER_WS, Entity, cut, units
from piprint.errors import BcConflict, BcDuplicate, BcError, BcRefused, concerns_one

__all__ = ["GONE", "WEB_SERVICE", "Names", "Registry"]

_log = logging.getLogger(__name__)

GONE = "Not there at present (switched off by the print processor)"
"""The description, in its payload, of a printer that we disabled."""

_SMALLEST = {"version": 1, "papertrays": [{"papersourcekind": 7, "paperkind": 9}]}
"""What stands in for a payload the mark does not fit into: one A4 tray, AutomaticFeed."""
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Names:
    """What a dialect calls a printer's fields.

    Attributes:
        entity: the page.
        key: the field a row is asked by.
        host, printer, name, payload, enabled: as on the wire.
        state, message: the same; "" where there is no such field.
    """

    entity: Entity
    key: str
    host: str
    printer: str
    name: str
    payload: str
    enabled: str
    state: str = ""
    message: str = ""

    @property
    def read(self) -> str:
        """Return the fields to read, as ``$select`` has them."""
        fields = (self.key, self.host, self.printer, self.name, self.payload, self.enabled, self.state, self.message)
        return ",".join(filter(None, fields))


WEB_SERVICE = Names(PRINTER_WS, PRINTER_WS.key, "HostID", "PrinterID", "PrinterName", "PrinterJsonPayload", "Enabled")


class Registry:
    """The printers of one host in Business Central.

    Args:
        http: the calls.
        place: where the printers' page lies.
        host: the host they belong to.
        names: see :class:`Names`.
    """

    def __init__(self, http: Http, place: Place, *, host: str, names: Names = WEB_SERVICE) -> None:
        self._http = http
        self._place = place
        self._host = host
        self._names = names

    async def offer(self, printers: Sequence[OfferedPrinter]) -> dict[str, BcProblem]:
        """Make Business Central offer exactly these; see :meth:`piprint.bc.queue.Queue.register`.

        May be called again after any error: it looks first what is there.

        Raises:
            BcError: it concerns all printers: no answer, no rights, a pause asked for.
        """
        there = await self._rows()
        wanted = {printer.printer_id: printer for printer in printers}
        taken: set[str] | None = None
        problems: dict[str, BcProblem] = {}
        for printer_id in (*wanted, *(name for name in there if name not in wanted)):
            try:
                if printer_id in there:
                    await self._update(there[printer_id], wanted.get(printer_id))
                    continue
                if taken is None:
                    taken = await self._taken_names()
                taken.add(await self._add(wanted[printer_id], taken))
            except BcError as error:
                if not concerns_one(error):
                    raise
                _log.warning("printer %s: %s", printer_id, error)
                problems[printer_id] = BcProblem(str(error))
        return problems

    async def _rows(self) -> dict[str, dict[str, Any]]:
        """Return the rows of this host's printers, by printer id."""
        names = self._names
        url = self._place.all(names.entity.name, filter=equal(names.host, self._host), select=names.read)
        found = await read_all(self._http, url, asked="read this host's printers", headers=READ_WRITE)
        return {text(row, names.printer): row for row in found}

    async def _taken_names(self) -> set[str]:
        """Return the names of all printers of all hosts: a user chooses by them, so no two may be alike."""
        names = self._names
        url = self._place.all(names.entity.name, select=f"{names.key},{names.name}")
        found = await read_all(self._http, url, asked="read all printers' names", headers=READ_WRITE)
        return {text(row, names.name).casefold() for row in found}

    async def _add(self, printer: OfferedPrinter, taken: set[str]) -> str:
        """Add a printer; return its name as it is compared."""
        names = self._names
        name = _free_name(printer.printer_name or f"{printer.printer_id}@{self._host}", taken, names)
        body = {
            names.host: self._host,
            names.printer: printer.printer_id,
            names.name: name,
            names.payload: printer.payload,
            **self._told(printer),
        }
        url = self._place.all(names.entity.name)
        try:
            await self._write("POST", url, body, f"add printer {printer.printer_id}")
        except BcDuplicate:
            if printer.printer_id not in await self._rows():
                raise BcDuplicate(
                    f"Business Central has another printer of this host whose id differs from {printer.printer_id} only in "
                    "capital letters. Rename one of the two queues."
                ) from None
        return name.casefold()

    async def _update(self, row: Mapping[str, Any], printer: OfferedPrinter | None) -> None:
        """Write the fields that differ. If the row has changed meanwhile, as each new job may cause, read it and try again."""
        names = self._names
        printer_id = text(row, names.printer)
        key = str(row.get(names.key))
        for attempt in range(_TRIES):
            changes = self._gone(row) if printer is None else self._changes(row, printer)
            if not changes:
                return
            try:
                url = self._place.one(names.entity.name, key)
                await self._write("PATCH", url, changes, f"bring printer {printer_id} up to date", known=tag(row))
            except BcConflict:
                if attempt == _TRIES - 1:
                    raise
                again = (await self._rows()).get(printer_id)
                if again is None:
                    return  # a user deleted it just now; the next round adds it again
                row = again
            else:
                return

    def _changes(self, row: Mapping[str, Any], printer: OfferedPrinter) -> dict[str, object]:
        names = self._names
        told = text(row, names.payload)
        changes: dict[str, object] = {
            field: value for field, value in self._told(printer).items() if text(row, field) != value
        }
        if told != printer.payload:
            changes[names.payload] = printer.payload
        if _is_gone(told) and not truth(row, names.enabled):
            changes[names.enabled] = True
        return changes

    def _gone(self, row: Mapping[str, Any]) -> dict[str, object]:
        names = self._names
        if not truth(row, names.enabled):
            return {}
        field = names.entity.by_name[names.payload]
        return {names.enabled: False, names.payload: _mark_gone(text(row, names.payload), field.length)}

    def _told(self, printer: OfferedPrinter) -> dict[str, str]:
        """Return how the printer is, where Business Central wants to know."""
        names = self._names
        values = {names.state: printer.state, names.message: printer.state_message}
        return {field: cut(value, names.entity.by_name[field].length or 0) for field, value in values.items() if field}

    async def _write(
        self, method: str, url: str, body: Mapping[str, object], asked: str, *, known: str | None = None
    ) -> None:
        headers = {}
        if known is not None:
            if not known:
                raise BcRefused(f"Business Central tells no tag (@odata.etag) of the printer: cannot {asked}.")
            headers["If-Match"] = known
        async with self._http.call(method, url, asked=asked, body=body, headers=headers) as answer:
            await answer.drain()


def _free_name(name: str, taken: Iterable[str], names: Names) -> str:
    """Return the name, or the first of ``name-1``, ``name-2`` ... that no printer has; cut to fit."""
    length = names.entity.by_name[names.name].length or 0
    used = set(taken)
    number = 0
    while True:
        ending = f"-{number}" if number else ""
        candidate = cut(name, length - len(ending)) + ending
        if candidate.casefold() not in used:
            return candidate
        number += 1


def _mark_gone(payload: str, length: int | None) -> str:
    """Return a payload that says that we disabled the printer."""
    try:
        data = json.loads(payload)
    except (ValueError, RecursionError):
        data = None
    marked = json.dumps({**(data if isinstance(data, dict) else _SMALLEST), "description": GONE}, ensure_ascii=False)
    if length is not None and units(marked) > length:
        marked = json.dumps({**_SMALLEST, "description": GONE})
    return marked


def _is_gone(payload: str) -> bool:
    """Tell whether a payload says that we disabled the printer."""
    try:
        data = json.loads(payload)
    except (ValueError, RecursionError):
        return False
    return isinstance(data, dict) and data.get("description") == GONE
