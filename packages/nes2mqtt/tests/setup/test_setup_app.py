"""The page of the first run as its owner uses it, and as an attacker in the network would."""

import asyncio
import json
import logging
import re
from dataclasses import replace

import httpx
import pytest

from nes2mqtt.config.settings import load
from nes2mqtt.setup.code import Code
from nes2mqtt.setup.said import Said
from nes2mqtt.setup.web.app import build_setup_app
from nes2mqtt.setup.web.door import Door
from nes2mqtt.setup.wizard import Wizard
from nes2mqtt.timing.clock import Clock
from servicekit.password import PasswordHash
from servicekit.sessions import Sessions

API = "/api/v1/setup"
CANARIES = ("SIMULATED-METER-DEMO", "correct horse battery", "CANARY-broker-pass", "scrypt:")


async def opened(page, **where):
    """Return a browser that has typed the code."""
    browser = page.browser(**where)
    reply = await browser.post(f"{API}/code", json={"code": page.code.text})
    assert reply.status_code == 200, reply.text
    return browser


async def go_through(browser, answers, **changed):
    """Answer all steps but the last; return all that was told meanwhile."""
    told = []
    for step, given in answers.items():
        reply = await browser.post(f"{API}/steps/{step}", json={**given, **changed.get(str(step), {})})
        assert reply.json()["accepted"], reply.text
        told.append(reply.text)
        told.append((await browser.get(f"{API}/state")).text)
    return told


async def test_from_the_code_to_the_file(setup_page, answers):
    browser = await opened(setup_page)
    await go_through(browser, answers)
    assert not setup_page.wizard.path.exists()
    reply = await browser.post(f"{API}/steps/check", json={})
    saved = reply.json()
    assert saved["accepted"]
    assert saved["saved"] == {"meter": "our_house", "here_only": False, "service": False}
    assert load(setup_page.wizard.path) == setup_page.saved[0].settings
    # The gateway knows this browser: it need not log in again.
    (cookie,) = [each for each in reply.headers.get_list("set-cookie") if each.startswith("raspberrypi_session=")]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    token = cookie.partition("=")[2].partition(";")[0]
    config = setup_page.saved[0].settings
    sessions = Sessions(config.web.password.reveal(), 86400, config.data_dir / "sessions.json", clock=Clock())
    assert sessions.valid(token)


async def test_no_answer_holds_a_secret_not_even_one_just_sent(setup_page, answers, caplog):
    caplog.set_level(logging.DEBUG)
    browser = await opened(setup_page)
    mqtt = {"use": "fhem", "host": "h", "username": "u", "broker_password": "CANARY-broker-pass", "tls": "no"}
    told = await go_through(browser, answers, mqtt=mqtt)
    for path, sent in (
        ("steps/key", {"key": "SIMULATED-METER-DEMO" * 2}),
        ("steps/key", {"key": ["SIMULATED-METER-DEMO"]}),
        ("key", {"key": "SIMULATED-METER-DEMO"}),
        ("steps/password", {"password": "correct horse battery", "again": "x", "reach": "home"}),
        ("steps/mqtt", {**mqtt, "host": "CANARY-broker-pass@h"}),
        ("login", {"password": "correct horse battery!"}),
        ("steps/SIMULATED-METER-DEMO", {}),
        ("steps/check", {}),
    ):
        reply = await browser.post(f"{API}/{path}", json=sent)
        told += [reply.text, str(reply.headers)]
    told += [record.getMessage() for record in caplog.records if record.name.startswith("nes2mqtt")]
    everything = "\n".join(told)
    assert "Our house" in everything
    assert not [secret for secret in CANARIES if secret in everything]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "steps/password"),
        ("POST", "steps/port"),
        ("POST", "steps/key"),
        ("POST", "steps/check"),
        ("POST", "desk"),
        ("POST", "key"),
        ("GET", "ports"),
        ("GET", "brokers"),
    ],
)
async def test_nothing_is_asked_or_answered_without_the_code(setup_page, method, path):
    browser = setup_page.browser()
    for cookie in ("", "nes2mqtt_setup=", "nes2mqtt_setup=guess", "nes2mqtt_setup=\u00e9"):
        reply = await browser.request(
            method, f"{API}/{path}", json={} if method == "POST" else None, headers={"cookie": cookie.encode("latin-1")}
        )
        assert reply.status_code == 401, reply.text
    state = await browser.get(f"{API}/state")
    assert state.json() == {"stage": "code", "ended": False}


async def test_codes_cannot_be_guessed(setup_page):
    """Each address has five tries, all together twenty; then not even the right one opens."""
    statuses = []
    for number in range(30):
        browser = setup_page.browser(f"192.168.{number // 3}.7")
        reply = await browser.post(f"{API}/code", json={"code": "0000-0000"})
        assert not reply.cookies
        statuses.append(reply.status_code)
    assert statuses == [403] * 30
    assert not setup_page.code.valid()
    reply = await setup_page.browser("192.168.99.7").post(f"{API}/code", json={"code": setup_page.code.text})
    assert reply.json()["said"][0]["code"] == "code_ended"


