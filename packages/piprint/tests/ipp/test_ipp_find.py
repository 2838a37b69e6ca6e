"""Which printers are found: queues of a real CUPS whatever their names, announcements on loopback, configured ones."""

import asyncio
import builtins
from contextlib import asynccontextmanager

import pytest
from printshop import PrivateCups
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from piprint.config.settings import BusinessCentral, ClientSecret, Config, Cups, Discovery, PrinterConfig
from piprint.config.wildcard import matches, offered
from piprint.errors import ConfigError, PrinterUnreachable
from piprint.printers import announced as announced_module
from piprint.printers.announced import Announcement, Announcements
from piprint.printers.backends.ipp_printer import IppPrinter
from piprint.printers.backends.raw_printer import RawPrinter
from piprint.printers.backends.windows import WindowsPrinter
from piprint.printers.find import Found, find_printers, listen, open_printer, settings_of
from piprint.printers.printer import PrinterAddress

NAMES = ("Plain", "a;b", "a$(id)b", "æøå", "a%20b", "a&b=c", "x" * 120, "[x]")


def _config(url="http://127.0.0.1:1/", *, cups=True, **settings):
    login = ClientSecret(tenant="t", client_id="c", secret="s")
    bc = BusinessCentral(environment="production", login=login)
    shown = {name: settings.pop(name) for name in ("offer", "hide") if name in settings}
    return Config(business_central=bc, cups=Cups(enabled=cups, url=url, **shown), **settings)


@pytest.fixture(scope="module")
def queues():
    with PrivateCups() as cups:
        for name in NAMES:
            cups.add_printer(name)
        cups.command("lpadmin", "-p", "Plain", "-c", "Both")
        cups.command("lpadmin", "-p", "Plain", "-D", "Office, 2nd floor")
        yield cups


async def test_queues_and_classes_of_cups_are_found_and_can_be_asked(queues):
    config = _config(queues.url)
    found = await find_printers(config)
    assert found.problems == []
    by_id = {address.printer_id: address for address in found.addresses}
    assert set(by_id) == {*NAMES, "Both"}
    assert by_id["Plain"] == PrinterAddress("Plain", queues.queue_uri("Plain"), "Office, 2nd floor", "cups")
    assert by_id["Both"].uri == f"ipp://{queues.address}/classes/Both"
    for address in found.addresses:
        printer = open_printer(address, config)
        assert isinstance(printer, IppPrinter)
        assert (await printer.capabilities()).holds, address
        await printer.close()


@pytest.mark.parametrize(
    ("shown", "names"),
    [
        ({"offer": ("a*",)}, {"a;b", "a$(id)b", "a%20b", "a&b=c"}),
        ({"offer": ("plain", "[x]")}, {"Plain", "[x]"}),
        ({"hide": ("*",)}, set()),
        ({"offer": ("a?b",), "hide": ("a;*",)}, set()),
    ],
)
async def test_only_what_is_offered_and_not_hidden_is_found(queues, shown, names):
    found = await find_printers(_config(queues.url, **shown))
    assert {address.printer_id for address in found.addresses} == names


async def test_a_cups_without_queues_is_no_problem():
    with PrivateCups() as cups:
        found = await find_printers(_config(cups.url))
    assert (found.addresses, found.problems) == ([], [])


async def test_cups_being_away_does_not_hide_the_others(unused_tcp_port):
    config = _config(
        f"http://127.0.0.1:{unused_tcp_port}/",
        printers=(PrinterConfig(id="Label", uri="socket://label:9100"), PrinterConfig(id="Queue")),
    )
    found = await find_printers(config)
    assert [address.printer_id for address in found.addresses] == ["Label"]
    (problem,) = found.problems
    assert problem.startswith(f"the queues of CUPS cannot be listed: 127.0.0.1:{unused_tcp_port} cannot be reached")


