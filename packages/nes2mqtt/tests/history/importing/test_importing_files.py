"""Files of old readings as programs and people write them; what each line tells is worked out by hand."""

# ruff: noqa: DTZ001 - a local time is naive until it is known which hour it is

from __future__ import annotations

from datetime import UTC, datetime
from time import process_time
from zoneinfo import ZoneInfo

import pytest

from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.importing.amounts import NotANumber, amount, unit_in
from nes2mqtt.history.importing.csv_file import CsvFile, Wanted
from nes2mqtt.history.importing.lines import Line, Refused
from nes2mqtt.history.importing.times import NotATime, settled, time_of
from osgp.sources import SOURCES

ZONE = ZoneInfo("Europe/Copenhagen")


@pytest.mark.parametrize(
    ("text", "unit", "watthours", "step"),
    [
        ("12345.678", "kWh", 12_345_678, 1),
        ("12345,6", "kWh", 12_345_600, 100),
        ("12.345,678", "kWh", 12_345_678, 1),
        ("12,345.678", "kWh", 12_345_678, 1),
        ("1.234.567", "Wh", 1_234_567, 1),
        ("12 345,5 kWh", "Wh", 12_345_500, 100),
        ("12345", "kWh", 12_345_000, 1000),
        ("65845342", "Wh", 65_845_342, 1),
        ("1.5", "MWh", 1_500_000, 100_000),
        ("1.2345e4", "kWh", 12_345_000, 1000),
        ("0", "kWh", 0, 1000),
    ],
)
def test_a_register_is_understood_as_it_is_written(text, unit, watthours, step):
    assert amount(text, unit) == (watthours, step)


@pytest.mark.parametrize("text", ["", " ", "unknown", "unavailable", "NaN", "-"])
def test_nothing_written_is_no_zero(text):
    assert amount(text, "kWh") is None


@pytest.mark.parametrize(
    "text", ["-1", "1e9", "12a", "1,2,3.4.5", "0x10", "12:30", "Infinity", "31.01.2024", "1.23,4", "1 2"]
)
def test_what_is_no_register_is_refused_in_words(text):
    with pytest.raises(NotANumber, match=r"is (no number|below zero|more than a register)"):
        amount(text, "MWh")


def test_a_unit_is_found_in_a_title():
    titles = ("Zähler (kWh)", "active_energy_import_kWh", "Fwd_Act_Wh", "tPI", "showwhat", "Energy [MWh]")
    assert [unit_in(title) for title in titles] == ["kwh", "kwh", "wh", "", "", "mwh"]


@pytest.mark.parametrize(
    ("text", "form", "wanted"),
    [
        ("2024-01-31 14:30", "", datetime(2024, 1, 31, 14, 30)),
        ("31.01.2024 14:30", "", datetime(2024, 1, 31, 14, 30)),
        ("31.1.2024", "", datetime(2024, 1, 31)),
        ("31/01/2024 14:30:05", "", datetime(2024, 1, 31, 14, 30, 5)),
        ("2024-01-31T13:30:00Z", "", datetime(2024, 1, 31, 13, 30, tzinfo=UTC)),
        ("1706707800", "", datetime(2024, 1, 31, 13, 30, tzinfo=UTC)),
        ("1706707800000", "", datetime(2024, 1, 31, 13, 30, tzinfo=UTC)),
        ("01/31/2024 2:30 PM", "%m/%d/%Y %I:%M %p", datetime(2024, 1, 31, 14, 30)),
    ],
)
def test_a_time_is_understood_as_it_is_written(text, form, wanted):
    assert time_of(text, form) == wanted


@pytest.mark.parametrize(
    "text",
    ["", "13", "01/31/2024", "0001-01-01", "9999-12-31T23:59:59-12:00", "tomorrow", "240131143000", "202401311430"],
)
def test_what_is_no_time_is_refused_in_words(text):
    with pytest.raises(NotATime, match=r"is (no time|of a year)"):
        time_of(text)


def test_a_form_that_has_a_part_twice_is_refused_in_words():
    with pytest.raises(NotATime, match="is no time of the form"):
        time_of("2024 01 02", "%Y %d %d")


def test_a_cell_that_is_no_register_is_refused_however_long_it_is():
    begun = process_time()
    for text in ("1" + " " * 20_000 + "x", "1" + "(" * 20_000, "9" * 20_000):
        with pytest.raises(NotANumber, match="is no number"):
            amount(text, "kWh")
    assert process_time() - begun < 2  # it took half a minute


def local(*texts):
    """Return lines of local times, in the order of the file."""
    return [Line(place, time_of(text), {SOURCES["active_energy_import"]: place}) for place, text in enumerate(texts, 1)]


AUTUMN = ("2025-10-26 01:45", "2025-10-26 02:00", "2025-10-26 02:30", "2025-10-26 02:00", "2025-10-26 02:30")
IN_UTC = ["23:45", "00:00", "00:30", "01:00", "01:30"]


@pytest.mark.parametrize("back", [False, True])
def test_the_order_of_lines_tells_the_hour_that_came_twice(back):
    step = -1 if back else 1
    found = list(settled(local(*AUTUMN[::step]), ZONE, back=back))
    assert [f"{line.time:%H:%M}" for line in found] == IN_UTC[::step]


def test_where_it_does_not_the_lines_are_refused():
    found = list(settled(local(*AUTUMN[:3], *AUTUMN[:3]), ZONE, back=False))
    assert [isinstance(line, Refused) for line in found] == [False, True, True, False, True, True]


