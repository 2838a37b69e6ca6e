"""``osgp profile``: a table, a curve, CSV, JSON and Parquet of one load profile, and a line that is lost meanwhile."""

import csv
import io
import json
import sys
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from profile_blocks import block

from osgp.cli.text.load_profile import gap_count, plot_lines, profile_rows, profile_titles, table_lines
from osgp.image import MeterImage
from osgp.meter import LoadProfile, ProfileInterval, ProfileMark
from osgp.psem import table_id
from osgp.simulator import House
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger
from osgp.tables import TABLES, Dimensions
from osgp.tables.load_profile.channels import channels_of
from osgp.tables.load_profile.statuses import ChannelStatus, IntervalFlags

HOUSE = House(ledger=Ledger(Household(1)))
ENDS = [datetime.fromtimestamp(HOUSE.installed + 900 * (place + 1), UTC) for place in range(5)]
"""What a meter has recorded 5000 seconds after it was put in."""
TRUTH = [HOUSE.registers_at(int(end.timestamp()))[0][:2] for end in ENDS]
CET = timezone(timedelta(hours=1))


def made(values, *, minutes=15, begin=datetime(2026, 3, 1, 23, 0, tzinfo=UTC), sources=(0,), marks=None):
    """Return a profile of one register; None in ``values`` is a gap."""
    intervals = []
    for place, value in enumerate(values):
        if value is not None:
            flags, status = (marks or {}).get(place, (IntervalFlags(0), ChannelStatus.OK))
            shown = value if status.holds_value else None
            end = begin + timedelta(minutes=minutes) * (place + 1)
            intervals.append(ProfileInterval(end, (shown,), (status,), flags, (status.usable,)))
    mark = ProfileMark("", "", None, 0, None)
    return LoadProfile(1, minutes, channels_of(sources, Dimensions()), tuple(intervals), mark)


class TestFormats:
    def test_json_has_each_interval_with_what_the_registers_showed(self, osgp, house):
        document = json.loads(osgp("profile", "-p", house.mep, "--json").out)
        assert (document["data_set"], document["minutes"]) == (1, 15)
        assert document["channels"][0] == {
            "key": "active_energy_import", "source_id": 0, "label": "Import energy", "unit": "Wh", "device": None,
        }  # fmt: skip
        assert [one["end"] for one in document["intervals"]] == [f"{end:%Y-%m-%dT%H:%M:%S}Z" for end in ENDS]
        assert [one["values"] for one in document["intervals"]] == TRUTH
        assert [one["counted"][0] for one in document["intervals"]] == [
            None, *(later[0] - earlier[0] for earlier, later in pairwise(TRUTH)),
        ]  # fmt: skip
        assert document["intervals"][0]["status"] == ["ok", "ok"]

    def test_csv_is_in_utc_and_raw_units(self, osgp, house):
        rows = list(csv.DictReader(io.StringIO(osgp("profile", "-p", house.mep, "--format", "csv").out)))
        assert [(one["end"], one["active_energy_import_wh"]) for one in rows] == [
            (f"{end:%Y-%m-%dT%H:%M:%S}Z", str(value[0])) for end, value in zip(ENDS, TRUTH, strict=True)
        ]
        assert rows[0]["active_energy_import_counted_wh"] == ""
        assert rows[0]["active_energy_export_status"] == "ok"

    def test_parquet_has_the_same_columns(self, osgp, house, tmp_path):
        parquet = pytest.importorskip("pyarrow.parquet")
        ended = osgp("profile", "-p", house.mep, "--parquet", "a.parquet")
        assert "5 intervals written to a.parquet" in ended.err
        table = parquet.read_table(tmp_path / "a.parquet")
        assert table["end"].to_pylist() == ENDS
        assert table["active_energy_import_wh"].to_pylist() == [value[0] for value in TRUTH]
        assert table["active_energy_import_counted_wh"].to_pylist()[0] is None
        assert table["flags"].to_pylist() == [""] * 5
        assert osgp("profile", "-p", house.mep, "--parquet", "no/where.parquet").code == 2

    def test_parquet_needs_no_library(self, osgp, house, monkeypatch, tmp_path):
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        assert osgp("profile", "-p", house.mep, "--parquet", "a.parquet").code == 0
        assert (tmp_path / "a.parquet").read_bytes().endswith(b"PAR1")

    def test_the_table_and_the_curve(self, osgp, house):
        ended = osgp("profile", "-p", house.mep)
        assert "Import energy" in ended.out.splitlines()[0]
        assert len([line for line in ended.out.splitlines() if line.startswith("20")]) == 5
        assert "5 intervals of 15 min" in ended.err
        assert "Import energy: a full block is" in osgp("profile", "-p", house.mep, "--format", "plot").out

    def test_another_data_set_over_the_optical_port(self, osgp, house, keys):
        document = json.loads(osgp("profile", "-p", house.optical, "--data-set", "4", "--json", key=keys.optical).out)
        assert document["minutes"] == 5
        assert len(document["intervals"]) == 16

    def test_since(self, osgp, house):
        since = f"{ENDS[3]:%Y-%m-%dT%H:%M}Z"
        assert len(json.loads(osgp("profile", "-p", house.mep, "--json", "--since", since).out)["intervals"]) == 2
        ended = osgp("profile", "-p", house.mep, "--since", "2099-01-01")
        assert (ended.code, ended.out) == (0, "")
        assert "no interval that is asked for" in ended.err
        assert osgp("profile", "-p", house.mep, "--since", "3w").code == 0
        wrong = osgp("profile", "-p", house.mep, "--since", "yesterday")
        assert (wrong.code, "is no time" in wrong.err) == (2, True)

    def test_a_meter_that_keeps_none(self, osgp, denmark):
        ended = osgp("profile", "-p", denmark.mep)
        assert ended.code == 1
        assert "keep no load profile" in ended.err


