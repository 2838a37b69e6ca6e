"""ports, probe, login-test, read, watch, tables and trace against simulated meters, for people and for scripts."""

import json
import re
import sys
from pathlib import Path

import pytest

import osgp.cli
from osgp.cli.commands.tables import _SELF_CONTAINED, _read_confirmed
from osgp.errors import TableError
from osgp.image import MeterImage
from osgp.sources import SOURCES
from osgp.tables import TABLES, Dimensions

DANISH_READOUT = """\
Meter   does not say who it is
Clock   2026-11-22 08:30:05 UTC, AGE
Tariff  2
Alarms  Cover removed, Phase loss

Power now
  Import power              432 W
  Export power                0 W
  Import reactive power     0 var
  Export reactive power   545 var
  Apparent power           818 VA
  Frequency              50.00 Hz

Phases
                     L1       L2       L3
  Import power    320 W     59 W     53 W
  Export power      0 W      0 W      0 W
  Voltage       228.7 V  226.1 V  227.0 V
  Current        1.98 A   0.78 A   0.85 A
  Power factor     0.71     0.34     0.27

Meter reading
                                     total          tariff 1
  Import energy             65,845.342 kWh    65,845.342 kWh
  Export energy                  0.179 kWh         0.179 kWh
  Import reactive energy   4,056.958 kvarh   4,056.958 kvarh
  Export reactive energy  20,491.954 kvarh  20,491.954 kvarh
  Power outage duration       23,315,499 s
  Power outages                         10
"""


def test_read_shows_the_danish_meter_as_its_owner_read_it(osgp, denmark):
    ended = osgp("read", "--port", denmark.mep)
    lines = ended.out.splitlines()
    lines[1] = f"{lines[1].split(', ')[0]}, AGE"
    assert "\n".join(lines) + "\n" == DANISH_READOUT
    assert ended.code == 0
    assert ended.err == ""
    assert "\x1b" not in ended.out


def test_read_json_has_published_names_and_true_values(osgp, denmark):
    document = json.loads(osgp("read", "--json", "-p", denmark.mep).out)
    assert set(document) == {
        "meter", "clock", "clock_ahead", "tariff", "next_tariff", "alarms", "contactor", "quality", "devices", "newest_event",
        "newest_outage", "values",
        "units", "refused", "link",
    }  # fmt: skip
    assert document["values"]["active_energy_import"] == 65845.342
    assert document["values"]["voltage_l1"] == 228.693
    assert document["units"]["voltage_l1"] == "V"
    assert set(document["values"]) <= set(SOURCES)
    assert document["alarms"] == ["cover_removed", "phase_loss"]
    assert document["clock"] == "2026-11-22T08:30:05+00:00"
    assert document["refused"] == {}
    assert document["link"]["replies"] > 0


def test_read_tells_what_a_meter_refuses_and_goes_on(osgp, town):
    bare = town.put("bare", MeterImage.load("image:denmark-gen3"))
    ended = osgp("read", "-p", bare.mep)
    assert "Import power" in ended.out
    assert "Alarms" not in ended.out
    assert "absent: the meter refused to read BT03" in ended.err
    assert ended.code == 0


def test_section_7_the_made_up_house_has_alarms_to_read_and_none_is_on(osgp, house):
    ended = osgp("read", "-p", house.mep)
    assert "NES 83332-3I, firmware 3.82.05, serial number SIM0000001" in ended.out
    assert re.search(r"Alarms +none", ended.out)
    assert ended.err == ""


def test_both_ports_give_the_same(osgp, denmark, keys):
    values = [
        json.loads(osgp("read", "--json", "-p", url, key=key).out)["values"]
        for url, key in ((denmark.mep, keys.mep), (denmark.optical, keys.optical))
    ]
    assert values[0] == values[1]


def test_read_all_lists_every_source(osgp, denmark):
    out = osgp("read", "--all", "-p", denmark.mep).out
    assert "reactive_power_export" in out
    assert "All values" in out


def test_watch_through_a_pipe_is_one_line_a_reading(osgp, denmark):
    ended = osgp("watch", "--count", "2", "--every", "1", "-p", denmark.mep)
    lines = ended.out.splitlines()
    assert len(lines) == 2
    assert all("+432 W" in line and "Import energy 65,845.342 kWh" in line for line in lines)


