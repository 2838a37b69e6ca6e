"""The configuration file: what it means, and what is said about what is wrong in it."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from nes2mqtt.config import later
from nes2mqtt.config.problems import ConfigError
from nes2mqtt.config.settings import Config, load, parse, secrets_in, warnings_for

KEY = "ABCDEFGHIJKLMNOPQRST"
FILE = Path("nes2mqtt.toml")
SMALLEST = f"""
[meters.house]
port = "tcp://127.0.0.1:7000"
key = "{KEY}"
"""


def problems(text):
    with pytest.raises(ConfigError) as caught:
        parse(text, FILE)
    return [str(problem) for problem in caught.value.problems]


def only_problem(text):
    (problem,) = problems(text)
    return problem


class TestMeaning:
    def test_the_smallest_file(self):
        config = parse(SMALLEST, FILE)
        house = config.meters["house"]
        assert config.name == "nes2mqtt"
        assert house.meter_key.secret == KEY[:16].encode()
        assert (house.present_every, house.registers_every, house.clock_every) == (2.0, 10.0, 600.0)
        assert house.security == "auto"
        assert config.mqtt == ()
        assert config.web is None

    def test_defaults_of_places(self, monkeypatch, tmp_path):
        monkeypatch.setenv("TZ", "Europe/Copenhagen")
        monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/nes2mqtt:/var/lib/other")
        config = parse(SMALLEST, FILE)
        assert config.timezone == ZoneInfo("Europe/Copenhagen")
        assert config.data_dir == Path("/var/lib/nes2mqtt")
        monkeypatch.delenv("STATE_DIRECTORY")
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        assert parse(SMALLEST, FILE).data_dir == tmp_path / "nes2mqtt"

    @pytest.mark.parametrize(
        ("key", "form"),
        [
            (f'"{KEY}"', "20 characters"),
            ('"' + KEY.encode().hex() + '"', "40 hex digits"),
            (str(list(KEY.encode())), "20 decimal numbers"),
        ],
    )
    def test_keys_in_every_form(self, key, form):
        text = SMALLEST.replace(f'"{KEY}"', key)
        meter_key = parse(text, FILE).meters["house"].meter_key
        assert meter_key.form == form
        assert meter_key.secret == KEY[:16].encode()

    def test_secrets_from_every_place(self, monkeypatch, tmp_path):
        monkeypatch.setenv("METER_KEY", KEY)
        (tmp_path / "key").write_text(KEY + "\n")
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
        for place in ('{ env = "METER_KEY" }', f'{{ file = "{tmp_path}/key" }}', '{ credential = "key" }'):
            config = parse(SMALLEST.replace(f'"{KEY}"', place), FILE)
            assert config.meters["house"].meter_key.secret == KEY[:16].encode()
            ((field, secret),) = secrets_in(config)
            assert field == "meters.house.key"
            assert not secret.inline

    @pytest.mark.parametrize(
        ("section", "kind"),
        [
            ('kind = "gpio"\nline = 17', "gpio"),
            ('kind = "command"\ncommand = ["/bin/true"]', "command"),
        ],
    )
    def test_power_cycles(self, section, kind):
        config = parse(f"{SMALLEST}\n[meters.house.power_cycle]\n{section}", FILE)
        assert config.meters["house"].power_cycle.kind == kind


# What is written, and what the message must hold: the line, the field, the fix.
MISTAKES = {
    "unknown setting": (SMALLEST + 'prot = "x"', ["nes2mqtt.toml:5: meters.house.prot:", "did you mean 'port'?"]),
    "unknown section": (SMALLEST + "[webb]", ["nes2mqtt.toml:5: webb:", "did you mean 'web'?"]),
    "setting nothing resembles": (
        SMALLEST + "zzzzzz = 1",
        ["there are: clock_every, condition_every, devices_every, event_names, events_every, fuse, key"],
    ),
    "missing setting": (
        '[meters.house]\nkey = "ABCDEFGHIJKLMNOPQRST"',
        [":1: meters.house.port: is missing; add a line"],
    ),
    "no meters": ("", ["nes2mqtt.toml: meters: is missing"]),
    "empty meters": ("[meters]", [":1: meters: must not be empty"]),
    "text for a number": (SMALLEST + 'present_every = "two"', [":5: meters.house.present_every: must be a number"]),
    "number for a text": (SMALLEST + "name = 2", [":5: meters.house.name: must be text in quotes"]),
    "former setting": (
        SMALLEST + "encrypt = true",
        [
            "nes2mqtt.toml:5: meters.house.encrypt: there is no such setting any more; ",
            'write security = "rc4" in place of',
        ],
    ),
    "module without its token": (
        SMALLEST.replace("tcp://127.0.0.1:7000", "module://nes-house.local"),
        ["meters.house: a module lends its line only to who has its token", "Add token = "],
    ),
    "token that is none": (SMALLEST + 'token = "short"', [":5: meters.house.token: a token has 16 to 64 letters"]),
    "token where no module can be": (
        SMALLEST.replace("tcp://127.0.0.1:7000", "serial:///dev/ttyUSB0") + 'token = "7kq2-mvx9-t4hp-w3zd"',
        ["meters.house: a token is for a module in the meter"],
    ),
    "module with options": (
        SMALLEST.replace("tcp://127.0.0.1:7000", "module://nes-house.local?baud=9600"),
        [":3: meters.house.port: module:// has no options"],
    ),
    "another word": (SMALLEST + 'security = "ssl"', [":5: meters.house.security: must be "]),
    "yes for true": (SMALLEST + '[history]\nenabled = "maybe"', [":6: history.enabled: must be true or false"]),
    "too small": (SMALLEST + "present_every = 0", [":5:", "must be at least 0.1"]),
    "too large": (SMALLEST + "present_every = 1e9", [":5:", "must be at most 3600"]),
    "not a number": (SMALLEST + "present_every = nan", [":5: meters.house.present_every: must be"]),
    "over budget": (SMALLEST + "present_every = 0.5", ["meters.house: present_every and registers_every ask for 2.1"]),
    "device without scheme": (
        SMALLEST.replace("tcp://127.0.0.1:7000", "dev/ttyUSB0"),
        [":3: meters.house.port: this address cannot be read", "serial:///dev/serial/by-id/NAME"],
    ),
    "other scheme": (
        SMALLEST.replace("tcp:", "mqtt:"),
        [":3: meters.house.port: this address", "ls -l /dev/serial/by-id"],
    ),
    "same port twice": (SMALLEST + SMALLEST.replace("house", "barn"), ["house and meters.barn have the same port"]),
    "key too short": (SMALLEST.replace(KEY, "xyz"), [":4: meters.house.key: the meter key has 3 characters"]),
    "key of odd numbers": (SMALLEST.replace(f'"{KEY}"', "[1, 2, 3]"), [":4: meters.house.key:", "list of 3 numbers"]),
    "environment not set": (
        SMALLEST.replace(f'"{KEY}"', '{ env = "NOT_SET_ANYWHERE" }'),
        [":4: meters.house.key: the environment variable named here is not set"],
    ),
    "secret file missing": (
        SMALLEST.replace(f'"{KEY}"', '{ file = "/nonexistent" }'),
        [":4: meters.house.key: the file named here cannot be read: No such file"],
    ),
    "no systemd credential": (
        SMALLEST.replace(f'"{KEY}"', '{ credential = "house" }'),
        [":4: meters.house.key:", "LoadCredential"],
    ),
    "no such place of secrets": (SMALLEST.replace(f'"{KEY}"', '{ path = "x" }'), [":4: meters.house.key: a secret is"]),
    "bad meter id": (SMALLEST.replace("house", "House"), [":2: meters.House: must have only small letters"]),
    "bad gateway name": ('name = "My House"' + SMALLEST, [":1: name: must have only small letters"]),
    "bad time zone": ('timezone = "Europe/Kopenhagen"' + SMALLEST, [":1: timezone:", "'Europe/Copenhagen'"]),
    "bad log level": ('log_level = "loud"' + SMALLEST, [':1: log_level: must be one of "debug", "info"']),
    "power cycle of no kind": (
        SMALLEST + "[meters.house.power_cycle]\nline = 1",
        ["says no kind; add the line: kind ="],
    ),
    "power cycle of unknown kind": (SMALLEST + '[meters.house.power_cycle]\nkind = "gpo"', ['must be one of "gpio"']),
    "power cycle field": (
        SMALLEST + '[meters.house.power_cycle]\nkind = "gpio"\nlin = 1',
        [":5: meters.house.power_cycle.line: is missing", ":7: meters.house.power_cycle.lin:", "'line'"],
    ),
    "line of a network port": (SMALLEST + '[meters.house.power_cycle]\nkind = "dtr"', ["has no such line"]),
    "second broker": (
        SMALLEST + '[[mqtt]]\nhost = "a"\n[[mqtt]]\nhots = "b"',
        [':7: mqtt.host: is missing; add a line such as: host = "', ":8: mqtt.hots:", "did you mean 'host'?"],
    ),
    "same broker twice": (SMALLEST + 2 * '[[mqtt]]\nhost = "a"\n', ["name the broker a:1883", "into one section"]),
    "meters that share topics": (
        SMALLEST
        + SMALLEST.replace("house", "barn").replace("7000", "7001")
        + '[[mqtt]]\nhost="a"\ndialects=["dabbler"]',
        ["several meters would share the topics of dialect dabbler"],
    ),
    "l8 meters that share an id in Home Assistant": (
        SMALLEST
        + SMALLEST.replace("house", "house_display").replace("7000", "7001")
        + '[[mqtt]]\nhost="a"\ndialects=["homeassistant"]',
        ["meters.house and meters.house_display would have one id in Home Assistant", "Choose another name"],
    ),
    "option of a dialect": (
        SMALLEST + '[[mqtt]]\nhost = "a"\nnmr-raw.evry = 1',
        [":7: mqtt.nmr-raw.evry:", "did you mean 'every'?"],
    ),
    "web for all without password": (SMALLEST + '[web]\nlisten = "0.0.0.0:80"', [":5: web:", "Add a password"]),
    "value without quotes": ("[meters.house]\nport = tcp://x", [":2: this is not TOML", "text stands in quotes"]),
    "unclosed quote": ('name = "x\n', [":1: this is not TOML", "closing quote"]),
    "section twice": (SMALLEST + SMALLEST, [":6: this is not TOML", "written twice"]),
    "setting twice": (SMALLEST + 'port = "tcp://x:1"\n', ["this is not TOML", "written twice"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_an_error_names_line_field_and_fix(mistake, monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    text, expected = MISTAKES[mistake]
    said = "\n".join(problems(text))
    for part in expected:
        assert part in said


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file():
    said = problems('name = "A B"\ntimezone = 3\n[meters.house]\nprot = 1\n[web]\nlisten = 2')
    lines = [int(re.match(r"nes2mqtt\.toml:(\d+):", line)[1]) for line in said]
    assert lines == sorted(lines)
    assert len(said) == 6


class TestFile:
    def test_missing(self, tmp_path):
        with pytest.raises(ConfigError, match="there is no such file"):
            load(tmp_path / "none.toml")

    def test_a_folder(self, tmp_path):
        with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
            load(tmp_path)

    def test_not_text(self, tmp_path):
        (tmp_path / "c").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(ConfigError, match="not UTF-8"):
            load(tmp_path / "c")

    def test_others_may_read_a_file_that_holds_secrets(self, tmp_path, monkeypatch):
        monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "data"))
        file = tmp_path / "nes2mqtt.toml"
        file.write_text(SMALLEST)
        file.chmod(0o644)
        (warning,) = warnings_for(load(file), file)
        assert f"chmod 600 {file}" in warning
        assert "meters.house.key" in warning
        assert KEY not in warning
        file.chmod(0o600)
        assert warnings_for(load(file), file) == []

    def test_others_may_read_a_file_that_names_places(self, tmp_path, monkeypatch):
        monkeypatch.setenv("METER_KEY", KEY)
        monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "data"))
        file = tmp_path / "nes2mqtt.toml"
        file.write_text(SMALLEST.replace(f'"{KEY}"', '{ env = "METER_KEY" }'))
        file.chmod(0o644)
        assert warnings_for(load(file), file) == []


PLACES = {
    "key": SMALLEST.replace(KEY, "SECRET"),
    "key place env": SMALLEST.replace(f'"{KEY}"', '{ env = "SECRET" }'),
    "key place file": SMALLEST.replace(f'"{KEY}"', '{ file = "SECRET" }'),
    "key place credential": SMALLEST.replace(f'"{KEY}"', '{ credential = "SECRET" }'),
    "key place unknown": SMALLEST.replace(f'"{KEY}"', '{ text = "SECRET" }'),
    "broker": SMALLEST + '[[mqtt]]\nhost = "x"\npassword = "SECRET"',
    "web": SMALLEST + '[web]\npassword = "SECRET"\nlistn = 1',
    "wrong field": SMALLEST + 'kee = "SECRET"\npresent_every = "SECRET"\nsecurity = "SECRET"',
    "port": SMALLEST.replace("tcp://127.0.0.1:7000", "SECRET"),
    "no TOML": SMALLEST + "kee = SECRET",
    "time zone": 'timezone = "SECRET"' + SMALLEST,
}


SECRETS = st.text("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789+=/", min_size=7, max_size=60).map(
    lambda text: f"q7Z{text}"  # no word of any message
)


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=15, deadline=None)
@given(secret=SECRETS)
def test_no_error_repeats_what_may_be_a_secret(place, secret):
    os.environ.pop("CREDENTIALS_DIRECTORY", None)
    try:
        config = parse(PLACES[place].replace("SECRET", secret), FILE)
    except ConfigError as error:
        said = str(error) + repr(error)
    else:
        said = repr(config) + str(config) + config.model_dump_json()
    assert secret not in said


def test_a_setting_named_like_pydantics_mark_for_keys_is_a_problem_as_any_other():
    with pytest.raises(ConfigError) as caught:
        parse("'[key]' = ''", Path("c.toml"))
    assert "c.toml:1: [key]: there is no such setting" in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/dev/ttyUSB0", "serial:///dev/ttyUSB0?baud=19200"),
        ("serial:///dev/ttyUSB0", "optical:///dev/ttyUSB0"),
        ("tcp://bridge:23", "rfc2217://bridge:23"),
    ],
)
def test_r6_one_port_written_in_two_ways(one, other):
    text = f'[meters.a]\nport = "{one}"\nkey = "{KEY}"\n[meters.b]\nport = "{other}"\nkey = "{KEY}"\n'
    assert "have the same port; only one can use it" in only_problem(text)


class TestEditors:
    """Files as Windows, web pages and word processors leave them."""

    ENCODINGS = pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])

    @ENCODINGS
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_r12_the_configuration_in_every_encoding(self, tmp_path, encoding, end):
        file = tmp_path / "nes2mqtt.toml"
        file.write_bytes((SMALLEST + 'name = "H\u00fctte"\n').replace("\n", end).encode(encoding))
        assert load(file).meters["house"].name == "H\u00fctte"

    @ENCODINGS
    @pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
    def test_r12_a_password_and_a_key_in_every_encoding(self, tmp_path, encoding, end):
        for name, text in (("password", "p\u00e4ssword 1"), ("key", KEY)):
            (tmp_path / name).write_bytes((text + end).encode(encoding))
        text = SMALLEST.replace(f'"{KEY}"', f'{{ file = "{tmp_path}/key" }}')
        text += f'[[mqtt]]\nhost = "b"\nusername = "u"\npassword = {{ file = "{tmp_path}/password" }}\n'
        config = parse(text, FILE)
        assert config.mqtt[0].password.reveal() == "p\u00e4ssword 1"
        assert config.meters["house"].meter_key.secret == KEY[:16].encode()

    def test_r12_a_mark_in_the_environment(self, monkeypatch):
        monkeypatch.setenv("METER_KEY", "\ufeff" + KEY)
        config = parse(SMALLEST.replace(f'"{KEY}"', '{ env = "METER_KEY" }'), FILE)
        assert config.meters["house"].meter_key.secret == KEY[:16].encode()

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("name = \u201cHouse\u201d", "the quotation marks are typographic ones"),
            ('name\u00a0= "House"', "a blank that is none"),
        ],
    )
    def test_what_was_pasted_from_a_web_page_is_named(self, line, said):
        problem = only_problem(f"{SMALLEST}{line}\n")
        assert problem.startswith("nes2mqtt.toml:5: this is not TOML: ")
        assert said in problem


def test_r13_a_secret_that_others_can_read_is_warned_of(tmp_path, monkeypatch):
    tmp_path.chmod(0o755)
    (tmp_path / "house.key").write_text(KEY)
    file = tmp_path / "nes2mqtt.toml"
    for place in (f'{{ file = "{tmp_path}/house.key" }}', '{ credential = "house.key" }'):
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
        file.write_text('timezone = "UTC"\n' + SMALLEST.replace(f'"{KEY}"', place))
        (tmp_path / "house.key").chmod(0o644)
        (warning,) = warnings_for(load(file), file)
        assert f"read {tmp_path}/house.key, which holds meters.house.key; type: chmod 600" in warning
        (tmp_path / "house.key").chmod(0o600)
        assert warnings_for(load(file), file) == []


@pytest.mark.parametrize(
    "port",
    [
        "serial:///dev/ttyUSB0?rts=on",
        "optical:///dev/ttyUSB0?rts=on&dtr=off&turnaround=5",
        "optical+tcp://bridge:8888?turnaround=12",
    ],
)
def test_an_address_takes_the_settings_of_its_port(port):
    assert parse(SMALLEST.replace("tcp://127.0.0.1:7000", port), FILE).meters["house"].port == port


@pytest.mark.parametrize(
    ("pasted", "advice"),
    [
        ("192.168.1.30:3333", "write tcp:// before it"),
        ("socket://bridge.local:3333", "write it as tcp://HOST:PORT"),
        ("ttyUSB0", "write /dev/ before it"),
        ("file:///dev/serial/by-id/usb-x", "begin it with /dev/"),
    ],
)
def test_a_port_as_other_programs_write_it(pasted, advice):
    said = only_problem(SMALLEST.replace("tcp://127.0.0.1:7000", pasted))
    assert advice in said
    assert pasted not in said


def test_blanks_around_an_address_are_taken_away():
    assert parse(SMALLEST.replace("tcp://127.0.0.1:7000", " /dev/ttyUSB0 "), FILE).meters["house"].port == (
        "serial:///dev/ttyUSB0"
    )


def _sections(model):
    """Yield a section's model and those of the sections in it."""
    yield model
    for field in model.model_fields.values():
        waiting = [later.type_of(field)]
        while waiting:
            part = waiting.pop()
            waiting += get_args(part)
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _sections(part)


