"""The questions of the first run: what is wrong with an answer is told before anybody is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nes2mqtt.meters.config import MeterConfig
from nes2mqtt.setup.said import Said
from nes2mqtt.setup.steps import STEPS, StepName, address_of, id_from, key_of, problems, written_key
from osgp.errors import MisuseError

STEP = {step.name: step for step in STEPS}
CHARACTERS = "SIMULATED-METER-DEMO"
HEX = CHARACTERS.encode().hex()


def codes(name, /, **answers):
    return [(said.field, said.code) for said in problems(STEP[StepName(name)], answers)]


@pytest.mark.parametrize(
    ("password", "again", "wrong"),
    [
        ("correct horse", "correct horse", []),
        ("short", "short", [("password", "password_short")]),
        ("password123", "password123", [("password", "password_common")]),
        ("Password123", "Password123", [("password", "password_common")]),
        ("aaaaaaaaaaaaa", "aaaaaaaaaaaaa", [("password", "password_common")]),
        ("correct horse", "correct hrose", [("again", "passwords_differ")]),
        ("", "", [("password", "empty"), ("again", "empty")]),
    ],
)
def test_a_password_for_the_page(password, again, wrong):
    assert codes("password", password=password, again=again, reach="home") == wrong


def test_only_what_there_is_can_be_chosen():
    good = "correct horse"
    assert codes("password", password=good, again=good, reach="world") == [("reach", "no_choice")]


@pytest.mark.parametrize(
    ("typed", "socket", "address"),
    [
        ("/dev/ttyUSB0", "mep", "serial:///dev/ttyUSB0"),
        ("/dev/ttyUSB0", "find", "serial:///dev/ttyUSB0"),
        ("/dev/ttyUSB0", "optical", "optical:///dev/ttyUSB0"),
        ("ttyUSB0", "mep", "serial:///dev/ttyUSB0"),
        ("192.168.1.20:4000", "mep", "tcp://192.168.1.20:4000"),
        ("bridge.local:4000", "optical", "optical+tcp://bridge.local:4000"),
        ("[fe80::1]:4000", "mep", "tcp://[fe80::1]:4000"),
        ("optical:///dev/ttyUSB0", "mep", "serial:///dev/ttyUSB0"),
        (" tcp://10.0.0.1:23 ", "optical", "optical+tcp://10.0.0.1:23"),
        ("rfc2217://10.0.0.1:23", "mep", "rfc2217://10.0.0.1:23"),
    ],
)
def test_a_port_in_any_form_people_type(typed, socket, address):
    assert str(address_of({"port": typed, "socket": socket})) == address
    assert codes("port", port=typed, socket=socket) == []


@pytest.mark.parametrize(
    "typed", ["COM3", "http://10.0.0.1:80", "192.168.1.20", "tcp://user:pass@host:1", "/dev/tty\nUSB0"]
)
def test_what_is_no_port_is_told(typed):
    assert codes("port", port=typed, socket="mep") in ([("port", "port_form")], [("port", "unreadable")])


@pytest.mark.parametrize(
    "text",
    [
        CHARACTERS,
        f'"{CHARACTERS}"',
        f"  {CHARACTERS}\n",
        HEX,
        HEX.upper(),
        " ".join(HEX[i : i + 2] for i in range(0, 40, 2)),
        "{" + ", ".join(f"0x{byte:02x}" for byte in CHARACTERS.encode()) + "}",
        ", ".join(str(byte) for byte in CHARACTERS.encode()),
        f"MBK: {CHARACTERS}",
        f"\N{LEFT DOUBLE QUOTATION MARK}{HEX}\N{RIGHT DOUBLE QUOTATION MARK}",
    ],
)
def test_a_key_in_any_form_people_paste_is_written_so_that_the_gateway_reads_the_same(text):
    assert codes("key", key=text, socket="mep") == []
    written = written_key(text, optical=False)
    assert written == CHARACTERS
    config = MeterConfig.model_validate({"port": "tcp://127.0.0.1:1", "key": written})
    assert config.meter_key.secret == key_of(text, optical=False).secret == CHARACTERS.encode()[:16]


@given(key=st.binary(min_size=20, max_size=20) | st.binary(min_size=16, max_size=16), optical=st.booleans())
def test_every_key_is_written_so_that_it_means_the_same(key, optical):
    written = written_key(key.hex(), optical=optical)
    assert "\n" not in written
    assert key_of(written, optical=optical).secret == key_of(key.hex(), optical=optical).secret


@given(key=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20))
def test_every_short_key_of_the_infrared_window_is_written_so_that_it_means_the_same(key):
    text = "".join(key)
    try:
        means = key_of(text, optical=True).secret
    except MisuseError:
        return
    assert key_of(written_key(text, optical=True), optical=True).secret == means


def test_what_is_no_key_is_told_by_its_length_and_never_shown():
    (said,) = problems(STEP[StepName.KEY], {"key": "SECRET-IS-SHORT", "socket": "mep"})
    assert said == Said("key_form", "key", {"count": 15})


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("House", "house"),
        ("Mormors hus", "mormors_hus"),
        ("Sommerhus på Fanø", "sommerhus_paa_fanoe"),
        ("Straße 7", "strasse_7"),
        ("Café Zoë", "cafe_zoe"),
        ("!!!", "house"),
        ("x" * 70, "x" * 40),
    ],
)
def test_the_short_name_is_made_of_the_name(name, short):
    assert id_from(name) == short


@given(st.text(max_size=200))
def test_every_short_name_is_one_that_topics_take(name):
    assert codes("name", name="x", id=id_from(name), timezone="Etc/UTC") == []


def test_name_and_zone():
    assert codes("name", name="n" * 61, id="No", timezone="Europe/Copenhage") == [
        ("name", "name_long"),
        ("id", "id_form"),
        ("timezone", "no_zone"),
    ]
    assert codes("name", name="a\x00b", timezone="Etc/UTC") == [("name", "unreadable")]


def test_the_broker_is_asked_for_only_where_somebody_listens():
    assert codes("mqtt", use="none", host="", tls="") == []
    assert codes("mqtt", use="fhem", host="", tls="no") == [("host", "empty")]


@pytest.mark.parametrize(
    ("host", "wrong"),
    [
        ("homeassistant.local", []),
        ("192.168.1.10", []),
        ("fe80::1", []),
        ("[fe80::1]", []),
        ("mqtt://192.168.1.10", [("host", "host_form")]),
        ("user:pass@host", [("host", "host_form")]),
        ("host:1883", [("host", "host_form")]),
    ],
)
def test_the_host_of_a_broker(host, wrong):
    assert codes("mqtt", use="homeassistant", host=host, tls="no") == wrong


@pytest.mark.parametrize("port", ["0", "65536", "-1", "1e3", "\N{ARABIC-INDIC DIGIT ONE}", "99999999"])
def test_the_port_of_a_broker(port):
    assert codes("mqtt", use="fhem", host="h", tls="no", broker_port=port) == [("broker_port", "broker_port_form")]


def test_a_password_needs_its_user():
    assert codes("mqtt", use="fhem", host="h", tls="no", broker_password="x") == [("username", "user_missing")]
