"""No value is decoded by a layout that was not confirmed after its bytes were read: optical port, where nothing tells.

And a table is one read: it counts once in the budget, and its parts come from one moment.
"""

import asyncio
import contextlib

import pytest
from changing_meter import BT23, BT28, ET03, ET04, GROWN, SMALL, filled, read_all

from osgp.errors import LinkError, MeterRefused, MeterSwapped, OsgpError
from osgp.meter.budget import ReadBudget
from osgp.optical.server import Meter as Habits
from osgp.optical.timing import Limits
from osgp.psem import PartialRead, Read, Response, ResponseCode

ET04_DATA = bytes(116) + b"\x07" + bytes(6)


class Tables:
    """The tables of a meter that is reconfigured before its nth read."""

    def __init__(self, moment=0, *, lost=()):
        self.tables = filled(SMALL) | {
            1: b"NES " + b"83332-3I" + bytes(2) + bytes((0x31, 0x55)),
            ET03: b"LGZ0012345678".ljust(143, b" "),
            ET04: bytearray(ET04_DATA),
        }
        self.moment, self.lost = moment, lost
        self.asked, self.changed = [], False

    def reconfigure(self):
        self.changed = True
        self.tables |= filled(GROWN)
        if ET04 in self.tables:
            self.tables[ET04][116] += 1

    def __call__(self, request, access):
        self.asked.append(request)
        if not self.changed and 0 < self.moment <= len(self.asked):
            self.reconfigure()
        data = self.tables.get(request.table)
        if data is None:
            return Response(ResponseCode.INAPPROPRIATE_ACTION)
        if isinstance(request, Read):
            return Response(0, bytes(data))
        return Response(0, bytes(data[request.offset : request.offset + request.count]).ljust(request.count, b"\0"))


async def outlive(tables, meter):
    """Read until the meter was reconfigured and see that it is then read as it is."""
    while not tables.changed:
        await read_all(meter, 1)
    await read_all(meter, 1)
    assert "present_demand_1" in {source.key for source in await meter.present()}


@pytest.fixture
def served(bench):
    """Give a meter with these tables: ``async with served(tables, habits) as meter``."""

    class Served:
        def __init__(self, tables, **options):
            self.simulated = bench.simulated(shared_uart=False, **options)
            self.simulated._optical._handler = tables
            self.budget = None

        async def __aenter__(self):
            await self.simulated.__aenter__()
            self.opened = bench.opened(await self.simulated.serve_optical_tcp(), read_budget=self.budget)
            return await self.opened.__aenter__()

        async def __aexit__(self, *error):
            await self.opened.__aexit__(*error)
            await self.simulated.__aexit__(*error)

    return Served


class TestReconfigured:
    @pytest.mark.parametrize(
        ("moment", "limits"),
        [*((moment, Limits(512, 16)) for moment in range(1, 36)), *((moment, Limits()) for moment in range(2, 46, 4))],
    )
    async def test_d1_m1_before_any_request(self, virtual_clock, served, moment, limits):
        tables = Tables(moment)
        async with served(tables, habits=Habits(limits=limits)) as meter:
            await outlive(tables, meter)

    async def test_d1_m1_after_a_renewed_session(self, virtual_clock, served):
        tables = Tables()
        async with served(tables) as meter:
            for _ in range(7):
                await read_all(meter, 1)
                await asyncio.sleep(100)
            tables.reconfigure()
            await outlive(tables, meter)

    @pytest.mark.parametrize("moment", range(12, 46, 3))
    async def test_d1_a_meter_that_does_not_show_et04(self, virtual_clock, served, moment):
        tables = Tables(moment)
        del tables.tables[ET04]
        async with served(tables) as meter:
            await outlive(tables, meter)

    @pytest.mark.parametrize("moment", range(8, 36, 7))
    async def test_d1_while_the_session_is_lost(self, virtual_clock, served, moment):
        """The answer to the request at which the meter changes, and all after it for eight seconds, are lost."""
        tables = Tables(moment)
        opening = served(tables)
        async with opening as meter:
            line = opening.simulated._window.line
            hear, silent_until = line.hear, None

            def heard(data, now):
                nonlocal silent_until
                if tables.changed and silent_until is None:
                    silent_until = now + 8
                if silent_until is None or now >= silent_until:
                    hear(data, now)

            line.hear = heard
            for _ in range(20):
                try:
                    await read_all(meter, 1)
                except LinkError:
                    continue
            await outlive(tables, meter)

    async def test_d1_one_byte_behind_each_table(self, virtual_clock, served):
        tables = Tables()
        async with served(tables) as meter:
            await read_all(meter, 1)
            tables.asked.clear()
            await read_all(meter, 1)
        assert [request.table for request in tables.asked] == [BT23, ET04, BT28, ET04]
        assert tables.asked[1] == tables.asked[3] == PartialRead(ET04, 116, 1)

    async def test_what_could_not_be_confirmed_for_long_is_read_again(self, virtual_clock, served):
        """A power of half a minute ago must not look like one of now."""
        tables = Tables()
        opening = served(tables)
        async with opening as meter:
            await read_all(meter, 1)
            line = opening.simulated._window.line
            hear, silent_until = line.hear, None

            def heard(data, now):
                nonlocal silent_until
                if silent_until is None and tables.asked and tables.asked[-1].table == BT28:
                    silent_until = now + 12
                if silent_until is None or now >= silent_until:
                    hear(data, now)

            line.hear = heard
            tables.asked.clear()
            await meter.present()
            when = [request.table for request in tables.asked]
            assert when.count(BT28) == 2
            assert when[-2:] == [BT28, ET04]

    async def test_the_probe_is_put_onto_another_meter_of_the_same_version(self, virtual_clock, served):
        tables = Tables()
        opening = served(tables)
        async with opening as meter:
            await meter.identity()
            await read_all(meter, 1)
            line = opening.simulated._window.line
            hear, line.hear = line.hear, lambda data, now: None
            with pytest.raises(LinkError):
                await meter.present()
            tables.reconfigure()
            tables.tables[ET04][116] -= 1
            tables.tables[ET03] = b"OTHER00000001".ljust(143, b" ")
            line.hear = hear
            for read in (meter.present, meter.registers, meter.dimensions):
                with pytest.raises(MeterSwapped, match="OTHER00000001"):
                    await read()
            assert (await meter.identity()).serial == "OTHER00000001"
            await read_all(meter, 1)


