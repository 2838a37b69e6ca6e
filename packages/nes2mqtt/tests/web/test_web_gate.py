"""Who gets through the gate, and what every reply carries."""

import httpx
import pytest

PASSWORD = "correct horse battery"
TOKEN = "0123456789abcdef0123456789abcdef"
PROTECTED = [
    "/",
    "/api/v1/readings",
    "/api/v1/status",
    "/api/v1/meters",
    "/api/v1/live",
    "/api/v1/openapi.json",
    "/api/v1/energy?meter=house",
    "/metrics",
    "/getDashDataWS",
    "/static/app.js",
    "/nowhere",
]


async def log_in(client, password=PASSWORD, **headers):
    return await client.post("/login", data={"password": password}, headers=headers)


@pytest.mark.parametrize("path", PROTECTED)
async def test_with_a_password_everything_needs_a_login(make_web, client_for, path):
    async with client_for(make_web(password=PASSWORD)) as client:
        reply = await client.get(path)
        assert reply.status_code == 401
        assert reply.headers["www-authenticate"] == "Bearer"
        if path == "/getDashDataWS":
            assert reply.headers["content-type"] == "text/plain; charset=utf-8"
            assert "Log in" in reply.text
        else:
            assert reply.headers["content-type"] == "application/problem+json"
            assert "Log in" in reply.json()["detail"]


@pytest.mark.parametrize(
    "path",
    ["/login", "/static/login.js", "/static/texts/texts.js", "/static/styles/page.css", "/static/install/icon.svg"],
)
async def test_the_login_page_and_its_files_are_open(make_web, client_for, path):
    async with client_for(make_web(password=PASSWORD)) as client:
        assert (await client.get(path)).status_code == 200


async def test_a_browser_is_sent_to_the_login(make_web, client_for):
    async with client_for(make_web(password=PASSWORD)) as client:
        reply = await client.get("/", headers={"Accept": "text/html,*/*"})
        assert (reply.status_code, reply.headers["location"]) == (303, "login")


async def test_login_gives_a_careful_cookie_and_logout_ends_it(make_web, client_for):
    async with client_for(make_web(password=PASSWORD)) as client:
        reply = await log_in(client)
        assert (reply.status_code, reply.headers["location"]) == (303, "./")
        session, device = reply.headers.get_list("set-cookie")
        for cookie in (session, device):
            assert "HttpOnly" in cookie
            assert "SameSite=strict" in cookie
        assert "Max-Age=2592000" in session
        assert "Path=/login" in device
        assert (await client.get("/api/v1/readings")).status_code == 200
        kept = dict(client.cookies)
        refused = await client.post("/logout")
        assert refused.status_code == 403, "a POST with a cookie must say where it comes from"
        reply = await client.post("/logout", headers={"Origin": "http://127.0.0.1:8099"})
        assert (reply.status_code, reply.headers["location"]) == (303, "login")
        assert "_device" not in reply.headers["set-cookie"], "who logs out is still no stranger"
        client.cookies.update(kept)
        assert (await client.get("/api/v1/readings")).status_code == 401


async def test_a_logout_ends_the_live_stream(make_web, served, online):
    web = make_web(password=PASSWORD)
    async with served(web) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        await log_in(client)
        async with client.stream("GET", "/api/v1/live") as stream:
            lines = stream.aiter_lines()
            while await anext(lines) != "event: meter":
                pass
            await client.post("/logout", headers={"Origin": url})
            web.hub.publish(online(message="for those who may see it"))
            rest = [line async for line in lines]
        assert "for those who may see it" not in "".join(rest)


async def test_a_wrong_password_is_refused_and_soon_slowed_down(make_web, client_for, caplog):
    async with client_for(make_web(password=PASSWORD)) as client:
        for _ in range(5):
            reply = await log_in(client, "wrong horse")
            assert reply.status_code == 401
            assert 'data-error="wrong"' in reply.text
        reply = await log_in(client)
        assert reply.status_code == 429
        assert 0 < int(reply.headers["retry-after"]) <= 30
        assert 'data-error="wait"' in reply.text
    assert "wrong horse" not in caplog.text
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize("body", [b"", b"password", b"pass=a", b"\xff\xfe", b"password=" + b"x" * 5000])
async def test_a_malformed_form_is_refused(make_web, client_for, body):
    async with client_for(make_web(password=PASSWORD)) as client:
        assert (await client.post("/login", content=body)).status_code == 400


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:8098", "https://[", ""])
async def test_another_page_cannot_log_in_or_out(make_web, client_for, origin):
    async with client_for(make_web(password=PASSWORD)) as client:
        reply = await log_in(client, Origin=origin)
        assert reply.status_code == 403
        assert "another page" in reply.json()["title"]


async def test_the_token_opens_the_api_and_metrics(make_web, client_for):
    async with client_for(make_web(password=PASSWORD, token=TOKEN)) as client:
        for path in ("/api/v1/readings", "/metrics"):
            assert (await client.get(path, headers={"Authorization": f"Bearer {TOKEN}"})).status_code == 200
            for wrong in (f"Bearer {TOKEN}x", "Bearer ", f"Basic {TOKEN}", TOKEN, "Bearer \xfc"):
                reply = await client.get(path, headers={"Authorization": wrong.encode("latin-1")})
                assert reply.status_code == 401


