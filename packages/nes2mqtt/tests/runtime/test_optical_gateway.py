"""The gateway reads the optical port as it reads the MEP port, and shows a refused key once."""

import asyncio
import errno
import gc
import logging
import re
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import serialx

from nes2mqtt.config.problems import ConfigError
from nes2mqtt.config.settings import log_secrets, parse
from nes2mqtt.meters.guard import Guard
from nes2mqtt.meters.line_security import LineSecurity
from nes2mqtt.meters.poller import Cadence, Poller
from nes2mqtt.readings.hub import Hub, OutputStatus
from nes2mqtt.readings.reading import MeterInfo, MeterState, MeterStatus, Sample, TableGroup
from nes2mqtt.runtime.gateway import _opener
from osgp.optical.key import OpticalKey
from osgp.optical.rights import Access
from osgp.ports.optical_port import REFUSED
from osgp.simulator import DEMO_KEY_TEXT, Faults, House, SimulatedMeter

compressed = pytest.mark.virtual_clock

RK = "read-only key, 20 b."
FILE = Path("nes2mqtt.toml")


def now():
    """Return the host's time."""
    return datetime.now(UTC)


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
        return [event.state for event in self.events if isinstance(event, MeterStatus)]

    def samples(self, group):
        return [event for event in self.events if isinstance(event, Sample) and event.group is group]


@pytest.fixture(autouse=True)
def _nothing_was_refused():
    REFUSED.clear()
    yield
    REFUSED.clear()


def settings_for(port, key, more=""):
    return parse(f'[meters.house]\nport = "{port}"\nkey = "{key}"\n{more}', FILE).meters["house"]


@pytest.fixture
def simulated(wall_clock):
    """Make simulated meters that live by the test's clock."""

    def make(baud=9600, house=None, **kwargs):
        keys = {Access.READ_ONLY: OpticalKey.parse(RK)}
        clock = kwargs.pop("clock", lambda: wall_clock().timestamp())
        return SimulatedMeter(house or House(1), optical_keys=keys, clock=clock, baud=baud, **kwargs)

    return make


@asynccontextmanager
async def gateway(settings, clock):
    """Poll a meter as configured."""
    listener, hub = Listener(), Hub({}, clock)
    hub.add(listener)
    poller = Poller(
        MeterInfo("house"),
        settings.port,
        _opener(settings, LineSecurity("house", settings.security, None)),
        Guard("house"),
        hub,
        Cadence(),
    )
    task = asyncio.create_task(poller.run())
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def read_for(seconds, settings, clock):
    async with gateway(settings, clock) as listener:
        await asyncio.sleep(seconds)
    return listener


@compressed
async def test_07_25_the_gateway_publishes_the_same_from_both_ports(simulated, wall_clock, loop_clocks):
    still = wall_clock().timestamp()
    async with simulated(shared_uart=False, clock=lambda: still) as meter:
        wire = settings_for(await meter.serve_tcp(), DEMO_KEY_TEXT)
        light = settings_for(await meter.serve_optical_tcp(), RK)
        by_wire, by_light = await asyncio.gather(read_for(60, wire, loop_clocks()), read_for(60, light, loop_clocks()))
    for group in (TableGroup.REGISTERS, TableGroup.PRESENT):
        ours, theirs = (
            {(sample.meter, tuple(sample.values.items())) for sample in each.samples(group)}
            for each in (by_light, by_wire)
        )
        assert ours == theirs
        assert len(ours) == 1
    last = [[event for event in each.events if isinstance(event, MeterStatus)][-1] for each in (by_wire, by_light)]
    assert last[0].info == last[1].info
    assert last[0].state == last[1].state == MeterState.ONLINE


@compressed
async def test_07_14_a_wrong_key_is_shown_once_and_the_gateway_waits_for_its_owner(simulated, loop_clocks, caplog):
    wrong = "not the meter's key!"
    async with simulated() as meter:
        sent = bytearray()
        feed = meter._window.feed
        meter._window.feed = lambda data: (sent.extend(data), feed(data))
        settings = settings_for(await meter.serve_optical_tcp(), wrong)
        async with gateway(settings, loop_clocks()) as listener:
            await asyncio.sleep(10)
            length = len(sent)
            await asyncio.sleep(24 * 3600)
            assert len(sent) == length, "nothing was sent any more"
            assert bytes(sent).count(b"\x51" + wrong.encode()) == 1
            assert listener.states[-1] is MeterState.KEY_REFUSED
            words = [event.message for event in listener.events if isinstance(event, MeterStatus)][-1]
            assert "letter of your grid company" in words
            assert words.endswith("Then start the gateway again")
        async with gateway(settings, loop_clocks()) as again:  # a fault of ours that starts the poller again
            await asyncio.sleep(3600)
            assert again.states[-1] is MeterState.KEY_REFUSED
        assert len(sent) == length
    assert wrong not in caplog.text
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


