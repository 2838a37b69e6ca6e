"""The poller with a scripted meter, on a clock that jumps."""

import asyncio
import itertools
import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from mbus_house import gas

from nes2mqtt.meters.guard import Guard, Memory
from nes2mqtt.meters.poller import Cadence, Poller
from nes2mqtt.readings.hub import Hub, OutputStatus
from nes2mqtt.readings.reading import DevicesRead, MeterInfo, MeterState, MeterStatus, Sample, TableGroup
from osgp.errors import (
    CorruptFrame,
    KeyRejected,
    MeterRefused,
    PortMissing,
    PortPermission,
    ResponseTimeout,
    TableError,
    TransportError,
)
from osgp.mbus.telegram import Status
from osgp.meter import Ratings
from osgp.ports.tap.health import ModuleHealth
from osgp.sources import SOURCES
from osgp.tables.mbus.devices import MbusDevice, with_reads
from osgp.tables.mbus.reading import decode_read

pytestmark = pytest.mark.virtual_clock

IMPORT = SOURCES["active_energy_import"]
EXPORT = SOURCES["active_energy_export"]
POWER = SOURCES["active_power_import"]
SILENCE = ResponseTimeout("no reply from the meter")
REFUSED = KeyRejected("the meter refuses the key")


class Listener:
    """An output that keeps what it gets."""

    name = "listener"

    def __init__(self):
        self.events = []

    def offer(self, event):
        self.events.append(event)

    async def run(self):
        await asyncio.Event().wait()

    def status(self):
        return OutputStatus(self.name, ok=True, message="")

    @property
    def states(self):
        states = [event.state for event in self.events if isinstance(event, MeterStatus)]
        return [state for index, state in enumerate(states) if index == 0 or state is not states[index - 1]]

    def samples(self, group):
        return [event for event in self.events if isinstance(event, Sample) and event.group is group]

    @property
    def last_status(self):
        return [event for event in self.events if isinstance(event, MeterStatus)][-1]


@pytest.fixture
def house(fake_meter, loop_clocks):
    """Run a poller on the fake meter; gives the listener and a way to let time pass."""
    listener = Listener()

    @asynccontextmanager
    async def run(memory=None, clocks=None, **options):
        hub = listener.hub = Hub({}, clocks or loop_clocks())  # type: ignore[attr-defined]
        hub.add(listener)
        guard = Guard("house", memory=memory)
        poller = Poller(
            MeterInfo("house", name="House"),
            "serial:///dev/ttyUSB0",
            fake_meter.open,
            guard,
            hub,
            options.pop("cadence", Cadence()),
            **options,
        )
        task = asyncio.create_task(poller.run())
        try:
            yield listener
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return run


@pytest.fixture
def memory(wall_clock):
    def remember(**more):
        received = wall_clock() - timedelta(minutes=5)
        return Memory(
            **{"segment": 1, "segment_start": None, "received": received, "values": {IMPORT: 65_845_000}} | more
        )

    return remember


async def test_identity_first_then_values_on_schedule(house, fake_meter):
    async with house() as listener:
        await asyncio.sleep(60.5)
    asked = [what for _, what in fake_meter.log]
    assert asked[:4] == ["open", "identity", "dimensions", "ratings"]
    assert len(fake_meter.times("ratings")) == 1
    assert 29 <= len(fake_meter.times("present")) <= 32
    assert 6 <= len(fake_meter.times("registers")) <= 8
    assert len(fake_meter.times("clock")) == 1
    assert listener.states == [MeterState.STARTING, MeterState.ONLINE]
    assert listener.last_status.info == MeterInfo("house", "87654321", "NES", "83332-3I", "3.10.21", "House")


async def test_nothing_is_published_before_the_meter_answered(house, fake_meter):
    fake_meter.trouble = SILENCE
    async with house() as listener:
        await asyncio.sleep(120)
    assert not [event for event in listener.events if isinstance(event, Sample)]


async def test_registers_need_a_second_read_only_when_nothing_is_remembered(house, fake_meter, memory):
    async with house() as listener:
        await asyncio.sleep(5)
        assert len(listener.samples(TableGroup.REGISTERS)) == 1
        first, second = fake_meter.times("registers")[:2]
        assert second - first < 2
    listener.events.clear()
    async with house(memory()) as listener:
        await asyncio.sleep(0.9)
        assert [sample.values[IMPORT] for sample in listener.samples(TableGroup.REGISTERS)] == [65_845_342]


