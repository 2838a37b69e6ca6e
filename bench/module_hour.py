"""The module's program for an hour in the memory of an ESP32: a meter at 9600 baud, a broker, two browsers that never rest.

Prints how much of the heap was in use at most, how often each side had to do without the other, and whether what was published can be
true. Ten minutes show most of it:

    python bench/module_hour.py --edition frozen --seconds 600
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from contextlib import ExitStack, suppress
from http.client import HTTPException
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from table import Row, print_rows

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "packages/module/tests/helpers")]

HEAP = {"stock": 100, "frozen": 70}
"""kB: what an ESP32 leaves with four sockets, and with a TLS connection besides."""
_KEY = "SIMULATED-METER-DEMO"
_TOPIC = "nes2mqtt/meters/house"
_PAUSE = 0.5
_START = """
import asyncio, gc, json, sys
{before}
import program
with open(sys.argv[1]) as file:
    settings = json.load(file)
gc.threshold(4096)
host, port = settings["line"].split(":")
async def watch():
    most = least = 0
    for second in range(1 << 29):
        now = gc.mem_alloc()
        most = max(most, now)
        if second % 240 == 239:
            gc.collect()
            print("heap", most, gc.mem_alloc())
            most = 0
        await asyncio.sleep_ms(250)
async def both():
    asyncio.create_task(watch())
    await program.run(settings, lambda: asyncio.open_connection(host, int(port)))
asyncio.run(both())
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Browsers:
    """Programs that ask for page and values again and again, and count what they got."""

    def __init__(self, port: int, stopped: threading.Event) -> None:
        self._address = f"http://127.0.0.1:{port}"
        self._stopped = stopped
        self.answers: Counter[str] = Counter()

    def look(self) -> None:
        """Ask until it is stopped."""
        page = (ROOT / "packages/module/src/nesmodule/outputs/page.html").read_bytes()
        while not self._stopped.wait(_PAUSE):
            for path in ("/", "/api/live"):
                try:
                    with urllib.request.urlopen(self._address + path, timeout=10) as answer:
                        found = answer.read()
                    good = found == page if path == "/" else bool(json.loads(found)["link"])
                    self.answers["answered" if good else "wrong"] += 1
                except (OSError, HTTPException, ValueError) as error:
                    self.answers["busy" if "503" in str(error) else type(error).__name__] += 1


