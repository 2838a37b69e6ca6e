"""The command ``nes2mqtt alerts test`` against real servers."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from nes2mqtt.cli import app

METER = '[meters.house]\nport = "tcp://h:1"\nkey = "ABCDEFGHIJKLMNOPQRST"\n'
PASSWORD = "a secret word"


@pytest.fixture
def tried(tmp_path):
    def run(section):
        file = tmp_path / "nes2mqtt.toml"
        file.write_text(METER + section)
        return CliRunner().invoke(app, ["alerts", "test", "--config", str(file)])

    return run


def test_each_channel_gets_a_test_and_a_sentence(tried, web_server, mail_server, home):
    with web_server() as hook, mail_server() as post:
        result = tried(f"""
[alerts]
language = "de"
[alerts.webhook]
url = "https://localhost:{hook.port}/secret-path"
ca_file = "{home}/ca.pem"
[alerts.mail]
host = "localhost"
port = {post.port}
ca_file = "{home}/ca.pem"
username = "me"
password = "{PASSWORD}"
sender = "meter@example.org"
to = ["you@example.org", "me@example.org"]
""")
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        f"webhook: localhost:{hook.port} took the test",
        f"mail: localhost:{post.port} took the test for you@example.org, me@example.org",
    ]
    document = json.loads(hook.posts[0][2])
    assert (document["what"], document["title"]) == ("test", "Eine Probe")
    assert post.mails[0]["Subject"] == "Eine Probe"
    assert len(post.envelopes[0][1]) == 2


def test_what_did_not_work_is_said_and_the_others_are_tried(tried, mail_server):
    with mail_server() as post:
        result = tried(f"""
[alerts.webhook]
url = "http://localhost:1/"
[alerts.mail]
host = "localhost"
port = {post.port}
security = "none"
sender = "meter@example.org"
to = ["you@example.org"]
""")
    assert result.exit_code == 1
    assert "webhook: localhost:1 cannot be reached: " in result.output
    assert f"mail: localhost:{post.port} took the test" in result.output


@pytest.mark.parametrize("section", ["", "[alerts]\n"])
def test_with_nobody_to_tell_it_says_what_to_add(tried, section):
    result = tried(section)
    assert result.exit_code == 2
    assert "add a section [alerts.webhook] or [alerts.mail]" in result.output


def test_a_wrong_password_is_not_repeated(tried, mail_server, home):
    with mail_server() as post:
        post.password = "another"
        result = tried(f"""
[alerts.mail]
host = "localhost"
port = {post.port}
ca_file = "{home}/ca.pem"
username = "me"
password = "{PASSWORD}"
sender = "meter@example.org"
to = ["you@example.org"]
""")
    assert result.exit_code == 1
    assert "refuses the user name or its password" in result.output
    assert PASSWORD not in result.output