async def test_silence_is_said_once_and_the_return_once(house, fake_meter, memory, caplog):
    caplog.set_level(logging.INFO)
    async with house(memory()) as listener:
        await asyncio.sleep(20)
        fake_meter.trouble = SILENCE
        await asyncio.sleep(6)
        assert listener.states[-1] is MeterState.SILENT, "within three present-value periods"
        assert listener.last_status.message == str(SILENCE)
        await asyncio.sleep(3600)
        fake_meter.trouble = None
        await asyncio.sleep(6)
        assert listener.states == [MeterState.STARTING, MeterState.ONLINE, MeterState.SILENT, MeterState.ONLINE]
    assert len(caplog.records) == 3
    assert "online again after 1:0" in caplog.records[2].message


async def test_silence_behind_a_slow_bridge_is_told_within_three_periods(house, fake_meter, memory):
    async with house(memory()) as listener:
        await asyncio.sleep(20)
        fake_meter.trouble, fake_meter.seconds_per_read = SILENCE, 3.1  # three tries of a second each
        await asyncio.sleep(6)
        assert listener.states[-1] is MeterState.SILENT


async def test_after_a_silence_the_identity_is_read_before_anything_is_published(house, fake_meter, memory):
    async with house(memory(serial="87654321")) as listener:
        await asyncio.sleep(20)
        fake_meter.trouble = SILENCE
        await asyncio.sleep(60)
        listener.events.clear()
        fake_meter.trouble = None
        fake_meter.identity_now = replace(fake_meter.identity_now, serial="11111111")
        fake_meter.register_values = {IMPORT: 12}
        await asyncio.sleep(20)
    new = listener.samples(TableGroup.REGISTERS)
    assert {sample.segment for sample in new} == {2}
    assert all(sample.segment_start is not None for sample in new)
    assert {sample.values[IMPORT] for sample in new} == {12}


async def test_a_swap_too_quick_to_be_a_silence_publishes_nothing_of_the_new_meter_as_the_old_one(
    house, fake_meter, memory
):
    async with house(memory(serial="87654321")) as listener:
        await asyncio.sleep(20)
        fake_meter.identity_now = replace(fake_meter.identity_now, serial="11111111")
        fake_meter.register_values = {IMPORT: 12, EXPORT: 190}  # export looks like the old meter's 179, counted on
        await asyncio.sleep(30)
    seen = [(sample.segment, sample.values.get(EXPORT)) for sample in listener.samples(TableGroup.REGISTERS)]
    assert (1, 190) not in seen
    assert seen[-1] == (2, 190)


async def test_outputs_know_a_swapped_meter_before_they_get_its_values(house, fake_meter, memory):
    async def refuse():
        raise MeterRefused("the meter refused to read BT52", 5)

    fake_meter.clock = refuse  # else reading the clock would tell it in passing
    async with house(memory(serial="87654321")) as listener:
        await asyncio.sleep(20)
        fake_meter.identity_now = replace(fake_meter.identity_now, serial="11111111")
        fake_meter.register_values = {IMPORT: 12, EXPORT: 190}
        await asyncio.sleep(30)
    told = next(i for i, e in enumerate(listener.events) if isinstance(e, MeterStatus) and e.info.serial == "11111111")
    first = next(i for i, e in enumerate(listener.events) if isinstance(e, Sample) and e.segment == 2)
    assert told < first


async def test_one_lost_reply_changes_nothing(house, fake_meter, memory):
    async with house(memory()) as listener:
        await asyncio.sleep(20)
        fake_meter.once = [CorruptFrame("noise")]
        await asyncio.sleep(20)
        fake_meter.once = [SILENCE]
        await asyncio.sleep(20)
        assert listener.states == [MeterState.STARTING, MeterState.ONLINE]


