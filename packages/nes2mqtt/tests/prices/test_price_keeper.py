"""The task, on a clock that jumps: what it asks for, when, and what it tells."""

import asyncio
import http.server
import itertools
import logging
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from nes2mqtt.prices.fetch import Answer, NoAnswer, fetch
from nes2mqtt.prices.keeper import PriceKeeper, Wanted, wanted_by
from nes2mqtt.prices.schedule import LEAST_WAIT, complete_days, failure_wait, next_question, quiet_wait
from nes2mqtt.prices.sources.energi_data_service import EnergiDataService
from nes2mqtt.prices.sources.source import Request
from nes2mqtt.prices.store import PriceStore
from nes2mqtt.timing.clock import Clock

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
MIDNIGHT = datetime(2026, 11, 1, 8, tzinfo=UTC)
"""When the virtual clock starts: nine in the morning in Denmark."""


def test_areas_of_contracts():
    needs = [("DK1", date(2026, 5, 1), "DKK"), ("DK1", date(2026, 1, 1), "DKK"), ("AT", date(2026, 3, 1), "EUR")]
    assert wanted_by(needs) == {"DK1": Wanted(date(2025, 12, 31), "DKK"), "AT": Wanted(date(2026, 2, 28), "EUR")}
    assert wanted_by([("DK1", date(2026, 10, 11), "DKK")])["DK1"].since == date(2026, 9, 30), (
        "a mean is of the whole month"
    )
    assert wanted_by([("DK1", date(1, 1, 1), "DKK")])["DK1"].since.year == 1990


class TestSchedule:
    today = date(2026, 11, 1)

    def question(self, hour, complete=(), given_up=(), since=date(2026, 11, 1)):
        asked = next_question(datetime(2026, 11, 1, hour, tzinfo=COPENHAGEN).astimezone(UTC), since, complete, given_up)
        return None if asked is None else (asked.first, asked.after)

    def test_today_then_tomorrow_from_one_in_the_afternoon(self):
        assert self.question(9) == (date(2026, 11, 1), date(2026, 11, 2))
        assert self.question(12, {self.today}) is None
        assert self.question(13, {self.today}) == (date(2026, 11, 2), date(2026, 11, 3))
        assert self.question(13, {self.today, date(2026, 11, 2)}) is None

    def test_then_earlier_days_a_month_at_a_time(self):
        since = date(2026, 8, 1)
        assert self.question(9, {self.today}, since=since) == (date(2026, 10, 1), date(2026, 11, 1))
        known = {self.today} | {date(2026, 10, day) for day in range(10, 32)}
        assert self.question(9, known, since=since) == (date(2026, 9, 9), date(2026, 10, 10))
        assert self.question(9, {self.today}, {date(2026, 10, day) for day in range(20, 32)}, since)[1] == date(
            2026, 10, 20
        )

    def test_waits_are_spread_and_never_under_a_minute(self):
        morning = datetime(2026, 11, 1, 10, tzinfo=UTC)
        assert quiet_wait(morning, 0) == pytest.approx(2400)
        assert quiet_wait(morning, 1) == pytest.approx(4800)
        just_before = datetime(2026, 11, 1, 11, 59, 50, tzinfo=UTC)
        assert quiet_wait(just_before, 0) == LEAST_WAIT
        assert 600 <= quiet_wait(datetime(2026, 11, 1, 14, tzinfo=UTC), 0.3) <= 1200
        assert failure_wait(1, None, 0) >= LEAST_WAIT
        assert failure_wait(1, 1000.0, 0) == 1000
        assert failure_wait(1, 1e9, 0) <= 6 * 3600
        assert failure_wait(50, None, 1) <= 1.21 * 6 * 3600


