"""The hub: everybody gets everything, and values grow stale at their meter's own pace."""

from datetime import timedelta

import pytest

from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import MeterInfo, MeterState, MeterStatus, Quality, TableGroup
from nes2mqtt.timing.clock import Clock


def test_the_latest_of_each_kind_is_remembered(make_sample):
    hub = Hub({})
    first, second = make_sample(), make_sample(received=make_sample().received + timedelta(seconds=10))
    present = make_sample(group=TableGroup.PRESENT)
    status = MeterStatus(MeterInfo("house"), MeterState.ONLINE, first.received)
    for event in (first, second, present, status):
        hub.publish(event)
    latest = hub.latest["house"]
    assert latest.samples == {TableGroup.REGISTERS: second, TableGroup.PRESENT: present}
    assert latest.status is status


class Passing:
    """A monotonic clock that the test sets, beside a host's clock that may show anything."""

    def __init__(self):
        self.seconds = 0.0
        self.clock = Clock(wall=lambda: 4e9, monotonic=lambda: self.seconds, synchronised=lambda: True, built=0.0)


@pytest.fixture
def passing():
    return Passing()


def test_values_are_stale_when_the_meter_did_not_confirm_them(make_sample, passing):
    hub = Hub({TableGroup.REGISTERS: timedelta(seconds=30)}, passing.clock)
    sample = make_sample()
    passing.seconds = 30.0
    assert hub.quality(sample) is Quality.GOOD
    passing.seconds = 31.0
    assert hub.quality(sample) is Quality.STALE


def test_each_meter_has_its_own_pace(make_sample, passing):
    hub = Hub({TableGroup.REGISTERS: timedelta(seconds=30)}, passing.clock)
    hub.expect("slow", {TableGroup.REGISTERS: timedelta(hours=1)})
    passing.seconds = 600.0
    assert hub.quality(make_sample(meter="slow")) is Quality.GOOD
    assert hub.quality(make_sample()) is Quality.STALE
    assert hub.stale_after(TableGroup.PRESENT) is None
    assert hub.stale_after(TableGroup.REGISTERS, "slow") == timedelta(hours=1)


def test_readings_carry_source_time_and_quality(make_sample, passing):
    hub = Hub({TableGroup.REGISTERS: timedelta(seconds=30)}, passing.clock)
    sample = make_sample()
    hub.publish(sample)
    passing.seconds = 60.0
    readings = list(hub.readings("house"))
    assert {reading.source: reading.value for reading in readings} == dict(sample.values)
    assert {reading.quality for reading in readings} == {Quality.STALE}
    assert {reading.received for reading in readings} == {sample.received}
    assert list(hub.readings("nobody")) == []
