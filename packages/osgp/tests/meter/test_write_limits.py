"""Four writes an hour: before firmware 3.40 of all tables in lasting memory and BT07, in every meter of ET52 (MEP guide v1.1 p. 44, 51)."""

import asyncio

import pytest

from osgp.errors import MisuseError, WritesNotAllowed, WritesTooOften
from osgp.meter.known import KnownMeter
from osgp.meter.wear import WriteGovernor
from osgp.meter.writing import AllowWrites
from osgp.psem import PartialWrite, Write, table_id

OLD, NEW = (3, 39), (3, 40)
FIRMWARE_3_40 = bytes((0x35, 0x00))
BT07, BT54, ET50, ET51, ET52 = map(table_id, ("BT07", "BT54", "ET50", "ET51", "ET52"))
ALLOWED = AllowWrites(tables=("ET50", "ET51", "ET52"), procedures=("EP17",))


class TestGovernor:
    @pytest.mark.parametrize("firmware", [OLD, (2, 0), None])
    def test_an_old_meter_and_an_unknown_one_bear_four_writes_an_hour_of_all_tables_together(self, firmware):
        governor = WriteGovernor()
        for moment, table in enumerate((BT54, ET51, BT07, ET52)):
            governor.take(table, 1, float(moment), firmware)
        with pytest.raises(WritesTooOften, match=r"ET51 was not written.*4 were made.*Try again in 60 min") as refused:
            governor.take(ET51, 1, 10.0, firmware)
        assert refused.value.wait == 3590.0
        governor.take(ET51, 1, 3600.0, firmware)  # the first one is an hour ago
        with pytest.raises(WritesTooOften) as refused:
            governor.take(ET51, 1, 3600.5, firmware)
        assert refused.value.wait == 0.5

    @pytest.mark.parametrize("firmware", [NEW, (4, 30), (1, 21)])
    def test_others_bear_any_number_but_of_transactions(self, firmware):
        governor = WriteGovernor()
        for _ in range(50):
            governor.take(BT54, 1, 0.0, firmware)
            governor.take(BT07, 1, 0.0, firmware)
        for _ in range(4):
            governor.take(ET52, 1, 0.0, firmware)
        with pytest.raises(WritesTooOften, match="ET52"):
            governor.take(ET52, 1, 3599.0, firmware)
        governor.take(ET52, 1, 3600.0, firmware)

    def test_tables_in_ram_wear_nothing(self):
        governor = WriteGovernor()
        for _ in range(50):
            governor.take(ET50, 1, 0.0, OLD)
        assert not governor.asks_firmware(ET50)

    @pytest.mark.parametrize(("writes", "an_hour"), [(1, 4), (2, 2), (4, 1)])
    def test_transactions_of_several_writes_may_be_as_many_as_on_page_44(self, writes, an_hour):
        governor = WriteGovernor()
        for _ in range(an_hour):
            governor.take(ET52, writes, 0.0, NEW)
        with pytest.raises(WritesTooOften):
            governor.take(ET52, writes, 1.0, NEW)

    def test_who_needs_two_waits_until_two_are_an_hour_ago(self):
        governor = WriteGovernor()
        for moment in (0.0, 100.0, 200.0, 300.0):
            governor.take(ET52, 1, moment, NEW)
        with pytest.raises(WritesTooOften) as refused:
            governor.take(ET52, 2, 400.0, NEW)
        assert refused.value.wait == 100.0 + 3600.0 - 400.0
        governor.take(ET52, 2, 3700.0, NEW)

    def test_what_is_refused_does_not_count(self):
        governor = WriteGovernor()
        for _ in range(3):
            governor.take(ET51, 1, 0.0, OLD)
        for _ in range(5):
            with pytest.raises(WritesTooOften):
                governor.take(ET51, 2, 1.0, OLD)
        governor.take(ET51, 1, 1.0, OLD)

    def test_more_than_an_hour_bears_can_never_be_written_at_once(self):
        with pytest.raises(WritesTooOften, match="would take 5 requests") as refused:
            WriteGovernor().take(BT54, 5, 0.0, OLD)
        assert refused.value.wait is None

    @pytest.mark.parametrize("name", ["ET97", "ET89", "BT99"])
    def test_tables_that_no_appendix_names_count(self, name):
        assert WriteGovernor.asks_firmware(table_id(name))


def writes_to(fake, table):
    return [one for one in fake.asked if isinstance(one, Write | PartialWrite) and one.table == table]


async def test_the_fifth_write_is_not_sent_until_an_hour_has_passed(opened, fake):
    fake.tables[ET51] = bytearray(10)
    known = KnownMeter()
    async with opened(allow_writes=ALLOWED, known=known) as meter:
        for value in range(4):
            await meter.write("ET51", bytes((value,)))
    # Another opening of the port is the same meter.
    async with opened(allow_writes=ALLOWED, known=known) as meter:
        with pytest.raises(WritesTooOften) as refused:
            await meter.write("ET51", b"\x09")
        assert len(writes_to(fake, ET51)) == 4
        assert refused.value.wait is not None
        await asyncio.sleep(refused.value.wait)
        await meter.write("ET51", b"\x09")
    assert len(writes_to(fake, ET51)) == 5


async def test_procedures_count_on_an_old_meter(opened, fake):
    fake.tables[ET51] = bytearray(10)
    fake.tables[BT07] = bytearray(40)
    async with opened(allow_writes=ALLOWED) as meter:
        for _ in range(4):
            await meter.write("ET51", b"\1")
        with pytest.raises(WritesTooOften, match="BT07"):
            await meter.call("EP17")
    assert not writes_to(fake, BT07)


async def test_a_long_write_that_does_not_fit_is_not_begun(opened, fake):
    """457 bytes take two writes (p. 44)."""
    fake.tables[ET52] = bytearray(900)
    fake.tables[1][14:16] = FIRMWARE_3_40
    async with opened(allow_writes=ALLOWED) as meter:
        await meter.write("ET52", bytes(457))
        await meter.write("ET52", bytes(1))
        with pytest.raises(WritesTooOften):
            await meter.write("ET52", bytes(457))
    assert len(writes_to(fake, ET52)) == 3


@pytest.mark.parametrize("request_", [Write(ET50, b"\1"), PartialWrite(ET50, 0, b"\1"), Write(BT07, b"\x11\x08\x05")])
async def test_no_write_passes_by_the_permission(opened, fake, request_):
    """A program that may only read cannot write by sending a request as it is."""
    fake.tables[request_.table] = bytearray(40)
    async with opened() as meter:
        with pytest.raises(WritesNotAllowed):
            await meter.exchange(request_)
    assert fake.asked == []


async def test_requests_as_they_are_count_too(opened, fake):
    fake.tables[ET51] = bytearray(10)
    async with opened(allow_writes=ALLOWED) as meter:
        for _ in range(4):
            assert (await meter.exchange(PartialWrite(ET51, 0, b"\1"))).ok
        with pytest.raises(WritesTooOften):
            await meter.exchange(PartialWrite(ET51, 0, b"\1"))


def test_the_error_is_one_of_the_calling_program():
    assert issubclass(WritesTooOften, MisuseError)
