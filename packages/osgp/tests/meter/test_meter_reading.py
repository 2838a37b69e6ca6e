"""What programs ask a meter, and what they get when things go wrong."""

import asyncio
from datetime import UTC, datetime

import pytest

from osgp.errors import (
    KeyRejected,
    MeterRefused,
    MisuseError,
    ResponseTimeout,
    TableError,
    TransportError,
    WritesNotAllowed,
)
from osgp.key import MeterKey
from osgp.mep.events import ResponseReceived, Resynchronised
from osgp.meter.budget import ReadBudget
from osgp.meter.identity import Identity, Ratings
from osgp.meter.meter import SAFE_READ
from osgp.meter.opening import open_meter
from osgp.ports.recovery import Recovery
from osgp.psem import PartialRead, Read
from osgp.sources import SOURCES
from osgp.tables import TABLES, Dimensions

KEY = MeterKey(b"Sixteen secrets!")


def asked_of(fake, table):
    """Return the requests for a table, without the look at ET04.116 that follows."""
    assert fake.asked[-1] == PartialRead(2052, 116, 1)
    return [request for request in fake.asked if request.table == table]


async def test_who_it_is(opened):
    async with opened() as meter:
        assert await meter.identity() == Identity("LGZ0012345678", "NES", "83332-3I", "3.10.21")
        assert meter.url == "serial:///dev/ttyFAKE"


async def test_what_it_does_not_tell_is_empty(opened, fake):
    del fake.tables[1], fake.tables[2051]
    async with opened() as meter:
        assert await meter.identity() == Identity()


async def test_clock(opened):
    async with opened() as meter:
        assert await meter.clock() == datetime(2004, 2, 16, 15, 59, 55, tzinfo=UTC)


async def test_a_clock_that_was_never_set_is_no_date(opened, fake):
    fake.tables[52][:6] = bytes(6)
    async with opened() as meter:
        with pytest.raises(TableError, match="no date"):
            await meter.clock()


class TestRatings:
    async def test_what_the_meter_is_made_for(self, opened, fake):
        fake.tables[2052][13] = 50
        fake.tables[2052][58:62] = bytes((80, 0, 230, 0))
        fake.tables[15] = bytearray(TABLES["BT15"].encode({"ct_ratio": 40, "vt_ratio": 1}, Dimensions()))
        async with opened() as meter:
            assert await meter.ratings() == Ratings(230, 50, 80, 40, 1, ratios_applied=False)
        assert [request.count for request in fake.asked] == [1, 4, 9]

    async def test_what_it_does_not_tell_is_absent(self, opened, fake):
        async with opened() as meter:
            assert await meter.ratings() == Ratings()
            del fake.tables[2052]
            assert await meter.ratings() == Ratings()


class TestValues:
    async def test_registers_and_present_values(self, opened):
        async with opened() as meter:
            registers = await meter.registers()
            assert registers[SOURCES["active_energy_import"]] == 1000
            assert len(registers) >= 11
            values = await meter.present()
            assert values[SOURCES["active_power_import"]] == 100
            assert len(values) == 22

    async def test_long_tables_are_read_in_one_go_where_that_works(self, opened, fake):
        async with opened() as meter:
            await meter.registers()
            fake.asked.clear()
            await meter.registers()
            (request,) = asked_of(fake, 23)
            assert request.count > SAFE_READ

    async def test_a_meter_that_refuses_long_reads_is_asked_for_short_ones_and_that_is_remembered(self, opened, fake):
        fake.longest = SAFE_READ
        async with opened() as meter:
            values = await meter.registers()
            assert values[SOURCES["active_energy_import"]] == 1000
            await meter.registers()
            fake.asked.clear()
            assert await meter.registers() == values
            assert max(request.count for request in fake.asked) <= SAFE_READ
            assert len(asked_of(fake, 23)) == 3

    async def test_one_long_read_lost_to_noise_decides_nothing(self, opened, fake):
        async with opened() as meter:
            await meter.dimensions()
            fake.longest = SAFE_READ
            await meter.registers()
            fake.longest = 10_000
            await meter.registers()
            fake.asked.clear()
            await meter.registers()
            assert len(asked_of(fake, 23)) == 1

    async def test_no_value_is_torn_between_two_reads(self, opened, fake):
        """BT23 that begins with the one-byte count of demand resets: every value is at an odd offset."""
        fake.longest = SAFE_READ
        fake.tables[21][0] |= 1 << 2
        fake.tables[23][:0] = b"\x09"
        async with opened() as meter:
            values = await meter.registers()
            assert values[SOURCES["demand_reset_count"]] == 9
            assert values[SOURCES["active_energy_import"]] == 1000
            reads = [request for request in fake.asked if request.table == 23][1:]
            assert all((request.offset - 1) % 4 == 0 or request.offset == 0 for request in reads)

    async def test_nothing_is_read_beyond_the_end_of_a_table(self, opened, fake):
        """Meters fill such reads with zeros, which would be false ones."""
        async with opened() as meter:
            await meter.registers()
            await meter.present()
        for request in fake.asked:
            if isinstance(request, PartialRead) and request.table in fake.tables:
                assert request.offset + request.count <= len(fake.tables[request.table]), request

    async def test_a_meter_without_dimensions_gives_no_values(self, opened, fake):
        del fake.tables[20], fake.tables[21]
        async with opened() as meter:
            with pytest.raises(TableError, match="BT21"):
                await meter.registers()

    async def test_without_selection_tables_the_guides_order_counts(self, opened, fake):
        del fake.tables[22], fake.tables[27]
        async with opened() as meter:
            assert (await meter.registers())[SOURCES["active_energy_import"]] == 1000
            assert (await meter.present())[SOURCES["active_power_import"]] == 100


