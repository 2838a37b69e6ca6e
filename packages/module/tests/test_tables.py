"""What is read is believed only under the layout it was read by; which bytes that takes, and no more than one table a second."""

import pytest

from nesmodule.meter import plan
from nesmodule.meter.tables import Tables
from osgp.errors import MeterRefused, TableError
from osgp.psem import EXTENDED, Response, ResponseCode
from osgp.sources import SOURCES

ET03, ET04, ET55 = EXTENDED + 3, EXTENDED + 4, EXTENDED + 55
IMPORT = SOURCES["active_energy_import"]


class Meter:
    """Answers from tables; stands where the line does."""

    def __init__(self):
        self.resyncs = 0
        self.asked = []
        self.tables = {
            0: bytes(20),
            1: b"NES\0MODEL-1\0\0\0" + (4 << 12 | 10 << 5 | 2).to_bytes(2, "big"),
            20: bytes((0, 0, 0, 19, 0, 0, 0, 8, 0, 55)),
            21: bytes((4, 0, 0, 19, 0, 0, 0, 4, 0, 55)),
            ET03: b"12345678".ljust(137, b"\0"),
            ET04: bytes(200),
            ET55: bytes(300),
        }
        self.then = {}
        """What happens when a table is read."""

    def set(self, table, place, value):
        data = bytearray(self.tables[table])
        data[place] = value
        self.tables[table] = bytes(data)

    async def exchange(self, request):
        self.asked.append((request.table, request.offset, request.count))
        if request.table in self.then:
            self.then.pop(request.table)()
        data = self.tables.get(request.table)
        if data is None:
            return Response(ResponseCode.INAPPROPRIATE_ACTION)
        return Response(ResponseCode.OK, data[request.offset :][: request.count])


class Time:
    def __init__(self):
        self.now = 0

    def __call__(self):
        return self.now

    async def sleep(self, milliseconds):
        self.now += milliseconds


@pytest.fixture
def meter():
    return Meter()


@pytest.fixture
def tables(meter):
    time = Time()
    return Tables(meter, time, time.sleep)


async def test_a_survey_tells_who_the_meter_is_and_its_energy_unit(meter, tables):
    place = next(place for major, _, place in plan.ENERGY_UNIT if major == 4)
    meter.set(ET55, place + 4 * 4, 10)  # eight tiers by BT20
    await tables.survey()
    identity = tables.identity
    assert (identity.serial, identity.manufacturer, identity.model, identity.firmware) == (
        "12345678",
        "NES",
        "MODEL-1",
        "4.10.02",
    )
    assert tables.layout.registers.factors[IMPORT] == 10
    assert tables.layout.resets
    assert all(count <= 100 for _, _, count in meter.asked)


@pytest.mark.parametrize(("beyond", "unit"), [(0, 100), (5, 1)])
async def test_without_bt20_the_length_of_et55_tells_the_tiers(meter, tables, beyond, unit):
    del meter.tables[20]
    place = next(place for major, _, place in plan.ENERGY_UNIT if major == 4)
    size = next(size for major, _, size in plan.ET55_SIZE if major == 4)
    meter.set(ET55, place, 100)
    meter.set(ET55, size + 3, beyond)
    await tables.survey()
    assert tables.layout.registers.factors.get(IMPORT, 1) == unit


async def test_a_new_idt_version_throws_the_layout_away(meter, tables):
    await tables.survey()
    assert await tables.confirmed()
    meter.set(ET04, plan.IDT_VERSION[0], 7)
    assert not await tables.confirmed()
    assert tables.layout is None


async def test_a_change_during_the_survey_is_seen(meter, tables):
    meter.then[21] = lambda: meter.set(ET04, plan.IDT_VERSION[0], 7)
    with pytest.raises(TableError, match="changed while"):
        await tables.survey()
    assert tables.layout is None


async def test_a_new_sequence_number_makes_it_ask_who_the_meter_is(meter, tables):
    await tables.survey()
    meter.resyncs += 1
    meter.asked.clear()
    assert await tables.confirmed()
    assert (ET03, *plan.SERIAL) in meter.asked
    meter.resyncs += 1
    meter.tables[ET03] = b"87654321".ljust(137, b"\0")
    assert not await tables.confirmed()


async def test_a_meter_that_hides_its_version_is_asked_for_its_sizes_again(meter, tables):
    del meter.tables[ET04]
    await tables.survey()
    assert await tables.confirmed()
    meter.set(21, plan.PRESENT_VALUES, 72)
    assert not await tables.confirmed()


async def test_so_is_one_that_tells_its_sizes_in_bt20_alone(meter, tables):
    del meter.tables[ET04], meter.tables[21]
    await tables.survey()
    assert await tables.confirmed()
    meter.set(20, plan.PRESENT_VALUES, 72)
    assert not await tables.confirmed()


async def test_a_meter_without_sizes_is_not_read(meter, tables):
    del meter.tables[20], meter.tables[21]
    with pytest.raises(TableError, match="neither in BT21 nor in BT20"):
        await tables.survey()


async def test_a_refusal_that_may_pass_is_no_absence(meter, tables):
    async def busy(request):
        return Response(ResponseCode.INVALID_SERVICE_SEQUENCE)

    meter.exchange = busy
    with pytest.raises(MeterRefused):
        await tables.survey()


async def test_on_average_one_table_a_second_is_read(tables):
    time = tables._now
    for _ in range(130):
        await tables.allow()
    assert time.now == 100_000
