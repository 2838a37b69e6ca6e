"""The console in the API: a meter's tables as they are, no secret, nothing written, the polls undisturbed; the last requests in names and sizes."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from nes2mqtt.meters.console import MOST_LOGGED, MOST_WAIT, Console, RequestLog
from nes2mqtt.meters.guard import Guard
from nes2mqtt.meters.poller import Cadence, Poller
from nes2mqtt.outputs.web.output import WebOutput
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import MeterInfo, Sample, TableGroup
from osgp.errors import ResponseTimeout
from osgp.key import MeterKey
from osgp.meter import open_meter
from osgp.meter.known import KnownMeter
from osgp.psem import PartialRead, PartialWrite, RequestFailed, Response, ResponseReceived
from osgp.simulator import DEMO_KEY_TEXT, House, SimulatedMeter

pytestmark = pytest.mark.virtual_clock

KEY = MeterKey.parse(DEMO_KEY_TEXT)
SECRET = {"BT42", "BT45", "ET13", "ET94", "ET95", "BT07", "BT08", "ET52", "ET53", "ET59", "ET85", "ET98"}
ON_PURPOSE = {"x-requested-with": "test"}


class Ears:
    """Another output, which notes when present values came."""

    name = "ears"

    def __init__(self):
        self.heard = []

    def offer(self, event):
        if isinstance(event, Sample) and event.group is TableGroup.PRESENT:
            self.heard.append(event.instant)


@dataclass
class Read:
    """A house that is being read, as its page sees it."""

    client: object
    url: str
    log: RequestLog
    ears: Ears


@pytest.fixture
def reading(make_web, client_for, wall_clock, loop_clocks):
    """Return what reads a simulated house and gives its page."""

    @asynccontextmanager
    async def begun():
        hub, ears = Hub({}, loop_clocks()), Ears()
        hub.add(ears)
        log = RequestLog(hub.clock.monotonic)
        async with SimulatedMeter(House(1), seed=7, clock=lambda: wall_clock().timestamp()) as meter:
            url, known = await meter.serve_tcp(), KnownMeter()
            poller = Poller(
                MeterInfo("house"),
                url,
                lambda at: open_meter(at, key=KEY, known=known, on_event=log.hear),
                Guard("house"),
                hub,
                Cadence(present=2.0, registers=10.0),
            )
            base = make_web(samples=False)
            console = Console([poller], {"house": log}, hub.clock.monotonic)
            web = WebOutput(base.config, base.gateway, hub, None, console=console)
            task = asyncio.create_task(poller.run())
            await asyncio.sleep(30)
            try:
                async with client_for(web, headers=ON_PURPOSE) as client:
                    yield Read(client, url, log, ears)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    return begun


async def listed(client):
    return (await client.get("/api/v1/tables?meter=house")).json()


async def test_the_tables_are_those_that_the_meter_names_and_their_bytes_those_that_it_has(reading):
    async with reading() as house:
        names = await listed(house.client)
        told = (await house.client.get("/api/v1/table?meter=house&table=BT01")).json()
        # The oracle: another program's session with the same meter.
        async with open_meter(house.url, key=KEY) as other:
            bt00, bt01, identity = await other.table("BT00"), await other.read("BT01"), await other.identity()
    used = {f"BT{number:02d}" for number in bt00["basic_tables_used"]}
    used |= {f"ET{number:02d}" for number in bt00["extended_tables_used"]}
    assert {one["table"] for one in names} == used
    assert bytes.fromhex("".join(field["hex"] for field in told["fields"]).replace(" ", "")) == bt01
    assert (told["size"], told["read"]) == (len(bt01), len(bt01))
    assert identity.manufacturer in {field["value"].strip('"') for field in told["fields"]}


async def test_no_key_and_no_password_is_read_or_told(reading):
    async with reading() as house:
        names = await listed(house.client)
        hidden = {one["table"] for one in names if one["hidden"]}
        assert hidden >= SECRET & {one["table"] for one in names}
        texts = []
        for one in names:
            reply = await house.client.get(f"/api/v1/table?meter=house&table={one['table']}")
            texts.append(reply.text.replace(" ", "").lower())
            assert (reply.status_code == 403) >= one["hidden"]
            await asyncio.sleep(1)
        asked = (await house.client.get("/api/v1/requests?meter=house")).text
        texts.append(asked.lower())
    for secret in (bytes.fromhex(DEMO_KEY_TEXT) if len(DEMO_KEY_TEXT) == 40 else DEMO_KEY_TEXT.encode(),):
        assert not any(secret.hex() in text for text in texts)
    assert not any(DEMO_KEY_TEXT.lower() in text for text in texts)
    assert not any(f'"{table}"' in asked for table in hidden), "a hidden table was asked for"
    assert '"write"' not in asked


async def test_the_polls_go_on(reading):
    async with reading() as house:
        before = len(house.ears.heard)
        for one in await listed(house.client):
            if not one["hidden"]:
                await house.client.get(f"/api/v1/table?meter=house&table={one['table']}")
        await asyncio.sleep(10)
    times = house.ears.heard[before:]
    assert len(times) > 10
    assert max(late - early for early, late in pairwise(times)) < 5


async def test_a_table_that_is_not_there_is_said_so_and_the_request_is_in_the_log(reading):
    async with reading() as house:
        reply = await house.client.get("/api/v1/table?meter=house&table=BT02")
        log = (await house.client.get("/api/v1/requests?meter=house")).json()
    assert (reply.status_code, reply.json()["title"]) == (404, "The meter does not give this table")
    refused = [one for one in log if one["table"] == "BT02"]
    assert [(one["verb"], one["outcome"], one["size"]) for one in refused][:1] == [("read", "refused", None)]
    assert refused[0]["code"] > 0
    present = next(one for one in log if one["table"] == "BT28" and one["outcome"] == "answered")
    assert present["size"] > 0
    assert log[0]["number"] > log[-1]["number"]


@pytest.mark.parametrize(
    ("table", "status"),
    [
        ("bt23", 422),
        ("BT", 422),
        ("BT23'--", 422),
        ("BT2048", 422),
        ("BT42", 403),
        ("BT07", 403),
        *((table, 403) for table in sorted(SECRET)),
        ("BT042", 403),
        ("ET013", 403),
        ("BT46", 403),
    ],
)
async def test_what_is_no_table_or_none_to_be_read_is_refused_before_the_meter_is_asked(
    make_web, client_for, table, status
):
    async with client_for(make_web(), headers=ON_PURPOSE) as client:
        assert (await client.get(f"/api/v1/table?meter=house&table={table}")).status_code == status
        assert (await client.get("/api/v1/table?meter=barn&table=BT23")).status_code == 404
        assert (await client.get("/api/v1/tables?meter=house")).status_code == 503
        assert (await client.get("/api/v1/requests?meter=house")).json() == []


async def test_with_a_password_it_is_for_who_is_logged_in(make_web, client_for):
    async with client_for(make_web(password="correct horse battery")) as client:
        for query in ("tables?meter=house", "table?meter=house&table=BT23", "requests?meter=house"):
            assert (await client.get(f"/api/v1/{query}")).status_code == 401


class Watched:
    """In place of what asks meters: notes that it was asked, by whatever method, and has no answer."""

    def __init__(self):
        self.asked = 0

    def __getattr__(self, name):
        async def ask(*_):
            self.asked += 1

        return ask

    def requests(self, _meter):
        return ()


PICTURE = {"accept": "image/avif,image/webp,*/*;q=0.8", "referer": "http://elsewhere.example/"}
"""What an `<img>` sends to a plain http address: no Origin and no Sec-Fetch-Site (W3C Fetch Metadata, section 2: only to
potentially trustworthy addresses)."""
READS = {"/api/v1/profile", "/api/v1/tables", "/api/v1/table"}


async def test_a_picture_on_a_page_elsewhere_makes_nothing_read_from_the_meter(make_web, client_for):
    web = make_web()
    web.profiles, web.console = Watched(), Watched()
    asked = {}
    async with client_for(web) as client:
        paths = (await client.get("/api/v1/openapi.json")).json()["paths"]
        for path in paths:
            if path.endswith("/live"):
                continue  # it lasts, and reads nothing
            for how in (PICTURE, PICTURE | {"authorization": "Basic YTpi"}, PICTURE | ON_PURPOSE):
                query = {"meter": "house", "table": "BT23", "day": datetime.now(UTC).date()}
                before = web.profiles.asked + web.console.asked
                reply = await client.get(path.replace("{meter}", "house"), params=query, headers=how)
                asked[path, tuple(how)] = web.profiles.asked + web.console.asked - before
                assert (reply.status_code == 403) == (path in READS and how != PICTURE | ON_PURPOSE)
        preflight = await client.options("/api/v1/tables?meter=house", headers={"origin": "http://elsewhere.example"})
        assert not any(name.startswith("access-control-") for name in preflight.headers)
    # A new operation that reads from the meter is found here: it is asked as a picture asks, too.
    assert {path for (path, how), times in asked.items() if times} == READS
    assert not any(times for (_, how), times in asked.items() if how != tuple(PICTURE | ON_PURPOSE))


async def test_a_token_shows_who_asks_as_well(make_web, client_for):
    web = make_web(password="correct horse battery", token="0123456789abcdef0123456789abcdef")
    web.console = Watched()
    async with client_for(web) as client:
        for how, status in (({}, 401), ({"authorization": "Bearer 0123456789abcdef0123456789abcdef"}, 503)):
            assert (await client.get("/api/v1/tables?meter=house", headers=how)).status_code == status
    assert web.console.asked == 1


class Slow:
    """A poller whose meter answers after a minute."""

    name = "house"

    def __init__(self):
        self.asked = 0

    async def beside(self, read):
        del read
        self.asked += 1
        await asyncio.sleep(60)
        raise ResponseTimeout("no reply")


async def test_many_who_ask_do_not_pile_up_and_a_read_goes_on(make_web, client_for, loop_clocks, online):
    base, hub, meter = make_web(samples=False), Hub({}, loop_clocks()), Slow()
    web = WebOutput(base.config, base.gateway, hub, None, console=Console([meter], {}, hub.clock.monotonic))
    hub.publish(online())
    async with client_for(web, headers=ON_PURPOSE) as client:
        ask = [client.get(f"/api/v1/table?meter=house&table=BT{number}") for number in (*range(21, 29), 60, 61)]
        replies = await asyncio.gather(*ask)
        assert {reply.status_code for reply in replies} == {503}
        await asyncio.sleep(300)
        assert meter.asked == MOST_WAIT


def test_the_log_has_names_and_sizes_and_an_end():
    log = RequestLog(lambda: 5.0)
    log.hear(ResponseReceived(PartialRead(23, 4, 8), Response(0, b"sealed!!")))
    log.hear(RequestFailed(PartialWrite(7, 0, b"secret"), ResponseTimeout("no reply")))
    write, read = log.last()
    assert (read.verb, read.table, read.offset, read.asked, read.size) == ("read", "BT23", 4, 8, 8)
    assert (write.verb, write.table, write.asked, write.outcome) == ("write", "BT07", 6, "failed")
    assert "sealed" not in repr(log.last())
    assert "secret" not in repr(log.last())
    for _ in range(MOST_LOGGED):
        log.hear(ResponseReceived(PartialRead(28, 0, 1), Response(0, b"\0")))
    assert len(log.last()) == MOST_LOGGED
