"""Printers offered: added, brought up to date, switched off when gone; what users did stays; one's trouble is one's."""

import json

import pytest

from piprint.bc.connect import connect
from piprint.bc.dialects.printers import GONE
from piprint.bc.queue import OfferedPrinter
from piprint.contract import units
from piprint.documents.payloads import validate_printer_payload
from piprint.errors import BcUnreachable
from piprint.simulate.server import StandIn


def payload(**more):
    return json.dumps({"version": 1, "papertrays": [{"papersourcekind": 7, "paperkind": 9}], **more})


def offer(*ids, name="", **more):
    return [OfferedPrinter(each, name, payload(**more)) for each in ids]


@pytest.fixture(params=["1.0", "2.0"])
async def bc(request):
    async with StandIn(extension=request.param, page=False) as bc:
        yield bc


@pytest.fixture
async def queue(bc, stand_in_settings):
    queue = await connect(stand_in_settings(bc), instance="one")
    yield queue
    await queue.close()


def printers(bc, host="pi"):
    rows = bc.database.tables.printers.values()
    return {row.printer_id: row for row in rows if row.host_id == host}


async def test_new_beside_old(bc, queue):
    assert await queue.register(offer("a", "b")) == {}
    first = printers(bc)
    assert await queue.register(offer("c", "b", "a")) == {}
    assert set(printers(bc)) == {"a", "b", "c"}
    assert printers(bc)["a"] == first["a"]
    assert [row.printer_name for row in printers(bc).values()] == ["a@pi", "b@pi", "c@pi"]


async def test_nothing_new_is_one_call_and_no_write(bc, queue):
    await queue.register(offer("a", "b"))
    bc.log.clear()
    assert await queue.register(offer("b", "a")) == {}
    assert [entry.method for entry in bc.log.entries] == ["GET"]


async def test_only_what_changed_is_written_and_a_users_choices_stay(bc, queue):
    await queue.register(offer("a"))
    bc.people.change_printer(1, printer_name="Warehouse", new_jobs_on_hold=True, enabled=False)
    assert await queue.register(offer("a", description="New")) == {}
    row = printers(bc)["a"]
    assert (row.printer_name, row.new_jobs_on_hold, row.enabled) == ("Warehouse", True, False)
    assert json.loads(row.payload)["description"] == "New"


async def test_gone_and_back(bc, queue):
    await queue.register(offer("a", "b", description="Laser"))
    assert await queue.register(offer("b", description="Laser")) == {}
    gone = printers(bc)["a"]
    assert not gone.enabled
    assert json.loads(gone.payload)["description"] == GONE
    assert validate_printer_payload(gone.payload) == []
    assert printers(bc)["b"].enabled
    bc.log.clear()
    await queue.register(offer("b", description="Laser"))
    assert bc.log.calls == 1
    assert await queue.register(offer("a", "b", description="Laser")) == {}
    back = printers(bc)["a"]
    assert back.enabled
    assert json.loads(back.payload)["description"] == "Laser"


async def test_a_printer_a_user_switched_off_stays_off_when_it_was_gone_meanwhile(bc, queue):
    await queue.register(offer("a"))
    bc.people.change_printer(1, enabled=False)
    await queue.register([])
    await queue.register(offer("a"))
    assert not printers(bc)["a"].enabled


async def test_a_gone_printer_a_user_switches_on_is_switched_off_again_next_time(bc, queue):
    await queue.register(offer("a"))
    await queue.register([])
    bc.people.change_printer(1, enabled=True)
    assert bc.people.offered()
    await queue.register([])
    assert not bc.people.offered()


@pytest.mark.parametrize("told", ["[]", '{"version":1}', "A"])
async def test_the_mark_fits_any_payload(bc, queue, told):
    if told == "A":
        told = payload(description="", papertrays=[{"papersourcekind": n, "paperkind": 9} for n in range(49)])
    bc.database.insert_printer({"host_id": "pi", "printer_id": "a", "payload": told})
    assert await queue.register([]) == {}
    row = printers(bc)["a"]
    assert not row.enabled
    assert json.loads(row.payload)["description"] == GONE
    assert units(row.payload) <= 2048 or bc.database.extension == "2.0"  # which has no such limit
    await queue.register(offer("a"))
    assert printers(bc)["a"].enabled


