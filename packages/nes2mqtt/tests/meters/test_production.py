"""What an inverter tells becomes quarter hours: against an oracle that goes second by second, with no code of the gateway's."""

import asyncio
import json
import random
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from nes2mqtt.meters.production.config import ProductionConfig
from nes2mqtt.meters.production.counting import PowerCount, RegisterCount
from nes2mqtt.meters.production.keeper import Production
from nes2mqtt.meters.production.message import number_in
from nes2mqtt.timing.clock import Clock

pytestmark = pytest.mark.virtual_clock

BEGIN = datetime(2026, 6, 20, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def sun(second):
    """Return the whole W of an inverter at a second of a day: a step function, nothing at night."""
    hour = second / 3600
    return 0 if not 5 <= hour < 21 else round(4000 * (1 - ((hour - 13) / 8) ** 2)) // 60 * 60


def given(begin, end):
    """Return the Wh between two seconds: one second after the other."""
    return sum(sun(second) for second in range(begin, end)) / 3600


class Inverter:
    """Tells its register each ten seconds or so by day and nothing at night, as inverters do."""

    def __init__(self, seed=1):
        chance = random.Random(seed)
        self.times = [5 * 3600]
        while self.times[-1] < 21 * 3600 - 30:
            self.times.append(self.times[-1] + chance.randint(8, 12))

    def register(self, second):
        return 5_000_000 + given(5 * 3600, min(second, 21 * 3600))


@pytest.fixture
def house(tmp_path, loop_clocks):
    """Return what makes a keeper of production, on the loop's clock, and puts the clock somewhere."""

    def made(**settings):
        clock: Clock = loop_clocks()
        return Production(ProductionConfig(**settings), "house", tmp_path / "production.db", clock)

    return made


REGISTER = {"energy_topic": "solar", "energy_field": "ENERGY.Total"}


def test_the_quarter_hours_of_a_day_are_those_of_the_oracle():
    inverter = Inverter()
    count = RegisterCount(10_000)
    quarters = {}
    day = 86_400
    running, total = {}, 5_000_000.0
    for second in range(day + 1):
        running[second] = total
        total += sun(second) / 3600
    for second in [-3 * 3600, *inverter.times, day + 5 * 3600]:
        shown = running[min(max(second, 0), day)]
        for part in count.read(second * 1000, shown):
            quarters[part.quarter] = quarters.get(part.quarter, 0) + part.wh
    for start in range(0, day, 900):
        # Ten seconds of the highest power at each edge: that much a reading may be late.
        assert quarters.get(start * 1000, 0) == pytest.approx(given(start, start + 900), abs=2 * 12 * 4000 / 3600)
    assert sum(quarters.values()) == pytest.approx(given(0, day), abs=0.001)


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        ([(0, 1000), (60, 1050)], [50]),
        ([(0, 9_000_000), (60, 12), (120, 42)], [30]),  # another inverter
        ([(0, 9_000_000), (60, 0), (120, 9_000_010)], []),  # a zero for a moment, then the truth: nobody knows
        ([(0, 50_000), (60, 0), (36_060, 50_010), (36_120, 50_020)], [10]),  # a zero for a night: it had only been away
        ([(0, 1000), (0, 1100), (60, 1150)], [50]),  # the clock was set back
    ],
)
def test_what_cannot_be_true_is_not_counted(told, counted):
    count = RegisterCount(10_000)
    assert [part.wh for at, wh in told for part in count.read(at * 1000, wh)] == counted


def test_a_night_without_a_word_is_known_and_a_day_without_one_is_not_spread():
    count, day = RegisterCount(10_000), 86_400_000
    list(count.read(0, 1000))
    night = list(count.read(day, 1000))
    assert (len(night), sum(part.wh for part in night), sum(part.known for part in night)) == (96, 0, day)
    silent = list(count.read(2 * day, 9000))
    assert [(part.since, part.until, part.wh) for part in silent] == [(day, 2 * day, 8000)]


