"""A real TLS server, certificates as people make them with openssl, and the client's context on this Python."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from servicekit import tls
from servicekit.tls import client_context

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
BARE = "[req]\ndistinguished_name=dn\n[dn]\n"
"""A configuration of openssl that adds no extension."""


def openssl(folder, *arguments):
    subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True)


class Papers:
    """Certificates in a folder: ``NAME.pem`` with ``NAME.key``."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "bare.cnf").write_text(BARE)

    def authority(self, name, *more):
        openssl(
            self.folder, "req", "-x509", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2",
            "-subj", f"/CN={name}", *more,
        )  # fmt: skip
        return self.folder / f"{name}.pem"

    def authority_of_version_1(self, name):
        try:
            self.authority(name, "-config", "bare.cnf", "-x509v1")
        except subprocess.CalledProcessError:  # before OpenSSL 3.4 no extension meant version 1
            self.authority(name, "-config", "bare.cnf")

    def signed(self, name, by, extensions="subjectAltName=DNS:localhost"):
        extensions_file = self.folder / f"{name}.ext"
        extensions_file.write_text(extensions)
        openssl(self.folder, "req", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl(
            self.folder, "x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", "-CA", f"{by}.pem",
            "-CAkey", f"{by}.key", "-CAcreateserial", "-days", "2", "-extfile", extensions_file,
        )  # fmt: skip
        return self.folder / f"{name}.pem"

    def age(self, name, by):
        """Let a certificate be out of date, which openssl no longer makes."""
        path = self.folder / f"{name}.pem"
        old = x509.load_pem_x509_certificate(path.read_bytes())
        key = serialization.load_pem_private_key((self.folder / f"{by}.key").read_bytes(), None)
        start = old.not_valid_before_utc
        new = x509.CertificateBuilder(old.issuer, old.subject, old.public_key(), old.serial_number)
        new = new.not_valid_before(start - timedelta(days=9)).not_valid_after(start - timedelta(days=1))
        for extension in old.extensions:
            new = new.add_extension(extension.value, extension.critical)
        path.write_bytes(new.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    made = Papers(tmp_path_factory.mktemp("papers"))
    # The one-liner that every guide shows: a certificate authority without key usage.
    made.authority("home")
    made.signed("broker", by="home")
    made.signed("elsewhere", by="home", extensions="subjectAltName=DNS:elsewhere.example")
    made.signed("expired", by="home")
    made.age("expired", by="home")
    made.authority_of_version_1("version1")
    made.signed("broker-of-version1", by="version1")
    made.authority("own", "-addext", "subjectAltName=DNS:localhost")
    made.authority("uncritical", "-config", "bare.cnf", "-addext", "basicConstraints=CA:TRUE")
    made.signed("broker-of-uncritical", by="uncritical")
    made.signed("middle", by="home", extensions="basicConstraints=CA:TRUE")
    made.signed("broker-of-middle", by="middle")
    made.authority("stranger")
    return made


@contextmanager
def server(certificate):
    """Serve TLS handshakes on a port of this host with a certificate and the key beside it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                try:
                    with context.wrap_socket(connection, server_side=True) as safe:
                        safe.sendall(b"hello")
                except OSError:
                    pass  # the client hung up

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def greeting(context, port, name="localhost"):
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as safe,
    ):
        return safe.recv(5)


@pytest.fixture(params=["this Python", "a strict Python"])
def python(request, monkeypatch):
    """A context as this Python makes it, and one as 3.13 and newer do."""
    if request.param == "a strict Python":

        def strict(protocol):
            made = ssl.SSLContext(protocol)
            made.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
            return made

        monkeypatch.setattr(tls, "ssl", SimpleNamespace(**vars(ssl) | {"SSLContext": strict}))


TRUSTED = [
    pytest.param("home", "broker", id="an authority without key usage"),
    pytest.param("version1", "broker-of-version1", id="an authority of X.509 version 1"),
    pytest.param("uncritical", "broker-of-uncritical", id="an authority whose constraints are not critical"),
    pytest.param("own", "own", id="the server's own certificate, signed by itself"),
    pytest.param("broker", "broker", id="the server's own certificate, signed by somebody else"),
    pytest.param("middle", "broker-of-middle", id="an authority in the middle, alone"),
]


@pytest.mark.usefixtures("python")
@pytest.mark.parametrize(("named", "shown"), TRUSTED)
def test_n1_a_named_file_is_trusted_with_every_python(papers, named, shown):
    with server(papers.folder / f"{shown}.pem") as port:
        assert greeting(client_context(papers.folder / f"{named}.pem"), port) == b"hello"


@pytest.mark.usefixtures("python")
@pytest.mark.parametrize(("named", "shown"), TRUSTED)
def test_n1_what_the_system_was_told_to_trust_is_trusted_with_every_python(papers, named, shown, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(papers.folder / f"{named}.pem"))  # as update-ca-certificates would
    with server(papers.folder / f"{shown}.pem") as port:
        assert greeting(client_context(), port) == b"hello"
        assert greeting(client_context(papers.folder / "stranger.pem", and_system=True), port) == b"hello"
        with pytest.raises(ssl.SSLCertVerificationError):
            greeting(client_context(papers.folder / "stranger.pem"), port)


@pytest.mark.usefixtures("python")
@pytest.mark.parametrize(
    ("named", "shown", "said"),
    [
        ("stranger", "broker", "unable to get local issuer certificate"),
        ("home", "elsewhere", "Hostname mismatch"),
        ("home", "expired", "certificate has expired"),
        (None, "broker", "unable to get local issuer certificate"),
        (None, "own", "self-signed certificate"),
    ],
)
def test_others_are_refused(papers, named, shown, said):
    context = client_context(None if named is None else papers.folder / f"{named}.pem")
    with server(papers.folder / f"{shown}.pem") as port, pytest.raises(ssl.SSLCertVerificationError, match=said):
        greeting(context, port)


def test_anybody_is_accepted_only_when_asked_for(papers):
    with server(papers.folder / "elsewhere.pem") as port:
        assert greeting(client_context(accept_any=True), port) == b"hello"
        assert greeting(client_context(papers.folder / "stranger.pem", accept_any=True), port) == b"hello"


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(lambda pem: b"# my own authority, f\xc3\xbcr den Broker\n" + pem, id="with a comment"),
        pytest.param(lambda pem: b"\xef\xbb\xbf" + pem, id="with a byte order mark"),
        pytest.param(lambda pem: pem.replace(b"\n", b"\r\n"), id="from Windows"),
        pytest.param(lambda pem: pem.decode().encode("utf-16"), id="from Notepad"),
        pytest.param(lambda pem: b"".join(b"    " + line for line in pem.splitlines(keepends=True)), id="indented"),
        pytest.param(ssl.PEM_cert_to_DER_cert, id="DER"),
    ],
)
def test_a_certificate_is_taken_as_people_keep_it(papers, tmp_path, written):
    pem = (papers.folder / "home.pem").read_bytes()
    path = tmp_path / "ca"
    path.write_bytes(written(pem.decode() if written is ssl.PEM_cert_to_DER_cert else pem))
    with server(papers.folder / "broker.pem") as port:
        assert greeting(client_context(path), port) == b"hello"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda _: b"", "it holds no certificate"),
        (lambda _: b"hello", "it holds no certificate"),
        (lambda papers: (papers / "home.key").read_bytes(), "but a private key"),
        (lambda papers: (papers / "broker.csr").read_bytes(), "but a request for a certificate"),
        (lambda papers: (papers / "home.pem").read_bytes()[:300], "it holds no certificate|damaged or cut off"),
        (lambda papers: (papers / "home.pem").read_bytes().replace(b"MII", b"AAA", 1), "damaged or cut off"),
        (lambda _: b"\x30\x82\x01\x00nothing", "damaged or cut off"),
    ],
)
def test_what_is_no_certificate_is_named(papers, tmp_path, content, said):
    path = tmp_path / "ca.pem"
    path.write_bytes(content(papers.folder))
    with pytest.raises(ValueError, match=said):
        client_context(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ValueError, match="No such file"):
        client_context(tmp_path / "none.pem")
    with pytest.raises(ValueError, match=r"Is a directory|cannot be read|Permission denied|No such file"):
        client_context(tmp_path)
