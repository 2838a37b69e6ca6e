"""The last step: all files or none, with the right rights, over nothing that was there."""

import os
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from nes2mqtt.config.settings import load, warnings_for
from nes2mqtt.setup import writing
from nes2mqtt.setup.draft import Draft
from nes2mqtt.setup.said import Said
from nes2mqtt.setup.steps import StepName
from nes2mqtt.setup.writing import Place, gateway_name, plan, save
from servicekit.password import PasswordHash
from servicekit.secret import Secret

HASH = str(PasswordHash.of("correct horse battery"))
KEY = "CANARY-KEY-987654321"
DRAFT = Draft(
    password_hash=HASH,
    port="serial:///dev/serial/by-id/usb-x",
    key=Secret(KEY),
    name='Our "house" \\ \u00e6\x7f',
    id="house",
    timezone="Europe/Copenhagen",
    use="homeassistant",
    host="192.168.1.10",
    username="gateway",
    broker_password=Secret("CANARY-broker-pass"),
    done=frozenset(StepName),
)


def content(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_what_is_written_is_what_the_gateway_reads(place):
    saved = save(DRAFT, place, 8099)
    config = load(place.config)
    assert saved.settings == config
    assert config.name == "raspberrypi"
    assert str(config.timezone) == "Europe/Copenhagen"
    house = config.meters["house"]
    assert (house.name, house.port, house.key.reveal()) == (DRAFT.name, DRAFT.port, KEY)
    (broker,) = config.mqtt
    assert (broker.host, broker.username, broker.password.reveal()) == ("192.168.1.10", "gateway", "CANARY-broker-pass")
    assert (broker.base_topic, [str(dialect) for dialect in broker.dialects]) == ("raspberrypi", ["homeassistant"])
    assert config.web.listen == "0.0.0.0:8099"
    assert PasswordHash.parse(config.web.password.reveal()).matches("correct horse battery")
    assert warnings_for(config, place.config) == []


def test_the_secrets_are_in_files_that_only_the_owner_can_read_and_nowhere_else(place):
    before = os.umask(0)
    try:
        save(DRAFT, place, 8099)
    finally:
        os.umask(before)
    files = content(place.config.parent)
    assert files["house.key"] == f"{KEY}\n"
    assert files["mqtt-password"] == "CANARY-broker-pass\n"
    assert files["web-password"] == f"{HASH}\n"
    assert not any(secret in files["nes2mqtt.toml"] for secret in (KEY, "CANARY-broker-pass", HASH))
    assert {path.stat().st_mode & 0o777 for path in place.config.parent.iterdir()} == {0o600}


def test_a_configuration_that_is_there_stays(place):
    place.config.write_text("# mine\n")
    assert save(DRAFT, place, 8099) == Said("file_exists", "", {"file": str(place.config)})
    assert content(place.config.parent) == {"nes2mqtt.toml": "# mine\n"}


def test_a_link_that_leads_nowhere_is_something_that_is_there(place, tmp_path):
    place.config.symlink_to(tmp_path / "elsewhere")
    assert save(DRAFT, place, 8099).code == "file_exists"
    assert not (tmp_path / "elsewhere").exists()


def test_a_key_file_that_is_there_stays_and_the_new_one_gets_another_name(place):
    (place.config.parent / "house.key").write_text("somebody's only copy")
    save(DRAFT, place, 8099)
    files = content(place.config.parent)
    assert files["house.key"] == "somebody's only copy"
    assert files["house-2.key"] == f"{KEY}\n"
    assert load(place.config).meters["house"].key.reveal() == KEY


@pytest.mark.parametrize(
    ("number", "code"),
    [(28, "disk_full"), (122, "disk_full"), (13, "no_rights"), (30, "no_rights"), (5, "cannot_write")],
)
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_what_cannot_be_written_leaves_nothing_behind(place, monkeypatch, number, code, at):
    """28 is ENOSPC, 122 EDQUOT, 13 EACCES, 30 EROFS, 5 EIO."""
    calls = []
    real = os.fsync

    def fails(descriptor):
        calls.append(descriptor)
        if len(calls) == 2 * at:  # the first is of the trial in the data folder; then a file and its folder, each time
            raise OSError(number, os.strerror(number))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fails)
    assert save(DRAFT, place, 8099).code == code
    assert len(calls) >= 2 * at
    assert content(place.config.parent) == {}


