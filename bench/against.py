"""What a poll costs this tree beside an older commit, both at the same time on the same machine: only their ratio is a figure.

    make bench-against COMMIT=8b6f199
    python bench/against.py COMMIT --meters 400 --seconds 60

Each side has its own simulated meters, broker and data folder; the meters and the broker are this tree's for both. A poll is BT23 and
BT28 of one meter, whole, verified, stored and published; what is counted is the gateway's CPU (user and system, by the kernel) over its
verified replies, four to a poll: behind each table comes the byte that confirms how it is laid out (:mod:`osgp.meter.layout`).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil

from table import Row, print_rows

__all__ = ["rows"]

ROOT = Path(__file__).resolve().parent.parent
GOAL = 0.70
"""At most so much of the CPU per poll of commit 8b6f199."""

_PERIOD = 10.0
_REPLIES = 4
"""To a poll."""
_ON_SCHEDULE = 1.03
"""More replies than this, over those of the schedule, are of something else."""
_SETTLED_BY = 240.0
"""Seconds after which it is measured all the same: a machine that does not keep up never settles."""


def _free_ports(count: int) -> int:
    """Return the first of so many ports in a row of which none is in use."""
    for first in range(20_000, 60_000 - count, 1000):
        with contextlib.ExitStack() as held:
            try:
                for port in range(first, first + count):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise RuntimeError(f"no {count} ports in a row are free")


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
        return True
    return False


def _until(fulfilled: object, seconds: float, what: str) -> None:
    assert callable(fulfilled)
    end = time.monotonic() + seconds
    while not fulfilled():
        if time.monotonic() > end:
            raise RuntimeError(what)
        time.sleep(0.5)


class Side:
    """One tree's gateway with its meters and its broker.

    Args:
        tree: the folder of the repository.
        meters: how many.
    """

    def __init__(self, tree: Path, meters: int) -> None:
        self.tree = tree
        self._meters = meters
        self._folder = Path(tempfile.mkdtemp(prefix="bench-"))
        self._parts: list[psutil.Popen] = []
        self._gateway: psutil.Popen

    def start(self) -> None:
        """Start all; return when the page answers."""
        first = _free_ports(self._meters + 2)
        broker, self._web, key = first + self._meters, first + self._meters + 1, self._folder / "key"
        key.write_text("ABCDEFGHIJKLMNOPQRST")
        lines = [
            f'data_dir = "{self._folder}/data"\ntimezone = "Europe/Vienna"',
            f'[[mqtt]]\nhost = "127.0.0.1"\nport = {broker}\n[mqtt.homeassistant]\nevery = 0.0',
            f'[web]\nlisten = "127.0.0.1:{self._web}"',
        ]
        lines += [
            f'[meters.m{number}]\nport = "tcp://127.0.0.1:{first + number}"\nkey = {{ file = "{key}" }}\n'
            f"present_every = {_PERIOD}\nregisters_every = {_PERIOD}\nreads_per_second = 10"
            for number in range(self._meters)
        ]
        (self._folder / "nes2mqtt.toml").write_text("\n".join(lines))
        conf = self._folder / "mosquitto.conf"
        conf.write_text(f"listener {broker} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        endpoint = ("--mep", f"tcp:127.0.0.1:{first}", "--baud", "0", "--key-file", str(key))
        self._run(ROOT, "osgp", "simulate", *endpoint, "--meters", str(self._meters))
        path = os.environ.get("PATH", "") + ":/usr/sbin"
        self._start({}, shutil.which("mosquitto", path=path) or "mosquitto", "-c", str(conf))
        _until(lambda: _listens(first + self._meters - 1) and _listens(broker), 300, "the meters do not listen")
        self._gateway = self._run(self.tree, "nes2mqtt", "run", "--config", str(self._folder / "nes2mqtt.toml"))
        _until(lambda: _listens(self._web), 120, f"the gateway of {self.tree} does not start: {self._folder}")

    def stop(self) -> None:
        """End all."""
        for part in reversed(self._parts):
            part.terminate()
        for part in self._parts:
            with contextlib.suppress(psutil.TimeoutExpired):
                part.wait(30)
            if part.is_running():
                part.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, tree: Path, package: str, *arguments: str) -> psutil.Popen:
        """Start a package's command as that tree has it: the installed one is this tree's."""
        project = tomllib.loads((tree / "packages" / package / "pyproject.toml").read_text())["project"]
        module, _, function = project["scripts"][package].partition(":")
        sources = ":".join(str(folder) for folder in sorted((tree / "packages").glob("*/src")))
        code = f"import sys; from {module} import {function}; sys.argv[0] = {package!r}; {function}()"
        return self._start({"PYTHONPATH": sources}, sys.executable, "-c", code, *arguments)

    def _start(self, surroundings: dict[str, str], *command: str) -> psutil.Popen:
        with (self._folder / f"{len(self._parts)}.log").open("w") as log:
            part = psutil.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=os.environ | surroundings
            )
        self._parts.append(part)
        return part

    def metrics(self) -> dict[str, float]:
        """Return the sum of each of the gateway's metrics over all meters."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._web}/metrics", timeout=120) as reply:
            lines = reply.read().decode().splitlines()
        sums: dict[str, float] = {}
        for line in lines:
            if not line.startswith("#"):
                name = line.partition("{")[0].partition(" ")[0]
                sums[name] = sums.get(name, 0.0) + float(line.rpartition(" ")[2])
        return sums

    def all_online(self) -> bool:
        """Tell whether every meter is."""
        return self.metrics().get("nes_meter_up", 0) >= self._meters

    def settle(self) -> None:
        """Wait until only what is read on schedule is read: what a meter says of itself comes once, at the start, then seldom."""
        end = time.monotonic() + _SETTLED_BY
        while time.monotonic() < end:
            before = self.metrics()["nes_link_replies_total"]
            time.sleep(_PERIOD)
            replies = self.metrics()["nes_link_replies_total"] - before
            if replies <= _ON_SCHEDULE * self._meters * _REPLIES:
                return

    def cpu(self) -> float:
        """Return CPU seconds the gateway has used."""
        times = self._gateway.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> float:
        """Return the gateway's resident memory in MB."""
        return float(self._gateway.memory_info().rss / 1e6)


