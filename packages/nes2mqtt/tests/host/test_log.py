"""The log never shows a secret, whatever is logged."""

import logging

import pytest

from nes2mqtt.config.settings import log_secrets, parse
from nes2mqtt.host.log import set_up
from servicekit.log import Redactor

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


def test_the_meter_key_is_known_in_the_forms_code_could_log_it(tmp_path):
    key = "ABCDEFGHIJKLMNOPQRST"
    config = parse(f'[meters.house]\nport = "tcp://h:1"\nkey = "{key.encode().hex()}"', tmp_path / "c")
    redact = Redactor(log_secrets(config))
    used = key[:16].encode()
    for form in (used.hex(), used.hex().upper(), used.hex(" "), key, repr(used), str(list(used))[1:-1]):
        assert "[secret]" in redact(f"x {form} y"), form
