"""Frames that somebody captured, at either port: who said what, and which bytes of which table they carry.

:func:`messages` takes bytes as people post them: requests and replies of the MEP port, with or without digests, with
alerts between them; packets of the optical port with their ACKs. What is none of that is taken for bytes of a table. Digests are not verified, since there is no key; a password is passed over and never shown.

This module does not know where the bytes come from, nor how tables look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from osgp.dissector.tls_words import tls_request
from osgp.errors import CorruptFrame, MisuseError
from osgp.mep.digest import DIGEST_SIZE
from osgp.mep.frame import LENGTH_SIZE, SEQUENCE_SIZE, decode_request
from osgp.mep.timing import MAX_FRAME
from osgp.optical.datalink.packet import ACK, NAK, START, Packet, crc
from osgp.optical.services import SERVICE_CODES, OpticalResponseCode, Security, checksum, decode_service
from osgp.psem import PartialRead, PartialWrite, Read, Request, ResponseCode, Write, request_words

__all__ = ["Message", "messages"]

_HEAD = 3
"""Response code and count before the data of a reply."""
_PACKET_HEAD = 6
_CRC_SIZE = 2


@dataclass(frozen=True, slots=True)
class Message:
    """One request, reply or alert."""

    port: str
    """``MEP`` or ``optical``."""
    sent: bool
    """By a client; otherwise by the meter."""
    meaning: str
    table: int | None = None
    """Which table it is about; None: it does not say, or it is about none."""
    offset: int | None = None
    """Where in the table the data begin; None: it does not say."""
    data: bytes | None = None
    """Bytes of the table; None: it carries none."""


def messages(data: bytes, size: int | None = None) -> list[Message]:
    """Return the messages that these bytes are, in order; none if they are bytes of a table.

    A reply does not say what it answers; where the request stands before it, that does.

    Args:
        data: what was captured.
        size: of the table that was expected; so many bytes are that table unless they are whole frames beyond doubt.

    Raises:
        MisuseError: they are frames, but encrypted or damaged.
    """
    found = _optical(data) or _mep(data)
    if not found and len(data) != size:
        found = _bare(data) or _cut_packet(data) or _mep(data, doubtful=True)
    return _paired(found)


def _paired(found: Sequence[Message]) -> list[Message]:
    """Give each reply the table of the request before it."""
    paired: list[Message] = []
    asked: Message | None = None
    for message in found:
        if message.sent:
            asked = message
        elif asked is not None and message.data is not None:
            paired.append(replace(message, table=asked.table, offset=asked.offset))
            asked = None
            continue
        paired.append(message)
    return paired


def _request(port: str, request: Request) -> Message:
    data = request.data if isinstance(request, Write | PartialWrite) else None
    offset = request.offset if isinstance(request, PartialRead | PartialWrite) else 0
    return Message(port, True, request_words(request), request.table, offset, data)


# -- MEP port -----------------------------------------------------------------------------------


def _mep(data: bytes, *, doubtful: bool = False) -> list[Message]:
    """Return the frames and alerts that the bytes are from end to end, else nothing.

    Args:
        data: what was captured.
        doubtful: a last frame that was cut off, or one whose content says nothing, will do.

    Raises:
        MisuseError: a frame that is encrypted or damaged.
    """
    found: list[Message] = []
    frames = 0
    while data:
        size, content = int.from_bytes(data[:LENGTH_SIZE], "big"), data[LENGTH_SIZE:]
        if len(data) >= LENGTH_SIZE and size == 0:
            found.append(Message("MEP", False, "alert: the meter has news in ET13"))
            data = content
            continue
        if not DIGEST_SIZE < size <= MAX_FRAME or (len(content) < size and not doubtful):
            return []
        message = _mep_content(content[:size], size)
        if message is None:
            if doubtful and len(content) == size:
                raise MisuseError(
                    f"this is a frame of the MEP port ({size} bytes after its length), but its content is encrypted or "
                    "damaged; without the meter's key nothing can be read from it. Read the table with osgp tables"
                )
            return []
        frames += 1
        found.append(message)
        data = content[size:]
    return found if frames else []


def _mep_content(content: bytes, size: int) -> Message | None:
    """Return what a frame of ``size`` bytes says; its end may be missing."""
    if len(content) == size:
        try:
            return _request("MEP", decode_request(content[: -SEQUENCE_SIZE - DIGEST_SIZE]))
        except CorruptFrame:
            pass
        if (in_tls := tls_request(content)) is not None:  # what security "auto" asks first
            return Message("MEP", True, in_tls[0])
    code, body = content[0] if content else -1, size - DIGEST_SIZE
    count = int.from_bytes(content[1:_HEAD], "big")
    if code == ResponseCode.OK and len(content) > _HEAD and count == body - _HEAD:
        data = content[_HEAD : _HEAD + count]
        cut = "" if len(data) == count else f", of which {len(data)} are here"
        return Message("MEP", False, f"reply: {count} bytes{cut}", data=data)
    if code == ResponseCode.BAD_SEQUENCE_NUMBER and body == 1 + SEQUENCE_SIZE:
        return Message("MEP", False, f"reply: wrong sequence number, the meter wants {content[1:5].hex()}")
    if code in set(ResponseCode) and body == 1:
        return Message("MEP", False, f"reply: {_words(ResponseCode(code).name)}")
    return None


def _words(name: str) -> str:
    return name.lower().replace("_", " ")


def _bare(data: bytes) -> list[Message]:
    """Return a reply whose length word, and perhaps digest, was left out; of the optical port, one without its packet."""
    count, body = int.from_bytes(data[1:_HEAD], "big"), data[_HEAD:]
    if not count or data[0] != ResponseCode.OK:
        return []
    if len(body) == count + 1 and checksum(body[:-1]) == body[-1:]:
        return [Message("optical", False, f"reply: {count} bytes", data=body[:-1])]
    if len(body) in (count, count + DIGEST_SIZE):
        return [Message("MEP", False, f"reply: {count} bytes", data=body[:count])]
    return []


# -- optical port -------------------------------------------------------------------------------


def _optical(data: bytes) -> list[Message]:
    """Return the messages whose packets, with the ACKs and NAKs between them, the bytes are from end to end, else nothing.

    Raises:
        MisuseError: packets, but a byte of them is wrong or missing.
    """
    packets: list[Packet] = []
    bare = data.lstrip(bytes((ACK, NAK)))
    if not bare or bare[0] != START:
        return []
    while bare:
        size = _PACKET_HEAD + int.from_bytes(bare[4:_PACKET_HEAD], "big") + _CRC_SIZE
        if bare[0] != START or len(bare) < _PACKET_HEAD:
            return []
        raw = bare[:size]
        if len(raw) < size or crc(raw[:-_CRC_SIZE]) != raw[-_CRC_SIZE:]:
            rest = bare[size:].lstrip(bytes((ACK, NAK)))
            if not packets and (len(raw) < size or rest[:1] not in (b"", bytes((START,)))):
                return []
            raise MisuseError(
                "this is a packet of the optical port, but its CRC is wrong: a byte of it was lost or changed on the way"
            )
        packets.append(Packet.decode(raw))
        bare = bare[size:].lstrip(bytes((ACK, NAK)))
    return _joined(packets)


def _cut_packet(data: bytes) -> list[Message]:
    """Return the reply whose packet, in one piece, was cut off at its end."""
    length, message = int.from_bytes(data[4:_PACKET_HEAD], "big"), data[_PACKET_HEAD:]
    count, body = int.from_bytes(message[1:_HEAD], "big"), message[_HEAD:]
    if data[:1] != bytes((START,)) or not body or message[0] != OpticalResponseCode.OK or count != length - _HEAD - 1:
        return []
    cut = "" if len(body) >= count else f", of which {len(body)} are here"
    return [Message("optical", False, f"reply: {count} bytes{cut}", data=body[:count])]


def _joined(packets: Sequence[Packet]) -> list[Message]:
    found: list[Message] = []
    message, expected = b"", 0
    for number, packet in enumerate(packets):
        if number and packet == packets[number - 1]:
            continue  # said twice, because its ACK was lost
        if packet.first or not packet.multi:
            message = b""
        elif packet.to_come != expected or not message:
            raise MisuseError("these are packets of the optical port, but one of a message of several is missing")
        message += packet.data
        expected = packet.to_come - 1
        if not packet.to_come:
            found.append(_optical_message(message))
    return found


def _optical_message(message: bytes) -> Message:
    code = message[0]
    if code in SERVICE_CODES:
        try:
            service = decode_service(message)
        except CorruptFrame as error:
            return Message("optical", True, f"a request that cannot be read: {error}")
        if isinstance(service, Read | PartialRead | Write | PartialWrite):
            return _request("optical", service)
        name = "show the key" if isinstance(service, Security) else type(service).__name__.lower()
        return Message("optical", True, name)
    if code == OpticalResponseCode.OK and len(message) > _HEAD + 1:
        count, data = int.from_bytes(message[1:_HEAD], "big"), message[_HEAD:-1]
        if count == len(data) and checksum(data) == message[-1:]:
            return Message("optical", False, f"reply: {count} bytes", data=data)
    if code in set(OpticalResponseCode):
        more = f", {len(message) - 1} bytes" if len(message) > 1 else ""
        return Message("optical", False, f"reply: {OpticalResponseCode(code).name.lower()}{more}")
    return Message("optical", False, f"code {code:02x}, no answer of a meter")
