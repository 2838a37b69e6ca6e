"""``osgp watch`` at a terminal: a real process on a pseudo-terminal, and the pieces it paints with."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from osgp.cli.commands.watch import _picture, _View
from osgp.cli.text.screen import cut, sparkline
from osgp.cli.text.terminal import Progress, columns
from osgp.meter import Identity
from osgp.simulator import DEMO_KEY_TEXT
from osgp.sources import SOURCES

PATIENCE = 60


def values(**numbers):
    return {SOURCES[key]: number for key, number in numbers.items()}


@pytest.fixture
def view():
    view = _View("tcp://meter", 2.0)
    view.identity = Identity("LGZ1", "NES", "83332-3I", "3.82.05")
    view.heard = time.monotonic()
    view.values = values(active_power_import=0, active_power_export=1250, voltage_l1=230_000)
    view.powers.extend([100, -1250])
    return view


def test_the_picture_tells_the_direction(view):
    lines = _picture(view)
    assert lines[0] == "NES 83332-3I  LGZ1  tcp://meter"
    assert "  ◀ 1,250 W to the grid" in lines
    view.values |= values(active_power_import=432, active_power_export=0)
    assert "  ▶ 432 W from the grid" in _picture(view)


def test_the_picture_tells_when_values_are_old(view):
    assert _picture(view)[-1] == "A reading each 2 s. Ctrl-C ends."
    view.heard -= 20
    assert "No reading for 20 s; waiting for the meter" in _picture(view)[-1]
    view.trouble = "the serial port is gone"
    assert "No reading for 20 s: the serial port is gone. Trying again" in _picture(view)[-1]
    # The last values stay: they were true.
    assert any("1,250 W" in line for line in _picture(view))


def test_a_meter_without_power_has_no_power_line(view):
    view.values = values(active_energy_import=1000)
    assert not any(" W " in line for line in _picture(view))
    view.values = {}
    assert "Waiting for the first reading ..." in _picture(view)


def test_cut_counts_no_colours():
    assert cut("\x1b[1mabcdef\x1b[0m", 3) == "\x1b[1mabc\x1b[0m"
    assert cut("abc", 9) == "abc"


def test_sparkline_goes_from_nothing_to_the_highest():
    assert sparkline([0, 50, 100], 10) == "▁▅█"
    assert sparkline([0, 0], 10) == "▁▁"
    assert sparkline([1, 2, 3], 2) == "▆█"
    assert sparkline([1, 2, 3], 0) == ""


def test_columns_line_up():
    assert columns([["a", "1"], ["bbb", "22"]], right=(1,)) == ["a     1", "bbb  22"]
    assert columns([]) == []


def test_progress_is_silent_where_nobody_looks(capsys):
    bar = Progress(3)
    bar.show(1, "BT23", 70.0)
    bar.end()
    assert capsys.readouterr().err == ""


def test_progress_says_what_is_read_and_how_long(capsys, monkeypatch):
    monkeypatch.setattr("osgp.cli.text.terminal.is_terminal", lambda _stream=None: True)
    monkeypatch.setenv("NO_COLOR", "1")
    bar = Progress(4)
    bar.show(1, "BT23 Current Register Data", 70.0)
    assert "1/4  BT23 Current Register Data  1 min 10 s left" in capsys.readouterr().err


def command(*words):
    return [sys.executable, "-c", "from osgp.cli import main; main()", *words]


def hear_ctrl_c():
    """Undo what a shell does to programs it starts in the background, and they to theirs: to ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_watch_paints_and_gives_the_terminal_back():
    environment = {**os.environ, "OSGP_KEY": DEMO_KEY_TEXT, "TERM": "xterm-256color", "COLUMNS": "90", "LINES": "30"}
    with subprocess.Popen(
        command("simulate", "denmark-gen3", "--baud", "0"), env=environment, stdout=subprocess.PIPE, text=True
    ) as meter:
        url = meter.stdout.readline().split()[3].rstrip(",")
        near, far = pty.openpty()
        watching = subprocess.Popen(
            command("watch", "-p", url),
            env=environment,
            stdin=far,
            stdout=far,
            stderr=far,
            preexec_fn=hear_ctrl_c,  # noqa: PLW1509 - one call, and no thread here holds a lock
        )
        os.close(far)
        try:
            painted = heard(near, b"Ctrl-C ends", after=b"432 W")
            assert painted.startswith(b"\x1b[?1049h")
            assert b"\x1b[H" in painted
            watching.send_signal(signal.SIGINT)
            rest = heard(near, b"Link: ", after=b"\x1b[?25h\x1b[?1049l")
            assert watching.wait(PATIENCE) == 130
        finally:
            watching.kill()
            watching.wait()
            os.close(near)
            meter.kill()
    # What was read last stays in the terminal.
    assert b"432 W" in re.split(rb"\x1b\[\?1049l", rest)[-1]
    assert DEMO_KEY_TEXT.encode() not in painted + rest


def heard(terminal, wanted, *, after):
    """Return what is written to a terminal until ``wanted`` came after ``after``."""
    data, until = b"", time.monotonic() + PATIENCE
    while after not in data or wanted not in data[data.index(after) :]:
        ready, _, _ = select.select([terminal], [], [], max(0.0, until - time.monotonic()))
        assert ready, data[-2000:]
        try:
            data += os.read(terminal, 65536)
        except OSError:
            break  # the other end was closed
    return data
