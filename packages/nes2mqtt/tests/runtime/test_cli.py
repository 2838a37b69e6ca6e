"""The commands as a user types them, and no secret in anything they print."""

import asyncio
import logging
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from nes2mqtt.cli import app
from nes2mqtt.history.errors import HistoryError
from nes2mqtt.runtime import service
from osgp.simulator.history.happenings import PowerCut
from servicekit.password import PasswordHash

KEY = "ABCDEFGHIJKLMNOPQRST"
FULL = f"""
name = "home"
timezone = "Europe/Vienna"
data_dir = "/var/lib/nes2mqtt"

[meters.house]
port = "tcp://127.0.0.1:1"
key = "{KEY}"
name = "Our house"

[[mqtt]]
host = "192.168.1.10"
username = "gateway"
password = "broker-password"
dialects = ["homeassistant", "nmr-raw"]

[web]
password = "page-password"
token = "0123456789abcdef-token"
"""
SECRETS = (KEY, "broker-password", "page-password", "0123456789abcdef-token")


@pytest.fixture
def command():
    return CliRunner()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "nes2mqtt.toml"
    path.write_text(FULL)
    path.chmod(0o600)
    return path


def test_check_config_tells_what_will_be_done(command, file):
    result = command.invoke(app, ["check-config", "--config", str(file)])
    assert result.exit_code == 0
    for part in (
        "is good",
        "gateway 'home'",
        "Europe/Vienna",
        "meter 'house' (Our house) at tcp://127.0.0.1:1, with TLS if it speaks it, else not encrypted: power each 2 s, registers each 10 s",
        "key: 20 characters, written in the file",
        "broker 192.168.1.10:1883 without encryption: homeassistant, nmr-raw",
        "as user gateway, password written in the file",
        "history in /var/lib/nes2mqtt/history.db",
        "page at http://127.0.0.1:8099, for this machine only",
        "token written in the file",
    ):
        assert part in result.output
    assert not any(secret in result.output for secret in SECRETS)


def test_check_config_names_the_place_of_a_secret(command, file, tmp_path):
    (tmp_path / "house.key").write_text(KEY)
    file.write_text(FULL.replace(f'"{KEY}"', f'{{ file = "{tmp_path}/house.key" }}'))
    result = command.invoke(app, ["check-config", "--config", str(file)])
    assert f"key: 20 characters, from file {tmp_path}/house.key" in result.output


def test_check_config_of_a_small_configuration(command, file):
    file.write_text(f'[history]\nenabled = false\n[meters.house]\nport = "/dev/ttyUSB0"\nkey = "{KEY}"')
    result = command.invoke(app, ["check-config", "--config", str(file)])
    assert "publish to no MQTT broker" in result.output
    assert "keep no history" in result.output
    assert "show no page" in result.output


def test_check_config_warns_of_a_readable_file(command, file):
    file.chmod(0o644)
    result = command.invoke(app, ["check-config", "--config", str(file)])
    assert result.exit_code == 0
    assert f"chmod 600 {file}" in result.stderr


def typed(*words):
    """Run the command as a user does; ``run`` replaces its process, which no runner inside this one survives."""
    program = Path(sys.executable).parent / "nes2mqtt"
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("name", ["check-config", "run"])
def test_a_wrong_configuration_ends_with_2_and_says_why(file, name):
    file.write_text(FULL.replace("port =", "prot ="))
    result = typed(name, "--config", file)
    assert result.returncode == 2
    assert f"{file}:7: meters.house.prot: there is no such setting; did you mean 'port'?" in result.stderr
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.parametrize("name", ["check-config", "run"])
def test_a_missing_configuration_says_where_to_begin(tmp_path, name):
    result = typed(name, "--config", tmp_path / "none")
    assert result.returncode == 2
    assert "there is no such file" in result.stderr
    assert "nes2mqtt demo" in result.stderr


def test_hash_password_prints_what_the_configuration_takes(command):
    result = command.invoke(app, ["hash-password"], input="correct horse\n")
    text = result.output.strip()
    assert PasswordHash.parse(text).matches("correct horse")
    assert "correct horse" not in result.output


def test_version(command):
    assert command.invoke(app, ["--version"]).output.startswith("nes2mqtt 0.")


MISTAKES = (
    "",
    "x = 1\n",
    "[meters.house]\n",
    '[web]\nlisten = "0.0.0.0:1"\n',
    "[[mqtt]]\nport = 0\n",
    "oops\n",
    "é = é",
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.sampled_from(SECRETS),
    secret=st.text("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMN23456789", min_size=1, max_size=40).map(lambda t: f"q7Z{t}"),
    mistake=st.sampled_from(MISTAKES),
)
def test_no_command_prints_a_secret(command, tmp_path, place, secret, mistake):
    path = tmp_path / "some.toml"
    path.write_text(FULL.replace(place, secret) + mistake)
    result = command.invoke(app, ["check-config", "--config", str(path)])
    assert result.exit_code in {0, 2}
    assert secret not in result.output
    assert not any(other in result.output for other in SECRETS)


def test_run_prints_no_secret_whatever_goes_wrong(tmp_path):
    """The meter's port and the broker refuse; the debug log is on."""
    file = tmp_path / "nes2mqtt.toml"
    text = FULL.replace("/var/lib/nes2mqtt", str(tmp_path)).replace("192.168.1.10", "127.0.0.1")
    text = text.replace('name = "home"', 'name = "home"\nlog_level = "debug"')
    file.write_text(text.replace("[web]", '[web]\nlisten = "127.0.0.1:0"').replace("dialects", "port = 1\ndialects"))
    command = [Path(sys.executable).parent / "nes2mqtt", "run", "--config", file]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = []
    for line in process.stdout:
        said.append(line)
        if "port gone" in line:
            break
    process.terminate()
    rest, _ = process.communicate(timeout=60)
    output = "".join(said) + rest
    assert process.returncode == 0, output
    assert "nobody listens at 127.0.0.1 port 1" in output
    assert "Traceback" not in output
    assert not any(secret in output for secret in SECRETS)
    assert not any(secret.encode().hex() in output for secret in SECRETS)


