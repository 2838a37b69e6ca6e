"""The authentication digest of RC4 mode: eight bytes that end every message.

The guide prints it as C (MEP guide v1.1, appendix A, p. 249-253). In words:

* The state is eight bytes ``a[0..7]``, all zero at first. It is also the result.
* A *row* uses one key byte and eight message bytes. Inside a row ``v`` runs 7, 6, ... 0 and the
  key bits are taken from the lowest up. One step, everything modulo 256, with ``n = ~(a[v] + v)``::

      key bit 1:  a[v] = a[v+1 mod 8] + message byte + rotate_left(n, 1)
      key bit 0:  a[v] = a[v+1 mod 8] + message byte - rotate_right(n, 1)

* A *pass* is 24 rows: the 16 key bytes and the first eight again. So a pass takes 192 message bytes;
  the last one is filled up with zero bytes, and each pass begins with the first key byte.

What a step adds depends only on the key bit, ``v`` and ``a[v]``, so it is looked up in one of
2 x 8 tables of 256 entries, and a row is eight lines without a branch.

What the digest is *not*: a message authentication code of today. Its weaknesses are public (Kursawe and
Peters 2015, Jovanovic and Neves 2015). One of them shows in the guide's own examples: zero bytes at the
end change nothing, so a reply of nothing but zeros carries the request's own digest. Whoever verifies a
digest must therefore check the lengths inside the message too (:mod:`osgp.mep.frame` does).

This module does not know about frames, sequence numbers or which key is whose.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from struct import Struct

from osgp.errors import MisuseError

__all__ = ["DIGEST_SIZE", "PASS_SIZE", "KeySchedule", "digest", "verify"]

DIGEST_SIZE = 8
"""Bytes of a digest (MEP guide v1.1 p. 10, tables 2.4 and 2.5)."""

KEY_SIZE = 16
"""Bytes of a key; of longer keys only these are used (p. 13)."""

_ROW_SIZE = 8
_ROWS = KEY_SIZE + KEY_SIZE // 2
PASS_SIZE = _ROWS * _ROW_SIZE
"""Message bytes that one pass takes: 192."""

_Steps = tuple[int, ...]
_Row = tuple[_Steps, _Steps, _Steps, _Steps, _Steps, _Steps, _Steps, _Steps]


def _step(bit: int, v: int, a: int) -> int:
    """Return what a step adds to its neighbour and the message byte (p. 252)."""
    n = ~(a + v) & 0xFF
    if bit:
        return (n << 1 | n >> 7) & 0xFF
    return -(n >> 1 | n << 7) & 0xFF


_TABLE: Callable[[Iterable[int]], tuple[int, ...]] = tuple
"""Not bytes, which take a quarter of the memory: CPython has an instruction of its own for an item of a tuple, which takes a fifth off
a digest."""
_STEPS = tuple(tuple(_TABLE(_step(bit, v, a) for a in range(256)) for v in range(8)) for bit in (0, 1))


def _row(key_byte: int) -> _Row:
    """Return the tables of one row, in the order the steps are made: v = 7 first, lowest bit first."""
    t7, t6, t5, t4, t3, t2, t1, t0 = (_STEPS[key_byte >> bit & 1][7 - bit] for bit in range(8))
    return t7, t6, t5, t4, t3, t2, t1, t0


class KeySchedule:
    """A key made ready for :func:`digest`: the tables of its 24 rows. Make it once for each key.

    Args:
        key: 16 bytes.
    """

    __slots__ = ("rows",)

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_SIZE:
            msg = f"a digest key has {KEY_SIZE} bytes, not {len(key)}"
            raise MisuseError(msg)
        rows: tuple[_Row, ...] = tuple(_row(byte) for byte in key)
        self.rows = rows + rows[: KEY_SIZE // 2]

    def __repr__(self) -> str:
        return "KeySchedule()"


_ROW_BYTES = Struct("8B")
_RESULT = Struct("8B")


def digest(schedule: KeySchedule, *parts: bytes) -> bytes:
    """Return the eight-byte digest of the parts, taken as one message.

    A request's digest covers the body and the sequence number; a response's covers the same bytes of
    its request and then the response body, in one run (p. 250-251).
    """
    message = b"".join(parts)
    size = len(message)
    passes = -(-size // PASS_SIZE) or 1
    rows = schedule.rows if passes == 1 else schedule.rows * passes
    filled = -(-size // _ROW_SIZE)
    if size % _ROW_SIZE:
        message = message.ljust(filled * _ROW_SIZE, b"\0")
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = 0
    for (t7, t6, t5, t4, t3, t2, t1, t0), (m7, m6, m5, m4, m3, m2, m1, m0) in zip(
        rows, _ROW_BYTES.iter_unpack(message), strict=False
    ):
        a7 = a0 + m7 + t7[a7] & 255
        a6 = a7 + m6 + t6[a6] & 255
        a5 = a6 + m5 + t5[a5] & 255
        a4 = a5 + m4 + t4[a4] & 255
        a3 = a4 + m3 + t3[a3] & 255
        a2 = a3 + m2 + t2[a2] & 255
        a1 = a2 + m1 + t1[a1] & 255
        a0 = a1 + m0 + t0[a0] & 255
    for t7, t6, t5, t4, t3, t2, t1, t0 in rows[filled:]:  # the fill of zeros, with nothing to add
        a7 = a0 + t7[a7] & 255
        a6 = a7 + t6[a6] & 255
        a5 = a6 + t5[a5] & 255
        a4 = a5 + t4[a4] & 255
        a3 = a4 + t3[a3] & 255
        a2 = a3 + t2[a2] & 255
        a1 = a2 + t1[a1] & 255
        a0 = a1 + t0[a0] & 255
    return _RESULT.pack(a0, a1, a2, a3, a4, a5, a6, a7)


def verify(schedule: KeySchedule, tag: bytes, *parts: bytes) -> bool:
    """Tell whether ``tag`` is the digest of the parts. Takes the same time whatever the tag is.

    The guide names two ways to the same digest (p. 251): one call over everything, or the bytes first
    and then an empty call that ends it. They agree except when the message fills its passes
    exactly: then the empty call runs one more pass of zeros. A meter may do either, so both are taken.
    """
    if hmac.compare_digest(tag, digest(schedule, *parts)):
        return True
    size = sum(map(len, parts))
    return size % PASS_SIZE == 0 and hmac.compare_digest(tag, digest(schedule, *parts, bytes(PASS_SIZE)))
