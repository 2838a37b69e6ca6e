"""A host whose clock is years off: Business Central's own is heard from its answers, and proofs of login are made by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from piprint.bc.connect import connect
from piprint.bc.http.client import Wire
from piprint.bc.login import tokens as auth
from piprint.bc.login.tokens import TokenLogin
from piprint.clock import Clock
from piprint.config.settings import Certificate
from piprint.errors import BcDenied

TRUE = datetime(2026, 11, 30, 12, tzinfo=UTC)
DATE = {"Date": "Mon, 30 Nov 2026 12:00:00 GMT"}


def wrong_clock(ahead):
    return Clock(lambda: TRUE + ahead)


@pytest.mark.parametrize("ahead", [timedelta(days=3650), timedelta(days=-3650), timedelta(hours=2)])
async def test_business_centrals_clock_is_heard_from_its_answers(server, settings, ahead):
    server.answers = [{"json": {"value": [{"id": "1", "name": "C"}]}, "headers": DATE}]
    clock = wrong_clock(ahead)
    queue = await connect(settings(server.url), instance="one", clock=clock)
    await queue.close()
    assert abs((clock.now() - TRUE).total_seconds()) < 60
    assert "Business Central's" in clock.trouble


async def test_what_a_cache_kept_sets_no_clock(server, settings):
    server.answers = [{"json": {"value": []}, "headers": {**DATE, "Age": "86400"}}]
    clock = wrong_clock(timedelta(days=1))
    wire = Wire(settings(server.url).business_central, dated=clock.witness)
    (await wire.send("GET", server.url, asked="x", headers={})).release()
    await wire.close()
    assert clock.trouble == ""


@pytest.mark.parametrize("ahead", [timedelta(days=3650), timedelta(days=-3650)])
async def test_a_proof_of_login_is_made_by_the_clock_that_checks_it(server, settings, monkeypatch, ahead):
    made = []

    def assertion(*_files, now, **_more):
        made.append(now)
        return "proof"

    monkeypatch.setattr(auth, "assertion", assertion)
    refused = {"error": "invalid_client", "error_description": "AADSTS700024: not within its valid time range"}
    token = {"access_token": "t1", "expires_in": 3600}
    server.answers = [{"json": refused, "status": 401, "headers": DATE}, {"json": token, "headers": DATE}]
    clock = wrong_clock(ahead)
    wire = Wire(settings(server.url).business_central, dated=clock.witness)
    asked = {"tenant": "t", "client_id": "c", "certificate": Path("c"), "key": Path("k"), "token_url": server.url}
    login = TokenLogin(
        TypeAdapter(Certificate).validate_python({"kind": "certificate", **asked}), wire, now=clock.theirs
    )
    with pytest.raises(BcDenied, match="the clock of this host is wrong"):
        await login.header()
    login._rest_until = 0.0  # a minute later
    assert await login.header() == "Bearer t1"
    await wire.close()
    assert abs((made[0] - TRUE).days) > 3000
    assert abs((made[1] - TRUE).total_seconds()) < 60
