"""The section [web]: open to this machine only until a password is set, and errors that say what to write."""

import re
import socket
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from nes2mqtt.outputs.web.config import Listen, WebConfig
from servicekit.password import PasswordHash


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback"),
    [
        ("127.0.0.1:8099", "127.0.0.1", 8099, True),
        ("127.9.9.9:1", "127.9.9.9", 1, True),
        ("localhost:0", "localhost", 0, True),
        ("[::1]:8099", "::1", 8099, True),
        ("0.0.0.0:80", "0.0.0.0", 80, False),
        ("[::]:80", "::", 80, False),
        ("meter.local:65535", "meter.local", 65535, False),
        ("192.168.1.5:8099", "192.168.1.5", 8099, False),
    ],
)
def test_an_address_has_a_host_and_a_port(text, host, port, loopback):
    listen = Listen(text)
    assert (listen.host, listen.port, listen.is_loopback) == (host, port, loopback)


@pytest.mark.parametrize("text", ["8099", "127.0.0.1", "127.0.0.1:", ":8099", "127.0.0.1:65536", "::1:8099", "a b:1"])
def test_an_address_that_is_none_is_refused(text):
    with pytest.raises(ValidationError, match=r"write for example 127\.0\.0\.1:8099"):
        WebConfig(listen=text)


@pytest.mark.parametrize("listen", ["0.0.0.0:8099", "[::]:8099", "192.168.1.5:8099", "meter.local:8099"])
def test_other_machines_need_a_password(listen):
    with pytest.raises(ValidationError, match=r"Add a password: password = \{ file = "):
        WebConfig(listen=listen)
    assert WebConfig(listen=listen, password="correct horse").password is not None


def test_a_password_may_be_a_hash():
    text = str(PasswordHash.of("correct horse"))
    assert WebConfig(password=text).password is not None
    with pytest.raises(ValidationError, match="the command hash-password"):
        WebConfig(password=text[:-3])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"password": "short"}, "at least 8"),
        ({"token": "short"}, "openssl rand"),
        ({"tls_certificate": "/a.pem"}, "belong together"),
        ({"allowed_hosts": ["http://a"]}, "write the name alone"),
        ({"frame_ancestors": ["'unsafe-inline'"]}, "is not an address"),
        ({"frame_ancestors": ["http://a; script-src *"]}, "is not an address"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_a_wrong_setting_says_what_to_write(settings, words):
    with pytest.raises(ValidationError, match=words):
        WebConfig.model_validate(settings)


def test_no_error_shows_a_secret():
    with pytest.raises(ValidationError) as caught:
        WebConfig(password="abcxyz", token="tok-abc")
    assert "abcxyz" not in str(caught.value)
    assert "tok-abc" not in str(caught.value)


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ("127.0.0.1:8099", "http://127.0.0.1:8099"),
        ("0.0.0.0:80", f"http://{socket.gethostname()}:80"),
        ("[::1]:8099", "http://[::1]:8099"),
    ],
)
def test_the_address_to_type(listen, url):
    assert WebConfig(listen=listen, password="correct horse").url == url


def examples():
    docs = Path(__file__).parents[4] / "docs"
    text = "".join((docs / page).read_text(encoding="utf-8") for page in ("dashboard.md", "api.md"))
    return re.findall(r"```toml\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("example", examples())
def test_every_example_in_the_docs_is_a_valid_section(example, tmp_path):
    for name in ("web-password", "web-token"):
        (tmp_path / name).write_text("correct horse battery staple")
    document = tomllib.loads(example.replace("/etc/nes2mqtt", str(tmp_path)))
    assert set(document) == {"web"}
    WebConfig.model_validate(document["web"])


def test_every_setting_of_the_docs_table_exists():
    text = "".join(examples())
    named = set(re.findall(r"^(\w+) =", text, re.MULTILINE))
    assert named <= set(WebConfig.model_fields)
    assert len(named) >= 7
