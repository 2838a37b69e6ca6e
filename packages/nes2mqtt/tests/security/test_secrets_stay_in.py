"""Secrets put in every place they can be in, and looked for in every place they must not get to."""

import base64
import copy
import logging
import os
import pickle
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from nes2mqtt.config.problems import ConfigError
from nes2mqtt.config.settings import load, log_secrets, parse, warnings_for
from nes2mqtt.config.summary import summary
from nes2mqtt.host.log import set_up
from servicekit.log import Redactor

KEY = "CANARY-KEY-987654321"
CANARIES = {"key": KEY, "broker": "CANARY-broker-pass", "page": "CANARY-page-pass", "token": "CANARY-token-0123456"}
METER = f'[meters.house]\nport = "tcp://127.0.0.1:1"\nkey = "{KEY}"\n'
SECRET = "CANARY-s3cr3t"


def places(tmp_path, monkeypatch, kind):
    """Return a configuration whose secrets are all kept in one kind of place."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    written = {}
    for name, text in CANARIES.items():
        (tmp_path / name).write_text(f"{text}\n")
        monkeypatch.setenv(f"PLACE_{name.upper()}", text)
        written[name] = {
            "inline": f'"{text}"',
            "env": f'{{ env = "PLACE_{name.upper()}" }}',
            "file": f'{{ file = "{tmp_path / name}" }}',
            "credential": f'{{ credential = "{name}" }}',
        }[kind]
    return f"""
