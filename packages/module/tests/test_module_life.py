"""Settings on flash, the log, the watchdog, the jumper of the factory reset, and when a program counts as proved."""

import asyncio
import io

import pytest

from nesmodule import app
from nesmodule.board.log import Log
from nesmodule.board.reset import Jumper
from nesmodule.board.settings import Settings
from nesmodule.board.watchdog import Watchdog


class Files(dict):
    """A file system in memory."""

    def open(self, name, mode):
        if mode == "wb":
            return _File(self, name)
        if name not in self:
            raise OSError(2, name)
        return io.BytesIO(self[name])

    def rename(self, old, new):
        self[new] = self.pop(old)


class _File(io.BytesIO):
    def __init__(self, files, name):
        super().__init__()
        self._files, self._name = files, name

    def __exit__(self, *_):
        self._files[self._name] = self.getvalue()


class Clock:
    def __init__(self):
        self.time = 0

    def now(self):
        return self.time


@pytest.fixture
def files():
    return Files()


def test_what_the_label_says_stays_when_everything_else_is_forgotten(files):
    settings = Settings(files)
    label = {"device_key": "d", "access_point_key": "a"}
    settings.change(label | {"key": "k", "wifi_password": "w", "tap_token": "t", "mqtt.password": "p"})
    settings.forget()
    assert Settings(files).values == label


def test_a_setting_with_a_dot_stands_inside_of_another(files):
    settings = Settings(files)
    settings.change({"mqtt.host": "broker", "mqtt.port": 1883})
    settings.change({"mqtt.port": None, "mqtt.user": "u"})
    assert Settings(files).values == {"mqtt": {"host": "broker", "user": "u"}}
    assert not settings.change({"mqtt.user": "u"})
    settings.change({"mqtt.host": None, "mqtt.user": None})
    assert Settings(files).values == {}


def test_settings_that_cannot_be_read_are_said_to_be_so(files):
    files["settings.json"] = b'{"name": "ho'
    assert Settings(files).broken
    assert not Settings(Files()).broken


def test_the_log_keeps_the_last_lines_and_counts_what_is_said_again():
    clock = Clock()
    log = Log(clock.now)
    for number in range(60):
        clock.time = 1000 * number
        log.note(f"line {number} " + "y" * 50)
    for _ in range(3):
        log.note("the same\nagain " + "x" * 200)
    lines = [line.decode() for line in log.lines()]
    assert 20 <= len(lines) <= 30
    assert sum(map(len, lines)) <= 2048
    assert lines[0].startswith(f"{61 - len(lines)} line {61 - len(lines)} ")
    assert lines[-1].endswith("(2 more)\n")
    assert all(line.count("\n") == 1 and len(line) < 110 for line in lines)


def test_the_watchdog_is_fed_as_long_as_everybody_goes_on():
    clock, fed = Clock(), []
    dog = Watchdog(lambda: fed.append(clock.time), clock.now)
    dog.alive("line", 30_000)
    for second in range(1, 31):
        clock.time = 1000 * second
        assert dog.tick() == ""
    assert len(fed) == 30
    clock.time = 31_000
    assert dog.tick() == "line"
    dog.alive("line", 30_000)
    clock.time = 37_000
    assert dog.tick() == "loop"
    assert len(fed) == 30
    clock.time = 38_000
    assert dog.tick() == ""


def test_a_jumper_resets_after_ten_seconds_without_a_break_and_once():
    jumper = Jumper()
    assert not jumper.look(closed=True, now=0)
    assert not jumper.look(closed=True, now=9000)
    assert not jumper.look(closed=False, now=9500)
    assert not jumper.look(closed=True, now=10_000)
    assert not jumper.look(closed=True, now=19_900)
    assert jumper.look(closed=True, now=20_000)
    assert not jumper.look(closed=True, now=60_000)


def test_a_program_is_proved_after_two_minutes_without_a_hitch(monkeypatch):
    clock, proved = Clock(), []

    async def sleep_ms(time):
        clock.time += 6000 if clock.time == 60_000 else time

    monkeypatch.setattr(app, "sleep_ms", sleep_ms)
    asyncio.run(app._prove(lambda: proved.append(clock.time), clock.now))
    assert proved == [186_000]
