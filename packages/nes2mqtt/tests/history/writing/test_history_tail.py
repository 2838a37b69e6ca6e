"""The tail gives back what was put in, up to the first damaged record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from nes2mqtt.history.config import TailPlace
from nes2mqtt.history.writing.tail import Head, Tail, place_of, read_tail
from nes2mqtt.readings.reading import Sample, TableGroup
from osgp.sources import SOURCES

START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
HEAD = Head("life", "boot", 7, 3)
KEYS = ["active_energy_import", "active_energy_net", "active_power_import", "voltage_l1", "power_factor_l1"]

values = st.dictionaries(st.sampled_from([SOURCES[key] for key in KEYS]), st.integers(-(2**40), 2**40), min_size=1)
samples = st.lists(
    st.builds(
        lambda meter, group, second, found, segment: Sample(
            meter,
            group,
            START + timedelta(seconds=second),
            found,
            meter_time=START if group is TableGroup.REGISTERS else None,
            segment=segment if group is TableGroup.REGISTERS else 1,
            segment_start=START if segment == 2 and group is TableGroup.REGISTERS else None,
            restarted={SOURCES[KEYS[0]]: START} if segment == 3 and group is TableGroup.REGISTERS else {},
            base=found if segment == 2 and group is TableGroup.REGISTERS else {},
            instant=float(second),
            segment_instant=2.0 if segment == 2 and group is TableGroup.REGISTERS else None,
        ),
        st.sampled_from(["house", "shed"]),
        st.sampled_from(list(TableGroup)),
        st.integers(1, 1000),
        values,
        st.integers(1, 3),
    ),
    max_size=12,
)


@given(samples, st.integers(0, 400))
def test_what_was_put_in_comes_out(tmp_path_factory, given_samples, cut):
    path = tmp_path_factory.mktemp("tail") / "tail"
    tail = Tail(path, in_ram=True)
    tail.begin(HEAD)
    registers, present = [], []
    for number, sample in enumerate(given_samples, 8):
        is_register = sample.group is TableGroup.REGISTERS
        tail.keep(sample, number if is_register else None, dated=True)
        (registers if is_register else present).append((number, sample) if is_register else sample)
        assert tail.write()
    tail.delivered("mqtt", 9)
    tail.write()
    tail.close()
    kept = read_tail(path)
    assert kept.head == HEAD
    assert kept.registers == registers
    for one, other in zip(kept.present, present, strict=True):
        assert (one.meter, one.received, one.values, one.instant) == (
            other.meter,
            other.received,
            other.values,
            other.instant,
        )
    assert kept.cursors == {"mqtt": 9}
    # Torn anywhere, what stands before is whole.
    data = path.read_bytes()
    path.write_bytes(data[: max(0, len(data) - cut)])
    torn = read_tail(path)
    if torn is not None:
        assert torn.registers == registers[: len(torn.registers)]


def test_a_folder_in_memory_is_used_if_there_is_one(tmp_path, monkeypatch):
    database = tmp_path / "history.db"
    beside = tmp_path / "history.db-tail"
    assert place_of(database, TailPlace.MEMORY, {}) == beside
    monkeypatch.setattr("nes2mqtt.history.writing.tail._is_in_ram", lambda folder: folder.name == "run")
    runtime = {"RUNTIME_DIRECTORY": str(tmp_path / "run")}
    assert place_of(database, TailPlace.MEMORY, runtime).parent == tmp_path / "run"
    assert place_of(database, TailPlace.DISK, runtime) == beside
    assert place_of(database, TailPlace.MEMORY, {"RUNTIME_DIRECTORY": str(tmp_path / "disk")}) == beside


def test_a_tail_that_cannot_be_written_lets_each_reading_be_committed_at_once(
    open_recorder, registers, clock, monkeypatch, caplog
):
    recorder = open_recorder()
    recorder.take([registers(0, 0)], clock.s(0))
    recorder.work(clock.s(0))

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("nes2mqtt.history.writing.tail.os.write", full)
        for second in range(10, 100, 10):
            recorder.take([registers(second, second)], clock.s(second))
            recorder.work(clock.s(second))
            assert recorder.journal.last_seq == recorder.last_seq
            assert recorder.survives
    assert len([record for record in caplog.records if "cannot be kept" in record.getMessage()]) == 1
    recorder.take([registers(110, 110)], clock.s(110))
    recorder.work(clock.s(110))
    recorder.take([registers(120, 120)], clock.s(120))
    recorder.work(clock.s(120))
    assert recorder.journal.last_seq == recorder.last_seq - 1, "the tail works again"