def test_watch_json_is_one_document_a_line(osgp, denmark):
    ended = osgp("watch", "--count", "1", "--json", "-p", denmark.mep)
    document = json.loads(ended.out)
    assert document["values"]["active_power_import"] == 432
    assert set(document) == {"time", "values", "link"}


def test_watch_opens_the_port_again_when_it_is_lost(osgp, town):
    meter = town.put("flaky", MeterImage.load("image:denmark-gen3"), "drop-connection=40")
    ended = osgp("watch", "--count", "30", "-p", meter.mep)
    assert len(ended.out.splitlines()) == 30
    assert ended.err.count("was closed by the other side") >= 1
    assert ended.err.count("Trying again") >= 1
    assert ended.code == 0


def test_login_test_accepts_the_key_and_tells_its_form_only(osgp, house):
    ended = osgp("login-test", "-p", house.mep)
    assert ended.code == 0
    assert "The meter accepts the key (20 characters, fingerprint" in ended.out


@pytest.mark.parametrize("port", ["mep", "optical"])
def test_login_test_explains_a_refused_key(osgp, house, port):
    ended = osgp("login-test", "-p", getattr(house, port), key="completely-different")
    assert ended.code == 3
    assert "the meter refuses the key" in ended.err
    assert "Check, in this order:" in ended.out
    assert "the optical port has other keys than the MEP port" in ended.out
    assert "completely-different" not in ended.out + ended.err
    document = json.loads(osgp("login-test", "--json", "-p", getattr(house, port), key="completely-different").out)
    assert document["accepted"] is False


def test_probe_finds_a_meter_that_does_not_know_us(osgp, house):
    ended = osgp("probe", house.mep, key=None)
    assert ended.code == 0
    assert "MEP (OSGP): a meter answers; without its key it does not say more" in ended.out
    assert "SIM0000001" not in ended.out


def test_probe_tells_who_an_optical_port_belongs_to_without_a_key(osgp, house):
    probed = json.loads(osgp("probe", house.optical, "--json", key=None).out)["probed"]
    assert probed[0]["protocol"] == "optical (C12.18)"
    assert probed[0]["meter"] is True
    assert probed[0]["key_accepted"] is None
    assert probed[0]["identity"]["serial"] == "SIM0000001"


def test_probe_with_the_key_tells_who_it_is(osgp, house):
    ended = osgp("probe", house.mep)
    assert "serial: SIM0000001" in ended.out
    assert ended.code == 0


@pytest.mark.parametrize(("wanted", "told"), [("auto", "rc4-plain"), ("rc4", "rc4"), ("rc4-plain", "rc4-plain")])
def test_probe_tells_how_the_meter_talks(osgp, house, wanted, told):
    ended = osgp("probe", house.mep, "--security", wanted)
    assert f"  security: {told}\n" in ended.out
    (found,) = json.loads(osgp("probe", house.mep, "--security", wanted, "--json").out)["probed"]
    assert found["security"] == told


def test_probe_tells_it_only_where_it_is_known(osgp, house):
    assert "security" not in osgp("probe", house.optical).out
    assert "security" not in osgp("probe", house.mep, key="completely-different").out


def test_probe_with_a_wrong_key_still_finds_the_meter(osgp, house):
    ended = osgp("probe", house.mep, key="completely-different")
    assert "it refuses the key that was given" in ended.out
    assert ended.code == 0


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (lambda _: b"", "(no light)"),
        (lambda chunk: chunk, "(echo only)"),
        (lambda _: b"\x15", "(NAK)"),
        (lambda _: b"/LGZ4ZMF100AC.M23\r\n", "IEC 62056-21, not ANSI C12.18"),
    ],
    ids=["nothing", "echo", "nak", "iec"],
)
@pytest.mark.parametrize("command", ["probe", "read"])
def test_what_is_no_meter_is_named(osgp, town, keys, command, answer, wanted):
    url = town.put_stranger("stranger", answer)
    ended = osgp(*(["probe", url] if command == "probe" else ["read", "-p", url]), key=keys.optical)
    assert wanted in ended.out + ended.err
    assert ended.code == 1


