"""Tags: that a change needs one, which changes alter it, and the three ways servers make them."""

import base64

import pytest


async def tag_of(ask, path):
    return (await ask("GET", path)).json["@odata.etag"]


@pytest.mark.parametrize(
    "header", [None, "", "x", '"x"', 'W/"x"', 'W/"####"', 'W/"' + base64.b64encode(b"x").decode() + '"']
)
async def test_a_missing_or_garbled_tag(ask, header):
    ask.print()
    reply = await ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Printing"}, tag=header)
    assert (reply.status, reply.code) == (400, "BadRequest_InvalidToken")
    assert ask.job().status.name == "QUEUED"


@pytest.mark.parametrize("mode", ["row", "page", "stale"])
async def test_a_change_needs_the_newest_tag(ask, mode):
    ask.bc.habits.tags = mode
    ask.print()
    first = await tag_of(ask, "PIPrintQueueWS(1)")
    reply = await ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Printing"}, tag=first)
    assert reply.status == 200
    again = await ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Printed"}, tag=first)
    assert (again.status, again.code) == (409, "Request_EntityChanged")
    second = await ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Printed"}, tag=reply.json["@odata.etag"])
    assert second.status == (409 if mode == "stale" else 200)
    newest = await tag_of(ask, "PIPrintQueueWS(1)")
    assert (await ask("PATCH", "PIPrintQueueWS(1)", {"PrinterMessage": "x"}, tag=newest)).status == 200


@pytest.mark.parametrize(("mode", "changes"), [("row", False), ("page", True), ("stale", True)])
async def test_looked_up_values_take_part(ask, mode, changes):
    ask.bc.habits.tags = mode
    printer = await tag_of(ask, "PIPrintPrinterWS(1)")
    ask.print()
    assert (await tag_of(ask, "PIPrintPrinterWS(1)") != printer) is changes
    job = await tag_of(ask, "PIPrintQueueWS(1)")
    ask.bc.people.change_printer(1, printer_name="renamed")
    assert (await tag_of(ask, "PIPrintQueueWS(1)") != job) is changes


async def test_the_tag_does_not_depend_on_what_is_asked(ask):
    ask.print()
    whole = await tag_of(ask, "PIPrintQueueWS(1)")
    listed = (await ask("GET", "PIPrintQueueWS", select="RowNo")).json["value"][0]["@odata.etag"]
    danish = (await ask("GET", "PIPrintQueueWS(1)", headers={"Accept-Language": "da-DK"})).json["@odata.etag"]
    assert whole == listed == danish


async def test_a_user_s_cancel_is_guarded_by_the_tag_alone(ask_old):
    ask_old.print()
    tag = await tag_of(ask_old, "PIPrintQueueWS(1)")
    ask_old.bc.people.cancel(1)
    assert (await ask_old("PATCH", "PIPrintQueueWS(1)", {"Status": "Printing"}, tag=tag)).status == 409
    assert (await ask_old("PATCH", "PIPrintQueueWS(1)", {"Status": "Printing"}, tag="*")).status == 200