async def test_a_wrong_key_is_said_once_and_retried_slowly(house, fake_meter, caplog):
    fake_meter.trouble = REFUSED
    async with house() as listener:
        await asyncio.sleep(24 * 3600)
        assert listener.states == [MeterState.STARTING, MeterState.KEY_REFUSED]
        opened = fake_meter.times("open")
        fake_meter.trouble = None
        await asyncio.sleep(3601)
        assert listener.states[-1] is MeterState.ONLINE
    waits = [later - earlier for earlier, later in itertools.pairwise(opened)]
    assert waits[0] == pytest.approx(60, abs=3)
    assert max(waits) == pytest.approx(3600, abs=10)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_a_key_that_was_right_before_is_tried_each_minute(house, fake_meter, memory):
    async with house(memory()) as listener:
        await asyncio.sleep(20)
        fake_meter.trouble = REFUSED
        await asyncio.sleep(6 * 3600)
        assert listener.states[-1] is MeterState.KEY_REFUSED
        fake_meter.trouble = None
        await asyncio.sleep(100)
        assert listener.states[-1] is MeterState.ONLINE


async def test_one_refusal_of_the_key_is_taken_for_noise(house, fake_meter, memory):
    async with house(memory()) as listener:
        await asyncio.sleep(20)
        fake_meter.once = [REFUSED]
        await asyncio.sleep(20)
        assert listener.states == [MeterState.STARTING, MeterState.ONLINE]


async def test_a_lost_port_is_opened_again_for_ever(house, fake_meter, memory, caplog):
    caplog.set_level(logging.INFO)
    async with house(memory()) as listener:
        await asyncio.sleep(20)
        fake_meter.trouble = TransportError("the port is gone: plug it in again")
        fake_meter.opening_trouble = PortMissing("there is no such port: plug it in")
        await asyncio.sleep(3600)
        assert listener.states[-1] is MeterState.PORT_GONE
        assert len(fake_meter.times("open")) > 300
        fake_meter.trouble = fake_meter.opening_trouble = None
        await asyncio.sleep(13)
        assert listener.states[-1] is MeterState.ONLINE
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "INFO"]


async def test_nothing_is_told_of_a_module_that_cannot_be_opened_again(house, fake_meter, memory):
    fake_meter.health = ModuleHealth(uptime=60, firmware="1.0")
    async with house(memory()) as listener:
        await asyncio.sleep(20)
        assert listener.last_status.module == fake_meter.health
        # A refused table ends the session while the module is there; only then the module goes.
        fake_meter.once = [MeterRefused("the meter refused to read BT28", 5)]
        fake_meter.opening_trouble = PortMissing("nobody listens at the module: look whether it has power")
        await asyncio.sleep(20)
        assert listener.last_status.state is MeterState.PORT_GONE
        assert listener.last_status.module is None


async def test_a_port_is_opened_again_by_its_identity(house, fake_meter, memory):
    async with house(memory()):
        await asyncio.sleep(20)
        fake_meter.once = [TransportError("gone")]
        await asyncio.sleep(20)
    assert fake_meter.asked_for == ["serial:///dev/ttyUSB0", fake_meter.url]


async def test_a_missing_permission_passes_its_advice_on(house, fake_meter, caplog):
    fake_meter.opening_trouble = PortPermission("pi may not open it; type: sudo usermod -aG dialout pi")
    async with house() as listener:
        await asyncio.sleep(60)
        assert listener.last_status.state is MeterState.PORT_GONE
        assert "usermod -aG dialout pi" in listener.last_status.message
    assert "usermod -aG dialout pi" in caplog.text


async def test_a_refused_table_leaves_the_others_alone(house, fake_meter, memory, caplog):
    async def refuse():
        raise MeterRefused("the meter refused to read BT28", 5)

    fake_meter.present = refuse
    async with house(memory()) as listener:
        await asyncio.sleep(3600)
        assert len(listener.samples(TableGroup.REGISTERS)) > 300
        assert listener.states == [MeterState.STARTING, MeterState.ONLINE]
    assert sum("BT28" in record.message for record in caplog.records) == 1


async def test_a_mistake_of_ours_does_not_end_the_reading(house, fake_meter, memory, caplog):
    async with house(memory()) as listener:
        await asyncio.sleep(20)
        fake_meter.once = [ZeroDivisionError()]
        await asyncio.sleep(20)
        assert listener.states[-2:] == [MeterState.SILENT, MeterState.ONLINE]
    assert "ZeroDivisionError" in caplog.text


async def test_a_fall_asks_who_the_meter_is_once(house, fake_meter, memory):
    async with house(memory()) as listener:
        await asyncio.sleep(20)
        fake_meter.register_values = {IMPORT: 0}
        before = len(fake_meter.times("identity"))
        await asyncio.sleep(600)
        assert len(fake_meter.times("identity")) == before + 1
        assert listener.last_status.link.rejected >= 50
    assert {sample.values[IMPORT] for sample in listener.samples(TableGroup.REGISTERS)} == {65_845_342}


