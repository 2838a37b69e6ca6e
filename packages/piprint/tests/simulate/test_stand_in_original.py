"""The published script's calls, in its order: a token for each, the whole queue with all documents, changes by tag."""

import base64

from piprint.contract import JobState


async def test_the_original_s_way_of_working(ask_old):
    ask = ask_old
    for number in range(3):
        ask.print(document=b"%PDF-1.4 " + bytes([number]) * 5000)
    printers = (await ask("GET", "PIPrintPrinterWS", filter="HostID eq 'pi'")).json["value"]
    known = {row["PrinterID"] for row in printers}
    for new in {"office", "labels"} - known:
        await ask.log_in()
        body = {"HostID": "pi", "PrinterID": new, "PrinterJsonPayload": printers[0]["PrinterJsonPayload"]}
        assert (await ask("POST", "PIPrintPrinterWS", body)).status == 201
    await ask.log_in()
    queue = await ask("GET", "PIPrintQueueWS", filter="HostID eq 'pi' and Status eq 'Queued'")
    assert len(queue.body) > 3 * 5000 * 4 / 3
    for row in queue.json["value"]:
        await ask.log_in()
        url = f"PIPrintQueueWS({row['RowNo']})"
        claimed = await ask("PATCH", url, {"Status": "Printing"}, tag=row["@odata.etag"])
        assert base64.b64decode(claimed.json["PDFPrintJobBASE64"]).startswith(b"%PDF-1.4 ")
        await ask.log_in()
        done = await ask("PATCH", url, {"Status": "Printed"}, tag=claimed.json["@odata.etag"])
        assert done.json["Printed"] == "2026-11-22T12:00:00Z"
    assert {job.status for job in ask.bc.database.tables.jobs.values()} == {JobState.PRINTED}
    assert ask.bc.log.tokens == 9


async def test_what_the_original_dies_of(ask_old):
    ask = ask_old
    ask.print()
    row = (await ask("GET", "PIPrintQueueWS")).json["value"][0]
    ask.bc.people.cancel(1)
    assert (await ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Printing"}, tag=row["@odata.etag"])).status == 409
    ask.bc.faults.add("status", status=503)
    assert (await ask("GET", "PIPrintQueueWS")).status == 503