async def test_an_address_that_guesses_waits(setup_page):
    browser = setup_page.browser()
    for _ in range(5):
        assert (await browser.post(f"{API}/code", json={"code": "0000-0000"})).status_code == 403
    reply = await browser.post(f"{API}/code", json={"code": setup_page.code.text})
    assert reply.status_code == 429
    assert 0 < int(reply.headers["retry-after"]) <= 30
    assert reply.json()["said"] == [
        {
            "code": "code_wait",
            "field": "code",
            "values": {"count": int(reply.headers["retry-after"])},
            "passable": False,
        }
    ]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:8080"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
    ],
)
async def test_another_page_can_do_nothing_with_an_open_set_up(setup_page, answers, headers):
    browser = await opened(setup_page)
    for path in ("code", "login", "desk", "key", "steps/password", "steps/check"):
        reply = await browser.post(f"{API}/{path}", json=answers["password"], headers=headers)
        assert reply.status_code == 403, path
    assert setup_page.wizard.draft.password_hash == ""


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8099", "nes2mqtt.evil.example", ""])
async def test_no_name_from_elsewhere_points_here(setup_page, host):
    """DNS rebinding: a page of evil.example whose name leads to this machine."""
    browser = setup_page.browser()
    for path in ("/setup", f"{API}/state", "/"):
        reply = await browser.get(path, headers={"host": host, "origin": f"http://{host}"})
        assert reply.status_code in {403, 421}, path


@pytest.mark.parametrize("host", ["192.168.1.23:8099", "raspberrypi.local:8099", "[fe80::1]:8099", "raspberrypi"])
async def test_the_names_of_a_home_network_are_ours(setup_page, host):
    reply = await setup_page.browser(base=f"http://{host}").get("/setup")
    assert reply.status_code == 200


async def test_only_the_set_up_is_served(setup_page):
    browser = await opened(setup_page)
    front = await browser.get("/")
    assert (front.status_code, front.headers["location"]) == (303, "setup")
    for path in (
        "/api/v1/readings",
        "/metrics",
        "/login",
        "/static/app.js",
        "/setup/static/app.js",
        "/setup/../x",
        "/setup/static/../steps.py",
    ):
        assert (await browser.get(path)).status_code == 404, path
    page = await browser.get("/setup")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    for name in re.findall(r'"(setup/static/[^"]+)"', page.text):
        assert (await browser.get(f"/{name}")).status_code == 200, name


async def test_after_the_password_the_code_is_dead_and_other_visits_are_over(setup_page, answers):
    first, second = await opened(setup_page), await opened(setup_page, address="192.168.1.8")
    code = setup_page.code.text
    assert (await second.get(f"{API}/state")).json() == {"stage": "elsewhere"}
    assert (await first.post(f"{API}/steps/password", json=answers["password"])).json()["accepted"]
    assert (await second.get(f"{API}/state")).json() == {"stage": "login", "ended": False}
    assert (await second.post(f"{API}/code", json={"code": code})).status_code == 403
    assert (await second.post(f"{API}/login", json={"password": "wrong password"})).status_code == 403
    assert (await second.post(f"{API}/login", json={"password": "correct horse battery"})).status_code == 200
    assert (await second.get(f"{API}/state")).json() == {"stage": "elsewhere"}


async def test_one_browser_at_a_time_gives_answers_and_the_other_may_take_over(setup_page, answers):
    first, second = await opened(setup_page), await opened(setup_page, address="192.168.1.8")
    port = answers["port"]
    assert (await second.post(f"{API}/steps/port", json=port)).status_code == 409
    assert (await second.post(f"{API}/desk", json={})).status_code == 200
    assert (await first.post(f"{API}/steps/port", json=port)).status_code == 409
    assert (await first.get(f"{API}/state")).json() == {"stage": "elsewhere"}
    assert (await second.post(f"{API}/steps/port", json=port)).json()["accepted"]


async def test_of_two_that_choose_a_password_at_once_one_counts(setup_page, answers):
    first, second = await opened(setup_page), await opened(setup_page, address="192.168.1.8")
    mine = answers["password"]
    theirs = {**mine, "password": "another password", "again": "another password"}
    replies = await asyncio.gather(
        first.post(f"{API}/steps/password", json=mine), second.post(f"{API}/steps/password", json=theirs)
    )
    assert sorted(reply.status_code for reply in replies) == [200, 409]
    assert (await second.post(f"{API}/login", json={"password": "another password"})).status_code == 403
    assert (await second.post(f"{API}/login", json={"password": mine["password"]})).status_code == 200


