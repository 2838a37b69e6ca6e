"""Companies, single rows, pages of rows, orders, new rows and their defaults, errors."""

import json

import pytest

from piprint.simulate.odata.service import Company

TWO = (
    Company("CRONUS A/S & Co's", "AAAAAAAA-0000-4000-8000-000000000001"),
    Company("Other", "bbbbbbbb-0000-4000-8000-2"),
)


async def numbers(ask, path="PIPrintQueueWS", **query):
    reply = await ask("GET", path, **query)
    assert reply.status == 200, reply.json
    return [row["RowNo"] for row in reply.json["value"]]


@pytest.mark.parametrize(
    "place",
    [
        "Company('CRONUS%20A%2FS%20%26%20Co''s')/",
        "Company(%27CRONUS%20A%2FS%20%26%20Co%27%27s%27)/",
        "Company(Id=aaaaaaaa-0000-4000-8000-000000000001)/",
    ],
)
async def test_a_company_by_name_and_by_id(opened, place):
    async with opened(companies=TWO) as ask:
        assert (await ask("GET", place + "PIPrintPrinterWS")).status == 200


async def test_a_company_in_the_query_or_by_default(opened):
    async with opened(companies=TWO) as ask:
        assert (await ask("GET", "PIPrintPrinterWS", company="CRONUS A/S & Co's")).status == 200
        for reply in (
            await ask("GET", "PIPrintPrinterWS"),
            await ask("POST", "PIPrintPrinterWS", {"HostID": "pi", "PrinterID": "x"}),
            await ask("GET", "PIPrintPrinterWS", company="cronus a/s & co's"),
            await ask("GET", "Company('Nobody')/PIPrintPrinterWS"),
        ):
            assert (reply.status, reply.code) == (404, "Internal_CompanyNotFound")
    async with opened(companies=TWO, default_company="Other") as ask:
        assert (await ask("GET", "PIPrintPrinterWS")).status == 200


async def test_companies_are_listed(opened):
    async with opened(companies=TWO) as ask:
        assert [each["Name"] for each in (await ask("GET", "Company")).json["value"]] == ["CRONUS A/S & Co's", "Other"]
        api = ask.api.partition("companies(")[0] + "companies"
        assert [each["id"] for each in (await ask("GET", api)).json["value"]] == [TWO[0].id, TWO[1].id]
        assert (await ask("GET", f"{api}({TWO[1].id})")).json["name"] == "Other"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("Nothing", 404, "BadRequest_ResourceNotFound"),
        ("PIPrintQueueWS(99)", 404, "Internal_RecordNotFound"),
        ("PIPrintQueueWS(x)", 404, "BadRequest_NotFound"),
        ("PIPrintQueueWS('1", 404, "BadRequest_NotFound"),
        ("PIPrintPrinterWS(1)/Nothing", 404, "BadRequest_ResourceNotFound"),
        ("PIPrintQueueWS/Nothing", 404, "BadRequest_ResourceNotFound"),
        ("PIPrintQueueWS?$select=Nothing", 400, "BadRequest"),
        ("PIPrintQueueWS?$filter=Nothing eq 1", 400, "BadRequest"),
        ("PIPrintQueueWS?$orderby=Nothing", 400, "BadRequest"),
        ("PIPrintQueueWS?$top=-1", 400, "BadRequest"),
        ("PIPrintQueueWS?$expand=Nothing", 400, "BadRequest"),
        ("PIPrintQueueWS?$skiptoken=!", 400, "BadRequest"),
        ("PIPrintQueueWS?$skiptoken=eA==", 400, "BadRequest"),
        ("PIPrintQueueWS(" + "9" * 5000 + ")", 404, "BadRequest_NotFound"),
        ("PIPrintQueueWS(1)(2)", 404, "BadRequest_NotFound"),
        ("PIPrintQueueWS('it's')", 404, "BadRequest_NotFound"),
        ("PIPrintQueueWS(1)/a/b", 404, "BadRequest_ResourceNotFound"),
    ],
)
async def test_what_is_not_there(ask, path, status, code):
    reply = await ask("GET", path)
    assert (reply.status, reply.code) == (status, code)
    assert "CorrelationId:" in reply.json["error"]["message"]


async def test_order_top_skip_and_count(ask):
    ask.add_printer("labels")
    for printer in (1, 2, 1, 2, 1):
        ask.print(printer)
    assert await numbers(ask) == [1, 2, 3, 4, 5]
    assert await numbers(ask, orderby="RowNo desc", top="2") == [5, 4]
    assert await numbers(ask, orderby="PrinterID asc,RowNo desc") == [4, 2, 5, 3, 1]
    assert await numbers(ask, skip="3") == [4, 5]
    assert await numbers(ask, filter="PrinterID eq 'labels'", top="1") == [2]
    reply = await ask("GET", "PIPrintQueueWS", filter="PrinterRowNo eq 1", count="true", top="1")
    assert (reply.json["@odata.count"], len(reply.json["value"])) == (3, 1)
    assert (await ask("GET", "PIPrintQueueWS/$count")).body == b"5"