def test_power_is_added_up_and_a_silence_is_a_hole():
    count = PowerCount(120_000)
    told = [(0, 1000), (60, 2000), (120, 2000), (600, 2000), (660, 0)]
    parts = [part for at, watts in told for part in count.read(at * 1000, watts)]
    assert [part.wh for part in parts] == [pytest.approx(wh) for wh in (25, 2000 / 60, 1000 / 60)]
    assert sum(part.known for part in parts) == 180_000


@pytest.mark.parametrize(
    ("payload", "field", "number"),
    [
        ("1234.5", "", 1234.5),
        (" 7 \n", "", 7),
        ("unavailable", "", None),
        ("nan", "", None),
        ('{"ENERGY": {"Total": 12.5}}', "ENERGY.Total", 12.5),
        ('{"ENERGY": {"Total": "12.5"}}', "ENERGY.Total", 12.5),
        ('{"inverters": [{"w": 3}, {"w": 4}]}', "inverters.1.w", 4),
        ('{"inverters": []}', "inverters.0", None),
        ('{"w": null}', "w", None),
        ('{"w": true}', "w", None),
        ('{"w": 1e999}', "w", None),
        ("[" * 60_000, "w", None),
        ("{", "w", None),
        ("5", "w", None),
        ("1" * 70_000, "", None),
    ],
)
def test_the_number_of_a_message(payload, field, number):
    assert number_in(payload, field) == number


async def begun(one):
    """Start it, and wait until its thread has read what was kept."""
    task = asyncio.create_task(one.run())
    await one.counting.wait()
    return task


async def test_it_is_kept_over_a_restart_and_counted_once(house):
    async def hear(one, register, seconds):
        one.hear("solar", json.dumps({"ENERGY": {"Total": register}}))
        await asyncio.sleep(seconds)

    totals = []
    for registers in ((1.0, 1.1, 1.3), (1.4, 1.5)):
        one = house(**REGISTER)
        task = await begun(one)
        for register in registers:
            await hear(one, register, 100)
        one.hear("solar", json.dumps({"ENERGY": {"Total": 99}}), retained=True)
        now = one._clock.now()
        midnight = now.replace(minute=0, second=0, microsecond=0)
        totals += await one.energies([(midnight - 2 * HOUR, midnight + 2 * HOUR)])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert [round(each.wh) for each in totals] == [300, 500]


async def test_power_grows_old_and_what_it_draws_is_no_production(house):
    one = house(power_topic="power", power_unit="kW", stale_after=60)
    assert one.now() is None
    one.hear("power", "2.5")
    assert (one.now().watts, one.now().fresh) == (2500, True)
    await asyncio.sleep(61)
    assert (one.now().watts, one.now().fresh) == (2500, False)
    for told, watts in (("-0.005", 0), ("90", 0), ("gone", 0)):
        one.hear("power", told)
        assert one.now().watts == watts


async def test_a_disk_that_fails_loses_nothing(house, tmp_path):
    one = house(**REGISTER)
    (tmp_path / "production.db").mkdir()
    task = await begun(one)
    for register in (1.0, 1.2):
        one.hear("solar", json.dumps({"ENERGY": {"Total": register}}))
        await asyncio.sleep(90)
        await one._keep()
    (tmp_path / "production.db").rmdir()
    await one._keep()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    now = one._clock.now().replace(minute=0, second=0, microsecond=0)
    (kept,) = one._kept([(round((now - 2 * HOUR).timestamp()) * 1000, round((now + 2 * HOUR).timestamp()) * 1000)])
    assert kept.wh == pytest.approx(200)


@pytest.mark.parametrize(
    "settings", [{}, {"power_topic": "a/+"}, {"energy_topic": ""}, {"power_topic": "a", "max_power": 0}]
)
def test_a_section_that_hears_nothing_is_refused(settings):
    with pytest.raises(ValidationError):
        ProductionConfig(**settings)
