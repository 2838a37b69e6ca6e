"""The OData service: a request in, an answer out; pages, rows, filters, pages of rows, tags, rights.

Sans-IO: :class:`Call` and :class:`Answer` are plain data, and a document in an answer is named, not read; sending is
:mod:`piprint.simulate.server`'s. Actions of API pages are :mod:`piprint.simulate.extension.actions`'.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from piprint.contract import API_GROUP, API_PUBLISHER, API_VERSION, ENTITIES, JOBS_API, PRINTER_WS, QUEUE_WS, Entity
from piprint.simulate.extension import actions
from piprint.simulate.extension.database import Database
from piprint.simulate.extension.tables import Printer, PrintJob, Row, Tables
from piprint.simulate.login import Login
from piprint.simulate.odata.address import Address, parse_address
from piprint.simulate.odata.pages import Language, OptionFormat, Page, Part, Tongue, page
from piprint.simulate.odata.selection import MOST_ROWS, Selection
from piprint.simulate.odata.tags import TagMode, check_match, tag
from piprint.simulate.refusal import Refusal

__all__ = ["API_ROUTE", "Answer", "Call", "Company", "Habits", "Service"]

API_ROUTE = f"api/{API_PUBLISHER}/{API_GROUP}/{API_VERSION}"
_WEB_SERVICES = {entity.name: entity for entity in (PRINTER_WS, QUEUE_WS)}
_API_PAGES = {entity.name: entity for entity in ENTITIES if entity.name not in _WEB_SERVICES}
_JSON = {"Content-Type": "application/json; odata.metadata=minimal; odata.streaming=true"}
_LANGUAGES: Mapping[str, Language] = {"en": "en", "da": "da", "de": "de"}
_LONGEST_NUMBER = 10
"""Digits of an Edm.Int32."""
_OPTIONS = frozenset(
    {"$filter", "$select", "$orderby", "$top", "$skip", "$count", "$skiptoken", "$schemaversion", "company", "tenant"}
)


@dataclass(frozen=True, slots=True)
class Company:
    """A company of the environment."""

    name: str
    id: str


@dataclass(slots=True)
class Habits:
    """In what servers differ; may be changed at any time.

    Attributes:
        tags: how rows' tags are made.
        language: of captions, when the request asks for none.
        options: how states are told by the web services; API pages always tell names.
        obey_language: answer in the request's language.
        page_size: most rows of one answer.
        duplicate_status: 400 or 409, by version.
    """

    tags: TagMode = "page"
    language: Language = "en"
    options: OptionFormat = "caption"
    obey_language: bool = True
    page_size: int = MOST_ROWS
    duplicate_status: int = 400


@dataclass(frozen=True, slots=True)
class Call:
    """A request.

    Attributes:
        method: of HTTP.
        root: the URL that ``path`` lies under, as the client wrote it.
        api: it came by the API's route, not by ``ODataV4/``.
        path: still percent-encoded.
        query: decoded.
        headers: by lower-case name.
        body: as it came.
    """

    method: str
    root: str
    api: bool
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, not yet sent.

    Attributes:
        status: of HTTP.
        parts: the body; see :data:`piprint.simulate.odata.pages.Part`.
        headers: besides those every answer has.
        raw: documents go out as they are, not as base64.
    """

    status: int
    parts: Iterable[Part] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bool = False

    @classmethod
    def of_json(cls, status: int, value: object, headers: Mapping[str, str] | None = None) -> Answer:
        """Return an answer with a small JSON body."""
        return cls(status, (json.dumps(value, ensure_ascii=False),), {**_JSON, **(headers or {})})


