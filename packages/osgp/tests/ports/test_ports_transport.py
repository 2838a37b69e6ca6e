"""Addresses, TCP, ptys, RFC 2217; and what people are told when a port cannot be opened."""

import asyncio
import errno
import os
import socket
import tty
from dataclasses import replace

import pytest
import serialx

from osgp.errors import MisuseError, PortBusy, PortMissing, PortPermission, TransportError
from osgp.ports import transport
from osgp.ports.transport import Address, open_port, serial_ports


@pytest.mark.parametrize(
    ("text", "address", "shown"),
    [
        ("/dev/ttyUSB0", Address("serial", path="/dev/ttyUSB0"), "serial:///dev/ttyUSB0"),
        ("serial:///dev/ttyUSB0", Address("serial", path="/dev/ttyUSB0"), "serial:///dev/ttyUSB0"),
        ("serial:///dev/x?baud=2400", Address("serial", path="/dev/x", baud=2400), "serial:///dev/x?baud=2400"),
        ("tcp://bridge:2001", Address("tcp", host="bridge", port=2001), "tcp://bridge:2001"),
        ("tcp://10.0.0.7:2001/", Address("tcp", host="10.0.0.7", port=2001), "tcp://10.0.0.7:2001"),
        ("tcp://[fe80::1]:2001", Address("tcp", host="fe80::1", port=2001), "tcp://[fe80::1]:2001"),
        ("module://h", Address("module", host="h", port=2323), "module://h:2323"),
        ("module://h:7", Address("module", host="h", port=7), "module://h:7"),
        ("rfc2217://h:1?baud=115200", Address("rfc2217", host="h", port=1, baud=115200), "rfc2217://h:1?baud=115200"),
        (
            "optical:///dev/x?turnaround=5&dtr=off&rts=on",
            Address("optical", path="/dev/x", rts=True, dtr=False, turnaround=0.005),
            "optical:///dev/x?rts=on&dtr=off&turnaround=5",
        ),
        ("serial:///dev/x?dtr=on", Address("serial", path="/dev/x", dtr=True), "serial:///dev/x?dtr=on"),
        (
            "optical+tcp://h:1?turnaround=7.5",
            Address("optical+tcp", host="h", port=1, turnaround=0.0075),
            "optical+tcp://h:1?turnaround=7.5",
        ),
    ],
)
def test_addresses(text, address, shown):
    assert Address.parse(text) == address
    assert str(address) == shown
    assert Address.parse(shown) == address


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("optical:///dev/x?rts=1", "rts is on or off"),
        ("optical:///dev/x?dtr=", "dtr is on or off"),
        ("optical+tcp://h:1?rts=on", "carries bytes only"),
        ("tcp://h:1?dtr=on", "set it at the serial server"),
        ("serial:///dev/x?turnaround=5", "only an optical port"),
        ("optical:///dev/x?turnaround=501", "0 to 500 milliseconds"),
        ("optical:///dev/x?turnaround=-1", "0 to 500 milliseconds"),
        ("optical:///dev/x?turnaround=fast", "0 to 500 milliseconds"),
    ],
)
def test_settings_of_an_address_that_cannot_be(text, why):
    with pytest.raises(MisuseError, match=why):
        Address.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ttyUSB0",
        "serial://ttyUSB0",
        "serial://",
        "tcp://",
        "tcp://host",
        "tcp://host:99999",
        "tcp://host:x",
        "tcp://host:2001/path",
        "tcp://name:word@host:2001",
        "tcp://host:2001?baud=fast",
        "tcp://host:2001?baud=1",
        "tcp://host:2001?parity=even",
        "tcp://host:2001?baud",
        "tcp://[::1:2001",
        "http://host:80",
    ],
)
def test_what_is_no_address_is_told(text):
    with pytest.raises(MisuseError, match=r"Write serial:///dev|baud rate is 300"):
        Address.parse(text)


def test_a_serial_port_is_named_by_its_identity(tmp_path):
    device = tmp_path / "ttyUSB7"
    device.touch()
    folder = tmp_path / "by-id"
    folder.mkdir()
    (folder / "usb-maker_adapter_0001-if00").symlink_to(device)
    named = Address("serial", path=str(device), baud=2400).by_identity(folder)
    assert named == Address("serial", path=str(folder / "usb-maker_adapter_0001-if00"), baud=2400)
    assert named.by_identity(folder) == named
    other = Address("serial", path=str(tmp_path / "ttyUSB8"))
    assert other.by_identity(folder) == other
    assert other.by_identity(tmp_path / "nothing") == other


