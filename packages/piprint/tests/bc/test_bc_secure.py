"""The whole way over TLS with a certificate as login, and with what each thing costs to import."""

import subprocess
import sys
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization

from piprint.bc.connect import connect
from piprint.errors import BcDenied
from piprint.simulate.login import Accounts
from piprint.simulate.server import StandIn


@pytest.fixture
def certified(papers):
    """Return a certificate's PEM, and the login that uses it."""
    pem = papers.certificate("piprint", papers.rsa_key).public_bytes(serialization.Encoding.PEM)
    certificate, key = papers.write("login.pem", pem), papers.write("login.key", papers.key_pem(papers.rsa_key))
    return pem, {"kind": "certificate", "certificate": certificate, "key": key}


async def test_a_certificate_logs_in_over_tls(certified, stand_in_settings):
    pem, login = certified
    async with StandIn(tls=True, page=False, accounts=Accounts(certificate=pem)) as bc:
        accounts = bc.login.accounts
        login |= {"tenant": accounts.tenant, "client_id": accounts.client_id, "token_url": bc.token_url}
        queue = await connect(stand_in_settings(bc, login=login), instance="one")
        try:
            await queue.check()
            assert dict((await queue.probe()).queued) == {}
        finally:
            await queue.close()
        bc.login.accounts = replace(accounts, certificate=b"")
        bc.login.expire_tokens()
        with pytest.raises(BcDenied) as caught:
            await connect(stand_in_settings(bc, login=login), instance="one")
        assert caught.value.cause == "certificate"


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"tenant": "00000000-0000-0000-0000-000000000009"}, "tenant"),
        ({"client_id": "nobody"}, "client"),
        ({"secret": "wrong-secret-value"}, "secret"),
        ({"secret_expired": True}, "secret"),
    ],
)
async def test_what_of_the_login_is_wrong_is_told(stand_in_settings, change, cause):
    async with StandIn(page=False) as bc:
        config = stand_in_settings(bc)
        bc.login.accounts = replace(bc.login.accounts, **change)
        with pytest.raises(BcDenied) as caught:
            await connect(config, instance="one")
        assert caught.value.cause == cause
        assert "stand-in-secret" not in f"{caught.value!r}{caught.value}"
        assert bc.log.calls == 0


def test_who_has_no_certificate_needs_no_cryptography():
    code = "import sys, piprint.bc.connect; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
