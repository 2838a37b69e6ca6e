"""Behind a reverse proxy: who asks, under which address, and what the browser is told."""

import logging
import time

import httpx
import pytest

from nes2mqtt.outputs.web.app import build_app
from nes2mqtt.outputs.web.config import WebConfig
from servicekit.caller import Proxies

PASSWORD = "correct horse battery"
TOKEN = "0123456789abcdef0123456789abcdef"
PUBLIC = "https://example.org/energy/"


def caller(headers, peer="10.0.0.2"):
    return Proxies(["10.0.0.0/24", "2001:db8:1::/48"]).caller(
        peer, {name: [value for key, value in headers if key == name] for name, _ in headers}, secure=False
    )


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ([("x-forwarded-for", "192.0.2.7")], "192.0.2.7"),
        ([("x-forwarded-for", "6.6.6.6, 192.0.2.7")], "192.0.2.7"),
        ([("x-forwarded-for", "6.6.6.6, 192.0.2.7, 10.0.0.3")], "192.0.2.7"),
        ([("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "192.0.2.7")], "192.0.2.7"),
        ([("x-forwarded-for", "192.0.2.7:4711")], "192.0.2.7"),
        ([("x-forwarded-for", "[2001:db8::7]:4711")], "2001:db8::7"),
        ([("x-forwarded-for", "2001:db8::7, 2001:db8:1::9")], "2001:db8::7"),
        ([("x-forwarded-for", "::ffff:192.0.2.7")], "192.0.2.7"),
        ([("forwarded", 'for=6.6.6.6, for="192.0.2.7:4711";proto=https;host=example.org')], "192.0.2.7"),
        ([("forwarded", 'for="[2001:db8::7]:4711"')], "2001:db8::7"),
        ([("forwarded", "for=192.0.2.7"), ("x-forwarded-for", "192.0.2.7")], "192.0.2.7"),
        # Somebody sent the kind that the proxy does not write.
        ([("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "192.0.2.7")], "10.0.0.2"),
        ([("x-forwarded-for", "6.6.6.6"), ("forwarded", "for=192.0.2.7")], "10.0.0.2"),
        ([("x-forwarded-for", "unknown")], "10.0.0.2"),
        ([("x-forwarded-for", "192.0.2.7, nonsense")], "10.0.0.2"),
        ([("x-forwarded-for", "")], "10.0.0.2"),
        ([("x-forwarded-for", "10.0.0.4, 10.0.0.3")], "10.0.0.4"),
        ([("forwarded", "for=_hidden")], "10.0.0.2"),
        ([("forwarded", ' proto=https ; For = "192.0.2.7" ;by=10.0.0.3 ')], "192.0.2.7"),
        ([("forwarded", "for=6.6.6.6"), ("forwarded", "for=192.0.2.7;;")], "192.0.2.7"),
        ([("forwarded", 'for="6.6.6.6, for=192.0.2.7')], "192.0.2.7"),
        ([("forwarded", "for=6.6.6.6, " * 30 + "for=192.0.2.7")], "192.0.2.7"),
        ([("x-forwarded-for", "6.6.6.6, " * 30 + "192.0.2.7")], "192.0.2.7"),
        ([], "10.0.0.2"),
    ],
)
def test_the_caller_is_the_last_address_that_is_no_trusted_proxy(headers, address):
    assert caller(headers).address == address


@pytest.mark.parametrize(
    "value",
    ["a" * 60_000, "x" + " " * 60_000 + "x", 'for="' + "\\a" * 30_000, "a=" * 30_000, ";" * 60_000, "," * 60_000],
)
@pytest.mark.parametrize("name", ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"])
def test_b5_a_hostile_header_costs_nothing(name, value):
    started = time.process_time()
    assert caller([(name, value)]).address == "10.0.0.2"
    assert time.process_time() - started < 3, (
        "milliseconds; minutes, if each character were looked at for each other one"
    )


@pytest.mark.parametrize("peer", ["192.0.2.66", "127.0.0.1", "2001:db8:2::1", "", "unix"])
def test_from_nobody_else_a_header_is_believed(peer):
    headers = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "evil.example")]
    found = caller([*headers, ("forwarded", "for=6.6.6.6;proto=https"), ("host", "here")], peer=peer)
    assert (found.address, found.host, found.secure, found.proxied) == (peer, "here", False, False)


@pytest.mark.parametrize(
    "headers",
    [
        [("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "example.org")],
        [
            ("x-forwarded-for", "192.0.2.7"),
            ("x-forwarded-proto", "http, https"),
            ("x-forwarded-host", "a, example.org"),
        ],
        [("forwarded", "for=192.0.2.7;Proto=HTTPS;host=example.org")],
    ],
)
def test_a_proxy_tells_how_the_browser_came(headers):
    found = caller([("host", "127.0.0.1:8099"), *headers])
    assert (found.host, found.secure) == ("example.org", True)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"trusted_proxies": ["proxy.local"]}, "neither an address nor a network"),
        ({"trusted_proxies": ["0.0.0.0/0"]}, "every address there is"),
        ({"trusted_proxies": ["::/0"]}, "every address there is"),
        ({"public_url": "example.org/energy"}, "as the browser shows it"),
        ({"public_url": "https://user:pass@example.org/"}, "without user"),
        ({"public_url": 'https://example.org/"onload="x'}, "as the browser shows it"),
        ({"public_url": "https://example.org/?a=b"}, "without user, question mark"),
        ({"public_url": "https://example.org:70000/"}, "as the browser shows it"),
    ],
)
def test_a_wrong_setting_says_what_to_write(settings, words):
    with pytest.raises(ValueError, match=words):
        WebConfig.model_validate(settings)


def test_the_public_address_is_the_address_to_type():
    config = WebConfig(public_url="https://example.org/energy")
    assert (config.url, config.path, config.is_https) == (PUBLIC, "/energy/", True)
    assert WebConfig(public_url="http://example.org:81").url == "http://example.org:81/"
    assert WebConfig().url == "http://127.0.0.1:8099"


@pytest.fixture
def behind(make_web):
    """Return what makes a client whose connection comes from an address, and says to be proxied for another."""

    def made(peer="127.0.0.1", *, web=None, **settings):
        settings = {"password": PASSWORD, "trusted_proxies": ["127.0.0.1"], **settings}
        app = made.apps.setdefault(id(web), build_app(web or make_web(**settings)))  # type: ignore[attr-defined]
        transport = httpx.ASGITransport(app, client=(peer, 4711), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8099")

    made.apps = {}  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize("path", ["/getDashDataWS", "/energy/getDashDataWS"])
async def test_b5_who_asks_is_not_read_from_a_head_that_is_too_long(behind, monkeypatch, path):
    monkeypatch.setattr(Proxies, "caller", lambda *_, **__: pytest.fail("it was read"))
    async with behind(public_url=PUBLIC) as client:
        reply = await client.get(path, headers={"forwarded": "a" * 20_000})
        assert (reply.status_code, reply.headers["content-type"]) == (431, "text/plain; charset=utf-8")


async def test_b5_a_mistake_while_reading_who_asks_is_answered_with_every_header(behind, monkeypatch):
    monkeypatch.setattr(Proxies, "caller", lambda *_, **__: 1 / 0)
    async with behind() as client:
        reply = await client.get("/login")
        assert reply.status_code == 500
        assert "default-src 'none'" in reply.headers["content-security-policy"]


async def log_in(client, address, password=PASSWORD):
    headers = {"x-forwarded-for": address, "x-forwarded-proto": "https"}
    return await client.post("/login", data={"password": password}, headers=headers)


async def test_five_bad_guesses_behind_a_proxy_lock_out_only_who_guessed(behind, caplog):
    async with behind() as client:
        for _ in range(8):
            await log_in(client, "203.0.113.66", "wrong horse")
        assert (await log_in(client, "203.0.113.66")).status_code == 429
        assert (await log_in(client, "198.51.100.1")).status_code == 303
    lines = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert lines == ["login from 203.0.113.66 refused: wrong password"] * 5 + [
        "login from 203.0.113.66 refused: too many attempts"
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"forwarded": "for=1.1.1.1"},
        {"forwarded": "for=127.0.0.1"},
        {"forwarded": "for=_hidden"},
        {"forwarded": "nonsense"},
        {"x-forwarded-for": "", "forwarded": "for=203.0.113.66"},
    ],
)
async def test_b7_nobody_counts_as_the_proxy_by_sending_the_other_kind_of_header(behind, caplog, more):
    async with behind() as client:
        headers = {"x-forwarded-for": "203.0.113.66", **more}
        reply = await client.post("/login", data={"password": "wrong horse"}, headers=headers)
        assert reply.status_code == 400
        assert 'proxy_set_header Forwarded ""' in reply.json()["detail"]
    assert "login from" not in caplog.text


