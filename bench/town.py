"""A gateway, its broker and its meters as processes, watched from outside.

Shared by the benches of the whole. They start the installed commands as a user would.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil

__all__ = ["Town"]

_BIN = Path(sys.executable).parent
_FIRST_METER_PORT = 20000


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nobody listens on port {port}")


class Town:
    """``meters`` simulated meters over TCP, one gateway with history, MQTT and page.

    Args:
        meters: how many.
        present_every: seconds between reads of BT28.
        registers_every: seconds between reads of BT23.
    """

    def __init__(self, meters: int, present_every: float, registers_every: float) -> None:
        self.meters = meters
        self.web = _free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="bench-"))
        self._broker_port = _free_port()
        self._parts: list[psutil.Popen] = []
        self.gateway: psutil.Popen
        key = self._folder / "key"
        key.write_text("ABCDEFGHIJKLMNOPQRST")
        lines = [
            f'data_dir = "{self._folder}/data"',
            'timezone = "Europe/Vienna"',
            f'[[mqtt]]\nhost = "127.0.0.1"\nport = {self._broker_port}\n[mqtt.homeassistant]\nevery = 0.0',
            f'[web]\nlisten = "127.0.0.1:{self.web}"',
        ]
        lines += [
            f'[meters.m{number}]\nport = "tcp://127.0.0.1:{_FIRST_METER_PORT + number}"\nkey = {{ file = "{key}" }}\n'
            f"present_every = {present_every}\nregisters_every = {registers_every}\nreads_per_second = 10"
            for number in range(meters)
        ]
        (self._folder / "nes2mqtt.toml").write_text("\n".join(lines))
        (self._folder / "mosquitto.conf").write_text(
            f"listener {self._broker_port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[Town]:
        """Run everything; wait until the meters answer."""
        key = str(self._folder / "key")
        endpoint = f"tcp:127.0.0.1:{_FIRST_METER_PORT}"
        broker = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin") or "mosquitto"
        try:
            self._start(str(_BIN / "osgp"), "simulate", "--mep", endpoint, "--baud", "0", "--key-file", key,
                        "--meters", str(self.meters))  # fmt: skip
            self._start(broker, "-c", str(self._folder / "mosquitto.conf"))
            _wait_for(_FIRST_METER_PORT + self.meters - 1)
            _wait_for(self._broker_port)
            self.gateway = self._start(str(_BIN / "nes2mqtt"), "run", "--config", str(self._folder / "nes2mqtt.toml"))
            _wait_for(self.web)
            yield self
        finally:
            for part in reversed(self._parts):
                part.terminate()
                with contextlib.suppress(psutil.TimeoutExpired):
                    part.wait(30)
                if part.is_running():
                    part.kill()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, *command: str) -> psutil.Popen:
        log = (self._folder / f"{len(self._parts)}.log").open("w")
        part = psutil.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        log.close()
        self._parts.append(part)
        return part

    def cpu(self) -> float:
        """Return CPU seconds the gateway has used."""
        times = self.gateway.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> float:
        """Return the gateway's resident memory in MB."""
        return float(self.gateway.memory_info().rss / 1e6)

    def written(self) -> float:
        """Return the MB the kernel charges the gateway with writing to the disk."""
        return float(self.gateway.io_counters().write_bytes / 1e6)

    def metrics(self) -> dict[str, float]:
        """Return the sum of each of the gateway's metrics over all meters."""
        sums: dict[str, float] = {}
        for name, value in self._samples():
            sums[name] = sums.get(name, 0.0) + value
        return sums

    def ages(self) -> list[float]:
        """Return how old the newest values of each meter's tables are, in seconds."""
        return [value for name, value in self._samples() if name == "nes_reading_age_seconds"]

    def _samples(self) -> Iterator[tuple[str, float]]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/metrics", timeout=60) as reply:
            text = reply.read().decode()
        for line in text.splitlines():
            if not line.startswith("#"):
                yield line.partition("{")[0].partition(" ")[0], float(line.rpartition(" ")[2])
