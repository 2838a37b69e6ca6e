"""What a simulated meter keeps of what happened: events, alarms, logs, and that it is silent without power."""

import asyncio
from datetime import UTC, datetime

import pytest

from osgp.errors import MisuseError, ResponseTimeout
from osgp.image import MeterImage
from osgp.key import MeterKey
from osgp.meter import open_meter
from osgp.meter.writing import AllowWrites
from osgp.optical.key import OpticalKey
from osgp.psem import table_id
from osgp.simulator import DEMO_KEY_TEXT, House, SimulatedMeter
from osgp.simulator.history.configuration import DATA_SETS, OTHER_DATA_SETS
from osgp.simulator.history.happenings import (
    AlarmsCleared,
    BrokenConductor,
    ClockSet,
    CoverOpened,
    DemandReset,
    FirmwareChanged,
    History,
    NeutralLost,
    PhaseLost,
    PowerCut,
    Reconfigured,
)
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger
from osgp.simulator.localtime import local_offset
from osgp.simulator.logs.self_reads import SELF_READS
from osgp.simulator.model import house_memory
from osgp.tables import TABLES, survey
from osgp.tables.load_profile import ProfileSizes
from osgp.tables.logs.events import decode_log
from osgp.tables.survey import TELLING

INSTALLED = int(datetime(2026, 2, 20, tzinfo=UTC).timestamp())
NOW = int(datetime(2026, 4, 2, 13, 7, 31, tzinfo=UTC).timestamp())
NOBODY, HEAD_END = 0xFFFF, 0xFFFE


def house(*happenings):
    return House(ledger=Ledger(Household(1), INSTALLED), history=History(happenings))


class Kept:
    """The tables of a made-up meter to which something happened."""

    def __init__(self, *happenings):
        self.house = house(*happenings)
        self.memory = house_memory(self.house)

    def read(self, name, now=NOW):
        return self.memory.read(table_id(name), now)

    def dims(self, now=NOW):
        return survey({one: self.read(one, now) for one in TELLING if self.read(one, now) is not None})

    def table(self, name, now=NOW):
        return TABLES[name].decode(self.read(name, now), self.dims(now))

    def events(self, now=NOW):
        """Return what was logged since the installation, beside the short outages that every house has."""
        usual = {moment for outage in house().outages(now) for moment in outage}
        entries = [one for name in ("BT74", "ET79") for one in decode_log(self.read(name, now), self.dims(now), name)]
        entries.sort(key=lambda one: one.sequence, reverse=True)
        found = [(int(one.time.timestamp()), one.event, one.argument, one.user) for one in reversed(entries)]  # type: ignore[union-attr]
        return [one for one in found if one[0] not in usual]

    def alarms(self, now=NOW):
        return {name for name, on in self.table("BT03", now).items() if on} - {"metering"}


AT = NOW - 5000


@pytest.mark.parametrize(
    ("happening", "events", "alarms"),
    [
        (PowerCut(AT, 90), [(AT, 1, NOBODY), (AT + 90, 2, NOBODY)], {"power_failure"}),
        (CoverOpened(AT), [(AT, 46, NOBODY)], {"cover_removed"}),
        (ClockSet(AT, 120), [(AT, 3, HEAD_END), (AT + 120, 4, HEAD_END)], set()),
        (ClockSet(AT, -120), [(AT, 3, HEAD_END), (AT - 120, 4, HEAD_END)], set()),
        (PhaseLost(AT, 600, 2), [(AT + 60, 2048 + 4, NOBODY)], {"phase_loss"}),
        (PhaseLost(AT, 59, 2), [], set()),
        (NeutralLost(AT, 600), [(AT + 10, 2048 + 32, NOBODY)], {"unbalanced_voltage"}),
        (NeutralLost(AT, 9), [], set()),
        (BrokenConductor(AT, 600), [(AT + 600, 2048 + 32, NOBODY)], {"unbalanced_voltage"}),
        (BrokenConductor(AT, 599), [], set()),
        (Reconfigured(AT), [(AT, 9, HEAD_END), (AT, 2048 + 24, HEAD_END)], {"dimension_change"}),
        (FirmwareChanged(AT, (3, 70, 5)), [(AT, 2048 + 14, HEAD_END)], {"code_bank_changed"}),
        (DemandReset(AT), [(AT, 18, HEAD_END)], set()),
    ],
)
def test_events_and_alarms(happening, events, alarms):
    kept = Kept(happening)
    assert kept.alarms(AT - 1) == set()
    assert kept.events(AT - 1) == []
    assert [(at, event, user) for at, event, _, user in kept.events()] == events
    assert kept.alarms() == alarms
    assert kept.alarms(NOW + 1_000_000) == alarms, "latched"


