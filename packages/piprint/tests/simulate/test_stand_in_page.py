"""The page for people: its small HTTP interface, its looks in a real browser, and the sample invoice."""

import asyncio
import json
import os
import shutil
import signal
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pypdfium2
import pytest
from playwright.async_api import async_playwright, expect

from piprint.contract import ZPL, JobState
from piprint.simulate.extension.people import Choice
from piprint.simulate.page.sample import sample_invoice
from piprint.simulate.page.view import TROUBLES, view
from piprint.simulate.server import Settings, serve

OURS = {"X-Piprint": "1"}
expect.set_options(timeout=60_000)
NASTY = '<img src=x onerror="document.title=1"> & "æøå" $(c) </script>.pdf'


async def do(ask, *, headers=OURS, **what):
    async with ask.session.post(ask.bc.origin + "/page/do", json=what, headers=headers) as response:
        return response.status, await response.text()


async def print_by_page(ask, body=None, headers=OURS, **query):
    url = ask.bc.origin + "/page/print"
    async with ask.session.post(url, data=body, params=query, headers=headers) as response:
        is_json = response.content_type == "application/json"
        return response.status, await response.json() if is_json else await response.text()


async def test_a_dropped_document_is_printed_as_chosen(ask):
    choice = {"source": "", "paper": "11", "landscape": "true"}
    assert await print_by_page(ask, b"%PDF-", printer="1", name=NASTY, **choice) == (200, {})
    job = ask.job()
    told = json.loads(job.payload)
    assert (job.document_name, job.document.content, job.status) == (NASTY, b"%PDF-", JobState.QUEUED)
    assert (told["papertray"]["paperkind"], told["papertray"]["landscape"]) == (11, True)
    async with ask.session.get(ask.bc.origin + "/page/jobs/1") as response:
        assert (await response.read(), response.content_type) == (b"%PDF-", "application/pdf")
    async with ask.session.get(ask.bc.origin + "/page/jobs/9") as response:
        assert response.status == 404


async def test_al_dropped_labels_are_sent_as_zpl(ask):
    zpl = b"^XA^FDpallet^FS^XZ"
    headers = {**OURS, "Content-Type": ZPL}
    assert await print_by_page(ask, zpl, headers, printer="1", name="Pallet.zpl", copies="2") == (200, {})
    told = json.loads(ask.job().payload)
    assert (told["documenttype"], told["defaultcopies"], told["objectname"]) == (ZPL, 2, "Pallet.zpl")
    async with ask.session.get(ask.bc.origin + "/page/jobs/1") as response:
        assert (await response.read(), response.content_type) == (zpl, "text/plain")
    status, said = await print_by_page(ask, zpl, headers, printer="1", copies="1000")
    assert (status, said["error"]) == (400, "A document is printed 1 to 999 times, not 1000.")


async def test_without_a_document_the_sample_invoice_is_printed(ask):
    await print_by_page(ask, printer="1")
    await print_by_page(ask, printer="1")
    assert [ask.job(number).document_name for number in (1, 2)] == ["Invoice 103001.pdf", "Invoice 103002.pdf"]


def test_the_sample_is_one_page_of_a_plain_pdf():
    document = pypdfium2.PdfDocument(sample_invoice(7, datetime(2026, 11, 22, tzinfo=UTC), "CRØNUS (A\\S)"))
    assert len(document) == 1
    page = document[0]
    assert page.get_size() == (595, 842)
    text = page.get_textpage().get_text_bounded()
    assert all(word in text for word in ("Invoice", "No. 103007", "CRØNUS (A\\S)", "4,343.62"))
    document.close()


@pytest.mark.parametrize(
    "query", [{"printer": "9"}, {"printer": "x"}, {"printer": "1", "source": "-1"}, {"printer": "1", "paper": "1e9"}]
)
async def test_what_cannot_be_printed_is_told(ask, query):
    status, told = await print_by_page(ask, b"%PDF-", **query)
    assert (status, bool(told["error"]), ask.bc.database.tables.jobs) == (400, True, {})


