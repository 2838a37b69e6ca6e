"""Answers every question for a name with one address, so that a phone that joins the access point finds the page (RFC 1035).

This module does not know sockets.
"""

from __future__ import annotations

import struct

__all__ = ["answer"]

_HEAD = ">HHHHHH"
_A, _ANY, _INTERNET = 1, 255, 1
_LONGEST = 255
"""Bytes of a name (RFC 1035 section 2.3.4)."""


def answer(question: bytes, address: bytes) -> bytes:
    """Return what is answered; empty for what is no question for one name.

    Args:
        question: a message as it came.
        address: four bytes.
    """
    if len(question) < 12:
        return b""
    number, flags, count, _, _, _ = struct.unpack_from(_HEAD, question)
    # Not an answer, and a standard query (RFC 1035 section 4.1.1: QR, OPCODE).
    if flags & 0xF800 or count != 1:
        return b""
    at = 12
    while at < len(question) and question[at]:
        # The two highest bits are a pointer, which has no sense in the only name (RFC 1035 section 4.1.4).
        if question[at] > 63 or at > 12 + _LONGEST:
            return b""
        at += 1 + question[at]
    at += 5
    if at > len(question):
        return b""
    kind, among = struct.unpack_from(">HH", question, at - 4)
    there = kind in (_A, _ANY) and among == _INTERNET
    # An answer, with authority, recursion as it was asked for. Of other kinds, IPv6 for one, there is none: that is no error.
    head = struct.pack(_HEAD, number, 0x8480 | flags & 0x0100, 1, int(there), 0, 0)
    if not there:
        return head + question[12:at]
    # For 0 s: it counts now and is not kept (RFC 1035 section 3.2.1).
    return head + question[12:at] + struct.pack(">HHHIH", 0xC00C, _A, _INTERNET, 0, 4) + address
