"""The whole program on MicroPython: a simulated meter at 9600 baud, a real broker, the page."""

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest
from micropythons import interpreter

from free_ports import free_port
from nesmodule_build.entities import ENTITIES, announced, entities_text
from osgp.sources import SOURCES

PAGE = ENTITIES.with_name("page.html")
KEY = "SIMULATED-METER-DEMO"
HEAP = {32: "100k", 64: "165k"}
"""What an ESP32 leaves with four sockets; an object of 64 bits takes half as much again, and a little more."""
HEAP_IN_PLACE = "70k"
"""What it leaves with a TLS connection, where the program stays in flash."""
PATIENCE = 120.0


def until(found, what):
    """Return what ``found`` gives as soon as that is something."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            result = found()
        except (OSError, ValueError, KeyError):
            result = None
        if result:
            return result
        time.sleep(0.2)
    pytest.fail(f"{what} did not come within {PATIENCE:.0f} s")


class Rig:
    """A simulated meter, a broker and a listener at it, each on a port of its own, and the program."""

    def __init__(self, folder, stack):
        self.folder, self.stack = folder, stack
        self.meter, self.broker, self.page = free_port(), free_port(), free_port()
        self.heard = folder / "heard"
        self.looks = []
        self.listeners = 0

    def start(self, *words, **more):
        process = subprocess.Popen([str(word) for word in words], **more)
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process

    def start_broker(self):
        """Start the broker, and a listener that writes what it hears into a file of its own: an earlier one comes back, too."""
        (self.folder / "mosquitto.conf").write_text(f"listener {self.broker} 127.0.0.1\nallow_anonymous true\n")
        broker = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        process = self.start(broker, "-c", self.folder / "mosquitto.conf", stderr=subprocess.DEVNULL)
        until(lambda: socket.create_connection(("127.0.0.1", self.broker), 1).close() or True, "the broker")
        self.listeners += 1
        self.heard = self.folder / f"heard-{self.listeners}"
        words = ("mosquitto_sub", "-h", "127.0.0.1", "-p", self.broker, "-t", "#", "-F", "%j")
        self.start(*words, stdout=self.stack.enter_context(self.heard.open("a")))
        return process

    def start_meter(self, *more):
        osgp = Path(sys.executable).with_name("osgp")
        port = f"tcp:127.0.0.1:{self.meter}"
        key_file = self.folder / "key"
        key_file.write_text(KEY)
        words = (osgp, "simulate", "--mep", port, "--baud", "9600", "--key-file", key_file, "--seed", "1", *more)
        process = self.start(*words, stdout=subprocess.DEVNULL)
        until(lambda: socket.create_connection(("127.0.0.1", self.meter), 1).close() or True, "the meter")
        return process

    def start_program(self, program, bits, **more):
        """Start the program from a folder of compiled modules, or from an image that stays outside of the heap."""
        settings = {
            "key": KEY, "name": "gw", "meter": "house", "line": f"127.0.0.1:{self.meter}",
            "mqtt": {"host": "127.0.0.1", "port": self.broker}, "http_host": "127.0.0.1", "http_port": self.page, **more,
        }  # fmt: skip
        (self.folder / "settings.json").write_text(json.dumps(settings))
        scripts, settings = Path(__file__).parent / "on_module", self.folder / "settings.json"
        env = {"MICROPYPATH": f"{program.name}:.frozen", "PATH": "/usr/bin:/bin"}
        if program.is_file():
            heap, started = HEAP_IN_PLACE, [scripts / "start_in_place.py", settings, program]
        else:
            heap, started = HEAP[bits], [scripts / "start.py", settings]
        return self.start(*interpreter(bits), "-X", f"heapsize={heap}", *started, env=env, cwd=program.parent)

    def start_browsers(self, count):
        """Let so many ask for page and values again and again, as long as the test runs; what they got is counted."""
        stopped = threading.Event()

        def look():
            while not stopped.wait(0.5):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{self.page}/", timeout=5) as answer:
                        whole = answer.read() == PAGE.read_bytes()
                    self.live()
                    self.looks.append(whole)
                except OSError:
                    pass

        for _ in range(count):
            thread = threading.Thread(target=look)
            thread.start()
            self.stack.callback(thread.join)
        self.stack.callback(stopped.set)

    def live(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.page}/api/live", timeout=60) as answer:
            return json.load(answer)

    def messages(self, topic):
        """Return the payloads heard on a topic, the newest last."""
        lines = self.heard.read_text().splitlines()
        return [one["payload"] for one in map(json.loads, lines) if one["topic"] == topic]


@pytest.fixture
def rig(tmp_path):
    with ExitStack() as stack:
        yield Rig(tmp_path, stack)


def test_the_texts_in_the_repository_are_those_of_the_gateway():
    assert ENTITIES.read_text() == entities_text(), "write them anew: python -m nesmodule_build --plan"


@pytest.mark.parametrize(("edition", "bits"), [("stock", 32), ("stock", 64), ("frozen", 32)])
def test_values_reach_two_browsers_and_home_assistant_with_the_ids_of_the_gateway(rig, built, in_place, edition, bits):
    rig.start_meter()
    broker = rig.start_broker()
    program = rig.start_program(built / "stock" if edition == "stock" else in_place, bits)
    rig.start_browsers(2)
    topic = "nes2mqtt/meters/house"
    present = json.loads(until(lambda: rig.messages(f"{topic}/present"), "a present value")[-1])
    registers = json.loads(until(lambda: rig.messages(f"{topic}/registers"), "a register")[-1])
    live = rig.live()
    assert live["link"]["state"] == "online"
    assert live["present"].keys() == present.keys()
    assert registers["active_energy_import"] > 0
    assert 220 < present["voltage_l1"] < 240
    assert present["net_power"] == present["active_power_import"] - present["active_power_export"]
    keys = [key for key in (*registers, *present) if key in SOURCES]
    _, (config, meter) = announced("gw", "house", "nes2mqtt", keys)
    mine = json.loads(until(lambda: rig.messages(config), "the announcement")[-1])
    assert mine["dev"]["ids"][0] == meter["dev"]["ids"][0]
    assert mine["avty"] == meter["avty"]
    assert mine["cmps"].keys() >= {"active_energy_import", "net_power", "meter_state", "voltage_l1"}
    for key, component in mine["cmps"].items():
        assert component == meter["cmps"][key]
    # A broker that goes away and comes back hears all of it again.
    broker.kill()
    broker.wait()
    rig.start_broker()
    until(lambda: rig.messages(f"{topic}/present"), "a value after the broker came back")
    assert program.poll() is None
    assert len(rig.looks) > 10
    assert all(rig.looks)


def test_a_line_with_faults_gives_true_values_or_none_and_a_lost_line_is_told(rig, built):
    meter = rig.start_meter("--fault", "reply-corrupt=0.1", "--fault", "loss=0.05")
    rig.start_program(built / "stock", 32, mqtt=None)
    live = until(lambda: rig.live() if rig.live()["registers"].get("active_energy_import") else None, "values")
    assert 220 < live["present"]["voltage_l1"] < 240
    meter.kill()
    gone = until(lambda: rig.live() if rig.live()["link"]["state"] != "online" else None, "word of the lost line")
    assert gone["link"]["message"]


def test_a_wrong_key_is_called_so(rig, built):
    rig.start_meter()
    rig.start_program(built / "stock", 32, mqtt=None, key="ABCDEFGHIJKLMNOPQRST")
    live = until(lambda: rig.live() if rig.live()["link"]["state"] == "key_refused" else None, "the refusal")
    assert "refuses the key" in live["link"]["message"]
    assert live["present"] == {}
    assert "ABCDEFGH" not in json.dumps(live)
