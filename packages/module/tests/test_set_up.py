"""The access point of a module that knows no network: names, page, form, the try of a network. The radio is a stand-in."""

import asyncio
import http.client
import json
import random
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from micropythons import interpreter

from free_ports import free_port
from nesmodule.access.request import Request
from nesmodule.setup import server
from nesmodule.setup.names import answer
from nesmodule.setup.portal import FULL, GIVEN_UP, LEFT, SAVED, TRYING, Portal

ADDRESS = "192.168.4.1"
KEY = "SIMULATED-METER-DEMO"
DEVICE_KEY = "k7m2-pq9x-w4hd"
FORM = (
    "wifi_name=Heim+%26+Hof&wifi_password=geheim%2B123&key="
    + KEY
    + "&name=house&board=ustepper&mqtt.host=192.168.1.5&mqtt.port="
)
PROBES = (
    "/generate_204", "/gen_204", "/hotspot-detect.html", "/library/test/success.html", "/connecttest.txt", "/ncsi.txt", "/canonical.html",
    "/success.txt", "/redirect", "/fwlink/",
)  # fmt: skip
"""What phones and computers ask for to see whether there is internet: Android, Apple, Windows, Firefox."""


def question(name, kind=1, *, number=0x1234, flags=0x0100, count=1, more=b""):
    """Build a question, octet by octet as in RFC 1035 section 4.1."""
    labels = b"".join(bytes((len(label),)) + label.encode() for label in name.split(".")) + b"\0"
    head = b"".join(value.to_bytes(2, "big") for value in (number, flags, count, 0, 0, bool(more)))
    return head + labels + kind.to_bytes(2, "big") + b"\0\1" + more


def test_every_name_leads_to_the_module_and_is_kept_by_nobody():
    asked = question("connectivitycheck.gstatic.com", more=b"\0\0\x29\x10\0\0\0\0\0\0\0")
    told = answer(asked, bytes((192, 168, 4, 1)))
    assert told[:2] == b"\x12\x34"
    assert told[2:4] == b"\x85\x80"
    assert [int.from_bytes(told[at : at + 2], "big") for at in (4, 6, 8, 10)] == [1, 1, 0, 0]
    end = 12 + len("connectivitycheck.gstatic.com") + 2 + 4
    assert told[12:end] == asked[12:end]
    assert told[end:] == b"\xc0\x0c" + b"\0\1\0\1" + bytes(4) + b"\0\4" + bytes((192, 168, 4, 1))


def test_a_name_has_no_ipv6_and_that_is_no_error():
    told = answer(question("captive.apple.com", 28), bytes(4))
    assert told[3] & 15 == 0
    assert told[6:8] == b"\0\0"
    assert len(told) == 12 + len("captive.apple.com") + 2 + 4


def test_what_is_no_question_gets_no_answer():
    whole = question("a.example")
    assert answer(question("a.example", flags=0x8100), bytes(4)) == b""
    assert answer(question("a.example", flags=0x2800), bytes(4)) == b""
    assert answer(question("a.example", count=2), bytes(4)) == b""
    assert answer(whole[:12] + b"\xc0\x0c\0\1\0\1" + bytes(250), bytes(4)) == b""
    for length in range(len(whole)):
        assert answer(whole[:length], bytes(4)) == b""
    some = random.Random(1)
    for _ in range(2000):
        made = bytearray(whole)
        made[some.randrange(len(made))] = some.randrange(256)
        told = answer(bytes(made[: some.randrange(len(made) + 1)]), bytes(4))
        assert told == b"" or (told[:2] == made[:2] and len(told) <= len(made) + 16)


class Store:
    """Settings in memory; ``full``: flash takes nothing."""

    def __init__(self, **values):
        self.values, self.broken, self.full, self.changes = values, False, False, []

    def change(self, changes):
        if self.full:
            raise OSError(28, "ENOSPC")
        self.changes.append(changes)
        self.values = {name: value for name, value in {**self.values, **changes}.items() if value is not None}
        return True