class Ears:
    """Collects what a port reports."""

    def __init__(self):
        self.bytes = b""
        self.errors = []
        self.changed = asyncio.Event()

    def on_bytes(self, data):
        self.bytes += data
        self.changed.set()

    def on_lost(self, error):
        self.errors.append(error)
        self.changed.set()

    async def until(self, condition):
        async with asyncio.timeout(60):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
def ears():
    return Ears()


class TestTcp:
    async def test_bytes_both_ways_and_the_end(self, ears):
        async def echo(reader, writer):
            data = await reader.readexactly(3)
            writer.write(data[::-1])
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
            number = server.sockets[0].getsockname()[1]
            port = await open_port(f"tcp://127.0.0.1:{number}", ears.on_bytes, ears.on_lost)
            port.write(b"\xff\x00a")
            await ears.until(lambda: ears.errors)
            assert ears.bytes == b"a\x00\xff"
            assert "closed by the other side" in str(ears.errors[0])
            with pytest.raises(TransportError, match="not open"):
                port.write(b"more")
            await port.close()
        assert len(ears.errors) == 1

    async def test_closing_is_no_loss(self, ears):
        async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as server:
            number = server.sockets[0].getsockname()[1]
            port = await open_port(f"tcp://127.0.0.1:{number}", ears.on_bytes, ears.on_lost)
            await port.close()
            await port.close()
        assert ears.errors == []

    async def test_nobody_listens(self, ears):
        with socket.socket() as idle:
            idle.bind(("127.0.0.1", 0))
            number = idle.getsockname()[1]
        with pytest.raises(PortMissing, match=f"nobody listens at 127.0.0.1 port {number}"):
            await open_port(f"tcp://127.0.0.1:{number}", ears.on_bytes, ears.on_lost)

    async def test_no_such_host(self, ears, monkeypatch):
        async def fail(*_, **__):
            raise socket.gaierror(socket.EAI_NONAME, "unknown")

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", fail)
        with pytest.raises(PortMissing, match=r"no host meter\.invalid"):
            await open_port("tcp://meter.invalid:1", ears.on_bytes, ears.on_lost)

    async def test_no_answer(self, ears, monkeypatch):
        async def hang(*_, **__):
            await asyncio.Event().wait()

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", hang)
        monkeypatch.setattr(transport, "CONNECT_TIMEOUT", 0.01)
        with pytest.raises(PortMissing, match="does not answer"):
            await open_port("tcp://127.0.0.1:1", ears.on_bytes, ears.on_lost)

    async def test_no_route(self, ears, monkeypatch):
        async def fail(*_, **__):
            raise OSError(errno.EHOSTUNREACH, "x")

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", fail)
        with pytest.raises(TransportError, match="No route to host"):
            await open_port("tcp://127.0.0.1:1", ears.on_bytes, ears.on_lost)

    async def test_no_modem_lines(self, ears):
        async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as server:
            number = server.sockets[0].getsockname()[1]
            port = await open_port(f"tcp://127.0.0.1:{number}", ears.on_bytes, ears.on_lost)
            with pytest.raises(TransportError, match="no DTR and RTS"):
                await port.set_lines(dtr=True)
            await port.close()


@pytest.fixture
def pty_pair():
    master, slave = os.openpty()
    tty.setraw(slave)
    ends = {"master": master, "slave": slave, "path": os.ttyname(slave)}
    yield ends
    for name in ("master", "slave"):
        if ends[name] is not None:
            os.close(ends[name])


