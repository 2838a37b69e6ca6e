"""The log never shows a secret, whatever is logged."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nes2mqtt.config.settings import log_secrets, parse
from nes2mqtt.host.log import Redactor, set_up

SECRET = "hunter2-ABCDEFGHIJKL"


@pytest.fixture
def root():
    """Give back the root logger as it was."""
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)
    logging.captureWarnings(capture=False)


@pytest.mark.parametrize("secret", [SECRET, 'quo"te\\back\nline', "ÆØÅ-geheim", "with space ", "a/b+c=="])
def test_every_spelling_is_hidden(secret):
    redact = Redactor([secret])
    for spelling in (secret, repr(secret), repr(secret.encode()), secret.encode().hex(), secret.encode().hex().upper()):
        assert secret not in redact(f"before {spelling} after")
        assert "[secret]" in redact(f"before {spelling} after")


@given(st.lists(st.text(min_size=4, max_size=30), min_size=1, max_size=5), st.text(max_size=20), st.text(max_size=20))
def test_no_secret_survives_in_any_text(secrets, before, after):
    redact = Redactor(secrets)
    for secret in secrets:
        without = redact(before + secret + after)
        assert secret not in without or secret in "[secret]"


def test_short_texts_are_left_alone():
    assert Redactor(["abc"])("abcdef") == "abcdef"
    assert Redactor([])("abcdef") == "abcdef"


def test_messages_arguments_and_tracebacks_are_redacted(root, capsys, monkeypatch):
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    set_up("info", [SECRET])
    log = logging.getLogger("somewhere")
    log.info("connecting with %s", SECRET)
    try:
        int(SECRET)
    except ValueError:
        log.exception("it failed")
    log.debug("not shown")
    said = capsys.readouterr().err
    assert SECRET not in said
    assert "connecting with [secret]" in said
    assert "ValueError: invalid literal for int() with base 10: '[secret]'" in said
    assert "not shown" not in said


def test_under_systemd_each_line_has_its_priority(root, capsys, monkeypatch):
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    set_up("info", [])
    logging.getLogger("x").warning("two\nlines")
    logging.getLogger("x").info("one")
    assert capsys.readouterr().err == "<4>two\n<4>lines\n<6>one\n"


def test_the_meter_key_is_known_in_the_forms_code_could_log_it(tmp_path):
    key = "ABCDEFGHIJKLMNOPQRST"
    config = parse(f'[meters.house]\nport = "tcp://h:1"\nkey = "{key.encode().hex()}"', tmp_path / "c")
    redact = Redactor(log_secrets(config))
    used = key[:16].encode()
    for form in (used.hex(), used.hex().upper(), used.hex(" "), key, repr(used), str(list(used))[1:-1]):
        assert "[secret]" in redact(f"x {form} y"), form