@pytest.mark.parametrize("order", [{}, {"orderby": "PrinterID desc"}])
async def test_pages_of_rows_hold_every_row_once(ask, order):
    for _ in range(7):
        ask.print()
    reply = await ask(
        "GET", "PIPrintQueueWS", filter="RowNo ne 3", select="RowNo", headers={"Prefer": "odata.maxpagesize=2"}, **order
    )
    seen = [row["RowNo"] for row in reply.json["value"]]
    while "@odata.nextLink" in reply.json:
        ask.print()  # whatever is added meanwhile
        link = reply.json["@odata.nextLink"]
        reply = await ask("GET", link, headers={"Prefer": "odata.maxpagesize=2"})
        assert set(reply.json["value"][0]) == {"@odata.etag", "RowNo"}
        seen += [row["RowNo"] for row in reply.json["value"]]
        if len(seen) > 8:
            break
    assert seen[:6] == [1, 2, 4, 5, 6, 7]
    assert len(seen) == len(set(seen))


async def test_the_service_documents_name_the_pages(ask):
    for url, names in (
        (ask.bc.url, ["Company", "PIPrintPrinterWS", "PIPrintQueueWS"]),
        (ask.api.partition("companies(")[0], ["companies", "printers", "printJobs", "processors"]),
    ):
        assert [each["name"] for each in (await ask("GET", url)).json["value"]] == names
    assert (await ask("GET", "Company('CRONUS International Ltd.')")).json["Name"] == "CRONUS International Ltd."
    assert (await ask("GET", ask.bc.origin + "/BC/SOAP/")).status == 404


async def test_the_api_s_pages_of_rows_go_on_after_their_last_row_was_deleted(ask):
    for _ in range(4):
        ask.print()
    ask.bc.habits.page_size = 2
    link = (await ask("GET", ask.api + "printJobs")).json["@odata.nextLink"]
    ask.bc.people.delete(2)
    assert [row["rowNo"] for row in (await ask("GET", link)).json["value"]] == [3, 4]


async def test_a_page_goes_on_after_its_last_row_was_deleted_and_top_counts_over_pages(ask):
    for _ in range(6):
        ask.print()
    ask.bc.habits.page_size = 2
    reply = await ask("GET", "PIPrintQueueWS", top="5")
    ask.bc.people.delete(2)
    reply = await ask("GET", reply.json["@odata.nextLink"])
    assert [row["RowNo"] for row in reply.json["value"]] == [3, 4]
    reply = await ask("GET", reply.json["@odata.nextLink"])
    assert [row["RowNo"] for row in reply.json["value"]] == [5]
    assert "@odata.nextLink" not in reply.json


async def test_a_new_printer_gets_the_tables_defaults(ask, clock):
    reply = await ask("POST", "PIPrintPrinterWS", {"HostID": "shop", "PrinterID": "a 'b' $(c) æ"})
    assert reply.status == 201
    row = reply.json
    assert reply.headers["Location"].endswith("/PIPrintPrinterWS(2)")
    assert (row["RowNo"], row["PrinterName"], row["Enabled"]) == (2, "a 'b' $(c) æ@shop", True)
    assert (row["AutoDeleteJobsQueued"], row["AutoDeleteJobsPrinted"]) == ("-1M", "-1D")
    assert json.loads(row["PrinterJsonPayload"])["papertrays"] == [{"papersourcekind": 7, "paperkind": 9}]
    assert row["LatestUpdate"] == "2026-11-22T12:00:00Z"
    clock.move(minutes=1)
    changed = await ask("PATCH", "PIPrintPrinterWS(2)", {"Enabled": False}, tag=row["@odata.etag"])
    assert changed.json == {
        **row,
        "Enabled": False,
        "LatestUpdate": "2026-11-22T12:01:00Z",
        "@odata.etag": changed.json["@odata.etag"],
        "@odata.context": row["@odata.context"],
    }


async def test_names_are_numbered_and_hosts_printers_unique(ask):
    for name in ("same@x", "same@x-1", "same@x-2"):
        host = {"same@x": "x", "same@x-1": "x-1", "same@x-2": "x-2"}[name]
        reply = await ask("POST", "PIPrintPrinterWS", {"HostID": host, "PrinterID": "same"})
        assert reply.json["PrinterName"] == name
    ask.add_printer("free", "x", printer_name="other@x")
    assert (await ask("POST", "PIPrintPrinterWS", {"HostID": "x", "PrinterID": "other"})).json[
        "PrinterName"
    ] == "other@x-1"
    again = await ask("POST", "PIPrintPrinterWS", {"HostID": "x", "PrinterID": "same"})
    assert (again.status, again.code) == (400, "Internal_EntityWithSameKeyExists")
    ask.bc.habits.duplicate_status = 409
    again = await ask("PATCH", "PIPrintPrinterWS(1)", {"HostID": "x", "PrinterID": "same"}, tag="*")
    assert (again.status, again.code) == (409, "Internal_EntityWithSameKeyExists")