class TestSerial:
    async def test_bytes_both_ways(self, ears, pty_pair):
        port = await open_port(pty_pair["path"], ears.on_bytes, ears.on_lost)
        assert str(port.address) == f"serial://{pty_pair['path']}"
        port.write(b"\x00\x14\xff")
        assert os.read(pty_pair["master"], 3) == b"\x00\x14\xff"
        os.write(pty_pair["master"], b"\x00\x0d\x0a")
        await ears.until(lambda: len(ears.bytes) == 3)
        assert ears.bytes == b"\x00\x0d\x0a"
        await port.close()
        assert ears.errors == []

    async def test_unplugged(self, ears, pty_pair):
        port = await open_port(pty_pair["path"], ears.on_bytes, ears.on_lost)
        for name in ("slave", "master"):
            os.close(pty_pair[name])
            pty_pair[name] = None
        await ears.until(lambda: ears.errors)
        assert "is gone: was the adapter unplugged" in str(ears.errors[0])
        await port.close()

    async def test_used_by_another(self, ears, pty_pair):
        port = await open_port(pty_pair["path"], ears.on_bytes, ears.on_lost)
        with pytest.raises(PortBusy, match="sudo fuser -v /dev/pts"):
            await open_port(pty_pair["path"], ears.on_bytes, ears.on_lost)
        await port.close()
        port = await open_port(pty_pair["path"], ears.on_bytes, ears.on_lost)
        await port.close()

    async def test_missing(self, ears, monkeypatch):
        monkeypatch.setattr(transport, "serial_ports", lambda: ["/dev/serial/by-id/usb-one"])
        with pytest.raises(PortMissing, match="These are there: /dev/serial/by-id/usb-one"):
            await open_port("/dev/serial/by-id/usb-other", ears.on_bytes, ears.on_lost)
        monkeypatch.setattr(transport, "serial_ports", list)
        with pytest.raises(PortMissing, match="No serial port is there at all"):
            await open_port("/dev/serial/by-id/usb-other", ears.on_bytes, ears.on_lost)

    async def test_no_serial_port(self, ears, tmp_path):
        (tmp_path / "file").touch()
        for path in (tmp_path / "file", tmp_path):
            with pytest.raises(TransportError, match="is not a serial port"):
                await open_port(str(path), ears.on_bytes, ears.on_lost)

    async def test_permission_names_user_group_and_cure(self, ears, monkeypatch, tmp_path):
        async def refuse(*_, **__):
            raise PermissionError(errno.EACCES, "Permission denied")

        (tmp_path / "ttyUSB0").touch()
        monkeypatch.setattr(serialx, "create_serial_connection", refuse)
        monkeypatch.setattr(transport, "_owner", lambda _: (20, 0o20660))
        monkeypatch.setattr(transport.getpass, "getuser", lambda: "ada")
        monkeypatch.setattr(transport.grp, "getgrgid", lambda _: type("Group", (), {"gr_name": "dialout"}))
        with pytest.raises(PortPermission) as caught:
            await open_port(str(tmp_path / "ttyUSB0"), ears.on_bytes, ears.on_lost)
        text = str(caught.value)
        assert "user ada" in text
        assert "group dialout" in text
        assert "sudo usermod -aG dialout ada" in text
        assert "log in again" in text

    async def test_permission_without_names(self, ears, monkeypatch, tmp_path):
        async def refuse(*_, **__):
            raise PermissionError(errno.EACCES, "Permission denied")

        def unknown(_):
            raise KeyError

        monkeypatch.setattr(serialx, "create_serial_connection", refuse)
        monkeypatch.setattr(transport.grp, "getgrgid", unknown)
        monkeypatch.setattr(transport, "_owner", lambda _: (4711, 0o20660))
        with pytest.raises(PortPermission, match="belongs to group 4711"):
            await open_port(str(tmp_path / "ttyUSB0"), ears.on_bytes, ears.on_lost)

    @pytest.mark.parametrize("owner", [(0, 0o20660), (20, 0o20600), (20, 0o20640)])
    async def test_no_group_is_named_that_does_not_help_or_is_roots(self, ears, monkeypatch, tmp_path, owner):
        async def refuse(*_, **__):
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(serialx, "create_serial_connection", refuse)
        monkeypatch.setattr(transport, "_owner", lambda _: owner)
        with pytest.raises(PortPermission, match="no group may") as caught:
            await open_port(str(tmp_path / "ttyUSB0"), ears.on_bytes, ears.on_lost)
        assert "usermod" not in str(caught.value)

    async def test_a_rate_the_adapter_cannot_do(self, ears, monkeypatch):
        async def fail(*_, **__):
            raise serialx.UnsupportedSetting("no")

        monkeypatch.setattr(serialx, "create_serial_connection", fail)
        with pytest.raises(TransportError, match="cannot be set to 115200 baud"):
            await open_port("serial:///dev/ttyUSB0?baud=115200", ears.on_bytes, ears.on_lost)

    async def test_a_write_that_fails_is_told(self, ears, pty_pair, monkeypatch):
        def fail(_):
            raise OSError(errno.EIO, "x")

        port = await open_port(pty_pair["path"], ears.on_bytes, ears.on_lost)
        monkeypatch.setattr(port._transport, "write", fail)
        with pytest.raises(TransportError, match="is gone"):
            port.write(b"x")
        await port.close()

    async def test_modem_lines_that_fail_are_told(self, ears, pty_pair, monkeypatch):
        async def fail(**_):
            raise OSError(errno.EIO, "x")

        port = await open_port(pty_pair["path"], ears.on_bytes, ears.on_lost)
        monkeypatch.setattr(port._transport, "set_modem_pins", fail)
        with pytest.raises(TransportError, match="cannot switch its modem lines"):
            await port.set_lines(dtr=True)
        await port.close()

    async def test_broken_hardware(self, ears, monkeypatch):
        async def fail(*_, **__):
            raise OSError(errno.EIO, "x")

        monkeypatch.setattr(serialx, "create_serial_connection", fail)
        with pytest.raises(TransportError, match="Input/output error"):
            await open_port("/dev/ttyUSB0", ears.on_bytes, ears.on_lost)

    async def test_a_pty_has_no_modem_lines(self, ears, pty_pair):
        port = await open_port(pty_pair["path"], ears.on_bytes, ears.on_lost)
        with pytest.raises(TransportError, match="cannot switch its modem lines"):
            await port.set_lines(rts=False)
        await port.close()

    async def test_modem_lines_are_switched(self, ears, pty_pair, monkeypatch):
        port = await open_port(pty_pair["path"], ears.on_bytes, ears.on_lost)
        pins = serialx.ModemPins()

        async def switch(wanted):
            nonlocal pins
            pins = replace(wanted, cts=serialx.PinState.HIGH)

        async def look():
            return pins

        monkeypatch.setattr(port._transport, "_set_modem_pins", switch)
        monkeypatch.setattr(port._transport, "_get_modem_pins", look)
        await port.set_lines(rts=False)
        assert pins.rts is serialx.PinState.LOW
        await port.close()

    async def test_a_probe_that_draws_its_light_from_rts_gets_it(self, ears, pty_pair, monkeypatch):
        wanted = []

        async def note(self, **lines):
            wanted.append(lines)

        monkeypatch.setattr(transport.Port, "set_lines", note)
        monkeypatch.setattr(transport, "_LINES_SETTLE", 0.0)
        for query in ("?rts=on&dtr=off", "?rts=off", ""):
            port = await open_port(f"optical://{pty_pair['path']}{query}", ears.on_bytes, ears.on_lost)
            await port.close()
        assert wanted == [{"rts": True, "dtr": False}, {"rts": False, "dtr": None}]

    async def test_a_port_without_lines_is_closed_again_and_told(self, ears, pty_pair):
        for _ in range(2):
            with pytest.raises(TransportError, match="cannot switch its modem lines"):
                await open_port(f"serial://{pty_pair['path']}?rts=on", ears.on_bytes, ears.on_lost)

    def test_ports_are_listed(self):
        assert serial_ports() == sorted(serial_ports())


