"""Which ports there are by the names people know, and who or what keeps us from using one; on a Linux made of files."""

import os

import pytest

from nes2mqtt.setup.detect import Holder, found_ports, holder_of, what_hinders
from nes2mqtt.setup.said import Said

NULL = "/dev/null"
"""A character device that everybody has; who holds it is told by the made-up ``/proc``."""


@pytest.fixture
def linux(tmp_path):
    """Return a root with ``/proc`` and ``/sys`` in which nothing is going on."""
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "consoles").write_text("tty0                 -WU (EC  p  )    4:1\n")
    (tmp_path / "sys/class/tty").mkdir(parents=True)
    return tmp_path


def program(root, pid, name, *files):
    folder = root / "proc" / str(pid)
    (folder / "fd").mkdir(parents=True)
    (folder / "comm").write_text(f"{name}\n")
    for number, target in enumerate(files):
        (folder / "fd" / str(number)).symlink_to(target)


def test_nothing_hinders(linux):
    program(linux, 17, "cat", "/dev/tty1", "socket:[1234]")
    assert what_hinders(NULL, root=linux, may_open=lambda _: True) is None


@pytest.mark.parametrize(
    ("name", "code"),
    [("brltty", "port_brltty"), ("ModemManager", "port_modemmanager"), ("minicom", "port_held")],
)
def test_a_program_that_has_the_port_is_named(linux, name, code):
    program(linux, 4711, name, "/dev/tty1", NULL)
    said = what_hinders(NULL, root=linux, may_open=lambda _: True)
    assert said == Said(code, "port", {"port": NULL, "program": name, "pid": 4711})


def test_ourselves_are_nobody_else(linux):
    program(linux, os.getpid(), "nes2mqtt", NULL)
    assert holder_of(NULL, linux) is None


def test_a_process_that_ends_while_it_is_looked_at(linux):
    (linux / "proc" / "99").mkdir()
    program(linux, 100, "minicom", NULL)
    assert holder_of(NULL, linux) == Holder("minicom", 100)


def test_the_console_of_this_computer(linux):
    (linux / "proc" / "consoles").write_text("null                 -W- (EC  p a)  204:64\n")
    said = what_hinders(NULL, root=linux, may_open=lambda _: True)
    assert said == Said("port_console", "port", {"port": NULL})


def test_a_right_that_is_missing(linux, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "pi")
    for group, code in (("dialout", "port_permission"), ("", "port_forbidden")):
        monkeypatch.setattr("nes2mqtt.setup.detect.group_to_join", lambda _, group=group: group)
        said = what_hinders(NULL, root=linux, may_open=lambda _: False)
        assert said == Said(code, "port", {"port": NULL, "group": group, "user": "pi"})


def test_what_is_no_port_or_not_there(linux, tmp_path):
    (tmp_path / "file").touch()
    assert what_hinders(str(tmp_path / "file"), root=linux).code == "port_no_port"
    assert what_hinders(str(tmp_path / "gone"), root=linux).code == "port_missing"


def test_adapters_come_first_and_ports_without_hardware_are_left_out(linux):
    for name, kind in (("ttyS0", "4"), ("ttyS1", "0")):
        (linux / "sys/class/tty" / name).mkdir()
        (linux / "sys/class/tty" / name / "type").write_text(f"{kind}\n")
    listed = [("/dev/ttyS0", ""), ("/dev/ttyS1", ""), ("/dev/serial/by-id/usb-FTDI", "FTDI FT232R USB UART")]
    found = found_ports(lambda: listed, linux)
    assert [(port.path, port.title) for port in found] == [
        ("/dev/serial/by-id/usb-FTDI", "FTDI FT232R USB UART"),
        ("/dev/ttyS0", ""),
    ]


def test_without_a_proc_nothing_is_known(tmp_path):
    assert what_hinders(NULL, root=tmp_path, may_open=lambda _: True) is None
