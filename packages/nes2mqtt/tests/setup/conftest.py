"""Fixtures of the tests of the first run: a simulated meter on a pseudo-terminal, a wizard, its page, a broker with users."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from free_ports import free_port
from nes2mqtt.setup.code import Code
from nes2mqtt.setup.draft import Seen
from nes2mqtt.setup.meter import Found
from nes2mqtt.setup.steps import StepName
from nes2mqtt.setup.web.app import build_setup_app
from nes2mqtt.setup.web.door import Door
from nes2mqtt.setup.wizard import Surroundings, Wizard
from nes2mqtt.setup.writing import Place, Saved
from nes2mqtt.timing.clock import Clock
from osgp.simulator import DEMO_KEY_TEXT, SimulatedMeter

PASSWORD = "correct horse battery"
BROKER_PASSWORD = "CANARY-broker-pass"
KEY = DEMO_KEY_TEXT
ANSWERS: dict[StepName, dict[str, str]] = {
    StepName.PASSWORD: {"password": PASSWORD, "again": PASSWORD, "reach": "home"},
    StepName.PORT: {"port": "tcp://127.0.0.1:1", "socket": "mep"},
    StepName.KEY: {"key": KEY},
    StepName.NAME: {"name": "Our house", "timezone": "Europe/Copenhagen"},
    StepName.MQTT: {"use": "none"},
}
BASE = "http://127.0.0.1:8099"


async def _a_meter(address: Any, *, either: bool) -> Found:
    del either
    return Found(address, answers=True)


async def _reads(*_: Any) -> Seen:
    return Seen("NES", "83332-3I", "12345678", 1028, 35_781_957)


async def _takes(_: Any) -> None:
    return None


async def _none_near() -> list[str]:
    return []


WORLD = Surroundings(
    ports=list,
    hinders=lambda _: None,
    find_meter=_a_meter,
    read_meter=_reads,
    near_brokers=_none_near,
    try_broker=_takes,
)
"""Where everything answers at once and is right."""


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the gateway's data in the test's folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "config").mkdir()
    return Place(tmp_path / "config" / "nes2mqtt.toml", "raspberrypi")


@pytest.fixture
def world() -> Surroundings:
    return WORLD


@pytest.fixture
def wizard(place: Place) -> Wizard:
    """Return one whose world answers at once."""
    return Wizard(place, 8099, WORLD)


@pytest.fixture
def answers() -> dict[StepName, dict[str, str]]:
    return {step: dict(given) for step, given in ANSWERS.items()}


@pytest_asyncio.fixture
async def meter():
    """Return a simulated meter that runs."""
    async with SimulatedMeter() as simulated:
        yield simulated


class MovingClock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def moving_clock() -> MovingClock:
    return MovingClock()


@dataclass
class SetupPage:
    """The application of a first run, and what it told when it was over."""

    wizard: Wizard
    code: Code
    app: Any
    saved: list[Saved] = field(default_factory=list)

    def browser(self, address: str = "192.168.1.7", base: str = BASE) -> httpx.AsyncClient:
        """Return a browser in the network that says where its requests come from."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 40000))
        return httpx.AsyncClient(transport=transport, base_url=base, headers={"origin": base})


@pytest.fixture
def setup_page(wizard: Wizard, moving_clock: MovingClock) -> SetupPage:
    code = Code(None, moving_clock)
    page = SetupPage(wizard, code, None)
    page.app = build_setup_app(wizard, Door(code, moving_clock), Clock(), page.saved.append)
    return page


@dataclass
class BrokerWithUsers:
    """A mosquitto with one user, who may write below ``raspberrypi/`` only."""

    port: int
    user: str = "gateway"
    password: str = BROKER_PASSWORD


@pytest.fixture
def broker_with_users(tmp_path: Path) -> Iterator[BrokerWithUsers]:
    paths = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
    program, passwd = (shutil.which(name, path=paths) for name in ("mosquitto", "mosquitto_passwd"))
    assert program, "mosquitto is not installed; type: apt install mosquitto"
    assert passwd
    broker = BrokerWithUsers(free_port())
    folder = tmp_path / "broker"
    folder.mkdir()
    subprocess.run(
        [passwd, "-b", "-c", folder / "users", broker.user, broker.password], check=True, capture_output=True
    )
    (folder / "acl").write_text(f"user {broker.user}\ntopic readwrite raspberrypi/#\n")
    (folder / "conf").write_text(
        f"listener {broker.port} 127.0.0.1\nuser root\npersistence false\nallow_anonymous false\n"
        f"password_file {folder}/users\nacl_file {folder}/acl\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "-c", folder / "conf"], stdout=log, stderr=log)
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", broker.port), timeout=1):
            break
        time.sleep(0.01)
    yield broker
    process.kill()
    process.wait()


@pytest.fixture
def steps_taken() -> Callable[..., Any]:
    """Return what answers all steps of a wizard but the last."""

    async def take(wizard: Wizard, **changed: dict[str, str]) -> None:
        for step, given in ANSWERS.items():
            outcome = await wizard.submit(step, {**given, **changed.get(step.value, {})})
            assert outcome.accepted, (step, outcome.said)

    return take