@compressed
async def test_07_22_the_default_schedule_keeps_to_one_table_a_second(simulated, loop_clocks):
    async with simulated() as meter:
        listener = await read_for(1200, settings_for(await meter.serve_optical_tcp(), RK), loop_clocks())
        answered = meter.traffic.answered
    # Behind each table stands the one byte that confirms how it is to be read; it belongs to that read.
    assert 0.5 * 1200 < answered / 2 <= 1200
    assert len(listener.samples(TableGroup.PRESENT)) == pytest.approx(600, abs=10)


class Auditor(Listener):
    """Judges each event when it comes and keeps none: counters never fall, and no gap without a state that says so."""

    def __init__(self, longest_gap):
        super().__init__()
        self.longest_gap = longest_gap
        self.judged, self.before, self.told, self.faults = 0, None, None, []

    def offer(self, event):
        if isinstance(event, MeterStatus):
            if event.state is not MeterState.ONLINE:
                self.told = event.since
        elif event.group is TableGroup.REGISTERS:
            if self.before is not None:
                self.judge(self.before, event)
            self.before = event
            self.judged += 1

    def judge(self, before, after):
        told = self.told is not None and before.received <= self.told <= after.received
        gap = (after.received - before.received).total_seconds()
        if gap > self.longest_gap and not told:
            self.faults.append(f"{gap} s without a word before {after.received}")
        if after.segment != 1:
            self.faults.append(f"another meter at {after.received}")
        self.faults += [
            f"{source.key} fell at {after.received}"
            for source, value in before.values.items()
            if "net" not in source.key and after.values.get(source, value) < value
        ]


def blocks_in_use(house):
    """Return how many blocks of memory Python has given out; counting them costs no time.

    Without those of the simulated house: the seconds that it keeps are some thousand whole numbers, which take a block each
    or none (Python has those up to 256 already), by the hour of the day.
    """
    house._household.day.cache_clear()
    house._household.cell.cache_clear()
    gc.collect()
    return sys.getallocatedblocks()


@pytest.mark.takes_long
@compressed
@pytest.mark.parametrize(
    ("hours", "cadence"), [(24, Cadence(60.0, 300.0)), (6, Cadence())], ids=["a day", "the default cadence"]
)
async def test_07_23_hours_of_faults(simulated, loop_clocks, hours, cadence):
    """Counters monotonic, memory flat, never more than two registers' periods without values or a state that says so.

    A whole day at the default cadence of 2 s and 10 s takes half a minute even in compressed time. So the day is read
    more slowly, and the default cadence gets six hours.
    """
    faults = Faults.parse(["noise=0.0005", "loss=0.01", "silence=40@7200"])
    house = House(1)
    async with simulated(0, house, faults=faults) as meter:
        settings = settings_for(await meter.serve_optical_tcp(), RK)
        auditor, hub = Auditor(2 * cadence.registers + 10), Hub({}, loop_clocks())
        hub.add(auditor)
        poller = Poller(
            MeterInfo("house"),
            settings.port,
            _opener(settings, LineSecurity("house", settings.security, None)),
            Guard("house"),
            hub,
            cadence,
        )
        task = asyncio.create_task(poller.run())
        await asyncio.sleep(hours * 1200)
        early, judged_early = blocks_in_use(house), auditor.judged
        await asyncio.sleep(hours * 2400)
        late = blocks_in_use(house)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert not auditor.faults
    assert auditor.judged > 0.85 * hours * 3600 / cadence.registers
    assert late - early < 5 * (auditor.judged - judged_early), "a sample of registers that is kept has more than 30"