class TestDimensions:
    async def test_they_are_read_once(self, opened, fake):
        async with opened() as meter:
            dims = await meter.dimensions()
            fake.asked.clear()
            assert await meter.dimensions() is dims
            assert fake.asked == []
            assert dims.summation_ids == (*range(8), 26, 27, 28)

    async def test_they_are_read_again_when_the_meter_changed_them(self, opened, fake):
        async with opened() as meter:
            assert (await meter.dimensions()).tiers == 4
            fake.tables[21][7] = 2
            fake.tables[2052][116] += 1
            fake.server.advance(25)
            await meter.clock()
            assert (await meter.dimensions()).tiers == 2
            assert len(await meter.registers()) < 55

    async def test_a_jump_without_a_change_costs_one_small_read(self, opened, fake):
        async with opened() as meter:
            dims = await meter.dimensions()
            fake.server.advance(25)
            await meter.clock()
            fake.asked.clear()
            assert await meter.dimensions() is dims
            assert fake.asked == [PartialRead(2052, 116, 1)]


class TestTables:
    async def test_a_table_by_name(self, opened):
        async with opened() as meter:
            assert (await meter.table("BT21"))["tiers"] == 4

    async def test_the_meter_tells_how_long_its_table_is(self, opened, fake):
        fake.tables[2052] = fake.tables[2052][:100]
        async with opened() as meter:
            record = await meter.table("ET04")
            assert "idt_version" not in record
            assert Read(2052) in fake.asked

    async def test_where_full_reads_fail_the_size_is_calculated(self, opened, fake):
        fake.full_reads = False
        async with opened() as meter:
            assert (await meter.table("BT21"))["tiers"] == 4

    async def test_a_table_longer_than_a_frame_is_read_in_parts(self, opened, fake, monkeypatch):
        monkeypatch.setattr("osgp.ports.mep_port.MAX_READ", 100)
        async with opened() as meter:
            assert (await meter.table("ET04"))["idt_version"] == 7
        assert all(request.count <= 100 for request in fake.asked)

    async def test_full_reads_that_draw_0x0b_are_read_in_parts(self, opened, fake):
        """As generation 4 meters answer some full reads."""
        async with opened() as meter:
            await meter.dimensions()
            answer = fake.server._open
            fake.server._open = lambda content: None if content[0] == 0x30 else answer(content)
            assert (await meter.table("BT21"))["tiers"] == 4

    async def test_unknown_names_are_told(self, opened):
        async with opened() as meter:
            with pytest.raises(MisuseError, match="BT00"):
                await meter.table("BT99")

    async def test_a_missing_table_is_refused_once(self, opened, fake):
        async with opened() as meter:
            await meter.dimensions()
            fake.asked.clear()
            with pytest.raises(MeterRefused) as caught:
                await meter.table("BT15")
            assert caught.value.code == 5
            assert len(fake.asked) == 1


