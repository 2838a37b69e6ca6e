"""S2: doctor tells whether CUPS saves its jobs late."""

import pytest

from piprint.doctor.cups_settings import saves_at_once
from piprint.doctor.finding import State


@pytest.mark.parametrize(
    ("text", "state", "told"),
    [
        ("DirtyCleanInterval 0\n", State.OK, "at once"),
        ("Listen *:631\n  dirtycleaninterval 0s\n", State.OK, "at once"),
        ("", State.NOTE, "up to 30 s late"),
        ("# DirtyCleanInterval 0\n", State.NOTE, "up to 30 s late"),
        ("DirtyCleanInterval 0\nDirtyCleanInterval 2m\n", State.NOTE, "up to 120 s late"),
    ],
)
def test_s2_doctor_reads_how_late_cups_saves_its_jobs(tmp_path, text, state, told):
    file = tmp_path / "cupsd.conf"
    file.write_text(text)
    found = saves_at_once("localhost", file)
    assert (found.state, told in found.told) == (state, True)
    assert ("DirtyCleanInterval 0" in found.fix) is (state is State.NOTE)


@pytest.mark.parametrize("host", ["127.0.0.1", "printserver.example"])
def test_s2_doctor_says_where_to_look_when_it_cannot_read_it(tmp_path, host):
    found = saves_at_once(host, tmp_path / "none")
    assert found.state is State.NOTE
    assert "cannot be read from here" in found.told
    assert ("of printserver.example" in found.fix) is (host == "printserver.example")
