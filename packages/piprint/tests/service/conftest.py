"""Configurations for a stand-in, and a private CUPS for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from printshop import PrivateCups

from piprint.simulate.server import StandIn


@pytest.fixture(scope="session")
def cups() -> Iterator[PrivateCups]:
    with PrivateCups() as shop:
        shop.add_printer("Office")
        yield shop


def _config_text(bc: StandIn, folder: Path, *, cups: str = "", web: str = "127.0.0.1:0", **changes: str) -> str:
    """Return a configuration for a stand-in; ``changes`` replace values by the names of their settings."""
    accounts = bc.login.accounts
    values = {
        "host": "pi",
        "url": bc.url,
        "company": "",
        "tenant": accounts.tenant,
        "client_id": accounts.client_id,
        "secret": accounts.secret,
        "token_url": bc.token_url,
    } | changes
    ca = f"ca_file = '{bc.ca_file}'\n" if bc.ca_file else ""
    return f"""
host = "{values["host"]}"
data_dir = '{folder / "data"}'
[business_central]
url = "{values["url"]}"
company = "{values["company"]}"
timeout = 5
{ca}[business_central.login]
kind = "secret"
tenant = "{values["tenant"]}"
client_id = "{values["client_id"]}"
secret = "{values["secret"]}"
token_url = "{values["token_url"]}"
[cups]
{f'url = "{cups}"' if cups else "enabled = false"}
{"" if cups else chr(10).join(["[[printers]]", 'id = "far"', 'uri = "socket://127.0.0.1:9"'])}
[poll]
fastest = 0.1
usual = 0.1
slowest = 0.1
[limits]
keep_free_mb = 1
[web]
listen = "{web}"
"""


@pytest.fixture
def config_text() -> Callable[..., str]:
    return _config_text
