"""The processor as a whole: starts whatever is away, tells it, prints when it is back, and stops in good order."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import closing

import pytest
from printshop import until

from piprint.contract import JobState
from piprint.errors import JournalError
from piprint.simulate.server import StandIn

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj 3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def _printer(bc: StandIn, printer_id: str = "Office") -> int:
    return next(row.row_no for row in bc.database.tables.printers.values() if row.printer_id == printer_id)


async def test_a_job_is_printed_and_the_page_tells(tmp_path, config_text, run_service, ask_page, cups):
    async with StandIn() as bc, run_service(config_text(bc, tmp_path, cups=cups.url)) as url:
        await ask_page(url, until=lambda now: now["connection"]["state"] == "connected" and now["printers"])
        job = bc.people.print(_printer(bc), PDF)
        now = await ask_page(url, until=lambda now: now["history"])
        assert bc.database.job(job.row_no).status is JobState.PRINTED
        (past,) = now["history"]
        assert (past["row_no"], past["printer"], past["outcome"]) == (job.row_no, "Office", "printed")
        assert now["printed_today"] in {0, 1}  # 0 when midnight passed just now
        assert now["hours"][-1] == [1, 0] or now["hours"][-2] == [1, 0]
        assert now["totals"]["outcomes"] == {"printed": 1}
        assert sum(now["totals"]["seconds"]) in {0, 1}
        office = next(each for each in now["printers"] if each["id"] == "Office")
        assert (office["state"], office["offered"], office["papers"]) == ("idle", True, ["A4"])
        assert now["connection"]["dialect"] == "API pages"
        assert now["connection"]["calls"] > 0
        lines = (await ask_page(url, "api/v1/log"))["lines"]
        run = json.loads(job.payload)["reportrunid"]
        about = f"job {job.row_no} for Office (Standard Sales - Invoice, run {run})"
        assert any(f"{about}: claimed, {len(PDF)} bytes" in line for line in lines)
        assert any(f"{about}: printed: Printed at Office" in line for line in lines)


async def test_the_buttons_print_a_test_page_and_queue_a_job_again(tmp_path, config_text, run_service, ask_page, cups):
    async with StandIn() as bc, run_service(config_text(bc, tmp_path, cups=cups.url)) as url:
        await ask_page(url, until=lambda now: now["connection"]["state"] == "connected" and now["printers"])
        before = len(cups.ledger("Office"))
        told = await ask_page(url, "api/v1/test-page", {"printer": "Office"})
        assert told == {"message": "The test page is printed on Office."}
        assert cups.ledger("Office")[-1].title == "piprint-test-page"
        told = await ask_page(url, "api/v1/test-page", {"printer": "None"})
        assert told == {"error": "this host has no printer None"}
        job = bc.people.print(_printer(bc), PDF)
        await ask_page(url, until=lambda now: now["history"])
        told = await ask_page(url, "api/v1/restart", {"row_no": job.row_no})
        assert told == {"message": f"Job {job.row_no} is now Queued in Business Central."}
        await ask_page(url, until=lambda now: len(now["history"]) == 2)
        assert len(cups.ledger("Office")) == before + 3
        told = await ask_page(url, "api/v1/restart", {"row_no": 999})
        assert told == {"error": "Business Central has no job 999 any more"}


async def test_business_central_away_at_the_start_is_told_and_waited_for(
    tmp_path, config_text, run_service, ask_page, cups
):
    async with StandIn() as bc:
        text = config_text(bc, tmp_path, cups=cups.url)
        await bc.go_away()
        async with run_service(text) as url:
            now = await ask_page(url, until=lambda now: now["connection"]["state"] == "trouble")
            assert any("no connection" in trouble["help"] for trouble in now["troubles"])
            assert [each["id"] for each in now["printers"]], "the printers are there all the same"
            await bc.come_back()
            now = await ask_page(url, until=lambda now: now["connection"]["state"] == "connected")
            assert not [trouble for trouble in now["troubles"] if "Business Central" in trouble["what"]]
            assert now["connection"]["failed"] > 0


async def test_a_denied_login_is_told_and_does_not_end_the_processor(
    tmp_path, config_text, run_service, ask_page, cups
):
    async with StandIn() as bc, run_service(config_text(bc, tmp_path, cups=cups.url, secret="wrong-one")) as url:
        now = await ask_page(url, until=lambda now: now["connection"]["state"] == "trouble")
        assert any("login.secret is wrong" in trouble["help"] for trouble in now["troubles"])
        assert "wrong-one" not in str(now)


async def test_cups_away_at_the_start_is_told(tmp_path, config_text, run_service, ask_page):
    async with StandIn() as bc, run_service(config_text(bc, tmp_path, cups="http://127.0.0.1:9/")) as url:
        now = await ask_page(url, until=lambda now: now["troubles"])
        assert any("CUPS" in trouble["help"] for trouble in now["troubles"])


async def test_without_its_port_it_prints_without_a_page(tmp_path, config_text, run_service, cups):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        async with (
            StandIn() as bc,
            run_service(config_text(bc, tmp_path, cups=cups.url, web=f"127.0.0.1:{port}")) as url,
        ):
            assert url == ""
            await until(lambda: bool(bc.database.tables.printers))


async def test_a_second_processor_in_the_same_folder_is_refused(tmp_path, config_text, run_service, cups):
    async with StandIn() as bc, run_service(config_text(bc, tmp_path, cups=cups.url)):
        with pytest.raises(JournalError, match="another piprint"):
            async with run_service(config_text(bc, tmp_path, cups=cups.url)):
                pass


# --- as a process -------------------------------------------------------------------------------------------------------


async def _until(true, seconds=60.0):
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.05)
