"""A real Home Assistant on a real broker, spoken to as its own page does: REST and WebSocket."""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import httpx
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[3]

CONFIGURATION = """
homeassistant:
  name: Test
  time_zone: Europe/Copenhagen
  unit_system: metric
http:
  server_host: 127.0.0.1
  server_port: {port}
recorder:
  commit_interval: 0
history:
energy:
frontend:
onboarding:
logger:
  default: warning
compile_statistics:
"""


def _load(name: str, path: Path) -> ModuleType:
    """Load a module by its path: test folders are no packages."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


rig = _load("mqtt_rig", HERE.parent / "mqtt" / "conftest.py")
check = _load("homeassistant_check", ROOT / "tools" / "homeassistant_check.py")


class WebSocket:
    """The few parts of RFC 6455 a client needs that sends and receives short texts."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET /api/websocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self._input = self._socket.makefile("rb")
        assert b" 101 " in self._input.readline()
        while self._input.readline() != b"\r\n":
            pass

    def send(self, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode()
        length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        # A mask of zeros leaves the text as it is.
        self._socket.sendall(b"\x81" + length + bytes(4) + data)

    def receive(self) -> dict[str, Any]:
        text = b""
        while True:
            head, length = self._input.read(2)
            if length == 126:
                (length,) = struct.unpack(">H", self._input.read(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", self._input.read(8))
            data = self._input.read(length)
            if head & 0x0F in {0, 1}:
                text += data
                if head & 0x80:
                    answer: dict[str, Any] = json.loads(text)
                    return answer

    def close(self) -> None:
        self._input.close()
        self._socket.close()


class HomeAssistant:
    """A Home Assistant process with a configuration folder of its own."""

    def __init__(self, python: Path, folder: Path, broker_port: int) -> None:
        self._python = python
        self.folder = folder
        self.port: int = rig.free_port()
        self._broker_port = broker_port
        self._process: subprocess.Popen[bytes] | None = None
        self._token = ""
        (folder / "configuration.yaml").write_text(CONFIGURATION.format(port=self.port))
        shutil.copytree(HERE / "compile_statistics", folder / "custom_components" / "compile_statistics")

    def start(self) -> Self:
        """Start, and wait until it is fully up."""
        with (self.folder / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                [self._python, "-m", "homeassistant", "--config", self.folder, "--skip-pip", "--log-no-color"],
                stdout=console,
                stderr=console,
                env={**os.environ, "PYTHONPATH": "", "HOME": str(self.folder)},
            )
        if not self._token:
            self._wait("answering", lambda: isinstance(self.get("/api/onboarding"), list))
            self._onboard()
        self._wait("running", lambda: self.get("/api/config")["state"] == "RUNNING")
        return self

    def stop(self) -> None:
        """Stop in good order, as its restart does."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(60)
            self._process.kill()
            self._process.wait()
            self._process = None

    def _wait(self, what: str, fulfilled: Callable[[], bool], seconds: float = 240) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with contextlib.suppress(httpx.HTTPError):
                if fulfilled():
                    return
            assert self._process is not None
            if self._process.poll() is not None:
                break
            time.sleep(0.2)
        pytest.fail(f"Home Assistant: not {what}; its log:\n{self.log()}\n{(self.folder / 'console.log').read_text()}")

    def _http(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=60, trust_env=False)

    def _onboard(self) -> None:
        """Make the first user and connect to the broker, through the same calls as its page."""
        address = f"http://127.0.0.1:{self.port}/"
        with self._http() as http:
            user = {"client_id": address, "name": "T", "username": "t", "password": "t", "language": "en"}
            code = http.post("/api/onboarding/users", json=user).raise_for_status().json()["auth_code"]
            grant = {"client_id": address, "grant_type": "authorization_code", "code": code}
            self._token = http.post("/auth/token", data=grant).raise_for_status().json()["access_token"]
        with self._http() as http:
            flows = "/api/config/config_entries/flow"
            self._wait("ready for MQTT", lambda: http.post(flows, json={"handler": "mqtt"}).status_code == 200)
            flow = http.post(flows, json={"handler": "mqtt"}).raise_for_status().json()
            asked = {field["name"] for field in flow["data_schema"]}
            answer: dict[str, Any] = {"broker": "127.0.0.1", "port": self._broker_port}
            if "other_settings" in asked:
                answer["other_settings"] = {"set_client_cert": False, "set_ca_cert": "off"}
            made = http.post(f"{flows}/{flow['flow_id']}", json=answer).raise_for_status().json()
            assert made["type"] == "create_entry", made

    def get(self, path: str) -> Any:
        with self._http() as http:
            return http.get(path).raise_for_status().json()

    def call(self, domain: str, service: str, data: dict[str, Any] | None = None) -> None:
        with self._http() as http:
            http.post(f"/api/services/{domain}/{service}", json=data or {}).raise_for_status()

    def states(self) -> dict[str, dict[str, Any]]:
        """Return every entity's state by entity id."""
        return {state["entity_id"]: state for state in self.get("/api/states")}

    @property
    def token(self) -> str:
        """An administrator's token."""
        return self._token

    def ask(self, kind: str, **arguments: Any) -> Any:
        """Send one WebSocket command and return its result."""
        connection = WebSocket(self.port)
        try:
            assert connection.receive()["type"] == "auth_required"
            connection.send({"type": "auth", "access_token": self._token})
            assert connection.receive()["type"] == "auth_ok"
            connection.send({"id": 1, "type": kind, **arguments})
            answer = connection.receive()
        finally:
            connection.close()
        assert answer.get("success"), answer
        return answer["result"]

    def log(self) -> str:
        path = self.folder / "home-assistant.log"
        return path.read_text() if path.exists() else ""


@pytest.fixture(scope="module")
def environment() -> Path:
    """Return the Python Home Assistant is installed in."""
    try:
        python = check.environment()
        why = check.NOT_RUN
    except check.InstallError as error:
        python, why = None, f"{check.NOT_INSTALLED}: {error}"
    if python is None and check.must_run():
        pytest.fail(f"{why}; CI has to run it")
    if python is None:
        pytest.skip(why)
    return Path(python)


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    broker = rig.Mosquitto(tmp_path_factory.mktemp("broker"))
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture(scope="module")
def home(environment: Path, mosquitto: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    home = HomeAssistant(environment, tmp_path_factory.mktemp("homeassistant"), mosquitto.port)
    try:
        yield home.start()
    finally:
        home.stop()
