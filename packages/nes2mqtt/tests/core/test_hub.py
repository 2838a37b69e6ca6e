"""The hub: everybody gets everything, and values grow stale at their meter's own pace."""

from datetime import timedelta

from nes2mqtt.hub import Hub
from nes2mqtt.reading import MeterInfo, MeterState, MeterStatus, Quality, TableGroup


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


def test_values_are_stale_when_the_meter_did_not_confirm_them(make_sample):
    hub = Hub({TableGroup.REGISTERS: timedelta(seconds=30)})
    sample = make_sample()
    assert hub.quality(sample, sample.received + timedelta(seconds=30)) is Quality.GOOD
    assert hub.quality(sample, sample.received + timedelta(seconds=31)) is Quality.STALE


def test_each_meter_has_its_own_pace(make_sample):
    hub = Hub({TableGroup.REGISTERS: timedelta(seconds=30)})
    hub.expect("slow", {TableGroup.REGISTERS: timedelta(hours=1)})
    later = make_sample().received + timedelta(minutes=10)
    assert hub.quality(make_sample(meter="slow"), later) is Quality.GOOD
    assert hub.quality(make_sample(), later) is Quality.STALE
    assert hub.stale_after(TableGroup.PRESENT) is None
    assert hub.stale_after(TableGroup.REGISTERS, "slow") == timedelta(hours=1)


def test_readings_carry_source_time_and_quality(make_sample):
    hub = Hub({TableGroup.REGISTERS: timedelta(seconds=30)})
    sample = make_sample()
    hub.publish(sample)
    readings = list(hub.readings("house", sample.received + timedelta(minutes=1)))
    assert {reading.source: reading.value for reading in readings} == dict(sample.values)
    assert {reading.quality for reading in readings} == {Quality.STALE}
    assert {reading.received for reading in readings} == {sample.received}
    assert list(hub.readings("nobody", sample.received)) == []
