"""Writes and procedures: only what is allowed, never twice, never believed unseen."""

import pytest

from osgp.errors import MeterRefused, MisuseError, WritesNotAllowed, WriteUncertain
from osgp.meter.writing import AllowWrites, ProcedureResult
from osgp.psem import PartialWrite, Response, Write

ET50, ET59, ET70, ET85 = 2098, 2107, 2118, 2133
FIRMWARE_3_40 = bytes((0x35, 0x00))
EVERYTHING = AllowWrites(tables=("ET50", "BT33"), procedures=("EP17", "BP05"))


class Procedures:
    """BT07 as the guide tells it: a PSN outside 5..9 or seen last is refused with 0x04 (p. 52)."""

    def __init__(self, fake, results, last_psn=None):
        self.fake, self.results, self.last_psn = fake, results, last_psn
        self.calls = []
        fake.tables[7] = bytearray(40)
        fake.tables[results] = bytearray(16)
        fake.on_write = self.on_write

    def on_write(self, request):
        if request.table != 7:
            return None
        psn = request.data[2]
        if not 5 <= psn <= 9 or psn == self.last_psn:
            return Response(4)
        self.last_psn = psn
        self.calls.append(request)
        self.fake.tables[self.results][:4] = request.data[:3] + b"\0"
        self.fake.tables[self.results][4:6] = b"ok"
        return Response(0)


async def test_a_write_is_read_back(opened, fake):
    fake.tables[ET50] = bytearray(40)
    async with opened(allow_writes=EVERYTHING) as meter:
        await meter.write("ET50", b"\x01\x02", 30)
    assert fake.tables[ET50][30:32] == b"\x01\x02"
    assert PartialWrite(ET50, 30, b"\x01\x02") in fake.asked
    assert fake.asked[-1].count == 2


async def test_an_acknowledged_write_that_did_nothing_is_found_out(opened, fake):
    """Anybody can make the acknowledgement: it is a zero byte under the request's own digest."""
    fake.tables[ET50] = bytearray(40)
    fake.on_write = lambda _: Response(0)
    async with opened(allow_writes=EVERYTHING) as meter:
        with pytest.raises(WriteUncertain, match="ET50 does not hold"):
            await meter.write("ET50", b"\x01", 30)
        await meter.write("ET50", b"\x01", 30, verify=False)


async def test_a_refused_write_says_so(opened, fake):
    fake.on_write = lambda _: Response(3)
    fake.tables[ET50] = bytearray(40)
    async with opened(allow_writes=EVERYTHING) as meter:
        with pytest.raises(MeterRefused, match="refused to write ET50"):
            await meter.write("ET50", b"\x01", 30)


@pytest.mark.parametrize("size", [1, 180, 372, 456, 457, 900])
async def test_long_writes_are_split_and_never_fill_a_digest_pass(opened, fake, size):
    fake.tables[33] = bytearray(1000)
    data = bytes(place % 251 for place in range(size))
    async with opened(allow_writes=EVERYTHING) as meter:
        await meter.write("BT33", data, 7)
    assert fake.tables[33][7 : 7 + size] == data
    parts = [len(request.data) for request in fake.asked if isinstance(request, PartialWrite)]
    assert sum(parts) == size
    assert all(part <= 456 and (12 + part) % 192 for part in parts)


@pytest.mark.parametrize("name", ["ET51", "BT07"])
async def test_what_is_not_listed_is_not_written(opened, fake, name):
    async with opened(allow_writes=EVERYTHING) as meter:
        with pytest.raises(WritesNotAllowed):
            await meter.write(name, b"\x01")
    assert fake.asked == []


class TestProcedures:
    async def test_result_in_bt08_by_default(self, opened, fake):
        procedures = Procedures(fake, 8)
        async with opened(allow_writes=EVERYTHING) as meter:
            result = await meter.call("EP17", bytes.fromhex("00f803"))
        assert result == ProcedureResult(0, b"ok".ljust(12, b"\0"))
        assert result.done
        assert procedures.calls == [Write(7, bytes.fromhex("1108 05 00f803"))]

    async def test_result_in_et59_if_et50_says_so(self, opened, fake):
        Procedures(fake, ET59)
        fake.tables[ET50] = bytearray(30) + b"\x02"
        async with opened(allow_writes=EVERYTHING) as meter:
            assert (await meter.call("EP17")).done

    async def test_result_in_et85_on_the_second_port(self, opened, fake):
        Procedures(fake, ET85)
        fake.tables[ET70] = bytearray(142) + b"\x02"
        async with opened(allow_writes=EVERYTHING) as meter:
            assert (await meter.call("BP05")).done

    async def test_sequence_numbers_go_round_from_5_to_9(self, opened, fake):
        procedures = Procedures(fake, 8)
        fake.tables[1][14:16] = FIRMWARE_3_40
        async with opened(allow_writes=EVERYTHING) as meter:
            for _ in range(7):
                await meter.call("EP17")
        assert [call.data[2] for call in procedures.calls] == [5, 6, 7, 8, 9, 5, 6]

    async def test_a_number_used_last_by_an_earlier_program_is_skipped(self, opened, fake):
        procedures = Procedures(fake, 8, last_psn=5)
        async with opened(allow_writes=EVERYTHING) as meter:
            await meter.call("EP17")
        assert [call.data[2] for call in procedures.calls] == [6]

    async def test_another_refusal_is_told(self, opened, fake):
        Procedures(fake, 8)
        fake.on_write = lambda _: Response(3)
        async with opened(allow_writes=EVERYTHING) as meter:
            with pytest.raises(MeterRefused):
                await meter.call("EP17")

    async def test_somebody_elses_result_is_not_ours(self, opened, fake, virtual_clock):
        procedures = Procedures(fake, 8)

        def swallow(request):
            procedures.on_write(request)
            fake.tables[8][2] = 200
            return Response(0)

        fake.on_write = swallow
        async with opened(allow_writes=EVERYTHING) as meter:
            with pytest.raises(WriteUncertain, match="no result of EP17"):
                await meter.call("EP17")
        assert virtual_clock() > 2

    async def test_a_lost_acknowledgement_is_settled_by_the_result(self, opened, fake):
        procedures = Procedures(fake, 8)
        async with opened(allow_writes=EVERYTHING) as meter:
            await meter.clock()
            await meter.call("EP17")  # finds out where results are
            port = fake.ports[0]
            arrive, lost = port.arrive, []

            def lose_one(data):
                if lost:
                    arrive(data)
                lost.append(data)

            port.arrive = lose_one
            assert (await meter.call("EP17")).done
        assert [call.data[2] for call in procedures.calls] == [5, 6]

    @pytest.mark.parametrize("name", ["EP18", "BP17"])
    async def test_what_is_not_listed_is_not_called(self, opened, fake, name):
        async with opened(allow_writes=EVERYTHING) as meter:
            with pytest.raises(WritesNotAllowed):
                await meter.call(name)
        assert fake.asked == []

    @pytest.mark.parametrize("name", ["", "EP", "XP17", "ET17", "EPx", "17"])
    def test_names(self, name):
        with pytest.raises(MisuseError):
            AllowWrites(procedures=(name,))

    async def test_parameters_fit_bt07(self, opened):
        async with opened(allow_writes=EVERYTHING) as meter:
            with pytest.raises(MisuseError, match="255"):
                await meter.call("EP17", bytes(256))
