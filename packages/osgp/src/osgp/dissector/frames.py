"""What goes over the wire, in words: frames of the MEP port and packets of the optical port as they pass.

No line of a trace tells a key. A password of the optical port is not shown at all. Of the MEP port's digests nothing is
shown either: with what they were made of, which stands beside them, they tell the key (ePrint 2015/428).

This module does not know ports or time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from osgp.dissector.tls_words import tls_request, tls_response
from osgp.errors import CorruptFrame
from osgp.mep.digest import DIGEST_SIZE
from osgp.mep.frame import (
    LENGTH_SIZE,
    SEQUENCE_SIZE,
    SHORTEST_RESPONSE,
    Alert,
    Frame,
    FrameReader,
    Garbage,
    decode_request,
)
from osgp.mep.tls_frames import TlsCode
from osgp.optical.datalink.packet import Noise, Packet, PacketReader, Signal, Spoiled
from osgp.optical.services import OpticalResponseCode, Security, Service, decode_service
from osgp.optical.timing import LARGEST_PACKET
from osgp.psem import PartialRead, PartialWrite, Read, ResponseCode, Write, request_words

__all__ = ["MepWire", "OpticalWire", "Passed", "Wire"]

_HIDDEN = "*" * 8
_READ_HEAD = 3
_SHORTEST = 2
"""Bytes of the shortest request, which ends a TLS session (MEP guide v1.1 p. 8)."""


@dataclass(frozen=True, slots=True)
class Passed:
    """Something that went over the wire."""

    sent: bool
    """By us; otherwise by the meter."""
    meaning: str
    shown: str = ""
    """Its bytes in hex, secrets as asterisks."""


class Wire(Protocol):
    """Cuts the bytes of one line into what they mean."""

    def pass_on(self, data: bytes, *, sent: bool) -> list[Passed]:
        """Return what these bytes completed."""


class MepWire:
    """The MEP port, in RC4 and TLS mode. What is encrypted stays so."""

    def __init__(self) -> None:
        self._ours = FrameReader(_SHORTEST)
        self._theirs = FrameReader(SHORTEST_RESPONSE)
        self._tls: int | None = None  # first byte of our last frame, if that was in TLS mode

    def pass_on(self, data: bytes, *, sent: bool) -> list[Passed]:
        """Return what these bytes completed."""
        if sent:
            # We speak when the line was silent: what came before and led nowhere is over.
            self._theirs.reset()
            return [self._request(item.content) for item in self._ours.feed(data) if isinstance(item, Frame)]
        found: list[Passed] = []
        for item in self._theirs.feed(data):
            match item:
                case Alert():
                    found.append(Passed(False, "alert: the meter has news in ET13", "00 00"))
                case Garbage():
                    found.append(Passed(False, f"{len(data)} bytes that begin no frame"))
                case Frame(content):
                    found.append(self._response(content))
        return found

    def _request(self, content: bytes) -> Passed:
        tls = tls_request(content)
        self._tls = None if tls is None else content[0]
        if tls is not None:
            return Passed(True, *tls)
        body = content[: -SEQUENCE_SIZE - DIGEST_SIZE]
        try:
            words = request_words(decode_request(body))
        except CorruptFrame:
            return Passed(True, f"encrypted request of {len(content)} bytes", _HIDDEN)
        number = content[-SEQUENCE_SIZE - DIGEST_SIZE : -DIGEST_SIZE]
        head = len(content).to_bytes(LENGTH_SIZE, "big") + body
        return Passed(True, f"{words} (number {number.hex()})", f"{head.hex(' ')} | {number.hex(' ')} | {_HIDDEN}")

    def _response(self, content: bytes) -> Passed:
        if self._tls is not None:
            return Passed(False, *tls_response(content, sealed=self._tls == TlsCode.TABLE))
        size = len(content).to_bytes(LENGTH_SIZE, "big").hex(" ")
        body = content[:-DIGEST_SIZE] if len(content) > DIGEST_SIZE else content[:1]
        code, rest = body[0], body[1:]
        if code == ResponseCode.OK and len(rest) >= _READ_HEAD - 1:
            count = int.from_bytes(rest[:2], "big")
            if count == len(rest) - 2:
                return Passed(False, f"ok, {count} bytes", f"{size} {body.hex(' ')} | {_HIDDEN}")
        if code == ResponseCode.BAD_SEQUENCE_NUMBER and len(rest) == SEQUENCE_SIZE:
            return Passed(False, f"wrong number, wants {rest.hex()}", f"{size} {body.hex(' ')} | {_HIDDEN}")
        if not rest and code in set(ResponseCode):
            return Passed(False, _code_words(ResponseCode(code).name), f"{size} {body.hex(' ')} | {_HIDDEN}")
        return Passed(False, f"encrypted response of {len(content)} bytes", _HIDDEN)


def _code_words(name: str) -> str:
    return name.lower().replace("_", " ") if name != "OK" else "ok"


class OpticalWire:
    """The optical port. Packets of a message are shown one by one; what they mean together stands at the last.

    A probe that hears itself gives back what we sent, so the key is hidden in both directions.
    """

    def __init__(self) -> None:
        self._readers = {True: PacketReader(LARGEST_PACKET), False: PacketReader(LARGEST_PACKET)}
        self._messages = {True: b"", False: b""}
        self._key_shown = False

    def pass_on(self, data: bytes, *, sent: bool) -> list[Passed]:
        """Return what these bytes completed."""
        found: list[Passed] = []
        for item in self._readers[sent].feed(data):
            match item:
                case Signal(positive):
                    found.append(Passed(sent, "ACK" if positive else "NAK", "06" if positive else "15"))
                case Packet():
                    found.append(self._packet(item, sent=sent))
                case Noise(noise):
                    shown = _HIDDEN if self._key_shown else noise.hex(" ")
                    found.append(Passed(sent, f"{len(noise)} bytes that belong to nothing", shown))
                case Spoiled():
                    found.append(Passed(sent, "a spoiled packet"))
        return found

    def _packet(self, packet: Packet, *, sent: bool) -> Passed:
        if packet.first or not packet.multi:
            self._messages[sent] = b""
        self._messages[sent] += packet.data
        message = self._messages[sent]
        raw = packet.encode().hex(" ")
        if packet.to_come:
            return Passed(sent, f"packet, {packet.to_come} to come", _HIDDEN if sent or self._key_shown else raw)
        words, secret = self._service(message) if sent else self._answer(message)
        self._key_shown |= secret
        return Passed(sent, words + (", toggle" if packet.toggle else ""), _HIDDEN if secret else raw)

    @staticmethod
    def _service(message: bytes) -> tuple[str, bool]:
        """Say what we ask, and whether its bytes are secret."""
        try:
            service: Service = decode_service(message)
        except CorruptFrame:
            # Nobody knows what it is, so nobody knows that it is no password.
            return f"{len(message)} bytes that are no service", True
        if isinstance(service, Security):
            return "show the key", True
        if isinstance(service, Read | PartialRead | Write | PartialWrite):
            return request_words(service), False
        return type(service).__name__.lower(), False

    @staticmethod
    def _answer(message: bytes) -> tuple[str, bool]:
        code = message[0]
        if code not in set(OpticalResponseCode):
            return f"code {code:02x}, no answer of a meter", True
        words = OpticalResponseCode(code).name.lower()
        return (f"{words}, {len(message) - 1} bytes" if len(message) > 1 else words), False
