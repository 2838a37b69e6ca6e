"""No line of the log, whatever is logged, shows a secret."""

from __future__ import annotations

import json
import logging

import pytest

from piprint import log
from piprint.log import RecentLines, Redactor, set_up
from servicekit.log import HIDDEN


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


def test_the_last_lines_are_kept_and_can_be_asked_for_since_a_count(monkeypatch):
    monkeypatch.setattr(log, "_KEPT", 3)
    recent = RecentLines(Redactor())
    for number in range(5):
        recent.emit(logging.LogRecord("x", logging.INFO, __file__, 1, "line %d", (number,), None))
    assert [line[-6:] for line in recent.since()] == ["line 2", "line 3", "line 4"]
    assert [line[-6:] for line in recent.since(4)] == ["line 4"]
    assert recent.since(recent.count) == []