def image_of_blocks(blocks):
    """Return a meter that has recorded so many days of one register."""
    image = MeterImage.load("image:denmark-gen3")
    dims = Dimensions(firmware=(3, 10))
    one = {"blocks": blocks, "intervals": 96, "channels": 1, "interval_minutes": 15}
    status = {
        "valid_blocks": blocks, "last_block": blocks - 1, "last_block_sequence_number": blocks - 1, "valid_intervals": 96,
    }  # fmt: skip
    data = b"".join(
        block(
            datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=day + 1),
            96,
            {slot: (0, (0,), (96 * day + slot,)) for slot in range(96)},
            1,
        )
        for day in range(blocks)
    )
    tables = {
        "BT01": TABLES["BT01"].encode({"firmware": (3, 10, 1)}, dims),
        "BT61": TABLES["BT61"].encode({"int32": True, "data_sets": [one]}, dims),
        "BT62": bytes((0, 0, 0, 32)),
        "BT63": TABLES["BT63"].encode({"data_sets": [status]}, dims),
        "BT64": data,
        "ET04": TABLES["ET04"].encode({"idt_version": 7}, dims),
    }
    image.tables |= {table_id(name): bytearray(data) for name, data in tables.items()}
    return image


class TestALostLine:
    def test_it_is_opened_again_and_goes_on(self, osgp, town):
        there = town.put("profile", image_of_blocks(20), "drop-connection=40")
        ended = osgp("profile", "-p", there.mep, "--json")
        assert ended.err.count("what was read is kept") >= 1
        assert [one["values"] for one in json.loads(ended.out)["intervals"]] == [[value] for value in range(20 * 96)]

    def test_it_ends_when_nothing_comes_any_more(self, osgp, town):
        there = town.put("profile", image_of_blocks(20), "drop-connection=5")
        ended = osgp("profile", "-p", there.mep)
        assert ended.code == 4
        assert ended.err.count("what was read is kept") == 0


