"""The whole gateway as a process, at log level debug, with a canary for every secret: none may be found anywhere outside."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import httpx
import pytest

from free_ports import free_port
from osgp.key import MeterKey
from osgp.optical.key import OpticalKey
from osgp.optical.rights import Access
from osgp.simulator import SimulatedMeter

CANARIES = {
    "key": "CANARY-KEY-987654321",
    "silent": "CANARY-KEY-123456789",
    "light": "CANARY-optical-KEY-1",
    "broker": "CANARY-broker-pass",
    "page": "CANARY-page-pass",
    "token": "CANARY-token-0123456",
    "variable": "CANARY-somebody-elses-variable",
}
HEX = (lambda text: text.hex().encode(), lambda text: text.hex(" ").encode(), lambda text: text.hex().upper().encode())
NEEDLES = [
    form
    for text in CANARIES.values()
    for form in (
        text.encode(),
        *(digits(text.encode()[:16]) for digits in HEX),
        *(digits(text.encode()) for digits in HEX),
    )
] + [b"CANARY"]

CONFIG = """
log_level = "debug"
data_dir = "{folder}/data"
[meters.house]
port = "{meter}"
key = {{ credential = "key" }}
security = "rc4"
[meters.window]
port = "{window}"
key = {{ file = "{folder}/light" }}
[meters.silent]
port = "{nobody}"
key = {{ file = "{folder}/silent" }}
[meters.silent.power_cycle]
kind = "command"
command = ["{python}", "-c", "import os; open('{folder}/child', 'w').write(str(dict(os.environ)))"]
[[mqtt]]
host = "127.0.0.1"
port = {broker}
username = "gateway"
password = {{ env = "BROKER_PASSWORD" }}
dialects = ["homeassistant", "nmr-raw", "dabbler"]
[mqtt.nmr-raw]
base_topic = "raw/{{meter}}"
[mqtt.dabbler]
base_topic = "dabbler/{{meter}}"
[web]
listen = "127.0.0.1:{page}"
password = "CANARY-page-pass"
token = {{ file = "{folder}/token" }}
"""
PAGES = ("/", "/metrics", "/api/v1/status", "/api/v1/readings", "/api/v1/meters", "/api/v1/openapi.json", "/nowhere")


class Listener:
    """As much of a broker as keeps a client content: remembers all that comes after the greeting."""

    def __init__(self):
        self.heard = b""
        self.published = asyncio.Event()

    async def serve(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            await self.packet(reader)
            writer.write(b"\x20\x02\0\0")
            while True:
                head, body = await self.packet(reader)
                self.heard += body
                if head >> 4 == 3 and head & 6:
                    self.published.set()
                    place = 2 + int.from_bytes(body[:2], "big")
                    writer.write(b"\x40\x02" + body[place : place + 2])
                elif head >> 4 == 8:
                    granted = bytes(self.asked(body[2:]))
                    writer.write(b"\x90" + bytes((2 + len(granted),)) + body[:2] + granted)
                elif head >> 4 == 10:
                    writer.write(b"\xb0\x02" + body[:2])
        writer.close()

    @staticmethod
    def asked(filters):
        """Yield the QoS of each topic filter of a SUBSCRIBE (MQTT 3.1.1, section 3.8.3)."""
        while filters:
            end = 2 + int.from_bytes(filters[:2], "big")
            yield filters[end]
            filters = filters[end + 1 :]

    @staticmethod
    async def packet(reader):
        (head,) = await reader.readexactly(1)
        size = shift = 0
        while True:
            (more,) = await reader.readexactly(1)
            size |= (more & 0x7F) << shift
            shift += 7
            if more < 0x80:
                return head, await reader.readexactly(size)


async def say_nothing(reader, writer):
    """Be a meter that does not answer."""
    with contextlib.suppress(OSError, asyncio.CancelledError):
        await reader.read()
    writer.close()


async def ask_everything(page):
    """Log in, wrongly and rightly, ask for all pages and return all they said."""
    said = b""
    async with httpx.AsyncClient(base_url=page, timeout=60) as client:
        for password in ("wrong", CANARIES["page"]):
            said += (await client.post("/login", data={"password": password})).content
        for path in PAGES:
            reply = await client.get(path)
            said += reply.content + str(dict(reply.headers)).encode()
        client.cookies.clear()
        reply = await client.get("/metrics", headers={"authorization": f"Bearer {CANARIES['token']}"})
        assert reply.status_code == 200
        return said + reply.content


@pytest.fixture
def folder(tmp_path):
    for name, text in CANARIES.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    return tmp_path


def command_lines():
    """Return what everybody can see in the list of processes."""
    lines = b""
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines += line.read_bytes() + b"\n"
    return lines


@pytest.mark.parametrize("as_hex", [False, True], ids=["characters", "hex digits"])
async def test_07_20_no_canary_leaves_the_gateway(folder, as_hex):
    """The key of the optical port is among them, in both forms that it is handed out in."""
    if as_hex:
        (folder / "light").write_text(CANARIES["light"].encode().hex(" "))
    listener = Listener()
    broker = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    page = free_port()
    keys = {Access.READ_ONLY: OpticalKey(CANARIES["light"].encode())}
    async with SimulatedMeter(mbk=MeterKey.parse(CANARIES["key"]), optical_keys=keys, shared_uart=False) as meter:
        config = folder / "c.toml"
        config.write_text(
            CONFIG.format(
                folder=folder,
                python=sys.executable,
                meter=await meter.serve_tcp(),
                window=await meter.serve_optical_tcp(),
                nobody=f"tcp://127.0.0.1:{silent.sockets[0].getsockname()[1]}",
                broker=broker.sockets[0].getsockname()[1],
                page=page,
            )
        )
        config.chmod(0o600)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "CREDENTIALS_DIRECTORY": str(folder),
            "BROKER_PASSWORD": CANARIES["broker"],
            "OTHER": CANARIES["variable"],
        }
        command = (sys.executable, "-P", "-c", "from nes2mqtt.cli import main; main()", "run", "--config", config)
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stderr=asyncio.subprocess.PIPE, cwd=folder, umask=0o022
        )
        log = asyncio.create_task(process.stderr.read())
        try:
            async with asyncio.timeout(200):
                await listener.published.wait()
                while b"raw/window" not in listener.heard:  # noqa: ASYNC110 - the listener is no more than ears
                    await asyncio.sleep(0.1)
                while not (folder / "child").is_file():  # noqa: ASYNC110 - it is another program's doing
                    await asyncio.sleep(0.1)
                said = await ask_everything(f"http://127.0.0.1:{page}")
                arguments = command_lines()
        finally:
            process.terminate()
            await process.wait()
    logged = await log
    broker.close()
    silent.close()

    files = [file for file in (folder / "data").rglob("*") if file.is_file()]
    kept = b"".join(file.read_bytes() for file in files)
    assert b"login from" in logged
    assert bytes(config) in arguments
    assert {"history.db", "sessions.json"} <= {file.name for file in files}
    places = {
        "log": logged,
        "pages": said,
        "broker": listener.heard,
        "arguments": arguments,
        "power cycle": (folder / "child").read_bytes(),
        "files": kept,
    }
    found = [(place, needle) for place, content in places.items() for needle in NEEDLES if needle in content]
    assert not found
    for file in [folder / "data", *files]:
        assert file.stat().st_mode & 0o077 == 0, f"{file} can be read by others"
