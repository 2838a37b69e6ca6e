"""The REST API: readings with all that makes them trustworthy, problems in plain words, a complete description."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.queries.filled_power import FilledPower
from nes2mqtt.history.queries.periods import periods
from nes2mqtt.history.queries.reader import EnergyPeriod, Line, Series
from nes2mqtt.history.tables.filled import LookedInto
from nes2mqtt.outputs.web.app import build_app, openapi_document
from nes2mqtt.readings.reading import MeterInfo
from nes2mqtt.timing.clock import Clock
from osgp.image import MeterImage
from osgp.ports.tap.health import ModuleHealth
from osgp.sources import SOURCES
from osgp.tables import present, registers

ROOT = Path(__file__).parents[4]


class FakeStore:
    """A history in which each hour drew 1.5 kWh and gave 0.25 kWh until now."""

    zone = ZoneInfo("Europe/Copenhagen")

    async def looked_into(self, meter, limit):
        del meter, limit
        return []

    async def series(self, meter, keys, start, end, max_points):
        del end, max_points
        for key in keys:
            if key not in SOURCES:
                raise ValueError(f"the history keeps no present value named {key}")
        line = Line([230_125, None], [229_000, None], [231_000, None])
        minute = timedelta(minutes=1)
        filled = [FilledPower(start + minute, start + 16 * minute, {"active_power_import": 512})]
        return Series(meter, minute, [start, start + minute], dict.fromkeys(keys, line), filled)

    async def energy(self, meter, unit, start, end):
        return await self.energies(meter, list(periods(start, end, unit, self.zone)))

    async def energies(self, meter, spans):
        del meter
        now = datetime.now(UTC)
        return [
            EnergyPeriod(a, b, {"active_energy_import": 1500, "active_energy_export": 250} if b <= now else {}, a, b)
            for a, b in spans
        ]


async def test_every_danish_value_is_there_exactly(make_web, client_for):
    image = MeterImage.load("image:denmark-gen3")
    dims = image.derive_dimensions()
    raw = registers.decode(image.read("BT23"), dims) | present.decode(image.read("BT28"), dims)
    async with client_for(make_web()) as client:
        document = (await client.get("/api/v1/readings")).json()
    shown = {reading["name"]: reading for reading in document["readings"]}
    assert {name: reading["value"] for name, reading in shown.items()} == {s.key: s.scaled(v) for s, v in raw.items()}
    reading = shown["active_energy_import"]
    assert (
        reading.items()
        >= {
            "meter": "house",
            "value": 65845.342,
            "unit": "kWh",
            "group": "registers",
            "quality": "good",
        }.items()
    )
    assert reading["meter_time"] is not None
    assert shown["voltage_l1"]["value"] == 228.693
    assert shown["voltage_l1"]["meter_time"] is None


async def test_old_values_say_so(make_web, client_for, danish_samples):
    web = make_web(samples=False)
    for sample in danish_samples(datetime.now(UTC) - timedelta(seconds=30)):
        web.hub.publish(sample)
    async with client_for(web) as client:
        document = (await client.get("/api/v1/readings?meter=house")).json()
    assert {r["group"]: r["quality"] for r in document["readings"]} == {"present": "stale", "registers": "good"}


async def test_before_the_first_reply_there_is_nothing(make_web, client_for):
    async with client_for(make_web(samples=False)) as client:
        assert (await client.get("/api/v1/readings")).json()["readings"] == []


async def test_the_meters_and_the_gateway(make_web, client_for, online):
    web = make_web()
    web.hub.publish(replace(online(MeterInfo("barn", name="Barn")), security="tls"))
    async with client_for(web) as client:
        meters = (await client.get("/api/v1/meters")).json()
        assert [meter["security"] for meter in meters] == ["", "tls"]
        assert [meter["id"] for meter in meters] == ["house", "barn"], "in the order of the configuration"
        assert [meter["module"] for meter in meters] == [None, None]
        one = (await client.get("/api/v1/meters/house")).json()
        assert one == meters[0]
        assert (one["serial"], one["model"], one["firmware"]) == ("87654321", "83332-3I", "3.10.21")
        assert one["link"]["replies"] == 999
        status = (await client.get("/api/v1/status")).json()
        assert status["meters"] == meters
        web.hub.publish(
            replace(online(MeterInfo("barn", name="Barn")), module=ModuleHealth(uptime=60, wifi_strength=-61))
        )
        barn = (await client.get("/api/v1/meters/barn")).json()
        assert barn["module"] == {
            "uptime": 60, "firmware": None, "wifi_strength": -61, "free_memory": None, "restart_reason": None,
        }  # fmt: skip
        assert status["gateway"]["timezone"] == "Europe/Copenhagen"
        assert [output["name"] for output in status["outputs"]] == ["mqtt", "web"]
        sources = (await client.get("/api/v1/sources")).json()
        assert [source["name"] for source in sources] == list(SOURCES)


async def test_too_many_meters_at_once_is_a_problem(make_web, client_for, make_sample):
    web = make_web()
    for number in range(60):
        web.hub.publish(make_sample(meter=f"m{number}", received=datetime.now(UTC)))
    async with client_for(web) as client:
        reply = await client.get("/api/v1/readings")
        assert (reply.status_code, reply.json()["title"]) == (400, "There are 61 meters")
        assert len((await client.get("/api/v1/readings?meter=m1&meter=m2&meter=m1")).json()["readings"]) == 4


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/v1/meters/garage", 404, "Meters known: house."),
        ("/api/v1/readings?meter=garage", 404, "Meters known: house."),
        ("/api/v1/meters/Gar%20age", 422, "meter: String should match pattern"),
        ("/api/v1/nothing", 404, "openapi.json"),
        ("/api/v1/live?recent=9999", 422, "recent"),
        ("/api/v1/energy?meter=house", 503, "[history]"),
    ],
)
async def test_a_problem_says_what_to_do(make_web, client_for, path, status, words):
    async with client_for(make_web()) as client:
        reply = await client.get(path)
        assert reply.status_code == status
        assert reply.headers["content-type"] == "application/problem+json"
        assert words in reply.json()["detail"]


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("start=2026-11-23&end=2026-11-22", 400, "Swap"),
        ("start=2026-01-01&end=2026-12-31", 400, "at most 62 days by hour"),
        ("start=1999-01-01&end=2026-12-31", 400, "2000 to 2099"),
        ("start=yesterday", 422, "start"),
        ("period=decade", 422, "period"),
    ],
)
async def test_a_range_has_limits(make_web, client_for, query, status, words):
    async with client_for(make_web(store=FakeStore())) as client:
        reply = await client.get(f"/api/v1/energy?meter=house&{query}")
        assert reply.status_code == status
        assert words in reply.json()["detail"]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-06-01", 24), ("2026-10-25", 25)])
async def test_a_day_has_its_hours(make_web, client_for, day, hours):
    end = (datetime.fromisoformat(day) + timedelta(days=1)).date()
    async with client_for(make_web(store=FakeStore())) as client:
        report = (await client.get(f"/api/v1/energy?meter=house&start={day}&end={end}")).json()
    assert len(report["buckets"]) == hours
    assert report["total"]["import_kwh"] == 1.5 * hours
    assert report["total"]["export_kwh"] == 0.25 * hours


async def test_without_a_range_it_is_today_and_this_month(make_web, client_for):
    async with client_for(make_web(store=FakeStore())) as client:
        hours = (await client.get("/api/v1/energy?meter=house&period=hour")).json()
        days = (await client.get("/api/v1/energy?meter=house&period=day")).json()
    local = datetime.now(ZoneInfo("Europe/Copenhagen"))
    assert datetime.fromisoformat(hours["buckets"][0]["start"]).astimezone(FakeStore.zone).date() == local.date()
    assert 28 <= len(days["buckets"]) <= 31
    assert hours["buckets"][-1]["import_kwh"] is None, "the future is not a zero"


async def test_a_long_answer_is_compressed_for_who_takes_it(make_web, client_for):
    query = "/api/v1/energy?meter=house&start=2026-10-25&end=2026-10-26"
    async with client_for(make_web(store=FakeStore())) as client:
        plain = await client.get(query, headers={"accept-encoding": "identity"})
        packed = await client.get(query, headers={"accept-encoding": "gzip"})
        short = await client.get("/api/v1/devices", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in short.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == plain.headers["vary"] == "accept-encoding"
    assert packed.json() == plain.json()
    assert int(packed.headers["content-length"]) < len(plain.content) / 5


async def test_energy_as_a_table(make_web, client_for):
    async with client_for(make_web(store=FakeStore())) as client:
        reply = await client.get("/api/v1/energy.csv?meter=house&start=2026-10-25&end=2026-10-26")
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.headers["content-disposition"] == 'attachment; filename="house-hour-2026-10-25.csv"'
    head, *rows = reply.text.split("\r\n")
    assert head == "start,end,import_kwh,export_kwh,complete,filled,imported"
    assert rows[2:4] == [
        "2026-10-25T02:00:00+02:00,2026-10-25T02:00:00+01:00,1.5,0.25,true,false,false",
        "2026-10-25T02:00:00+01:00,2026-10-25T03:00:00+01:00,1.5,0.25,true,false,false",
    ]
    assert len(rows) == 26


async def test_energy_as_parquet_is_the_same_table(make_web, client_for):
    """Read by pyarrow."""
    arrow = pytest.importorskip("pyarrow.parquet")
    web = make_web(store=FakeStore())
    async with client_for(web) as client:
        reply = await client.get("/api/v1/energy.parquet?meter=house&start=2026-10-25&end=2026-10-26")
        table = await client.get("/api/v1/energy.csv?meter=house&start=2026-10-25&end=2026-10-26")
        told = (await client.get("/api/v1/energy?meter=house&start=2026-10-25&end=2026-10-26")).json()["buckets"]
    assert reply.headers["content-type"] == "application/vnd.apache.parquet"
    assert reply.headers["content-disposition"] == 'attachment; filename="house-hour-2026-10-25.parquet"'
    rows = arrow.read_table(io.BytesIO(reply.content)).to_pylist()
    assert list(rows[0]) == table.text.split("\r\n")[0].split(",")
    assert len(rows) == 25
    assert [row["start"].isoformat() for row in rows] == [
        datetime.fromisoformat(bucket["start"]).astimezone(UTC).isoformat() for bucket in told
    ]
    for name in ("import_kwh", "export_kwh", "complete"):
        assert [row[name] for row in rows] == [bucket[name] for bucket in told]


async def test_energy_as_a_table_with_a_decimal_comma(make_web, client_for):
    async with client_for(make_web(store=FakeStore())) as client:
        reply = await client.get("/api/v1/energy.csv?meter=house&start=2026-10-25&end=2026-10-26&decimal=comma")
    head, *rows = reply.text.split("\r\n")
    assert head == "start;end;import_kwh;export_kwh;complete;filled;imported"
    assert rows[0] == "2026-10-25T00:00:00+02:00;2026-10-25T01:00:00+02:00;1,5;0,25;true;false;false"


async def test_buckets_are_whole_unless_they_shall_be_exact(make_web, client_for):
    async with client_for(make_web(store=FakeStore())) as client:
        query = "/api/v1/energy?meter=house&period=day&start=2026-11-03T11:20&end=2026-11-05T14:29"
        whole = (await client.get(query)).json()["total"]
        exact = (await client.get(f"{query}&exact=true")).json()
        nothing = await client.get("/api/v1/energy?meter=house&start=2026-11-03T11:20&end=2026-11-03T11:25&exact=true")
    assert (whole["start"], whole["end"]) == ("2026-11-02T23:00:00Z", "2026-11-05T23:00:00Z")
    assert (exact["total"]["start"], exact["total"]["end"]) == ("2026-11-03T10:15:00Z", "2026-11-05T13:15:00Z")
    assert [bucket["start"] for bucket in exact["buckets"][1:]] == ["2026-11-03T23:00:00Z", "2026-11-04T23:00:00Z"]
    assert nothing.status_code == 400


async def test_a_bucket_tells_how_much_of_it_is_over_and_known(make_web, client_for):
    now = datetime(2026, 11, 28, 14, 20, 30, tzinfo=UTC)

    class Half(FakeStore):
        async def energies(self, meter, spans):
            del meter
            return [
                EnergyPeriod(a, b, {"active_energy_import": 1}, a + timedelta(minutes=40), b + timedelta(minutes=5))
                if b <= now
                else EnergyPeriod(a, b, {})
                for a, b in spans
            ]

    web = make_web(store=Half())
    web.hub.clock = Clock(wall=now.timestamp, monotonic=now.timestamp, synchronised=lambda: True, built=0.0)
    async with client_for(web) as client:
        start = (now - timedelta(hours=3)).isoformat().replace("+00:00", "Z")
        report = (await client.get(f"/api/v1/energy?meter=house&period=hour&start={start}&end=2100-01-01")).status_code
        assert report == 400
        end = (now + timedelta(hours=2)).isoformat().replace("+00:00", "Z")
        report = (await client.get(f"/api/v1/energy?meter=house&period=hour&start={start}&end={end}")).json()
    told = [(bucket["expected_seconds"], bucket["known_seconds"]) for bucket in report["buckets"]]
    assert told[:3] == [(3600, 1200)] * 3
    assert told[3] == (now.minute * 60 + now.second, 0)
    assert told[-1] == (0, 0)
    assert report["total"]["known_seconds"] == 3600
    assert report["total"]["expected_seconds"] == sum(expected for expected, _ in told)


async def test_the_hours_with_the_most_import_and_the_base_load(make_web, client_for):
    zone = FakeStore.zone

    class Uneven(FakeStore):
        async def energies(self, meter, spans):
            """400 W; 4 kW from 18 to 19 o'clock on the 3rd, 3 kW from 19 on; after a gap on the 4th 50 kWh."""
            del meter
            found = []
            for a, b in spans:
                local = a.astimezone(zone)
                watts = {(3, 18): 4000, (3, 19): 3000, (5, 7): 2000}.get((local.day, local.hour), 400)
                energy = watts * (b - a) / timedelta(hours=1)
                gap = (local.day, local.hour, local.minute) == (4, 12, 0)
                first = a - timedelta(hours=9) if gap else a
                found.append(EnergyPeriod(a, b, {"active_energy_import": 50_000 if gap else round(energy)}, first, b))
            return found

    async with client_for(make_web(store=Uneven())) as client:
        query = "/api/v1/peaks?meter=house&start=2026-11-01&end=2026-11-20"
        report = (await client.get(f"{query}&count=3")).json()
        days = (await client.get(f"{query}&count=2&distinct_days=true")).json()
        few = (await client.get("/api/v1/peaks?meter=house&start=2026-11-01&end=2026-11-03")).json()
        long = await client.get("/api/v1/peaks?meter=house&start=2025-01-01&end=2026-11-03")
    hours = [(bucket["start"], bucket["import_kwh"]) for bucket in report["highest"]]
    assert hours == [("2026-11-03T17:00:00Z", 4.0), ("2026-11-03T18:00:00Z", 3.0), ("2026-11-05T06:00:00Z", 2.0)]
    assert [bucket["start"][:10] for bucket in days["highest"]] == ["2026-11-03", "2026-11-05"]
    assert report["base_watts"] == 400.0
    assert few["base_watts"] is None
    assert long.status_code == 400


