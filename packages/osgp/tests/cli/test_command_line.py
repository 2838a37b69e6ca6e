"""What holds for every command: exit codes, errors that name the step, no colours in pipes, a fast start."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from osgp.cli import app
from osgp.cli.exits import ExitCode
from osgp.optical.key import Padding
from osgp.optical.server import Meter as Habits

TALKING = ("read", "watch", "tables", "trace", "login-test")


@pytest.mark.parametrize("command", TALKING)
def test_a_wrong_key_ends_with_3_and_what_to_check(osgp, house, command):
    ended = osgp(command, "-p", house.mep, key="completely-different")
    assert ended.code == ExitCode.KEY
    assert "Compare the key with the letter of your grid company" in ended.err
    assert "failed: the meter refuses the key" in ended.err


@pytest.mark.parametrize("command", TALKING)
def test_a_port_that_is_not_there_ends_with_4(osgp, command):
    ended = osgp(command, "-p", "tcp://127.0.0.1:1")
    assert ended.code == ExitCode.PORT
    assert ended.err.startswith("osgp: opening tcp://127.0.0.1:1 failed: nobody listens")


@pytest.mark.parametrize("command", TALKING)
def test_no_port_no_key_and_no_address_end_with_2(osgp, command):
    assert "which port? Give --port" in osgp(command).err
    assert osgp(command).code == ExitCode.USAGE
    ended = osgp(command, "-p", "tcp://127.0.0.1:1", key=None)
    assert ended.code == ExitCode.USAGE
    assert "no key. Give --key-file" in ended.err
    assert "this address cannot be read" in osgp(command, "-p", "carrier-pigeon://roof").err


def test_errors_are_json_too(osgp, house):
    ended = osgp("read", "--json", "-p", house.mep, key="completely-different")
    error = json.loads(ended.out)["error"]
    assert error["kind"] == "KeyRejected"
    assert error["exit_code"] == ended.code == 3
    assert error["step"] == "asking who the meter is (BT01, ET03)"


def test_a_key_that_is_none_is_explained_but_not_told(osgp, house):
    ended = osgp("read", "-p", house.mep, key="short-key-text")
    assert ended.code == ExitCode.USAGE
    assert "has 14 characters" in ended.err
    assert "short-key-text" not in ended.err


def test_the_key_file_counts_before_the_environment(osgp, house, keys, tmp_path):
    (tmp_path / "key").write_text(keys.mep + "\n")
    assert osgp("login-test", "-p", house.mep, "--key-file", "key", key="completely-different").code == 0
    ended = osgp("login-test", "-p", house.mep, "--key-file", "nowhere")
    assert ended.code == ExitCode.USAGE
    assert "cannot read the key file nowhere" in ended.err
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    assert "it is no text" in osgp("login-test", "-p", house.mep, "--key-file", "key").err


def test_the_key_is_asked_for_at_a_terminal_without_echo(osgp, house, keys, typed, monkeypatch):
    monkeypatch.setattr("osgp.cli.opening.is_terminal", lambda _stream: True)
    monkeypatch.setattr(typed, "terminal", True)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: keys.mep)
    assert osgp("login-test", "-p", house.mep, key=None).code == 0


def test_no_command_takes_a_key_as_an_argument():
    for command in app.registered_commands:
        if command.callback.__name__ != "simulate":
            assert "key" not in command.callback.__annotations__


@pytest.mark.parametrize("padding", list(Padding))
def test_07_20_a_short_key_of_the_optical_port_is_filled_up_as_asked(osgp, town, house, padding):
    town.read_only_key, town.habits = "short", Habits(padding=padding)
    known, other = padding.name.lower(), next(each for each in Padding if each is not padding).name.lower()
    for command in TALKING:
        once = ("--count", "1") if command == "watch" else ()
        assert osgp(command, "-p", house.optical, "--padding", known, *once, key="short").code == 0, command
    probed = osgp("probe", house.optical, "--padding", known, "--json", key="short")
    assert json.loads(probed.out)["probed"][0]["meter"]
    assert osgp("login-test", "-p", house.optical, "--padding", "stars", key="short").code == ExitCode.USAGE
    ended = osgp("login-test", "-p", house.optical, "--padding", other, key="short")
    assert ended.code == ExitCode.KEY
    assert "try the other padding" in ended.err


def test_an_interrupted_command_ends_with_130(osgp, monkeypatch, house):
    def interrupt(work):
        work.close()
        raise KeyboardInterrupt

    monkeypatch.setattr("osgp.cli.opening.asyncio.run", interrupt)
    assert osgp("read", "-p", house.mep).code == ExitCode.INTERRUPTED


def test_reading_imports_no_simulator_and_no_painting():
    program = (
        "import sys, osgp.cli, osgp.cli.opening; "
        "print(sorted(name for name in sys.modules if name in {'rich', 'serialx', 'osgp.meter', 'osgp.simulator'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_every_exit_code_is_explained():
    assert all(code.meaning for code in ExitCode)
    assert {int(code) for code in ExitCode} == {0, 1, 2, 3, 4, 5, 130}


HIDE = "import sys; sys.modules['typer'] = None; sys.argv[0] = 'osgp'; "


def test_10_without_typer_the_command_says_what_to_install():
    """As with ``pip install osgp``: the library works, the command names what it needs and how to get it."""
    program = HIDE + "import osgp.meter, osgp.simulator; from osgp.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "osgp: the Python package 'typer' is missing. The library works without it, the osgp command does not. "
        "Install it with: pip install 'osgp[cli]'\n"
    )


def test_10_the_package_asks_for_typer_in_the_extra_only():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert not [each for each in project["dependencies"] if each.startswith("typer")]
    assert [each for each in project["optional-dependencies"]["cli"] if each.startswith("typer")]
    assert project["scripts"]["osgp"] == "osgp.__main__:main"


def test_10_with_typer_the_command_starts_the_same_way():
    done = subprocess.run(
        [sys.executable, "-m", "osgp", "--version"], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith("osgp ")