async def test_b7_both_kinds_that_agree_are_let_in(behind):
    async with behind() as client:
        headers = {"x-forwarded-for": "203.0.113.66", "forwarded": "for=203.0.113.66"}
        assert (await client.get("/login", headers=headers)).status_code == 200


async def test_l4_the_owner_logs_in_from_a_new_address_while_many_addresses_guess(behind):
    async with behind() as client:
        await log_in(client, "198.51.100.1")
        mark = {name: value for name, value in dict(client.cookies).items() if name.endswith("_device")}
        client.cookies.clear()
        for number in range(30):
            await log_in(client, f"203.0.113.{number}", "wrong horse")
        assert (await log_in(client, "198.51.100.99")).status_code == 429, "a new device waits, or anybody could guess"
        client.cookies.update(mark)
        assert (await client.get("/api/v1/status")).status_code == 401, "the mark opens nothing"
        assert (await log_in(client, "198.51.100.99")).status_code == 303


async def test_who_is_logged_in_passes_while_others_guess(behind):
    async with behind(trusted_proxies=[]) as client:
        await log_in(client, "", PASSWORD)
        kept = dict(client.cookies)
        client.cookies.clear()
        for _ in range(30):
            await log_in(client, "", "wrong horse")
        assert (await log_in(client, "")).status_code == 429
        client.cookies.update(kept)
        assert (await client.get("/api/v1/status")).status_code == 200