IAC, SB, SE, WILL, DO, COM_PORT = 255, 250, 240, 251, 253, 44


async def rfc2217_echo(reader, writer):
    """A server that acknowledges everything (RFC 2217: code + 100) and echoes data."""
    while byte := await reader.read(1):
        if byte[0] != IAC:
            writer.write(byte)
            continue
        (command,) = await reader.readexactly(1)
        if command == IAC:
            writer.write(bytes((IAC, IAC)))
        elif command in {WILL, DO}:
            (option,) = await reader.readexactly(1)
            writer.write(bytes((IAC, DO if command == WILL else WILL, option)))
        elif command == SB:
            body = await reader.readuntil(bytes((IAC, SE)))
            if body[0] == COM_PORT:
                writer.write(bytes((IAC, SB, COM_PORT, body[1] + 100)) + body[2:])
        else:
            await reader.readexactly(1)
    writer.close()


class TestRfc2217:
    async def test_bytes_both_ways(self, ears):
        async with await asyncio.start_server(rfc2217_echo, "127.0.0.1", 0) as server:
            number = server.sockets[0].getsockname()[1]
            port = await open_port(f"rfc2217://127.0.0.1:{number}", ears.on_bytes, ears.on_lost)
            port.write(b"\x00\x14\xff\xff\x0d")
            await ears.until(lambda: len(ears.bytes) >= 5)
            assert ears.bytes == b"\x00\x14\xff\xff\x0d"
            await port.close()
        assert ears.errors == []

    async def test_a_server_that_acknowledges_nothing(self, ears, monkeypatch):
        monkeypatch.setattr(transport, "CONNECT_TIMEOUT", 0.1)

        async def mute(reader, writer):
            await reader.read()
            writer.close()

        async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
            number = server.sockets[0].getsockname()[1]
            with pytest.raises(PortMissing, match="use tcp:// instead"):
                await open_port(f"rfc2217://127.0.0.1:{number}", ears.on_bytes, ears.on_lost)

    async def test_nobody_listens(self, ears):
        with socket.socket() as idle:
            idle.bind(("127.0.0.1", 0))
            number = idle.getsockname()[1]
        with pytest.raises(PortMissing, match="nobody listens"):
            await open_port(f"rfc2217://127.0.0.1:{number}", ears.on_bytes, ears.on_lost)