def test_an_event_names_the_phase():
    assert [argument for _, _, argument, _ in Kept(PhaseLost(AT, 600, 2)).events()] == [b"\x02\x00"]


def test_alarms_are_on_until_the_head_end_clears_them():
    kept = Kept(CoverOpened(AT), AlarmsCleared(AT + 100), PhaseLost(AT + 200, 60))
    assert kept.alarms(AT + 99) == {"cover_removed"}
    assert kept.alarms(AT + 100) == set()
    assert kept.alarms() == {"phase_loss"}


def test_without_power_nothing_is_noticed_but_the_cut():
    assert [event for _, event, _, _ in Kept(PowerCut(AT, 90), CoverOpened(AT + 30)).events()] == [1, 2]


def test_the_clocks_show_what_was_set():
    kept = Kept(ClockSet(AT, 7200))
    assert kept.table("BT52")["clock"] == datetime.fromtimestamp(NOW + 7200, UTC)
    assert kept.table("BT52", AT - 1)["clock"] == datetime.fromtimestamp(AT - 1, UTC)
    local = datetime.fromtimestamp(NOW + 7200 + local_offset(NOW), UTC).replace(tzinfo=None)
    assert kept.table("BT55")["clock"] == local.replace(second=0)


def test_a_reconfiguration_empties_the_load_profiles_and_gives_them_other_sizes():
    kept = Kept(Reconfigured(AT))
    for now, data_sets in ((AT - 1, DATA_SETS), (AT, OTHER_DATA_SETS)):
        told = kept.table("BT61", now)["data_sets"]
        assert [(one["blocks"], one["intervals"], one["channels"]) for one in told] == [
            (one.blocks, one.intervals, len(one.sources)) for one in data_sets
        ]
        assert bytes(source for one in data_sets for source in one.sources) == bytes(
            byte for one in _control(kept.read("BT62", now), data_sets) for byte in one
        )
        assert kept.table("ET42", now)["load_profile_sources"] == data_sets[0].sources
        for number, one in enumerate(data_sets):
            assert len(kept.read(f"BT{64 + number}", now)) == one.blocks * one.sizes.block_size
    assert [one["valid_blocks"] for one in kept.table("BT63", AT)["data_sets"]] == [0, 0, 0, 0]
    assert [kept.table("ET21", now)["data_sets"][0]["configuration_id"] for now in (AT - 1, AT)] == [1, 2]
    status = kept.table("BT63")["data_sets"][0]
    assert (status["valid_blocks"], status["last_block_sequence_number"]) == (1, 0)
    assert status["valid_intervals"] == NOW // 900 - AT // 900
    sizes = ProfileSizes.of(kept.table("BT61"), 1)
    data = kept.read("BT64")
    first, *rest = sizes.decode_block(data[: sizes.block_size]).intervals.items()
    assert first[0] == AT % 86400 // 900
    for slot, interval in (first, *rest):
        end = AT - AT % 86400 + (slot + 1) * 900
        assert interval.values[:2] == tuple(kept.house.registers_at(end)[0][:2])
        assert interval.values[2:] == tuple(kept.house.at(end - 1).present[source] for source in (15, 16, 17))


def _control(data, data_sets):
    at = 0
    for one in data_sets:
        yield data[at + 1 : at + 3 * len(one.sources) : 3]
        at += 3 * len(one.sources) + 1


MARCH = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) - 3600
"""Local midnight."""


@pytest.mark.parametrize(
    ("happenings", "days"),
    [
        ((), [(3, 1), (4, 1)]),
        ((PowerCut(MARCH - 60, 120),), [(4, 1)]),
        ((ClockSet(MARCH - 60, 120),), [(4, 1)]),
        ((ClockSet(MARCH + 60, -120),), [(3, 1), (3, 1), (4, 1)]),
    ],
)
def test_self_reads_follow_the_meters_clock(happenings, days):
    data = Kept(*happenings).read("BT26")
    size = (len(data) - 6) // SELF_READS
    entries = [data[6 + place * size : 6 + (place + 1) * size] for place in range(data[1])]
    assert [(entry[1], entry[2]) for entry in entries] == days