async def test_a_header_of_a_stranger_changes_nothing(behind, caplog):
    async with behind("192.0.2.66") as client:
        for number in range(8):
            await log_in(client, f"203.0.113.{number}", "wrong horse")
        assert (await log_in(client, "198.51.100.1")).status_code == 429
    assert "203.0.113" not in caplog.text
    assert "login from 192.0.2.66 refused" in caplog.text


async def test_the_cookie_knows_the_public_address(behind):
    async with behind(public_url=PUBLIC) as client:
        reply = await log_in(client, "198.51.100.1")
        cookie = reply.headers["set-cookie"]
        assert "Secure" in cookie
        assert "Path=/energy/" in cookie
        assert "HttpOnly" in cookie
        assert reply.headers["strict-transport-security"] == "max-age=31536000"
        assert reply.headers["location"] == "./"


async def test_without_a_public_address_a_trusted_proxy_says_that_it_is_https(behind):
    async with behind() as client:
        assert "Secure" in (await log_in(client, "198.51.100.1")).headers["set-cookie"]
    behind.apps.clear()
    async with behind("192.0.2.66") as client:
        assert "Secure" not in (await log_in(client, "198.51.100.1")).headers["set-cookie"]


@pytest.mark.parametrize("prefix", ["", "/energy"], ids=["taken off", "left in front"])
async def test_a_proxy_may_take_the_path_off_or_leave_it(behind, prefix):
    async with behind(public_url=PUBLIC, password=None) as client:
        for path in ("/", "/static/app.js", "/api/v1/status", "/getDashDataWS"):
            assert (await client.get(f"{prefix}{path}")).status_code == 200
        reply = await client.get("/energy")
        assert (reply.status_code, reply.headers["location"]) == (303, "/energy/")


