"""When Home Assistant is asked, for what, and what happens when it cannot be. It is a table of answers here."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from nes2mqtt.history.tables.filled import FilledGap
from nes2mqtt.outputs.homeassistant.config import HomeAssistantConfig
from nes2mqtt.outputs.homeassistant.connection import HomeAssistant, HomeAssistantError, Refused, TokenRefused
from nes2mqtt.outputs.homeassistant.frames import Opcode, accept_of, encode
from nes2mqtt.outputs.homeassistant.repair import Repair
from nes2mqtt.readings.reading import Sample, TableGroup
from osgp.sources import SOURCES

IMPORT, EXPORT = SOURCES["active_energy_import"], SOURCES["active_energy_export"]
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
CONFIG = HomeAssistantConfig.model_validate({"url": "http://ha:8123", "token": "a-long-token"})


def gap(number=1, base=None, sources=(IMPORT,)):
    readings = tuple(
        Sample(
            "house",
            TableGroup.REGISTERS,
            NOON + timedelta(minutes=15 * n),
            dict.fromkeys(sources, 5000 + 250 * n),
            base=base or {},
        )
        for n in range(1, 12)
    )
    return FilledGap(number, "house", NOON + timedelta(minutes=1), NOON + timedelta(hours=3), readings)


class Home:
    """Home Assistant with one entity, whose unit people may have changed.

    Args:
        version: ``old``: refuses what it does not know in a statistic; ``new``: demands it.
        refuses: entities that it does not let be put right.
        exports: it has the entity of what was delivered as well.
    """

    def __init__(self, unit="kWh", factor=1.0, *, has_sum=True, version="old", refuses=(), exports=False):
        self.unit, self.factor, self.has_sum = unit, factor, has_sum
        self.version, self.refuses, self.exports = version, set(refuses), exports
        self.asked = []
        self.tried = []
        self.imported = []
        self.trouble = []

    @asynccontextmanager
    async def connect(self):
        if self.trouble:
            raise self.trouble.pop(0)
        yield self

    async def ask(self, command, **more):
        self.asked.append(command)
        if command == "config/entity_registry/list":
            mine = {"unique_id": "nes2mqtt_home_house_active_energy_import", "entity_id": "sensor.renamed"}
            other = {"unique_id": "nes2mqtt_home_house_active_energy_export", "entity_id": "sensor.x"}
            return [mine | {"platform": "mqtt"}, other | {"platform": "mqtt" if self.exports else "template"}]
        if command == "recorder/get_statistics_metadata":
            assert set(more["statistic_ids"]) <= {"sensor.renamed", *(["sensor.x"] if self.exports else [])}
            about = {"has_sum": self.has_sum, "name": None}
            about |= {"statistics_unit_of_measurement": self.unit, "unit_class": "energy"}
            return [about | {"statistic_id": entity} for entity in reversed(more["statistic_ids"])]
        if command == "recorder/statistics_during_period":
            assert more["units"] == {"energy": self.unit}
            start = int((NOON - timedelta(hours=1)).timestamp() * 1000)
            (entity,) = more["statistic_ids"]
            return {entity: [{"start": start, "state": 5.0 * self.factor, "sum": 2.0 * self.factor}]}
        assert command == "recorder/import_statistics"
        self.tried.append(more["metadata"])
        if more["metadata"]["statistic_id"] in self.refuses:
            raise Refused(f"Home Assistant refuses {command}: no (home_assistant_error)", "home_assistant_error")
        wanted = {"has_mean"} if self.version == "old" else {"mean_type", "unit_class"}
        if (more["metadata"].keys() & {"has_mean", "mean_type", "unit_class"}) != wanted:
            raise Refused(f"Home Assistant refuses {command}: extra keys (invalid_format)", "invalid_format")
        self.imported.append(more)
        return None


class Store:
    def __init__(self, *gaps):
        self.gaps, self.done = gaps, 0

    async def filled_gaps(self, after, limit):
        return [one for one in self.gaps if one.number > after][:limit]

    async def filled_count(self, after):
        return len(await self.filled_gaps(after, 99))

    async def noted(self, _):
        return self.done

    async def note(self, _, value):
        self.done = value


async def work(store, home, seconds=10):
    repair = Repair(CONFIG, "home", store, home.connect)
    task = asyncio.create_task(repair.run())
    await asyncio.sleep(seconds)
    task.cancel()
    return repair


@pytest.mark.virtual_clock
@pytest.mark.parametrize(("unit", "factor"), [("kWh", 1), ("Wh", 1000), ("MWh", 0.001)])
async def test_the_hours_of_a_gap_are_sent_in_home_assistant_s_own_unit(unit, factor):
    home, store = Home(unit, factor), Store(gap())
    repair = await work(store, home)
    (told,) = home.imported
    assert told["metadata"] == {
        "has_mean": False,
        "has_sum": True,
        "name": None,
        "source": "recorder",
        "statistic_id": "sensor.renamed",
        "unit_of_measurement": unit,
    }
    assert told["stats"] == [
        {"start": "2026-01-15T12:00:00+00:00", "state": pytest.approx(6 * factor), "sum": pytest.approx(3 * factor)},
        {"start": "2026-01-15T13:00:00+00:00", "state": pytest.approx(7 * factor), "sum": pytest.approx(4 * factor)},
    ]
    assert store.done == 1
    assert repair.status().ok


@pytest.mark.virtual_clock
async def test_after_a_swap_an_entity_counts_from_what_the_meter_had():
    home = Home()
    await work(Store(gap(base={IMPORT: 2000})), home)
    assert home.imported == []  # Home Assistant had 5.0: below that it is left as it is
    home = Home(factor=0.1)
    await work(Store(gap(base={IMPORT: 1000})), home)
    assert [one["state"] for one in home.imported[0]["stats"]] == [5.0, 6.0]


@pytest.mark.virtual_clock
@pytest.mark.parametrize("home", [Home(unit="GJ"), Home(has_sum=False)])
async def test_what_cannot_be_repaired_is_passed_over(home):
    store = Store(gap())
    await work(store, home)
    assert (home.imported, store.done) == ([], 1)


@pytest.mark.virtual_clock
async def test_a_newer_home_assistant_gets_what_it_demands():
    home = Home(version="new")
    await work(Store(gap(1), gap(2)), home)
    assert [told["metadata"] for told in home.imported] == home.tried
    assert home.tried[0] == {
        "has_sum": True,
        "mean_type": 0,
        "name": None,
        "source": "recorder",
        "statistic_id": "sensor.renamed",
        "unit_class": "energy",
        "unit_of_measurement": "kWh",
    }


@pytest.mark.virtual_clock
async def test_an_older_one_is_asked_in_the_newer_form_once_a_connection():
    home, store = Home(), Store(gap(1), gap(2))
    await work(store, home)
    assert [("mean_type" in metadata) for metadata in home.tried] == [True, False, False]
    assert len(home.imported) == 2


@pytest.mark.virtual_clock
async def test_an_entity_that_is_refused_holds_up_no_other_and_is_told_and_tried_again(caplog):
    home = Home(version="new", refuses={"sensor.x"}, exports=True)
    store = Store(*(gap(number, sources=(IMPORT, EXPORT)) for number in (1, 2)))
    repair = Repair(CONFIG, "home", store, home.connect)
    task = asyncio.create_task(repair.run())
    await asyncio.sleep(1800)
    assert [told["metadata"]["statistic_id"] for told in home.imported] == ["sensor.renamed"] * 2
    assert store.done == 2
    assert not repair.status().ok
    assert repair.status().waiting == 0
    assert "The statistics of sensor.x are not repaired after a gap: Home Assistant refuses" in repair.status().message
    assert (repair.status().code, repair.status().params) == ("homeassistant_refused", {"entities": "sensor.x"})
    assert caplog.text.count("sensor.x are not repaired after the gap from 2026-01-15 12:01") == 2  # once a gap
    home.refuses.clear()
    await asyncio.sleep(3600)
    task.cancel()
    assert [told["metadata"]["statistic_id"] for told in home.imported] == ["sensor.renamed"] * 2 + ["sensor.x"] * 2
    assert repair.status().ok


@pytest.mark.virtual_clock
async def test_a_home_assistant_that_is_still_starting_is_asked_again():
    """It knows its entities before it knows the commands of its statistics."""
    home, store = Home(version="new"), Store(gap())
    known = home.ask

    async def starting(command, **more):
        if command.startswith("recorder/"):
            raise Refused(f"Home Assistant refuses {command}: unknown command (unknown_command)", "unknown_command")
        return await known(command, **more)

    home.ask = starting
    repair = await work(store, home, 100)
    assert (home.imported, store.done) == ([], 0)
    assert not repair.status().ok
    home.ask = known
    await work(store, home, 100)
    assert (len(home.imported), store.done) == (1, 1)


@pytest.mark.virtual_clock
async def test_a_gap_of_months_is_sent_in_pieces():
    readings = tuple(
        Sample("house", TableGroup.REGISTERS, NOON + timedelta(minutes=15 * n), {IMPORT: 5000 + n})
        for n in range(1, 9000)
    )
    long = FilledGap(1, "house", NOON + timedelta(minutes=1), NOON + timedelta(minutes=15 * 9000), readings)
    home = Home(version="new")
    await work(Store(long), home)
    starts = [one["start"] for told in home.imported for one in told["stats"]]
    assert len(starts) == len(set(starts)) == 2249
    assert max(len(told["stats"]) for told in home.imported) == 1000


@pytest.mark.virtual_clock
async def test_a_refused_token_is_tried_once_a_day():
    """Home Assistant counts wrong tokens, and shuts out who comes with too many."""
    home, store = Home(version="new"), Store(gap())
    home.trouble = [TokenRefused("Home Assistant refuses the token")] * 99
    repair = await work(store, home, 10 * 86_400)
    assert 99 - len(home.trouble) in {10, 11}
    assert "refuses the token" in repair.status().message
    home.trouble.clear()
    await work(store, home)
    assert len(home.imported) == 1


@pytest.mark.virtual_clock
async def test_what_was_repaired_before_a_kill_is_repaired_again_to_the_same():
    """The gateway may end after Home Assistant took the hours and before it has noted that."""
    home = Home(version="new")
    await work(Store(gap()), home)
    (first,) = home.imported
    known = home.ask

    async def with_them(command, **more):
        found = await known(command, **more)
        if command == "recorder/statistics_during_period":
            for row in first["stats"]:
                start = int(datetime.fromisoformat(row["start"]).timestamp() * 1000)
                found["sensor.renamed"].append({"start": start, "state": row["state"], "sum": row["sum"]})
        return found

    home.ask = with_them
    await work(Store(gap()), home)
    assert home.imported[1] == first


@pytest.mark.virtual_clock
async def test_nothing_is_asked_while_nothing_was_filled():
    home = Home()
    await work(Store(), home, 86_400)
    assert home.asked == []


@pytest.mark.virtual_clock
async def test_home_assistant_that_is_away_is_asked_again_and_told_once(caplog):
    home, store = Home(), Store(gap(1), gap(2))
    home.trouble = [HomeAssistantError("http://ha:8123 cannot be reached")] * 3
    repair = await work(store, home, 100)
    assert not repair.status().ok
    assert repair.status().waiting == 2
    assert "cannot be reached" in repair.status().message
    assert repair.status().code == "homeassistant_unreachable"
    repair = await work(store, home, 3600)
    assert len(home.imported) == 2
    assert store.done == 2
    assert repair.status().ok
    assert caplog.text.count("are not repaired") <= 2  # two runs


@pytest.mark.parametrize("url", ["ha:8123", "ws://ha", "http://", "http://me:secret@ha", "http://ha?x=1"])
def test_an_address_is_one_of_a_browser(url):
    with pytest.raises(ValidationError):
        HomeAssistantConfig.model_validate({"url": url, "token": "t"})


def frame(text):
    """Return a short message as a server sends it: a client's frame without its mask."""
    masked = encode(Opcode.TEXT, text, bytes(4))
    return bytes((masked[0], masked[1] & 0x7F)) + masked[6:]


@pytest.mark.parametrize(
    ("answers", "error", "words"),
    [
        ([b'{"type":"auth_required"}', b'{"type":"auth_invalid"}'], TokenRefused, "refuses the token"),
        ([b'{"type":"hello"}'], HomeAssistantError, "does not ask for a token"),
        ([b"no json"], HomeAssistantError, "cannot be reached"),
        ([b"[1]"], HomeAssistantError, "something else than messages"),
        ([], HomeAssistantError, "ended"),
        (None, HomeAssistantError, "is the address right"),
    ],
)
async def test_what_answers_otherwise_is_told_and_the_token_is_not(answers, error, words):
    async def serve(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = head.split("Sec-WebSocket-Key: ")[1].split("\r\n")[0]
        if answers is None:
            writer.write(b"HTTP/1.1 404 Not Found\r\n\r\n")
        else:
            writer.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accept_of(key).encode() + b"\r\n\r\n" + b"".join(map(frame, answers))
            )
        await writer.drain()
        await asyncio.sleep(0)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(error, match=words) as caught:
            async with HomeAssistant(f"http://127.0.0.1:{port}", CONFIG.token):
                pass
    assert "a-long-token" not in str(caught.value)