async def test_gaps_that_were_looked_into(make_web, client_for):
    class Filled(FakeStore):
        async def looked_into(self, meter, limit):
            assert (meter, limit) == ("house", 100)
            began = datetime(2026, 11, 20, 8, 3, tzinfo=UTC)
            return [LookedInto(began, began + timedelta(days=6), 570, "partly", ("reactive_energy_import",))]

    async with client_for(make_web(store=Filled())) as client:
        report = (await client.get("/api/v1/gaps?meter=house")).json()
        unknown = await client.get("/api/v1/gaps?meter=shed")
    assert report == {
        "meter": "house",
        "gaps": [
            {
                "start": "2026-11-20T08:03:00Z",
                "end": "2026-11-26T08:03:00Z",
                "outcome": "partly",
                "readings": 570,
                "unplaced": ["reactive_energy_import"],
            }
        ],
    }
    assert unknown.status_code == 404


async def test_curves_in_people_s_units(make_web, client_for):
    async with client_for(make_web(store=FakeStore())) as client:
        query = "meter=house&name=voltage_l1&name=active_power_import"
        report = (
            await client.get(f"/api/v1/series?{query}&start=2026-11-21T00:00:00Z&end=2026-11-21T01:00:00Z")
        ).json()
        assert report["step"] == 60
        assert report["times"] == ["2026-11-21T00:00:00Z", "2026-11-21T00:01:00Z"]
        assert report["lines"]["voltage_l1"] == {
            "average": [230.125, None],
            "lowest": [229.0, None],
            "highest": [231.0, None],
        }
        assert report["filled"] == [
            {"start": "2026-11-21T00:01:00Z", "end": "2026-11-21T00:16:00Z", "values": {"active_power_import": 512.0}}
        ]
        reply = await client.get("/api/v1/series?meter=house&name=nonsense")
        assert reply.status_code == 400
        assert "no present value named nonsense" in reply.json()["detail"]


