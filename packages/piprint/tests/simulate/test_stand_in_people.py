"""What people do: print, hold, cancel, restart, delete; printers' names and payloads; the clean-up."""

import json
from datetime import UTC, datetime

import pytest

from piprint.contract import ZPL, JobState
from piprint.documents.payloads import read_job_payload
from piprint.simulate.extension import dateformula
from piprint.simulate.extension.people import Choice
from piprint.simulate.refusal import Refusal

TWO_TRAYS = json.dumps(
    {
        "version": 1,
        "duplex": True,
        "color": False,
        "defaultcopies": 2,
        "papertrays": [
            {"papersourcekind": 1, "paperkind": 9},
            {"papersourcekind": 257, "paperkind": 0, "units": "MM", "width": 100, "height": 150},
        ],
    }
)


async def test_p2_a_payload_says_what_the_printer_offers_and_only_paper_tray_and_direction_can_be_chosen(ask):
    ask.bc.database.change_printer(ask.bc.database.printer(1), {"payload": TWO_TRAYS, "printer_name": "Büro"})
    plain = json.loads(ask.print().payload)
    assert (plain["duplex"], plain["color"], plain["defaultcopies"], plain["printername"]) == (True, False, 2, "Büro")
    assert (plain["papertray"]["papersourcekind"], plain["papertray"]["paperkind"]) == (1, 9)
    chosen = json.loads(ask.print(choice=Choice(source=257, landscape=True)).payload)
    assert (chosen["duplex"], chosen["color"], chosen["defaultcopies"]) == (True, False, 2)
    assert chosen["papertray"] == {
        "papersourcekind": 257,
        "paperkind": 0,
        "landscape": True,
        "units": 0,
        "height": 591,
        "width": 394,
    }
    assert plain["reportrunid"] != chosen["reportrunid"]


async def test_the_payload_is_one_that_processors_read_without_a_complaint(ask):
    job = ask.print(choice=Choice(paper=11))
    read = read_job_payload(job.payload)
    assert (read.copies, read.objectid, read.companyname) == (1, 1306, "CRONUS International Ltd.")
    assert (read.papertray.source, read.papertray.kind, json.loads(job.payload)["intent"]) == (7, 11, "Print")
    assert read.notes == ()


@pytest.mark.parametrize("extension", ["1.0", "2.0"])
async def test_hold_cancel_restart_from_any_state(opened, extension):
    async with opened(extension=extension) as ask:
        ask.add_printer()
        ask.print()
        for state in JobState:
            for deed, result in (("hold", JobState.HOLD), ("cancel", JobState.CANCELLED), ("restart", JobState.QUEUED)):
                ask.bc.database.change_job(ask.job(), {"status": state, "claimed_by": "x", "message": "said"})
                if (extension, deed, state) == ("2.0", "restart", JobState.PRINTING):
                    with pytest.raises(Refusal, match="not-restartable"):
                        ask.bc.people.restart(1)
                    continue
                getattr(ask.bc.people, deed)(1)
                assert (ask.job().status, ask.job().claimed_by) == (result, "")
                assert (ask.job().message == "said") is (extension == "1.0")


async def test_new_jobs_wait_when_the_printer_says_so(ask):
    ask.bc.people.change_printer(1, new_jobs_on_hold=True)
    assert ask.print().status is JobState.HOLD


async def test_only_printers_that_are_switched_on_are_offered(ask):
    ask.bc.people.change_printer(1, enabled=False)
    with pytest.raises(Refusal, match="no printer 1"):
        ask.print(1)
    ask.bc.people.change_printer(1, enabled=True, printer_name="New name")
    assert ask.print("New name").printer_row_no == 1


async def test_one_bad_payload_or_two_equal_names_break_piprint_1_0_only(ask, ask_old):
    for each in (ask, ask_old):
        each.add_printer("labels", printer_name="office@pi")
    assert list(ask.bc.people.offered()) == ["office@pi", "office@pi (2)"]
    assert ask.print("office@pi (2)").printer_row_no == 2
    with pytest.raises(Refusal, match="same key"):
        ask_old.print(1)
    for each in (ask, ask_old):
        each.bc.people.change_printer(2, printer_name="other", payload='{"version":1}')
    assert list(ask.bc.people.offered()) == ["office@pi"]
    with pytest.raises(Refusal, match="papertrays"):
        ask_old.print(1)


async def test_a_payload_that_does_not_fit_fails_the_print_in_piprint_1_0_only(ask, ask_old):
    long = json.dumps({"version": 1, "filterviews": [{"view": "x" * 2048}]})
    with pytest.raises(Refusal, match="2048"):
        ask_old.print(payload=long)
    ask.print(payload=long)
    assert (await ask("GET", "PIPrintQueueWS(1)")).json["PrinterJobJsonPayload"] == '{"version":1}'