async def test_a_password_that_was_taken_counts_also_if_somebody_took_over_meanwhile(setup_page, answers, monkeypatch):
    hashing, loop, real = asyncio.Event(), asyncio.get_running_loop(), PasswordHash.of

    def hashed(password):
        loop.call_soon_threadsafe(hashing.set)
        return real(password)

    monkeypatch.setattr(PasswordHash, "of", hashed)
    first, second = await opened(setup_page), await opened(setup_page, address="192.168.1.8")
    choosing = asyncio.ensure_future(first.post(f"{API}/steps/password", json=answers["password"]))
    await hashing.wait()
    await second.post(f"{API}/desk", json={})
    assert (await choosing).json()["accepted"]
    assert not setup_page.code.valid()
    assert (await second.get(f"{API}/state")).json()["stage"] == "login"


async def test_passwords_cannot_be_guessed_either(setup_page, answers):
    browser = await opened(setup_page)
    await browser.post(f"{API}/steps/password", json=answers["password"])
    stranger = setup_page.browser("192.168.1.66")
    statuses = [(await stranger.post(f"{API}/login", json={"password": f"guess {n}"})).status_code for n in range(6)]
    assert statuses == [403] * 5 + [429]
    # Who guesses keeps out himself alone.
    assert (await browser.get(f"{API}/state")).json()["stage"] == "steps"


async def test_a_reload_goes_on_where_it_was(setup_page, answers):
    browser = await opened(setup_page)
    for step in ("password", "port"):
        await browser.post(f"{API}/steps/{step}", json=answers[step])
    state = (await browser.get(f"{API}/state")).json()
    assert [step["name"] for step in state["steps"] if step["done"]] == ["password", "port"]
    assert state["steps"][1]["answers"]["port"] == "tcp://127.0.0.1:1"
    assert state["steps"][0]["kept"] == ["password"]
    assert "password" not in state["steps"][0]["answers"]


async def test_two_that_save_at_once(setup_page, answers):
    browser = await opened(setup_page)
    await go_through(browser, answers)
    replies = await asyncio.gather(*(browser.post(f"{API}/steps/check", json={}) for _ in range(2)))
    assert any(reply.status_code == 200 and reply.json()["accepted"] for reply in replies)
    assert all(reply.status_code in {200, 409} for reply in replies)
    assert (await browser.get(f"{API}/ports")).status_code in {401, 409}


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b'{"key": 7}', b"\xff", b"[" * 10000, b'{"code": {"a": 1}}', b"x" * 20000],
)
async def test_answers_that_are_none(setup_page, body):
    browser = await opened(setup_page)
    for path in ("code", "login", "key", "steps/key", "steps/check"):
        reply = await browser.post(f"{API}/{path}", content=body)
        assert reply.status_code in {400, 413}, (path, reply.text)


async def test_steps_there_are_not(setup_page):
    browser = await opened(setup_page)
    assert (await browser.post(f"{API}/steps/alerts", json={})).status_code == 404
    assert (await browser.get(f"{API}/steps/port")).status_code == 405


async def test_a_failed_save_is_told_and_may_be_tried_again(place, world, answers, moving_clock):
    room = []

    def full(draft, where, port):
        return world.save(draft, where, port) if room else Said("disk_full", "", {"file": str(where.config)})

    code = Code(None, moving_clock)
    wizard = Wizard(place, 8099, replace(world, save=full))
    app = build_setup_app(wizard, Door(code, moving_clock), Clock(), lambda _: None)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8099") as browser:
        await browser.post(f"{API}/code", json={"code": code.text}, headers={"origin": "http://127.0.0.1:8099"})
        browser.headers["origin"] = "http://127.0.0.1:8099"
        await go_through(browser, answers)
        reply = (await browser.post(f"{API}/steps/check", json={})).json()
        assert (reply["accepted"], reply["said"][0]["code"]) == (False, "disk_full")
        room.append("made")
        assert (await browser.post(f"{API}/steps/check", json={})).json()["accepted"]


async def test_the_demonstration_beside_it_is_for_this_computer_and_shows_the_way_out(wizard, moving_clock):
    async def demonstration(scope, receive, send):
        del receive
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    code = Code(None, moving_clock)
    app = build_setup_app(wizard, Door(code, moving_clock), Clock(), lambda _: None, demonstration)
    here = httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=("127.0.0.1", 1)), base_url="http://127.0.0.1:8099"
    )
    there = httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=("192.168.1.7", 1)), base_url="http://192.168.1.23:8099"
    )
    front = await here.get("/")
    assert '<p id="own-meter" class="own-meter"><span' in front.text
    assert (await here.get("/api/v1/readings")).text == "/api/v1/readings"
    assert (await there.get("/")).headers["location"] == "setup"
    assert (await there.get("/setup")).status_code == 200


async def test_what_the_state_tells_is_json_with_every_field_the_page_needs(setup_page, answers):
    browser = await opened(setup_page)
    await go_through(browser, answers)
    state = json.loads((await browser.get(f"{API}/state")).text)
    assert state["text"].startswith("# Written by the set-up")
    assert state["files"] == [
        str(setup_page.wizard.path.with_name("our_house.key")),
        str(setup_page.wizard.path.with_name("web-password")),
    ]
    assert state["seen"]["serial"] == "12345678"
