"""Alerts are read, and answered only where that needs no data; transactions, on meters with one MEP port."""

import pytest

from osgp.errors import MeterRefused, MisuseError, WritesNotAllowed, WriteUncertain
from osgp.meter.clients.messages import decode_requests, encode_responses
from osgp.meter.writing import AllowWrites
from osgp.psem import PartialRead, Read, Response, Write, table_id

ET13, ET52, ET53, ET70, BT07, BT08 = map(table_id, ("ET13", "ET52", "ET53", "ET70", "BT07", "BT08"))
ALERT_FLAGS = 4 * 66 + 8
MAY_ANSWER = AllowWrites(procedures=("EP39",))
MAY_ASK = AllowWrites(tables=("ET52",))


class Alerting:
    """A meter that takes EP39 of type 12 as the answer to a delta alert (MEP guide v1.1 p. 35), and nothing else."""

    def __init__(self, fake, flags, result=0):
        self.fake, self.result, self.posts = fake, result, []
        fake.tables[ET13] = bytearray(5 * 66)
        fake.tables[ET13][ALERT_FLAGS] = flags
        fake.tables[BT07], fake.tables[BT08] = bytearray(40), bytearray(16)
        fake.on_write = self.on_write

    def on_write(self, request):
        if request.table != BT07:
            return None
        self.posts.append(request)
        if self.result == 0 and request.data[3] == 12:
            self.fake.tables[ET13][ALERT_FLAGS] &= ~0x10
        self.fake.tables[BT08][:4] = request.data[:3] + bytes((self.result,))
        return Response(0)


async def test_a_delta_alert_is_answered_without_any_data(opened, fake):
    meter_side = Alerting(fake, 0x10)
    async with opened(allow_writes=MAY_ANSWER) as meter:
        found = await meter.answer_alerts()
    assert (found.answered, dict(found.left)) == ({"delta_data"}, {})
    assert [post.data for post in meter_side.posts] == [bytes.fromhex("27 08 05 0C 00 00 00")]


async def test_alerts_that_want_data_are_left_with_their_reasons(opened, fake):
    meter_side = Alerting(fake, 0x0B)
    async with opened(allow_writes=MAY_ANSWER) as meter:
        found = await meter.answer_alerts()
    assert found.answered == frozenset()
    assert list(found.left) == ["scheduled_read", "on_demand_request", "mbus_change"]
    assert "this program has none" in found.left["scheduled_read"]
    assert meter_side.posts == []
    assert fake.tables[ET13][ALERT_FLAGS] == 0x0B


async def test_keys_of_mbus_devices_stay_in_the_meter(opened, fake):
    """They stand in the elements before those of MEP clients (MEP guide v1.1 p. 82), which nobody needs here."""
    Alerting(fake, 0x10)
    async with opened(allow_writes=MAY_ANSWER) as meter:
        await meter.mep_port()
        await meter.answer_alerts()
    asked = [one for one in fake.asked if one.table == ET13]
    assert len(asked) == 3
    assert all(isinstance(one, PartialRead) and one.offset >= 4 * 66 for one in asked)


async def test_no_alert_is_answered_without_permission(opened, fake):
    meter_side = Alerting(fake, 0x10)
    async with opened() as meter:
        assert (await meter.mep_port()).own.alerts == {"delta_data"}
        with pytest.raises(WritesNotAllowed, match="EP39"):
            await meter.answer_alerts()
    assert meter_side.posts == []


async def test_an_answer_that_is_not_taken_is_said(opened, fake):
    Alerting(fake, 0x10, result=2)
    async with opened(allow_writes=MAY_ANSWER) as meter:
        with pytest.raises(WriteUncertain, match="EP39, result 2"):
            await meter.answer_alerts()


async def test_an_alert_that_stays_is_said(opened, fake):
    meter_side = Alerting(fake, 0x10)
    async with opened(allow_writes=MAY_ANSWER) as meter:
        real = meter_side.on_write

        def again(request):
            response = real(request)
            fake.tables[ET13][ALERT_FLAGS] |= 0x10
            return response

        fake.on_write = again
        found = await meter.answer_alerts()
    assert (found.answered, list(found.left)) == (frozenset(), ["delta_data"])


async def test_a_meter_without_alerts_says_so(opened, fake):
    async with opened(allow_writes=MAY_ANSWER) as meter:
        with pytest.raises(MeterRefused):
            await meter.answer_alerts()
        found = await meter.mep_port()
    assert (found.number, found.other, found.own.alerts) == (1, None, None)


class Transacting:
    """A meter that carries transactions out, as the guide tells it (p. 44)."""

    def __init__(self, fake, number=None):
        self.fake, self.number, self.asked = fake, number, []
        fake.tables[ET52], fake.tables[ET53] = bytearray(769), bytearray(1785)
        fake.on_write = self.on_write

    def on_write(self, request):
        number, requests = decode_requests(request.data)
        self.asked.append((number, requests))
        found = [self.fake.carry_out(one, None) for one in requests]
        image = encode_responses(self.number or number, requests, found, 1785)
        self.fake.tables[ET53][: len(image)] = image
        return Response(0)


SOME = [PartialRead(23, 0, 44), PartialRead(99, 0, 1), Read(52)]


async def test_a_transaction_brings_an_answer_to_each_read(opened, fake):
    meter_side = Transacting(fake)
    async with opened(allow_writes=MAY_ASK) as meter:
        for number in (1, 2):
            found = await meter.transaction(SOME)
            assert found == (Response(0, bytes(fake.tables[23][:44])), Response(5), Response(0, bytes(fake.tables[52])))
            assert meter_side.asked[-1] == (number, tuple(SOME))
    assert not [one for one in fake.asked if isinstance(one, Write) and one.table == BT07], (
        "there is nobody to lock out"
    )


async def test_a_transaction_needs_permission_and_only_reads(opened, fake):
    Transacting(fake)
    async with opened() as meter:
        with pytest.raises(WritesNotAllowed, match="ET52"):
            await meter.transaction(SOME)
    async with opened(allow_writes=MAY_ASK) as meter:
        with pytest.raises(MisuseError, match="only reads"):
            await meter.transaction([Write(23, b"\0")])  # type: ignore[list-item]
    assert fake.asked == []


async def test_answers_that_do_not_come_are_not_made_up(opened, fake, virtual_clock):
    Transacting(fake, number=77)
    async with opened(allow_writes=MAY_ASK) as meter:
        with pytest.raises(WriteUncertain, match="no answers to the transaction"):
            await meter.transaction(SOME)
    assert virtual_clock() > 2