async def test_s7_a_history_that_cannot_be_read_is_said_and_is_no_empty_answer(make_web, client_for):
    class Damaged:
        zone = FakeStore.zone

        async def energy(self, *_):
            raise HistoryError("page 17 of history.db is damaged; run nes2mqtt restore")

        series = energy

    async with client_for(make_web(store=Damaged())) as client:
        for path in ("energy?meter=house", "energy.csv?meter=house", "series?meter=house&name=voltage_l1"):
            reply = await client.get(f"/api/v1/{path}")
            assert reply.status_code == 503
            assert reply.json()["title"] == "The history cannot be read now"
            assert "page 17 of history.db is damaged; run nes2mqtt restore" in reply.json()["detail"]


async def test_a_bucket_tells_from_when_its_energy_is(make_web, client_for):
    class Gap:
        zone = FakeStore.zone

        async def energy(self, meter, unit, start, end):
            del meter
            days = list(periods(start, end, unit, self.zone))
            before = datetime(2026, 11, 25, 8, tzinfo=UTC)
            return [EnergyPeriod(a, b, {"active_energy_import": 75_000}, before, b) for a, b in days]

    async with client_for(make_web(store=Gap())) as client:
        query = "meter=house&period=day&start=2026-11-28&end=2026-11-29"
        report = (await client.get(f"/api/v1/energy?{query}")).json()
    (bucket,) = report["buckets"]
    assert not bucket["complete"]
    assert (bucket["first"], bucket["last"]) == ("2026-11-25T08:00:00Z", bucket["end"])
    assert report["total"]["first"] == "2026-11-25T08:00:00Z"


