"""The settings over HTTP: who may look, who may change, and that nothing is changed by anybody else."""

import json

import pytest

from nes2mqtt.runtime.owners_desk import OwnersDesk
from nes2mqtt.setup.changes.desk import OpenBook
from nes2mqtt.setup.changes.trial import Trial

PASSWORD = "correct horse battery"
TOKEN = "token-0123456789abcdef"
FILE = f"""\
# The kitchen's.
[meters.house]
port = "tcp://127.0.0.1:1"
key = "ABCDEFGHIJKLMNOPQRST"

[web]
password = "{PASSWORD}"
token = "{TOKEN}"
"""
CHANGE = [{"path": ["meters", "house", "present_every"], "value": 5}]


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "nes2mqtt.toml"
    made.write_text(FILE)
    return made


class Pages:
    """Opens pages with these settings."""

    def __init__(self, make_web, client_for, file):
        self.make_web, self.client_for, self.file = make_web, client_for, file
        self.began = []

    def __call__(self, desk=None, **more):
        """Return a client; more are settings of the section [web]."""
        web = self.make_web(**{"password": PASSWORD, "token": TOKEN, **more})
        web.settings = desk if desk is not None else OwnersDesk(self.file)
        web.settings.when_changed = lambda: self.began.append(True)
        return self.client_for(web)


@pytest.fixture
def page(make_web, client_for, file):
    return Pages(make_web, client_for, file)


async def log_in(client):
    reply = await client.post(
        "/login", data={"password": PASSWORD}, headers={"origin": str(client.base_url).rstrip("/")}
    )
    assert reply.status_code == 303


def ours(client):
    return {"origin": str(client.base_url).rstrip("/")}


async def revision(client):
    return (await client.get("/api/v1/settings")).json()["revision"]


async def test_the_owner_looks_checks_and_changes(page, file):
    async with page() as client:
        await log_in(client)
        picture = (await client.get("/api/v1/settings?language=da")).json()
        assert picture["closed"] == ""
        asked = {"revision": picture["revision"], "changes": CHANGE}
        told = (await client.post("/api/v1/settings/check", json=asked, headers=ours(client))).json()
        assert told["ok"]
        assert file.read_text() == FILE
        reply = await client.post("/api/v1/settings", json={**asked, "password": PASSWORD}, headers=ours(client))
        assert reply.json()["taken"]
        assert reply.headers["cache-control"] == "no-store"
        assert page.began == [True]
        assert "present_every = 5" in file.read_text()


async def test_a_login_alone_changes_nothing(page, file):
    """A tablet on the wall is logged in for months."""
    async with page() as client:
        await log_in(client)
        asked = {"revision": await revision(client), "changes": CHANGE}
        for password in ({}, {"password": ""}, {"password": "wrong"}, {"password": TOKEN}):
            reply = await client.post("/api/v1/settings", json={**asked, **password}, headers=ours(client))
            assert reply.status_code == 409
        assert file.read_text() == FILE
        assert page.began == []


async def test_who_guesses_has_to_wait(page, file):
    async with page() as client:
        await log_in(client)
        asked = {"revision": await revision(client), "changes": CHANGE, "password": "wrong"}
        replies = [await client.post("/api/v1/settings", json=asked, headers=ours(client)) for _ in range(7)]
        assert [reply.status_code for reply in replies][-1] == 429
        right = await client.post("/api/v1/settings", json={**asked, "password": PASSWORD}, headers=ours(client))
        assert right.status_code == 429, "who has to wait is not told whether a guess is right"
        assert file.read_text() == FILE


