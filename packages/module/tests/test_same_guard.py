"""The rewritten guard believes on MicroPython what ours believes here, and says the same of it."""

import importlib.util
import json
import random
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from osgp.ports.silences import Silences
from osgp.sources import SOURCES

HERE = Path(__file__).parent
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
REGISTERS = ("active_energy_import", "active_energy_export", "active_energy_net", "outage_count", "outage_duration")
PRESENT = ("active_power_import", "voltage_l1", "current_l2", "frequency", "power_factor_l3", "voltage_angle_l1_l2")
DAY = 86_400_000


def _module(name):
    spec = importlib.util.spec_from_file_location(name, HERE / "on_module" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


JUDGE = _module("judge")


def story(seed):
    """Return the steps of a meter's life, with all that happens to one, and what our guard says to each."""
    chance = random.Random(seed)
    power = chance.choice((5000, 13_800, 100_000))
    judge = JUDGE.Judge(power, lambda time: Fraction(time, 1000), lambda time: NOON + timedelta(milliseconds=time))
    steps, said = [[power]], []
    now = chance.choice((0, 400 * DAY))
    counted = dict.fromkeys(REGISTERS, chance.choice((0, 99_990, 65_845_342, 999_999_000)))

    def do(what, more):
        steps.append([what, now, now, more])
        said.append(judge.step(*steps[-1]))

    for _ in range(60):
        now += chance.choice((1000, 10_000, 10_000, 60_000, 3_600_000))
        for key in counted:
            counted[key] += chance.choice((0, 1, 7, 40, 200))
        told = dict(counted)
        event = chance.random()
        if event < 0.1:
            told[chance.choice(REGISTERS)] = chance.choice((0, 5, 1 << 31, 0x7FFF_FFFF, 3_000_000_000))
        elif event < 0.15:
            key = chance.choice(REGISTERS)
            told[key] = counted[key] = counted[key] + chance.choice((9_000, 50_000, 9_000_000))
        elif event < 0.2:
            counted = {key: value % 100_000 for key, value in counted.items()}
            told = dict(counted)
        elif event < 0.25:
            do("identify", [chance.choice(("", "11", "22")), chance.choice((None, 1, 2))])
        do("registers", list(told.items()))
        do("present", [(key, chance.choice((0, 230_000, 1000, -1, 49_980, 1 << 30, 0x7FFF_FFFF))) for key in PRESENT])
    return steps, said


def test_what_is_believed_is_the_same_word_for_word(micropython):
    steps, said = [], []
    for seed in range(25):
        more, lines = story(seed)
        steps += more
        said += lines
    text = "\n".join(said)
    for words in (
        "registers fell",
        "more than max_power",
        "counts from 0 again",
        "was replaced",
        "cannot be",
        "read after read",
    ):
        assert words in text, "the lives are too dull to prove anything"
    for key in (*REGISTERS, *PRESENT):
        # The module names a source by the words of its key.
        said = [line.replace(SOURCES[key].label, key.replace("_", " ")) for line in said]
    # Which of several absurd values is named, a dict without order decides.
    named = re.compile(r"(values that cannot be: )[^,.]*(?:\.\d+[^,.]*)?(, and \d+ more)?(\. Taken for absent\.).*")
    got = micropython("judge.py", "\n".join(map(json.dumps, steps))).splitlines()
    assert [named.sub(r"\1\3", line) for line in got] == [named.sub(r"\1\3", line) for line in said]


@pytest.mark.parametrize("start", [0, 400 * DAY])
def test_power_cycles_come_when_they_do_here(micropython, start):
    chance = random.Random(3)
    steps, now, silences, want = [], start, Silences(), []
    for _ in range(300):
        now += chance.randrange(100, 60_000)
        if chance.random() < 0.02:
            silences.answered()
            steps.append("a")
        elif silences.silent(Fraction(now, 1000)):
            silences.cycled(Fraction(now, 1000))
            want.append(str(now))
            steps.append(now)
        else:
            steps.append(now)
    assert micropython("silences.py", json.dumps(steps)).split() == want
    assert len(want) > 3
