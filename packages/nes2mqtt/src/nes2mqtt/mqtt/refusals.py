"""Why a broker cannot be used, in words an owner can act on.

aiomqtt tells a refusal as a paho reason code and everything else as text, with the
operating system's error behind it. Here each becomes one sentence: what happened, and which
setting to look at.

This module does not know how connections are made.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from paho.mqtt.reasoncodes import ReasonCode

from nes2mqtt.mqtt.config import MqttConfig

__all__ = ["Unanswered", "describe", "no_greeting"]

_NO_GREETING = "took the connection but does not greet back; does an MQTT broker listen on this port, without TLS?"


_NO_TLS_GREETING = (
    "took the connection but does not greet back; does an MQTT broker listen on this port? It may want a certificate: "
    "tls.cert_file and tls.key_file"
)


def no_greeting(config: MqttConfig) -> str:
    """Say that the broker does not answer our first message."""
    return _NO_TLS_GREETING if config.uses_tls else _NO_GREETING


class Unanswered(Exception):
    """The broker let the time run out; the text goes on after its address."""


# MQTT 5, section 2.4; paho turns the five CONNACK codes of MQTT 3.1.1 into the same numbers.
UNSUPPORTED_VERSION = 0x84
CLIENT_ID_INVALID = 0x85
BAD_CREDENTIALS = 0x86
NOT_AUTHORISED = 0x87
SERVER_UNAVAILABLE = 0x88
SERVER_BUSY = 0x89
BANNED = 0x8A
SHUTTING_DOWN = 0x8B
SESSION_TAKEN_OVER = 0x8E
QUOTA_EXCEEDED = 0x97

_REFUSALS = {
    UNSUPPORTED_VERSION: "does not speak MQTT {protocol}; set protocol to the other version",
    CLIENT_ID_INVALID: "refuses the client id '{client_id}'; choose another client_id",
    BAD_CREDENTIALS: "refuses {who}",
    NOT_AUTHORISED: "refuses {who}",
    SERVER_UNAVAILABLE: "says it is not available now; trying again",
    SERVER_BUSY: "says it is too busy now; trying again",
    BANNED: "has banned this client ({who})",
    SHUTTING_DOWN: "is shutting down; trying again",
    SESSION_TAKEN_OVER: "gave our place to another client with the client id '{client_id}'; "
    "two programs share it: set another client_id in one of them",
    QUOTA_EXCEEDED: "says our quota is used up",
}


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what is behind it; aiomqtt hides the operating system's errors as context."""
    seen: set[int] = set()
    behind: BaseException | None = error
    while behind is not None and id(behind) not in seen:
        seen.add(id(behind))
        yield behind
        behind = behind.__cause__ or behind.__context__


def _reason_code(error: BaseException) -> int | None:
    rc = getattr(error, "rc", None)
    return rc.value if isinstance(rc, ReasonCode) else None


def _who(config: MqttConfig) -> str:
    """Name the credential that was shown, and the setting that holds it."""
    certificate = config.tls is not None and config.tls.enabled and config.tls.cert_file
    if config.username and config.password is not None:
        shown = f"user '{config.username}' or its password ({config.password.origin})"
    elif config.username:
        shown = f"user '{config.username}', for whom no password is set; set password"
    elif certificate:
        return f"the certificate {certificate}; check cert_file and what the broker allows it"
    else:
        return "a client without a user name; set username and password"
    return f"{shown}, or the certificate {certificate}" if certificate else shown


def _refused(code: int, config: MqttConfig, client_id: str) -> str | None:
    text = _REFUSALS.get(code)
    return text and text.format(who=_who(config), client_id=client_id, protocol=config.protocol.value)


_CERTIFICATE_ALERTS = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE", "UNKNOWN_CA", "BAD_CERTIFICATE")
"""TLS alerts (RFC 8446, section 6.2) by which a broker rejects, or misses, our certificate."""


def _unreachable(cause: BaseException | None, config: MqttConfig) -> str | None:
    """Explain the operating system's or OpenSSL's error behind a failed connect."""
    match cause:
        case ssl.SSLCertVerificationError():
            return (
                f"shows a certificate that cannot be trusted ({cause.verify_message}); "
                "set tls.ca_file to the authority that signed it, and host to the name in it"
            )
        case ssl.SSLError(reason=str(reason)) if any(alert in reason for alert in _CERTIFICATE_ALERTS):
            return "refuses our certificate or wants one; set tls.cert_file and tls.key_file"
        case ssl.SSLError():
            return f"does not speak TLS on this port ({cause.reason or 'no TLS greeting'}); check port and tls"
        case ValueError() | FileNotFoundError() | PermissionError():
            return f"cannot be used: {cause}"
        case socket.gaierror():
            return f"cannot be found: no address for '{config.host}'; check host and the network's name service"
        case ConnectionRefusedError():
            return "does not answer: nothing listens there; is the broker running, are host and port right?"
        case ConnectionResetError() | BrokenPipeError() if config.uses_tls:
            return "ends the connection at once; does it speak TLS on this port? Check port and tls"
        case TimeoutError():
            return "cannot be reached: no answer from that address; check host, network and firewall"
        case OSError():
            return f"cannot be reached: {cause.strerror or cause}"
        case _:
            return None


def _why(error: BaseException, config: MqttConfig, client_id: str) -> str:
    for cause in _causes(error):
        code = _reason_code(cause)
        if code is not None and (text := _refused(code, config, client_id)):
            return text
        if isinstance(cause, UnicodeError):
            return "sends what is no MQTT; is it a broker, and nobody in between?"
        if text := _unreachable(cause, config):
            return text
        if isinstance(cause, Unanswered):
            return str(cause)
    return "closed the connection; trying again"


def describe(error: BaseException, config: MqttConfig, client_id: str) -> str:
    """Return one sentence about why there is no connection, without secrets.

    Args:
        error: what the connection ended with.
        config: the broker's section, to name the setting that helps.
        client_id: the id we connected with.
    """
    return f"broker {config.address} {_why(error, config, client_id)}"