async def test_deeds(ask):
    ask.print()
    assert (await do(ask, do="hold", row_no=1))[0] == 200
    assert ask.job().status is JobState.HOLD
    await do(ask, do="restart", row_no=1)
    await do(ask, do="cancel", row_no=1)
    assert ask.job().status is JobState.CANCELLED
    await do(ask, do="delete", row_no=1)
    assert ask.bc.database.tables.jobs == {}
    await do(ask, do="printer", row_no=1, printer_name=NASTY, enabled=False, new_jobs_on_hold=True)
    row = ask.bc.database.printer(1)
    assert (row.printer_name, row.enabled, row.new_jobs_on_hold) == (NASTY, False, True)
    await do(ask, do="habits", tags="stale", language="da", lag=10, access="no permission set")
    assert (ask.bc.habits.tags, ask.bc.habits.language) == ("stale", "da")
    assert (ask.bc.database.lag.seconds, ask.bc.login.access) == (10, "no permission set")
    await do(ask, do="fault", kind="status", status=429, retry_after=1)
    await do(ask, do="away", away=True)
    assert (len(ask.bc.faults.rules), ask.bc.away) == (1, True)
    await do(ask, do="all well")
    assert (ask.bc.faults.rules, ask.bc.away, ask.bc.login.access, ask.bc.database.lag.seconds) == (
        [],
        False,
        "granted",
        0,
    )
    await do(ask, do="expire tokens")
    assert (await ask("GET", "PIPrintQueueWS")).status == 401
    await do(ask, do="clean up")
    await do(ask, do="delete printer", row_no=1)
    assert ask.bc.database.tables.printers == {}


@pytest.mark.parametrize("name", list(TROUBLES))
async def test_every_trouble_of_the_page_strikes(ask, name):
    await do(ask, do="trouble", name=name)
    assert len(ask.bc.faults.rules) == len(TROUBLES[name][1])
    for rule in ask.bc.faults.rules:
        assert ask.bc.faults.take(rule.method or "GET", f"/x/{rule.path}", b"") is not None
    assert all(rule.hit == 1 for rule in ask.bc.faults.rules)


@pytest.mark.parametrize(
    "what",
    [
        {},
        {"do": "explode"},
        {"do": ["hold"]},
        {"do": "hold"},
        {"do": "hold", "row_no": "1"},
        {"do": "hold", "row_no": 99},
        {"do": "printer", "row_no": 1, "enabled": 1},
        {"do": "habits", "tags": "none"},
        {"do": "habits", "access": "all"},
        {"do": "habits", "lag": -1},
        {"do": "trouble", "name": "x"},
        {"do": "trouble", "name": ["x"]},
        {"do": "fault", "kind": "x"},
    ],
)
async def test_deeds_that_cannot_be_done(ask, what):
    status, text = await do(ask, **what)
    assert (status, bool(text)) == (400, True)


async def test_who_may_ask(ask):
    assert (await do(ask, headers={}, do="all well"))[0] == 403
    assert (await print_by_page(ask, b"%PDF-", headers={}, printer="1"))[0] == 403
    elsewhere = {**OURS, "Host": "evil.example"}
    assert (await do(ask, headers=elsewhere, do="all well"))[0] == 403
    for path in ("/", "/page/events", "/static/app.js", "/page/jobs/1"):
        async with ask.session.get(ask.bc.origin + path, headers=elsewhere) as response:
            assert response.status == 403
    for path in ("/static/server.py", "/static/../server.py", "/static/nothing.js"):
        async with ask.session.get(ask.bc.origin + path) as response:
            assert response.status == 404


async def test_the_page_can_be_left_out(opened):
    async with opened(page=False) as ask, ask.session.get(ask.bc.origin + "/") as response:
        assert response.status == 404


