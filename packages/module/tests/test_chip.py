"""What only a chip has: Wi-Fi that goes away, the time of day, the watchdog, the jumper, the level shifter. Chip and radio are stand-ins."""

import asyncio
import io
import itertools
import json
import struct
import sys
from types import SimpleNamespace

import pytest

from nesmodule import chip as on_chip
from nesmodule.board import ntp
from nesmodule.board.station import CONNECT, SET_UP, Station
from nesmodule.board.timeofday import TimeOfDay

NOON = 1_790_000_000_000
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000


class Clock:
    def __init__(self):
        self.time = 0

    def now(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


def waited(station, clock, seconds, *, connected=False):
    """Look each second for a while; return what was to be done, and when."""
    found = []
    for _ in range(seconds):
        what = station.look(connected=connected)
        if what:
            found.append((clock.time // SECOND, what))
        clock.time += SECOND
    return found


def test_a_network_that_is_not_there_is_tried_ever_less_often_and_then_the_owner_may_tell_another(clock):
    station = Station(clock.now)
    found = waited(station, clock, 601)
    assert [at for at, what in found if what == CONNECT] == [0, 16, 33, 52, 75, 106, 153, 228, 303, 378, 453, 528]
    assert found[-1] == (600, SET_UP)


def test_a_network_that_goes_away_is_given_an_hour_and_the_pauses_begin_anew(clock):
    station = Station(clock.now)
    waited(station, clock, 300)
    assert waited(station, clock, 5 * 3600, connected=True) == []
    began = clock.time // SECOND
    found = waited(station, clock, 3600)
    assert [at - began for at, _ in found[:3]] == [0, 16, 33]
    assert found[-1] == (began + 3599, SET_UP)
    assert station.losses == 1
    # One that comes and goes never asks its owner for anything.
    for _ in range(50):
        assert waited(station, clock, 1, connected=True) == []
        assert {what for _, what in waited(station, clock, 1200)} == {CONNECT}
    assert station.losses == 51


def answer(nonce, seconds, fraction=0, **more):
    """Build an answer of a server, octet by octet as in RFC 5905 figure 8."""
    head = {"leap": 0, "mode": 4, "stratum": 2, **more}
    return (
        bytes((head["leap"] << 6 | 4 << 3 | head["mode"], head["stratum"], 6, 0xE9))
        + bytes(20)
        + nonce
        + bytes(8)
        + struct.pack(">II", seconds % 2**32, fraction)
    )


def test_a_server_tells_the_time_also_after_2036():
    nonce = b"unforesn"
    assert ntp.request(nonce) == bytes((0x23,)) + bytes(39) + nonce
    since_1900 = NOON // 1000 + 2_208_988_800
    assert ntp.told(answer(nonce, since_1900, 1 << 31), nonce) == NOON + 500
    assert ntp.told(answer(nonce, 2**32 + 86_400), nonce) == (2**32 + 86_400 - 2_208_988_800) * 1000


@pytest.mark.parametrize(
    "wrong",
    [
        {"leap": 3}, {"stratum": 0}, {"stratum": 16}, {"mode": 3}, {"mode": 5}, {"nonce": b"another."}, {"since": 3_900_000_000 - 86_400 * 400},
        {"cut": 1}, {"since": 0},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_answer_of_a_server_that_knows_the_time_is_none(wrong):
    nonce = b"unforesn"
    since = wrong.pop("since", NOON // 1000 + 2_208_988_800)
    cut = wrong.pop("cut", 0)
    told = answer(wrong.pop("nonce", nonce), since, **wrong)
    assert ntp.told(told[: len(told) - cut], nonce) == 0


def test_the_time_is_unknown_until_two_answers_agree_and_one_alone_never_moves_it(clock):
    day = TimeOfDay(clock.now)
    assert day.now() == 0
    assert not day.take(NOON)
    assert day.now() == 0
    clock.time += 3 * SECOND
    assert day.take(NOON + 3100)
    assert day.now() == NOON + 3100
    clock.time += 6 * HOUR
    assert day.take(NOON + 6 * HOUR + 3700)
    assert not day.take(NOON + 9 * HOUR)
    assert day.now() == NOON + 6 * HOUR + 3700
    assert not day.take(NOON - HOUR)
    assert day.take(NOON - HOUR + 2 * SECOND)
    assert day.now() == NOON - HOUR + 2 * SECOND


class Pin:
    IN, OUT, PULL_UP = "in", "out", "pull up"
    made: dict = {}  # noqa: RUF012 - emptied for each test

    def __init__(self, number, mode, pull=None, value=None):
        self.number = number
        self.level = 1
        self.init(mode, value)
        self.made[number] = self

    def init(self, mode, value=None):
        self.mode = mode
        self.level = self.level if value is None else value

    def value(self, level=None):
        if level is not None:
            self.level = level
        return self.level


class Radio:
    def __init__(self):
        self.there, self.calls, self.broken = False, [], False

    def active(self, on):
        self.calls.append(("active", on))

    def isconnected(self):
        if self.broken:
            raise OSError("Wifi Internal Error")
        return self.there

    def disconnect(self):
        pass

    def connect(self, name, password):
        self.calls.append((name, password))

    def status(self, what):
        if self.broken:
            raise OSError("Wifi Internal Error")
        return {"rssi": -61}[what]

    def ifconfig(self):
        return ("192.168.1.7", "255.255.255.0", "192.168.1.1", "192.168.1.1")


@pytest.fixture
def made(monkeypatch, clock):
    """Return a chip of a board of its own, and what happened to it."""
    Pin.made.clear()
    seen = SimpleNamespace(fed=[], asked=[], radio=Radio(), clock=clock, steps=[])
    machine = SimpleNamespace(
        Pin=Pin,
        UART=lambda *_, **words: SimpleNamespace(init=lambda *_, **more: seen.steps.append(("uart", more["tx"]))),
        WDT=lambda timeout: SimpleNamespace(feed=lambda: seen.fed.append(clock.time)),
        reset_cause=lambda: 1,
    )
    network = SimpleNamespace(STA_IF=0, WLAN=lambda _: seen.radio, hostname=seen.asked.append)
    monkeypatch.setitem(sys.modules, "machine", machine)
    monkeypatch.setitem(sys.modules, "network", network)

    async def sleep_ms(time):
        clock.time += time
        seen.steps.append(time)
        await asyncio.sleep(0)
        if seen.until and clock.time >= seen.until:
            raise TimeoutError

    seen.until = 0
    monkeypatch.setattr(on_chip, "sleep_ms", sleep_ms)
    settings = {
        "wifi_name": "Heim",
        "wifi_password": "not to be seen",
        "name": "house",
        "key": "k",
        "ntp": "192.168.1.1",
    }
    pins = {"rx": 16, "tx": 17, "enable": 5, "supply": 32, "reset_button": 26}
    seen.chip = on_chip.Chip(settings, pins, clock, seen.asked.append)

    async def answers(host, port, nonce, sleep):
        seen.asked.append(host)
        return NOON + clock.time

    monkeypatch.setattr(ntp, "ask", answers)
    # It would be loaded anew, without the stand-in.
    monkeypatch.setattr(on_chip, "forget", lambda _: None)
    return seen


def lives(seen, seconds, *, alive=("meter",)):
    """Let the chip live for a while, with its tasks going on; return whether it is to start again."""

    async def goes_on():
        while True:
            for task in alive:
                seen.chip.alive(task)
            await asyncio.sleep(0)

    async def both():
        if seen.chip._dog is None:
            await seen.chip.begin()
        seen.until = seen.clock.time + seconds * SECOND
        task = asyncio.create_task(goes_on())
        try:
            await seen.chip.live()
        except TimeoutError:
            return False
        except SystemExit:
            return True
        finally:
            task.cancel()
            seen.until = 0

    return asyncio.run(both())


def lines(seen):
    return [line.decode().split(" ", 1)[1].strip() for line in seen.chip.log.lines()]


def test_radio_and_level_shifter_are_switched_on_one_after_the_other_and_the_name_before(made):
    assert made.asked == ["house"]
    assert Pin.made[5].level == 1
    asyncio.run(made.chip.begin())
    assert made.steps == [3000, 1000]
    assert made.radio.calls == [("active", True)]
    assert (Pin.made[5].level, Pin.made[32].level) == (0, 1)


def test_wifi_that_goes_away_is_joined_again_while_the_watchdog_is_fed(made):
    assert not lives(made, 5)
    assert made.radio.calls[1:] == [("Heim", "not to be seen")]
    made.radio.there = True
    assert not lives(made, 100)
    made.radio.there = False
    assert not lives(made, 120)
    assert len(made.radio.calls) > 3
    assert len(made.fed) >= 224
    made.radio.broken = True
    assert not lives(made, 20)
    made.radio.broken = False
    made.radio.there = True
    assert not lives(made, 3)
    told = lines(made)
    assert [line for line in told if line.endswith(("there", "gone"))] == [
        "Wi-Fi is there",
        "Wi-Fi is gone",
        "Wi-Fi is there",
    ]
    assert any("Wifi Internal Error" in line for line in told)
    assert "not to be seen" not in str(told)


def test_an_hour_without_wifi_opens_the_access_point_at_the_next_start(made):
    made.radio.there = True
    assert not lives(made, 10)
    made.radio.there = False
    assert lives(made, 3700)
    assert made.asked[-1] == "set_up"


def test_the_time_of_day_is_asked_for_when_there_is_a_network(made):
    assert not lives(made, 60)
    assert "192.168.1.1" not in made.asked
    assert made.chip.time_of_day.now() == 0
    made.radio.there = True
    assert not lives(made, 10)
    assert made.chip.time_of_day.now() == NOON + made.clock.time
    assert made.asked.count("192.168.1.1") == 2
    made.clock.time += 5 * HOUR
    assert not lives(made, 10)
    assert made.asked.count("192.168.1.1") == 2
    made.clock.time += HOUR
    assert not lives(made, 10)
    assert made.asked.count("192.168.1.1") == 3


def test_nobody_feeds_the_watchdog_when_the_line_is_not_read_any_more(made):
    assert not lives(made, 290, alive=())
    fed = len(made.fed)
    assert fed > 280
    assert not lives(made, 60, alive=())
    assert len(made.fed) <= fed + 12
    assert "not on time: meter" in " ".join(lines(made))


def test_the_jumper_has_everything_forgotten_and_the_chip_started_again(made):
    made.radio.there = True
    assert not lives(made, 60)
    Pin.made[26].level = 0
    assert not lives(made, 9)
    Pin.made[26].level = 1
    assert not lives(made, 2)
    Pin.made[26].level = 0
    assert lives(made, 12)
    assert made.asked[-1] == "forget"


def test_a_silent_meters_level_shifter_loses_its_power_and_nothing_feeds_it_meanwhile(made):
    asyncio.run(made.chip.begin())
    made.steps.clear()
    seen = []

    async def watch():
        task = asyncio.create_task(made.chip.power_cycle())
        while not task.done():
            seen.append((Pin.made[32].level, Pin.made[5].mode, Pin.made[5].level))
            await asyncio.sleep(0)

    asyncio.run(watch())
    assert (0, "in", 0) in seen
    assert seen.index((0, "in", 0)) < seen.index((1, "out", 1)) < len(seen)
    assert (Pin.made[32].level, Pin.made[5].mode, Pin.made[5].level) == (1, "out", 0)
    assert [step for step in made.steps if isinstance(step, int)] == [1000, 1000, 1000]


def test_what_goes_wrong_is_logged_once(made):
    made.radio.there = True
    made.chip.poller = SimpleNamespace(state="silent", message="no answer", notes=["a register fell"])
    made.chip.output = SimpleNamespace(trouble="no broker answers")
    assert not lives(made, 30)
    told = lines(made)
    assert [line for line in told if line.startswith("meter:")] == [
        "meter: silent no answer; broker: no broker answers"
    ]
    assert told.count("a register fell") == 1


def test_a_server_that_does_not_answer_is_asked_ever_less_often(made, monkeypatch):
    asked = []

    async def silent(host, port, nonce, sleep):
        asked.append(made.clock.time // SECOND)
        return 0

    answers = ntp.ask
    monkeypatch.setattr(ntp, "ask", silent)
    made.radio.there = True
    assert not lives(made, 3 * 3600)
    began = sorted(set(asked))
    assert [after - before for before, after in itertools.pairwise(began)][:9] == [20 * 2**n for n in range(8)] + [3600]
    monkeypatch.setattr(ntp, "ask", answers)
    assert not lives(made, 3700)
    assert made.chip.time_of_day.now() == NOON + made.clock.time


def test_how_strongly_the_network_is_heard_is_told_while_it_is(made):
    assert made.chip.wifi_strength() is None
    made.radio.there = True
    assert not lives(made, 10)
    assert made.chip.wifi_strength() == -61
    made.radio.broken = True
    assert made.chip.wifi_strength() is None


@pytest.mark.parametrize(
    ("board", "pins"),
    [("of somebody else", {}), ("dabblerdk", {"enable": 5}), (None, {"enable": 5}), ("", {"enable": 5})],
)
def test_a_board_that_nobody_knows_gets_no_pins_of_another(made, monkeypatch, board, pins):
    monkeypatch.setattr(on_chip, "opened", lambda _: io.BytesIO(json.dumps({"dabblerdk": {"enable": 5}}).encode()))
    monkeypatch.setattr(on_chip.gc, "threshold", lambda _: None, raising=False)
    found = []

    async def noted(settings, chip, confirm):
        found.append(chip)

    monkeypatch.setattr(on_chip, "_run", noted)
    monkeypatch.setattr(on_chip, "Clock", lambda: made.clock)
    Pin.made.clear()
    on_chip.run_chip({"board": board}, None, print)
    assert found[0]._pins == pins
    assert set(Pin.made) == set(pins.values())


def test_a_module_of_an_unknown_board_says_so_and_goes_on_without_its_meter(made):
    Pin.made.clear()
    made.chip = on_chip.Chip({"board": "mine", "key": "k", "wifi_name": "Heim"}, {}, made.clock, made.asked.append)
    made.radio.there = True
    assert not lives(made, 400, alive=())
    # Neither a pin nor the watchdog: nobody reads the line, and a new start would not help.
    assert Pin.made == {}
    assert made.fed[-1] >= made.clock.time - 2 * SECOND
    with pytest.raises(OSError, match="no board is called mine"):
        asyncio.run(made.chip.opens())