@pytest.fixture
def four_ports(town, house, monkeypatch):
    """Plug in two ports that are silent, one at a meter's MEP port and one at its optical port."""
    town.put_stranger("nobody", lambda _: b"")
    silent = ("tcp://nobody", "optical+tcp://nobody")
    town.plug("/dev/a", *silent)
    town.plug("/dev/b", house.mep, "optical+tcp://nobody")
    town.plug("/dev/c", *silent)
    town.plug("/dev/d", "tcp://nobody", house.optical)
    monkeypatch.setattr("osgp.ports.transport.serial_ports", lambda: ["/dev/a", "/dev/b", "/dev/c", "/dev/d"])


def test_section_7_probe_asks_all_ports_at_once_and_leaves_silent_ones_soon(osgp, town, four_ports):
    probed = json.loads(osgp("probe", "--json", key=None).out)["probed"]
    # In the order of the ports; where a meter answered, the other protocol is not tried.
    assert [(each["protocol"][:3], each["meter"]) for each in probed] == [
        ("MEP", False), ("opt", False),
        ("MEP", True),
        ("MEP", False), ("opt", False),
        ("MEP", False), ("opt", True),
    ]  # fmt: skip
    assert "no light" in probed[1]["finding"]
    assert town.elapsed < 12


def test_section_8_probe_names_brltty_where_no_port_is_there(osgp, monkeypatch):
    monkeypatch.setattr("osgp.ports.transport.serial_ports", list)
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/brltty" if name == "brltty" else None)
    for command in ("ports", "probe"):
        told = osgp(command).err
        assert "takes adapters with CH340, FTDI and CP210x chips" in told
        assert "sudo apt remove brltty" in told
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(sys.modules["osgp.cli.commands.ports"], "_BRLTTY_RULES", ())
    assert "brltty" not in osgp("probe").err + osgp("ports").err


@pytest.mark.parametrize("scheme", ["tcp", "optical+tcp"])
def test_r14_a_silent_bridge_has_serial_settings_too(osgp, town, keys, scheme):
    town.put_stranger("stranger", lambda _: b"")
    url = f"{scheme}://stranger"
    for words in (["probe", url], ["read", "-p", url]):
        ended = osgp(*words, key=keys.optical if scheme != "tcp" else keys.mep)
        assert "the bridge's own serial settings count too: 9600 baud" in (ended.out + ended.err).replace(
            "The b", "the b"
        )


def test_r14_a_serial_port_has_no_bridge(osgp, town, four_ports):
    assert "bridge" not in osgp("read", "-p", "serial:///dev/nowhere").err


def test_no_module_of_the_command_looks_like_a_test():
    names = [path.name for path in Path(osgp.cli.__file__).parent.rglob("*.py")]
    assert "try_key.py" in names
    assert not [name for name in names if name.startswith("test_") or name.endswith("_test.py")]


def test_probe_where_nobody_listens(osgp):
    ended = osgp("probe", "tcp://127.0.0.1:1")
    assert ended.code == 4
    assert "nobody listens at 127.0.0.1 port 1" in ended.out


def test_probe_without_any_port(osgp, monkeypatch):
    monkeypatch.setattr("osgp.ports.transport.serial_ports", list)
    ended = osgp("probe")
    assert ended.code == 2
    assert "no serial port is there to probe" in ended.err


def test_ports_tells_who_may_open_them(osgp, monkeypatch, tmp_path):
    open_port, locked = tmp_path / "a", tmp_path / "b"
    open_port.touch()
    locked.touch()
    monkeypatch.setattr("osgp.ports.transport.serial_ports", lambda: [str(open_port), str(locked)])
    monkeypatch.setattr("os.access", lambda path, _mode: path == open_port)
    monkeypatch.setattr("osgp.ports.transport._owner", lambda _: (20, 0o20660))
    ended = osgp("ports")
    assert [line.split("  ")[-1] for line in ended.out.splitlines()] == ["you may open it", "not allowed"]
    assert "sudo usermod -aG" in ended.err
    listed = json.loads(osgp("ports", "--json").out)["ports"]
    assert listed[0] | {"group": ""} == {
        "port": f"serial://{open_port}", "device": str(open_port), "group": "", "may_open": True,
    }  # fmt: skip


def test_ports_when_there_is_none(osgp, monkeypatch):
    monkeypatch.setattr("osgp.ports.transport.serial_ports", list)
    assert "No serial port is there" in osgp("ports").err