async def test_a_parameter_named_twice_counts_as_said_last_and_others_are_not_looked_at(make_web, client_for):
    async with client_for(make_web(store=FakeStore())) as client:
        query = "meter=garage&meter=house&period=hour&period=day&colour=red"
        report = (await client.get(f"/api/v1/energy?{query}&start=2026-10-24&end=2026-10-26")).json()
    assert (report["meter"], report["period"], len(report["buckets"])) == ("house", "day", 2)


@pytest.mark.parametrize("path", [path.replace("{meter}", "house") for path in openapi_document()["paths"]])
async def test_only_get_is_answered(make_web, client_for, path):
    async with client_for(make_web(store=FakeStore())) as client:
        for method in ("HEAD", "POST"):
            reply = await client.request(method, path, headers={"Origin": "http://127.0.0.1:8099"})
            assert (reply.status_code, reply.headers["allow"]) == (405, "GET"), method


async def test_a_value_too_long_or_too_large_is_told_by_its_place(make_web, client_for):
    async with client_for(make_web(store=FakeStore())) as client:
        for path, words in (
            (f"live?meter=house&meter={'m' * 41}", "meter.1: String should have at most 40 characters"),
            ("series?meter=house", "name: Field required"),
            ("series?meter=house&name=voltage_l1&points=1", "points: Input should be greater than or equal to 2"),
            (f"meters/{'m' * 41}", "meter: String should have at most 40 characters"),
        ):
            reply = await client.get(f"/api/v1/{path}")
            assert (reply.status_code, reply.json()["detail"]) == (422, words)
        reply = await client.get("/api/v1/live?meter=house", headers={"Last-Event-ID": "9" * 41})
        assert reply.json()["detail"] == "last-event-id: String should have at most 40 characters"


async def test_the_gateway_serves_its_own_description(make_web, client_for):
    async with client_for(make_web()) as client:
        assert (await client.get("/api/v1/openapi.json")).json() == openapi_document()


def test_the_description_in_the_docs_is_this_one():
    written = json.loads((ROOT / "docs/reference/openapi.json").read_text(encoding="utf-8"))
    assert written == openapi_document(), "run make reference"


def test_the_description_is_complete():
    document = openapi_document()
    for path, item in document["paths"].items():
        for operation in item.values():
            assert operation["summary"], path
            assert operation["description"], path
            assert "application/problem+json" in operation["responses"]["401"]["content"]
    text = json.dumps(document)
    assert "http://" not in text.replace("http://homeassistant", "")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_api_keeps_to_its_description(make_web):
    schema = schemathesis.openapi.from_asgi(
        "/api/v1/openapi.json", build_app(make_web(store=FakeStore(), allowed_hosts=["localhost", "testserver"]))
    )
    operations = [result.ok() for result in schema.exclude(path="/api/v1/live").get_all_operations()]
    assert len(operations) == 21
    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        def conforms(case):
            case.call_and_validate()

        conforms()
