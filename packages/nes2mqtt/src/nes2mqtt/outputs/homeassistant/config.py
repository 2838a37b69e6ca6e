"""The ``[homeassistant]`` section of the configuration.

This module does not connect to anything.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nes2mqtt.host.secret import Secret

__all__ = ["HomeAssistantConfig"]


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write it as in the browser: http://192.168.1.10:8123")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("the address has only a host, perhaps a port and a path; the token has a line of its own")
    return text.rstrip("/")


class HomeAssistantConfig(BaseModel):
    """Where Home Assistant's statistics are repaired after a gap."""

    model_config = ConfigDict(
        defer_build=True, extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )

    url: Annotated[str, AfterValidator(_address), Field(examples=["http://192.168.1.10:8123"])]
    """Home Assistant's address, as in the browser."""
    token: Annotated[Secret, Field(examples=[{"file": "/etc/nes2mqtt/homeassistant-token"}])]
    """A long-lived access token of an administrator, from his profile page."""