async def test_what_the_page_shows_is_pushed_and_holds_no_secret(ask):
    async with ask.session.get(ask.bc.origin + "/page/events") as stream:
        first = json.loads((await stream.content.readuntil(b"\n\n"))[6:])
        assert first["jobs"] == []
        ask.print(payload="{")
        pushed = await stream.content.readuntil(b"\n\n")
        assert [job["row_no"] for job in json.loads(pushed[6:])["jobs"]] == [1]
    text = json.dumps(view(ask.bc))
    assert ask.bc.login.accounts.secret not in text
    assert ask.headers["Authorization"].split()[1] not in text


async def test_a_printer_with_a_broken_payload_is_shown_all_the_same(ask):
    for payload in ('{"papertrays":7}', "[]", '{"papertrays":[{"papersourcekind":"?","paperkind":"?"}]}'):
        ask.bc.database.change_printer(ask.bc.database.printer(1), {"payload": payload})
        assert view(ask.bc)["printers"][0]["name"] == "office@pi"


def test_serving_until_told_to_end():
    folders = []

    def end(bc):
        folders.append(bc.folder.name)
        os.kill(os.getpid(), signal.SIGTERM)

    asyncio.run(serve(Settings(tls=True), started=end))
    assert not Path(folders[0]).exists()


async def test_paper_is_told_by_name_or_in_millimetres(ask):
    trays = [
        {"papersourcekind": "ManualFeed", "paperkind": "A5"},
        {"papersourcekind": 257, "paperkind": 0, "units": "CM", "width": 10, "height": 15},
    ]
    ask.bc.people.change_printer(1, payload=json.dumps({"version": 1, "papertrays": trays}))
    ask.print(choice=Choice(source=257))
    shown = view(ask.bc)
    assert [(tray["name"], tray["paper"], tray["source"]) for tray in shown["printers"][0]["trays"]] == [
        ("Manual feed", "A5", 6),
        ("Custom", "100 x 150 mm", 257),
    ]
    assert shown["jobs"][0]["choice"]["paper"] == "100 x 150 mm"


async def test_serving_until_cancelled():
    started = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(Settings(), started=started.set_result))
    bc = await started
    async with aiohttp.ClientSession() as session, session.get(bc.origin) as response:
        assert "Print" in await response.text()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
async def test_in_a_browser_one_drops_a_document_and_prints(ask, tmp_path):
    document = tmp_path / "letter.pdf"
    document.write_bytes(sample_invoice(1, datetime(2026, 11, 22, tzinfo=UTC), "CRONUS"))
    ask.bc.people.change_printer(1, printer_name=NASTY)
    complaints = []
    async with async_playwright() as playwright:
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=arguments, timeout=180_000
        )
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if ask.bc.origin not in request.url else None)
        await page.goto(ask.bc.origin + "/")
        await expect(page.locator("#go")).to_be_disabled()
        await page.set_input_files("#file", document)
        await page.select_option("#landscape", "true")
        await page.click("#go")
        job = page.locator(".job").first
        await expect(job).to_contain_text("letter.pdf")
        await expect(job.locator(".state")).to_have_text("Waiting")
        await expect(job).to_contain_text(f"{NASTY} · Automatic feed, A4, across")
        await job.get_by_role("button", name="Hold").click()
        await expect(job.locator(".state")).to_have_text("On hold")
        await page.click("#sample")
        await expect(page.locator(".job")).to_have_count(2)
        await page.get_by_text("The permission set is missing").click()
        await expect(page.locator("#well")).to_be_enabled()
        assert (await ask("GET", "PIPrintQueueWS")).status == 403
        await expect(page.locator("#requests")).to_contain_text("403")
        await page.set_viewport_size({"width": 360, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        await browser.close()
    assert (complaints, json.loads(ask.job().payload)["papertray"]["landscape"]) == ([], True)
