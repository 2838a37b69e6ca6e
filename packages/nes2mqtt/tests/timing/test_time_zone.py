"""The time zone of this computer, found in every way it may be told."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import tzdata

from nes2mqtt.config.settings import parse, warnings_for
from nes2mqtt.timing.time_zone import in_container, system_zone

ZONES = Path(tzdata.__path__[0]) / "zoneinfo"
SMALLEST = '[meters.house]\nport = "tcp://127.0.0.1:1"\nkey = "' + "k" * 20 + '"\n'


@pytest.fixture
def machine(tmp_path):
    """Make the root of a file system with zone files and nothing that tells which one counts."""
    for name in ("Etc/UTC", "Europe/Vienna", "Europe/Copenhagen", "America/New_York"):
        file = tmp_path / "usr/share/zoneinfo" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes((ZONES / name).read_bytes())
    (tmp_path / "etc").mkdir()
    return tmp_path


def link(machine, name):
    (machine / "etc/localtime").symlink_to(machine / "usr/share/zoneinfo" / name)


def test_the_link_of_an_ordinary_machine(machine):
    link(machine, "Europe/Copenhagen")
    assert system_zone({}, machine).key == "Europe/Copenhagen"


@pytest.mark.parametrize(
    "text",
    ["Europe/Vienna", ":Europe/Vienna", "/usr/share/zoneinfo/Europe/Vienna", "/usr/share/zoneinfo/posix/Europe/Vienna"],
)
def test_t6_the_environment_comes_first(machine, text):
    link(machine, "Etc/UTC")
    assert system_zone({"TZ": text}, machine).key == "Europe/Vienna"


def test_t6_a_zone_file_bind_mounted_over_localtime_lands_in_the_file_it_leads_to(machine):
    link(machine, "Etc/UTC")
    (machine / "usr/share/zoneinfo/Etc/UTC").write_bytes((ZONES / "Europe/Vienna").read_bytes())
    assert system_zone({}, machine).key == "Europe/Vienna"


def test_t6_a_plain_file_is_named_by_etc_timezone(machine):
    (machine / "etc/localtime").write_bytes((ZONES / "Europe/Vienna").read_bytes())
    (machine / "etc/timezone").write_text("Europe/Vienna\n")
    assert system_zone({}, machine).key == "Europe/Vienna"


@pytest.mark.parametrize("name", ["Europe/Vienna", "America/New_York", "Etc/UTC"])
def test_t6_a_plain_file_is_found_by_its_content(machine, name):
    (machine / "etc/localtime").write_bytes((ZONES / name).read_bytes())
    assert system_zone({}, machine).key == name


def test_t6_a_zone_file_of_another_release_is_found_by_its_rules(machine):
    (machine / "etc/localtime").write_bytes((ZONES / "Asia/Kathmandu").read_bytes() + b"\n")
    assert system_zone({}, machine).key in {"Asia/Kathmandu", "Asia/Katmandu"}


def test_without_localtime_etc_timezone_counts(machine):
    (machine / "etc/timezone").write_text("Europe/Vienna\n")
    assert system_zone({}, machine).key == "Europe/Vienna"
    (machine / "etc/timezone").write_text("nonsense\n")
    assert system_zone({}, machine) is None


def test_a_file_that_holds_no_zone_is_none(machine):
    (machine / "etc/localtime").write_bytes(b"nonsense")
    assert system_zone({}, machine) is None


def test_t6_what_nobody_tells_is_warned_of(tmp_path, monkeypatch):
    file = tmp_path / "nes2mqtt.toml"
    file.write_text(SMALLEST)
    monkeypatch.setattr("nes2mqtt.timing.time_zone.in_container", lambda: False)
    monkeypatch.setattr("nes2mqtt.timing.time_zone.system_zone", lambda _: None)
    assert "timezone = " in warnings_for(parse(SMALLEST, file), file)[-1]
    monkeypatch.setattr("nes2mqtt.timing.time_zone.in_container", lambda: True)
    monkeypatch.setattr("nes2mqtt.timing.time_zone.system_zone", lambda _: ZoneInfo("Etc/UTC"))
    assert "container" in warnings_for(parse(SMALLEST, file), file)[-1]
    told = 'timezone = "Europe/Vienna"\n' + SMALLEST
    assert not [warning for warning in warnings_for(parse(told, file), file) if "timezone" in warning]


def test_a_container_is_known_by_its_mark(tmp_path):
    assert not in_container(tmp_path)
    (tmp_path / ".dockerenv").touch()
    assert in_container(tmp_path)