class TestRead:
    async def test_bytes(self, opened, fake):
        async with opened() as meter:
            assert await meter.read("BT52") == fake.tables[52]
            assert await meter.read(52, 2, 3) == fake.tables[52][2:5]

    async def test_long_reads_are_split(self, opened, fake):
        fake.tables[64] = bytearray(place % 251 for place in range(1200))
        async with opened(security="rc4-plain") as meter:
            assert await meter.read("BT64", 0, 1200) == fake.tables[64]
        assert [request.count for request in fake.asked] == [465, 465, 270]

    @pytest.mark.parametrize("arguments", [("BT64", 5), ("BT64", 0, 0), ("table",), ("BT64", 0, -1)])
    async def test_misuse(self, opened, fake, arguments):
        async with opened() as meter:
            with pytest.raises(MisuseError):
                await meter.read(*arguments)
        assert fake.asked == []


class TestTrouble:
    async def test_a_wrong_key(self, fake, opened):
        async with opened(key=MeterKey(b"a key from afar.")) as meter:
            with pytest.raises(KeyRejected):
                await meter.registers()

    async def test_silence(self, fake, opened, virtual_clock):
        fake.deaf = True
        async with opened(security="rc4-plain") as meter:
            with pytest.raises(ResponseTimeout, match="reading BT52"):
                await meter.clock()
            assert 1.5 < virtual_clock() < 2.5
            assert meter.stats.timeouts == 3
            assert meter.stats.retries == 2
            fake.deaf = False
            await meter.clock()

    @pytest.mark.parametrize(
        ("url", "hint"),
        [
            ("tcp://bridge:2001", "The bridge's own serial settings count too: 9600 baud, 8 data bits, no parity"),
            ("tcp://bridge:2001?baud=19200", "too: 19200 baud"),
            ("serial:///dev/ttyFAKE", ""),
        ],
    )
    async def test_r14_behind_a_bridge_its_serial_settings_are_named(self, fake, virtual_clock, url, hint):
        fake.deaf = True
        async with open_meter(url, key=KEY) as meter:
            with pytest.raises(ResponseTimeout) as caught:
                await meter.clock()
            assert ("8N1" in str(caught.value)) == bool(hint)
            assert hint in str(caught.value)
            fake.deaf = False
            await meter.clock()
            fake.deaf = True
            with pytest.raises(ResponseTimeout) as caught:
                await meter.clock()
            assert "8N1" not in str(caught.value), "it worked, so the bridge is set right"

    async def test_unplugged_in_the_middle(self, fake, opened):
        fake.deaf = True
        async with opened() as meter:
            question = asyncio.create_task(meter.clock())
            await asyncio.sleep(0.1)
            fake.ports[0].unplug()
            with pytest.raises(TransportError, match="gone"):
                await question
            with pytest.raises(TransportError, match="gone"):
                await meter.clock()

    async def test_unplugged_while_sending(self, fake, opened):
        async with opened() as meter:
            fake.ports[0].open = False
            with pytest.raises(TransportError, match="gone"):
                await meter.clock()

    async def test_closed_in_the_middle(self, fake, opened):
        fake.deaf = True
        async with opened() as meter:
            question = asyncio.create_task(meter.clock())
            await asyncio.sleep(0.1)
        with pytest.raises(TransportError, match="closed by this program"):
            await question

    async def test_a_cancelled_question_leaves_the_line_usable(self, fake, opened):
        async with opened() as meter:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await meter.clock()
            assert await meter.clock()

    async def test_many_ask_at_once(self, fake, opened):
        async with opened() as meter:
            answers = await asyncio.gather(*(meter.read("BT23", 4 * place, 4) for place in range(20)))
            assert answers == [fake.tables[23][4 * place : 4 * place + 4] for place in range(20)]

    async def test_nothing_runs_when_nothing_is_asked(self, fake, opened, virtual_clock):
        async with opened() as meter:
            await meter.clock()
            await asyncio.sleep(2)
            assert not meter._connection._timers


async def test_events_and_counts(fake, opened):
    heard = []
    async with opened(security="rc4-plain", on_event=heard.append) as meter:
        await meter.clock()
        assert [type(event) for event in heard if isinstance(event, Resynchronised | ResponseReceived)] == [
            Resynchronised,
            ResponseReceived,
        ]
        assert (meter.stats.requests, meter.stats.replies, meter.stats.resyncs, meter.stats.retries) == (1, 1, 0, 0)
        assert (meter.stats.timeouts, meter.stats.corrupt, meter.stats.alerts) == (0, 0, 0)
        fake.ports[0].on_bytes(b"\0\0\0\0")
        assert meter.stats.alerts == 2
        assert meter.on_event == heard.append