class Service:
    """Has the prices of each day from one in the afternoon of the day before; takes one request a minute."""

    def __init__(self, answers, since=date(2026, 10, 1)):
        self.answers = answers
        self.since = since
        self.asked = []
        self.now = MIDNIGHT.now
        self.faults = []
        self.late = timedelta(0)
        self.answer = None
        self.euros = 10.0
        self.questions = []
        self.empty_areas = set()
        self.unreadable = set()
        self.lacking = set()

    @staticmethod
    def area(request):
        return "DK2" if "DK2" in request.url else "DK1"

    def __call__(self, request):
        now = self.now()
        self.asked.append(now)
        if self.faults and (fault := self.faults.pop(0)) is not None:
            raise fault
        if self.answer is not None:
            return self.answer
        self.first, self.after = self.parse(request)
        self.questions.append((self.area(request), self.first, self.after))
        if self.questions[-1][0] in self.empty_areas:
            return Answer(b"")
        if {self.first, self.after - timedelta(days=1)} & self.unreadable:
            return Answer(b"<html>")
        days = [self.first + timedelta(days=number) for number in range((self.after - self.first).days)]
        bodies = [
            self.answers.energi_data_service(day, lambda *_: self.euros, area=self.area(request))
            for day in days
            if self.has(day, now) and day not in self.lacking
        ]
        if not bodies:
            return Answer(b"")
        records = b",".join(body[body.index(b"[") + 1 : body.rindex(b"]")] for body in bodies)
        return Answer(b'{"records": [' + records + b"]}")

    def has(self, day, now):
        published = datetime(day.year, day.month, day.day, 13, tzinfo=COPENHAGEN) - timedelta(days=1) + self.late
        return day >= self.since and now >= published.astimezone(UTC)

    @staticmethod
    def parse(request):
        query = dict(part.split("=") for part in request.url.split("?")[1].split("&"))
        return date.fromisoformat(query["start"]), date.fromisoformat(query["end"])


@pytest.fixture
def service(answers):
    return Service(answers)


async def at_once(function, *arguments):
    """Run what blocks here: no time passes meanwhile."""
    return function(*arguments)