class Asks:
    """A portal and a browser."""

    def __init__(self, **values):
        self.clock = SimpleNamespace(time=0)
        self.store = Store(device_key=DEVICE_KEY, access_point_key="a-secret-of-the-label", **values)
        self.portal = Portal(self.store, ADDRESS, lambda: self.clock.time)

    def __call__(self, method, path, body=b"", *, host=ADDRESS, own=True):
        request = Request(method.encode(), path.encode())
        request.host, request.own = host.encode(), own
        return self.portal.respond(request, body.encode() if isinstance(body, str) else body)

    def says(self, *words, **more):
        status, _, text = self(*words, **more)
        return int(status[:3]), text.decode()


@pytest.fixture
def asks():
    return Asks()


@pytest.mark.parametrize("path", PROBES)
def test_phones_that_look_for_internet_are_led_to_the_page(asks, path):
    status, _, text = asks("GET", path, host="connectivitycheck.gstatic.com")
    assert (status, text) == (b"302 Found", b"http://192.168.4.1/")
    assert asks("GET", "/", host="captive.apple.com")[0] == b"302 Found"
    assert asks("GET", "/") == (b"200 OK", b"text/html; charset=utf-8", b"")


def test_a_form_is_tried_before_it_is_kept(asks):
    assert asks.says("POST", "/settings", FORM) == (200, TRYING)
    assert asks.portal.wanted == ("Heim & Hof", "geheim+123")
    assert asks.store.changes == []
    assert asks.says("POST", "/settings", FORM)[0] == 409
    asks.portal.tried("password")
    assert asks.portal.state == GIVEN_UP + " password"
    assert asks.store.changes == []
    assert asks.says("POST", "/settings", FORM) == (200, TRYING)
    asks.portal.tried("")
    assert asks.portal.state == SAVED
    assert asks.store.values["wifi_name"] == "Heim & Hof"
    assert asks.store.values["key"] == KEY
    assert asks.portal.usable


def test_no_secret_comes_out_and_an_empty_one_stays(asks):
    asks.says("POST", "/settings", "untried=1&" + FORM)
    text = asks("GET", "/state")[2].decode()
    for secret in (KEY, "geheim", DEVICE_KEY, "a-secret"):
        assert secret not in text
    document = json.loads(text)
    assert document["settings"]["wifi_name"] == "Heim & Hof"
    assert {"key", "wifi_password"} <= set(document["settings"]["set"])


def test_what_cannot_be_taken_is_named_and_never_repeated(asks):
    for field, value in (
        ("key", "nonsense!"),
        ("wifi_password", "short"),
        ("mqtt.port", "70000"),
        ("name", "no spaces"),
        ("unknown", "x"),
    ):
        form = "&".join(part for part in FORM.split("&") if not part.startswith(field + "=")) + f"&{field}={value}"
        code, said = asks.says("POST", "/settings", form)
        assert (code, said) == (400, f"wrong {field}")
    for form in (FORM.partition("&")[2], "wifi_name=&" + FORM.partition("&")[2]):
        assert asks.says("POST", "/settings", form) == (400, "wrong wifi_name")
    assert asks.says("POST", "/settings", b"key=%")[0] == 400
    assert asks.says("POST", "/settings", b"\xff=1")[0] == 400
    assert asks.portal.state == ""
    assert asks.store.changes == []


def test_a_module_with_a_network_wants_the_devices_key_and_counts_wrong_ones():
    asks = Asks(wifi_name="Heim", key=KEY)
    assert json.loads(asks("GET", "/state")[2])["usable"]
    for given in ("", "device_key=&", "device_key=wrong&", f"device_key={DEVICE_KEY}x&", "device_key=%20&"):
        assert asks.says("POST", "/settings", given + FORM) == (403, "wait 60" if "%" in given else "wrong device_key")
    assert asks.says("POST", "/settings", f"device_key={DEVICE_KEY}&{FORM}") == (403, "wait 60")
    asks.clock.time += 60_000
    assert asks.says("POST", "/settings", f"untried=1&device_key={DEVICE_KEY}&{FORM}") == (200, SAVED)


def test_a_module_without_a_key_of_its_own_lets_nobody_change_its_network():
    asks = Asks(wifi_name="Heim", key=KEY)
    del asks.store.values["device_key"]
    assert asks.says("POST", "/settings", "device_key=&" + FORM)[0] == 403


