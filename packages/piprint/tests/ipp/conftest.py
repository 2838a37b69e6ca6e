"""A printer whose answers a test scripts, speaking through the same codec; and a private CUPS."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from printshop import PrivateCups

from piprint.ipp.codec import Group, Message, attribute, decode, encode
from piprint.ipp.registry import Delimiter, Operation, Status, Tag

OPERATIONS = (
    Operation.PRINT_JOB,
    Operation.CREATE_JOB,
    Operation.SEND_DOCUMENT,
    Operation.CANCEL_JOB,
    Operation.GET_JOB_ATTRIBUTES,
    Operation.GET_JOBS,
    Operation.GET_PRINTER_ATTRIBUTES,
)


class ScriptedPrinter:
    """Answers IPP on a loopback port as a test tells it.

    Attributes:
        asked: every request, with its document.
        answers: operation -> what is answered: a status, an answer's groups, an HTTP response, or a function of the request.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[Message, bytes]] = []
        self.answers: dict[int, object] = {
            Operation.GET_PRINTER_ATTRIBUTES: self.printer(attribute("operations-supported", Tag.ENUM, *OPERATIONS)),
        }
        self.port = 0
        self.scheme = "ipp"

    @staticmethod
    def printer(*attributes):
        """Make an answer about the printer."""
        return (Group(Delimiter.PRINTER, attributes),)

    @staticmethod
    def job(number, name="bc-t-1-1", state=3, *attributes):
        """Make an answer about a job."""
        told = (
            attribute("job-id", Tag.INTEGER, number),
            attribute("job-name", Tag.NAME, name),
            attribute("job-state", Tag.ENUM, state),
            attribute("job-uuid", Tag.URI, f"urn:uuid:{number}"),
        )
        return (Group(Delimiter.JOB, told + attributes),)

    @property
    def uri(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/ipp/print"

    def operations(self) -> list[Operation]:
        return [Operation(message.code) for message, _ in self.asked]

    @asynccontextmanager
    async def listening(self, context: ssl.SSLContext | None = None):
        application = web.Application(client_max_size=2**30)
        application.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        self.scheme = "ipps" if context else "ipp"
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        message, length = decode(body)
        self.asked.append((message, body[length:]))
        answer = self.answers.get(message.code, Status.OK)
        if isinstance(answer, list):  # one after the other, the last for ever
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Callable):
            answer = answer(message)  # type: ignore[operator]
        if asyncio.iscoroutine(answer):
            answer = await answer
        if isinstance(answer, web.StreamResponse):
            return answer
        status, groups = (Status.OK, answer) if isinstance(answer, tuple) else (answer, ())
        packet = encode(Message(status, message.request_id, groups))
        return web.Response(body=packet, content_type="application/ipp")


@pytest.fixture
async def scripted():
    async with ScriptedPrinter().listening() as listening:
        yield listening


@pytest.fixture(scope="module")
def cups():
    with PrivateCups() as running:
        yield running


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "document.pdf"
    path.write_bytes(b"%PDF-1.4\n" + b"bytes " * 500)
    return path


@pytest.fixture(scope="session")
def make_certificate(tmp_path_factory):
    """Make a certificate as printers do, signed by itself; return the file with key and certificate."""

    def make(name: str, *, days: int = 30):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = dt.datetime.now(dt.UTC)
        try:
            named = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            named = x509.DNSName(name)  # type: ignore[assignment]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=60))
            .not_valid_after(now + dt.timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([named]), critical=False)
            .sign(key, hashes.SHA256())
        )
        path = tmp_path_factory.mktemp("certificate") / "printer.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        return path

    return make