async def test_07_21_a_probe_that_is_unplugged_comes_back_under_its_name(tmp_path):
    """By the real clock: bytes through a pseudo-terminal take real time."""
    probe = tmp_path / "usb-probe"
    keys = {Access.READ_ONLY: OpticalKey.parse(RK)}
    settings = settings_for(f"optical://{probe}", RK, "present_every = 1\nreads_per_second = 10")
    listener, hub = Listener(), Hub({})
    hub.add(listener)
    poller = Poller(
        MeterInfo("house"),
        settings.port,
        _opener(settings, LineSecurity("house", settings.security, None)),
        Guard("house"),
        hub,
        Cadence(1.0),
    )

    async def until(fulfilled):
        async with asyncio.timeout(60):
            while not fulfilled():  # noqa: ASYNC110 - the poller knows no events
                await asyncio.sleep(0.05)

    task = asyncio.create_task(poller.run())
    try:
        await until(lambda: MeterState.PORT_GONE in listener.states)
        for _ in range(2):
            async with SimulatedMeter(House(1), optical_keys=keys, baud=0) as meter:
                meter.serve_optical_pty(str(probe))
                listener.events.clear()
                await until(lambda: listener.samples(TableGroup.PRESENT))
            await until(lambda: listener.states[-1] is MeterState.PORT_GONE)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@compressed
@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "may not open {port}"),
        (OSError(errno.EBUSY, "Device or resource busy"), "another program uses {port}. Find it with: sudo fuser -v"),
    ],
    ids=["permission", "busy"],
)
async def test_07_21_a_probe_that_may_not_be_opened_is_named_and_read_within_ten_seconds_of_the_cure(
    simulated, loop_clocks, monkeypatch, tmp_path, trouble, words
):
    probe = tmp_path / "ttyUSB0"
    probe.touch()
    cured, opened = asyncio.Event(), []
    async with simulated(shared_uart=False) as meter:
        host, port = (await meter.serve_optical_tcp()).removeprefix("optical+tcp://").split(":")

        async def open_device(loop, factory, path, *_):
            opened.append(path)
            if not cured.is_set():
                raise trouble
            return await loop.create_connection(factory, host, int(port))

        monkeypatch.setattr(serialx, "create_serial_connection", open_device)
        async with gateway(settings_for(f"optical://{probe}", RK), loop_clocks()) as listener:
            await asyncio.sleep(3600)
            assert listener.states[-1] is MeterState.PORT_GONE
            told = [event.message for event in listener.events if isinstance(event, MeterStatus)][-1]
            assert words.format(port=probe) in told
            assert set(opened) == {str(probe)}
            assert len(opened) < 2000, "it is not hammered at"
            listener.events.clear()
            cured.set()
            await asyncio.sleep(10)
            assert listener.states[-1] is MeterState.ONLINE
            assert listener.samples(TableGroup.PRESENT)


class TestConfiguration:
    def test_keys_of_an_optical_port_may_be_short_and_keep_all_bytes(self):
        settings = settings_for("optical:///dev/ttyUSB0", RK)
        assert settings.meter_key.secret == RK.encode()
        assert settings.port == "optical:///dev/ttyUSB0"
        short = settings_for("optical+tcp://head:8888", "short", 'key_padding = "blanks"')
        assert short.meter_key.password(short.padding) == b"short".ljust(20)

    @pytest.mark.parametrize(
        ("port", "key", "more", "words"),
        [
            ("tcp://h:1", "short", "", "has 5 characters"),
            ("optical+tcp://h:1", "s" * 21, "", "21"),
            ("optical+tcp://h:1", RK, 'security = "tls"', "no encryption"),
            ("tcp://h:1", RK, 'key_padding = "blanks"', "optical port"),
            ("optical+tcp://h:1", RK, '[meters.house.power_cycle]\nkind = "dtr"', "needs a serial port"),
            ("optical:///dev/x?baud=300", RK, "", "9600"),
        ],
    )
    def test_what_does_not_fit_is_said(self, port, key, more, words):
        with pytest.raises(ConfigError, match=re.escape(words)):
            settings_for(port, key, more)

    async def test_07_20_the_log_hides_the_key_in_each_form(self, caplog):
        caplog.set_level(logging.DEBUG)
        config = parse(f'[meters.house]\nport = "optical:///dev/x"\nkey = "{RK}"', FILE)
        hidden = log_secrets(config)
        assert RK in hidden
        assert RK.encode().hex() in hidden
        assert RK not in repr(config)
