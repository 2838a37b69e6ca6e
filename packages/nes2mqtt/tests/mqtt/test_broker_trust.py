"""A broker with a certificate from an authority made at home, as each Python sees it."""

from __future__ import annotations

import ssl
import subprocess
from types import SimpleNamespace

import pytest

from nes2mqtt.outputs.mqtt.output import MqttOutput
from servicekit import tls


@pytest.fixture
def home(tmp_path):
    """The one-liner every guide shows, and a certificate for the broker: neither says what its key may be used for."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Home")
    openssl("req", *key, "-keyout", "broker.key", "-out", "broker.csr", "-subj", "/CN=localhost")
    (tmp_path / "names").write_text("subjectAltName=DNS:localhost")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
    openssl("x509", "-req", "-in", "broker.csr", "-out", "broker.pem", *signed)
    for path in tmp_path.glob("*.*"):
        path.chmod(0o644)
    tmp_path.chmod(0o755)
    return tmp_path


@pytest.fixture
def strict(monkeypatch):
    """Python 3.13 and newer check the form of certificates, too."""

    def made(protocol):
        context = ssl.SSLContext(protocol)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(tls, "ssl", SimpleNamespace(**vars(ssl) | {"SSLContext": made}))


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("named", ["ca.pem", "broker.pem"])
async def test_n1_an_authority_made_at_home_is_trusted_with_every_python(rig, broker_at, gateway, hub, home, named):
    broker = broker_at(f"allow_anonymous true\ncertfile {home}/broker.pem\nkeyfile {home}/broker.key\n")
    config = rig.config(broker, host="localhost", tls={"ca_file": f"{home}/{named}"})
    async with rig.running(MqttOutput(config, gateway, None, hub, timing=rig.QUICK)) as output:
        await rig.until(lambda: output.status().ok)


async def test_n1_a_file_that_is_no_authority_is_named(rig, broker_at, gateway, hub, home):
    broker = broker_at(f"allow_anonymous true\ncertfile {home}/broker.pem\nkeyfile {home}/broker.key\n")
    config = rig.config(broker, host="localhost", tls={"ca_file": f"{home}/ca.key"})
    async with rig.running(MqttOutput(config, gateway, None, hub, timing=rig.QUICK)) as output:
        await rig.until(
            lambda: f"tls.ca_file {home}/ca.key: it holds no certificate but a private key" in str(output.status())
        )
