"""Addresses hold any text unharmed, pages stay on their server, rows are looked at before they are believed."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from yarl import URL

from piprint.bc.connect import connect
from piprint.bc.dialects.pages import read_all
from piprint.bc.odata import Place, both, equal, moment, next_page, number, rows, tag, text, truth
from piprint.config.settings import Config
from piprint.contract import PRINTER_WS
from piprint.errors import BcDenied, BcMissing, BcRefused, BcUnreachable, ConfigError
from piprint.simulate.odata.query import parse_filter

BASE = "https://bc.example/BC/ODataV4/"
GUID = "aaaaaaaa-0000-4000-8000-00000000000F"


def test_addresses():
    assert Place(BASE).one("Q", 7) == f"{BASE}Q(7)"
    assert Place(BASE, GUID).all("Q", top=5) == f"{BASE}Company(Id={GUID})/Q?$top=5"
    assert Place(BASE, f"{{{GUID}}}").one("Q", 7, action="document") == f"{BASE}Company(Id={GUID})/Q(7)/document"
    assert Place(BASE, "A/S & Søn").all("Q") == f"{BASE}Q?company=A%2FS%20%26%20S%C3%B8n"


words = st.text(st.characters(exclude_categories=["Cs"]))


@hypothesis_settings(max_examples=200, deadline=None)
@given(value=words, other=words, company=words.filter(lambda name: "-" not in name))
def test_any_text_arrives_as_it_is(value, other, company):
    url = Place(BASE, company).all("Q", filter=both(equal("HostID", value), equal("PrinterID", other)), top=3)
    assert str(URL(url, encoded=True)) == url
    assert url.isascii()
    assert urlsplit(url).path == "/BC/ODataV4/Q"
    options = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True))
    assert options.pop("company", "") == company
    accepts = parse_filter(options["$filter"], PRINTER_WS.by_name, lambda _: pytest.fail("no state"))
    row = {"HostID": value, "PrinterID": other}
    assert accepts(row.get)
    assert not accepts({**row, "HostID": f"{value}x"}.get)
    assert set(options) == {"$filter", "$top"}


@pytest.mark.parametrize(
    ("link", "following"),
    [
        (None, None),
        ("", None),
        (7, None),
        (f"{BASE}Q?$skiptoken=1", f"{BASE}Q?$skiptoken=1"),
        ("https://BC.example/other", "https://BC.example/other"),
        ("Q?$skiptoken=1", f"{BASE}Q?$skiptoken=1"),
    ],
)
def test_next_page(link, following):
    assert next_page({"@odata.nextLink": link}, f"{BASE}Q") == following


@pytest.mark.parametrize(
    "link",
    [
        "http://bc.example/x",
        "https://evil.example/x",
        "https://bc.example:444/x",
        "//evil.example/x",
        "https://u@bc.example/",
    ],
)
def test_a_next_page_elsewhere_is_refused(link):
    with pytest.raises(BcRefused, match="another server"):
        next_page({"@odata.nextLink": link}, f"{BASE}Q")


async def test_pages_without_end(server, http):
    server.answers = [{"json": {"value": [{}], "@odata.nextLink": "X?$skiptoken=1"}}]
    with pytest.raises(BcRefused, match="100 pages"):
        await read_all(http, server.url + "X", asked="read", headers={})
    assert len(server.asked) == 100


def test_rows_of_another_shape_are_no_answer():
    for data in ({}, {"value": None}, {"value": {}}, {"value": [1]}):
        with pytest.raises(BcUnreachable, match="not as agreed"):
            rows(data)
    for read in (text, number, truth, moment):
        for value in ([], {}, "soon" if read is not text else 5, 1.5):
            with pytest.raises(BcUnreachable, match="not as agreed"):
                read({"a": value}, "a")
    with pytest.raises(BcUnreachable):
        number({"a": True}, "a")
    with pytest.raises(BcUnreachable):
        next_page({"@odata.nextLink": "https://[x"}, BASE)


def test_what_rows_say():
    assert (text({}, "a"), number({"a": None}, "a"), truth({}, "a"), moment({}, "a")) == ("", 0, False, None)
    assert moment({"a": "0001-01-01T00:00:00Z"}, "a") is None
    assert moment({"a": "2026-11-22T13:00:00.123+01:00"}, "a") == datetime(2026, 11, 22, 12, 0, 0, 123000, UTC)
    assert moment({"a": "2026-11-22T12:00:00"}, "a") == datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    assert tag({"@odata.etag": 'W/"x"'}) == 'W/"x"'
    assert [tag({"@odata.etag": value}) for value in (None, 5, 'W/"\r\nX: y"', "ø")] == [""] * 4


async def test_no_extension_at_all_is_told(server, settings):
    server.answers = [{"status": 404, "json": {"error": {"code": "BadRequest_ResourceNotFound", "message": "x"}}}]
    with pytest.raises(BcMissing, match="neither ours"):
        await connect(settings(server.url), instance="one")
    assert [asked.path.rpartition("/BC/")[2] for asked in server.asked] == [
        "api/piprint/printing/v2.0/companies",
        "ODataV4/PIPrintPrinterWS",
    ]


async def test_a_web_service_that_is_not_published_is_told_by_name(server, settings):
    server.answers = [
        {"json": {"value": []}},
        {"status": 404, "json": {"error": {"code": "BadRequest_ResourceNotFound", "message": "x"}}},
    ]
    queue = await connect(settings(server.url, extension="1.0"), instance="one")
    try:
        with pytest.raises(BcMissing, match="PIPrintQueueWS"):
            await queue.check()
    finally:
        await queue.close()


async def test_a_missing_right_is_not_taken_for_a_missing_extension(server, settings):
    server.answers = [{"status": 403}]
    with pytest.raises(BcDenied):
        await connect(settings(server.url), instance="one")
    assert len(server.asked) == 1


async def test_several_companies_need_a_choice(server, settings):
    companies = [{"id": "1", "name": "B"}, {"id": "2", "name": "A"}]
    server.answers = [{"json": {"value": companies}}]
    with pytest.raises(BcMissing, match='Set company to one of: "A", "B"'):
        await connect(settings(server.url), instance="one")
    with pytest.raises(BcMissing, match="has no company 'C'"):
        await connect(settings(server.url, company="C"), instance="one")


async def test_where_api_services_are_switched_off_the_web_services_are_used(server, settings):
    server.answers = [{"status": 405}, {"json": {"value": []}}]
    queue = await connect(settings(server.url), instance="one")
    assert queue.dialect == "PIPrint 1.0 web services"
    await queue.close()
    server.answers = [{"status": 400}]
    with pytest.raises(BcRefused):
        await connect(settings(server.url), instance="one")


async def test_settings_that_cannot_work_leave_nothing_open(settings, papers):
    config = settings("https://bc.example/BC/ODataV4/").model_dump()
    config["business_central"]["login"] = {"kind": "basic", "username": "ø", "password": "x"}
    with pytest.raises(ConfigError, match="ASCII"):
        await connect(Config.model_validate(config), instance="one")
