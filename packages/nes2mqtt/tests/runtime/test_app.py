"""The whole graph on a simulated meter over loopback: what arrives, what stays, how it ends."""

import asyncio
import os
import signal
import socket
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from nes2mqtt.config.settings import parse
from nes2mqtt.history.store import Store
from nes2mqtt.meters.guard import Guard
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import Sample, TableGroup
from nes2mqtt.runtime import gateway as app
from nes2mqtt.runtime.demo import free_port, run_demo
from nes2mqtt.timing.clock import Clock
from osgp.key import MeterKey
from osgp.mep.tls_server import TlsRule
from osgp.simulator import DEMO_KEY_TEXT, House, SimulatedMeter
from osgp.sources import SOURCES

IMPORT = SOURCES["active_energy_import"]


def config_for(tmp_path, url, more=""):
    text = f"""
data_dir = "{tmp_path}"
timezone = "Europe/Copenhagen"
[meters.house]
port = "{url}"
key = "{DEMO_KEY_TEXT}"
reads_per_second = 10
present_every = 0.5
registers_every = 0.5
{more}
"""
    return parse(text, tmp_path / "nes2mqtt.toml")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Let held registers be confirmed at once."""
    monkeypatch.setattr("nes2mqtt.meters.poller._CONFIRM_AFTER", 0.1)


@pytest.fixture
def registers(monkeypatch):
    """Return an event that is set when register samples went through the hub."""
    seen = asyncio.Event()

    class SeeingHub(Hub):
        def publish(self, event):
            super().publish(event)
            if isinstance(event, Sample) and event.group is TableGroup.REGISTERS:
                seen.set()

    monkeypatch.setattr(app, "Hub", SeeingHub)
    return seen


@asynccontextmanager
async def gateway(config):
    """Run the gateway; it must end by itself soon after it was asked to."""
    stop, started = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(app.run(config, stop=stop, started=started.set))
    await asyncio.wait([task, asyncio.create_task(started.wait())], return_when=asyncio.FIRST_COMPLETED)
    try:
        yield task
    finally:
        stop.set()
        async with asyncio.timeout(60):
            await task


async def kept(config):
    async with Store.open(config.data_dir / "history.db", config.history, config.timezone) as store:
        return await store.last_registers("house"), await store.last_identity("house")


async def test_registers_of_a_meter_arrive_in_the_history(tmp_path, registers, caplog):
    caplog.set_level("INFO")
    async with SimulatedMeter() as meter:
        config = config_for(tmp_path, await meter.serve_tcp())
        async with gateway(config):
            await asyncio.wait_for(registers.wait(), 60)
    sample, identity = await kept(config)
    assert sample.values[IMPORT] > 0
    assert sample.segment == 1
    assert identity.serial == "SIM0000001"
    assert "stopping" in caplog.text


async def test_after_a_restart_the_guard_remembers(tmp_path, registers, said):
    """A register that is lower than before the restart is not believed, though it was never seen by this process."""
    async with SimulatedMeter() as meter:
        config = config_for(tmp_path, await meter.serve_tcp())
        async with gateway(config):
            await asyncio.wait_for(registers.wait(), 60)
    before, _ = await kept(config)
    said.lines.clear()
    async with SimulatedMeter(clock=lambda: time.time() - 86400) as meter:  # its registers stand lower
        config = config_for(tmp_path, await meter.serve_tcp())
        async with gateway(config):
            await said("Not believed")
    after, _ = await kept(config)
    assert after.values[IMPORT] == before.values[IMPORT]


async def test_what_waits_for_the_time_of_day_explains_no_rise_after_a_restart(tmp_path, monkeypatch):
    """A host back at 1970, no meter's clock yet, and this program is started again: the label it left is a guess."""
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    config = config_for(tmp_path, "tcp://127.0.0.1:1")
    uptime = 1000.0
    shown = datetime(2027, 3, 10, tzinfo=UTC).timestamp()
    wall = uptime

    def clock():
        return Clock(wall=lambda: wall, monotonic=lambda: uptime, synchronised=lambda: False, built=shown - 86_400)

    def store(clocks):
        return Store.open(tmp_path / "history.db", config.history, config.timezone, clock=clocks)

    async with store(now := clock()) as before:
        guess = now.now()
        sample = Sample(
            "house", TableGroup.REGISTERS, guess, {IMPORT: 1000}, None, 2, guess, instant=uptime, segment_instant=900.0
        )
        before.offer(sample)
    uptime, wall = 1010.0, 1010.0
    async with store(now := clock()) as after:
        memory = await app._remembered(after, "house", now)
    assert (memory.known, memory.instant, memory.segment_instant) == (False, 1000.0, 900.0)
    wall = shown  # the host is set right before the first read
    guard = Guard("house", memory=memory)
    assert guard.registers({IMPORT: 900_000}, now.moment(), None).sample is None
    uptime, wall = uptime + 10, wall + 10
    later = guard.registers({IMPORT: 1001}, now.moment(), None).sample
    assert later.values == {IMPORT: 1001}
    assert later.segment_start == datetime.fromtimestamp(shown - 110, UTC)


