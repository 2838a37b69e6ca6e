"""The settings of the module: what a form may change, that no secret comes out, the page behind the login, and a start with what was changed."""

import http.client
import json
import re
import shutil
import subprocess
import urllib.parse
from contextlib import ExitStack
from pathlib import Path

import pytest
from micropythons import interpreter
from tapped import HEAP, KEY, Tapped, until

from nesmodule.board.form import FIELDS, FormRefused, shown, taken
from nesmodule.outputs import setup

DEVICE_KEY = "k7mm2q9tz4"
HTML = Path(setup.__file__).with_name("settings.html").read_text()
SECRETS = {"key", "wifi_password", "mqtt.password", "tap_token"}


def form(**values):
    return urllib.parse.urlencode({name.replace("__", "."): value for name, value in values.items()}).encode()


def test_no_secret_is_shown_however_deep_it_stands_and_whatever_its_name():
    secret = "secret-9"
    values = {name: secret for name, *_ in FIELDS if "." not in name and name in SECRETS}
    values |= {
        "mqtt": {"host": "broker", "password": secret, "psk": secret},
        "device_key": secret,
        "access_point_key": secret,
    }
    values |= {"new_secret": secret, "name": {"password": secret}, "future": {"deep": {"key": secret}}}
    found = shown(values)
    assert secret not in json.dumps(found)
    assert found == {"mqtt.host": "broker", "set": [name for name, *_ in FIELDS if name in SECRETS]}


def test_a_form_changes_what_is_in_it_and_nothing_else():
    assert taken(form(name="hus", mqtt__port="1883", encrypt="1", dabbler="")) == {
        "name": "hus", "mqtt.port": 1883, "encrypt": True, "dabbler": None,
    }  # fmt: skip
    assert taken(form(wifi_password=" p&%+=å7 ")) == {"wifi_password": " p&%+=å7 "}
    # A field of a secret is empty when nobody typed anything.
    assert taken(form(key="", tap_token="", mqtt__password="", mqtt__host="")) == {"mqtt.host": None}
    assert taken(b"forget=mqtt.password&forget=key") == {"mqtt.password": None, "key": None}
    assert taken(b"") == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key", "too short"), ("name", "Has Space"), ("mqtt.port", "0"), ("mqtt.port", "65536"), ("mqtt.port", "1e3"), ("mqtt.port", "-1"),
        ("wifi_password", "seven77"), ("wifi_name", "å" * 17), ("tap_token", "has a blank in itt"), ("tap_token", "short"),
        ("mqtt.host", "a\nb"), ("device_key", "k7mm2q9tz5"), ("access_point_key", "12345678"), ("http_port", "81"), ("mqtt", "x"),
        ("max_power", "999"), ("max_power", "9" * 40), ("forget", "device_key"), ("forget", "name"),
    ],
)  # fmt: skip
def test_what_is_no_value_is_refused_without_repeating_it(name, value):
    with pytest.raises(FormRefused) as refused:
        taken(urllib.parse.urlencode({name: value}).encode())
    assert str(refused.value) == (name if name != "forget" else value)


def test_the_page_has_a_field_and_words_in_three_languages_for_every_setting():
    kinds = dict(re.findall(r'"?([a-z_.]+)"?:"([sny]?)"', HTML.partition("FIELDS={")[2].partition("}")[0]))
    assert list(kinds) == [name for name, *_ in FIELDS]
    assert {name for name, kind in kinds.items() if kind == "s"} == SECRETS
    for name, _, least, most in FIELDS:
        assert (kinds[name] == "y") == ((least, most) == (0, 1))
    words = re.findall(r"\b(?:en|da|de):\{title(.*?)\]\}\}", HTML, re.DOTALL)
    assert len(words) == 3
    for one in words:
        said, _, labels = one.partition("f:{")
        assert set(re.findall(r'"?([a-z_.]+)"?:\["', labels)) == set(kinds)
        for word in ("saved", "same", "long", "form", "full", "safe", "no"):
            assert f"{word}:" in said


@pytest.fixture
def module(tmp_path, built):
    with ExitStack() as stack:
        yield Tapped(tmp_path, stack, built / "stock")