def test_lines_without_end_of_the_hour_that_came_twice_do_not_fill_the_memory():
    def lines():
        for line in local("2025-10-26 02:30"):
            for _ in range(200_000):
                waiting.append(1)
                yield line

    waiting = []
    most = refused = 0
    for one in settled(lines(), ZONE, back=False):
        most = max(most, len(waiting) - refused)
        refused += isinstance(one, Refused)
    assert refused == 200_000
    assert most < 30_000


HEADS = {
    "time_utc,time_local,meter,active_energy_import_kWh,filled\n2024-01-31T13:30:00Z,x,house,12.5,false": {
        "active_energy_import": 12_500
    },
    "rtc,tPI,tPO,tQI\n1706707800,12.50,0.17,3.00": {
        "active_energy_import": 12_500,
        "active_energy_export": 170,
        "reactive_energy_import": 3_000,
    },
    "time,Fwd_Act_Wh,Rev_Act_Wh\n2024-01-31T13:30:00Z,12500,179": {
        "active_energy_import": 12_500,
        "active_energy_export": 179,
    },
    "timestamp;electricity_delivered_1;electricity_delivered_2;electricity_returned_1\n2024-01-31T14:30:00+0100;4,5;8;0,2": {
        "active_energy_import_t1": 4_500,
        "active_energy_import_t2": 8_000,
        "active_energy_import": 12_500,
        "active_energy_export_t1": 200,
        "active_energy_export": 200,
    },
    "time\t1-0:1.8.1*255\t1-0:1.8.2*255\n2024-01-31T13:30:00Z\t4.5\t8": {
        "active_energy_import_t1": 4_500,
        "active_energy_import_t2": 8_000,
        "active_energy_import": 12_500,
    },
}


@pytest.mark.parametrize("text", HEADS, ids=lambda text: text.split("\n")[0][:30])
def test_columns_of_known_programs_are_found(tmp_path, text):
    path = tmp_path / "old.csv"
    path.write_text(text)
    (line,) = CsvFile(path, Wanted())
    assert {source.key: value for source, value in line.values.items()} == HEADS[text]
    assert line.time.astimezone(UTC) == datetime(2024, 1, 31, 13, 30, tzinfo=UTC)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_columns_are_named_whatever_the_letters_and_marks(tmp_path, encoding):
    path = tmp_path / "old.csv"
    path.write_text(
        "# note\nTag;Uhrzeit;Zähler\n31.01.2024;14:30;1.012,5\n\n31.01.2024;14:45;-\n31.01.2024\n", encoding
    )
    columns = {"active_energy_import": "zähler"}
    line, refused = CsvFile(path, Wanted(columns=columns, times=("Tag", "Uhrzeit"), unit="kWh"))
    assert (line.time, list(line.values.values())) == (datetime(2024, 1, 31, 14, 30), [1_012_500])
    assert isinstance(refused, Refused)
    assert (refused.place, refused.reason) == (6, "it has 1 columns, too few")


def test_a_file_without_titles_has_columns_by_number(tmp_path):
    path = tmp_path / "old.csv"
    path.write_text("2024-01-31 14:30,12.5\n2024-01-31 14:45,13\n")
    lines = list(CsvFile(path, Wanted(columns={"active_energy_import": "2"}, times=("1",), unit="kWh")))
    assert [next(iter(line.values.values())) for line in lines] == [12_500, 13_000]


def test_states_of_home_assistant(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text(
        "entity_id,state,last_changed\nsensor.meter,12.5,2024-01-31T13:30:00.000Z\nsensor.meter,unavailable,2024-01-31T13:31:00.000Z\n"
        "sensor.fridge,7,2024-01-31T13:32:00.000Z\n"
    )
    (line,) = CsvFile(path, Wanted(columns={"active_energy_import": "sensor.meter"}, unit="kWh"))
    assert line.values == {SOURCES["active_energy_import"]: 12_500}
    with pytest.raises(HistoryError, match="Say which entity"):
        CsvFile(path, Wanted())


@pytest.mark.parametrize(
    ("text", "wanted", "told"),
    [
        ("", Wanted(), "is empty"),
        ("start,end,import_kwh\n2024-01-31,2024-02-01,3", Wanted(), "which column of .* has the time"),
        ("time,import_kwh\n2024-01-31,3", Wanted(), "only what the meter's register shows"),
        (
            "time,a,b\n2024-01-31,3,4",
            Wanted(columns={"active_energy_import": "c"}),
            "has no column 'c'; its columns are: time, a, b",
        ),
        (
            "time,a\n2024-01-31,3",
            Wanted(columns={"active_energy_import": "a"}),
            "unit of column 'a' cannot be told; add --unit",
        ),
    ],
)
def test_what_cannot_be_told_is_asked(tmp_path, text, wanted, told):
    path = tmp_path / "old.csv"
    path.write_text(text)
    with pytest.raises(HistoryError, match=told):
        CsvFile(path, wanted)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("time,tPI\n" + "x" * 3_000_000, "line 2 is longer than a million characters"),
        ("x" * 3_000_000, "line 1 is longer than a million characters"),
        ("time,tPI," + "x" * 200_000, "this is no CSV"),
        ('time,tPI\n2024-01-31,1\n"\n' + '","\n' * 5000, "the row that begins in line 3 does not end"),
    ],
)
def test_what_has_no_end_is_not_read_to_its_end(tmp_path, text, told):
    path = tmp_path / "old.csv"
    path.write_text(text)
    with pytest.raises(HistoryError, match=told):
        list(CsvFile(path, Wanted()))
