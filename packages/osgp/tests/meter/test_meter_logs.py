"""The logs of a simulated meter, read as programs read them: only what is new, by a layout that was confirmed."""

import asyncio
import struct
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from osgp.errors import MeterRefused, MisuseError, TableError, TablesChanging
from osgp.image import MeterImage
from osgp.key import MeterKey
from osgp.meter import open_meter
from osgp.meter.budget import ReadBudget
from osgp.psem import table_id
from osgp.simulator import DEMO_KEY_TEXT, House, SimulatedMeter
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger
from osgp.sources import SOURCES
from osgp.tables import TABLES, Dimensions, survey

KEY = MeterKey.parse(DEMO_KEY_TEXT)
NOW = datetime(2026, 2, 3, 17, 30, tzinfo=UTC)
DENMARK = ZoneInfo("Europe/Copenhagen")
IMPORT = SOURCES["active_energy_import"]
DIMS = Dimensions(firmware=(3, 82))


class EventLogs:
    """Two event logs that share one count, as bytes of BT74 and ET79."""

    def __init__(self, places=(6, 4)):
        self.places = dict(zip(("BT74", "ET79"), places, strict=True))
        self.memory = {name: [bytes(14)] * count for name, count in self.places.items()}
        self.entered = dict.fromkeys(self.places, 0)
        self.last = dict.fromkeys(self.places, 0)
        self.number = 65530

    def enter(self, *names):
        """Enter one event into the named logs; returns its number."""
        self.number += 1
        moment = NOW + timedelta(seconds=self.number)
        time = bytes((moment.year - 2000, moment.month, moment.day, moment.hour, moment.minute, moment.second))
        for name in names:
            entry = time + struct.pack("<HHHH", self.number & 0xFFFF, 0xFFFF, self.number % 100, 0)
            self.memory[name][self.entered[name] % self.places[name]] = entry
            self.entered[name] += 1
            self.last[name] = self.number
        return self.number

    def table(self, name):
        entered, places = self.entered[name], self.places[name]
        header = struct.pack("<BHHIH", 4, min(entered, places), max(entered - 1, 0) % places, self.last[name], 0)
        return header + b"".join(self.memory[name])

    def tables(self):
        return {
            "BT71": TABLES["BT71"].encode({"history_entries": self.places["BT74"], "history_data_length": 2}, DIMS),
            "ET54": TABLES["ET54"].encode({"et79_entries": self.places["ET79"]}, DIMS),
            "BT74": lambda _: self.table("BT74"),
            "ET79": lambda _: self.table("ET79"),
        }


def image(**tables):
    """Return a meter of eleven summations, one tier, without demands."""
    dimensions = bytes((3, 12, 3, 11, 0, 0, 0, 1, 0, 0))
    made = MeterImage(
        {
            1: bytearray(TABLES["BT01"].encode({"firmware": (3, 82, 0)}, Dimensions())),
            20: bytearray(dimensions),
            21: bytearray(dimensions),
            22: bytearray((*range(8), 26, 27, 28)),
            23: bytearray((1000).to_bytes(4, "little") + bytes(84)),
            0x0803: bytearray(b"SIM0000001".ljust(143, b"\0")),
            0x0804: bytearray(116) + b"\xff" + bytes(12),
        }
    )
    made.tables |= {table_id(name): bytearray(data) for name, data in tables.items() if isinstance(data, bytes)}
    return made


def simulated(tables):
    meter = SimulatedMeter(image(**tables), clock=NOW.timestamp, mbk=KEY, shared_uart=False)
    for name, contents in tables.items():
        meter.put_in(name, contents)
    return meter


def opened(url, budget=None):
    return open_meter(url, key=KEY, read_budget=budget)


def local(text):
    return datetime.fromisoformat(text)


def numbers(read):
    return [event.sequence for event in read.entries]


async def test_events_of_both_logs_come_by_their_numbers_and_each_once(virtual_clock):
    logs = EventLogs()
    entered = [logs.enter(*names) for names in (["BT74"], ["ET79"], ["BT74", "ET79"], ["BT74"])]
    async with simulated(logs.tables()) as meter, opened(await meter.serve_tcp()) as client:
        read = await client.events()
        assert numbers(read) == entered[::-1]
        assert [event.logs for event in read.entries] == [("BT74",), ("BT74", "ET79"), ("ET79",), ("BT74",)]
        assert read.tables == ("BT74", "ET79")
        assert (read.missed, read.restarted) == (None, False)