@pytest.mark.parametrize(
    ("path", "location"), [("/", "login"), ("/nowhere", "login"), ("/a/b", "../login"), ("/energy/a/b/", "../../login")]
)
async def test_the_way_to_the_login_is_found_from_every_page(behind, path, location):
    async with behind(public_url=PUBLIC) as client:
        reply = await client.get(path, headers={"accept": "text/html"})
        assert (reply.status_code, reply.headers["location"]) == (303, location)


@pytest.mark.parametrize(
    ("host", "more", "status"),
    [
        ("example.org", {}, 200),
        ("127.0.0.1:8099", {"x-forwarded-host": "example.org"}, 200),
        ("127.0.0.1:8099", {"x-forwarded-host": "evil.example"}, 421),
        # A page whose name was pointed at this machine can send any header.
        ("evil.example:8099", {"x-forwarded-host": "127.0.0.1"}, 421),
        ("evil.example:8099", {"forwarded": "host=localhost"}, 421),
    ],
)
async def test_the_public_name_is_ours_and_no_header_hides_another(behind, host, more, status):
    async with behind(public_url=PUBLIC, password=None) as client:
        assert (await client.get("/api/v1/status", headers={"host": host, **more})).status_code == status


@pytest.mark.parametrize(
    ("host", "origin", "more", "status"),
    [
        ("127.0.0.1:8099", "https://example.org", {}, 303),
        ("example.org", "https://example.org", {}, 303),
        ("example.org:443", "https://example.org", {}, 303),
        ("127.0.0.1:8099", "https://evil.example", {}, 403),
        ("127.0.0.1:8099", "https://evil.example", {"x-forwarded-host": "evil.example"}, 421),
        ("127.0.0.1:8099", "https://example.org", {"sec-fetch-site": "same-site"}, 403),
        ("127.0.0.1:8099", "https://example.org", {"sec-fetch-site": "cross-site"}, 403),
        ("127.0.0.1:8099", "https://example.org", {"sec-fetch-site": "same-origin"}, 303),
    ],
)
async def test_the_login_form_may_come_from_the_public_address(behind, host, origin, more, status):
    async with behind(public_url=PUBLIC) as client:
        headers = {"host": host, "origin": origin, "x-forwarded-for": "198.51.100.1", **more}
        reply = await client.post("/login", data={"password": PASSWORD}, headers=headers)
        assert reply.status_code == status


async def test_wrong_tokens_are_limited_and_logged_with_the_real_address(behind, caplog):
    def headers(address, token):
        return {"x-forwarded-for": address, "authorization": f"Bearer {token}"}

    async with behind(token=TOKEN) as client:
        assert (await client.get("/metrics", headers=headers("198.51.100.1", TOKEN))).status_code == 200
        replies = [
            (await client.get("/metrics", headers=headers("203.0.113.66", f"{TOKEN}{n}"))).status_code
            for n in range(40)
        ]
        assert replies == [401] * 5 + [429] * 35
        reply = await client.get("/metrics", headers=headers("203.0.113.66", TOKEN))
        assert reply.status_code == 429, "a right guess is not told while it has to wait"
        assert int(reply.headers["retry-after"]) <= 30
        assert (await client.get("/metrics", headers=headers("198.51.100.1", TOKEN))).status_code == 200
    lines = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert lines == ["token from 203.0.113.66 refused: wrong token"] * 5 + [
        "token from 203.0.113.66 refused: too many wrong ones"
    ]
    assert TOKEN not in caplog.text


async def test_a_program_that_had_the_right_token_does_not_wait_for_who_shares_its_address(behind):
    async with behind(token=TOKEN, trusted_proxies=[]) as client:
        right, wrong = ({"authorization": f"Bearer {token}"} for token in (TOKEN, "x" * 32))
        assert (await client.get("/metrics", headers=right)).status_code == 200
        assert [(await client.get("/metrics", headers=wrong)).status_code for _ in range(30)][-1] == 429
        assert (await client.get("/metrics", headers=right)).status_code == 200
