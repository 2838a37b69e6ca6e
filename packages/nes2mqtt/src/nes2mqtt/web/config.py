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

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from nes2mqtt.secret import Secret
from nes2mqtt.web.password import PasswordHash

__all__ = ["Listen", "WebConfig"]

_LISTEN = re.compile(r"^(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[^\[\]:\s]+)):(?P<port>\d{1,5})$")
_HOST = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})$")
_FRAME_SOURCE = re.compile(r"^(?:'self'|https?://[A-Za-z0-9.*-]+(?::(?:\d{1,5}|\*))?)$")
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

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

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
    def url(self) -> str:
        """Return the address to type into a browser."""
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