def test_a_disk_that_is_really_full(place):
    """/dev/full takes no byte; a file size limit does the same to a whole process (setrlimit(2))."""
    program = (
        "import resource, signal, sys, pathlib; from nes2mqtt.setup.writing import *;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10));"
        "print(put_all([(pathlib.Path(sys.argv[1]) / 'a', 'short', 0o600), (pathlib.Path(sys.argv[1]) / 'b', 'x' * 100, 0o600)]).code)"
    )
    folder = place.config.parent
    done = subprocess.run([sys.executable, "-c", program, folder], capture_output=True, text=True, check=True)
    assert done.stdout == "disk_full\n"
    assert content(folder) == {}


def test_a_disk_that_knows_no_links(place, monkeypatch):
    def refused(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    assert isinstance(save(DRAFT, place, 8099), writing.Saved)
    assert len(content(place.config.parent)) == 4


def test_two_that_save_at_once_do_not_mix(place):
    first, second = save(DRAFT, place, 8099), save(DRAFT, place, 8100)
    assert isinstance(first, writing.Saved)
    assert second.code == "file_exists"
    assert load(place.config).web.address.port == 8099


@pytest.mark.parametrize(
    ("computer", "name"),
    [
        ("raspberrypi", "raspberrypi"),
        ("RPi-2.local", "rpi_2_local"),
        ("4711", "gateway_4711"),
        ("häuschen", "haeuschen"),
        ("homeassistant", "nes2mqtt"),
        ("", "house"),
    ],
)
def test_r4_the_gateway_is_named_after_its_computer(computer, name):
    assert gateway_name(computer) == name


@pytest.mark.parametrize("use", ["none", "homeassistant", "fhem"])
@pytest.mark.parametrize("optical", [True, False])
def test_every_way_through_makes_a_good_configuration(place, use, optical):
    port = "optical:///dev/ttyUSB0" if optical else "tcp://127.0.0.1:4000"
    draft = replace(
        DRAFT, use=use, optical=optical, port=port, padding="blanks", tls=True, broker_port=8884, reach="here"
    )
    made = plan(draft, place, 8099)
    assert tomllib.loads(made.text)["web"]["listen"] == "127.0.0.1:8099"
    assert made.checked.meters["house"].key_padding == ("blanks" if optical else "zeros")
    dialects = [str(dialect) for broker in made.checked.mqtt for dialect in broker.dialects]
    assert dialects == {"none": [], "homeassistant": ["homeassistant"], "fhem": ["nmr-raw"]}[use]


class TestService:
    @pytest.fixture
    def service(self, tmp_path):
        folder = tmp_path / "etc"
        folder.mkdir()
        return Place(
            folder / "nes2mqtt.toml", "raspberrypi", tmp_path / "system" / "nes2mqtt.service.d" / "secrets.conf"
        )

    def test_systemd_hands_the_secrets_over(self, service, tmp_path):
        before = os.umask(0o077)  # as the set-up itself runs
        try:
            saved = save(DRAFT, service, 8099)
        finally:
            os.umask(before)
        assert saved.for_service
        config = tomllib.loads(service.config.read_text())
        assert config["meters"]["house"]["key"] == {"credential": "house.key"}
        assert config["web"]["password"] == {"credential": "web-password"}
        assert service.config.stat().st_mode & 0o777 == 0o644  # the service's user is nobody's
        assert (tmp_path / "etc" / "house.key").stat().st_mode & 0o777 == 0o600
        assert service.drop_in.read_text() == (
            "[Service]\n"
            f"LoadCredential=mqtt-password:{tmp_path}/etc/mqtt-password\n"
            f"LoadCredential=web-password:{tmp_path}/etc/web-password\n"
        )

    def test_a_key_file_that_was_made_empty_is_filled(self, service, tmp_path):
        (tmp_path / "etc" / "house.key").touch()
        save(DRAFT, service, 8099)
        assert (tmp_path / "etc" / "house.key").read_text() == f"{KEY}\n"

    def test_a_key_file_with_a_key_is_told(self, service, tmp_path):
        (tmp_path / "etc" / "house.key").write_text("another")
        assert save(DRAFT, service, 8099).code == "file_exists"
        assert (tmp_path / "etc" / "house.key").read_text() == "another"

    def test_only_where_the_installed_service_looks(self, tmp_path):
        unit = tmp_path / "nes2mqtt.service"
        assert Place.at(tmp_path / "nes2mqtt.toml", "x", unit).drop_in is None
        unit.touch()
        assert Place.at(tmp_path / "nes2mqtt.toml", "x", unit).drop_in is None
        etc = Path("/etc/nes2mqtt/nes2mqtt.toml")
        assert Place.at(etc, "x", unit).drop_in == tmp_path / "nes2mqtt.service.d" / "secrets.conf"
        unit.unlink()
        assert Place.at(etc, "x", unit).drop_in is None
