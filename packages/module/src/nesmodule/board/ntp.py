"""The time of day from a server of the network (NTP, RFC 5905; its short form SNTP, section 14).

The request carries a number that nobody can foresee where its own time belongs, and an answer must carry it back (RFC 5905 section 7.3, origin timestamp):
so who cannot read what passes cannot make up an answer.

This module does not know clocks. Loaded for one question and forgotten.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["ask", "request", "told"]

_PORT = 123
_SIZE = 48
_UNIX = 2_208_988_800
"""Seconds from 1900 to 1970 (RFC 5905 figure 4)."""
_ERA = 1 << 32
"""Seconds of an era: the second one begins in February 2036."""
_FIRST, _LAST = 1_767_225_600, 3_976_214_400
"""No time before 2026, when this was written, or after 2095 is taken for one."""
_PATIENCE, _LOOK_EVERY = 3000, 50


def request(nonce: bytes) -> bytes:
    """Return a question; ``nonce`` has eight bytes. Version 4, mode 3: client (RFC 5905 figure 8)."""
    return b"\x23" + bytes(39) + nonce


def told(answer: bytes, nonce: bytes) -> int:
    """Return the milliseconds since 1970 that an answer tells; 0 if it is none to be believed."""
    # Mode 4: server. Leap 3: its clock is not synchronised. Stratum 0: it refuses; 16: not synchronised (RFC 5905 figures 9, 10, 11).
    if len(answer) < _SIZE or answer[0] & 7 != 4 or answer[0] >> 6 == 3 or not 0 < answer[1] < 16:
        return 0
    # A time of nothing but zeros is an unknown one (RFC 5905 section 6).
    if answer[24:32] != nonce or answer[40:48] == bytes(8):
        return 0
    seconds = int.from_bytes(answer[40:44], "big") - _UNIX
    if seconds < _FIRST:
        seconds += _ERA
    if not _FIRST <= seconds <= _LAST:
        return 0
    return seconds * 1000 + (int.from_bytes(answer[44:48], "big") * 1000 >> 32)


async def ask(host: str, port: int, nonce: bytes, sleep: Callable[[int], Awaitable[None]]) -> int:
    """Ask a server once; return milliseconds since 1970, 0 without an answer. Raises OSError where there is no way to it."""
    address = socket.getaddrinfo(host, port or _PORT)[0][-1]
    asking: Any = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        asking.setblocking(False)
        asking.sendto(request(nonce), address)
        for _ in range(_PATIENCE // _LOOK_EVERY):
            await sleep(_LOOK_EVERY)
            try:
                found = told(asking.recvfrom(_SIZE + 20)[0], nonce)
            except OSError:
                # Nothing is there yet.
                continue
            if found:
                return found
    finally:
        asking.close()
    return 0