async def test_configured_printers_come_first_and_one_that_is_nowhere_is_told(queues):
    config = _config(
        queues.url,
        printers=(
            PrinterConfig(id="Label", uri="socket://label:9100", name="Labels"),
            PrinterConfig(id="plain", uri="ipp://other/ipp/print"),
            PrinterConfig(id="a;b", duplex=True),
            PrinterConfig(id="Gone"),
        ),
    )
    found = await find_printers(config)
    assert found.addresses[:2] == [
        PrinterAddress("Label", "socket://label:9100", "Labels", "configured"),
        PrinterAddress("plain", "ipp://other/ipp/print", "plain", "configured"),
    ]
    assert "Plain" not in {address.printer_id for address in found.addresses[2:]}
    assert [problem[:18] for problem in found.problems] == ["the printer 'Gone'"]
    assert settings_of("a;b", config).duplex is True
    assert settings_of("Unknown", config) == PrinterConfig(id="Unknown")


async def test_on_windows_the_queues_are_the_spoolers(monkeypatch):
    queues = [PrinterAddress(name, f"winspool:/{name}", name, "windows") for name in ("Office", "Fax")]
    monkeypatch.setattr("piprint.printers.find._ON_WINDOWS", True)
    monkeypatch.setattr("piprint.printers.backends.windows.find_windows_printers", lambda: queues)
    assert await find_printers(_config(hide=("fax",))) == Found(queues[:1], [])

    def away():
        raise PrinterUnreachable("the Windows spooler is stopped")

    monkeypatch.setattr("piprint.printers.backends.windows.find_windows_printers", away)
    found = await find_printers(_config())
    assert found.problems == ["the queues of Windows cannot be listed: the Windows spooler is stopped"]


@pytest.mark.parametrize(
    ("uri", "backend"),
    [
        ("ipp://10.0.0.5/ipp/print", IppPrinter),
        ("ipps://10.0.0.5/ipp/print", IppPrinter),
        ("socket://10.0.0.5:9100", RawPrinter),
        ("winspool:/Office", WindowsPrinter),
    ],
)
async def test_the_address_decides_how_a_printer_is_spoken_to(uri, backend):
    address = PrinterAddress("P", uri)
    opened = open_printer(address, _config())
    assert type(opened) is backend
    assert opened.address == address
    await opened.close()


# ------------------------------------------------------------------------------------------------ announcements


class _Told:
    """Announcements that a test makes up."""

    def __init__(self, *told):
        self.told = list(told)

    async def printers(self):
        return self.told


def _announcement(name="HP [A1]", **changes):
    uris = {"ipp": "ipp://10.0.0.5:631/ipp/print", "ipps": "ipps://hp.local:631/ipp/print"}
    return Announcement(name, **{"uris": uris, "model": "HP LaserJet", "place": "Hall", **changes})


async def _found(*told, cups=False, **settings):
    return await find_printers(
        _config(cups=cups, discovery=Discovery(enabled=True, hide=("hidden*",)), **settings), _Told(*told)
    )


async def test_announced_printers_are_found_by_plain_ipp_unless_a_certificate_is_named(tmp_path):
    found = await _found(_announcement(), _announcement("hidden one"), _announcement("own", own=True))
    assert found.addresses == [PrinterAddress("HP [A1]", "ipp://10.0.0.5:631/ipp/print", "HP LaserJet, Hall", "dns-sd")]
    trusted = PrinterConfig(id="HP [A1]", ca_file=tmp_path / "hp.pem")
    (address,) = (await _found(_announcement(), printers=(trusted,))).addresses
    assert address.uri == "ipps://hp.local:631/ipp/print"
    (address,) = (await _found(_announcement(uris={"ipps": "ipps://hp.local:631/ipp/print"}))).addresses
    assert address.uri == "ipps://hp.local:631/ipp/print"


async def test_an_announced_printer_without_pdf_is_left_out_with_the_cure():
    cheap = _announcement(formats=frozenset({"image/urf", "image/pwg-raster"}))
    found = await _found(cheap)
    assert found.addresses == []
    assert "takes no PDF" in found.problems[0]
    assert "-m everywhere -v ipp://10.0.0.5:631/ipp/print" in found.problems[0]
    assert (await _found(cheap, printers=(PrinterConfig(id="HP [A1]", language="zpl"),))).addresses
    assert (await _found(_announcement(formats=frozenset({"application/pdf"})))).addresses


async def test_two_of_one_name_are_one_and_the_other_is_told():
    found = await _found(_announcement("One"), _announcement("ONE", uris={"ipp": "ipp://10.0.0.6/ipp"}))
    assert [address.uri for address in found.addresses] == ["ipp://10.0.0.5:631/ipp/print"]
    assert "ipp://10.0.0.6/ipp" in found.problems[0]