@pytest.mark.parametrize("headers", [{}, {"authorization": f"Bearer {TOKEN}"}])
async def test_who_is_not_logged_in_sees_nothing_and_changes_nothing(page, file, headers):
    async with page() as client:
        asked = {"revision": "", "changes": CHANGE, "password": PASSWORD}
        replies = [
            await client.get("/api/v1/settings", headers=headers),
            await client.post("/api/v1/settings", json=asked, headers=headers),
            await client.post("/api/v1/settings/check", json=asked, headers=headers),
        ]
        assert {reply.status_code for reply in replies} == {403 if headers else 401}
        assert all("house" not in reply.text for reply in replies)
        assert file.read_text() == FILE


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://elsewhere.example"},
        {"origin": "http://127.0.0.1:8123"},
        {"origin": "null"},
        {},
        {"origin": "OURS", "sec-fetch-site": "cross-site"},
        {"origin": "OURS", "sec-fetch-site": "same-site"},
    ],
)
async def test_no_other_page_changes_anything_with_the_owners_cookies(page, file, headers):
    async with page() as client:
        await log_in(client)
        asked = {"revision": await revision(client), "changes": CHANGE, "password": PASSWORD}
        headers = {key: value.replace("OURS", ours(client)["origin"]) for key, value in headers.items()}
        for path in ("/api/v1/settings", "/api/v1/settings/check"):
            assert (await client.post(path, json=asked, headers=headers)).status_code == 403
        assert file.read_text() == FILE


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_form_is_no_change(page, file, kind):
    async with page() as client:
        await log_in(client)
        body = json.dumps({"revision": await revision(client), "changes": CHANGE, "password": PASSWORD})
        reply = await client.post("/api/v1/settings", content=body, headers=ours(client) | {"content-type": kind})
        assert reply.status_code == 415
        assert file.read_text() == FILE


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD"])
async def test_nothing_but_a_post_changes_anything(page, file, method):
    async with page() as client:
        await log_in(client)
        asked = {"revision": await revision(client), "changes": CHANGE, "password": PASSWORD}
        for path in ("/api/v1/settings", "/api/v1/settings/check"):
            await client.request(method, path, json=asked, headers=ours(client))
        assert file.read_text() == FILE


async def test_without_a_password_of_the_page_nothing_is_changed_not_even_from_here(page, file):
    async with page(password=None, token=None) as client:
        picture = (await client.get("/api/v1/settings")).json()
        assert picture["closed"] == "no_password"
        asked = {"revision": picture["revision"], "changes": CHANGE, "password": ""}
        for path in ("/api/v1/settings", "/api/v1/settings/check"):
            reply = await client.post(path, json=asked, headers=ours(client))
            assert reply.status_code == 403
            assert "password" in reply.json()["title"]
        assert file.read_text() == FILE


async def test_the_demonstration_is_looked_at_only(page):
    async with page(OpenBook(FILE), password=None, token=None) as client:
        assert (await client.get("/api/v1/settings")).json()["closed"] == "demonstration"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[" * 10_000, 400),
        (b"[]", 400),
        (b'"x"', 400),
        (b'{"revision": 1, "changes": []}', 400),
        (b'{"revision": "", "changes": [], "password": []}', 400),
        (b'{"revision": "", "changes": "secret-canary"}', 400),
        (b'{"revision": "", "changes": [{"path": ["secret-canary"], "value": "secret-canary"}]}', 400),
        (b'{"revision": "", "changes": [{"path": ["name"], "value": 1e999}]}', 200),
        (b" " * 70_000, 413),
    ],
)
async def test_what_is_malformed_is_refused_and_not_repeated(page, file, body, status):
    async with page() as client:
        await log_in(client)
        headers = ours(client) | {"content-type": "application/json"}
        reply = await client.post("/api/v1/settings/check", content=body, headers=headers)
        assert reply.status_code == status
        assert "secret-canary" not in reply.text
        assert file.read_text() == FILE


async def test_no_log_line_has_a_secret(page, file, caplog):
    caplog.set_level("DEBUG")
    async with page() as client:
        await log_in(client)
        changes = [{"path": ["web", "token"], "value": "new-token-canary-012345"}]
        asked = {"revision": await revision(client), "changes": changes, "password": "wrong-canary"}
        await client.post("/api/v1/settings", json=asked, headers=ours(client))
        await client.post("/api/v1/settings", json={**asked, "password": PASSWORD}, headers=ours(client))
    assert "settings were changed" in caplog.text
    for secret in ("new-token-canary-012345", "wrong-canary", PASSWORD, TOKEN):
        assert secret not in caplog.text


async def test_who_is_logged_in_ends_the_trial_of_an_address_and_nobody_else(page, file):
    Trial(file).begin(file.read_bytes())
    desk, came = OwnersDesk(file), []
    desk.owner_is_here = lambda: came.append(True)
    async with page(desk) as client:
        await client.get("/login")
        await client.get("/api/v1/status", headers={"authorization": f"Bearer {TOKEN}"})
        await client.get("/api/v1/status")
        assert came == []
        await log_in(client)
        await client.get("/")
        assert came