def test_heavy_parts_are_loaded_only_when_their_section_is_there():
    """A gateway without a page must not pay for the web framework, nor one without a serial port for what opens those."""
    code = (
        "import sys; from pathlib import Path; from nes2mqtt.runtime import gateway; from nes2mqtt.config.settings import parse; "
        f"parse('[meters.a]\\nport = \"tcp://x:1\"\\nkey = \"{KEY}\"', Path('x')); "
        "print([name for name in ('uvicorn', 'starlette', 'pyarrow', 'typer', 'rich', 'serialx', 'difflib') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.strip() == "[]"


class TestFhem:
    def test_it_prints_the_definition_of_each_meter(self, command, file):
        result = command.invoke(app, ["fhem", "--config", str(file), "--iodev", "broker"])
        assert result.exit_code == 0
        assert result.output.startswith("defmod NES_house MQTT2_DEVICE")
        assert "attr NES_house IODev broker" in result.output
        assert not any(secret in result.output for secret in SECRETS)

    def test_a_configuration_without_its_dialect(self, command, file):
        file.write_text(FULL.replace(', "nmr-raw"', ""))
        result = command.invoke(app, ["fhem", "--config", str(file)])
        assert result.exit_code == 2
        assert 'dialects = ["nmr-raw"]' in result.stderr

    def test_a_meter_that_is_not_there(self, command, file):
        result = command.invoke(app, ["fhem", "--config", str(file), "--meter", "barn"])
        assert result.exit_code == 2
        assert "there are: house" in result.stderr


class TestEnds:
    """How a run that fails ends: with 1, in the log, and with no secret."""

    @pytest.fixture(autouse=True)
    def as_it_was(self):
        root = logging.getLogger()
        handlers, level = list(root.handlers), root.level
        mask = os.umask(0o022)  # the service keeps its files private
        yield
        os.umask(mask)
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(capture=False)

    def run(self, file, monkeypatch, error):
        async def fail(config, **_):
            raise error

        limits = []
        monkeypatch.setattr("nes2mqtt.runtime.gateway.run", fail)
        monkeypatch.setattr("resource.setrlimit", lambda *limit: limits.append(limit))
        code = service.main(file)
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert (resource.RLIMIT_CORE, (0, 0)) in limits, "a crash writes no image of the memory"
        assert (resource.RLIMIT_NOFILE, (most, most)) in limits, "each of thousands of meters takes an open file"
        return code

    def test_a_database_of_a_newer_program(self, file, monkeypatch, capsys):
        assert self.run(file, monkeypatch, HistoryError("a newer nes2mqtt wrote this history")) == 1
        said = capsys.readouterr()
        assert "stopped: a newer nes2mqtt wrote this history" in said.err
        assert "Traceback" not in said.err

    def test_a_mistake_of_the_program(self, file, monkeypatch, capsys):
        assert self.run(file, monkeypatch, ValueError(f"key {KEY} and broker-password")) == 1
        said = capsys.readouterr()
        assert "please report it" in said.err
        assert "Traceback" in said.err
        assert "key [secret] and [secret]" in said.err
        assert not any(secret in said.out + said.err for secret in SECRETS)


class TestExport:
    def test_a_history_that_is_not_there(self, command, file, tmp_path):
        file.write_text(FULL.replace("/var/lib/nes2mqtt", str(tmp_path)))
        arguments = ["export", "--config", str(file), "--from", "2026-11-01", "--out", str(tmp_path / "out.csv")]
        result = command.invoke(app, arguments)
        assert result.exit_code == 1
        assert "there is no history at" in result.stderr

    def test_a_format_that_is_not_there(self, command, file, tmp_path):
        arguments = ["export", "--config", str(file), "--from", "2026-11-01", "--out", "x", "--format", "xls"]
        result = command.invoke(app, arguments)
        assert result.exit_code == 2
        assert "csv, parquet" in result.stderr


@pytest.mark.parametrize(
    ("scenario", "wanted"),
    [("power-cot=5s", "there is no scenario 'power-cot'"), ("sag,at=2025-01-01", "installed on")],
)
def test_a_wrong_scenario_of_the_demonstration_is_told_before_anything_starts(scenario, wanted, tmp_path):
    done = CliRunner().invoke(app, ["demo", "--folder", str(tmp_path / "var"), "--scenario", scenario])
    assert done.exit_code == 2
    assert wanted in done.stderr
    assert not (tmp_path / "var").exists()


def test_what_the_scenario_says_happens_to_the_demonstrations_house(monkeypatch):
    houses = []

    async def run_demo(*_, house, **__):
        houses.append(house)

    monkeypatch.setattr("nes2mqtt.runtime.demo.run_demo", run_demo)
    monkeypatch.setattr("nes2mqtt.runtime.service.run_until_stopped", lambda work: asyncio.run(work) or 0)
    monkeypatch.setattr("nes2mqtt.host.log.set_up", lambda *_: None)
    assert CliRunner().invoke(app, ["demo", "--scenario", "power-cut=90s,at=-1d"]).exit_code == 0
    (happening,) = houses[0].history
    assert isinstance(happening, PowerCut)
    assert happening.seconds == 90