def test_patterns_with_whole_alphabets_are_not_compiled_by_pydantic():
    """Its engine takes megabytes for one: a gateway with one meter has 55 in all."""
    found = set()
    for model in _sections(Config):
        patterns = [getattr(rule, "pattern", None) for field in model.model_fields.values() for rule in field.metadata]
        if any(re.search(r"\\[wWdDsS]", pattern) for pattern in patterns if isinstance(pattern, str)):
            found.add(model.__name__)
            assert model.model_config.get("regex_engine") == "python-re", model
    assert found == {"LineConfig", "PricesConfig"}


def test_what_checked_the_file_can_be_given_back():
    code = (
        "import gc; from pathlib import Path; from pydantic_core import SchemaValidator; from nes2mqtt.config import settings\n"
        "def checks(): return sum('Config]' in each.title for each in gc.get_objects() if isinstance(each, SchemaValidator))\n"
        f"def read(): return settings.parse({SMALLEST!r}, Path('x'))\n"
        "first = read(); print(checks()); settings.forget_checks(); gc.collect(); print(checks(), read() == first)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "0", "True"], "a gateway keeps a megabyte for nothing"


def test_a_section_that_is_checked_when_there_is_one_tells_its_place():
    lines = (SMALLEST + "[alerts]\n[alerts.meter_silent]\nraise_after = 1\nraise_afer = 2\n").splitlines()
    said = problems("\n".join(lines))
    assert [re.search(r"toml:(\d+)", each)[1] for each in said] == [
        str(lines.index(line) + 1) for line in ("raise_after = 1", "raise_afer = 2")
    ], said
    assert "alerts.meter_silent.raise_after" in said[0]
    assert "raise_after" in said[1], "the name it is like"
    (missing,) = problems(SMALLEST + '[[contracts]]\nname = "a"\nmeter = "house"\n[[contracts]]\n')[-1:]
    assert "contracts" in missing


CONTRACT = """
[meters.house]
port = "tcp://h:1"
key = "ABCDEFGHIJKLMNOPQRST"

[[contracts]]
name = "Example"
meter = "house"
from = 2026-10-01
currency = "EUR"
spot_area = "AT"
spot_step = "{step}"
vat = "20 %"

[[contracts.lines]]
name = "Spot"
price = "spot"

[prices]
source = "{source}"
"""


def test_hours_alone_are_no_source_for_a_contract_of_quarters():
    assert "awattar has hours only" in only_problem(CONTRACT.format(step="quarter", source="awattar"))
    for step, source in (("hour", "awattar"), ("month", "awattar"), ("quarter", "energy-charts")):
        assert parse(CONTRACT.format(step=step, source=source), FILE).contracts


@pytest.mark.parametrize("address", ["http://user:s3cret@h", "https://h/?token=s3cret", "http://h/#s3cret"])
def test_an_address_of_prices_holds_nothing_secret(address):
    text = CONTRACT.format(step="quarter", source="energy-charts") + f'address = "{address}"\n'
    problem = only_problem(text)
    assert "shown in the log" in problem
    assert "s3cret" not in problem