async def test_without_zeroconf_the_others_are_found_and_the_cure_is_told(monkeypatch):
    real = builtins.__import__

    def missing(name, *rest):
        if name == "piprint.printers.announced":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ConfigError, match="zeroconf"):
        listen()
    label = PrinterConfig(id="Label", uri="socket://label:9100")
    found = await find_printers(_config(cups=False, discovery=Discovery(enabled=True), printers=(label,)))
    assert [address.printer_id for address in found.addresses] == ["Label"]
    assert 'pip install "piprint[discovery]"' in found.problems[0]


def _loopback():
    return AsyncZeroconf(interfaces=["127.0.0.1"])


@asynccontextmanager
async def _announcing(*services):
    network = _loopback()
    for info in services:
        await network.async_register_service(info, cooperating_responders=True)
    try:
        yield network
    finally:
        await network.async_close()


def _service(kind, name, **told):
    return AsyncServiceInfo(
        f"{kind}._tcp.local.",
        f"{name}.{kind}._tcp.local.",
        addresses=[bytes([127, 0, 0, 1])],
        port=8631,
        server="piprint-test.local.",
        properties=told,
    )


async def test_printers_that_announce_themselves_are_heard_and_seen_to_leave(monkeypatch):
    monkeypatch.setattr(announced_module, "_LISTEN", 0)
    told = {"rp": "ipp/print", "ty": "Example Printer", "note": "Desk", "pdl": "application/pdf,image/urf"}
    plain, safe = _service("_ipp", "piprint test", **told), _service("_ipps", "piprint test", **told)

    async def heard(wanted):
        for _ in range(1200):
            found = [each for each in await announcements.printers() if each.name == "piprint test"]
            if [set(each.uris) for each in found] == wanted:
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(found)

    async with Announcements(_loopback) as announcements:
        async with _announcing(plain, safe):
            (found,) = await heard([{"ipp", "ipps"}])
            assert found.uris == {
                "ipp": "ipp://127.0.0.1:8631/ipp/print",
                "ipps": "ipps://piprint-test.local:8631/ipp/print",
            }
            assert (found.model, found.place, found.own) == ("Example Printer", "Desk", False)
            assert found.formats == {"application/pdf", "image/urf"}
        assert await heard([]) == []


async def test_nothing_goes_on_once_nobody_listens():
    before = asyncio.all_tasks()
    async with Announcements(_loopback) as announcements:
        impatient = asyncio.ensure_future(announcements.printers())
        await asyncio.sleep(0)
        impatient.cancel()
    assert asyncio.all_tasks() - {impatient} <= before


@pytest.mark.parametrize(
    ("told", "uri", "own"),
    [
        ({}, "ipp://127.0.0.1:8631/ipp/print", False),
        ({"rp": "/ipp/print"}, "ipp://127.0.0.1:8631/ipp/print", False),
        ({"RP": "printers/Office"}, "ipp://127.0.0.1:8631/printers/Office", True),
        ({"rp": "printer", "ty": b"\xff"}, "ipp://127.0.0.1:8631/printer", False),
    ],
)
def test_announcements_are_read_with_what_they_lack(monkeypatch, told, uri, own):
    monkeypatch.setattr(announced_module.socket, "gethostname", lambda: "piprint-test.example.org")
    read = announced_module._read(_service("_ipp", "x", **told), "ipp", "x")
    assert (read.uris, read.own) == ({"ipp": uri}, own)


def test_an_announcement_without_an_address_is_none():
    empty = AsyncServiceInfo("_ipp._tcp.local.", "x._ipp._tcp.local.", server="")
    assert announced_module._read(empty, "ipp", "x") is None


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("*", "", True),
        ("HP [A?]*", "hp [a1] (2)", True),
        ("a.c", "abc", False),
        ("a?c", "ac", False),
        ("x", "xy", False),
        ("(", "(", True),
    ],
)
def test_wildcards(pattern, name, fits):
    assert matches(pattern, name) is fits
    assert offered(name, (pattern,), ()) is fits
    assert not offered(name, ("*",), ("*",))