async def test_without_a_password_there_is_no_login(make_web, client_for):
    async with client_for(make_web()) as client:
        assert (await client.get("/")).status_code == 200
        assert (await client.get("/login")).status_code == 404


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8099", "127.0.0.1.evil.example", "[::2]:8099", "a:b:c", ""]
)
async def test_a_name_pointed_at_loopback_is_turned_away(make_web, client_for, host):
    async with client_for(make_web()) as client:
        reply = await client.get("/api/v1/readings", headers={"Host": host})
        assert reply.status_code == 421
        assert "allowed_hosts" in reply.json()["detail"]


@pytest.mark.parametrize("host", ["127.0.0.1:8099", "localhost", "LOCALHOST:1", "[::1]:8099", "energy.example.org"])
async def test_our_own_names_are_let_in(make_web, client_for, host):
    async with client_for(make_web(allowed_hosts=["energy.example.org"])) as client:
        assert (await client.get("/api/v1/readings", headers={"Host": host})).status_code == 200


IN_THE_NETWORK = {
    "listen": "0.0.0.0:8099",
    "password": PASSWORD,
    "dabbler_open": True,
    "allowed_hosts": ["energy.example.org"],
    "public_url": "http://power.example.org:81/",
}


@pytest.mark.parametrize(
    "host",
    [
        "192.168.1.10:8099",
        "10.0.0.2",
        "[2001:db8::7]:8099",
        "[fe80::1]:8099",
        "127.0.0.1:8099",
        "localhost:8099",
        "raspberrypi:8099",
        "raspberrypi.local:8099",
        "RaspberryPi.Local.:8099",
        "raspberrypi.lan",
        "raspberrypi.fritz.box",
        "raspberrypi.home.arpa",
        "gateway.internal",
        "gateway.attic.home",
        "gw.branch.example.com",
        "energy.example.org:8099",
        "power.example.org:81",
    ],
)
async def test_b11_in_the_network_the_owner_gets_in_by_every_name_of_home(monkeypatch, make_web, client_for, host):
    monkeypatch.setattr("nes2mqtt.outputs.web.access.gate.socket.gethostname", lambda: "GW.branch.example.com")
    async with client_for(make_web(**IN_THE_NETWORK)) as client:
        assert (await client.get("/login", headers={"Host": host})).status_code == 200
        headers = {"Host": host, "Origin": f"http://{host}"}
        assert (await log_in(client, "wrong horse", **headers)).status_code == 401


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8099",
        "192.168.1.10.evil.example",
        "local.evil.example",
        "evil-fritz.box",
        "fritz.box.evil.example",
        "evil.energy.example.org",
        "[::zz]",
        "[1.2.3.4.5]",
        "",
    ],
)
async def test_b11_in_the_network_no_name_of_the_internet_opens_the_page(make_web, client_for, host):
    async with client_for(make_web(**IN_THE_NETWORK)) as client:
        reply = await client.get("/getDashDataWS", headers={"Host": host})
        assert reply.status_code == 421
        assert "IP address" in reply.text
        assert "allowed_hosts" in reply.text
        assert (await log_in(client, Host=host, Origin=f"http://{host}")).status_code == 421
        forwarded = {"Host": "192.168.1.10:8099", "X-Forwarded-Host": host}
        assert (await client.get("/login", headers=forwarded)).status_code == 200, "nobody is believed"


async def test_b11_the_name_it_listens_on_is_ours(make_web, client_for):
    async with client_for(make_web(listen="meter.example.org:8099", password=PASSWORD)) as client:
        assert (await client.get("/login", headers={"Host": "meter.example.org:8099"})).status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/v1/readings", "/nowhere", "/static/app.js", "/metrics"])
async def test_every_reply_carries_the_security_headers(make_web, client_for, path):
    async with client_for(make_web()) as client:
        headers = (await client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] in {"no-store", "no-cache"}
        assert "server" not in headers


async def test_a_named_page_may_show_this_one_in_a_frame(make_web, client_for):
    async with client_for(make_web(frame_ancestors=["http://homeassistant.local:8123"])) as client:
        headers = (await client.get("/")).headers
        assert "frame-ancestors http://homeassistant.local:8123" in headers["content-security-policy"]
        assert "x-frame-options" not in headers


async def test_the_dabbler_document_can_be_open_while_the_rest_is_not(make_web, client_for):
    async with client_for(make_web(password=PASSWORD, dabbler_open=True)) as client:
        reply = await client.get("/getDashDataWS")
        assert reply.headers["content-type"] == "application/json"
        assert reply.json()["Fwd_Act_Wh"] == 65_845_342
        assert (await client.get("/api/v1/readings")).status_code == 401


async def test_no_page_holds_a_secret(make_web, client_for):
    secrets = (PASSWORD, TOKEN)
    async with client_for(make_web(password=PASSWORD, token=TOKEN)) as client:
        await log_in(client)
        for path in (*PROTECTED, "/login", "/static/styles/page.css"):
            if path != "/api/v1/live":
                text = (await client.get(path)).text
                assert not any(secret in text for secret in secrets)
