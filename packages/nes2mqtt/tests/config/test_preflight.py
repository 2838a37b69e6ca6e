"""What check-config calls good, run can do; what it cannot do now is named."""

import os
import socket
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nes2mqtt.cli import app
from nes2mqtt.config.preflight import not_there_now
from nes2mqtt.config.settings import parse

KEY = "k" * 20


@pytest.fixture
def look(tmp_path):
    """Return what a configuration would lack now; by default one that lacks nothing."""

    def look(more="", *, port="tcp://127.0.0.1:1", data_dir=tmp_path, ports=(), meter=""):
        text = f'timezone = "UTC"\ndata_dir = "{data_dir}"\n[meters.house]\nport = "{port}"\nkey = "{KEY}"\n{meter}\n{more}'
        return list(not_there_now(parse(text, Path("test.toml")), ports=lambda: ports))

    return look


@pytest.fixture
def no_rights(monkeypatch):
    """Take this user's rights on files away, also if it is root."""
    monkeypatch.setattr(os, "access", lambda *_: False)


def test_what_lacks_nothing_is_good(look):
    assert look() == []


def test_r6_a_port_that_does_not_exist(look):
    (said,) = look(port="/dev/serial/by-id/usb-none", ports=("/dev/serial/by-id/usb-FTDI", "/dev/ttyS0"))
    assert "meters.house.port: /dev/serial/by-id/usb-none is not there now; " in said
    assert "present: /dev/serial/by-id/usb-FTDI, /dev/ttyS0" in said
    (said,) = look(port="optical:///dev/ttyUSB7")
    assert "no serial port is present" in said


def test_r6_check_config_does_not_call_it_good(tmp_path):
    file = tmp_path / "nes2mqtt.toml"
    file.write_text(f'data_dir = "{tmp_path}"\n[meters.house]\nport = "/dev/ttyUSB77"\nkey = "{KEY}"\n')
    result = CliRunner().invoke(app, ["check-config", "--config", str(file)])
    assert result.exit_code == 0
    assert "is good" not in result.output
    assert "Not now: meters.house.port: /dev/ttyUSB77 is not there now" in result.stderr


def test_r6_a_port_that_is_none(look, tmp_path):
    (tmp_path / "port").touch()
    assert "is no serial port" in look(port=str(tmp_path / "port"))[0]


def test_r6_a_port_this_user_may_not_open(look, no_rights):
    assert any("may not open /dev/null; type: sudo usermod -aG dialout" in said for said in look(port="/dev/null"))


def test_r6_one_adapter_under_two_names(look, tmp_path):
    (tmp_path / "by-id").symlink_to("/dev/null")
    (said,) = look(f'[meters.shed]\nport = "{tmp_path}/by-id"\nkey = "{KEY}"\n', port="/dev/null")
    assert said == "meters.shed.port: meters.house has the same adapter (/dev/null); only one can use it"


def test_r6_a_bridge_and_a_broker_without_an_address(look, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: (_ for _ in ()).throw(socket.gaierror()))
    meter, broker = look('[[mqtt]]\nhost = "borker.invalid"\n', port="tcp://bridge.invalid:23")
    assert "meters.house.port: nothing is called bridge.invalid now" in meter
    assert "mqtt borker.invalid:1883: nothing is called borker.invalid now" in broker


@pytest.mark.parametrize("content", [b"", b"no certificate", b"\xef\xbb\xbf-----BEGIN CERTIFICATE-----\n"])
def test_r6_a_ca_file_of_garbage(look, tmp_path, content):
    (tmp_path / "ca.pem").write_bytes(content)
    (said,) = look(f'[[mqtt]]\nhost = "127.0.0.1"\n[mqtt.tls]\nca_file = "{tmp_path}/ca.pem"\n')
    assert f"mqtt 127.0.0.1:8883: ca_file {tmp_path}/ca.pem holds no certificate in PEM form" in said


def test_r6_a_key_that_does_not_fit_its_certificate(look, tmp_path):
    for name in ("a", "b"):
        files = f"-keyout {tmp_path}/{name}.key -out {tmp_path}/{name}.pem"
        command = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x {files}"
        subprocess.run(command.split(), check=True, capture_output=True)
    tls = '[[mqtt]]\nhost = "127.0.0.1"\n[mqtt.tls]\ncert_file = "{0}/a.pem"\nkey_file = "{0}/{1}.key"\n'
    assert look(tls.format(tmp_path, "a")) == []
    assert "cert_file and key_file do not fit together" in look(tls.format(tmp_path, "b"))[0]
    page = '[web]\nlisten = "127.0.0.1:0"\ntls_certificate = "{0}/a.pem"\ntls_key = "{0}/{1}.key"\n'
    assert look(page.format(tmp_path, "a")) == []
    assert "no PEM files that fit together" in look(page.format(tmp_path, "b"))[0]


def test_r6_a_port_of_the_page_that_is_taken(look):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        (said,) = look(f'[web]\nlisten = "127.0.0.1:{other.getsockname()[1]}"\n')
    assert "is in use by another program" in said


def test_r6_a_history_that_cannot_be_written(look, tmp_path, no_rights):
    assert f"history: {tmp_path} cannot be written by" in look()[0]


def test_r6_a_history_on_a_read_only_disk(look, tmp_path, no_rights, monkeypatch):
    real = os.statvfs(tmp_path)
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result((*real[:8], os.ST_RDONLY, real[9])))
    assert "mounted read-only" in look()[0]


def test_r6_a_history_that_is_a_folder_or_in_a_file(look, tmp_path):
    (tmp_path / "history.db").mkdir()
    assert "is a folder; name a file" in look()[0]
    (tmp_path / "file").touch()
    assert "is no folder" in look(data_dir=tmp_path / "file" / "deeper")[0]


def test_a_folder_that_will_be_made_is_good(look, tmp_path):
    assert look(data_dir=tmp_path / "new" / "deeper") == []
    assert not (tmp_path / "new").exists()


def test_r6_a_disk_without_room(look, monkeypatch):
    monkeypatch.setattr("nes2mqtt.config.preflight._LEAST_ROOM", 10**18)
    assert "less than 100 MB left" in look()[0]


def test_r6_a_power_cycle_that_cannot_be_done(look):
    (said,) = look(meter='[meters.house.power_cycle]\nkind = "command"\ncommand = ["/no/such/program"]')
    assert "meters.house.power_cycle: there is no program /no/such/program" in said
    said = look(meter='[meters.house.power_cycle]\nkind = "gpio"\nline = 17\nchip = "/dev/none"')
    assert len(said) == 1