def ask(module, method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", module.page, timeout=60)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def test_settings_are_behind_the_login_and_count_from_the_next_start(module):
    file = module.folder / "settings.json"
    # No meter is there: settings are for that, too.
    program = module.start_module(device_key=DEVICE_KEY, tap_token=None, mqtt={"password": "mqtt-secret"})
    before = file.read_bytes()
    for method, path in (("GET", "/settings"), ("GET", "/api/settings"), ("POST", "/settings"), ("POST", "/safe-mode")):
        status, headers, body = ask(module, method, path, "name=x" if method == "POST" else None)
        assert (status, headers["Location"], body) == (303, "/login", "")
    _, headers, _ = ask(module, "POST", "/login", form(key=DEVICE_KEY))
    mine = {"Cookie": headers["Set-Cookie"].partition(";")[0]}
    assert ask(module, "GET", "/settings", **mine)[2] == HTML
    known = ask(module, "GET", "/api/settings", **mine)[2]
    assert not [secret for secret in (KEY, DEVICE_KEY, "mqtt-secret") if secret in known]
    assert json.loads(known) == {
        "name": "gw",
        "meter": "house",
        "tap_port": module.tap,
        "set": ["key", "mqtt.password"],
    }
    assert ask(module, "POST", "/settings", "name=x", Origin="http://evil.example", **mine)[0] == 303
    assert ask(module, "POST", "/settings", "mqtt.port=x", **mine)[::2] == (400, "wrong mqtt.port")
    assert ask(module, "POST", "/settings", "name=%zz", **mine)[::2] == (400, "form")
    assert ask(module, "POST", "/settings", "name=" + "x" * 2000, **mine)[::2] == (400, "long")
    assert ask(module, "POST", "/safe-mode", **mine)[::2] == (409, "none")
    assert ask(module, "POST", "/settings", "name=gw", **mine)[::2] == (200, "same")
    assert file.read_bytes() == before
    assert program.poll() is None
    assert ask(module, "POST", "/settings", form(name="hus", mqtt__host="broker", key="ABCDEFGHIJKLMNOPQRST"), **mine)[
        ::2
    ] == (200, "saved")
    assert program.wait(60) == 0
    after = json.loads(before)
    after |= {"name": "hus", "key": "ABCDEFGHIJKLMNOPQRST", "mqtt": {"password": "mqtt-secret", "host": "broker"}}
    assert json.loads(file.read_bytes()) == after


def test_who_is_logged_in_gets_the_module_into_safe_mode_to_send_a_program(module, built):
    """As on the chip: both slots and what starts them in one folder that is the flash."""
    flash = module.folder / "flash"
    shutil.copytree(built / "start", flash)
    shutil.copytree(built / "stock", flash / "a")
    (flash / "main.py").unlink()
    settings = {
        "device_key": DEVICE_KEY,
        "line": f"127.0.0.1:{module.meter}",
        "http_host": "127.0.0.1",
        "http_port": module.page,
    }
    (flash / "settings.json").write_text(json.dumps(settings))
    script = Path(__file__).parent / "on_module" / "start_flash.py"
    words = (*interpreter(32), "-X", f"heapsize={HEAP}", script, module.page)

    def start():
        return module.start(*words, cwd=flash, env={"MICROPYPATH": ".:.frozen"}, stdout=subprocess.DEVNULL)

    program = start()
    cookie = until(lambda: ask(module, "POST", "/login", form(key=DEVICE_KEY))[1]["Set-Cookie"], "the page")
    mine = {"Cookie": cookie.partition(";")[0]}
    # A module that was only just flashed has no key of a meter, and says so.
    until(lambda: "key is missing" in ask(module, "GET", "/api/live")[2], "word of the missing key")
    assert ask(module, "POST", "/safe-mode", **mine)[::2] == (200, "safe")
    assert program.wait(60) == 0
    start()
    page = until(lambda: ask(module, "GET", "/"), "safe mode")[2]
    assert "Safe mode" in page
    assert "somebody asked for" in page
    assert DEVICE_KEY not in page
