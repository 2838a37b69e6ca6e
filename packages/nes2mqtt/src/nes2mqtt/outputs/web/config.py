"""The ``[web]`` section of the configuration.

The page is reachable from this machine only until a password is set; a configuration
that says otherwise is refused with the line to add. This module does not know how
passwords are checked.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from nes2mqtt.host.secret import Secret
from servicekit.password import PasswordHash

__all__ = ["Listen", "WebConfig"]

_LISTEN = re.compile(r"^(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[^\[\]:\s]+)):(?P<port>\d{1,5})$")
_HOST = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})$")
_FRAME_SOURCE = re.compile(r"^(?:'self'|https?://[A-Za-z0-9.*-]+(?::(?:\d{1,5}|\*))?)$")
_PUBLIC_URL = re.compile(
    r"^https?://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}))(?::(?P<port>\d{1,5}))?(?:/[A-Za-z0-9._~/-]*)?$"
)
_LEAST_PASSWORD = 8
_LEAST_TOKEN = 16


class Listen(str):
    """``host:port`` or ``[IPv6]:port``, checked."""

    __slots__ = ()

    def _match(self) -> re.Match[str]:
        match = _LISTEN.match(self)
        if match is None or int(match["port"]) > 65535:  # noqa: PLR2004 - the highest port there is
            raise ValueError("this is not host:port; write for example 127.0.0.1:8099 or [::1]:8099")
        return match

    @property
    def host(self) -> str:
        """Return the host without brackets."""
        match = self._match()
        return match["v6"] or match["host"]

    @property
    def port(self) -> int:
        """Return the port; 0 lets the system choose."""
        return int(self._match()["port"])

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


class WebConfig(BaseModel):
    """Where the page listens and who may see it."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    listen: str = "127.0.0.1:8099"
    """host:port. Other machines can connect only when a password is set."""
    password: Secret | None = None
    """The password of the page, or its hash as ``nes2mqtt hash-password`` prints it."""
    token: Secret | None = None
    """For programs: ``Authorization: Bearer TOKEN`` opens the API and ``/metrics``. At least 16 characters."""
    session_days: Annotated[int, Field(ge=1, le=365)] = 30
    """A login lasts this long."""
    allowed_hosts: tuple[str, ...] = ()
    """More names this page is called by, such as behind a reverse proxy: ``["energy.example.org"]``."""
    frame_ancestors: tuple[str, ...] = ()
    """Pages that may show this one in a frame: ``["http://homeassistant.local:8123"]``."""
    public_url: str = ""
    """The address people type when a reverse proxy is in front, with its path: ``https://example.org/energy/``."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks of reverse proxies that say who is behind them: ``["127.0.0.1", "10.0.0.0/8"]``."""
    tls_certificate: Path | None = None
    """PEM file with the certificate chain; the page is then served over https."""
    tls_key: Path | None = None
    """PEM file with the certificate's key."""
    dabbler: bool = True
    """Serve ``GET /getDashDataWS`` as the ESP32 firmware does, for its Home Assistant integration."""
    dabbler_open: bool = False
    """Serve it without login, because that integration cannot log in."""
    max_live_clients: Annotated[int, Field(ge=1, le=1000)] = 32
    """Pages that may be open at the same time."""

    @property
    def address(self) -> Listen:
        """Return :attr:`listen` in its parts."""
        return Listen(self.listen)

    @property
    def public(self) -> SplitResult | None:
        """Return :attr:`public_url` in its parts; None when it is not set."""
        return urlsplit(self.public_url) if self.public_url else None

    @property
    def path(self) -> str:
        """Return the path the page stands below, with a slash at both ends: ``/`` or ``/energy/``."""
        return self.public.path if self.public is not None else "/"

    @property
    def is_https(self) -> bool:
        """Tell whether people reach the page by https: from here, or from the proxy at the public address."""
        return self.tls_certificate is not None or (self.public is not None and self.public.scheme == "https")

    @property
    def url(self) -> str:
        """Return the address to type into a browser."""
        return self.public_url or self.own_url

    @property
    def own_url(self) -> str:
        """Return the address of the port itself."""
        host = self.address.host
        if host in {"0.0.0.0", "::"}:  # noqa: S104 - recognised, not bound
            host = socket.gethostname()
        elif ":" in host:
            host = f"[{host}]"
        return f"{'https' if self.tls_certificate else 'http'}://{host}:{self.address.port}"

    @field_validator("listen")
    @classmethod
    def _check_listen(cls, text: str) -> str:
        _ = Listen(text).port
        return text

    @field_validator("password")
    @classmethod
    def _check_password(cls, password: Secret | None) -> Secret | None:
        if password is not None:
            text = password.reveal()
            if PasswordHash.is_one(text):
                PasswordHash.parse(text)
            elif len(text) < _LEAST_PASSWORD:
                raise ValueError(f"it has {len(text)} characters; use at least {_LEAST_PASSWORD}")
        return password

    @field_validator("token")
    @classmethod
    def _check_token(cls, token: Secret | None) -> Secret | None:
        if token is not None and len(token.reveal()) < _LEAST_TOKEN:
            raise ValueError(f"use at least {_LEAST_TOKEN} random characters, for example from: openssl rand -hex 24")
        return token

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not _HOST.match(host):
                raise ValueError("one of them is not a host name; write the name alone, without http:// or port")
        return hosts

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, text: str) -> str:
        if not text:
            return text
        found = _PUBLIC_URL.match(text)
        if not found or int(found["port"] or 0) > 65535:  # noqa: PLR2004 - the highest port there is
            raise ValueError(
                "this is not an address such as https://example.org/energy/; write it as the browser shows it, "
                "without user, question mark or #"
            )
        return text if text.endswith("/") else f"{text}/"

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for text in networks:
            try:
                network = ipaddress.ip_network(text.strip(), strict=False)
            except ValueError:
                raise ValueError(
                    "one of them is neither an address nor a network; write for example 127.0.0.1 or 192.168.1.0/24. "
                    "Names do not work: the address of a name may change hands"
                ) from None
            if network.prefixlen == 0:
                raise ValueError(
                    f"{text} is every address there is: anybody could then say to be anybody. Name the proxy's address"
                )
        return networks

    @field_validator("frame_ancestors")
    @classmethod
    def _check_frames(cls, sources: tuple[str, ...]) -> tuple[str, ...]:
        for source in sources:
            if not _FRAME_SOURCE.match(source):
                raise ValueError("one of them is not an address such as http://homeassistant.local:8123")
        return sources

    @model_validator(mode="after")
    def _check(self) -> WebConfig:
        if not self.address.is_loopback and self.password is None:
            raise ValueError(
                f'listen = "{self.listen}" would show your consumption to everybody in the network. '
                'Add a password: password = { file = "/etc/nes2mqtt/web-password" }, '
                'or listen on this machine only: listen = "127.0.0.1:8099"'
            )
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together; set both or none")
        return self
