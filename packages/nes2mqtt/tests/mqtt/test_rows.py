"""Formats, documents and the rules no message may break."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nes2mqtt.outputs.dabbler import FIELDS
from nes2mqtt.outputs.mqtt.config import DialectName, MqttConfig
from nes2mqtt.outputs.mqtt.dialects import configured, dabbler, homeassistant, nmr_raw
from nes2mqtt.outputs.mqtt.dialects.rows import INTEGER, TEXT, Cell, Decimals, Row, When, compact
from nes2mqtt.outputs.mqtt.dialects.view import EXPRESSIONS, Fixed, View
from nes2mqtt.readings.reading import TableGroup
from osgp.sources import SOURCES, Kind

RAW = st.integers(-(2**31), 2**32 - 1)


@given(raw=RAW, decimals=st.integers(0, 3), digits=st.integers(0, 4))
def test_decimals_are_those_of_exact_arithmetic(raw, decimals, digits):
    exact = Decimal(raw).scaleb(-decimals).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    text = Decimals(digits).text(Fixed(raw, decimals))
    assert Decimal(text) == exact
    assert len(text.partition(".")[2]) == digits
    assert Decimals(digits).json(Fixed(raw, decimals)) == float(exact)


@given(raw=RAW, decimals=st.integers(0, 3))
def test_json_numbers_are_exact_as_decimal_text(raw, decimals):
    assert Decimal(json.dumps(Fixed(raw, decimals).number)) == Decimal(raw).scaleb(-decimals)


def test_text_shows_every_digit_the_meter_has():
    assert TEXT.text(Fixed(-955, 3)) == "-0.955"
    assert TEXT.text("NES") == "NES"
    assert INTEGER.text(Fixed(-955, 3)) == "-955"


@pytest.fixture
def view(gateway):
    def build(*samples, status=None, **more):
        return View("house", gateway, 0.0, status, samples, **more)

    return build


def test_absent_is_absent(rig, view):
    seen = view(rig.sample(TableGroup.PRESENT, {"voltage_l1": 230000}))
    row = Row("t", (Cell("voltage_l1", INTEGER, "V1"), Cell("voltage_l2", INTEGER, "V2")), When.LIVE)
    assert row.payload(seen) == '{"V1":230000}'
    assert row.payload(view()) is None
    assert Row("t", Cell("voltage_l2"), When.LIVE).payload(seen) is None


def test_net_power_needs_both_directions_of_one_reply(rig, view):
    both = rig.sample(TableGroup.PRESENT, {"active_power_import": 100, "active_power_export": 350})
    assert view(both).get("net_power") == Fixed(-250)
    assert view(rig.sample(TableGroup.PRESENT, {"active_power_import": 100})).get("net_power") is None


def test_clocks_and_energies_are_told_when_known(rig, view):
    moment = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
    sample = rig.sample(TableGroup.REGISTERS, {"active_energy_import": 1}, received=moment, meter_time=moment)
    told = view(sample, energy={"import_hour": 1234})
    assert told.get("meter_clock") == told.get("received") == Fixed(1795330800)
    assert Decimals(3).text(told.get("energy_import_hour")) == "1.234"
    assert told.get("energy_export_month") is None
    assert view().get("meter_clock") is None


def test_json_refuses_what_is_no_number():
    with pytest.raises(ValueError, match="JSON"):
        compact({"v": math.nan})


def test_every_row_names_a_value_there_is():
    for row in (*dabbler.ROWS, *nmr_raw.ROWS, *nmr_raw.ALIASES):
        for cell in row.body if isinstance(row.body, tuple) else (row.body,):
            assert cell.value in SOURCES or cell.value in EXPRESSIONS, row.topic
            source = SOURCES.get(cell.value)
            if source is not None and row.when is When.REGISTERS:
                assert source.kind is not Kind.PRESENT
            if source is not None and cell.unit:
                assert cell.unit == source.unit, row.topic


def test_dabbler_topics_fields_and_order_are_the_firmwares():
    phases = ("L1", "L2", "L3")
    fields = {row.topic.removesuffix("/mydatajson"): [cell.key for cell in row.body] for row in dabbler.ROWS}
    assert fields == {
        "sensors": [f"{phase}_{name}" for name in ("RMS_A", "RMS_V", "PF_Fac") for phase in phases]
        + ["ExportReactive_VAr", "ImportReactive_VAr"],
        "meterConsumptionTotal": ["Fwd_Act_Wh", "Rev_Act_Wh"],
        "meterConsumptionFwd": ["Fwd_W", "Fwd_Avg_W", *(f"{p}_{n}" for n in ("Fwd_W", "Fwd_Avg_W") for p in phases)],
        "meterConsumptionRev": ["Rev_W", "Rev_Avg_W", *(f"{p}_{n}" for n in ("Rev_W", "Rev_Avg_W") for p in phases)],
        "frequency": ["Freq_mHz"],
    }
    assert list(fields) == [
        "sensors",
        "meterConsumptionTotal",
        "meterConsumptionFwd",
        "meterConsumptionRev",
        "frequency",
    ]
    assert not any(row.retain or row.qos for row in dabbler.ROWS)
    units = {"A": "mA", "V": "mV", "Fac": "1/1000", "VAr": "var", "Wh": "Wh", "W": "W", "mHz": "mHz"}
    assert {name: SOURCES[key].raw_unit for name, key in FIELDS.items()} == {
        name: units[name.rpartition("_")[2]] for name in FIELDS
    }


PRESENT_VALUES = st.dictionaries(st.sampled_from([k for k, s in SOURCES.items() if s.kind is Kind.PRESENT]), RAW)
REGISTER_VALUES = st.dictionaries(st.sampled_from([k for k, s in SOURCES.items() if s.kind is not Kind.PRESENT]), RAW)


@settings(max_examples=60, deadline=None)
@given(present=PRESENT_VALUES, registers=REGISTER_VALUES, known=st.booleans())
def test_no_message_breaks_the_rules(rig, gateway, present, registers, known):
    """A message has no wildcard in its topic, a payload that says something, no NaN, and nothing the meter did not say."""
    config = MqttConfig.model_validate({"host": "h", "dialects": list(DialectName)})
    samples = (rig.sample(TableGroup.PRESENT, present), rig.sample(TableGroup.REGISTERS, registers))
    view = View("house", gateway, 0.0, rig.status() if known else None, samples)
    for dialect in configured(config):
        for when in When:
            for message in dialect.messages(when, view):
                assert not set(message.topic) & set("+#{}")
                assert message.payload
                assert not re.search(r"\bnan\b|infinity", message.payload, re.IGNORECASE)
                if when is not When.STATUS and message.payload.startswith("{"):
                    numbers = [v for v in json.loads(message.payload).values() if isinstance(v, int | float)]
                    extra = {1}  # the segment
                    raw = {v for s in samples for v in s.values.values()}
                    scaled = {s.scaled(v) for sample in samples for s, v in sample.values.items()}
                    net = view.get("net_power")
                    assert set(numbers) <= extra | raw | scaled | ({net.raw} if net else set())


IMPORT, EXPORT = SOURCES["active_energy_import"], SOURCES["active_energy_export"]
SWAP = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def registers(view):
    row = next(row for row in homeassistant.ROWS if row.topic == "registers")
    return json.loads(row.payload(view))


def test_m4_after_a_swap_home_assistant_counts_from_0_and_the_registers_stay_what_they_show(rig, view):
    values = {"active_energy_import": 25_310_800, "active_energy_export": 12_000}
    swapped = {"segment": 2, "segment_start": SWAP, "base": {IMPORT: 25_310_300, EXPORT: 12_000}}
    document = registers(view(rig.sample(TableGroup.REGISTERS, values, **swapped), seq=7))
    assert document["active_energy_import"] == 25310.8
    assert document["since_swap"] == {"active_energy_import": 0.5, "active_energy_export": 0.0}
    assert document["last_reset"]["active_energy_import"] == "2026-11-22T12:00:00+00:00"


def test_m4_a_register_that_rolled_over_since_the_swap_counts_from_0_by_itself(rig, view):
    swapped = {"segment": 2, "segment_start": SWAP, "base": {IMPORT: 25_310_300}, "restarted": {IMPORT: SWAP}}
    document = registers(view(rig.sample(TableGroup.REGISTERS, {"active_energy_import": 125}, **swapped), seq=7))
    assert document["since_swap"] == {"active_energy_import": 0.125}


@pytest.mark.parametrize("more", [{}, {"segment": 2, "segment_start": SWAP}])
def test_m4_nothing_changes_before_the_first_swap_and_for_one_of_an_older_version(rig, view, more):
    assert "since_swap" not in registers(
        view(rig.sample(TableGroup.REGISTERS, {"active_energy_import": 1}, **more), seq=7)
    )


def test_m4_while_the_time_of_the_swap_is_not_known_nothing_is_counted(rig, view):
    """Without last_reset Home Assistant would take the new start for a negative consumption."""
    swapped = {"segment": 2, "base": {IMPORT: 25_310_300}}
    document = registers(view(rig.sample(TableGroup.REGISTERS, {"active_energy_import": 25_310_800}, **swapped), seq=7))
    assert document["since_swap"] == {}
    assert "last_reset" not in document


@pytest.mark.parametrize("start", [SWAP, None])
@pytest.mark.parametrize("base", [{IMPORT: 25_310_300}, {}])
def test_b12_without_a_history_nothing_is_counted_after_a_swap(rig, view, start, base):
    """Nobody would remember where the registers stood; with last_reset Home Assistant would add all of 25,310 kWh."""
    swapped = {"segment": 2, "segment_start": start, "base": base}
    document = registers(view(rig.sample(TableGroup.REGISTERS, {"active_energy_import": 25_310_800}, **swapped)))
    assert "last_reset" not in document
    assert document["active_energy_import"] == 25310.8, "what the meter shows"
    if start or base:
        assert document["since_swap"] == {}


def test_b12_without_a_history_a_register_that_rolled_over_still_says_since_when_it_counts(rig, view):
    document = registers(
        view(rig.sample(TableGroup.REGISTERS, {"active_energy_import": 125}, restarted={IMPORT: SWAP}))
    )
    assert document["last_reset"]["active_energy_import"] == "2026-11-22T12:00:00+00:00"
    assert "since_swap" not in document


def test_only_the_dialects_said_to_tell_the_running_energy_do():
    for name in DialectName:
        config = MqttConfig.model_validate({"host": "h", "dialects": [name]})
        (dialect,) = configured(config)
        cells = [row.body for row in dialect.rows if isinstance(row.body, Cell)]
        assert any(cell.value.startswith("energy_") for cell in cells) == config.publishes_energy
