"""``osgp simulate`` as people start it: as a process."""

import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress

import pytest

from osgp.cli import main
from osgp.key import MeterKey
from osgp.mep.security import Security
from osgp.meter import open_meter
from osgp.meter.writing import AllowWrites
from osgp.optical.key import OpticalKey
from osgp.simulator import DEMO_KEY_TEXT, FAULTS, SCENARIOS

PATIENCE = 60


def command(*words):
    return [sys.executable, "-c", "from osgp.cli import main; main()", "simulate", *words]


def environment(**more):
    return {name: value for name, value in os.environ.items() if name not in {"OSGP_KEY", "OSGP_RK"}} | more


def run(*words, **more):
    return subprocess.run(
        command(*words), env=environment(**more), capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@contextmanager
def running(*words, **more):
    """Start the command; yields the process and its first line."""
    process = subprocess.Popen(
        command(*words), env=environment(**more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        ready, _, _ = select.select([process.stdout], [], [], PATIENCE)  # type: ignore[type-var]
        assert ready, "nothing was said"
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


def url_in(line, scheme="tcp"):
    return next(word.strip(",") for word in line.split() if word.startswith(f"{scheme}://"))


async def test_a_meter_is_served_and_killed_and_goes_on():
    energies = []
    for _ in range(2):
        with running("--baud", "0", "--encrypt-only") as (_process, line):
            assert "public demo key" in line
            key = MeterKey.parse(DEMO_KEY_TEXT)
            async with open_meter(url_in(line), key=key, security="rc4", read_budget=None) as meter:
                values = await meter.registers()
        energies.append({source.key: value for source, value in values.items() if "net" not in source.key})
    assert all(energies[1][name] >= value for name, value in energies[0].items())
    assert energies[0]["active_energy_import"] > 0


@pytest.mark.parametrize(
    ("rule", "taken"), [("absent", Security.RC4_PLAIN), ("offered", Security.TLS), ("required", Security.TLS)]
)
async def test_a_meter_speaks_tls_as_told(rule, taken):
    with running("--baud", "0", "--tls", rule) as (_process, line):
        async with open_meter(url_in(line), key=MeterKey.parse(DEMO_KEY_TEXT), read_budget=None) as meter:
            assert await meter.registers()
            assert meter.security is taken


async def test_the_optical_port_is_served_with_keys_of_its_own(tmp_path):
    port, unique = tmp_path / "probe", tmp_path / "mk"
    unique.write_text("unique key, 20 bytes\n")
    words = ("--mep", "tcp:127.0.0.1:0", "--optical", f"pty:{port}", "--optical", "tcp:127.0.0.1:0", "--baud", "0")
    with running(*words, "--mk-file", str(unique), OSGP_RK="read-only key, 20 b.") as (_process, line):
        assert "optical port: key of 20 characters from OSGP_RK" in line
        assert "read-only" not in line
        read_only, all_rights = OpticalKey(b"read-only key, 20 b."), OpticalKey(b"unique key, 20 bytes")
        async with open_meter(url_in(line), key=MeterKey.parse(DEMO_KEY_TEXT)) as meter:
            serial = (await meter.identity()).serial
        async with open_meter(url_in(line, "optical"), key=read_only) as meter:
            assert (await meter.identity()).serial == serial
        async with open_meter(
            url_in(line, "optical+tcp"), key=all_rights, allow_writes=AllowWrites(tables=("ET11",))
        ) as meter:
            await meter.write("ET11", b"\xaa", 3)
    with running("--optical", "tcp:127.0.0.1:0") as (_process, line):
        assert " tcp:" not in line
        assert "public demo key" in line


async def test_an_image_file_a_terminal_a_key_file_and_a_clean_end(tmp_path):
    image, key, port = tmp_path / "image.json", tmp_path / "key", tmp_path / "port"
    image.write_text(json.dumps({"tables": {"BT23": {"offset": 0, "hex": "01 00 00 00" * 55}}}))
    key.write_text("ABCDEFGHIJKLMNOPQRST\n")
    with running(str(image), "--mep", f"pty:{port}", "--mep", "tcp:127.0.0.1:0", "--key-file", str(key)) as (
        process,
        line,
    ):
        assert "20 characters" in line
        assert "ABCDEF" not in line
        for scheme in ("serial", "tcp"):
            secret = MeterKey.parse("ABCDEFGHIJKLMNOPQRST")
            async with open_meter(url_in(line, scheme), key=secret, read_budget=None) as meter:
                assert await meter.read("BT23", 0, 220) == bytes((1, 0, 0, 0)) * 55
        assert port.is_symlink()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == ""
        assert not port.is_symlink()


async def test_what_happened_two_days_ago_is_in_the_event_log():
    with running("--baud", "0", "--scenario", "cover-opened,at=-2d") as (_process, line):
        async with open_meter(url_in(line), key=MeterKey.parse(DEMO_KEY_TEXT), read_budget=None) as meter:
            assert (await meter.read("BT03", 0, 3))[2] & 0x10, "cover removed"


async def test_a_meter_of_the_fourth_generation_has_two_mep_ports():
    words = ("--baud", "0", "--scenario", "firmware=4.30", "--mep", "tcp:127.0.0.1:0", "--mep2", "tcp:127.0.0.1:0")
    with running(*words) as (_process, line):
        urls = [word.strip(",") for word in line.split() if word.startswith("tcp://")]
        channels = []
        for url in urls:
            async with open_meter(url, key=MeterKey.parse(DEMO_KEY_TEXT), read_budget=None) as meter:
                channels.append(await meter.read("ET70", 142, 1))
    assert channels == [b"\1", b"\2"]


def test_a_signal_power_cycles_the_level_shifter():
    with running("--fault", "stuck-level-shifter=1") as (process, _line):
        process.send_signal(signal.SIGUSR1)
        assert process.stdout.readline() == "Power-cycled the level shifter\n"


def ports_in_a_row(number: int) -> int:
    """Return the first of so many free ports, below those that the system gives to whoever asks for any."""
    with ExitStack() as held:
        for first in random.sample(range(20_000, 32_000 - number), 100):
            with suppress(OSError):
                for port in range(first, first + number):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
                return first
    raise AssertionError("no free ports in a row")


def test_a_town_takes_ports_one_after_another():
    first = ports_in_a_row(12)
    with running("denmark-gen3", "--meters", "12", "--mep", f"tcp:127.0.0.1:{first}") as (_process, line):
        assert f"12 simulated meters, tcp://127.0.0.1:{first} to tcp://127.0.0.1:{first + 11}" in line
        for port in (first, first + 11):
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()


def test_a_key_on_the_command_line_is_not_repeated():
    secret = "0123456789ABCDEFGHIJ"
    with running("--key", secret) as (process, line):
        assert secret not in line
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        hint = process.stderr.read()
    assert "--key-file" in hint
    assert secret not in hint


def test_a_key_in_the_environment_needs_no_hint():
    with running(OSGP_KEY="0123456789ABCDEFGHIJ") as (process, line):
        assert "from OSGP_KEY" in line
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--fault", "lose=1"], ", ".join(FAULTS)),
        (["--fault", "delay=long"], "delay=SECONDS"),
        (["--scenario", "power-cot=90s"], ", ".join(SCENARIOS)),
        (["--scenario", "power-cut=90s,at=2025-01-01T00:00"], "installed on 2026-01-01"),
        (["denmark-gen3", "--scenario", "power-cut=90s"], "--scenario needs the house"),
        (["--key", "short"], "has 5 characters"),
        (["--key-file", "/nowhere/key"], "cannot read the key file /nowhere/key"),
        (["--key", "0123456789ABCDEFGHIJ", "--key-file", "/nowhere/key"], "not both"),
        (["--advanced-key-file", "/nowhere/key"], "/nowhere/key"),
        (["--baud", "10"], "300 to 115200"),
        (["--mep", "tcp:4000"], "tcp:HOST:PORT"),
        (["--mep", "tcp:127.0.0.1:99999"], "at most 65535"),
        (["--mep", "udp:127.0.0.1:4000"], "pty:PATH or tcp:HOST:PORT"),
        (["--mep", "tcp:203.0.113.9:0"], "no address 203.0.113.9"),
        (["--mep2", "tcp:127.0.0.1:0"], "one MEP port; houses' meters from firmware 4.0 on have two"),
        (["--meters", "0"], "1 to 20000"),
        (["--meters", "3", "--mep", "pty:/tmp/x"], "exactly one --mep or --optical tcp:"),
        (["--meters", "3", "--mep", "tcp:127.0.0.1:65534"], "begin lower"),
        (["/nowhere/image.json"], "cannot read the image /nowhere/image.json"),
    ],
)
def test_bad_input_is_one_line_that_helps(words, wanted, monkeypatch, capsys):
    monkeypatch.delenv("OSGP_KEY", raising=False)
    monkeypatch.setattr(sys, "argv", ["osgp", "simulate", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == (4 if "no address" in wanted else 2)
    said = capsys.readouterr()
    assert said.out == ""
    last = said.err.splitlines()[-1]
    assert last.startswith("osgp: ")
    assert wanted in last
    assert "0123456789ABCDEFGHIJ" not in said.err


def test_a_port_in_use_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("--mep", f"tcp:127.0.0.1:{port}")
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
    assert f"another program already listens on 127.0.0.1:{port}" in done.stderr


def test_help_is_plain_and_faults_are_listed():
    told = run("--help").stdout
    for option in (
        "--mep",
        "--key-file",
        "--fault",
        "--scenario",
        "--seed",
        "--meters",
        "--baud",
        "--encrypt-only",
        "OSGP_KEY",
    ):
        assert option in told
    assert told.isascii()
    scenarios = run("--scenario", "list").stdout
    assert [line.split(":")[0] for line in scenarios.splitlines()] == [n + one.usage for n, one in SCENARIOS.items()]
    listed = run("--fault", "list").stdout
    assert [line.split("=")[0] for line in listed.splitlines()] == list(FAULTS)