async def test_only_what_is_new_is_read_and_nothing_is_missed(virtual_clock):
    logs = EventLogs()
    for _ in range(9):
        logs.enter("BT74")
    async with simulated(logs.tables()) as meter, opened(await meter.serve_tcp()) as client:
        known = (await client.events()).known
        new = [logs.enter("ET79"), logs.enter("BT74"), logs.enter("ET79")]
        again = await client.events(known)
        assert numbers(again) == new[::-1]
        assert (again.missed, again.restarted) == (0, False)
        before = client.stats.requests
        nothing = await client.events(again.known)
        assert (nothing.entries, nothing.known, nothing.missed) == ((), again.known, 0)
        # Two headers, each confirmed by one byte.
        assert client.stats.requests - before == 4


async def test_a_ring_that_was_lapped_tells_how_many_are_missed(virtual_clock):
    logs = EventLogs()
    logs.enter("BT74")
    async with simulated(logs.tables()) as meter, opened(await meter.serve_tcp()) as client:
        known = (await client.events()).known
        new = [logs.enter("BT74") for _ in range(10)]
        read = await client.events(known)
        assert numbers(read) == new[:-7:-1]
        assert read.missed == 4


async def test_the_newest_few(virtual_clock):
    logs = EventLogs()
    entered = [logs.enter("BT74") for _ in range(6)]
    async with simulated(logs.tables()) as meter, opened(await meter.serve_tcp()) as client:
        read = await client.events(most=2)
        assert numbers(read) == entered[:-3:-1]
        entered.append(logs.enter("BT74"))
        assert numbers(await client.events(read.known)) == entered[-1:]


async def test_the_newest_few_of_both_logs_together(virtual_clock):
    logs = EventLogs()
    entered = [logs.enter(table) for table in ("BT74", "ET79", "BT74", "ET79", "ET79", "BT74")]
    async with simulated(logs.tables()) as meter, opened(await meter.serve_tcp()) as client:
        assert numbers(await client.events(most=3)) == entered[:-4:-1]


async def test_the_newest_few_outages_of_both_tables_together(virtual_clock):
    """An outage that stands in ET09 alone, as short ones may, is one of the few, too."""
    begins = [datetime(2026, 3, day, tzinfo=UTC) for day in range(1, 5)]
    records = [{"power_off": at, "power_on": at + timedelta(minutes=9), "duration": 540} for at in reversed(begins)]
    house = House(ledger=Ledger(Household(1), int(NOW.timestamp()) - 2 * 86400))
    async with SimulatedMeter(house, clock=NOW.timestamp) as meter:
        dims = survey({name: meter.read(name) or b"" for name in ("BT01", "BT20", "BT21", "ET04", "ET11")})
        meter.put_in("ET09", TABLES["ET09"].encode({"outages": records + [{}] * 6}, dims))
        local = begins[0].replace(tzinfo=None) + timedelta(hours=1)
        log = TABLES["ET81"].encode(
            {
                "circular": True, "valid_entries": 1, "newest_entry": 0, "newest_sequence_number": 7,
                "entries": [{"begin": local, "end": local + timedelta(minutes=9)}, *[{}] * 19],
            },
            survey({name: meter.read(name) or b"" for name in ("BT01", "BT20", "BT21", "ET11", "ET36")}),
        )  # fmt: skip
        meter.put_in("ET81", log)
        async with opened(await meter.serve_tcp()) as client:
            few, every = await client.outages(most=2), await client.outages()
    assert [one.begin for one in every.entries] == begins[::-1]
    assert [one.begin for one in few.entries] == begins[:-3:-1]


@pytest.mark.parametrize("at", range(2, 12))
async def test_what_is_entered_while_the_log_is_read_comes_the_next_time(virtual_clock, at):
    logs = EventLogs((40, 0))
    for _ in range(45):
        logs.enter("BT74")
    asked = 0

    def bt74(_):
        nonlocal asked
        asked += 1
        if asked == at:
            logs.enter("BT74")
            logs.enter("BT74")
        return logs.table("BT74")

    async with (
        simulated(logs.tables() | {"BT74": bt74, "ET79": None}) as meter,
        opened(await meter.serve_tcp()) as client,
    ):
        first = await client.events()
        second = await client.events(first.known)
    every = numbers(second) + numbers(first)
    assert every == list(range(logs.number, logs.number - len(every), -1))
    assert len(every) >= 40