class _Run:
    """One run of one edition."""

    def __init__(self, folder: Path, stack: ExitStack, edition: str, heap: int) -> None:
        self._folder, self._stack, self._edition, self._heap = folder, stack, edition, heap
        self.heard, self.said = folder / "heard", folder / "said"
        self.broker_said = folder / "broker"

    def start(self, *words: object, **more: Any) -> subprocess.Popen[bytes]:
        """Start a program that is killed in the end."""
        process = subprocess.Popen([str(word) for word in words], **more)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process

    def run(self, seconds: int) -> list[Row]:
        """Run so long; return what was seen."""
        meter, broker, page = _free_port(), _free_port(), _free_port()
        key, conf, settings = (self._folder / name for name in ("key", "mosquitto.conf", "settings.json"))
        key.write_text(_KEY)
        conf.write_text(f"listener {broker} 127.0.0.1\nallow_anonymous true\n")
        settings.write_text(json.dumps({
            "key": _KEY, "name": "gw", "meter": "house", "line": f"127.0.0.1:{meter}",
            "mqtt": {"host": "127.0.0.1", "port": broker}, "http_host": "127.0.0.1", "http_port": page,
        }))  # fmt: skip
        osgp = Path(sys.executable).with_name("osgp")
        self.start(osgp, "simulate", "--mep", f"tcp:127.0.0.1:{meter}", "--baud", "9600", "--key-file", key, "--seed", "1",
                   stdout=subprocess.DEVNULL)  # fmt: skip
        path = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
        self.start(shutil.which("mosquitto", path=path), "-v", "-c", conf, stderr=self._file(self.broker_said))
        time.sleep(2)
        self.start(
            "mosquitto_sub", "-h", "127.0.0.1", "-p", broker, "-t", "#", "-F", "%U %j", stdout=self._file(self.heard)
        )
        program = self._program(settings)
        stopped = threading.Event()
        browsers = Browsers(page, stopped)
        for _ in range(2):
            thread = threading.Thread(target=browsers.look)
            thread.start()
            self._stack.callback(thread.join)
        self._stack.callback(stopped.set)
        time.sleep(20)
        browsers.answers.clear()
        time.sleep(seconds)
        return [*self._heap_rows(), *self._rows(browsers.answers, alive=program.poll() is None)]

    def _file(self, path: Path) -> Any:
        return self._stack.enter_context(path.open("ab"))

    def _program(self, settings: Path) -> subprocess.Popen[bytes]:
        from micropython_32bit import command  # noqa: PLC0415
        from nesmodule_build import package  # noqa: PLC0415

        built = self._folder / "built"
        package.write(built)
        before = ""
        given: list[object] = [settings]
        if self._edition == "frozen":
            image, before = self._image(built), _mounting()
            given.append(image)
        script = self._folder / "start.py"
        script.write_text(_START.format(before=before))
        environment = {"MICROPYPATH": "stock:.frozen", "PATH": "/usr/bin:/bin"}
        if self._edition == "frozen":
            environment["MICROPYPATH"] = ".frozen"
        words = [*command(), "-X", f"heapsize={self._heap}k", script, *given]
        said = self._file(self.said)
        return self.start(*words, env=environment, cwd=built, stdout=said, stderr=said)

    def _image(self, built: Path) -> Path:
        from nesmodule_build import package  # noqa: PLC0415

        folder, made = self._folder / "compiled", self._folder / "image"
        for above in (built / "source", built / "frozen"):
            for source in above.rglob("*.py"):
                if source.name != "manifest.py":
                    package.compiled(source, (folder / source.relative_to(above)).with_suffix(".mpy"), source.stem)
        made.write_bytes(import_module("romfs").image(folder))
        return made

    def _heap_rows(self) -> list[Row]:
        told = [line.split()[1:] for line in self.said.read_text().splitlines() if line.startswith("heap ")]
        if not told:
            return []
        most, kept = (max(int(line[place]) for line in told) for place in (0, 1))
        limit = self._heap * 1024
        return [
            Row(f"{self._edition}: heap in use at most, of {limit}", f"{most} bytes"),
            Row(f"{self._edition}: the same after a collection", f"{kept} bytes"),
        ]

    def _rows(self, answers: Counter[str], *, alive: bool) -> list[Row]:
        connected = self.broker_said.read_text(errors="replace").count("as nesmodule_gw ")
        asked = sum(answers.values())
        others = ", ".join(f"{count} {name}" for name, count in sorted(answers.items()) if name != "answered")
        heard = _Heard(self.heard.read_text().splitlines())
        name = self._edition
        return [
            Row(f"{name}: the program still runs", "yes" if alive else "no", "yes", alive),
            Row(f"{name}: connections to the broker", str(connected), "1", connected == 1),
            Row(f"{name}: requests answered", f"{answers['answered']} of {asked}", "all", answers["answered"] == asked),
            Row(f"{name}: the others", others or "none"),
            Row(f"{name}: documents of values", str(heard.documents)),
            Row(f"{name}: longest time without one", f"{heard.gap:.0f} s", "<= 30 s", heard.gap <= 30),
            Row(f"{name}: values that cannot be true", str(len(heard.wrong)), "0", not heard.wrong),
            *(Row("  " + wrong, "") for wrong in heard.wrong[:5]),
        ]


class _Heard:
    """What was published, judged."""

    def __init__(self, lines: list[str]) -> None:
        self.documents, self.gap = 0, 0.0
        self.wrong: list[str] = []
        last = 0.0
        before: dict[str, Any] = {}
        for line in lines:
            at, _, text = line.partition(" ")
            with suppress(ValueError):
                told = json.loads(text)
                if told["topic"] == _TOPIC + "/present":
                    self.documents += 1
                    self.gap = max(self.gap, float(at) - last if last else 0.0)
                    last = float(at)
                    self._judge_present(json.loads(told["payload"]))
                elif told["topic"] == _TOPIC + "/registers":
                    now = json.loads(told["payload"])
                    self._judge_registers(now, before)
                    before = now

    def _judge_present(self, found: dict[str, float]) -> None:
        if found["net_power"] != found["active_power_import"] - found["active_power_export"]:
            self.wrong.append(f"net_power {found['net_power']}")
        self.wrong += [
            f"{key} {found[key]}" for key in found if key.startswith("voltage_l") and not 207 <= found[key] <= 253
        ]

    def _judge_registers(self, now: dict[str, Any], before: dict[str, Any]) -> None:
        if now.keys() != before.keys() and before:
            self.wrong.append(f"other registers: {sorted(now.keys() ^ before.keys())}")
        for key, value in now.items():
            if key.endswith("_energy_import") and key in before and not 0 <= value - before[key] < 5:
                self.wrong.append(f"{key} from {before[key]} to {value}")


def _mounting() -> str:
    text = (ROOT / "packages/module/tests/on_module/start_in_place.py").read_text()
    return text.partition("import program")[0].partition('"""\n')[2]


def measured(edition: str, seconds: int, heap: int = 0) -> list[Row]:
    """Measure one edition."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        return _Run(Path(folder), stack, edition, heap or HEAP[edition]).run(seconds)


def rows() -> list[Row]:
    """Measure both for two minutes each: what is in use at most is seen by then."""
    return [row for edition in HEAP for row in measured(edition, 120)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--edition", choices=HEAP, default="stock")
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--heap", type=int, default=0, help="kB; what the edition has, if nothing is said")
    chosen = parser.parse_args()
    print_rows(measured(chosen.edition, chosen.seconds, chosen.heap))
