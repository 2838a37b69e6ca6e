"""What Dabbler's firmware served, served by the module: the checks of the Home Assistant integration that reads it pass."""

import asyncio
import json
import re
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tapped import Tapped, until

from nes2mqtt.outputs import dabbler as gateway
from nesmodule.outputs import dabbler as on_module
from nesmodule.outputs import guarded
from nesmodule.outputs.dabbler import _date, _software
from nesmodule_build.dabbler import DABBLER, dabbler_text

MUST_BE_NUMBERS = [
    "Fwd_Act_Wh", "Rev_Act_Wh", "Fwd_W", "Rev_W",
    *(f"L{phase}_{name}" for phase in (1, 2, 3) for name in ("RMS_A", "RMS_V", "Fwd_W", "Rev_W")),
]  # fmt: skip
"""What the integration (homeassistant-dabblerdk_powermeterreader 1.0.6) passes to ``int()`` before it sets itself up."""
BASE = re.compile(r"^http(s){0,1}:\/\/[a-zA-Z0-9_\-\.]+(:\d+){0,1}\/{0,1}$")
"""The addresses it takes."""


def test_the_fields_in_the_repository_are_those_of_the_gateway():
    assert DABBLER.read_text() == dabbler_text(), "write them anew: python -m nesmodule_build --plan"


@given(st.integers(0, 32_503_679_999))
def test_days_are_those_of_the_calendar(seconds):
    moment = datetime.fromtimestamp(seconds, UTC)
    assert _date(seconds) == (moment.strftime("%Y-%m-%d"), moment.strftime("%H:%M:%S"), moment.strftime("%A"))


@given(st.tuples(st.integers(0, 15), st.integers(0, 127), st.integers(0, 31)))
def test_versions_are_shown_as_the_gateway_shows_them(version):
    text = f"{version[0]}.{version[1]:02d}.{version[2]:02d}"
    assert _software(text) == gateway._software_version(text)
    assert _software("") == ""


@pytest.fixture
def module(tmp_path, built):
    with ExitStack() as stack:
        yield Tapped(tmp_path, stack, built / "stock")


def fetched(module):
    """Ask as the integration does; None for what it counts as a failed request."""
    base = f"http://127.0.0.1:{module.page}/"
    assert BASE.match(base)
    request = urllib.request.Request(base.strip("/") + "/getDashDataWS", headers={"Accept": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.headers["Content-Type"] == "application/json"
            return answer.read()
    except urllib.error.HTTPError as error:
        return None if error.code == 503 and "json" not in error.headers["Content-Type"] else b"unexpected"


def test_the_integration_s_checks_pass_and_it_gets_nothing_that_is_not_true(module):
    meter = module.start_meter()
    module.start_module(dabbler=True, tap_token=None)
    body = until(lambda: fetched(module), "the document")
    first = json.loads(body)
    assert body == (chr(10) + json.dumps(first, indent=2)).encode(), "in the firmware's form"
    order = [line.split()[0] for line in DABBLER.read_text().splitlines()]
    assert list(first)[:9] == [
        "ESP_SW", "ESP_SW_By", "ESP_SW_Version", "Meter_Manufacturer", "Meter_Model", "Meter_SW_Version", "Utility_SN",
        "CurrentDateTimeString", "CurrentDateTime",
    ]  # fmt: skip
    assert list(first)[9:] == order
    assert all(isinstance(first[name], int) for name in MUST_BE_NUMBERS)
    assert first["Utility_SN"] == "SIM0000001"
    assert len(first["Meter_Manufacturer"]) == 4
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", first["CurrentDateTime"])
    net = sum(first[f"L{phase}_Fwd_W"] - first[f"L{phase}_Rev_W"] for phase in (1, 2, 3))
    assert abs(first["Fwd_W"] - first["Rev_W"] - net) <= 3
    assert 200_000 < first["L1_RMS_V"] < 260_000
    then = time.monotonic()
    later = until(
        lambda: (
            later if (later := json.loads(fetched(module)))["CurrentDateTime"] != first["CurrentDateTime"] else None
        ),
        "another time",
    )
    assert 0 <= later["Fwd_Act_Wh"] - first["Fwd_Act_Wh"] <= 9.2 * max(60, time.monotonic() - then)
    # A meter that is gone: what it counts as a failed request, and no old values.
    meter.kill()
    until(lambda: fetched(module) is None, "the end of it")


def test_it_is_not_served_unless_asked_for(module):
    module.start_meter()
    module.start_module(tap_token=None)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://127.0.0.1:{module.page}/getDashDataWS", timeout=60)


@pytest.mark.parametrize(("time_of_day", "told"), [(lambda: 1_790_000_000_000, 1_790_000_000_000), (None, 0)])
def test_the_page_tells_the_time_of_day_as_far_as_it_is_known(monkeypatch, time_of_day, told):
    seen = []

    async def answered(*_):
        pass

    monkeypatch.setattr(on_module, "dash", lambda *given: seen.append(given[2:]))
    monkeypatch.setattr(guarded, "answer", answered)
    monkeypatch.setattr(guarded, "forget", lambda _: None)
    page = guarded.GuardedPage(None, lambda: 7, {"dabbler": True}, "meter", "", None, None, None, time_of_day)
    asyncio.run(page._dash(None))
    assert seen == [(7, told)]
