"""The log never shows a secret, whatever is logged, and no line that is none."""

from __future__ import annotations

import base64
import json
import logging
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicekit.log import HIDDEN, Redactor, TextFormatter, journal_listens, send

_secrets = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=6, max_size=24).filter(
    lambda text: len(text.strip()) >= 6 and text.lower() not in HIDDEN
)
_around = st.text("abc 123:=\"'{}\\\n", max_size=10)

SPELLED = [
    str,
    str.strip,
    repr,
    json.dumps,
    lambda secret: json.dumps(secret, ensure_ascii=False),
    lambda secret: repr(secret.encode()),
    lambda secret: secret.encode().hex(),
    lambda secret: secret.encode().hex().upper(),
    lambda secret: secret.encode().hex(" "),
    lambda secret: secret.encode().hex(":"),
    lambda secret: base64.b64encode(secret.encode()).decode(),
    lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    quote,
    quote_plus,
    lambda secret: quote(secret, safe=""),
]


@given(secret=_secrets, before=_around, after=_around, spelled=st.sampled_from(SPELLED))
def test_a_secret_is_hidden_in_every_spelling(secret, before, after, spelled):
    shown = Redactor([secret])(f"{before}|{spelled(secret)}|{after}")
    assert HIDDEN in shown
    assert secret not in shown
    assert spelled(secret).removeprefix("b").strip("\"'=") not in shown


@pytest.mark.parametrize(
    "secret", ["hunter2-ABCDEFGHIJKL", 'quo"te\\back\nline', "ÆØÅ-geheim", "with space ", "a/b+c=="]
)
def test_a_secret_with_marks_of_its_own_is_hidden(secret):
    for spelled in SPELLED:
        assert HIDDEN in Redactor([secret])(f"before {spelled(secret)} after")  # type: ignore[operator]


@given(st.lists(_secrets, min_size=1, max_size=5), st.text(max_size=20), st.text(max_size=20))
def test_no_secret_of_several_survives_in_any_text(secrets, before, after):
    redact = Redactor(secrets)
    for secret in secrets:
        assert secret not in redact(before + secret + after)


def test_short_texts_are_left_alone():
    assert Redactor(["abc", ""])("abcdef") == "abcdef"
    assert Redactor()("abcdef") == "abcdef"


@pytest.fixture
def _root():
    """Give back the root logger as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


def sent(level=logging.INFO, secrets=()):
    send(level, TextFormatter(Redactor(secrets), journal=journal_listens()), chatty=["test.chatty"])


@pytest.mark.usefixtures("_root")
def test_arguments_and_tracebacks_are_redacted_and_levels_kept(capsys, monkeypatch):
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    sent(secrets=["horse battery"])
    logger = logging.getLogger("test")
    logger.info("connecting with %s", "horse battery")
    try:
        int("horse battery")
    except ValueError:
        logger.exception("it failed")
    logger.debug("not shown")
    logging.getLogger("test.chatty").info("nor this")
    said = capsys.readouterr().err
    assert "horse battery" not in said
    assert f"connecting with {HIDDEN}" in said
    assert f"ValueError: invalid literal for int() with base 10: '{HIDDEN}'" in said
    assert "not shown" not in said
    assert "nor this" not in said


@pytest.mark.usefixtures("_root")
def test_what_is_logged_cannot_steer_a_terminal(capsys, monkeypatch):
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    sent()
    logging.getLogger("test").warning("serial %s", "\x1b]0;owned\x07 \x9b31m \u202eevil \x85 \u2028")
    said = capsys.readouterr().err
    assert "\\x1b]0;owned\\x07" in said
    assert all(letter.isprintable() or letter == "\n" for letter in said)


@pytest.mark.usefixtures("_root")
def test_no_name_begins_a_line_of_its_own(capsys, monkeypatch):
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    sent()
    logging.getLogger("test").warning("%s found", "Office\n2026-11-22 11:00:00 INFO    job 7: printed")
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("Office")
    assert second.startswith("    ")


@pytest.mark.usefixtures("_root")
def test_under_systemd_each_line_has_its_priority(capsys, monkeypatch):
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    sent()
    logging.getLogger("test").warning("two\nlines")
    logging.getLogger("test").info("one")
    assert capsys.readouterr().err == "<4>two\n<4>    lines\n<6>one\n"


@pytest.mark.parametrize("secret", ["ab-one\ncd-two", "ab-one\r\ncd-two", "\nabcd-one"])
@pytest.mark.parametrize("journal", [True, False])
def test_a_secret_of_several_lines_is_hidden(secret, journal):
    """A meter's key is any twenty bytes, so one in thirteen holds a line break."""
    formatter = TextFormatter(Redactor([secret]), journal=journal)
    record = logging.LogRecord("x", logging.ERROR, "", 0, "the device said %s, no more", (secret,), None)
    line = formatter.format(record)
    assert line.endswith(f"the device said {HIDDEN}, no more")
