"""Scenarios as people write them."""

import importlib.util
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osgp.errors import MisuseError
from osgp.simulator.history.configuration import FIRMWARES
from osgp.simulator.history.happenings import (
    BrokenConductor,
    ClockSet,
    CoverOpened,
    FirmwareChanged,
    Happening,
    MbusBatteryLow,
    MbusExchanged,
    MbusSilent,
    NeutralLost,
    PhaseLost,
    PowerCut,
    Reconfigured,
    VoltageChange,
)
from osgp.simulator.history.scenarios import SCENARIOS, history_of

START = int(datetime(2026, 12, 1, 4, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("power-cut=90s", PowerCut(START + 10, 90)),
        ("power-cut=90", PowerCut(START + 10, 90)),
        ("power-cut = 2h , at = -1d", PowerCut(START - 86400, 7200)),
        ("power-cut=15m,at=+30s", PowerCut(START + 30, 900)),
        ("clock-set=+120s", ClockSet(START + 10, 120)),
        ("clock-set=-2m,at=2026-11-03T12:00", ClockSet(int(datetime(2026, 11, 3, 12, tzinfo=UTC).timestamp()), -120)),
        ("clock-set=5,at=2026-11-03T12:00+01:00", ClockSet(int(datetime(2026, 11, 3, 11, tzinfo=UTC).timestamp()), 5)),
        ("phase-lost", PhaseLost(START + 10, 600, 1)),
        ("phase-lost=30s,phase=3", PhaseLost(START + 10, 30, 3)),
        ("neutral-lost=20s", NeutralLost(START + 10, 20, 1)),
        ("broken-conductor,phase=2", BrokenConductor(START + 10, 1200, 2)),
        ("sag=60s", VoltageChange(START + 10, 60, 1, 80)),
        ("swell=60s,phase=2", VoltageChange(START + 10, 60, 2, 115)),
        ("mbus-silent=gas,at=-5m", MbusSilent(START - 300, "gas")),
        ("mbus-battery-low=water", MbusBatteryLow(START + 10, "water")),
        ("mbus-exchanged=heat", MbusExchanged(START + 10, "heat")),
        ("cover-opened,at=-5m", CoverOpened(START - 300)),
        ("reconfigured", Reconfigured(START + 10)),
        ("firmware=3.7,at=+60s", FirmwareChanged(START + 60, (3, 70, 5))),
    ],
)
def test_what_is_written_happens(text, wanted):
    assert list(history_of([text, "mbus"], START + 0.7)) == [wanted]


def test_all_that_is_written_happens_in_its_order():
    history = history_of(["power-cut=5s", "clock-set=+1h,at=-1d", "power-cut=7s,at=+1h"], START)
    assert [one.at - START for one in history] == [-86400, 10, 3600]


@pytest.mark.parametrize(("text", "version"), [("2.12", (2, 12)), ("4.3", (4, 30)), ("4.30", (4, 30)), ("4.0", (4, 0))])
def test_a_firmware_without_a_moment_is_the_one_it_always_had(text, version):
    history = history_of([f"firmware={text}", "cover-opened"], START)
    assert history.firmware(0)[:2] == version
    assert [type(one) for one in history] == [CoverOpened]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("power-cot=90s", ", ".join(SCENARIOS)),
        ("power-cut", "power-cut=TIME takes the power away"),
        ("power-cut=long", "90s, 15m or 2h"),
        ("power-cut=0s", "90s, 15m or 2h"),
        ("power-cut=-5s", "90s, 15m or 2h"),
        ("power-cut=99999d", "90s, 15m or 2h"),
        ("clock-set=0", "+90s or -2m"),
        ("clock-set=+-5", "+90s or -2m"),
        ("firmware=3.81", "choose from 2.12, 3.10, 3.50, 3.70, 3.82, 4.00"),
        ("firmware", "choose from 2.12"),
        ("firmware=4.30,at=+5s", "cannot get 4.x"),
        ("mbus=steam", "no M-Bus device 'steam'; choose from gas, water, heat"),
        ("mbus,at=+5s", "no setting 'at'; write mbus[=DEVICES]"),
        ("mbus-silent=gas", "no M-Bus device 'gas' is behind this meter"),
        ("cover-opened=5s", "takes no value"),
        ("power-cut=5s,on=1", "no setting 'on'; write power-cut=TIME[,at=WHEN]"),
        ("power-cut=5s,phase=2", "no setting 'phase'"),
        ("phase-lost,phase=4", "not 1, 2 or 3"),
        ("power-cut=5s,at=noon", "at=+30s for after the start"),
        ("power-cut=5s,at=30s", "at=+30s for after the start"),
    ],
)
def test_what_is_wrong_is_told(text, wanted):
    with pytest.raises(MisuseError) as refused:
        history_of([text], START)
    assert wanted in str(refused.value)


pieces = st.sampled_from([*SCENARIOS, "=", ",", "at", "phase", "+", "-", "9", "d", "2026-11-03T12:00", " "]) | st.text(
    max_size=4
)


@given(st.lists(pieces, max_size=9).map("".join))
def test_any_text_is_a_happening_or_refused(text):
    try:
        history = history_of([text], START)
    except MisuseError:
        return
    assert all(isinstance(one, Happening) for one in history)
    assert len(list(history)) == 1 or history.devices or history.firmware(0)[:2] in FIRMWARES


def test_the_devices_that_are_named_are_behind_the_meter():
    assert history_of(["mbus"], START).devices == ("gas", "water", "heat")
    assert history_of(["mbus=water+gas", "power-cut=5s"], START).devices == ("water", "gas")
    assert history_of([], START).devices == ()


def test_the_fuzz_target_keeps_its_invariant():
    file = Path(__file__).parents[4] / "fuzz" / "fuzz_scenarios.py"
    spec = importlib.util.spec_from_file_location("fuzz_scenarios_under_test", file)
    target = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(target)  # type: ignore[union-attr]
    source = random.Random(1)
    parts = [
        b"=",
        b",at=",
        b",phase=",
        b"+",
        b"-",
        b"9",
        b"90s",
        b"2h",
        b"gas",
        b"4.30",
        b"2026-11-03T12:00",
        b"\0",
        b"\xff",
    ]
    parts += [bytes((number,)) for number in range(len(SCENARIOS))]
    for _ in range(2000):
        target.check(b"".join(source.choice(parts) for _ in range(source.randrange(12))))