async def test_a_log_emptied_before_firmware_3_70_begins_anew(virtual_clock):
    logs = EventLogs((6, 0))
    for _ in range(5):
        logs.enter("BT74")
    async with simulated(logs.tables() | {"ET79": None}) as meter, opened(await meter.serve_tcp()) as client:
        known = (await client.events()).known
        logs.number, logs.entered["BT74"] = 0, 0
        new = [logs.enter("BT74"), logs.enter("BT74")]
        read = await client.events(known)
        assert numbers(read) == new[::-1]
        assert (read.restarted, read.missed) == (True, None)


async def test_a_reconfiguration_while_the_log_is_read_makes_it_read_anew(virtual_clock):
    old, new = EventLogs((200, 0)), EventLogs((30, 0))
    for _ in range(210):
        old.enter("BT74")
    for _ in range(40):
        new.enter("BT74")
    asked = 0

    def bt74(_):
        nonlocal asked
        asked += 1
        if asked == 12:
            meter.reconfigure(new.tables() | {"ET79": None})
        return (old if asked < 12 else new).table("BT74")

    async with (
        simulated(old.tables() | {"BT74": bt74, "ET79": None}) as meter,
        opened(await meter.serve_tcp()) as client,
    ):
        read = await client.events()
    assert numbers(read) == list(range(new.number, new.number - 30, -1))
    assert asked >= 12


async def test_entries_that_became_longer_while_they_are_read_are_read_anew(virtual_clock):
    # Only the confirmation tells: the header is the same before and after.
    old = EventLogs((6, 0))
    entered = [old.enter("BT74") for _ in range(5)]
    data = old.table("BT74")
    longer = data[:11] + b"".join(data[at : at + 14] + b"\x07" for at in range(11, len(data), 14))
    bt71 = TABLES["BT71"].encode({"history_entries": 6, "history_data_length": 3}, DIMS)
    asked = 0

    def bt74(_):
        nonlocal asked
        asked += 1
        if asked == 2:
            meter.reconfigure({"BT71": bt71})
        return data if asked < 2 else longer

    tables = old.tables() | {"BT74": bt74, "ET79": None}
    async with simulated(tables) as meter, opened(await meter.serve_tcp()) as client:
        read = await client.events()
    assert numbers(read) == entered[::-1]
    assert {event.argument for event in read.entries} == {b"\x00\x00\x07"}


async def test_a_log_that_changes_all_the_time_is_not_given_out(virtual_clock):
    logs = EventLogs((3, 0))
    for _ in range(3):
        logs.enter("BT74")

    def bt74(_):
        for _ in range(4):
            logs.enter("BT74")
        return logs.table("BT74")

    async with (
        simulated(logs.tables() | {"BT74": bt74, "ET79": None}) as meter,
        opened(await meter.serve_tcp()) as client,
    ):
        with pytest.raises(TablesChanging, match="BT74 changed again and again"):
            await client.events()


async def test_others_have_the_line_between_two_parts(virtual_clock):
    logs = EventLogs((400, 0))
    for _ in range(400):
        logs.enter("BT74")
    async with simulated(logs.tables() | {"ET79": None}) as meter, opened(await meter.serve_tcp()) as client:
        await client.registers()
        reading = asyncio.create_task(client.events())
        done = 0
        while not reading.done():
            assert (await client.registers())[IMPORT] == 1000
            done += 1
        assert len((await reading).entries) == 400
        # 11 + 400 * 14 bytes, a kilobyte at a time.
        assert done >= 5


async def test_the_read_budget_is_kept(virtual_clock):
    logs = EventLogs((400, 0))
    for _ in range(400):
        logs.enter("BT74")
    async with (
        simulated(logs.tables() | {"ET79": None}) as meter,
        opened(await meter.serve_tcp(), ReadBudget(rate=1.0, burst=1)) as client,
    ):
        await client.dimensions()
        began = asyncio.get_running_loop().time()
        await client.events()
        spent = asyncio.get_running_loop().time() - began
    # 5,611 bytes in parts of about 1,024: six tables or more.
    assert spent >= 5


@pytest.mark.parametrize("told", [{}, {"BT71": None}])
async def test_a_meter_without_event_logs_has_none(virtual_clock, told):
    logs = EventLogs((0, 0))
    async with simulated(logs.tables() | told) as meter, opened(await meter.serve_tcp()) as client:
        read = await client.events()
        assert (read.entries, read.tables, read.known) == ((), (), "")


async def test_a_log_that_the_key_may_not_read_is_refused(virtual_clock):
    logs = EventLogs((6, 4))
    logs.enter("BT74")
    async with simulated(logs.tables() | {"BT74": None}) as meter, opened(await meter.serve_tcp()) as client:
        with pytest.raises(MeterRefused):
            await client.events()