@contextlib.contextmanager
def _tree_of(commit: str) -> Iterator[Path]:
    """Yield a folder with the files of a commit."""
    folder = Path(tempfile.mkdtemp(prefix="bench-tree-"))
    git = ("git", "-C", str(ROOT), "worktree")
    subprocess.run((*git, "add", "--quiet", "--detach", "--force", str(folder), commit), check=True)
    try:
        yield folder
    finally:
        subprocess.run((*git, "remove", "--force", str(folder)), check=False)


def rows(commit: str, meters: int = 1000, seconds: float = 60.0) -> Iterator[Row]:
    """Measure this tree and ``commit`` side by side."""
    with _tree_of(commit) as tree:
        sides = [Side(tree, meters), Side(ROOT, meters)]
        try:
            for side in sides:
                side.start()
            for side in sides:
                _until(side.all_online, 300 + meters / 5, "not all meters came online")
            time.sleep(2 * _PERIOD)
            for side in sides:
                side.settle()
            before = [(side.cpu(), side.metrics()) for side in sides]
            time.sleep(seconds)
            costs = []
            for side, (cpu, metrics), name in zip(sides, before, (commit[:12], "this tree"), strict=True):
                used, after = side.cpu() - cpu, side.metrics()
                polls = (after["nes_link_replies_total"] - metrics["nes_link_replies_total"]) / _REPLIES
                dropped = after["nes_output_dropped_total"] - metrics["nes_output_dropped_total"]
                costs.append(used / polls)
                figure = f"{used / polls * 1e6:,.0f} us"
                yield Row(f"{name}: CPU per poll, {polls / seconds:.0f} polls/s, {side.memory():.0f} MB", figure)
                yield Row(f"{name}: live values given up", f"{dropped:.0f}")
            ratio = costs[1] / costs[0]
            yield Row(
                "CPU per poll, this tree over the older one", f"{ratio:.2f}", f"at most {GOAL:.2f}", ratio <= GOAL
            )
        finally:
            for side in sides:
                side.stop()


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("commit", nargs="?", default="8b6f199")
    parser.add_argument("--meters", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left running
    for row in rows(options.commit, options.meters, options.seconds):
        print_rows([row])


if __name__ == "__main__":
    main()