async def test_a_name_too_long_to_be_made_breaks_piprint_1_0_and_is_cut_by_ours(ask, ask_old):
    new = {"HostID": "h" * 200, "PrinterID": "p" * 200}
    assert (await ask_old("POST", "PIPrintPrinterWS", new)).code == "Application_StringExceededLength"
    assert len((await ask("POST", "PIPrintPrinterWS", new)).json["PrinterName"]) == 250


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"PrinterJsonPayload": "{"}, "Application_DialogException"),
        ({"AutoDeleteJobsQueued": "1W"}, "Application_DialogException"),
        ({"AutoDeleteJobsQueued": "soon"}, "Application_DialogException"),
        ({"AutoDeleteJobsQueued": "-9999Y"}, "Application_DialogException"),
        ({"Nothing": 1}, "BadRequest"),
    ],
)
async def test_values_that_are_refused_change_nothing(ask, values, code):
    before = ask.bc.database.printer(1)
    reply = await ask("PATCH", "PIPrintPrinterWS(1)", {"Enabled": False, **values}, tag="*")
    assert (reply.status, reply.code) == (400, code)
    assert ask.bc.database.printer(1) is before


async def test_the_body_must_be_a_json_object(ask):
    url = ask.bc.url + "PIPrintPrinterWS(1)"
    for body in (b"", b"{", b"[]", b"\xff", b"[" * 100_000):
        headers = {**ask.headers, "If-Match": "*", "Content-Type": "application/json"}
        async with ask.session.patch(url, data=body, headers=headers) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (400, "BadRequest")
    async with ask.session.patch(url, data=b"{}", headers={**ask.headers, "If-Match": "*"}) as response:
        assert response.status == 415


async def test_counters_follow_every_change(ask):
    for _ in range(3):
        ask.print()
    await ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Printing"}, tag="*")
    await ask("PATCH", "PIPrintQueueWS(2)", {"Status": "Error"}, tag="*")
    ask.bc.people.delete(3)
    row = (await ask("GET", "PIPrintPrinterWS", filter="NoPrinting ge 1 and HostID eq 'pi'")).json["value"][0]
    names = ("NoOnHold", "NoQueued", "NoInError", "NoCancelled", "NoPrinting", "NoPrinted")
    assert [row[name] for name in names] == [0, 0, 1, 0, 1, 0]


async def test_printed_is_stamped_and_taken_back(ask, clock):
    ask.print()
    reply = await ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Printed", "PrinterMessage": "done"}, tag="*")
    assert (reply.json["Printed"], reply.json["PrinterMessage"]) == ("2026-11-22T12:00:00Z", "done")
    reply = await ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Queued"}, tag="*")
    assert (reply.json["Printed"], reply.json["PrinterMessage"]) == ("0001-01-01T00:00:00Z", "done")


async def test_long_payloads_show_whole_in_api_pages_and_shortened_in_web_services(ask):
    trays = [{"papersourcekind": n, "paperkind": 9} for n in (1, 2, 3)]
    told = {"version": 1, "description": "x" * 3000, "papertrays": trays}
    ask.bc.database.change_printer(ask.bc.database.printer(1), {"payload": json.dumps(told)})
    short = (await ask("GET", "PIPrintPrinterWS(1)")).json["PrinterJsonPayload"]
    assert json.loads(short) == {"version": 1, "papertrays": trays}
    assert json.loads((await ask("GET", ask.api + "printers")).json["value"][0]["payload"]) == told
    trays = [{"papersourcekind": n, "paperkind": 9, "note": "x" * 1000} for n in (1, 2, 3)]
    for payload, shown in (
        ({"version": 1, "papertrays": trays}, {"version": 1, "papertrays": trays[:1]}),
        (["x" * 3000], None),
        ({"version": "x" * 3000}, None),
    ):
        ask.bc.database.change_printer(ask.bc.database.printer(1), {"payload": json.dumps(payload)})
        short = (await ask("GET", "PIPrintPrinterWS(1)")).json["PrinterJsonPayload"]
        assert (json.loads(short) if short else None) == shown


async def test_a_payload_nested_without_end_is_no_payload(ask):
    printer = ask.bc.database.printer(1)
    reply = await ask("PATCH", f"{ask.api}printers({printer.id})", {"payload": "[" * 100_000}, tag="*")
    assert (reply.status, reply.code) == (400, "Application_DialogException")