async def test_without_the_alternate_log_nobody_knows_what_is_missed(virtual_clock):
    logs = EventLogs((6, 4))
    logs.enter("BT74")
    async with simulated(logs.tables() | {"ET79": None}) as meter, opened(await meter.serve_tcp()) as client:
        read = await client.events()
        logs.enter("ET79")
        new = logs.enter("BT74")
        again = await client.events(read.known)
        assert (numbers(again), again.missed, again.tables) == ([new], None, ("BT74",))


async def test_a_header_that_cannot_be_is_an_error(virtual_clock):
    logs = EventLogs((6, 0))
    data = b"\x04" + struct.pack("<HHIH", 7, 2, 9, 0) + bytes(84)
    async with (
        simulated(logs.tables() | {"BT74": data, "ET79": None}) as meter,
        opened(await meter.serve_tcp()) as client,
    ):
        with pytest.raises(TableError, match="counts 7 entries"):
            await client.events()


async def test_marks_of_something_else_are_refused(virtual_clock):
    async with simulated(EventLogs().tables()) as meter, opened(await meter.serve_tcp()) as client:
        with pytest.raises(MisuseError, match="does not tell how far"):
            await client.events("yesterday")
        with pytest.raises(MisuseError, match="BT26, ET31, ET41"):
            await client.self_reads(log="BT23")


ET36 = b"\1" + struct.pack("<HHHHB8x", table_id("ET81"), 12, 253, 3, 0) + b"\0"
ET81 = bytes.fromhex("06 03 00 0400 01 1A0A19023200 1A0A19020A00 1A06010C0000 1A06010C002D 1A091E173B32 1A0A01001E00")


async def test_outages_in_local_time_and_in_utc(virtual_clock):
    async with simulated({"ET36": ET36, "ET81": ET81}) as meter, opened(await meter.serve_tcp()) as client:
        read = await client.outages(zone=DENMARK)
        assert [(one.sequence, one.seconds) for one in read.entries] == [(4, 1200), (3, 1810), (2, 45)]
        assert [one.seconds for one in (await client.outages()).entries] == [None] * 3
        again = await client.outages(read.known)
        assert (again.entries, again.missed) == ((), 0)
        meter.put_in("ET81", ET81[:1] + bytes((3, 1, 8, 0, 1)) + ET81[6:])
        later = await client.outages(read.known)
        assert [one.sequence for one in later.entries] == [8, 7, 6]
        assert later.missed == 1


def moment(text):
    """Return a time as six bytes, by hand."""
    at = local(text)
    return bytes((at.year - 2000, at.month, at.day, at.hour, at.minute, at.second))


def et09(*outages, places=4):
    """Return ET09 with these outages, the newest first: begin and end in UTC, seconds, cause (p. 69-70)."""
    records = [
        moment(end) + bytes((cause, 0)) + moment(begin) + struct.pack("<I", seconds)
        for begin, end, seconds, cause in outages
    ]
    return bytes(6) + b"".join(records).ljust(18 * places, b"\0") + bytes(477)


def quality(*outages, places=4, **more):
    et04 = TABLES["ET04"].encode({"power_outages_recorded": places, "idt_version": 7}, DIMS)
    return {"ET04": et04, "ET09": et09(*outages, places=places)} | more


OVER_CHANGE = ("2026-10-25 00:50:00", "2026-10-25 01:10:00", 1200, 3)
OF_SEPTEMBER = ("2026-09-30 21:59:50", "2026-09-30 22:30:00", 1810, 3)
DIP = ("2026-10-01 08:00:00", "2026-10-01 08:00:00", 0, 8)


async def test_outages_of_both_tables_come_once_and_need_no_zone(virtual_clock):
    tables = quality(OVER_CHANGE, DIP, OF_SEPTEMBER, ET36=ET36, ET81=ET81)
    async with simulated(tables) as meter, opened(await meter.serve_tcp()) as client:
        read = await client.outages()
        found = [(one.sequence, one.seconds, one.cause) for one in read.entries]
        assert found == [(4, 1200, 3), (None, 0, 8), (3, 1810, 3), (2, None, None)]
        assert read.entries[0].begin == datetime(2026, 10, 25, 0, 50, tzinfo=UTC)
        assert read.tables == ("ET81", "ET09")
        again = await client.outages(read.known)
        assert (again.entries, again.missed) == ((), 0)