async def test_encrypted(fake, opened):
    async with opened(security="rc4") as meter:
        assert await meter.clock() == datetime(2004, 2, 16, 15, 59, 55, tzinfo=UTC)
    assert all(bytes.fromhex("3f0034") not in data for data in fake.ports[0].sent)


async def test_the_budget_is_one_read_a_second_on_average(opened, virtual_clock):
    async with opened(read_budget=ReadBudget(rate=1.0, burst=5)) as meter:
        for _ in range(15):
            await meter.clock()
        assert 10 <= virtual_clock() < 11


async def test_m9_a_table_counts_once_though_it_takes_several_requests(opened, fake, virtual_clock):
    """As a generation 4 meter that gives 100 bytes at most; the parts follow each other at once."""
    fake.longest = SAFE_READ
    heard = []
    async with opened(read_budget=ReadBudget(rate=1.0, burst=15)) as meter:
        for _ in range(15):
            await meter.registers()
        fake.asked.clear()

        def timed(request, access):
            heard.append(virtual_clock())
            return fake.carry_out(request, access)

        fake.server._handler = timed
        began = virtual_clock()
        await asyncio.gather(*(read() for read in (meter.registers, meter.present, meter.clock) * 4))
        assert virtual_clock() - began == pytest.approx(12, abs=2)
    asked = [request.table for request in fake.asked]
    assert len([table for table in asked if table == 23]) == 4 * 3
    for place, table in enumerate(asked):
        if table == 23 and asked[place - 1] == 23:
            assert heard[place] - heard[place - 1] < 0.2
    assert [table for table, before in zip(asked, [0, *asked], strict=False) if table == 23 and before != 23] == [
        23
    ] * 4


class Line:
    """A power cycle that mends a deaf meter after some runs."""

    def __init__(self, fake, cures_after=1):
        self.fake, self.cures_after, self.times = fake, cures_after, []

    async def run(self, port):
        assert port is self.fake.ports[-1]
        self.times.append(asyncio.get_running_loop().time())
        if len(self.times) >= self.cures_after:
            self.fake.deaf = False


class TestRecovery:
    async def test_a_stuck_level_shifter_is_switched_and_the_answer_comes(self, fake, opened):
        fake.deaf = True
        cycle = Line(fake)
        async with opened(power_cycle=Recovery(cycle)) as meter:
            with pytest.raises(ResponseTimeout):
                await meter.clock()
            assert await meter.clock()
            assert len(cycle.times) == meter.stats.power_cycles == 1

    async def test_ever_less_often_for_ever(self, fake, opened, virtual_clock):
        fake.deaf = True
        cycle = Line(fake, cures_after=10)
        async with opened(power_cycle=Recovery(cycle)) as meter:
            while fake.deaf:
                try:
                    await meter.clock()
                except ResponseTimeout:
                    await asyncio.sleep(1)
            assert await meter.clock()
        pauses = [after - before for before, after in zip(cycle.times, cycle.times[1:], strict=False)]
        assert all(10 * 2**turn <= pause for turn, pause in enumerate(pauses[:6]))
        assert all(600 <= pause < 610 for pause in pauses[6:])

    async def test_a_broken_switch_is_told_and_the_port_stays_open(self, fake, opened):
        class Broken:
            async def run(self, port):
                raise TransportError("GPIO line 17 cannot be switched")

        fake.deaf = True
        async with opened(power_cycle=Recovery(Broken())) as meter:
            with pytest.raises(ResponseTimeout):
                await meter.clock()
            with pytest.raises(ResponseTimeout, match=r"did not answer.*The power cycle failed: GPIO line 17"):
                await meter.clock()
            fake.deaf = False
            assert await meter.clock()

    async def test_by_hand(self, fake, opened):
        cycle = Line(fake)
        async with opened(power_cycle=Recovery(cycle)) as meter:
            await meter.power_cycle()
            assert len(cycle.times) == 1

    async def test_not_without_a_switch(self, opened):
        async with opened() as meter:
            with pytest.raises(MisuseError, match="no power cycle"):
                await meter.power_cycle()


async def test_read_only_by_default(fake, opened):
    async with opened() as meter:
        with pytest.raises(WritesNotAllowed, match="ET50"):
            await meter.write("ET50", b"\x01", 30)
        with pytest.raises(WritesNotAllowed, match="EP17"):
            await meter.call("EP17", b"")
    assert fake.asked == []
