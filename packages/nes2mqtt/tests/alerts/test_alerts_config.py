"""The section [alerts]: what it says, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from nes2mqtt.config.problems import ConfigError
from nes2mqtt.config.settings import parse
from nes2mqtt.config.summary import summary

METERS = """
[meters.house]
port = "tcp://h:1"
key = "ABCDEFGHIJKLMNOPQRST"
fuse = 25
[meters.barn]
port = "tcp://h:2"
key = "ABCDEFGHIJKLMNOPQRST"
"""
MAIL = '[alerts.mail]\nsender = "a@example.org"\nto = ["b@example.org"]\n'


def read(text):
    return parse(text + METERS, Path("nes2mqtt.toml"))


def rules(text):
    config = read(text)
    assert config.alerts is not None
    return {rule.key: rule for rule in config.alerts.rules({name: one.fuse for name, one in config.meters.items()})}


def test_without_the_section_nothing_is_watched():
    assert read("").alerts is None


def test_by_itself_it_watches_for_silence_and_a_refused_key():
    assert set(rules("[alerts]")) == {f"{m}/{k}" for m in ("house", "barn") for k in ("meter_silent", "key_refused")}


def test_a_phase_is_watched_where_its_fuse_is_known():
    found = {key: rule for key, rule in rules("[alerts.phase_load]").items() if "phase_load" in key}
    assert set(found) == {f"house/phase_load/l{phase}" for phase in (1, 2, 3)}
    assert (found["house/phase_load/l1"].limit, found["house/phase_load/l1"].clear) == (22.5, 20.0)


def test_a_section_is_for_the_meters_it_names_and_may_be_switched_off():
    assert not any("barn/unbalance" in key for key in rules('[alerts.unbalance]\nmeters = ["house"]'))
    assert set(rules("[alerts.meter_silent]\nenabled = false\n[alerts.key_refused]\nenabled = false")) == set()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[alerts]\nquiet_hours = "22-07"', r'write it like "22:00-07:00"'),
        ('[alerts]\nurgent = ["fire"]', "alerts.urgent"),
        ('[alerts.unbalance]\nmeters = ["shed"]', "'shed', which is not configured; there are: house, barn"),
        ('[alerts.phase_load]\nmeters = ["barn"]', r"add fuse = 25, or what it is, to \[meters.barn\]"),
        ("[alerts.phase_load]\npercent = 80\nclear_percent = 80", "clear_percent has to be less than percent"),
        ("[alerts.voltage]\nlow = 250", "no room for twice the hysteresis"),
        ("[alerts.voltage]\nraise_after = 0", "alerts.voltage.raise_after"),
        ("[alerts.base_load]", "alerts.base_load.watts"),
        ('[alerts.webhook]\nurl = "example.org/hook"', "write it as https://HOST/PATH"),
        ('[alerts.webhook]\nurl = "https://me:word@example.org/"', "put them into secret"),
        ('[alerts.webhook]\nurl = "http://example.org/"\nsecret = "word"', "would be readable on its way"),
        ('[alerts.webhook]\nurl = "https://e.org/"\nsecret = "a\\nX-Other: b"', "one line of plain letters"),
        ('[alerts.webhook]\nurl = "https://e.org/"\nheader = "A: b"', "letters, digits and - only"),
        (MAIL + 'host = "e.org"\nsecurity = "none"', "would be readable on its way"),
        (MAIL + 'host = "e.org"\nusername = "me"', "username and password go together"),
        (MAIL.replace("b@", "b\\n@") + 'host = "e.org"', "one of them is no address"),
        (MAIL.replace("a@example.org", "nobody") + 'host = "e.org"', "write it like meter@example.org"),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_write(text, words):
    with pytest.raises(ConfigError, match=words) as caught:
        read(text)
    assert "word@" not in str(caught.value)


def test_check_config_says_what_is_watched_and_who_is_told():
    text = '[alerts]\nquiet_hours = "22:00-7:00"\n[alerts.phase_load]\n[alerts.meter_event]\n'
    text += '[alerts.webhook]\nurl = "https://e.org/secret-path"\nsecret = "word"\n' + MAIL + 'host = "smtp.e.org"\n'
    said = [line for line in summary(read(text)) if "watch" in line or "tell " in line]
    assert said == [
        "- watch for meter_silent, key_refused, phase_load, meter_event",
        "    tell nobody from 22:00 to 07:00, but for phase_load",
        "    tell e.org by webhook",
        "    tell b@example.org by mail through smtp.e.org:587",
    ]