async def test_another_serial_number_after_a_restart_is_another_meter(tmp_path, registers, caplog):
    caplog.set_level("INFO")
    for seed in (1, 2):
        async with SimulatedMeter(seed=seed) as meter:
            config = config_for(tmp_path, await meter.serve_tcp())
            registers.clear()
            async with gateway(config):
                await asyncio.wait_for(registers.wait(), 60)
    assert "the meter was replaced" in caplog.text
    sample, identity = await kept(config)
    assert sample.segment == 2
    assert identity.serial == "SIM0000002"


async def test_a_wrong_key_is_told_in_one_line(tmp_path, caplog, said):
    async with SimulatedMeter(mbk=MeterKey.parse("another-key-20-chars")) as meter:
        config = config_for(tmp_path, await meter.serve_tcp())
        async with gateway(config):
            await said("key refused")
    assert caplog.text.count("key refused") == 1


@pytest.mark.parametrize(
    ("rule", "level", "words"),
    [(TlsRule.OFFERED, "INFO", "talks TLS. From now on nothing less"), (TlsRule.ABSENT, "WARNING", "talks RC4 mode")],
)
async def test_the_log_tells_how_the_meter_is_talked_to(tmp_path, registers, caplog, rule, level, words):
    caplog.set_level("INFO")
    async with SimulatedMeter(tls=rule) as meter, gateway(config_for(tmp_path, await meter.serve_tcp())):
        await asyncio.wait_for(registers.wait(), 60)
    assert [record.levelname for record in caplog.records if f"meter house: {words}" in record.getMessage()] == [level]


async def test_tls_that_was_seen_is_not_left_after_a_restart(tmp_path, registers, said):
    async with SimulatedMeter(tls=TlsRule.OFFERED) as meter, gateway(config_for(tmp_path, await meter.serve_tcp())):
        await asyncio.wait_for(registers.wait(), 60)
    registers.clear()
    async with SimulatedMeter() as meter, gateway(config_for(tmp_path, await meter.serve_tcp())):
        await said("the meter spoke TLS before and refuses it now")
    assert not registers.is_set()
    assert meter.traffic.answered == 0


async def test_sigterm_ends_it_cleanly(tmp_path, caplog):
    caplog.set_level("INFO")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = config_for(tmp_path, f"tcp://127.0.0.1:{silent.getsockname()[1]}")
        started = asyncio.Event()
        task = asyncio.create_task(app.run(config, started=started.set))
        await started.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(60):
            await task
    assert "stopping" in caplog.text


async def test_an_output_that_breaks_stops_neither_the_others_nor_the_reading(tmp_path, registers, monkeypatch, caplog):
    caplog.set_level("INFO")

    async def broken(self):
        raise ZeroDivisionError

    monkeypatch.setattr("nes2mqtt.outputs.web.output.WebOutput.run", broken)
    async with SimulatedMeter() as meter:
        config = config_for(tmp_path, await meter.serve_tcp(), '[web]\nlisten = "127.0.0.1:0"')
        async with gateway(config):
            await asyncio.wait_for(registers.wait(), 60)
    assert caplog.text.count("output web stopped (ZeroDivisionError)") == 1
    sample, _ = await kept(config)
    assert sample.values[IMPORT] > 0


async def test_systemd_hears_of_the_start_and_the_end(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        hear = asyncio.get_running_loop().sock_recv
        async with gateway(config_for(tmp_path, "tcp://127.0.0.1:1")):
            heard = {(await hear(systemd, 200)).decode() for _ in range(3)}
        assert {"READY=1", "WATCHDOG=1"} < heard
        assert any(message.startswith("STATUS=0 of 1 meters online") for message in heard)
        assert systemd.recv(200) == b"STOPPING=1"


class TestDemo:
    async def test_it_says_where_to_look_and_reads_the_meter(self, tmp_path, said, monkeypatch):
        monkeypatch.setattr("nes2mqtt.runtime.demo.shutil.which", lambda *_, **__: None)
        shown, stop = [], asyncio.Event()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            task = asyncio.create_task(run_demo(port, tmp_path / "var", shown.append, stop=stop))
            await said("online")
            await said("page on")
            stop.set()
            await task
        text = "\n".join(shown)
        assert f"Port {port} is taken" in text
        assert "http://127.0.0.1:" in text
        assert "mosquitto is not installed" in text
        assert (tmp_path / "var" / "history.db").exists()

    async def test_the_house_that_is_given_is_the_meters(self, tmp_path, said, monkeypatch):
        monkeypatch.setattr("nes2mqtt.runtime.demo.shutil.which", lambda *_, **__: None)
        stop, houses = asyncio.Event(), []

        def simulated(source):
            houses.append(source)
            return SimulatedMeter(source)

        monkeypatch.setattr("nes2mqtt.runtime.demo.SimulatedMeter", simulated)
        house = House(7)
        task = asyncio.create_task(run_demo(18900, tmp_path / "var", lambda _: None, house=house, stop=stop))
        await said("page on")
        stop.set()
        await task
        assert houses == [house]

    def test_free_port_passes_over_taken_ones(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            assert free_port(port) > port

    async def test_it_has_a_broker_of_its_own(self, tmp_path, said):
        shown, stop = [], asyncio.Event()
        task = asyncio.create_task(run_demo(18800, tmp_path / "var", shown.append, stop=stop))
        connected = asyncio.create_task(said("connected to broker"))
        await asyncio.wait([task, connected], return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await task
        await connected
        (line,) = [line for line in shown if "mosquitto_sub" in line]
        assert "-h 127.0.0.1" in line
