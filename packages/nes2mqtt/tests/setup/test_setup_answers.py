"""A first run from a file of answers: for images, where nobody can be asked."""

import os
import resource

import pytest
from typer.testing import CliRunner

from nes2mqtt.cli import app
from nes2mqtt.config.settings import load

KEY = "CANARY-KEY-987654321"
GOOD = f"""
test_meter = false
test_broker = false
[password]
password = "correct horse battery"
[port]
port = "/dev/ttyAMA0"
socket = "mep"
[key]
key = "{KEY}"
[name]
name = "House"
timezone = "Europe/Copenhagen"
[mqtt]
use = "homeassistant"
host = "192.168.1.10"
broker_port = 1884
tls = true
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    limits = []
    monkeypatch.setattr("resource.setrlimit", lambda *limit: limits.append(limit))  # a hard limit cannot be taken back
    mask = os.umask(0o022)  # the command keeps its files private

    def invoke(text, *more):
        (tmp_path / "answers.toml").write_text(text)
        config = tmp_path / "etc" / "nes2mqtt.toml"
        arguments = ["setup", "--config", str(config), "--answers", str(tmp_path / "answers.toml"), *more]
        done = CliRunner().invoke(app, arguments)
        assert limits == [(resource.RLIMIT_CORE, (0, 0))], "a crash writes no image of the memory, in which the key is"
        return done, config

    yield invoke
    os.umask(mask)


def test_all_answers_at_once(run):
    done, config = run(GOOD)
    assert done.exit_code == 0, done.output
    assert str(config) in done.output
    settings = load(config)
    assert settings.meters["house"].key.reveal() == KEY
    assert settings.mqtt[0].broker_port == 1884
    assert settings.mqtt[0].uses_tls
    assert KEY not in done.output


def test_all_that_is_wrong_is_told_at_once_in_the_language_that_is_wanted(run):
    bad = (
        GOOD.replace("correct horse battery", "short")
        .replace("/dev/ttyAMA0", "COM3")
        .replace(KEY, "CANARY")
        .replace("Europe/Copenhagen", "Europe/Kopenhagen")
        .replace("192.168.1.10", "mqtt://192.168.1.10")
    )
    done, config = run(bad, "--language", "de")
    assert done.exit_code == 2
    lines = done.output.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "[password] password",
        "[port] port",
        "[key] key",
        "[name] timezone",
        "[mqtt] host",
    ]
    assert "Diese Zeitzone gibt es nicht" in done.output
    assert "CANARY" not in done.output
    assert not config.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("[key]", "[keys]"), "keys: there is no such step"),
        (("socket =", "sockets ="), "[port] sockets: there is no such answer; there are port, socket"),
        (("test_meter = false", 'test_meter = "no"'), "test_meter: true or false"),
        ((f'key = "{KEY}"', "key = 7"), "[key] key: a secret is"),
        ((f'key = "{KEY}"', 'key = { file = "/nowhere/CANARY-KEY" }'), "[key] key: the file named here cannot be read"),
        (("[port]\nport", '[port]\nport = "CANARY-KEY"\nport'), "is not TOML"),
    ],
)
def test_a_file_that_is_none_of_answers(run, change, said):
    done, config = run(GOOD.replace(*change))
    assert done.exit_code == 2
    assert said in done.output
    assert "CANARY-KEY" not in done.output
    assert not config.exists()


def test_a_meter_that_is_not_there_is_told_unless_it_is_not_to_be_tried(run):
    done, config = run(GOOD.replace("test_meter = false", "").replace("/dev/ttyAMA0", "tcp://127.0.0.1:1"))
    assert done.exit_code == 2
    assert done.output.splitlines() == [
        "[port] port: Nobody answers at 127.0.0.1:1. Check name, port and that the serial server is switched on."
    ]
    assert not config.exists()


def test_a_configuration_that_is_there_stays(run):
    _, config = run(GOOD)
    before = config.read_text()
    done, _ = run(GOOD)
    assert done.exit_code == 2
    assert "is there already" in done.output
    assert config.read_text() == before


def test_a_language_there_is_not(run):
    done, _ = run(GOOD, "--language", "fr")
    assert done.exit_code == 2
    assert "en, da, de" in done.output


def test_without_a_set_up_there_is_no_code():
    done = CliRunner().invoke(app, ["setup-code"])
    assert done.exit_code == 1
    assert "no set-up goes on" in done.output
