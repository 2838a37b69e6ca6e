"""Why a broker cannot be used, or does not take a message, in words an owner can act on.

A client tells a broker's refusal as a :class:`~nes2mqtt.outputs.mqtt.client.connection.Refused` and everything else as text, with
the operating system's error behind it. Here each becomes one sentence: what happened, what it means, and which
setting to look at. :class:`Refusals` remembers what a broker does not take, so that each kind is told once.

This module does not know how connections are made.
"""

from __future__ import annotations

import logging
import math
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from nes2mqtt.outputs.mqtt.client.connection import Answer, NoGreeting, NoMqtt, Refused
from nes2mqtt.outputs.mqtt.config import MqttConfig, Protocol

__all__ = ["REASONS", "SAY_AGAIN", "SILENT", "TOO_LARGE", "Refusals", "Unanswered", "describe", "kind_of"]

_log = logging.getLogger(__name__)

SAY_AGAIN = 900.0
"""Seconds in which the log does not say the same of a broker again, however often it comes and goes."""

SILENT = 0x00
"""Not a reason code: a broker of MQTT 3.1.1 confirmed a message and did not keep it."""
UNSUPPORTED_VERSION = 0x84
CLIENT_ID_INVALID = 0x85
BAD_CREDENTIALS = 0x86
NOT_AUTHORISED = 0x87
SESSION_TAKEN_OVER = 0x8E
TOO_LARGE = 0x95
RETAIN_NOT_SUPPORTED = 0x9A
QOS_NOT_SUPPORTED = 0x9B

REASONS: Mapping[int, str] = MappingProxyType(
    {
        SILENT: "it confirms it and does not keep it; with MQTT 3.1.1 a broker cannot say why. See its access list (ACL)",
        0x80: "it does not say why; its log may",
        0x81: "it could not read our packet; is it a broker, and nobody in between?",
        0x82: "it says that we broke the protocol; please report this",
        0x83: "for a reason of its own; its log may say more",
        UNSUPPORTED_VERSION: 'it does not speak MQTT {version}; set protocol = "auto"',
        CLIENT_ID_INVALID: "it does not take the client id '{client_id}'; choose another client_id",
        BAD_CREDENTIALS: "it does not accept {who}",
        NOT_AUTHORISED: "it does not allow this to {who}; see what the broker's access list (ACL) allows",
        0x88: "it is not available now",
        0x89: "it is too busy now",
        0x8A: "it has banned this client ({who})",
        0x8B: "it is shutting down",
        0x8C: "it wants another way to log in than user and password",
        0x8D: "it heard nothing from us for too long; is the network slow? Raise keepalive",
        SESSION_TAKEN_OVER: "another client with the client id '{client_id}' took our place; "
        "two programs share it: set another client_id in one of them",
        0x8F: "it does not take this pattern of topics",
        0x90: "it does not take this topic; set another base_topic",
        0x91: "it has not finished an earlier message",
        0x93: "it got more messages at once than it takes; please report this",
        0x94: "it does not take our topic alias; please report this",
        TOO_LARGE: "the message is larger than it takes; raise its limit "
        "(mosquitto: max_packet_size and message_size_limit)",
        0x96: "it gets too many messages; publish less often (every, diagnostics_every) or raise its limit",
        0x97: "our quota is used up; publish less often or raise the quota",
        0x98: "its administrator ended the connection",
        0x99: "it does not take what the message holds",
        RETAIN_NOT_SUPPORTED: "it keeps no retained messages",
        QOS_NOT_SUPPORTED: "it does not take messages of this QoS",
        0x9C: "it wants us to use another broker{words}; set host",
        0x9D: "it has moved{words}; set host",
        0x9E: "it does not share subscriptions; please report this",
        0x9F: "we connect too often for it",
        0xA0: "we were connected as long as it allows",
        0xA1: "it does not take subscription identifiers; please report this",
        0xA2: "it does not take patterns of topics",
    }
)
"""What each reason code, and :data:`SILENT`, means to an owner (MQTT 5, section 2.4)."""

_PASSING = frozenset({0x88, 0x89, 0x8B, 0x9F, 0xA0})
"""Refusals of a connection that end by themselves."""


class Unanswered(Exception):
    """The broker let the time run out; the text goes on after its address."""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what is behind it; a library hides the operating system's errors as context."""
    seen: set[int] = set()
    behind: BaseException | None = error
    while behind is not None and id(behind) not in seen:
        seen.add(id(behind))
        yield behind
        behind = behind.__cause__ or behind.__context__


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


def _name(config: MqttConfig) -> str:
    """Name who we are to the broker, for a refusal that has nothing to do with a password."""
    if config.username:
        return f"user '{config.username}'"
    if config.tls is not None and config.tls.enabled and config.tls.cert_file:
        return f"the certificate {config.tls.cert_file}"
    return "a client without a user name"


