"""The real parts of a house, as processes: a simulated meter, a broker, the gateway.

Every process runs from the installed commands, as a user would start them. The broker sits
behind a :class:`Tap`, a TCP relay that notes every MQTT message the gateway sent and which of
them the broker confirmed; so a test can tell what was delivered even when the broker itself
is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
KEY = "ABCDEFGHIJKLMNOPQRST"
"""The demo meter's key: nobody's."""


def until(condition: Callable[[], Any], seconds: float = 60.0, what: str = "condition") -> Any:
    """Poll ``condition`` until it is true; return its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError, KeyError):
            if value := condition():
                return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come true within {seconds} s")


@dataclass
class Part:
    """One process of the house."""

    name: str
    command: list[str]
    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """Return all it has printed so far."""
        path = self.folder / f"{self.name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Start it; its output goes to a file."""
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self.env},
                cwd=self.folder,
            )

    def kill(self) -> None:
        """End it as a power cut would: no signal handler runs."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        """Ask it to end; return its exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
                raise
        return self.process.returncode


def meter(folder: Path, mep: str, *options: str) -> Part:
    """Return a simulated meter, not started. ``mep`` as in ``osgp simulate --mep``."""
    key = folder / "meter.key"
    key.write_text(KEY)
    return Part("meter", [str(BIN / "osgp"), "simulate", *options, "--mep", mep, "--key-file", str(key)], folder)


def broker(folder: Path, port: int, *lines: str) -> Part:
    """Return a mosquitto on loopback that remembers nothing, not started."""
    config = folder / "mosquitto.conf"
    config.write_text("\n".join([f"listener {port} 127.0.0.1", "allow_anonymous true", "persistence false", *lines]))
    program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
    assert program, "the Debian package mosquitto is missing"
    return Part("broker", [program, "-c", str(config)], folder)


def gateway(folder: Path, config: str, **env: str) -> Part:
    """Return a gateway with this configuration text, not started."""
    path = folder / "nes2mqtt.toml"
    path.write_text(config)
    path.chmod(0o600)
    return Part("gateway", [str(BIN / "nes2mqtt"), "run", "--config", str(path)], folder, env)


@contextlib.contextmanager
def running(*parts: Part) -> Iterator[None]:
    """Start the parts; stop them all at the end, whatever happens."""
    try:
        for part in parts:
            part.start()
        yield
    finally:
        for part in reversed(parts):
            with contextlib.suppress(subprocess.TimeoutExpired):
                part.stop()


def get(url: str) -> Any:
    """Return the JSON at ``url``, or text if it is none."""
    with urllib.request.urlopen(url, timeout=60) as reply:
        text = reply.read().decode()
    try:
        return json.loads(text)
    except ValueError:
        return text


def listening(port: int) -> bool:
    """Tell whether somebody listens on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Sent:
    """One message the gateway sent; ``confirmed`` when the broker's PUBACK passed the tap."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    connection: int
    confirmed: bool = False


class Tap:
    """A relay between gateway and broker that reads along (MQTT 3.1.1 and 5, sections 2, 3.1, 3.3 and 3.4)."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port = 0
        self.sent: list[Sent] = []
        self.connections = 0
        """Connections that reached the broker."""
        self._waiting: dict[tuple[int, int], Sent] = {}
        self._with_properties: set[int] = set()
        """Connections that speak MQTT 5."""
        self._relays: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Tap]:
        """Relay while the context is open."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for relay in self._relays:
                relay.cancel()
            await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            writer.close()
            return
        self.connections += 1
        number = self.connections
        tasks = [
            asyncio.create_task(self._pump(reader, up_writer, number, from_gateway=True)),
            asyncio.create_task(self._pump(up_reader, writer, number, from_gateway=False)),
        ]
        self._relays |= set(tasks)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            self._relays -= set(tasks)
            writer.close()
            up_writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int, *, from_gateway: bool
    ) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(1)
                length, shift, raw = 0, 0, head
                while True:
                    byte = await reader.readexactly(1)
                    raw += byte
                    length |= (byte[0] & 0x7F) << shift
                    shift += 7
                    if byte[0] < 0x80:
                        break
                body = await reader.readexactly(length)
                if from_gateway and head[0] >> 4 == 1 and body[:7] == b"\x00\x04MQTT\x05":
                    self._with_properties.add(number)
                if from_gateway and head[0] >> 4 == 3:
                    self._note_publish(head[0], body, number)
                writer.write(raw + body)
                await writer.drain()
                if not from_gateway and head[0] >> 4 == 4:
                    note = self._waiting.pop((number, int.from_bytes(body[:2], "big")), None)
                    refused = len(body) > 2 and body[2] >= 0x80
                    if note is not None and not refused:
                        note.confirmed = True

    def _note_publish(self, head: int, body: bytes, number: int) -> None:
        size = int.from_bytes(body[:2], "big")
        qos = head >> 1 & 3
        start = identified = 2 + size + (2 if qos else 0)
        if number in self._with_properties:
            assert body[start] < 0x80, "properties of more than 127 bytes"
            start += 1 + body[start]
        note = Sent(body[2 : 2 + size].decode(), body[start:], qos, bool(head & 1), number)
        self.sent.append(note)
        if qos:
            self._waiting[number, int.from_bytes(body[2 + size : identified], "big")] = note
