"""No value is decoded by a layout that was not confirmed after its bytes were read: MEP port."""

from dataclasses import dataclass

import pytest
from changing_meter import (
    BT21,
    BT22,
    BT23,
    BT27,
    BT28,
    ET03,
    ET04,
    GROWN,
    SMALL,
    assert_true,
    filled,
    layout_of,
    read_all,
    truth,
)

from osgp.errors import LinkError, MeterSwapped, TablesChanging, TransportError
from osgp.meter import Identity
from osgp.meter.known import KnownMeter
from osgp.meter.layout import ROUNDS
from osgp.psem import PartialRead
from osgp.tables import TABLES, Dimensions, present, registers

VERSION = PartialRead(ET04, 116, 1)


def reconfigure(fake, tables=GROWN):
    """Do what EP11 does: other tables, another IDT version, another sequence number (MEP guide v1.1 p. 54-55)."""
    fake.tables |= {number: bytearray(data) for number, data in filled(tables).items()}
    if ET04 in fake.tables:
        fake.tables[ET04][116] = (fake.tables[ET04][116] + 1) % 256
    fake.server.advance(25)


@dataclass
class Fate:
    """What happens at the nth request that reaches the meter."""

    fake: object
    moment: int = 0
    """The request before which the meter is reconfigured."""
    inside: bool = False
    """Behind the check of the sequence number, so that this very request is answered by the new tables."""
    lost: frozenset = frozenset()
    """Replies that do not arrive."""
    heard: int = 0
    done: bool = False

    def install(self):
        fake = self.fake
        fake.tables |= {number: bytearray(data) for number, data in filled(SMALL).items()}
        carry_out, server = fake.carry_out, fake.server
        take_frame, hold = server._take_frame, server._hold

        def taken(content, now, events):
            self.heard += 1
            self.strike(inside=False)
            take_frame(content, now, events)

        def carried(request, access):
            self.strike(inside=True)
            return carry_out(request, access)

        def held(reply, now):
            if self.heard not in self.lost:
                hold(reply, now)

        server._take_frame, server._handler, server._hold = taken, carried, held

    def strike(self, *, inside):
        if not self.done and self.inside == inside and 0 < self.moment <= self.heard:
            self.done = True
            reconfigure(self.fake)

    async def outlive(self, meter):
        """Read on until the meter was reconfigured, and see that it is read as it is then."""
        while not self.done:
            await read_all(meter, 1)
        await read_all(meter, 1)
        assert "present_demand_1" in {source.key for source in await meter.present()}


async def count_requests(fake, opened):
    fate = Fate(fake)
    fate.install()
    async with opened() as meter:
        await read_all(meter, 2)
    return fate.heard


def hide_et04(fake):
    """Let the meter refuse ET04."""

    def answer(request, access, answer=fake.server._handler):
        et04 = fake.tables.pop(ET04) if request.table == ET04 else None
        response = answer(request, access)
        if et04 is not None:
            fake.tables[ET04] = et04
        return response

    fake.server._handler = answer


MOMENTS = range(1, 32)
"""From the first request, over the survey, to the second round of values."""