def test_pages_of_others_change_nothing_although_every_name_leads_here(asks):
    assert asks.says("POST", "/settings", FORM, host="evil.example") == (403, "foreign")
    assert asks.says("POST", "/settings", FORM, own=False) == (403, "foreign")
    assert asks("GET", "/state", host="evil.example")[0] == b"302 Found"
    assert asks.portal.state == ""


def test_full_flash_is_said_and_what_was_set_stays(asks):
    asks.store.full = True
    before = dict(asks.store.values)
    assert asks.says("POST", "/settings", FORM) == (200, TRYING)
    asks.portal.tried("")
    assert asks.portal.state == FULL
    assert asks.store.values == before
    asks.store.full = False
    assert asks.says("POST", "/settings", "untried=1&" + FORM) == (200, SAVED)


def test_another_network_does_not_get_the_password_of_the_old_one():
    asks = Asks(wifi_name="Heim", wifi_password="of the old one", key=KEY)
    head = f"device_key={DEVICE_KEY}&"
    assert asks.says("POST", "/settings", head + "wifi_name=Cafe")[0] == 200
    assert asks.portal.wanted[1] == ""
    asks.portal.tried("absent")
    assert asks.says("POST", "/settings", head + "wifi_name=Heim&wifi_password=")[0] == 200
    assert asks.portal.wanted == ("Heim", "of the old one")


def test_the_program_goes_on_only_with_what_it_needs(asks):
    assert asks.says("POST", "/leave")[0] == 404
    other = Asks(wifi_name="Heim", key=KEY)
    assert other.says("POST", "/leave") == (200, LEFT)


HERE = Path(__file__).parent


class OnModule:
    """A module that begins as its chip does, with stand-ins for chip and radio."""

    def __init__(self, folder, start, **settings):
        self.folder = folder = folder / "flash"
        shutil.copytree(start, folder)
        (folder / "settings.json").write_text(json.dumps({"device_key": DEVICE_KEY, **settings}))
        (folder / "air.json").write_text(json.dumps({"Heim": "right password"}))
        (folder / "boot.json").write_text(json.dumps({"good": "a", "set_up": 1}))
        self.page, self.names = free_port(), free_port()
        words = [
            *interpreter(32),
            "-X",
            "heapsize=100k",
            str(HERE / "on_module" / "start_set_up.py"),
            str(self.page),
            str(self.names),
        ]
        self.said = folder / "said"
        with self.said.open("w") as said:
            self.process = subprocess.Popen(
                words,
                cwd=folder,
                env={"MICROPYPATH": f"{HERE}/on_module/standins:.:.frozen"},
                stdout=said,
                stderr=said,
            )

    def ask(self, method, path, body=None, host=ADDRESS):
        connection = http.client.HTTPConnection("127.0.0.1", self.page, timeout=30)
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host)
        connection.putheader("Content-Length", str(len(body or "")))
        connection.endheaders((body or "").encode())
        answered = connection.getresponse()
        text = answered.read().decode()
        connection.close()
        return answered.status, text

    def until(self, found, patience=120):
        end = time.monotonic() + patience
        while time.monotonic() < end:
            try:
                result = found()
            except OSError:
                result = None
            if result:
                return result
            time.sleep(0.1)
        raise AssertionError(self.said.read_text())


@pytest.fixture
def on_module(tmp_path, built):
    started = []

    def start(**settings):
        started.append(OnModule(tmp_path, built / "start", **settings))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def test_a_module_without_a_network_is_set_up_by_a_phone_and_starts_again(on_module):
    module = on_module(access_point_key="label-key-123")
    module.until(lambda: module.ask("GET", "/state"))
    assert "point open nes-3456 label-key-123 3" in module.said.read_text()
    assert module.ask("GET", "/generate_204", host="connectivitycheck.gstatic.com")[0] == 302
    page = module.ask("GET", "/")[1]
    assert "wifi_password" in page
    assert page.rstrip().endswith("</script>")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(30)
        asker.sendto(question("captive.apple.com"), ("127.0.0.1", module.names))
        assert asker.recv(512)[-4:] == bytes((192, 168, 4, 1))
    document = json.loads(module.ask("GET", "/state")[1])
    assert document["networks"] == ["Heim", "Nebenan"]
    form = "wifi_name=Heim&wifi_password={}&key=" + KEY
    assert module.ask("POST", "/settings", form.format("wrong+password")) == (200, "trying")
    module.until(lambda: json.loads(module.ask("GET", "/state")[1])["state"] == "failed password")
    assert module.ask("POST", "/settings", form.format("right+password")) == (200, "trying")
    assert module.process.wait(120) == 0
    assert json.loads((module.folder / "settings.json").read_text())["wifi_name"] == "Heim"
    assert module.said.read_text().rstrip().endswith("starts again")
    assert KEY not in module.said.read_text()