async def test_meter_time_is_the_meters_clock_and_drift_is_told(house, fake_meter, memory):
    fake_meter.clock_error = timedelta(seconds=-90)
    async with house(memory()) as listener:
        await asyncio.sleep(3600)
    for sample in listener.samples(TableGroup.PRESENT):
        assert abs(sample.received - sample.meter_time - timedelta(seconds=90)) <= timedelta(seconds=2)
        assert sample.meter_time.microsecond == 0
    assert listener.last_status.clock_ahead == pytest.approx(-90, abs=1)


async def test_meter_time_is_unknown_when_the_clock_stops_answering(house, fake_meter, memory):
    async with house(memory(), cadence=Cadence(clock=60.0)) as listener:
        await asyncio.sleep(30)

        async def refuse():
            raise MeterRefused("the meter refused to read BT52", 5)

        fake_meter.clock = refuse
        await asyncio.sleep(400)
        assert listener.samples(TableGroup.PRESENT)[-1].meter_time is None


async def test_link_counts_only_grow_over_reconnects(house, fake_meter, memory):
    async with house(memory()) as listener:
        for _ in range(3):
            await asyncio.sleep(200)
            fake_meter.once = [TransportError("gone")]
    counts = [event.link.requests for event in listener.events if isinstance(event, MeterStatus)]
    assert counts == sorted(counts)
    assert counts[-1] > 350


async def test_thousands_of_meters_start_and_read_apart(fake_meter, loop_clocks):
    hub = Hub({}, loop_clocks())
    count = 200
    tasks = [
        asyncio.create_task(
            Poller(
                MeterInfo(f"m{index}"),
                f"tcp://127.0.0.1:{index + 1}",
                fake_meter.open,
                Guard(f"m{index}"),
                hub,
                Cadence(present=10.0),
                spread=index / count,
                start_after=10.0 * index / count,
            ).run()
        )
        for index in range(count)
    ]
    await asyncio.sleep(60)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    busiest = max(sum(second <= at < second + 1 for at in fake_meter.times("registers")) for second in range(20, 60))
    assert busiest <= count / 10 * 1.5


def swap(fake_meter, serial="11111111", import_wh=91_156_142):
    """Put another meter in place, without a silence."""
    fake_meter.notices_swaps = True
    fake_meter.identity_now = replace(fake_meter.identity_now, serial=serial)
    fake_meter.register_values = {IMPORT: import_wh, EXPORT: 190}
    fake_meter.present_values = {POWER: 777}


async def test_m3_a_swap_to_a_higher_register_without_a_silence_is_a_swap(house, fake_meter, memory, caplog):
    async with house(memory(serial="87654321")) as listener:
        await asyncio.sleep(20)
        fake_meter.identity_now = replace(fake_meter.identity_now, serial="11111111")
        fake_meter.register_values = {IMPORT: 91_156_142, EXPORT: 190}
        await asyncio.sleep(30)
    samples = listener.samples(TableGroup.REGISTERS)
    assert {(sample.segment, sample.values[IMPORT]) for sample in samples} == {(1, 65_845_342), (2, 91_156_142)}
    assert (1, 190) not in {(sample.segment, sample.values.get(EXPORT)) for sample in samples}
    assert "87654321 became 11111111" in caplog.text
    assert "believed" not in caplog.text


async def test_m5_no_value_of_a_new_meter_goes_out_with_the_name_of_the_old_one(house, fake_meter, memory):
    async with house(memory(serial="87654321")) as listener:
        for _ in range(20):
            await asyncio.sleep(9.37)
            listener.events.clear()
            swap(fake_meter, serial=str(int(fake_meter.identity_now.serial) + 1))
            await asyncio.sleep(5)
            told = next(
                index
                for index, event in enumerate(listener.events)
                if isinstance(event, MeterStatus) and event.info.serial == fake_meter.identity_now.serial
            )
            assert not [event for event in listener.events[:told] if isinstance(event, Sample)]
            fake_meter.present_values = {POWER: 1514}