[meters.house]
port = "tcp://127.0.0.1:1"
key = {written["key"]}
[[mqtt]]
host = "127.0.0.1"
username = "gateway"
password = {written["broker"]}
[web]
password = {written["page"]}
token = {written["token"]}
"""


@pytest.mark.parametrize("kind", ["inline", "env", "file", "credential"])
def test_no_form_of_a_configuration_shows_a_secret(tmp_path, monkeypatch, kind):
    config = parse(places(tmp_path, monkeypatch, kind), tmp_path / "c.toml")
    for part in (config, config.meters["house"], config.mqtt[0], config.web, config.meters["house"].key):
        shown = [repr(part), str(part), f"{part}", f"{[part]}", "\n".join(summary(config))]
        if hasattr(part, "model_dump"):
            shown += [repr(part.model_dump()), part.model_dump_json(), repr(copy.deepcopy(part))]
        assert "CANARY" not in "\n".join(shown)
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(part)
    assert config.web.password.reveal() == CANARIES["page"]


WRONG_PLACES = {
    "broker url": f'{METER}[[mqtt]]\nhost = "mqtt://user:{SECRET}@broker"',
    "broker userinfo": f'{METER}[[mqtt]]\nhost = "user:{SECRET}@broker"',
    "topic": f'{METER}[[mqtt]]\nhost = "b"\nbase_topic = "/{SECRET}"',
    "topic of a dialect": f'{METER}[[mqtt]]\nhost = "b"\n[mqtt.dabbler]\nbase_topic = "{{{SECRET}}}"',
    "dialect": f'{METER}[[mqtt]]\nhost = "b"\ndialects = ["{SECRET}"]',
    "variable": f'{METER}[[mqtt]]\nhost = "b"\nusername = "u"\npassword = {{ env = "{SECRET}" }}',
    "file": f'{METER}[[mqtt]]\nhost = "b"\nusername = "u"\npassword = {{ file = "/nowhere/{SECRET}" }}',
    "credential": f'{METER}[[mqtt]]\nhost = "b"\nusername = "u"\npassword = {{ credential = "{SECRET}" }}',
    "list": f'{METER}[[mqtt]]\nhost = "b"\nusername = "u"\npassword = ["{SECRET}"]',
    "short password": f'{METER}[web]\npassword = "{SECRET[:7]}"',
    "hash": f'{METER}[web]\npassword = "scrypt:{SECRET}:1:1:a:b"',
    "listen": f'{METER}[web]\nlisten = "{SECRET}"',
    "host": f'{METER}[web]\nallowed_hosts = ["http://{SECRET}"]',
    "frame": f'{METER}[web]\nframe_ancestors = ["{SECRET}"]',
    "key": METER.replace(KEY, f"{SECRET}-of-another-length"),
    "port": METER.replace("tcp://", f"tcp://user:{SECRET}@"),
    "no port": METER.replace("tcp://127.0.0.1:1", SECRET),
    "time zone": f'timezone = "{SECRET}"\n{METER}',
    "name": f'name = "{SECRET}"\n{METER}',
    "no TOML": f"{METER}x = {SECRET}",
}


@pytest.mark.parametrize("text", WRONG_PLACES.values(), ids=WRONG_PLACES)
def test_an_error_does_not_repeat_what_the_file_says(tmp_path, text):
    with pytest.raises(ConfigError) as refused:
        parse(text, tmp_path / "c.toml")
    said = "".join(traceback.format_exception(refused.value))
    # The traceback shows lines of this test, but not the values in them.
    assert SECRET[:7] not in str(refused.value)
    assert SECRET not in said


@pytest.mark.parametrize("nesting", ["[" * 100_000, "[" * 500 + "]" * 500, "{a=" * 5000])
def test_brackets_without_end_are_an_error_with_words(tmp_path, nesting):
    with pytest.raises(ConfigError):
        parse(f"{METER}x = {nesting}", tmp_path / "c.toml")


def test_a_file_without_end_is_not_read_to_its_end():
    with pytest.raises(ConfigError, match="far too long"):
        load(Path("/dev/zero"))
    with pytest.raises(ConfigError, match="far too long for a secret"):
        parse(METER.replace(f'"{KEY}"', '{ file = "/dev/zero" }'), Path("c"))


@pytest.mark.parametrize(
    "form",
    [
        lambda raw: base64.b64encode(raw).decode(),
        lambda raw: base64.urlsafe_b64encode(raw).decode(),
        lambda raw: raw.hex(":"),
        lambda raw: raw.hex(" ").upper(),
    ],
)
def test_the_last_line_of_defence_knows_more_spellings(tmp_path, form):
    redact = Redactor(log_secrets(parse(METER, tmp_path / "c")))
    assert redact(f"<{form(KEY.encode())}>").startswith("<[secret]")


@pytest.mark.parametrize("port", ["tcp://127.0.0.1:1", "optical+tcp://127.0.0.1:1"])
def test_a_key_of_any_bytes_is_hidden_among_the_bytes_of_a_line(tmp_path, port):
    key = bytes(range(0x95, 0x95 + 20))
    config = parse(METER.replace("tcp://127.0.0.1:1", port).replace(KEY, key.hex()), tmp_path / "c")
    line = f"writing {b'password ' + key + b' end'!r}"
    assert repr(key[:16])[2:-1] not in Redactor(log_secrets(config))(line)


@pytest.fixture
def log(monkeypatch):
    """Set up the log as the gateway does; gives its root logger."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def test_no_byte_of_a_serial_line_is_logged(log, capsys):
    set_up("debug", [])
    logging.getLogger("serialx.descriptor_transport").debug("Immediately writing %r", KEY)
    logging.getLogger("nes2mqtt").debug("something else")
    said = capsys.readouterr().err
    assert "something else" in said
    assert KEY not in said


def test_a_history_everybody_can_read_is_warned_about(tmp_path):
    file = tmp_path / "c.toml"
    tmp_path.chmod(0o755)
    file.write_text(f"data_dir = '{tmp_path}'\n{METER}")
    file.chmod(0o600)
    assert warnings_for(load(file), file) == []
    (tmp_path / "history.db").touch(0o644)
    (tmp_path / "history.db").chmod(0o644)
    (warning,) = warnings_for(load(file), file)
    assert "when people are at home" in warning
    assert "chmod 600" in warning


def test_modules_of_the_current_folder_are_not_run(tmp_path):
    for name in ("asyncio", "tomllib", "sqlite3", "ssl"):
        (tmp_path / f"{name}.py").write_text("open('taken-over', 'w')\nraise SystemExit(99)\n")
    config = tmp_path / "c.toml"
    config.write_text("not a configuration")
    ended = subprocess.run(
        [sys.executable, "-P", "-c", "from nes2mqtt.cli import main; main()", "run", "--config", config],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONSAFEPATH": ""},
    )
    assert not (tmp_path / "taken-over").exists()
    assert (ended.returncode, "this is not TOML" in ended.stderr) == (2, True)
