"""Real servers for the channels: HTTPS and SMTP with certificates made at home."""

from __future__ import annotations

import base64
import contextlib
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an authority and a certificate for localhost."""
    folder = tmp_path_factory.mktemp("authority")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Home")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
    openssl("x509", "-req", "-in", "server.csr", "-out", "server.pem", *signed)
    return folder


def server_context(home: Path) -> ssl.SSLContext:
    """Return what a server shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(home / "server.pem", home / "server.key")
    return context


@dataclass
class Heard:
    """What a server got, and how it answers."""

    port: int = 0
    posts: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    """HTTP statuses of the next requests, then 200."""
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    features: tuple[str, ...] = ("STARTTLS", "AUTH PLAIN")
    password: str = "a secret word"
    refuse: str = ""
    """Answer to DATA's end in place of 250."""
    recipients: dict[str, str] = field(default_factory=dict)
    """Answers to addresses in place of 250."""


@contextlib.contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def web_server(home: Path) -> Callable[..., contextlib.AbstractContextManager[Heard]]:
    """Return what runs a server for the webhook."""

    @contextlib.contextmanager
    def run(*, tls: bool = True) -> Iterator[Heard]:
        heard = Heard()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                heard.posts.append((self.path, dict(self.headers), body))
                self.send_response(heard.answers.pop(0) if heard.answers else 200)
                self.send_header("Location", "https://localhost:1/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            server.socket = server_context(home).wrap_socket(server.socket, server_side=True)
        heard.port = server.server_address[1]
        with _running(server):
            yield heard

    return run


@pytest.fixture
def mail_server(home: Path) -> Callable[..., contextlib.AbstractContextManager[Heard]]:  # noqa: C901
    """Return what runs a server for mail: the parts of RFC 5321, 3207 and 4954 that a client needs."""

    @contextlib.contextmanager
    def run(*, tls: bool = False) -> Iterator[Heard]:  # noqa: C901 - one case for each command
        heard = Heard()

        class Handler(socketserver.StreamRequestHandler):
            def say(self, *lines: str) -> None:
                self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

            def handle(self) -> None:  # noqa: C901
                secure, sender, to = tls, "", list[str]()
                if tls:
                    self._encrypt()
                self.say("220 localhost ESMTP")
                while line := self.rfile.readline().decode().rstrip("\r\n"):
                    word = line.split(" ")[0].upper()
                    if word == "EHLO":
                        features = [one for one in heard.features if not (secure and one == "STARTTLS")]
                        replies = ["localhost", *features]
                        self.say(*(f"250-{one}" for one in replies[:-1]), f"250 {replies[-1]}")
                    elif word == "STARTTLS":
                        self.say("220 go on")
                        self._encrypt()
                        secure = True
                    elif word == "AUTH":
                        _, user, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")
                        heard.logins.append((user, password))
                        good = password == heard.password
                        self.say("235 welcome" if good else f"535 {user} with {password} is not right")
                    elif word == "MAIL":
                        sender = line
                        self.say("250 ok")
                    elif word == "RCPT":
                        to.append(line)
                        address = line.partition("<")[2].rstrip(">").upper()
                        self.say(heard.recipients.get(address, "250 ok"))
                    elif word == "DATA":
                        self.say("354 go on")
                        body = b""
                        while (part := self.rfile.readline()) != b".\r\n":
                            body += part.removeprefix(b".") if part.startswith(b"..") else part
                        if heard.refuse:
                            self.say(heard.refuse)
                            continue
                        mail = message_from_bytes(body, policy=policy.default)
                        assert isinstance(mail, EmailMessage)
                        heard.mails.append(mail)
                        heard.envelopes.append((sender, to))
                        heard.encrypted.append(secure)
                        self.say("250 taken")
                    elif word == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

            def finish(self) -> None:
                with contextlib.suppress(OSError):
                    super().finish()
                self.connection.close()

            def _encrypt(self) -> None:
                self.wfile.flush()
                self.rfile.close()
                self.request = server_context(home).wrap_socket(self.request, server_side=True)
                self.connection = self.request
                self.rfile = self.connection.makefile("rb", self.rbufsize)
                self.wfile = self.connection.makefile("wb", 0)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """Say nothing of clients that go: some refuse our certificate."""

        server = Server(("127.0.0.1", 0), Handler)
        heard.port = server.server_address[1]
        with _running(server):
            yield heard

    return run
