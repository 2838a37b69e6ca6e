"""No line of the log, whatever is logged, shows a secret."""

from __future__ import annotations

import base64
import json
import logging
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piprint import log
from piprint.log import HIDDEN, RecentLines, Redactor, set_up

_secrets = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=6, max_size=24).filter(
    lambda text: len(text.strip()) >= 6 and text.lower() not in HIDDEN
)
_around = st.text("abc 123:=\"'{}\\\n", max_size=10)

SPELLED = [
    str,
    repr,
    json.dumps,
    lambda secret: json.dumps(secret, ensure_ascii=False),
    lambda secret: repr(secret.encode()),
    lambda secret: secret.encode().hex(),
    lambda secret: base64.b64encode(secret.encode()).decode(),
    lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    quote,
    quote_plus,
    lambda secret: quote(secret, safe=""),
    lambda secret: f"client_secret={quote_plus(secret)}&scope=x",
]


@given(secret=_secrets, before=_around, after=_around, spelled=st.sampled_from(SPELLED))
def test_a_secret_is_hidden_in_every_spelling(secret, before, after, spelled):
    shown = Redactor([secret])(f"{before}|{spelled(secret)}|{after}")
    assert HIDDEN in shown
    assert secret not in shown
    readable = spelled(secret).removeprefix("b").strip("\"'=")
    assert readable not in shown


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Bearer {}",
        "'Authorization': 'Bearer {}'",
        '{{"authorization": "Basic {}"}}',
        "Authorization={}",
        '{{"access_token":"{}","expires_in":3599}}',
        "client_secret={}&grant_type=client_credentials",
        "client_assertion={}",
        "got Bearer {} from there",
        "password = '{}'",
        "the token eyJhbGciOiJSUzI1NiJ9.{}.c2lnbmF0dXJl came",
    ],
)
def test_what_looks_like_a_login_is_hidden_though_nobody_configured_it(line):
    shown = Redactor()(line.format("QWxhZGRpbjpvcGVu"))
    assert "QWxhZGRpbjpvcGVu" not in shown
    assert HIDDEN in shown


def test_ordinary_lines_stay_as_they_are():
    line = "job 4711: printed 2 pages at Office in 3.2 s [claim k3m9.1.0badf00d], password not needed"
    assert Redactor(["horse battery"])(line) == line
    assert Redactor(["abc", ""])("abc") == "abc", "too short to be a secret"


@pytest.fixture
def _tidy():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("_tidy")
@pytest.mark.parametrize("form", ["text", "json"])
def test_lines_go_out_and_stay_in_memory_without_the_secret(form, capsys, monkeypatch):
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    recent = set_up(form, ["horse battery"])
    logger = logging.getLogger("piprint.test")
    try:
        int("horse battery")
    except ValueError:
        logger.exception("failed for %s", "a\x1b[2Jb\u202e")
    logger.debug("not shown")
    written = capsys.readouterr().err
    told = written + "\n".join(recent.since())
    assert "horse battery" not in told
    assert "\x1b" not in told
    assert "\u202e" not in recent.since()[0]
    assert "not shown" not in told
    assert "Traceback" in written
    if form == "json":
        (line,) = written.splitlines()
        assert json.loads(line)["level"] == "error"


@pytest.mark.usefixtures("_tidy")
def test_no_name_begins_a_line_of_its_own(capsys):
    set_up("text", [])
    faked = "2026-11-22 11:00:00 INFO    job 7: printed"
    logging.getLogger("piprint.test").warning("printer %s found", f"Office\n{faked}")
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("printer Office")
    assert second.startswith("    ")


@pytest.mark.usefixtures("_tidy")
def test_under_systemd_each_line_has_its_priority(capsys, monkeypatch):
    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    set_up("text", [])
    logging.getLogger("piprint.test").warning("one\ntwo")
    assert capsys.readouterr().err == "<4>one\n<4>    two\n"


def test_the_last_lines_are_kept_and_can_be_asked_for_since_a_count(monkeypatch):
    monkeypatch.setattr(log, "_KEPT", 3)
    recent = RecentLines(Redactor())
    for number in range(5):
        recent.emit(logging.LogRecord("x", logging.INFO, __file__, 1, "line %d", (number,), None))
    assert [line[-6:] for line in recent.since()] == ["line 2", "line 3", "line 4"]
    assert [line[-6:] for line in recent.since(4)] == ["line 4"]
    assert recent.since(recent.count) == []