async def test_outages_of_a_meter_that_has_no_log_of_them(virtual_clock):
    async with simulated(quality(DIP, OF_SEPTEMBER)) as meter, opened(await meter.serve_tcp()) as client:
        read = await client.outages()
        assert [one.seconds for one in read.entries] == [0, 1810]
        assert (read.tables, read.missed) == (("ET09",), None)
        meter.put_in("ET09", et09(OVER_CHANGE, DIP, OF_SEPTEMBER))
        later = await client.outages(read.known)
        assert [(one.seconds, one.sequence) for one in later.entries] == [(1200, None)]
        assert later.missed == 0
        # All four records are others: some may have been overwritten unread.
        meter.put_in(
            "ET09", et09(*[("2026-11-01 00:00:00", f"2026-11-01 00:00:0{place}", place, 3) for place in (4, 3, 2, 1)])
        )
        lapped = await client.outages(later.known)
        assert len(lapped.entries) == 4
        assert lapped.missed is None


async def test_a_meter_without_outages_says_so(virtual_clock):
    async with simulated(quality()) as meter, opened(await meter.serve_tcp()) as client:
        read = await client.outages()
        assert (read.entries, read.tables) == ((), ("ET09",))
        meter.put_in("ET09", et09(DIP))
        assert len((await client.outages(read.known)).entries) == 1


@pytest.mark.parametrize(("absent", "tables"), [("ET09", ("ET81",)), ("ET81", ("ET09",))])
async def test_one_of_the_two_tables_is_enough(virtual_clock, absent, tables):
    held = quality(OVER_CHANGE, ET36=ET36, ET81=ET81) | {absent: None}
    async with simulated(held) as meter, opened(await meter.serve_tcp()) as client:
        read = await client.outages()
        assert read.tables == tables
        assert read.entries
        meter.put_in("ET09", None)
        meter.put_in("ET81", None)
        with pytest.raises(MeterRefused):
            await client.outages()


async def test_self_reads_are_the_registers_of_their_moments(virtual_clock):
    house = House(1, ledger=Ledger(Household(1), int(datetime(2025, 11, 20, tzinfo=UTC).timestamp())))
    meter = SimulatedMeter(house, clock=NOW.timestamp, mbk=KEY, shared_uart=False)
    async with meter, opened(await meter.serve_tcp()) as client:
        read = await client.self_reads()
        assert [one.time for one in read.entries] == [local("2026-02-01"), local("2026-01-01"), local("2025-12-01")]
        for one in read.entries:
            midnight = one.time.replace(tzinfo=DENMARK).timestamp()
            truth = house.at(midnight).total[0]
            assert abs(one.values[IMPORT] - truth) <= 4
        assert (await client.self_reads(read.known)).entries == ()


async def test_registers_are_not_decoded_where_nobody_tells_how_they_are_laid_out(virtual_clock):
    # BIDN of the entry is 5; the meter has no ET42, which would tell that of now: what the copy holds cannot be told.
    dimensions = bytes((3, 12, 1, 11, 1, 0, 1, 1, 0, 0))
    entry = struct.pack("<H", 5) + bytes((26, 2, 1, 0, 0, 0)) + bytes(2 * (44 + 9))
    tables = {"BT20": dimensions, "BT21": dimensions, "BT26": bytes((4, 1, 0, 0, 0, 0)) + entry}
    async with simulated(tables) as meter, opened(await meter.serve_tcp()) as client:
        (read,) = (await client.self_reads()).entries
        assert (read.bidn, read.values, len(read.raw)) == (5, None, 106)


async def test_demand_resets_and_one_time_reads_are_as_large_as_et36_says(virtual_clock):
    records = struct.pack("<HHHHB8x", table_id("ET31"), 232, 255, 2, 0) + struct.pack(
        "<HHHHB8x", table_id("ET41"), 99, 255, 1, 1
    )
    one_time = bytes((26, 2, 1, 9, 30, 1)) + (7).to_bytes(4, "little") + bytes(222)
    reset = struct.pack("<HBH", 97, 2, 4) + bytes((26, 2, 2, 10, 30, 1)) + (8).to_bytes(4, "little") + bytes(84)
    tables = {
        "ET36": b"\2" + records + b"\0",
        "ET31": bytes((4, 1, 0, 3, 0, 0)) + one_time + bytes(232),
        "ET41": bytes((4, 1, 0, 9, 0, 0)) + reset,
    }
    async with simulated(tables) as meter, opened(await meter.serve_tcp()) as client:
        (read,) = (await client.self_reads(log="ET31")).entries
        assert (read.sequence, read.time, read.values[IMPORT]) == (3, local("2026-02-01 09:30"), 7)
        (read,) = (await client.self_reads(log="ET41")).entries
        assert (read.sequence, read.reason, read.bidn, read.values) == (9, 2, 4, None)