def _reason(refused: Refused, config: MqttConfig, client_id: str) -> str:
    text = REASONS.get(refused.code, f"reason code 0x{refused.code:02X}")
    words = "".join(character for character in refused.words if character.isprintable())[:200]
    said = f" ('{words}')" if words else ""
    version = Protocol.V5 if config.protocol is Protocol.AUTO else config.protocol
    filled = text.format(
        who=_who(config) if refused.answer is Answer.CONNACK else _name(config),
        client_id=client_id,
        version=version.value,
        words=said,
    )
    return filled if "{words}" in text else filled + said


def _rejected(refused: Refused, config: MqttConfig, client_id: str) -> str | None:
    """Say why the connection was refused or ended."""
    if refused.code in {BAD_CREDENTIALS, NOT_AUTHORISED} and refused.answer is Answer.CONNACK:
        return f"refuses {_who(config)}"
    if refused.code not in REASONS or refused.code == SILENT:
        return None
    did = "refuses the connection" if refused.answer is Answer.CONNACK else "ended the connection"
    again = "; trying again" if refused.code in _PASSING or refused.answer is Answer.DISCONNECT else ""
    return f"{did}: {_reason(refused, config, client_id)}{again}"


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


def _no_greeting(config: MqttConfig) -> str:
    if config.uses_tls:
        return (
            "took the connection but does not greet back; does an MQTT broker listen on this port? It may want a "
            "certificate: tls.cert_file and tls.key_file"
        )
    hint = "" if config.protocol is not Protocol.V311 else '; set protocol = "auto": then it can say why'
    return f"took the connection but does not greet back; does an MQTT broker listen on this port, without TLS?{hint}"


def _why(error: BaseException, config: MqttConfig, client_id: str) -> str:
    for cause in _causes(error):
        if isinstance(cause, Refused) and (text := _rejected(cause, config, client_id)):
            return text
        if isinstance(cause, NoMqtt):
            return "sends what is no MQTT; is it a broker, and nobody in between?"
        if text := _unreachable(cause, config):
            return text
        if isinstance(cause, NoGreeting):
            return _no_greeting(config)
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


def kind_of(error: BaseException) -> str:
    """Return one word for why there is no connection: ``mqtt_auth``, ``mqtt_refused`` or ``mqtt_unreachable``."""
    refused = next((cause for cause in _causes(error) if isinstance(cause, Refused)), None)
    if refused is None:
        return "mqtt_unreachable"
    credentials = refused.answer is Answer.CONNACK and refused.code in {BAD_CREDENTIALS, NOT_AUTHORISED}
    return "mqtt_auth" if credentials else "mqtt_refused"


class Refusals:
    """What a broker does not take now: topics with their refusals. Each kind is logged once.

    A kind is a reason code and the first level of the topic: when nothing may be written below ``homeassistant/``,
    a thousand meters are one line.

    Args:
        config: the broker's section.
        client_id: our name to the broker.
        now: seconds of a clock that does not jump.
    """

    def __init__(self, config: MqttConfig, client_id: str, now: Callable[[], float] = lambda: 0.0) -> None:
        self._config = config
        self._client_id = client_id
        self._topics: dict[str, tuple[int, str]] = {}
        """The kind of each topic that is refused, the oldest first."""
        self._texts: dict[tuple[int, str], str] = {}
        self._now = now
        self._logged: dict[tuple[int, str], float] = {}
        """When each kind was logged last."""

    def __contains__(self, topic: str) -> bool:
        """Tell whether the broker refused the last message on a topic."""
        return topic in self._topics

    def add(self, topic: str, refused: Refused, size: int) -> None:
        """Take note of a refusal of a message of ``size`` bytes, or of a subscription (size 0)."""
        kind = (refused.code, topic.partition("/")[0])
        before = self._topics.get(topic)
        if before != kind:
            self.taken(topic)
        self._topics[topic] = kind
        if kind in self._texts:
            return
        why = _reason(refused, self._config, self._client_id)
        what = f"what we publish on {topic} ({size:,} bytes)" if size else f"that we listen to {topic}"
        self._texts[kind] = f"broker {self._config.address} refuses {what}: {why}"
        consequence = "; it is kept and tried again" if size else ""
        if self._now() - self._logged.get(kind, -math.inf) < SAY_AGAIN:
            return
        self._logged[kind] = self._now()
        _log.warning("%s%s", self._texts[kind], consequence)

    def taken(self, topic: str) -> None:
        """Take note that the broker takes messages, or our subscription, on a topic."""
        kind = self._topics.pop(topic, None)
        if kind is not None and kind not in self._topics.values():
            self._texts.pop(kind, None)
            _log.debug("broker %s no longer refuses %s", self._config.address, topic)

    def forget(self, topic: str) -> None:
        """No longer count a topic on which nothing is published any more."""
        kind = self._topics.pop(topic, None)
        if kind is not None and kind not in self._topics.values():
            self._texts.pop(kind, None)

    @property
    def problem(self) -> str:
        """Return the oldest refusal in words, and how many topics more are refused; empty when all is taken."""
        if not self._topics:
            return ""
        first = self._texts[next(iter(self._topics.values()))]
        more = len(self._topics) - 1
        return f"{first} (and {more} more topics)" if more > 1 else f"{first} (and 1 more topic)" if more else first