async def test_m5_the_hub_forgets_the_values_of_the_old_meter(house, fake_meter, memory):
    async with house(memory(serial="87654321")) as listener:
        hub = listener.hub
        await asyncio.sleep(20)
        swap(fake_meter)
        for _ in range(100):
            await asyncio.sleep(0.1)
            latest = hub.latest["house"]
            power = latest.samples[TableGroup.PRESENT].values[POWER] if TableGroup.PRESENT in latest.samples else None
            assert power in {None, 1514 if latest.status.info.serial == "87654321" else 777}
            if TableGroup.REGISTERS in latest.samples and latest.status.info.serial == "11111111":
                assert latest.samples[TableGroup.REGISTERS].segment == 2


NEVER = CorruptFrame("what arrives is damaged: check the cable and the baud rate")


@pytest.mark.parametrize("error", [NEVER, KeyRejected("the key is refused"), SILENCE])
async def test_m6_a_meter_that_never_gives_present_values_says_so_and_stays_online(
    house, fake_meter, memory, caplog, error
):
    async def never():
        await asyncio.sleep(0.5)
        raise error

    fake_meter.present = never
    async with house(memory()) as listener:
        await asyncio.sleep(2 * 3600)
        assert listener.states == [MeterState.STARTING, MeterState.ONLINE]
        assert listener.last_status.code == "no_values"
        assert "the meter answers, but not when asked for the present values (BT28)" in listener.last_status.message
        assert len(listener.samples(TableGroup.REGISTERS)) > 500
        del fake_meter.present
        await asyncio.sleep(65)
        assert listener.last_status.message == ""
    assert len(caplog.records) == 1, caplog.text


async def test_m6_a_meter_that_says_who_it_is_and_nothing_else_has_a_state_of_its_own(house, fake_meter, caplog):
    async def never():
        await asyncio.sleep(0.5)
        raise NEVER

    fake_meter.present = fake_meter.registers = never
    async with house() as listener:
        await asyncio.sleep(2 * 3600)
        assert listener.states == [MeterState.STARTING, MeterState.NO_VALUES]
        assert listener.last_status.info.serial == "87654321"
        assert listener.last_status.code == "no_values"
        fake_meter.trouble = SILENCE
        await asyncio.sleep(700)
        assert listener.states[-1] is MeterState.SILENT
        fake_meter.trouble = None
        del fake_meter.present, fake_meter.registers
        await asyncio.sleep(70)
        assert listener.states[-1] is MeterState.ONLINE
        assert listener.last_status.message == ""


async def test_m6_values_that_cannot_be_are_told(house, fake_meter, memory, caplog):
    fake_meter.present_values = {POWER: -0x8000_0000}
    async with house(memory()) as listener:
        await asyncio.sleep(3600)
        assert not listener.samples(TableGroup.PRESENT)
        assert listener.last_status.state is MeterState.ONLINE
        assert "none of its present values (BT28) can be" in listener.last_status.message
        fake_meter.present_values = {POWER: 1514}
        await asyncio.sleep(5)
        assert listener.last_status.message == ""
    assert len(caplog.records) == 2, caplog.text


async def test_a_clock_that_is_never_answered_costs_the_values_nothing(house, fake_meter, memory):
    async def never():
        await asyncio.sleep(0.5)
        raise NEVER

    fake_meter.clock = never
    async with house(memory()) as listener:
        await asyncio.sleep(3600)
        assert listener.states == [MeterState.STARTING, MeterState.ONLINE]
        assert len(listener.samples(TableGroup.REGISTERS)) > 250


async def test_n1_a_refused_table_is_asked_again_once_in_a_fresh_session(house, fake_meter, memory):
    async with house(memory()) as listener:
        await asyncio.sleep(20)
        fake_meter.once = [MeterRefused("the meter refused while logging on: it keeps losing the session", 10)]
        before, opened = fake_meter.log[-1][0], len(fake_meter.times("open"))
        await asyncio.sleep(60)
        assert len(fake_meter.times("open")) == opened + 1
        reads = [at for at in fake_meter.times("registers") if at > before]
        assert reads[0] - before < 30
        assert listener.states == [MeterState.STARTING, MeterState.ONLINE]
        assert listener.last_status.message == ""


