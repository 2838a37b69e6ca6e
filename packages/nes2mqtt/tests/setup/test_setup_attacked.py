"""Whatever is sent to the first run, by whoever: no mistake of ours, no secret in an answer, no way in without the code."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nes2mqtt.setup.code import Code
from nes2mqtt.setup.steps import STEPS, StepName
from nes2mqtt.setup.web.app import build_setup_app
from nes2mqtt.setup.web.door import Door
from nes2mqtt.setup.wizard import Wizard
from nes2mqtt.timing.clock import Clock

API = "/api/v1/setup"
SECRETS = ("SIMULATED-METER-DEMO", "correct horse battery", "CANARY-broker-pass")
FIELDS = sorted({field.name for step in STEPS for field in step.fields} | {"anyway", "code", "password"})
WORDS = st.one_of(
    st.sampled_from(
        [
            *SECRETS,
            "",
            "yes",
            "none",
            "fhem",
            "homeassistant",
            "home",
            "here",
            "find",
            "mep",
            "optical",
            "tcp://127.0.0.1:1",
            "/dev/../etc/shadow",
            "../../x",
            "UTC",
            "Our house",
            "house",
            "-1",
            "65536",
            "\0",
            "a" * 300,
            "\ud800",
            "{secret}",
            "%(x)s",
        ]
    ),
    st.text(max_size=40),
)
BODIES = st.one_of(
    st.dictionaries(st.sampled_from(FIELDS), WORDS, max_size=8).map(lambda found: json.dumps(found).encode()),
    st.dictionaries(
        st.sampled_from(FIELDS), st.one_of(WORDS, st.integers(), st.none(), st.lists(WORDS)), max_size=4
    ).map(lambda found: json.dumps(found).encode()),
    st.binary(max_size=60),
    st.just(b"[" * 5000),
    st.just(b'{"key": "' + b"A" * 20_000 + b'"}'),
)
PATHS = st.one_of(
    st.sampled_from(["state", "code", "login", "desk", "ports", "brokers", "key", "steps/none", "steps/", "../state"]),
    st.sampled_from([f"steps/{step}" for step in StepName if step is not StepName.CHECK]),
)
RIGHT = {
    StepName.PASSWORD: {"password": "correct horse battery", "again": "correct horse battery", "reach": "home"},
    StepName.PORT: {"port": "tcp://127.0.0.1:1", "socket": "mep"},
    StepName.KEY: {"key": "SIMULATED-METER-DEMO"},
    StepName.NAME: {"name": "Our house", "timezone": "Europe/Copenhagen"},
    StepName.MQTT: {"use": "fhem", "host": "h", "username": "u", "broker_password": "CANARY-broker-pass", "tls": "no"},
}


@st.composite
def _nearly_right(draw):
    """Answers of a step, as a browser sends them, with some of them changed."""
    step = draw(st.sampled_from(sorted(RIGHT)))
    changed = draw(st.dictionaries(st.sampled_from(FIELDS), WORDS, max_size=2)) if draw(st.booleans()) else {}
    return "POST", f"steps/{step}", json.dumps({**RIGHT[step], **changed}).encode()


REQUESTS = st.lists(
    st.one_of(
        _nearly_right(),
        _nearly_right(),
        st.tuples(st.just("GET"), st.sampled_from(["state", "ports"]), st.just(b"")),
        st.tuples(st.sampled_from(["GET", "POST", "PUT", "HEAD"]), PATHS, BODIES),
    ),
    min_size=1,
    max_size=10,
)


async def _sent(browser, requests):
    """Send them all; return what came back."""
    replies = []
    for method, path, body in requests:
        try:
            replies.append(await browser.request(method, f"{API}/{path}", content=body))
        except UnicodeEncodeError:
            continue
    return replies


@pytest.mark.parametrize("inside", [False, True])
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests=REQUESTS)
def test_whatever_is_sent(place, world, moving_clock, setup_page, inside, requests):
    code = Code(None, moving_clock)
    setup_page.wizard, setup_page.code = Wizard(place, 8099, world), code
    setup_page.app = build_setup_app(setup_page.wizard, Door(code, moving_clock), Clock(), setup_page.saved.append)

    async def attacked():
        async with setup_page.browser() as browser:
            if inside:
                await browser.post(f"{API}/code", json={"code": code.text})
            return await _sent(browser, requests)

    for reply in asyncio.run(attacked()):
        assert reply.status_code < 500, (reply.request.url, reply.request.content, reply.text)
        everything = reply.text + str(reply.headers)
        assert not [secret for secret in SECRETS if secret in everything], (reply.request.url, reply.request.content)
        if not inside:
            assert reply.status_code >= 400 or reply.request.url.path.endswith("/state")
            assert "set-cookie" not in reply.headers
    assert not setup_page.wizard.path.exists()
    assert setup_page.saved == []
