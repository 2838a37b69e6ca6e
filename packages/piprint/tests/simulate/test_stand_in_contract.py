"""Every field of the contract is served by its name and type, and takes what it should take, no more."""

import base64
import re
from datetime import datetime
from uuid import UUID

import pytest

from piprint.contract import (
    ENTITIES,
    JOBS_API,
    PRINTER_WS,
    PRINTERS_API,
    PROCESSORS_API,
    QUEUE_WS,
    JobState,
    read_state,
)

JSON_TYPES = {"integer": int, "boolean": bool, "text": str, "json": str}
READERS = {
    "datetime": lambda told: datetime.fromisoformat(told).tzinfo,
    "dateformula": lambda told: re.fullmatch(r"-\d+[DWMQY]", told),
    "guid": UUID,
    "state": lambda told: isinstance(read_state(told), JobState),
}
CHANGES = {
    "text": "changed",
    "boolean": True,
    "dateformula": "-2W",
    "state": "Cancelled",
    "integer": 5,
    "datetime": "2026-01-01T00:00:00Z",
    "guid": "00000000-0000-0000-0000-000000000009",
    "stream": "x",
}


def place(ask, entity):
    return entity.name if entity in (PRINTER_WS, QUEUE_WS) else ask.api + entity.name


def named(entity):
    return pytest.mark.parametrize("entity", entity, ids=lambda each: each.name)


async def filled(ask):
    """Have one row in every table, with something in every field."""
    job = ask.print()
    await ask.act(job, "claim", claimToken="me.1.00000000", leaseSeconds=60)
    ask.bc.database.insert_processor({"host_id": "pi", "instance_id": "me", "processor_version": "1"})


async def one_row(ask, entity):
    return (await ask("GET", place(ask, entity))).json["value"][0]


@named(ENTITIES)
async def test_every_field_is_served_in_order_and_of_its_type(ask, entity):
    await filled(ask)
    row = await one_row(ask, entity)
    assert row["@odata.etag"].startswith('W/"')
    for field in entity.fields:
        if field.kind == "stream":
            link = row.pop(f"{field.name}@odata.mediaReadLink")
            assert (await ask("GET", link)).body == b"%PDF-1.4\nnot quite one\n%%EOF\n"
            continue
        value = row[field.name]
        assert isinstance(value, JSON_TYPES.get(field.kind, str)), field
        assert field.kind not in READERS or READERS[field.kind](value), field  # type: ignore[operator]
    names = [name for name in row if "@" not in name]
    assert names == [field.name for field in entity.fields if field.kind != "stream"]


@named(ENTITIES)
async def test_a_single_row_is_the_row_of_the_list_and_dates_itself(ask, entity):
    await filled(ask)
    row = await one_row(ask, entity)
    single = (await ask("GET", f"{place(ask, entity)}({row[entity.key]})")).json
    context = single.pop("@odata.context")
    assert single == row
    assert context.endswith(f"/{entity.name}/$entity")


@named([entity for entity in ENTITIES if entity.modify])
async def test_only_writable_fields_can_be_written(ask, entity):
    await filled(ask)
    row = await one_row(ask, entity)
    for field in entity.fields:
        reply = await ask(
            "PATCH", f"{place(ask, entity)}({row[entity.key]})", {field.name: CHANGES[field.kind]}, tag="*"
        )
        if field.writable:
            reason = "Application_DialogException" if field.name in {"PrinterJsonPayload", "payload"} else 200
            assert reason in {reply.status, reply.status == 400 and reply.code}, field  # "changed" is no JSON
        else:
            assert (reply.status, reply.code) == (400, "BadRequest_InvalidOperation"), field


@named([entity for entity in ENTITIES if entity.modify or entity.insert])
async def test_no_text_is_cut_and_none_may_be_longer_than_its_field(ask, entity):
    await filled(ask)
    row = await one_row(ask, entity)
    for field in entity.fields:
        if not field.writable or field.length is None:
            continue
        url = f"{place(ask, entity)}({row[entity.key]})"
        fits = '"' + "x" * (field.length - 2) + '"'  # JSON, too
        stored = await ask("PATCH", url, {field.name: fits}, tag="*")
        assert stored.json[field.name] == fits
        refused = await ask("PATCH", url, {field.name: fits + "x"}, tag="*")
        assert (refused.status, refused.code) == (400, "Application_StringExceededLength"), field
        emoji = await ask("PATCH", url, {field.name: "🖨" * (field.length // 2 + 1)}, tag="*")
        assert emoji.code == "Application_StringExceededLength"  # two UTF-16 units each


@pytest.mark.parametrize("value", [None, 5, True, ["x"], {"a": 1}, "\ud800"])
async def test_a_value_of_another_type_is_refused(ask, value):
    reply = await ask("PATCH", "PIPrintPrinterWS(1)", {"PrinterName": value}, tag="*")
    assert (reply.status, reply.code) == (400, "BadRequest")


async def test_rights(ask):
    await filled(ask)
    for entity in ENTITIES:
        url = place(ask, entity)
        row = await one_row(ask, entity)
        inserted = await ask("POST", url, {})
        assert (inserted.status == 405) is (not entity.insert), entity.name
        modified = await ask("PATCH", f"{url}({row[entity.key]})", {}, tag="*")
        assert modified.status == (200 if entity.modify else 405), entity.name
        for method in ("DELETE", "PUT"):
            reply = await ask(method, f"{url}({row[entity.key]})", {}, tag="*")
            assert (reply.status, reply.code) == (405, "BadRequest_MethodNotAllowed")


async def test_the_document_is_in_every_row_unless_it_is_not_selected(ask):
    ask.print(document=b"x" * 1000)
    assert base64.b64decode((await one_row(ask, QUEUE_WS))["PDFPrintJobBASE64"]) == b"x" * 1000
    (row,) = (await ask("GET", QUEUE_WS.name, select="Status,RowNo")).json["value"]
    assert list(row) == ["@odata.etag", "RowNo", "Status"]


async def test_the_metadata_name_every_field(ask):
    for url, entities in (
        ("$metadata", (PRINTER_WS, QUEUE_WS)),
        (ask.api.partition("companies(")[0] + "$metadata", (PRINTERS_API, JOBS_API, PROCESSORS_API)),
    ):
        text = (await ask("GET", url)).body.decode()
        for entity in entities:
            assert f'<EntitySet Name="{entity.name}"' in text
            assert all(f'<Property Name="{field.name}"' in text for field in entity.fields)


async def test_with_piprint_1_0_there_are_no_api_pages(ask_old):
    for path in ("printers", "printJobs", ""):
        reply = await ask_old("GET", ask_old.api + path)
        assert (reply.status, reply.code) == (404, "BadRequest_ResourceNotFound")
    assert (await ask_old("GET", "PIPrintPrinterWS")).status == 200