async def keep(service, tmp_path, hours, since=date(2026, 11, 1), chance=0.5, areas=("DK1",)):
    """Let a keeper run for some hours of virtual time and return it with its store."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    clock = Clock(
        wall=lambda: MIDNIGHT.timestamp() + loop.time() - begun,
        monotonic=loop.time,
        synchronised=lambda: True,
        built=0.0,
    )
    service.now = clock.now
    store = PriceStore(tmp_path / "prices.db")
    source = EnergiDataService()
    keeper = PriceKeeper(
        store,
        {area: Wanted(since, "DKK") for area in areas},
        clock,
        source,
        chance=lambda: chance,
        get=service,
        offload=at_once,
    )
    task = asyncio.create_task(keeper.run())
    await asyncio.sleep(hours * 3600)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return keeper, store


def kept_days(store, area="DK1"):
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    return complete_days(store.prices(area, "DKK", begin, begin + timedelta(days=720)))


@pytest.mark.virtual_clock
class TestKeeper:
    async def test_today_at_once_and_tomorrow_soon_after_it_is_published(self, service, tmp_path):
        keeper, store = await keep(service, tmp_path, 5.5)
        assert kept_days(store) == {date(2026, 11, 1), date(2026, 11, 2)}
        assert service.asked[0] == MIDNIGHT
        assert len(service.asked) == 2, "nobody is asked for what cannot be there"
        assert not keeper.trouble

    async def test_late_prices_are_waited_for(self, service, tmp_path):
        service.late = timedelta(hours=3)
        _, store = await keep(service, tmp_path, 8.5)
        assert date(2026, 11, 2) in kept_days(store)
        assert len(service.asked) < 20

    async def test_earlier_days_are_fetched_and_what_is_not_there_is_given_up(self, service, tmp_path):
        _, store = await keep(service, tmp_path, 1, since=date(2026, 8, 15))
        assert kept_days(store) == {date(2026, 10, day) for day in range(1, 32)} | {date(2026, 11, 1)}
        gaps = [
            (later - earlier).total_seconds() for earlier, later in zip(service.asked, service.asked[1:], strict=False)
        ]
        assert min(gaps) >= LEAST_WAIT
        assert len(service.asked) == 4  # today, October, September, August

    async def test_after_a_restart_only_what_is_missing_is_asked_for(self, service, tmp_path):
        await keep(service, tmp_path, 1)
        service.asked.clear()
        await keep(service, tmp_path, 3)
        assert service.asked == []

    async def test_failures_are_told_once_and_so_is_their_end(self, service, tmp_path, caplog):
        caplog.set_level(logging.INFO)
        service.faults = [NoAnswer("the service cannot be reached"), NoAnswer("the service cannot be reached", 600.0)]
        keeper, store = await keep(service, tmp_path, 2)
        assert [record.getMessage() for record in caplog.records if "spot prices" in record.getMessage()] == [
            "spot prices: the service cannot be reached. Costs wait for them; asked again later",
            "spot prices: they come again",
        ]
        assert (service.asked[2] - service.asked[1]).total_seconds() >= 600
        assert date(2026, 11, 1) in kept_days(store)
        assert not keeper.trouble

    async def test_an_area_without_prices_starves_no_other_and_is_told(self, service, tmp_path):
        service.empty_areas = {"DK1"}
        keeper, store = await keep(service, tmp_path, 5.5, since=date(2026, 8, 15), areas=("DK1", "DK2"))
        assert {date(2026, 10, 1), date(2026, 11, 1), date(2026, 11, 2)} <= kept_days(store, "DK2")
        assert not keeper.trouble, "it may come yet"
        (tmp_path / "later").mkdir()
        keeper, _ = await keep(service, tmp_path / "later", 8, areas=("DK1", "DK2"))
        assert "no whole prices of today for DK1" in keeper.trouble

    async def test_a_today_that_is_not_there_blocks_neither_tomorrow_nor_earlier_days(self, service, tmp_path):
        service.lacking = {date(2026, 11, 1)}
        _, store = await keep(service, tmp_path, 5.5, since=date(2026, 10, 1))
        assert kept_days(store) == {date(2026, 10, day) for day in range(1, 32)} | {date(2026, 11, 2)}

    async def test_a_month_that_cannot_be_read_blocks_no_older_one_and_stays_told(self, service, tmp_path):
        service.since = date(2026, 1, 1)
        service.unreadable = {date(2026, 10, 31)}
        keeper, store = await keep(service, tmp_path, 6, since=date(2026, 8, 1))
        assert {date(2026, 8, 1), date(2026, 9, 1), date(2026, 11, 1), date(2026, 11, 2)} <= kept_days(store)
        assert date(2026, 10, 15) not in kept_days(store)
        assert "not JSON" in keeper.trouble

    async def test_the_last_week_is_asked_for_again_once_a_day(self, service, tmp_path):
        begun = asyncio.get_running_loop().time()

        def dearer():
            service.euros = 20.0

        asyncio.get_running_loop().call_at(begun + 6 * 3600, dearer)
        _, store = await keep(service, tmp_path, 7 * 24, since=date(2026, 10, 30))
        again = [
            after for _, first, after in service.questions if (after - first).days > 1 and first < date(2026, 11, 1)
        ]
        assert again == [date(2026, 11, day) for day in (1, 2, 3, 4, 5, 6, 7, 8)][: len(again)]
        assert 7 <= len(again) <= 8
        price = store.prices(
            "DK1", "DKK", datetime(2026, 10, 31, tzinfo=UTC), datetime(2026, 10, 31, 0, 15, tzinfo=UTC)
        )
        assert [str(one.value) for one in price] == ["0.1492"], "the correction counts"

    async def test_whatever_breaks_a_source_is_a_failure_that_waits(self, service, tmp_path, monkeypatch):
        def broken(*_):
            raise OverflowError("nobody thought of it")

        monkeypatch.setattr(EnergiDataService, "read", broken)
        keeper, _ = await keep(service, tmp_path, 2)
        assert "cannot be read" in keeper.trouble
        assert len(service.asked) < 8

    async def test_a_damaged_file_of_kept_prices_is_told(self, service, tmp_path):
        (tmp_path / "prices.db").write_bytes(b"no database" * 1000)
        keeper, _ = await keep(service, tmp_path, 2)
        assert "prices cannot be kept in" in keeper.trouble
        (tmp_path / "prices.db").unlink()
        _, store = await keep(service, tmp_path, 1)
        assert date(2026, 11, 1) in kept_days(store)

    async def test_a_service_that_asks_to_wait_is_left_alone_for_all_areas(self, service, tmp_path):
        service.faults = [NoAnswer("asked too often", 1800.0)]
        await keep(service, tmp_path, 1, areas=("DK1", "DK2"))
        assert (service.asked[1] - service.asked[0]).total_seconds() >= 1800
        assert len(service.asked) == 3

    async def test_nonsense_is_never_kept(self, service, tmp_path):
        service.answer = Answer(b"<html>maintenance</html>")
        keeper, store = await keep(service, tmp_path, 2)
        assert "not JSON" in keeper.trouble
        assert kept_days(store) == set()

    async def test_the_file_is_read_again_when_it_changed(self, tmp_path):
        file = tmp_path / "prices.csv"
        loop = asyncio.get_running_loop()
        clock = Clock(wall=MIDNIGHT.timestamp, monotonic=loop.time, synchronised=lambda: True, built=0.0)
        store = PriceStore(tmp_path / "prices.db")
        keeper = PriceKeeper(
            store,
            {"DK1": Wanted(date(2026, 11, 1), "DKK")},
            clock,
            None,
            chance=lambda: 0.5,
            file=file,
            offload=at_once,
        )
        task = asyncio.create_task(keeper.run())
        await asyncio.sleep(200)
        assert "cannot be read" in keeper.trouble, "there is no file"
        file.write_text("start,minutes,price\n2026-11-01T10:00Z,60,0.25\n")
        await asyncio.sleep(200)
        begin = datetime(2026, 11, 1, tzinfo=UTC)
        assert len(store.prices("DK1", "DKK", begin, begin + timedelta(days=1))) == 1
        file.write_text("start,minutes,price\n2026-11-01T10:00Z,60,dear\n")
        await asyncio.sleep(200)
        assert "line 2" in keeper.trouble
        assert len(store.prices("DK1", "DKK", begin, begin + timedelta(days=1))) == 1
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class Stub(http.server.BaseHTTPRequestHandler):
    """Answers as its path says."""

    def do_GET(self):
        status = int(self.path.split("/")[1].split("?")[0])
        if "head" in self.path:
            with suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X-More: " + b"x" * 60_000 + b"\r\n")
                for _ in range(60):
                    self.wfile.write(b"X-More: " + b"x" * 60_000 + b"\r\n")
                self.wfile.write(b"\r\n")
            return
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/200")
        if status == 429:
            self.send_header("Retry-After", "90")
        body = b"x" * (9_000_000 if "big" in self.path else 5)
        self.end_headers()
        if status != 204:
            with suppress(OSError):
                self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def address():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with closing(server.socket):
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class TestFetch:
    monotonic = staticmethod(time.monotonic)

    def ask(self, url):
        return fetch(Request(url, url, date(2026, 11, 2)), self.monotonic)

    def test_answers(self, address):
        assert self.ask(f"{address}/200").body == b"xxxxx"
        assert self.ask(f"{address}/204").body == b""
        assert self.ask(f"{address}/404").body == b""

    @pytest.mark.parametrize(
        ("path", "said", "wait"),
        [
            ("429", "asked too often", 90.0),
            ("401?securityToken=s3cret", "check the token", None),
            ("503", "HTTP 503", None),
            ("200?big", "more than 8 MB", None),
            ("302?securityToken=s3cret", "which is not followed", None),
        ],
    )
    def test_no_answers(self, address, path, said, wait):
        with pytest.raises(NoAnswer, match=said) as caught:
            self.ask(f"{address}/{path}")
        assert caught.value.retry_after == wait
        assert "s3cret" not in str(caught.value)

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:9/", "http://\u00f8.invalid/\u00f8", "http://127.0.0.1:9/\x7f", "://"]
    )
    def test_nobody_there(self, url):
        with pytest.raises(NoAnswer, match="cannot be") as caught:
            self.ask(f"{url}?securityToken=s3cret")
        assert "s3cret" not in str(caught.value)

    @pytest.mark.parametrize("path", ["200?big", "200?head"])
    def test_an_answer_that_takes_too_long_as_a_whole(self, address, path, monkeypatch):
        moments = itertools.count(0, 25.0)  # each look at the clock is 25 seconds later
        monkeypatch.setattr(self, "monotonic", lambda: next(moments))
        with pytest.raises(NoAnswer, match="takes too long"):
            self.ask(f"{address}/{path}")
