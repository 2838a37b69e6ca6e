"""A gateway, its broker and its meters as processes, watched from outside.

Shared by the benches of the whole. They start the installed commands as a user would.
"""

from __future__ import annotations

import contextlib
import os
import resource
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

__all__ = ["Town", "free_ports", "most_meters"]

_BIN = Path(sys.executable).parent
_LOWEST_PORT = 10_000
_FILES_PER_METER = 2
"""Open files that the simulator needs for each meter."""


def _highest_port() -> int:
    """Return the last port below those that the kernel gives to outgoing connections."""
    try:
        text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii")
    except OSError:
        return 32767
    return int(text.split()[0]) - 1


def most_meters() -> int:
    """Return how many meters this machine's ports and this user's open files allow; root gets as many files as the kernel has."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with contextlib.suppress(OSError, ValueError):
        more = int(Path("/proc/sys/fs/nr_open").read_text(encoding="ascii"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (more, more))
        files = more
    ports = _highest_port() - _LOWEST_PORT
    return ports if files == resource.RLIM_INFINITY else min(ports, (files - 100) // _FILES_PER_METER)


def free_ports(count: int) -> int:
    """Return the first of so many ports in a row at which nobody listens.

    The simulator takes one after another. They are only known to be free now, so take them at once.
    """
    first = _LOWEST_PORT
    while first + count - 1 <= _highest_port():
        taken = next((port for port in range(first, first + count) if not _is_free(port)), None)
        if taken is None:
            return first
        first = taken + 1
    raise RuntimeError(f"there are no {count} free ports in a row from {_LOWEST_PORT} to {_highest_port()}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


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


def _compile() -> None:
    """Compile our packages, as pip does where they are installed; else the gateway would, and keep the memory that takes."""
    packages = Path(__file__).resolve().parent.parent / "packages"
    folders = [str(folder) for folder in packages.glob("*/src")]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *folders], check=True)


class Town:
    """``meters`` simulated meters over TCP, one gateway with history, MQTT and page.

    Args:
        meters: how many.
        present_every: seconds between reads of BT28.
        registers_every: seconds between reads of BT23.
        baud: of each meter's line; 0: replies come at once, in one piece.
        listen: topics of which a subscriber notes when the first message came; none when empty.
    """

    def __init__(
        self, meters: int, present_every: float, registers_every: float, *, baud: int = 0, listen: str = ""
    ) -> None:
        self.meters = meters
        self.page_after = 0.0
        """Seconds from the gateway's start until its page answered."""
        self._baud, self._listen = baud, listen
        self._started = 0.0
        _compile()
        self._first_port = free_ports(meters)
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
            f'[meters.m{number}]\nport = "tcp://127.0.0.1:{self._first_port + number}"\nkey = {{ file = "{key}" }}\n'
            f"present_every = {present_every}\nregisters_every = {registers_every}\nreads_per_second = 10"
            for number in range(meters)
        ]
        (self._folder / "nes2mqtt.toml").write_text("\n".join(lines))
        (self._folder / "mosquitto.conf").write_text(
            f"listener {self._broker_port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_inflight_messages 1000\n"
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[Town]:
        """Run everything; wait until the meters answer."""
        key = str(self._folder / "key")
        endpoint = f"tcp:127.0.0.1:{self._first_port}"
        broker = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin") or "mosquitto"
        try:
            self._start(str(_BIN / "osgp"), "simulate", "--mep", endpoint, "--baud", str(self._baud), "--key-file", key,
                        "--meters", str(self.meters))  # fmt: skip
            self._start(broker, "-c", str(self._folder / "mosquitto.conf"))
            _wait_for(self._first_port + self.meters - 1)
            _wait_for(self._broker_port)
            if self._listen:
                self._subscribe()
            self._started, begin = time.time(), time.monotonic()
            self.gateway = self._start(str(_BIN / "nes2mqtt"), "run", "--config", str(self._folder / "nes2mqtt.toml"))
            _wait_for(self.web)
            self.page_after = time.monotonic() - begin
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

    def _subscribe(self) -> None:
        """Let mosquitto's own client note when what comes; wait until it listens."""
        port, ready = str(self._broker_port), "bench/ready"
        self._start("mosquitto_sub", "-p", port, "-t", self._listen, "-t", ready, "-F", "%U %t")
        end = time.monotonic() + 10
        while time.monotonic() < end:
            subprocess.run(["mosquitto_pub", "-p", port, "-t", ready, "-m", "x"], check=True)
            if ready in self._heard():
                return
            time.sleep(0.05)
        raise RuntimeError("the subscriber heard nothing from the broker")

    def _heard(self) -> str:
        return (self._folder / "2.log").read_text(encoding="utf-8")  # the third program that was started

    def arrivals(self) -> dict[str, float]:
        """Return the seconds from the gateway's start until the first message, by the last part of its topic."""
        found: dict[str, float] = {}
        for line in self._heard().splitlines():
            at, _, topic = line.partition(" ")
            if topic.count("/") > 1:
                found.setdefault(topic.rpartition("/")[2], float(at) - self._started)
        return found

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
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/metrics", timeout=120) as reply:
            text = reply.read().decode()
        for line in text.splitlines():
            if not line.startswith("#"):
                yield line.partition("{")[0].partition(" ")[0], float(line.rpartition(" ")[2])