def test_tables_lists_what_bt00_says(osgp, denmark):
    ended = osgp("tables", "-p", denmark.mep)
    names = [line.split()[0] for line in ended.out.splitlines()]
    assert names == ["BT00", "BT03", "BT13", "BT20", "BT21", "BT22", "BT23", "BT27", "BT28", "BT52", "BT55"]
    assert "BT13  Demand Control" in ended.out
    rows = json.loads(osgp("tables", "--json", "-p", denmark.mep).out)["tables"]
    assert rows[2] == {"table": "BT13", "title": "Demand Control", "decoded": False, "writable": False}


def test_tables_shows_bytes_and_fields_side_by_side(osgp, denmark):
    ended = osgp("tables", "bt52", "BT23", "BT13", "-p", denmark.mep)
    assert "     0  1a 0b 16 08 1e 05        clock                    2026-11-22 08:30:05 UTC" in ended.out
    assert "     0  5e b8 ec 03              blocks[0].summations[0]       65,845.342 kWh  Import energy" in ended.out
    assert "     0  aa bb cc                 (not known)" in ended.out
    document = json.loads(osgp("tables", "BT23", "--json", "-p", denmark.mep).out)["tables"][0]
    assert document["fields"][0] == {
        "offset": 0, "hex": "5eb8ec03", "name": "blocks[0].summations[0]", "value": 65845.342, "unit": "kWh",
        "source": "active_energy_import",
    }  # fmt: skip
    assert document["bytes"] == 220


def test_a_refused_table_is_named_and_the_rest_goes_on(osgp, denmark):
    ended = osgp("tables", "ET97", "BT42", "BT52", "-p", denmark.mep)
    assert "ET97: the meter refused to read ET97" in ended.err
    assert "BT42 is not read: it holds the passwords" in ended.err
    assert "UTC Clock" in ended.out
    assert ended.code == 0
    assert osgp("tables", "ET97", "-p", denmark.mep).code == 1


class Reconfigured:
    """A meter of which the layout is another one after each of the first reads."""

    def __init__(self, changes):
        self.changes, self.reads = changes, 0

    async def read_whole(self, meter, name, dims):
        assert meter is self
        self.reads += 1
        return f"{name} read {self.reads} by {dims.summations} summations".encode()

    async def confirms(self, dims):
        return self.reads > self.changes

    async def dimensions(self, table):
        assert table == "BT23"
        return Dimensions(summations=100 + self.reads)


@pytest.mark.parametrize("changes", [0, 1, 2])
async def test_d1_a_table_is_shown_by_the_layout_it_was_read_by(monkeypatch, changes):
    meter, first = Reconfigured(changes), Dimensions(summations=100)
    monkeypatch.setattr("osgp.cli.whole.read_whole", meter.read_whole)
    data, dims = await _read_confirmed(meter, "BT23", first)
    assert dims.summations == 100 + changes
    assert data == f"BT23 read {changes + 1} by {100 + changes} summations".encode()


async def test_d1_a_table_that_changes_each_time_is_not_shown(monkeypatch):
    meter = Reconfigured(99)
    monkeypatch.setattr("osgp.cli.whole.read_whole", meter.read_whole)
    with pytest.raises(TableError, match="try again later"):
        await _read_confirmed(meter, "BT23", Dimensions(summations=100))


def test_self_contained_tables_are_so():
    other = Dimensions(
        summations=19, tiers=8, demands=3, coincidents=2, occurrences=1, present_values=84, present_demands=2,
        time_remaining=True, demand_reset_counter=True, mep_devices=6, firmware=(4, 30), max_tiers=8,
    )  # fmt: skip
    for name in _SELF_CONTAINED:
        assert TABLES[name].size(other) == TABLES[name].size(Dimensions()), name


def test_trace_shows_frames_with_their_meaning(osgp, denmark):
    ended = osgp("trace", "BT52", "-p", denmark.mep)
    assert "-> read BT52 (number" in ended.out
    assert "<- ok, 7 bytes" in ended.out
    assert "1a 0b 16 08 1e 05 00 | ********" in ended.out
    lines = [json.loads(line) for line in osgp("trace", "--json", "-p", denmark.mep).out.splitlines()]
    assert lines[0]["sent"] is True
    assert any(line["meaning"] == "ok, 8 bytes" for line in lines)


def test_trace_of_the_optical_port_hides_the_key(osgp, denmark, keys):
    ended = osgp("trace", "BT52", "-p", denmark.optical, key=keys.optical)
    assert "-> identify" in ended.out
    assert "-> show the key" in ended.out
    assert "-> read BT52" in ended.out
