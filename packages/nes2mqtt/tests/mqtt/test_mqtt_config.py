"""The broker's section: what is taken, and what the owner reads when it is not."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from nes2mqtt.outputs.mqtt.config import DialectName, MqttConfig


def section(**settings):
    return MqttConfig.model_validate({"host": "broker", **settings})


def complaint(**settings):
    with pytest.raises(ValidationError) as caught:
        section(**settings)
    return str(caught.value)


def test_a_host_is_enough():
    config = section()
    assert (config.address, config.base_topic, config.dialects) == (
        "broker:1883",
        "nes2mqtt",
        (DialectName.HOMEASSISTANT,),
    )
    assert config.client_id is None
    assert not config.uses_tls


def test_tls_changes_the_port_unless_it_is_switched_off_or_the_port_is_given():
    assert section(tls={}).broker_port == 8883
    assert section(tls={"enabled": False}).broker_port == 1883
    assert section(tls={}, port=1884).broker_port == 1884
    assert section(host="::1").address == "[::1]:1883"


@pytest.mark.parametrize("topic", ["a/+/b", "#", "a/b#"])
@pytest.mark.parametrize("place", ["base_topic", "dabbler", "homeassistant", "nmr-raw"])
def test_wildcards_are_refused(topic, place):
    key = "discovery_prefix" if place == "homeassistant" else "base_topic"
    settings = {"base_topic": topic} if place == "base_topic" else {place: {key: topic}}
    assert "wildcards are for subscribing" in complaint(**settings)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"base_topic": ""}, "cannot be empty"),
        ({"base_topic": "/nes"}, "without a slash at its start or end"),
        ({"base_topic": "$SYS/nes"}, "belong to the broker"),
        ({"base_topic": "nes\0"}, "NUL"),
        ({"base_topic": "n" * 40000}, "does not fit"),
        ({"dabbler": {"base_topic": "d/{house}"}}, "the only placeholder is {meter}"),
        ({"host": "mqtt://broker"}, "write only the name or address"),
        ({"host": "broker:1883"}, 'write host = "broker" and port = 1883'),
        ({"password": "secret"}, "a password needs a username"),
        ({"dialects": ["dabbler", "dabbler"]}, "named twice"),
        ({"dialects": []}, "at least 1 item"),
        ({"client_id": "a\0"}, "NUL"),
        ({"tls": {"cert_file": "/etc/hostname"}}, "give both or neither"),
        ({"tls": {"ca_file": "/no/such/file.pem"}}, "there is no file /no/such/file.pem"),
        ({"base_topic": "homeassistant"}, "its status and ours would be the same topic"),
        ({"tsl": {}}, "Extra inputs are not permitted"),
    ],
)
def test_mistakes_are_explained(settings, says):
    assert says in complaint(**settings)


def test_a_complaint_does_not_show_the_password():
    assert "hunter2" not in complaint(password="hunter2")
    assert "hunter2" not in repr(section(username="u", password="hunter2"))


def test_two_meters_must_not_share_topics():
    single = section(dialects=["homeassistant", "nmr-raw", "dabbler"])
    single.check_meters(["house"])
    with pytest.raises(ValueError, match=r'\[mqtt.nmr-raw\] base_topic = "nes2mqtt/\{meter\}"'):
        single.check_meters(["house", "barn"])
    apart = section(
        dialects=["homeassistant", "nmr-raw", "dabbler"],
        **{"nmr-raw": {"base_topic": "nmr/{meter}"}, "dabbler": {"base_topic": "{meter}/dabbler"}},
    )
    apart.check_meters(["house", "barn"])
    section().check_meters(["house", "barn"])
