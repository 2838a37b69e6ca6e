"""Each service's answers, on days of 23, 24 and 25 hours, and what is no answer."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nes2mqtt.prices.schedule import complete_days
from nes2mqtt.prices.sources.awattar import Awattar
from nes2mqtt.prices.sources.energi_data_service import EnergiDataService
from nes2mqtt.prices.sources.energy_charts import EnergyCharts
from nes2mqtt.prices.sources.entsoe import Entsoe
from nes2mqtt.prices.sources.price_file import read_price_file
from nes2mqtt.prices.spot_price import PriceError

PLAIN, AUTUMN, SPRING = date(2026, 6, 10), date(2026, 10, 25), date(2026, 3, 29)
SOURCES = [EnergiDataService(), EnergyCharts(), Awattar(), Entsoe("token")]


def asked(request):
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}


class TestEnergiDataService:
    source = EnergiDataService()

    @pytest.mark.parametrize(
        ("day", "count", "first", "last"),
        [
            (PLAIN, 96, "2026-06-09T22:00", "2026-06-10T21:45"),
            (AUTUMN, 100, "2026-10-24T22:00", "2026-10-25T22:45"),
            (SPRING, 92, "2026-03-28T23:00", "2026-03-29T21:45"),
        ],
    )
    def test_days(self, answers, day, count, first, last):
        prices = self.source.read(answers.energi_data_service(day, lambda _, local: local.hour), "DK1")
        assert len(prices) == count
        assert prices[0].start == datetime.fromisoformat(first).replace(tzinfo=UTC)
        assert prices[-1].start == datetime.fromisoformat(last).replace(tzinfo=UTC)
        assert {(price.minutes, price.currency, price.final) for price in prices} == {(15, "DKK", True)}

    def test_kroner_of_a_kwh(self, answers):
        prices = self.source.read(answers.energi_data_service(PLAIN, lambda *_: -13.40), "DK1")
        assert {price.value for price in prices} == {Decimal("-0.099964")}

    def test_the_hour_that_comes_twice_has_two_prices(self, answers):
        body = answers.energi_data_service(AUTUMN, lambda utc, _: 26.81 if utc.hour == 0 else -13.40)
        by_start = {price.start: price.value for price in self.source.read(body, "DK1")}
        assert by_start[datetime(2026, 10, 25, 0, tzinfo=UTC)] == Decimal("0.2000026")
        assert by_start[datetime(2026, 10, 25, 1, tzinfo=UTC)] == Decimal("-0.099964")

    def test_kroner_that_come_later_are_worked_out_and_not_final(self, answers):
        whole = json.loads(answers.energi_data_service(PLAIN, lambda _, local: 10 + local.hour))
        whole["records"][0]["DayAheadPriceDKK"] = None
        last = self.source.read(json.dumps(whole).encode(), "DK1")[-1]
        assert (last.value, last.final) == (Decimal("0.24618"), False)
        assert self.source.read(answers.energi_data_service(PLAIN, lambda *_: 10, kroner=False), "DK1") == []
        whole["records"] = [record | {"DayAheadPriceEUR": 0.001} for record in whole["records"]]
        assert len(self.source.read(json.dumps(whole).encode(), "DK1")) == 95, "no krone costs that"

    def test_hours_before_october_2025(self):
        record = {"HourUTC": "2025-09-30T21:00:00", "PriceArea": "DK2", "SpotPriceEUR": 1.0, "SpotPriceDKK": 7.46}
        (price,) = self.source.read(json.dumps({"records": [record]}).encode(), "DK2")
        assert (price.minutes, price.value) == (60, Decimal("0.00746"))
        assert price.start == datetime(2025, 9, 30, 21, tzinfo=UTC)

    def test_the_request(self):
        request = self.source.request("DK1", date(2026, 10, 25), date(2026, 10, 27))
        assert request.url.startswith("https://api.energidataservice.dk/dataset/DayAheadPrices?")
        assert request.after == date(2026, 10, 27)
        query = asked(request)
        assert (query["start"], query["end"], query["timezone"], query["limit"]) == (
            "2026-10-25",
            "2026-10-27",
            "dk",
            "0",
        )
        assert json.loads(query["filter"]) == {"PriceArea": ["DK1"]}
        earlier = self.source.request("DK1", date(2025, 9, 20), date(2025, 10, 10))
        assert "Elspotprices" in earlier.url
        assert (asked(earlier)["end"], earlier.after) == ("2025-10-01", date(2025, 10, 1))

    def test_areas(self):
        assert self.source.currency("DK2") == "DKK"
        with pytest.raises(PriceError, match="take another source"):
            self.source.currency("AT")


class TestEnergyCharts:
    source = EnergyCharts()

    @pytest.mark.parametrize(("day", "count"), [(PLAIN, 96), (AUTUMN, 100), (SPRING, 92)])
    def test_days(self, answers, day, count):
        prices = self.source.read(answers.energy_charts(day, lambda *_: 55.5), "AT")
        assert len(prices) == count
        assert {(price.minutes, price.value, price.currency) for price in prices} == {(15, Decimal("0.0555"), "EUR")}

    def test_hours_and_a_hole(self, answers):
        skip = {datetime(2025, 6, 10, hour, tzinfo=UTC) for hour in (11, 12)}
        prices = self.source.read(answers.energy_charts(date(2025, 6, 10), lambda *_: 1, skip, 60), "AT")
        assert len(prices) == 22
        assert {price.minutes for price in prices} == {60}

    def test_hours_until_october_2025_and_quarters_from_then(self, answers):
        days = [date(2025, 9, 29) + timedelta(days=number) for number in range(4)]
        parts = [
            json.loads(answers.energy_charts(day, lambda *_: 1, minutes=60 if day.month == 9 else 15)) for day in days
        ]
        body = {name: [one for part in parts for one in part[name]] for name in ("unix_seconds", "price")}
        prices = self.source.read(json.dumps(body).encode(), "AT")
        assert [price.minutes for price in prices] == [60] * 48 + [15] * 192
        assert complete_days(prices) == set(days)

    def test_every_fourth_quarter_is_no_hour(self, answers):
        body = answers.energy_charts(PLAIN, lambda *_: 1, minutes=60)
        prices = self.source.read(body, "AT")
        assert {price.minutes for price in prices} == {15}
        assert complete_days(prices) == set()
        assert complete_days(self.source.read(body, "CH")) == {PLAIN}, "not in the coupled market"

    def test_no_price_is_none(self, answers):
        answer = json.loads(answers.energy_charts(PLAIN, lambda *_: 1))
        answer["price"][7] = None
        assert len(self.source.read(json.dumps(answer).encode(), "AT")) == 95

    def test_the_last_day_is_counted_in(self):
        query = asked(self.source.request("DE-LU", AUTUMN, AUTUMN + timedelta(days=2)))
        assert query == {"bzn": "DE-LU", "start": "2026-10-25", "end": "2026-10-26"}

    @pytest.mark.parametrize("seconds", [[900, 0], [0, 0], [0, 600], [0]])
    def test_slots_that_cannot_be(self, seconds):
        body = json.dumps({"unix_seconds": seconds, "price": [1] * len(seconds)}).encode()
        with pytest.raises(PriceError):
            self.source.read(body, "AT")


class TestAwattar:
    source = Awattar()

    def test_a_day_of_23_hours(self, answers):
        prices = self.source.read(answers.awattar(SPRING, lambda *_: 31.2), "AT")
        assert len(prices) == 23
        assert prices[0].start == datetime(2026, 3, 28, 23, tzinfo=UTC)
        assert prices[-1].start == datetime(2026, 3, 29, 21, tzinfo=UTC)
        assert {(price.minutes, price.value) for price in prices} == {(60, Decimal("0.0312"))}

    def test_the_request(self):
        request = self.source.request("AT", SPRING, SPRING + timedelta(days=1))
        assert asked(request) == {"start": "1774738800000", "end": "1774821600000"}
        assert request.url.startswith("https://api.awattar.at/")
        assert self.source.request("DE-LU", SPRING, SPRING).url.startswith("https://api.awattar.de/")


class TestEntsoe:
    source = Entsoe("s3cret-token")

    def test_points_left_out_are_filled_and_the_second_auction_is_not_taken(self, answers):
        prices = self.source.read((answers.payloads / "entsoe-25-hours.xml").read_bytes(), "AT")
        values = [price.value * 1000 for price in prices]
        assert values == [80] * 4 + [Decimal("20.5")] + [0] * 7 + [Decimal("-12.3")] * 4 + [55] * 73 + [140] * 11
        assert prices[0].start == datetime(2026, 10, 24, 22, tzinfo=UTC)
        assert prices[-1].start == datetime(2026, 10, 25, 22, 45, tzinfo=UTC)

    def test_a_point_that_is_missing_otherwise_is_a_gap(self, answers):
        body = (answers.payloads / "entsoe-25-hours.xml").read_bytes().replace(b"A03", b"A01")
        assert len(self.source.read(body, "AT")) == 6

    def test_another_version_of_the_namespace(self, answers):
        body = (answers.payloads / "entsoe-25-hours.xml").read_bytes().replace(b"document:7:3", b"document:7:0")
        assert len(self.source.read(body, "AT")) == 100

    def test_no_prices_yet_and_a_refusal(self):
        said = (
            '<Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0">'
            "<Reason><code>{}</code><text>{}</text></Reason></Acknowledgement_MarketDocument>"
        )
        assert self.source.read(said.format("999", "No matching data found").encode(), "AT") == []
        with pytest.raises(PriceError, match="Unauthorized"):
            self.source.read(said.format("401", "Unauthorized").encode(), "AT")

    def test_a_refusal_is_one_line_without_the_token(self):
        said = "<Acknowledgement_MarketDocument><Reason><code>401</code><text>{}</text></Reason></Acknowledgement_MarketDocument>"
        with pytest.raises(PriceError) as caught:
            self.source.read(said.format("Bad\n2026 ERROR false line\u202e" + "x" * 900).encode(), "AT")
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 250
        for echo in ("token s3cret-token is unknown", "token S3CRET-\nTOKEN"):
            with pytest.raises(PriceError, match="refused: 401") as caught:
                self.source.read(said.format(echo).encode(), "AT")
            assert "s3cret" not in str(caught.value).lower()

    def test_quarters_count_where_an_answer_has_hours_too(self):
        def series(resolution, amounts):
            points = "".join(
                f"<Point><position>{place}</position><price.amount>{amount}</price.amount></Point>"
                for place, amount in amounts.items()
            )
            return (
                "<TimeSeries><currency_Unit.name>EUR</currency_Unit.name><price_Measure_Unit.name>MWH</price_Measure_Unit.name>"
                "<Period><timeInterval><start>2026-06-10T10:00Z</start><end>2026-06-10T12:00Z</end></timeInterval>"
                f"<resolution>{resolution}</resolution>{points}</Period></TimeSeries>"
            )

        whole = dict.fromkeys(range(1, 9), 10)
        hours = series("PT60M", {1: 99, 2: 98})
        for body in (series("PT15M", whole) + hours, hours + series("PT15M", whole)):
            prices = self.source.read(f"<Publication_MarketDocument>{body}</Publication_MarketDocument>".encode(), "AT")
            assert [(price.minutes, price.value) for price in prices] == [(15, Decimal("0.01"))] * 8
        del whole[3]
        body = series("PT15M", whole) + hours
        prices = self.source.read(f"<Publication_MarketDocument>{body}</Publication_MarketDocument>".encode(), "AT")
        assert [(price.value, price.final) for price in prices if price.minutes == 60] == [(Decimal("0.099"), False)]

    def test_the_request_shows_no_token(self):
        request = self.source.request("AT", AUTUMN, AUTUMN + timedelta(days=1))
        query = asked(request)
        assert (query["periodStart"], query["periodEnd"]) == ("202610242200", "202610252300")
        assert (query["in_Domain"], query["securityToken"]) == ("10YAT-APG------L", "s3cret-token")
        assert "s3cret-token" not in request.shown + repr(self.source)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_entities_are_refused_before_they_can_grow(self, encoding):
        bomb = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb">]><Publication_MarketDocument>&b;</Publication_MarketDocument>'
        with pytest.raises(PriceError):
            self.source.read(bomb.encode(encoding), "AT")

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b"PT15M", b"P1D"),
            (b"EUR", b"GBP"),
            (b"<position>90<", b"<position>101<"),
            (b"<position>90<", b"<position>0<"),
            (b"<position>90<", b"<position>" + b"9" * 5000 + b"<"),
            (b"140.00", b"1e9999999"),
            (b"140.00", b"1" * 100_000),
            (b"2026-10-25T23:00Z", b"2030-10-25T23:00Z"),
            (b"2026-10-25T23:00Z", b"2026-10-24T22:00Z"),
            (b"140.00", b"dear"),
            (b"140.00", b"NaN"),
            (b"140.00", b"1e9"),
        ],
    )
    def test_documents_that_cannot_be(self, answers, old, new):
        body = (answers.payloads / "entsoe-25-hours.xml").read_bytes()
        with pytest.raises(PriceError):
            self.source.read(body.replace(old, new), "AT")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["records", "data", "price", "unix_seconds", "TimeUTC", "PriceArea", "DayAheadPriceDKK"]),
            inner,
        )
    ),
)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
class TestHostileAnswers:
    @given(body=st.binary(max_size=200))
    def test_bytes(self, source, body):
        try:
            source.read(body, "DK1")
        except PriceError as error:
            said = str(error)
            assert said.endswith("nothing was taken from it") or "refused" in said

    @given(answer=JSON)
    def test_json(self, source, answer):
        try:
            prices = source.read(json.dumps(answer).encode(), "DK1")
        except PriceError:
            return
        assert all(abs(price.value) <= 20 for price in prices)

    @pytest.mark.parametrize(
        "value",
        ["1e9999999", "-1e9999999", "1e-9999999", "0e9999999", "1e99999999999999999999", "1." + "1" * 5000, "1" * 4000],
    )
    def test_numbers_that_cannot_be_reckoned_with(self, source, value):
        record = f'{{"PriceArea": "DK1", "TimeUTC": "2026-06-10T10:00", "DayAheadPriceDKK": {value}}}'
        hour = f'{{"start_timestamp": 0, "end_timestamp": 3600000, "marketprice": {value}}}'
        body = f'{{"records": [{record}], "data": [{hour}], "unix_seconds": [1760000400, 1760001300], "price": [1, {value}]}}'
        with pytest.raises(PriceError):
            source.read(body.encode(), "DK1")

    @pytest.mark.parametrize("moment", [1760000407, 253402300799, -62135596800, 10**30])
    def test_times_that_no_slot_begins_at(self, source, moment):
        hour = f'{{"start_timestamp": {moment * 1000}, "end_timestamp": {moment * 1000 + 3600000}, "marketprice": 1}}'
        record = '{"PriceArea": "DK1", "TimeUTC": "2026-06-10T10:00:07", "DayAheadPriceDKK": 1}'
        body = (
            f'{{"records": [{record}], "data": [{hour}], "unix_seconds": [{moment}, {moment + 900}], "price": [1, 1]}}'
        )
        with pytest.raises(PriceError):
            source.read(body.encode(), "DK1")

    @pytest.mark.parametrize(
        "body", [b"[" * 100_000, b"1e999999999", b"1e99999999999999999999", b'{"records": [{"PriceArea": "DK1"}]}']
    )
    def test_known_tricks(self, source, body):
        with pytest.raises(PriceError):
            assert source.read(body, "DK1") is None


def of_file(text):
    return read_price_file(text, {"DK1": "DKK"})["DK1"]


class TestPriceFile:
    def test_several_areas_need_a_column(self):
        wanted = {"AT": "EUR", "DK1": "DKK", "DK2": "DKK"}
        text = "area;start;minutes;price\nDK1;2026-10-25T02:00Z;60;0,7\nAT;2026-10-25T02:00Z;60;0,1\nSE3;;;\n"
        found = read_price_file(text, wanted)
        assert {area: [(price.value, price.currency) for price in prices] for area, prices in found.items()} == {
            "AT": [(Decimal("0.1"), "EUR")],
            "DK1": [(Decimal("0.7"), "DKK")],
            "DK2": [],
        }
        assert [price.value for price in of_file(text)] == [Decimal("0.7")], "lines of other areas are left alone"
        with pytest.raises(PriceError, match="add a column area"):
            read_price_file("start,minutes,price\n2026-10-25T01:00Z,60,1\n", wanted)

    def test_commas_and_semicolons(self):
        plain = "start,minutes,price\n2026-10-25T02:00+02:00,60,0.25\n2026-10-25T02:00+01:00,60,-0.10\n"
        prices = of_file(plain)
        assert [(price.start.hour, price.value) for price in prices] == [(0, Decimal("0.25")), (1, Decimal("-0.10"))]
        assert of_file(plain.replace(",", ";").replace("0.", "0,")) == prices
        assert of_file("\ufeff" + plain) == prices

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("2026-10-25T02:00,60,1", "does not say its offset"),
            ("yesterday,60,1", "is no time"),
            ("2026-10-25T02:00Z,30,1", "minutes must be"),
            ("2026-10-25T02:15Z,60,1", "full hour"),
            ("2026-10-25T02:07Z,15,1", "full quarter"),
            ("2026-10-25T02:00Z,60,dear", "no number"),
            ("2026-10-25T02:00Z,60,5000", "not of a MWh"),
            ("2026-10-25T02:00Z,60,1e9999999", "no number of a size"),
            ("2026-10-25T02:00Z,60,1" + "0" * 60, "too many digits"),
            ("0001-01-01T00:00+14:00,60,1", "no year that has prices"),
            ("9999-12-31T23:00-14:00,60,1", "no year that has prices"),
            ("2026-10-25T01:00Z,60,1", "again"),
        ],
    )
    def test_lines_that_cannot_be(self, line, said):
        with pytest.raises(PriceError, match=said) as caught:
            of_file(f"start,minutes,price\n2026-10-25T01:00Z,60,1\n{line}\n")
        assert "line 3" in str(caught.value)

    @pytest.mark.parametrize("text", ["", "price\n1\n", "a;b;c\n1;2;3\n"])
    def test_other_files(self, text):
        with pytest.raises(PriceError, match="first line"):
            of_file(text)