class TestEveryMoment:
    async def test_the_moments_reach_from_the_first_request_to_the_last(self, fake, opened):
        assert 20 < await count_requests(fake, opened) < MOMENTS[-1]

    @pytest.mark.parametrize("longest", [10_000, 100])
    @pytest.mark.parametrize("inside", [False, True])
    @pytest.mark.parametrize("moment", MOMENTS)
    async def test_d2_m2_reconfigured_before_any_request(self, fake, opened, moment, inside, longest):
        fake.longest = longest
        fate = Fate(fake, moment, inside)
        fate.install()
        async with opened() as meter:
            await fate.outlive(meter)

    @pytest.mark.parametrize("inside", [False, True])
    @pytest.mark.parametrize("lost", [-1, 0, 1])
    @pytest.mark.parametrize("moment", MOMENTS)
    async def test_d3_reconfigured_while_replies_are_lost(self, fake, opened, moment, inside, lost):
        fate = Fate(fake, moment, inside, frozenset({moment + lost}))
        fate.install()
        async with opened() as meter:
            await fate.outlive(meter)

    @pytest.mark.parametrize("inside", [False, True])
    @pytest.mark.parametrize("moment", MOMENTS)
    async def test_a_meter_that_does_not_show_et04(self, fake, opened, moment, inside):
        """Its answers stand in sequence, which proves that it did not jump."""
        fate = Fate(fake, moment, inside)
        fate.install()
        hide_et04(fake)
        async with opened() as meter:
            await fate.outlive(meter)

    @pytest.mark.parametrize("hidden", [False, True], ids=["ET04", "no ET04"])
    async def test_d3_many_requests_lost_before_the_change_do_not_hide_the_jump(self, fake, opened, hidden):
        """After 25 lost numbers a jump by 25 leads to where the client is: no 0x0C ever comes."""
        Fate(fake).install()
        if hidden:
            hide_et04(fake)
        async with opened() as meter:
            await read_all(meter, 1)
            fake.deaf = True
            for _ in range(27):
                with pytest.raises(LinkError):
                    await meter.clock()
            fake.deaf = False
            reconfigure(fake)
            refusals = meter.stats.resyncs
            await read_all(meter)
            assert meter.stats.resyncs == refusals
            assert "present_demand_1" in {source.key for source in await meter.present()}

    async def test_dimensions_are_looked_at_again_after_a_lost_reply(self, fake, opened):
        fate = Fate(fake)
        fate.install()
        async with opened() as meter:
            assert (await meter.dimensions()).demands == 0
            fate.lost, fate.moment = frozenset({fate.heard + 1}), fate.heard + 2
            await meter.clock()
            assert (await meter.dimensions()).demands == 2

    @pytest.mark.parametrize("moment", MOMENTS)
    async def test_what_is_kept_for_the_next_opening_is_no_mixture(self, fake, opened, moment):
        """The connection breaks right after the change, before anything was confirmed."""
        known = KnownMeter()
        fate = Fate(fake, moment)
        fate.install()

        def unplug(request, access, answer=fake.server._handler):
            response = answer(request, access)
            if fate.heard >= fate.moment + 1 and len(fake.ports) == 1:
                fake.ports[0].unplug()
            return response

        fake.server._handler = unplug
        async with opened(known=known) as meter:
            with pytest.raises(TransportError):
                await read_all(meter, 100)
        async with opened(known=known) as meter:
            await read_all(meter)

    async def test_a_meter_that_never_stops_changing_gives_nothing(self, fake, opened):
        fate = Fate(fake)
        fate.install()
        async with opened() as meter:
            await read_all(meter, 1)

            def restless(request, access, answer=fake.carry_out):
                response = answer(request, access)
                if request.table in {BT23, BT28}:
                    reconfigure(fake, SMALL)
                return response

            fake.server._handler = restless
            for read in (meter.registers, meter.present):
                fake.asked.clear()
                with pytest.raises(TablesChanging, match="read again"):
                    await read()
                assert sum(request.table in {BT23, BT28} for request in fake.asked) == ROUNDS
            fake.server._handler = fake.carry_out
            await read_all(meter, 1)


class TestLostConfirmation:
    async def test_values_are_not_lost_with_their_confirmation(self, fake, opened):
        fate = Fate(fake)
        fate.install()
        async with opened() as meter:
            await read_all(meter, 1)
            fate.lost = frozenset(range(fate.heard + 2, fate.heard + 5))
            fake.asked.clear()
            assert_true(await meter.present())
            assert [request.table for request in fake.asked].count(BT28) == 1
            assert meter.stats.timeouts == 3

    async def test_silence_is_told_soon(self, fake, opened, virtual_clock):
        fate = Fate(fake)
        fate.install()
        async with opened() as meter:
            await read_all(meter, 1)
            fate.lost = frozenset(range(fate.heard + 2, fate.heard + 100))
            began = virtual_clock()
            with pytest.raises(LinkError):
                await meter.present()
            assert virtual_clock() - began < 5


