"""A server whose answers a test scripts, configurations for it, certificates, and a clock that jumps."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from virtual_clock import pytest_asyncio_loop_factories, pytest_configure

from piprint.bc.http.client import Http, Wire
from piprint.bc.login.tokens import login_for
from piprint.config.settings import Config
from piprint.simulate.server import StandIn

__all__ = ["pytest_asyncio_loop_factories", "pytest_configure"]  # for pytest, which finds hooks by their names

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECRET = "v3ry-s3cret~value"


def now():
    return NOW


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Scripted:
    """Answers by a list, one after the other, the last for ever.

    An answer is a response's arguments, a coroutine function of the request, or an exception: break the connection.
    """

    answers: list = field(default_factory=lambda: [{"json": {"value": []}}])
    asked: list[Asked] = field(default_factory=list)
    most_at_once: int = 0
    at_once: int = 0
    scheme: str = "http"
    port: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/BC/ODataV4/"

    @asynccontextmanager
    async def listening(self, context: ssl.SSLContext | None = None):
        application = web.Application(client_max_size=2**30)
        application.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        self.scheme = "https" if context else "http"
        site = web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=context)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.asked.append(Asked(request.method, request.rel_url.raw_path, request.query, request.headers, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if isinstance(answer, Exception):
                request.transport.abort()
                return web.Response()
            if callable(answer):
                return await answer(request)
            if "json" in answer:
                return web.json_response(
                    answer["json"], status=answer.get("status", 200), headers=answer.get("headers")
                )
            return web.Response(**answer)
        finally:
            self.at_once -= 1


def settings(url, **changes) -> Config:
    """Return settings with a login by password, which asks for no token."""
    top = {name: changes.pop(name) for name in ("limits", "host") if name in changes}
    bc = {"url": url, "login": {"kind": "basic", "username": "pi", "password": SECRET}, "timeout": 5, **changes}
    return Config.model_validate({"host": "pi", **top, "business_central": bc})


@asynccontextmanager
async def calls(config: Config):
    """Yield what makes calls by these settings."""
    wire = Wire(config.business_central)
    http = Http(
        wire,
        login_for(config.business_central, wire, now=now),
        parallel=config.limits.parallel_calls,
        now=now,
    )
    try:
        yield http
    finally:
        await http.close()


def stand_in_settings(bc: StandIn, **changes) -> Config:
    """Return settings for a stand-in."""
    accounts = bc.login.accounts
    login = {
        "kind": "secret",
        "tenant": accounts.tenant,
        "client_id": accounts.client_id,
        "secret": accounts.secret,
        "token_url": bc.token_url,
    }
    return settings(bc.url, **{"login": login, "ca_file": bc.ca_file, **changes})


@pytest.fixture(name="settings")
def settings_fixture():
    return settings


@pytest.fixture(name="calls")
def calls_fixture():
    return calls


@pytest.fixture(name="stand_in_settings")
def stand_in_settings_fixture():
    return stand_in_settings


@pytest.fixture
def scripted():
    return Scripted


@pytest.fixture
async def server():
    async with Scripted().listening() as scripted:
        yield scripted


@pytest.fixture
async def http(server):
    async with calls(settings(server.url)) as made:
        yield made


class Papers:
    """Keys and certificates, made once."""

    def __init__(self, folder):
        self.folder = folder
        self.rsa_key = rsa.generate_private_key(65537, 2048)
        self.ca_key = ec.generate_private_key(ec.SECP256R1())
        self.ca = self._sign("our authority", self.ca_key.public_key(), "our authority", self.ca_key, ca=True)
        self.ca_file = self.write("ca.pem", self.ca.public_bytes(serialization.Encoding.PEM))

    def write(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def key_pem(self, key, password=None):
        how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)

    def certificate(self, name, key, **more):
        return self._sign(name, key.public_key(), "our authority", self.ca_key, **more)

    def server(self, name="127.0.0.1", *, end=None):
        """Return a server's context with a certificate of our authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.certificate(name, key, names=[name], end=end)
        pem = self.key_pem(key) + certificate.public_bytes(serialization.Encoding.PEM)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.write("server.pem", pem))
        return context

    def _sign(self, subject, public, issuer, key, *, ca=False, names=(), end=None):
        today = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - dt.timedelta(days=9))
            .not_valid_after(end or today + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if names:
            told = []
            for name in names:
                try:
                    told.append(x509.IPAddress(ipaddress.ip_address(name)))
                except ValueError:
                    told.append(x509.DNSName(name))
            builder = builder.add_extension(x509.SubjectAlternativeName(told), critical=False)
        return builder.sign(key, hashes.SHA256())


@pytest.fixture(scope="session")
def papers(tmp_path_factory):
    return Papers(tmp_path_factory.mktemp("papers"))