@pytest.mark.parametrize(("table", "name"), [("registers", "registers (BT23)"), ("present", "present values (BT28)")])
async def test_n1_the_state_says_when_a_table_is_not_read(house, fake_meter, memory, table, name, caplog):
    async def refuse():
        raise MeterRefused("it has no such table", 4)

    async with house(memory()) as listener:
        await asyncio.sleep(20)
        setattr(fake_meter, table, refuse)
        await asyncio.sleep(30)
        assert listener.last_status.state is MeterState.ONLINE
        assert listener.last_status.code == "table_refused"
        assert f"the {name} cannot be read: it has no such table" in listener.last_status.message
        delattr(fake_meter, table)
        await asyncio.sleep(601)
        assert (listener.last_status.code, listener.last_status.message) == ("", "")
    assert len(caplog.records) == 1, caplog.text


async def test_a_meter_that_refuses_all_its_values_is_not_online(house, fake_meter, memory):
    async def refuse():
        raise MeterRefused("the key may not read it", 3)

    fake_meter.present = fake_meter.registers = refuse
    async with house(memory()) as listener:
        await asyncio.sleep(3600)
        assert listener.states == [MeterState.STARTING, MeterState.NO_VALUES]


async def test_t3_the_meters_clock_is_read_before_anything_else(house, fake_meter, memory):
    async with house(memory()):
        await asyncio.sleep(2)
    asked = [what for _, what in fake_meter.log]
    assert asked[:5] == ["open", "identity", "dimensions", "ratings", "clock"]


async def test_t5_a_meter_that_dies_stays_the_witness_of_the_time(house, fake_meter, memory, wall_clock, loop_clocks):
    async with house(
        memory(), clocks=loop_clocks(lambda: wall_clock() + timedelta(hours=2), synchronised=False)
    ) as one:
        await asyncio.sleep(20)
        assert abs(one.hub.clock.now() - wall_clock()) < timedelta(seconds=1)
        fake_meter.trouble = SILENCE
        await asyncio.sleep(3600)
        assert abs(one.hub.clock.now() - wall_clock()) < timedelta(seconds=1)
        assert one.hub.clock.trouble.code == "clock_ahead"


async def test_a_swap_with_a_wrong_host_is_labelled_by_the_clock_of_the_meter_that_was_there(
    house, fake_meter, memory, wall_clock, loop_clocks
):
    """One meter, a host three days behind; the new meter's clock is not read for a while."""
    wrong = loop_clocks(lambda: wall_clock() - timedelta(days=3), synchronised=False)
    async with house(memory(serial="87654321"), clocks=wrong) as listener:
        await asyncio.sleep(20)
        swap(fake_meter)
        swapped = wall_clock()

        async def no_answer():
            raise TableError("no")

        fake_meter.clock = no_answer
        await asyncio.sleep(60)
        late = [sample for sample in listener.samples(TableGroup.REGISTERS) if sample.segment == 2]
        assert late
        assert all(abs(sample.segment_start - swapped) < timedelta(seconds=30) for sample in late)
        registers = listener.samples(TableGroup.REGISTERS)
        assert all(abs(sample.received - swapped) < timedelta(seconds=70) for sample in registers)
        assert {sample.segment_start for sample in late} == {late[0].segment_start}


async def test_a_message_has_its_code_and_what_it_is_made_of(house, fake_meter):
    fake_meter.opening_trouble = PortMissing("there is no such port: plug it in")
    async with house() as listener:
        await asyncio.sleep(20)
        assert listener.last_status.code == "port_missing"
        assert listener.last_status.params == {"port": "serial:///dev/ttyUSB0"}
        fake_meter.opening_trouble, fake_meter.trouble = None, ZeroDivisionError()
        await asyncio.sleep(20)
        assert (listener.last_status.code, listener.last_status.params) == ("mistake", {"kind": "ZeroDivisionError"})


async def test_m8_a_meter_that_cannot_be_read_so_often_is_told_once(house, fake_meter, memory, caplog):
    fake_meter.seconds_per_read = 4.0
    async with house(memory()):
        await asyncio.sleep(3600)
    slow = [record.message for record in caplog.records if "come every" in record.message]
    assert len(slow) == 1
    assert "the present values (BT28) come every 7.5 s" in slow[0]
    assert "not every 2 s" in slow[0]


async def test_a_meter_that_is_silent_now_and_then_is_no_slow_one(house, fake_meter, memory, caplog):
    async with house(memory()):
        for _ in range(30):
            await asyncio.sleep(100)
            fake_meter.trouble = SILENCE
            await asyncio.sleep(100)
            fake_meter.trouble = None
    assert not [record.message for record in caplog.records if "come every" in record.message]