async def test_names_are_unlike_all_others_on_any_host(bc, queue):
    for host, name in (("x", "A@PI"), ("y", "a@pi-1"), ("z", "Front")):
        bc.database.insert_printer({"host_id": host, "printer_id": "q", "printer_name": name, "payload": payload()})
    await queue.register([*offer("a"), *offer("b", name="Front"), *offer("c", name="Front")])
    assert {row.printer_name for row in printers(bc).values()} == {"a@pi-2", "Front-1", "Front-2"}
    assert len(bc.people.offered()) == 6


async def test_long_names_are_cut(bc, queue):
    ids = ["ø" * 249 + "1", "ø" * 249 + "2", "😀" * 125]
    assert await queue.register(offer(*ids)) == {}
    rows = printers(bc)
    assert set(rows) == set(ids)
    names = [row.printer_name for row in rows.values()]
    assert len(set(names)) == 3
    assert all(units(name) <= 250 for name in names)


async def test_ones_trouble_is_ones(bc, queue):
    too_long = "x" * 251
    problems = await queue.register(offer("a", too_long, "b"))
    assert set(problems) == {too_long}
    assert "251" in problems[too_long].message
    assert set(printers(bc)) == {"a", "b"}
    bc.faults.add("status", method="PATCH", body="New", status=500)
    problems = await queue.register(offer("a", "b", description="New"))
    assert set(problems) == {"a"}
    assert await queue.register(offer("a", "b", description="New")) == {}
    assert all("New" in row.payload for row in printers(bc).values())


async def test_new_jobs_change_tags_and_that_is_no_trouble(bc, queue):
    bc.habits.tags = "page"
    await queue.register(offer("a"))
    struck = bc.service.answer

    def print_first(call):
        if call.method == "PATCH" and len(bc.database.tables.jobs) < 2:
            bc.people.print(1, b"%PDF")
        return struck(call)

    bc.service.answer = print_first
    assert await queue.register(offer("a", description="New")) == {}
    assert "New" in printers(bc)["a"].payload
    assert len(bc.database.tables.jobs) == 2


async def test_a_printer_that_changes_for_ever_is_a_problem_and_one_deleted_meanwhile_none(bc, queue):
    bc.habits.tags = "page"
    await queue.register(offer("a", "b"))
    struck = bc.service.answer

    def interfere(call):
        if call.method == "PATCH":
            bc.people.print(1, b"%PDF")
            bc.database.tables.printers.pop(2, None)
        return struck(call)

    bc.service.answer = interfere
    problems = await queue.register(offer("a", "b", description="New"))
    assert "changed" in problems["a"].message
    bc.service.answer = struck
    assert await queue.register(offer("a", "b", description="New")) == {}


async def test_an_addition_whose_answer_is_lost_is_made_once(bc, queue):
    bc.faults.add("reset after", method="POST")
    with pytest.raises(BcUnreachable):
        await queue.register(offer("a", "b"))
    assert await queue.register(offer("a", "b")) == {}
    assert sorted(printers(bc)) == ["a", "b"]


async def test_two_processors_of_one_host_add_the_same_printer(bc, queue):
    struck = bc.service.answer

    def other_first(call):
        if call.method == "POST" and not printers(bc):
            bc.database.insert_printer({"host_id": "pi", "printer_id": "a", "payload": payload()})
        return struck(call)

    bc.service.answer = other_first
    assert await queue.register(offer("a")) == {}
    assert len(printers(bc)) == 1


async def test_ids_that_differ_in_capitals_only(bc, queue):
    await queue.register(offer("HP"))
    check = bc.database._check_key

    def blind(row):
        if row.printer_id == "hp":
            row = printers(bc)["HP"].__class__(row_no=99, host_id="pi", printer_id="HP")
        check(row)

    bc.database._check_key = blind
    problems = await queue.register(offer("HP", "hp"))
    assert "capital letters" in problems["hp"].message


async def test_how_a_printer_is_goes_to_our_extension(bc, queue):
    told = [OfferedPrinter("a", "", payload(), "stopped", "Out of paper. " * 40)]
    await queue.register(told)
    await queue.register(told)
    row = printers(bc)["a"]
    if bc.database.extension == "2.0":
        assert row.state == "stopped"
        assert row.state_message.startswith("Out of paper.")
        assert units(row.state_message) == 250
    bc.log.clear()
    await queue.register(told)
    assert bc.log.calls == 1
