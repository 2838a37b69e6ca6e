"""Quality of the supply and state of the meter, from table bytes written by hand (MEP guide v1.1 p. 67-77, 98-99, 121-139)."""

from datetime import UTC, datetime

import pytest
from table_bytes import ET09_SAMPLE, at
from told import told

from osgp.tables import TABLES
from osgp.tables.quality.report import Distortion, Events, Extreme, supply_quality
from osgp.tables.status.state import Contactor, meter_state


def quality(firmware=(4, 21), data=ET09_SAMPLE, **how):
    return supply_quality(TABLES["ET09"].decode(data, told(firmware=firmware, power_outages_recorded=2)), **how)


def test_by_phase():
    found = quality()
    first, second, third = found.phases
    assert (first.name, first.lost, second.lost, third.lost) == ("l1", True, False, True)
    assert first.sags == Events(7, datetime(2024, 1, 1, 0, 0, 1, tzinfo=UTC), 150_000)
    assert (first.losses.count, second.losses, third.losses.count) == (3, Events(0), 4)
    assert (first.over_currents, third.over_currents) == (5, 7)
    assert first.deep_sags == Events(11, datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC), 1)
    assert second.deep_sags == Events(0)
    assert found.lowest_frequency == Extreme(49_999, datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert (found.short_outages, found.long_outage_seconds) == (99, 20)
    assert (found.sag_percent, found.swell_percent, found.event_seconds) == (10, 11, 60 + 30)


def test_a_voltage_without_an_event_is_none():
    """The sample's swell voltage of L1 is 100 V, yet it counts no swell: it belongs to none."""
    assert quality().phases[0].swells == Events(0)


def test_distortion_only_where_there_is_a_threshold():
    phases = quality().phases
    # Of current and apparent power the thresholds are 0: none is recorded (p. 74), so their counts mean nothing.
    assert set(phases[0].distortion) == {"voltage"}
    assert phases[0].distortion["voltage"].maximum == 12.3
    assert phases[0].distortion["voltage"].average == 10.0
    assert phases[1].distortion["voltage"] == Distortion(0, None, None, None)


def test_older_firmware_has_less():
    old = quality((2, 0), ET09_SAMPLE[: 36 + 139])
    assert old.event_seconds == 60
    assert old.phases[0].deep_sags is None
    assert old.phases[0].distortion == {}


def test_a_meter_of_one_phase_has_one():
    assert [phase.name for phase in quality(single_phase=True).phases] == ["l1"]


def test_a_frequency_that_was_never_measured_is_none():
    found = quality(data=bytes(36 + 519))
    assert (found.lowest_frequency, found.highest_frequency) == (None, None)


@pytest.mark.parametrize("place", range(4))
def test_contactor(place):
    et23 = TABLES["ET23"].decode(at(218, _94=f"{place:02x}"), told(firmware=(4, 30)))
    assert (
        meter_state(et23=et23).contactor
        is (Contactor.CLOSED, Contactor.CLOSING, Contactor.OPEN, Contactor.OPENING)[place]
    )
    assert meter_state(et23=et23, has_contactor=False).contactor is None


def test_state():
    dims = told(firmware=(4, 30), status_size=9, module_records_size=42)
    bt03 = TABLES["BT03"].decode(bytes.fromhex("01 0010 00 10 00 00 02 01 01"), dims)
    et46 = TABLES["ET46"].decode(at(23, _17="180203040506"), dims)
    et54 = TABLES["ET54"].decode(
        at(150, _19="01", _62="01", _63="1e00", _68="04", _71="40", _145="00", _146="0a00"), dims
    )
    found = meter_state(bt03, None, et46, et54)
    assert found.alarms == ("cover_removed", "phase_loss", "magnetic_tamper", "unbalanced_voltage", "relay_2_open")
    assert found.contactor is None
    assert found.opened_by_limit.isoformat() == "2024-02-03T04:05:06"
    # Relay 2 has a time left, but nothing is pending.
    assert (found.relay_1_pending, found.relay_2_pending) == (30, None)
    assert (found.mis_wiring, found.button_locked, found.load_profile_off) == (
        "two or more phases are the same",
        True,
        True,
    )


def test_what_was_not_read_is_not_told():
    found = meter_state()
    assert (found.alarms, found.contactor, found.button_locked, found.relay_1_pending) == (None, None, None, None)
    assert (found.mis_wiring, found.opened_by_limit, found.load_profile_off) == ("", None, None)
    strange = TABLES["ET23"].decode(at(218, _94="07"), told(firmware=(4, 30)))
    assert meter_state(et23=strange).contactor is None
