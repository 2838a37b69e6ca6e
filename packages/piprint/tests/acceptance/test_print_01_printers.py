"""Acceptance 1: printers that come, go, change their names, and have names that break shells, URLs and JSON."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from office import Office
from printshop import until

from piprint.contract import JobState


async def test_01_new_printer_beside_registered_ones():
    async with Office("first", "second") as office:
        await office.start(hurried=True)
        office.cups.add_printer("third")
        await office.offers("first", "second", "third")
        jobs = [office.print(queue) for queue in ("third", "first")]
        await office.becomes(JobState.PRINTED, *jobs)
        assert office.printed("third") == jobs[:1]
        assert office.printed("first") == jobs[1:]


async def test_01_removed_printer_is_offered_no_longer_and_comes_back():
    async with Office("stays", "goes") as office:
        await office.start(hurried=True)
        office.cups.command("lpadmin", "-x", "goes")
        await until(lambda: not office.printer("goes").enabled, what="the end of the offer")
        job = office.print("stays")
        await office.becomes(JobState.PRINTED, job)
        office.cups.add_printer("goes")
        await office.offers("goes")
        job = office.print("goes")
        await office.becomes(JobState.PRINTED, job)


async def test_01_printer_renamed_in_business_central_keeps_its_name_and_prints():
    async with Office("one") as office:
        processor = await office.start()
        row = office.printer("one")
        office.bc.people.change_printer(row.row_no, printer_name="Kontor på 1. sal; 'A' & \"B\"")
        await processor.stop()
        processor.start()
        job = office.bc.people.print("Kontor på 1. sal; 'A' & \"B\"", b"%PDF-1.4 no").row_no
        good = office.print("one")
        await office.becomes(JobState.PRINTED, good)
        await office.becomes(JobState.ERROR, job)
        assert office.printer("one").printer_name == "Kontor på 1. sal; 'A' & \"B\""


async def test_01_same_queue_name_on_two_hosts():
    async with Office("office", extension="1.0") as office:
        await office.start(host="north's")
        await office.start(host="south/1")
        await office.offers("office", host="north's")
        await office.offers("office", host="south/1")
        names = {office.printer("office", host=host).printer_name for host in ("north's", "south/1")}
        assert len(names) == 2
        jobs = [office.print("office", host=host) for host in ("north's", "south/1")]
        await office.becomes(JobState.PRINTED, *jobs)
        assert sorted(office.printed()) == jobs


RAN = Path(tempfile.gettempdir(), "piprint-ran-a-shell")
NAMES = (
    "it's",
    'quoted "name"',
    f"$(touch {RAN}); `touch {RAN}` | cat & rm -rf x",
    f'"; touch {RAN}; "',
    "æøå ÆØÅ ß 🖨",
    "a/b?c=d&e#f%20+,;:",
    "x" * 250,
)


async def test_01_names_of_all_kinds_with_both_extensions():
    for extension in ("1.0", "2.0"):
        async with Office("plain", extension=extension) as office:
            uri = office.cups.queue_uri("plain")
            office.config = "\n".join(
                f"[[printers]]\nid = {json.dumps(name, ensure_ascii=False)}\nuri = {json.dumps(uri)}" for name in NAMES
            )
            await office.start()
            await office.offers(*NAMES)
            jobs = [office.print(name) for name in NAMES]
            await office.becomes(JobState.PRINTED, *jobs)
            assert sorted(office.printed()) == jobs
            assert not RAN.exists()  # noqa: ASYNC240 - as quick as a name in memory
            office.bc.people.offered()  # one bad payload or double name would break the look-up for everybody


async def test_01_name_too_long_is_told_by_line():
    async with Office() as office:
        processor = office.processor(config=f'[[printers]]\nid = "{"x" * 251}"\nuri = "socket://127.0.0.1:9100"\n')
        processor.start()
        assert await processor.ended() == 2
        assert "250" in processor.log