async def test_m7_what_a_meter_is_made_for_is_asked_once_and_again_after_a_swap(house, fake_meter, memory):
    fake_meter.rated = Ratings(voltage=230, maximum_current=100)
    async with house(memory(serial="87654321")) as listener:
        await asyncio.sleep(20)
        fake_meter.present_values = {POWER: 150_000}
        await asyncio.sleep(10)
        assert listener.samples(TableGroup.PRESENT)[-1].values == {POWER: 150_000}
        for _ in range(3):
            fake_meter.once = [TransportError("gone")]
            await asyncio.sleep(20)
        assert len(fake_meter.times("ratings")) == 1
        fake_meter.rated = Ratings(voltage=230, maximum_current=100, ct_ratio=20)
        swap(fake_meter)
        await asyncio.sleep(20)
        assert len(fake_meter.times("ratings")) == 2
        fake_meter.present_values = {POWER: 1_500_000}
        await asyncio.sleep(10)
        assert listener.samples(TableGroup.PRESENT)[-1].values == {POWER: 1_500_000}


@pytest.mark.parametrize("error", [SILENCE, REFUSED, MeterRefused("no", 4), TableError("no")])
async def test_a_meter_that_does_not_say_what_it_is_made_for_is_read_all_the_same(house, fake_meter, memory, error):
    async def never():
        await asyncio.sleep(0.5)
        raise error

    fake_meter.ratings = never
    async with house(memory()) as listener:
        await asyncio.sleep(60)
        assert listener.states == [MeterState.STARTING, MeterState.ONLINE]
        assert len(listener.samples(TableGroup.PRESENT)) > 25


class TestDevices:
    """Gas, water and heat meters behind the meter: asked for slowly, and never a reason to do without the meter."""

    CADENCE = Cadence(devices=900.0)

    @staticmethod
    def device(one):
        known = MbusDevice(0, one.handle, True, 40, 9, 9, frozenset(), Status(0), None, None)
        return with_reads(known, [decode_read(one.read)])

    async def test_they_come_at_once_and_then_slowly(self, house, fake_meter):
        fake_meter.devices_now = (self.device(gas()),)
        async with house(cadence=self.CADENCE) as listener:
            await asyncio.sleep(2000)
        assert len(fake_meter.times("devices")) == 3
        read = [event for event in listener.events if isinstance(event, DevicesRead)]
        assert [[device.id for device in event.devices] for event in read] == [["osg_10000004"]] * 3
        assert listener.hub.latest["house"].devices is read[-1]
        assert read[1].instant - read[0].instant == pytest.approx(900, abs=2)

    async def test_nobody_asks_for_them_unless_told_to(self, house, fake_meter):
        async with house():
            await asyncio.sleep(2000)
        assert fake_meter.times("devices") == []

    async def test_a_meter_without_these_tables_is_online_and_asked_again_slowly(self, house, fake_meter, caplog):
        fake_meter.devices_now = MeterRefused("no such table", 4)
        async with house(cadence=self.CADENCE) as listener:
            await asyncio.sleep(2000)
        assert listener.states == [MeterState.STARTING, MeterState.ONLINE]
        assert listener.last_status.message == ""
        assert len(fake_meter.times("devices")) == 3
        assert len(fake_meter.times("open")) == 1
        assert not [event for event in listener.events if isinstance(event, DevicesRead)]
        assert not [record for record in caplog.records if record.levelno >= logging.WARNING]

    async def test_tables_that_cannot_be_cost_nothing_else(self, house, fake_meter):
        fake_meter.devices_now = TableError("ET14 cannot be")
        async with house(cadence=self.CADENCE) as listener:
            await asyncio.sleep(300)
        assert listener.states == [MeterState.STARTING, MeterState.ONLINE]
        assert len(listener.samples(TableGroup.PRESENT)) > 140

    async def test_those_of_another_meter_are_forgotten(self, house, fake_meter):
        fake_meter.devices_now = (self.device(gas()),)
        async with house(cadence=self.CADENCE) as listener:
            await asyncio.sleep(20)
            fake_meter.devices_now = MeterRefused("no such table", 4)
            swap(fake_meter)
            await asyncio.sleep(60)
            assert listener.hub.latest["house"].devices is None