class TestOneRead:
    """M8, M9: a table is one read."""

    async def test_m8_a_table_in_five_packets_counts_once(self, virtual_clock, served):
        tables = Tables()
        opening = served(tables, habits=Habits(limits=Limits()))
        opening.budget = ReadBudget(rate=1.0, burst=30)
        async with opening as meter:
            await read_all(meter, 20)  # what may follow each other at once is used up
            tables.asked.clear()
            began, times = virtual_clock(), 20
            for _ in range(times):
                await meter.present()
            assert len([request for request in tables.asked if request.table == BT28]) == 2 * times
            assert virtual_clock() - began == pytest.approx(times, rel=0.1)

    async def test_m8_the_parts_of_a_table_come_back_to_back(self, virtual_clock, served):
        """Though the budget is used up and others wait for their turn."""
        tables = Tables()
        opening = served(tables, habits=Habits(limits=Limits()))
        opening.budget = ReadBudget(rate=1.0, burst=3)
        async with opening as meter:
            await read_all(meter, 2)
            tables.asked.clear()
            times = []

            def timed(request, access, answer=opening.simulated._optical._handler):
                times.append(virtual_clock())
                return answer(request, access)

            opening.simulated._optical._handler = timed
            await asyncio.gather(
                *(read() for read in (meter.present, meter.registers, meter.clock) * 3), return_exceptions=True
            )
            asked = [request.table for request in tables.asked]
            starts = [
                place
                for place, request in enumerate(tables.asked)
                if request.table in {BT23, BT28} and not request.offset
            ]
            for start in starts:
                end = asked.index(ET04, start)
                assert set(asked[start:end]) == {asked[start]}, "nothing comes between the parts"
                assert times[end] - times[start] < 0.3 * (end - start + 1)


class TestSharedLine:
    """N1: what another program at the same probe does is trouble of the line, and refuses no table."""

    @pytest.mark.parametrize("pause", [0.3, 0.7, 1.1])
    async def test_n1_a_second_program_for_half_a_minute(self, virtual_clock, served, bench, pause):
        tables = Tables()
        opening = served(tables)
        async with opening as meter:
            url, outcomes = str(meter.url), []
            await read_all(meter, 1)

            async def intrude():
                async with bench.opened(url) as other:
                    while virtual_clock() < 40:
                        with contextlib.suppress(OsgpError):
                            await other.read("ET54", 0, 20)  # which this meter does not have
                            await other.read("BT23", 0, 88)  # as long as our BT28
                        await asyncio.sleep(pause)

            intruder = asyncio.create_task(intrude())
            while virtual_clock() < 90:
                try:
                    await read_all(meter, 1)
                    outcomes.append(None)
                except OsgpError as error:
                    outcomes.append(error)
                await asyncio.sleep(1)
            await intruder
            assert not [error for error in outcomes if isinstance(error, MeterRefused)]
            assert outcomes[-1] is None