class TestText:
    def test_a_gap_has_a_line_and_a_mark_has_words(self):
        profile = made(
            [100, 110, None, None, 140, 150, 0],
            marks={
                4: (IntervalFlags.POWER_FAIL | IntervalFlags.CLOCK_FORWARD, ChannelStatus.PARTIAL),
                5: (IntervalFlags.DAYLIGHT_SAVING, ChannelStatus.OK),
                6: (IntervalFlags(0), ChannelStatus.SKIPPED),
            },
        )
        assert [" ".join(line.split()) for line in table_lines(profile, CET)] == [
            "End Import energy in it",
            "",
            "2026-03-02 00:15 0.100 kWh -",
            "2026-03-02 00:30 0.110 kWh 0.010 kWh",
            "(2 not recorded)",
            "2026-03-02 01:15 0.140 kWh - power fail clock forward, partial",
            "2026-03-02 01:30 0.150 kWh 0.010 kWh",
            "2026-03-02 01:45 - - skipped",
        ]
        assert gap_count(profile) == 2
        assert gap_count(made([])) == 0

    def test_the_curve_has_a_line_for_each_day_of_the_zone(self):
        # Hours: 24 on the first day, of which the first cannot be told, then a gap of two, one of 8 Wh, one of 4.
        values = [*range(24), None, None, 30, 38, 42]
        lines = plot_lines(made(values, minutes=60), 100, CET)
        assert lines[0] == "Import energy: a full block is 0.008 kWh in 1 h"
        assert [line.rstrip() for line in lines[1:]] == [
            "2026-03-02  ·" + "▂" * 23 + "  0.023 kWh+",
            "2026-03-03    ·█▅" + " " * 19 + "  0.012 kWh+",
        ]

    def test_a_day_of_which_nothing_is_known_is_not_nought(self):
        """Asked for since midnight, the profile begins with the interval that ended then: it is of the day before."""
        midnight = [None] * 95 + [*range(5)]
        assert [line.split()[0] for line in plot_lines(made(midnight), 100, CET)[1:]] == ["2026-03-03"]
        alone = made([*range(96), *[None] * 95, 500, *[None] * 96, *range(600, 605)])
        assert [line.split()[-1] for line in plot_lines(alone, 100, CET)[1:]] == ["kWh+", "-", "kWh+"]

    def test_a_day_narrower_than_its_intervals_puts_them_together(self):
        lines = plot_lines(made(list(range(97))), 60, CET)
        assert lines[0] == "Import energy: a full block is 0.003 kWh in 45 min"
        assert lines[1].count("█") == 31
        assert max(map(len, lines)) <= 60

    def test_days_as_intervals_and_registers_that_stand_still(self):
        lines = plot_lines(made([0, 1000, 3000], minutes=1440), 60, CET)
        assert [line.split()[1:] for line in lines[1:]] == [
            ["·", "-"],
            ["▅", "1.000", "kWh"],
            ["█", "2.000", "kWh"],
        ]
        assert plot_lines(made([5, 5, 5]), 60, CET) == []

    def test_channels_of_one_source_have_names_of_their_own(self):
        profile = made([1], sources=(0, 0, 15, 0x4001))
        assert profile_titles(profile) == [
            "end", "active_energy_import_wh", "active_energy_import_counted_wh", "active_energy_import_status",
            "active_energy_import_again_1_wh", "active_energy_import_again_1_counted_wh",
            "active_energy_import_again_1_status", "voltage_l1_mv", "voltage_l1_status", "source_16385",
            "source_16385_status", "flags",
        ]  # fmt: skip
        assert [len(row) for row in profile_rows(made([1, 2]))] == [len(profile_titles(made([])))] * 2


def test_an_anonymous_dump_does_not_tell_when_somebody_was_at_home(osgp, town):
    there = town.put("profile", image_of_blocks(2))
    osgp("dump", "a.json", "--anonymise", "-p", there.mep)
    left = MeterImage.load("a.json").read("BT64")
    whole = bytes(image_of_blocks(2).tables[64])
    assert len(left) == len(whole) == 2 * (17 + 96 * 5)
    for begin in (0, 17 + 96 * 5):
        assert left[begin : begin + 17] == whole[begin : begin + 17]
        assert not any(left[begin + 17 : begin + 17 + 96 * 5])
        assert any(whole[begin + 17 : begin + 17 + 96 * 5])