# -- the meter at its ports --------------------------------------------------------------------------

KEY = MeterKey.parse(DEMO_KEY_TEXT)


class Wall:
    """UTC that goes on with the virtual clock."""

    def __init__(self, loop_time):
        self._loop_time, self._begin = loop_time, None

    def __call__(self):
        now = self._loop_time()
        self._begin = now if self._begin is None else self._begin
        return NOW + now - self._begin


async def test_without_power_the_meter_does_not_answer(virtual_clock):
    async with SimulatedMeter(house(PowerCut(NOW + 60, 90)), clock=Wall(virtual_clock)) as meter:
        url = await meter.serve_tcp()
        async with open_meter(url, key=KEY, read_budget=None) as client:
            before = await client.registers()
            await _until(meter, NOW + 70)
            with pytest.raises(ResponseTimeout):
                await client.registers()
            await _until(meter, NOW + 150)
            after = await client.registers()
    counts = {source.key: (before[source], value) for source, value in after.items()}
    assert counts["outage_count"][1] == counts["outage_count"][0] + 1
    assert counts["outage_duration"][1] == counts["outage_duration"][0] + 90


async def test_a_session_at_the_optical_port_ends_with_the_power(virtual_clock):
    async with SimulatedMeter(house(PowerCut(NOW + 3, 1)), clock=Wall(virtual_clock), shared_uart=False) as meter:
        url = await meter.serve_optical_tcp()
        async with open_meter(url, key=OpticalKey.parse(DEMO_KEY_TEXT), read_budget=None) as client:
            await client.clock()
            assert meter.in_session
            await _until(meter, NOW + 4.5)  # sooner than a session ends by itself
            meter.read("BT01")
            assert not meter.in_session
            await client.clock()


async def _until(meter, moment):
    await asyncio.sleep(moment - meter._now())


async def test_a_reconfiguration_is_told_as_real_meters_do(virtual_clock):
    async with (
        SimulatedMeter(house(), clock=Wall(virtual_clock)) as meter,
        open_meter(await meter.serve_tcp(), key=KEY, read_budget=None) as client,
    ):
        await client.registers()
        sequence = meter._server.sequence
        meter.happen(Reconfigured(NOW + 30))
        version = meter.read("ET04")[116]
        await _until(meter, NOW + 31)
        assert meter.read("ET04")[116] == version + 1
        assert meter._server.sequence == sequence + 25
        assert (await client.read("BT61"))[7] == OTHER_DATA_SETS[0].blocks


async def test_another_firmware_brings_its_tables(virtual_clock):
    """Meters before 3.70 have 41 present values, later ones 55 (MEP guide v1.1 p. 218-219)."""
    one = House(
        ledger=Ledger(Household(1), INSTALLED),
        history=History([FirmwareChanged(NOW + 60, (3, 82, 5))], firmware=(3, 50, 5)),
    )
    async with (
        SimulatedMeter(one, mak=KEY, clock=Wall(virtual_clock)) as meter,
        open_meter(
            await meter.serve_tcp(), key=KEY, read_budget=None, allow_writes=AllowWrites(tables=("ET50",))
        ) as client,
    ):
        assert len(await client.present()) == 41
        version, sequence = meter.read("ET04")[116], meter._server.sequence
        await client.write("ET50", b"\x07", 3)
        await _until(meter, NOW + 61)
        assert len(await client.present()) == 55
        assert (await client.identity()).firmware == "3.82.05"
        assert meter.read("ET04")[116] == version + 1
        assert meter._server.sequence >= sequence + 25
        assert len(meter.read("ET04")) == 129
        assert meter.read("ET50")[3] == 7, "what was written stays"


async def test_what_lies_in_the_past_is_refused_while_the_meter_runs(virtual_clock):
    async with SimulatedMeter(house(), clock=Wall(virtual_clock)) as meter:
        with pytest.raises(MisuseError, match="lies in the past"):
            meter.happen(CoverOpened(NOW - 1))
        meter.happen(CoverOpened(NOW))
        assert meter.read("BT03")[2] & 0x10


def test_to_an_image_nothing_happens():
    meter = SimulatedMeter(MeterImage({23: bytearray(220)}), clock=lambda: NOW)
    with pytest.raises(MisuseError, match="no house"):
        meter.happen(CoverOpened(NOW))