class Service:
    """Answers calls.

    Args:
        database: the tables.
        login: who may in.
        companies: there are; at least one.
        default_company: used when a call names none; "": the only one, or an error.
        habits: see :class:`Habits`.
    """

    def __init__(
        self, database: Database, login: Login, companies: tuple[Company, ...], default_company: str, habits: Habits
    ) -> None:
        self.habits = habits
        self._database = database
        self._login = login
        self._companies = companies
        self._default_company = default_company

    def answer(self, call: Call) -> Answer:
        """Do what is asked; a refusal is an answer, too."""
        try:
            self._login.authorize(call.headers.get("authorization"))
            return self._dispatch(call)
        except Refusal as refusal:
            status = refusal.status
            if refusal.code == "Internal_EntityWithSameKeyExists":
                status = self.habits.duplicate_status
            return Answer.of_json(status, refusal.body(), refusal.headers)

    def _dispatch(self, call: Call) -> Answer:
        if call.api and self._database.extension == "1.0":
            raise Refusal("BadRequest_ResourceNotFound", f"Resource not found for the segment '{API_PUBLISHER}'.")
        address = parse_address(call.path)
        if "readonly" in call.headers.get("data-access-intent", "").lower() and call.method != "GET":
            raise Refusal("BadRequest", "A request with Data-Access-Intent ReadOnly cannot write.")
        if address.entity in {"", "$metadata", "Company", "companies"}:
            _allow(call, address, "GET")
            return self._about(call, address)
        entity = (_API_PAGES if call.api else _WEB_SERVICES).get(address.entity)
        if entity is None:
            raise Refusal("BadRequest_ResourceNotFound", f"Resource not found for the segment '{address.entity}'.")
        company = self._company(address.company or call.query.get("company"))
        request = _Request(self._database, self.habits, call, address, page(entity), company)
        return request.answer()

    def _company(self, wanted: str | None) -> Company:
        wanted = wanted or self._default_company
        if not wanted and len(self._companies) == 1:
            return self._companies[0]
        for company in self._companies:
            if wanted == company.name or (wanted and wanted.lower() == company.id.lower()):
                return company
        raise Refusal(
            "Internal_CompanyNotFound",
            f"Cannot process the request because the company '{wanted}' cannot be found."
            if wanted
            else "Cannot process the request because the default company cannot be found. You can specify a default "
            'company, or you can add a query string in the form of "company=[name]".',
        )

    def _about(self, call: Call, address: Address) -> Answer:
        """Answer about the service itself: what there is, in which companies."""
        entities = (_API_PAGES if call.api else _WEB_SERVICES).values()
        if address.entity == "$metadata":
            return Answer(200, (_metadata(entities),), {"Content-Type": "application/xml"})
        if not address.entity:
            names = ["companies" if call.api else "Company", *(entity.name for entity in entities)]
            rows = [{"name": name, "kind": "EntitySet", "url": name} for name in names]
            return Answer.of_json(200, {"@odata.context": f"{call.root}$metadata", "value": rows})
        described = [
            {"id": each.id, "name": each.name, "displayName": each.name}
            if call.api
            else {"Name": each.name, "Id": each.id, "Display_Name": each.name}
            for each in self._companies
        ]
        context = {"@odata.context": f"{call.root}$metadata#{address.entity}"}
        if address.key is not None:
            return Answer.of_json(200, context | described[self._companies.index(self._company(address.key))])
        return Answer.of_json(200, context | {"value": described})