class TestWhatIsAsked:
    async def test_behind_each_table_one_byte_is_read(self, fake, opened):
        async with opened() as meter:
            await meter.registers()
            fake.asked.clear()
            await meter.registers()
            await meter.present()
            assert [request.table for request in fake.asked] == [BT23, ET04, BT28, ET04]
            assert fake.asked[1] == fake.asked[3] == VERSION

    async def test_d1_the_version_is_read_before_and_behind_the_tables_of_sizes(self, fake, opened):
        async with opened() as meter:
            await meter.dimensions()
        of_sizes = [place for place, request in enumerate(fake.asked) if request.table in {BT21, BT22, BT27}]
        versions = [place for place, request in enumerate(fake.asked) if request == VERSION]
        assert versions[0] < min(of_sizes)
        assert versions[-1] > max(of_sizes)

    async def test_a_table_is_decoded_by_the_layout_it_was_read_with(self, fake, opened):
        fate = Fate(fake)
        fate.install()
        async with opened() as meter:
            before = await meter.table("BT23")
            fate.moment, fate.inside = fate.heard + 1, True
            after = await meter.table("BT23")
        totals = [record["blocks"][0]["summations"] for record in (before, after)]
        assert totals[0][:8] == totals[1][7::-1], "the order of the grown meter is another one"
        assert after["blocks"][0]["demands"]


async def test_who_reads_bytes_can_have_them_confirmed(fake, opened):
    fate = Fate(fake)
    fate.install()
    async with opened() as meter:
        dims = await meter.dimensions()
        await meter.read("BT23", 0, 40)
        assert await meter.confirms(dims)
        fate.moment, fate.inside = fate.heard + 1, True
        await meter.read("BT23", 0, 40)
        assert not await meter.confirms(dims)
        assert await meter.confirms(await meter.dimensions())


class TestAnotherMeter:
    """Somebody puts another meter behind the same connection: the same IDT version, another serial number."""

    @staticmethod
    def swap(fake):
        reconfigure(fake)
        fake.tables[ET04][116] -= 1
        fake.tables[ET03][:13] = b"OTHER00000001"
        fake.server.advance(1_000_003)

    @pytest.mark.parametrize("read", ["registers", "present", "dimensions"])
    async def test_nothing_of_it_is_given_out_as_of_the_old_one(self, fake, opened, read):
        Fate(fake).install()
        async with opened() as meter:
            assert (await meter.identity()).serial == "LGZ0012345678"
            await read_all(meter, 1)
            self.swap(fake)
            if read == "dimensions":
                await meter.clock()
            for _ in range(2):
                with pytest.raises(MeterSwapped, match="OTHER00000001 and was LGZ0012345678"):
                    await getattr(meter, read)()
            assert (await meter.identity()).serial == "OTHER00000001"
            await read_all(meter, 1)

    async def test_swapped_between_the_name_and_the_first_values(self, fake, opened):
        Fate(fake).install()
        async with opened() as meter:
            await meter.identity()
            self.swap(fake)
            with pytest.raises(MeterSwapped):
                await meter.present()

    async def test_an_identity_is_of_one_meter(self, fake, opened):
        """It is swapped between the two tables that tell it."""
        fate = Fate(fake)
        fate.install()
        moved = []

        def serve(request, access, answer=fake.carry_out):
            response = answer(request, access)
            if request.table == 1 and not moved:
                moved.append(True)
                self.swap(fake)
                fake.tables[1][4:12] = b"other-3x"
            return response

        fake.server._handler = serve
        async with opened() as meter:
            assert await meter.identity() == Identity("OTHER00000001", "NES", "other-3x", "3.10.21")

    async def test_a_restarted_meter_is_the_same(self, fake, opened):
        Fate(fake).install()
        async with opened() as meter:
            await read_all(meter, 1)
            fake.server.advance(1_000_003)
            fake.asked.clear()
            assert_true(await meter.present())
            assert [request.table for request in fake.asked] == [BT28, ET04, ET04, ET03]


def test_both_layouts_differ_in_every_place():
    small, grown = filled(SMALL), filled(GROWN)
    for number, readout in ((BT23, registers), (BT28, present)):
        wrong = readout.decode(grown[number], layout_of(SMALL))
        assert sum(value == truth(source) for source, value in wrong.items()) <= 12
        assert small[number] != grown[number]
    assert TABLES["BT21"].size(Dimensions()) == len(SMALL[BT21])
