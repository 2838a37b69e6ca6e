"""The private CUPS of the demonstration and the tests: who else on this computer may do what there."""

from __future__ import annotations

import os
import subprocess

import pytest
from printshop import PrivateCups


@pytest.mark.parametrize(
    "words",
    [
        ["lpadmin", "-p", "Cap", "-D", "mine"],
        ["lpadmin", "-p", "New", "-E", "-v", "capture:/"],
        ["lpadmin", "-x", "Cap"],
        ["cupsctl", "--debug-logging"],
    ],
    ids=" ".join,
)
def test_others_on_this_computer_change_no_queues_there(words):
    """A queue's driver names programs, which would run as whoever runs that CUPS."""
    with PrivateCups() as cups:
        cups.add_printer("Cap")
        before = cups.command("lpstat", "-v")
        program, *rest = words
        done = subprocess.run(
            [program, "-h", cups.address, *rest],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env={"PATH": os.environ["PATH"] + ":/usr/sbin"},
        )
        assert done.returncode != 0
        assert "Unauthorized" in done.stderr
        assert cups.command("lpstat", "-v") == before
