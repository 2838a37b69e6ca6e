"""/metrics: what Prometheus reads, checked with its own parser."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from nes2mqtt.readings.reading import MeterInfo, MeterState, TableGroup
from osgp.sources import SOURCES


async def families(client_for, web):
    async with client_for(web) as client:
        reply = await client.get("/metrics")
        assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        return {family.name: family for family in text_string_to_metric_families(reply.text)}


def value(family, **labels):
    (sample,) = (s for s in family.samples if labels.items() <= s.labels.items())
    return sample.value


async def test_the_danish_values_in_base_units(make_web, client_for):
    found = await families(client_for, make_web())
    power = found["nes_active_power_watts"]
    assert power.type == "gauge"
    assert value(power, name="active_power_import", direction="import", meter="house") == 432
    assert value(found["nes_voltage_volts"], name="voltage_l1", phase="1") == 228.693
    assert value(found["nes_current_amperes"], name="current_l2") == 0.782
    assert value(found["nes_frequency_hertz"]) == 50
    energy = found["nes_active_energy_watthours"]
    assert energy.type == "counter"
    assert value(energy, name="active_energy_import", direction="import") == 65_845_342
    assert {s.name for s in energy.samples} == {"nes_active_energy_watthours_total"}
    assert value(found["nes_active_energy_net_watthours"], name="active_energy_net") == 65_842_808
    assert found["nes_active_energy_net_watthours"].type == "gauge"


async def test_health_of_meter_link_and_outputs(make_web, client_for, online):
    web = make_web()
    found = await families(client_for, web)
    assert value(found["nes_meter_up"]) == 1
    assert value(found["nes_link_replies"]) == 999
    assert value(found["nes_output_waiting"], output="mqtt") == 2
    assert value(found["nes_output_dropped"], output="mqtt") == 1
    assert value(found["nes_reading_age_seconds"], group="present") < 10
    web.hub.publish(online(state=MeterState.SILENT))
    assert value((await families(client_for, web))["nes_meter_up"]) == 0


async def test_stale_values_are_absent(make_web, client_for, danish_samples):
    web = make_web(samples=False)
    for sample in danish_samples(datetime.now(UTC) - timedelta(seconds=30)):
        web.hub.publish(sample)
    found = await families(client_for, web)
    assert "nes_active_power_watts" not in found
    assert value(found["nes_active_energy_watthours"], name="active_energy_import") == 65_845_342


async def test_nothing_before_the_first_reply(make_web, client_for):
    found = await families(client_for, make_web(samples=False))
    assert not any("watt" in name or "volt" in name for name in found)


async def test_a_strange_serial_number_does_not_break_the_format(make_web, client_for, online):
    web = make_web()
    web.hub.publish(online(MeterInfo("house", serial='a"b\\c\nd{e}')))
    (info,) = (await families(client_for, web))["nes_meter_info"].samples
    assert info.labels["serial"] == 'a"b\\c\nd{e}'


async def test_every_source_makes_a_series_of_its_own(make_web, client_for, make_sample):
    web = make_web(samples=False)
    now = datetime.now(UTC)
    everything = {source: number for number, source in enumerate(SOURCES.values())}
    web.hub.publish(make_sample(everything, group=TableGroup.PRESENT, received=now, instant=now.timestamp()))
    found = await families(client_for, web)
    series = [
        (sample.name, tuple(sorted(sample.labels.items()))) for family in found.values() for sample in family.samples
    ]
    assert len(series) == len(set(series))
    named = {dict(labels)["name"] for _, labels in series if "name" in dict(labels)}
    assert named == set(SOURCES)


async def test_no_metric_counts_anything_twice(make_web, client_for, make_sample):
    """Adding up or averaging over the labels of a metric must mean something: total and parts never stand together."""
    web = make_web(samples=False)
    now = datetime.now(UTC)
    everything = dict.fromkeys(SOURCES.values(), 1000)
    web.hub.publish(make_sample(everything, group=TableGroup.PRESENT, received=now, instant=now.timestamp()))
    for family in (await families(client_for, web)).values():
        readings = [sample.labels for sample in family.samples if "name" in sample.labels]
        for label in ("phase", "tier", "quadrant", "direction"):
            assert len({label in labels for labels in readings}) <= 1, (family.name, label)
        assert len({SOURCES[labels["name"]].raw_unit for labels in readings}) <= 1, family.name


async def test_power_of_a_phase_and_each_count_have_metrics_of_their_own(make_web, client_for):
    found = await families(client_for, make_web())
    assert [s.labels["name"] for s in found["nes_active_power_watts"].samples] == [
        "active_power_import",
        "active_power_export",
    ]
    assert value(found["nes_active_power_phase_watts"], direction="import", phase="1") == 320
    assert value(found["nes_outages"]) == 10
    assert value(found["nes_pulses"], input="1") == 0
    assert value(found["nes_meter_errors"]) == 0
    assert value(found["nes_outage_duration_seconds"]) == 23_315_499
    assert "nes_count" not in found


async def test_the_process_the_clocks_and_the_segment_are_told(make_web, client_for, online, danish_samples):
    web = make_web()
    web.hub.publish(online(clock_ahead=-2.5))
    web.hub.publish(replace(danish_samples(datetime.now(UTC))[0], segment=3))
    found = await families(client_for, web)
    assert found["process_resident_memory_bytes"].samples[0].value > 1_000_000
    assert found["process_cpu_seconds"].type == "counter"
    assert 0 < found["process_open_fds"].samples[0].value <= found["process_max_fds"].samples[0].value
    assert abs(found["process_start_time_seconds"].samples[0].value - datetime.now(UTC).timestamp()) < 60
    assert {s.labels["source"]: s.value for s in found["nes_clock_source"].samples} == {
        "host": 1,
        "meter": 0,
        "none": 0,
    }
    assert value(found["nes_meter_clock_offset_seconds"], meter="house") == -2.5
    assert value(found["nes_meter_segment"], meter="house") == 3
    assert "nes_host_clock_offset_seconds" not in found
