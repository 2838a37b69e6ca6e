"""A simulated meter at 9600 baud, and the program on a 32-bit MicroPython that lends its line."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from micropythons import interpreter

from free_ports import free_port

KEY = "SIMULATED-METER-DEMO"
TOKEN = "7kq2-mvx9-t4hp-w3zd"
HEAP = "120k"
PATIENCE = 120.0
BIN = Path(sys.executable).parent


def until(found, what, patience=PATIENCE):
    """Return what ``found`` gives as soon as that is something."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            result = found()
        except (OSError, ValueError, KeyError):
            result = None
        if result:
            return result
        time.sleep(0.2)
    raise AssertionError(f"{what} did not come within {patience:.0f} s")


class Tapped:
    """Ports of its own for meter, page and tap; ``said`` is what the program printed."""

    def __init__(self, folder, stack, stock):
        self.folder, self.stack, self.stock = folder, stack, stock
        self.meter, self.page, self.tap = free_port(), free_port(), free_port()
        self.said = folder / "said"
        self.key_file, self.token_file = folder / "key", folder / "token"
        self.key_file.write_text(KEY)
        self.token_file.write_text(TOKEN + "\n")

    def start(self, *words, **more):
        process = subprocess.Popen([str(word) for word in words], **more)
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process

    def start_meter(self, *more):
        port = f"tcp:127.0.0.1:{self.meter}"
        words = ("simulate", "--mep", port, "--baud", "9600", "--key-file", self.key_file, "--seed", "1", *more)
        process = self.start(BIN / "osgp", *words, stdout=subprocess.DEVNULL)
        until(lambda: socket.create_connection(("127.0.0.1", self.meter), 1).close() or True, "the meter")
        return process

    def start_module(self, ready="/api/live", **more):
        settings = {
            "key": KEY, "name": "gw", "meter": "house", "line": f"127.0.0.1:{self.meter}", "http_host": "127.0.0.1", "http_port": self.page,
            "tap_token": TOKEN, "tap_host": "127.0.0.1", "tap_port": self.tap, **more,
        }  # fmt: skip
        (self.folder / "settings.json").write_text(json.dumps(settings))
        script = Path(__file__).parents[1] / "on_module" / "start_tapped.py"
        words = (*interpreter(32), "-X", f"heapsize={HEAP}", script, self.folder / "settings.json")
        environment = {"MICROPYPATH": f"{self.stock}:.frozen", "PATH": "/usr/bin:/bin"}
        process = self.start(*words, env=environment, stdout=self.stack.enter_context(self.said.open("a")))
        until(
            lambda: urllib.request.urlopen(f"http://127.0.0.1:{self.page}{ready}", timeout=5).close() or True,
            "the page",
        )
        return process

    def osgp(self, scheme, *words, token_file=None):
        """Run a command of ``osgp`` through the module; return what ended."""
        address = ("--port", f"{scheme}://127.0.0.1:{self.tap}", "--key-file", self.key_file)
        words = (BIN / "osgp", *words, *address, "--token-file", token_file or self.token_file)
        return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120, check=False)

    def live(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.page}/api/live", timeout=60) as answer:
            return json.load(answer)