def test_without_a_key_on_the_label_no_access_point_is_opened(on_module):
    module = on_module(access_point_key="12345678")
    module.until(lambda: module.ask("GET", "/state"))
    assert "point open" not in module.said.read_text()


def test_a_network_that_comes_back_while_nobody_is_there_starts_the_program(on_module):
    module = on_module(
        access_point_key="label-key-123", wifi_name="Heim", wifi_password="right password", key=KEY, name="house"
    )
    # It was asked for: the program had not found the network.
    assert module.process.wait(120) == 0
    assert "point open house label-key-123 3" in module.said.read_text()
    assert module.said.read_text().rstrip().endswith("starts again")


class Slow:
    """A radio that joins a network some time after it was asked to, whatever its password."""

    def __init__(self, clock, takes):
        self.clock, self.takes, self.since, self.guests, self.asked = clock, takes, None, True, []

    def feed(self):
        pass

    def networks(self):
        return []

    def join(self, *network):
        self.since = self.clock.time
        self.asked.append(network)

    def leave(self):
        self.since = None

    @property
    def joined(self):
        return self.since is not None and self.clock.time - self.since >= self.takes

    def why(self):
        return "other"


def serves(asks, radio, monkeypatch, *steps):
    """Serve until it ends; each step, a time in seconds and what happens then, must come before. Return how long it stayed, in seconds."""
    left = list(steps)

    async def sleep_ms(wait):
        asks.clock.time += wait
        while left and asks.clock.time >= left[0][0] * 1000:
            left.pop(0)[1]()

    async def waits(*_):
        await asyncio.Event().wait()

    monkeypatch.setattr(server, "sleep_ms", sleep_ms)
    monkeypatch.setattr(server, "listen", waits)
    monkeypatch.setattr(server.SetUp, "_answer_names", waits)
    asyncio.run(server.SetUp(asks.portal, radio, None, lambda: asks.clock.time).run("127.0.0.1", 0, 0, b""))
    assert not left
    return asks.clock.time // 1000


def test_a_network_that_is_joined_too_late_does_not_reach_a_page_that_asks_for_no_key(asks, monkeypatch):
    radio = Slow(asks.clock, 25_000)
    joined = []

    def seen():
        joined.append((asks.portal.state, radio.joined))
        radio.takes = 1000

    again = (100, lambda: asks("POST", "/settings", FORM))
    serves(asks, radio, monkeypatch, (2, lambda: asks("POST", "/settings", FORM)), (60, seen), again)
    assert joined == [(GIVEN_UP + " other", False)]
    assert asks.portal.state == SAVED


def test_nobody_in_the_old_network_reaches_the_page_while_somebody_is_at_the_access_point(monkeypatch):
    asks = Asks(wifi_name="Heim", wifi_password="of the old one", key=KEY)
    radio = Slow(asks.clock, 3000)
    joined = []
    steps = [(at, lambda: joined.append(radio.joined)) for at in range(5, 390, 5)]
    stayed = serves(asks, radio, monkeypatch, *steps, (400, lambda: setattr(radio, "guests", False)))
    assert 400 <= stayed < 402
    assert joined == [False] * len(steps)


def test_the_old_network_is_joined_again_after_a_new_one_failed(monkeypatch):
    asks = Asks(wifi_name="Heim", wifi_password="of the old one", key=KEY)
    radio = Slow(asks.clock, 30_000)
    steps = (
        (1, lambda: asks("POST", "/settings", f"device_key={DEVICE_KEY}&{FORM}")),
        (3, lambda: setattr(radio, "guests", False)),
    )
    serves(asks, radio, monkeypatch, *steps)
    old = ("Heim", "of the old one")
    assert radio.asked == [old, ("Heim & Hof", "geheim+123"), old]
    assert asks.store.changes == []