class _Request:
    """One request for a page's rows."""

    def __init__(
        self, database: Database, habits: Habits, call: Call, address: Address, page: Page, company: Company
    ) -> None:
        self._database = database
        self._habits = habits
        self._call = call
        self._address = address
        self._page = page
        self._entity = page.entity
        self._tongue = self._speak()
        place = (
            f"companies({company.id})"
            if call.api
            else f"Company('{quote(company.name.replace(chr(39), chr(39) * 2))}')"
        )
        self._set = f"{call.root}{place}/{self._entity.name}"
        self._context = f"{call.root}$metadata#{place}/{self._entity.name}"

    def answer(self) -> Answer:
        """Choose by method and address."""
        call, address = self._call, self._address
        unknown = [name for name in call.query if name not in _OPTIONS]
        if unknown:
            raise Refusal("BadRequest", f"The query parameter '{unknown[0]}' is not supported.")
        if address.key is None:
            _allow(call, address, "GET", "POST" if self._entity.insert and not address.rest else "")
            return self._insert() if call.method == "POST" else self._list()
        if address.rest.startswith("Microsoft.NAV."):
            _allow(call, address, "POST")
            return self._act(address.rest.removeprefix("Microsoft.NAV."))
        if address.rest:
            _allow(call, address, "GET")
            return self._stream()
        _allow(call, address, "GET", "PATCH" if self._entity.modify else "")
        return self._modify() if call.method == "PATCH" else self._single()

    # reading

    def _list(self) -> Answer:
        call = self._call
        if self._entity in (QUEUE_WS, JOBS_API) and not self._read_only:
            self._database.clean_up_in_passing()
        tables = self._tables().copy()
        selection = self._selection()
        rows, more = selection.choose(self._page, tables)
        if self._address.rest == "$count":
            return Answer(200, (str(selection.count),), {"Content-Type": "text/plain"})
        if self._address.rest:
            raise Refusal("BadRequest_ResourceNotFound", f"Resource not found for the segment '{self._address.rest}'.")
        end = "]"
        if more:
            link = f"{self._set}?{selection.next_query(call.query, rows)}"
            end += f',"@odata.nextLink":{json.dumps(link)}'
        start = f'{{"@odata.context":{json.dumps(self._context)},'
        if call.query.get("$count") == "true":
            start += f'"@odata.count":{selection.count},'
        return Answer(200, self._join(f'{start}"value":[', tables, rows, selection.names, end + "}"), _JSON)

    def _join(self, start: str, tables: Tables, rows: list[Row], names: tuple[str, ...], end: str) -> Iterator[Part]:
        yield start
        for number, row in enumerate(rows):
            if number:
                yield ","
            yield from self._encode(tables, row, names)
        yield end

    def _single(self) -> Answer:
        tables = self._tables()
        selection = self._selection()
        return self._row(200, tables, self._find(tables), names=selection.names)

    def _row(
        self, status: int, tables: Tables, row: Row, *, names: tuple[str, ...] | None = None, patched: bool = False
    ) -> Answer:
        names = names or tuple(self._entity.by_name)
        first, *others = self._encode(tables, row, names, patched=patched)
        context = f'{{"@odata.context":{json.dumps(f"{self._context}/$entity")},'
        headers = dict(_JSON)
        if status == 201:  # noqa: PLR2004 - Created
            headers["Location"] = self._address_of(row)
        return Answer(status, (context, str(first)[1:], *others), headers)

    def _encode(self, tables: Tables, row: Row, names: tuple[str, ...], *, patched: bool = False) -> Iterator[Part]:
        mark = tag(self._habits.tags, self._page, tables, row, patched=patched)
        return self._page.encode(tables, row, mark, names, self._tongue, self._address_of(row))

    def _stream(self) -> Answer:
        row = self._find(self._tables())
        field = self._entity.by_name.get(self._address.rest)
        if field is None or field.kind != "stream" or not isinstance(row, PrintJob):
            raise Refusal("BadRequest_ResourceNotFound", f"Resource not found for the segment '{self._address.rest}'.")
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(row.document.size)}
        return Answer(200, (row.document,), headers, raw=True)

    # writing

    def _insert(self) -> Answer:
        values = self._page.read(self._body(), self._tongue)
        database = self._database
        row = (
            database.insert_printer(values)
            if self._entity.table == "PIPrintPrinter"
            else database.insert_processor(values)
        )
        return self._row(201, database.tables, row)

    def _modify(self) -> Answer:
        database = self._database
        row = self._find(database.tables)
        self._check_match(row)
        values = self._page.read(self._body(), self._tongue)
        changed: Row
        if isinstance(row, Printer):
            changed = database.change_printer(row, values)
        elif isinstance(row, PrintJob):
            changed = database.patch_job(row, values)
        else:
            changed = database.change_processor(row, values)
        return self._row(200, database.tables, changed, patched=True)

    def _act(self, name: str) -> Answer:
        row = self._find(self._database.tables)
        action = next((each for each in self._entity.actions if each.name == name), None)
        if action is None or not isinstance(row, PrintJob):
            raise Refusal("BadRequest_NotFound", f"No HTTP resource was found for the action '{name}'.")
        if "if-match" in self._call.headers:
            self._check_match(row)
        actions.act(self._database, row, action, self._body() if self._call.body else {})
        return Answer(204)

    # what both share

    def _selection(self) -> Selection:
        prefer = self._call.headers.get("prefer", "")
        return Selection.read(self._call.query, prefer, self._page, self._tongue, self._habits.page_size)

    @property
    def _read_only(self) -> bool:
        return "readonly" in self._call.headers.get("data-access-intent", "").lower()

    def _tables(self) -> Tables:
        return self._database.replica() if self._read_only else self._database.tables

    def _find(self, tables: Tables) -> Row:
        text = self._address.key or ""
        key: object = text.lower()
        if self._entity.key == "RowNo":
            if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER):
                raise Refusal("BadRequest_NotFound", f"Bad Request - Error in query syntax: {text!r} is no number.")
            key = int(text)
        row = self._page.find(tables, key)
        if row is None:
            raise Refusal("Internal_RecordNotFound", f"The record does not exist: {self._entity.name}({text}).")
        return row

    def _check_match(self, row: Row) -> None:
        current = tag(self._habits.tags, self._page, self._database.tables, row)
        check_match(self._call.headers.get("if-match"), current)

    def _address_of(self, row: Row) -> str:
        return f"{self._set}({self._page.value(self._entity.key, self._database.tables, row)})"

    def _speak(self) -> Tongue:
        if self._call.api:
            return Tongue(form="name")
        habits = self._habits
        asked = self._call.headers.get("accept-language", "")[:2].lower() if habits.obey_language else ""
        return Tongue(_LANGUAGES.get(asked, habits.language), habits.options)

    def _body(self) -> dict[str, Any]:
        if "json" not in self._call.headers.get("content-type", ""):
            raise Refusal("BadRequest", "The body must be JSON: Content-Type: application/json.", status=415)
        try:
            body = json.loads(self._call.body)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise Refusal("BadRequest", "Invalid Request Body")
        return body


def _allow(call: Call, address: Address, *methods: str) -> None:
    if call.method not in methods:
        raise Refusal(
            "BadRequest_MethodNotAllowed",
            f"'{call.method}' requests for '{address.entity}' are not allowed within Microsoft Dynamics 365 "
            "Business Central OData web services.",
            headers={"Allow": ", ".join(filter(None, methods))},
        )


def _metadata(entities: Iterable[Entity]) -> str:
    types = "".join(page(entity).metadata() for entity in entities)
    sets = "".join(f'<EntitySet Name="{entity.name}" EntityType="NAV.{entity.name}"/>' for entity in entities)
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
        f'<Schema Namespace="NAV" xmlns="http://docs.oasis-open.org/odata/ns/edm">{types}'
        f'<EntityContainer Name="NAV">{sets}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>'
    )