async def test_deleting_a_printer(ask, ask_old):
    for each in (ask, ask_old):
        each.print()
        each.add_printer("other")
        each.print(2)
    ask_old.bc.people.delete_printer(1)
    assert list(ask_old.bc.database.tables.jobs) == [2]
    with pytest.raises(Refusal, match="still has jobs"):
        ask.bc.people.delete_printer(1)
    ask.bc.people.cancel(1)
    ask.bc.people.delete_printer(1)
    assert list(ask.bc.database.tables.jobs) == [2]


async def test_row_numbers_are_never_used_again(ask):
    ask.print()
    ask.bc.people.delete(1)
    assert ask.print().row_no == 2
    assert (await ask("GET", "PIPrintQueueWS(1)")).status == 404


async def test_piprint_1_0_deletes_by_age_whatever_the_state_whenever_somebody_looks(ask_old, clock):
    for state in JobState:
        ask_old.bc.database.change_job(ask_old.print(), {"status": state})
    left = {}
    for days in (0.9, 0.2, 5, 2, 30):
        clock.move(days=days)
        await ask_old.log_in()
        rows = (await ask_old("GET", "PIPrintQueueWS", select="Status")).json["value"]
        left[days] = [row["Status"] for row in rows]
    assert left == {
        0.9: ["OnHold", "Queued", "Error", "Cancelled", "Printing", "Printed"],
        0.2: ["OnHold", "Queued", "Error"],
        5: ["OnHold", "Queued", "Error"],
        2: ["Queued"],
        30: [],
    }


async def test_ours_cleans_up_by_itself_spares_what_prints_and_cancels_what_waited_too_long(ask, clock):
    for state in JobState:
        ask.bc.database.change_job(ask.print(), {"status": state})
    clock.move(days=31)
    await ask.log_in()
    assert len((await ask("GET", "PIPrintQueueWS")).json["value"]) == 6
    jobs = ask.bc.database.tables.jobs
    ask.bc.database.change_job(jobs[5], {"submitted": True})  # its processor is at it
    assert ask.bc.database.clean_up() == 5
    assert {number: job.status for number, job in jobs.items()} == {
        1: JobState.CANCELLED,
        2: JobState.CANCELLED,
        5: JobState.PRINTING,
    }
    assert "clean-up" in jobs[2].message
    clock.move(days=2)
    assert ask.bc.database.clean_up() == 2
    assert list(jobs) == [5]


async def test_al_a_job_whose_processor_is_silent_for_too_long_goes_to_error_and_ends(ask, clock):
    ask.bc.database.change_job(ask.print(), {"status": JobState.PRINTING, "submitted": True})
    clock.move(days=27)
    assert ask.bc.database.clean_up() == 0
    clock.move(days=5)
    assert ask.bc.database.clean_up() == 1
    (job,) = ask.bc.database.tables.jobs.values()
    assert (job.status, job.claimed_by, job.lease_until) == (JobState.ERROR, "", None)
    assert "may have been printed" in job.message
    clock.move(days=8)
    assert ask.bc.database.clean_up() == 1
    assert not ask.bc.database.tables.jobs


async def test_al_other_extensions_send_labels_and_say_so(ask):
    job = ask.bc.people.send(1, b"^XA^XZ", name="Pallet 7", document_type=ZPL, copies=3)
    told = json.loads(job.payload)
    assert (told["documenttype"], told["defaultcopies"], told["objectname"]) == (ZPL, 3, "Pallet 7")
    assert {"duplex", "color", "papertray"}.isdisjoint(told)  # nobody chose, so the printer does


async def test_al_other_extensions_are_told_what_does_not_work(ask, ask_old):
    with pytest.raises(Refusal, match="1 to 999 times, not 0"):
        ask.bc.people.send(1, b"^XA^XZ", name="x", document_type=ZPL, copies=0)
    with pytest.raises(Refusal, match="no printer Nowhere"):
        ask.bc.people.send("Nowhere", b"^XA^XZ", name="x", document_type=ZPL)
    with pytest.raises(Refusal, match=r"PIPrint 1\.0 prints reports only"):
        ask_old.bc.people.send(1, b"^XA^XZ", name="x", document_type=ZPL)


async def test_without_a_formula_jobs_stay(ask, clock):
    await ask("PATCH", "PIPrintPrinterWS(1)", {"AutoDeleteJobsQueued": ""}, tag="*")
    ask.print()
    clock.move(days=4000)
    assert ask.bc.database.clean_up() == 0


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        ("-1D", "2026-03-30"),
        ("<-1W>", "2026-03-24"),
        ("-1M", "2026-02-28"),
        ("-1q", "2025-12-31"),
        ("-1Y+1D", "2025-04-01"),
        ("2W", "2026-04-14"),
    ],
)
def test_date_formulas(formula, result):
    assert dateformula.apply(formula, datetime(2026, 3, 31, tzinfo=UTC)).date().isoformat() == result


@pytest.mark.parametrize("formula", ["", "1", "W", "-1X", "-1W junk", "-99999D", "-9999Y", "<", "CM"])
def test_what_is_no_date_formula(formula):
    with pytest.raises(ValueError, match=r"date formula|calendar"):
        dateformula.apply(formula, datetime(2026, 3, 31, tzinfo=UTC))
