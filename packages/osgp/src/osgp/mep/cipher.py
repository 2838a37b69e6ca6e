"""RC4, and how a message pair gets its RC4 key.

The key of a message is made in two steps (MEP guide v1.1, appendix B, p. 256-257). Once for a meter key: a
printed constant, run through RC4 under the meter key, gives the *encryption key*. For each request: its
first eight bytes, xor the request's digest, give the *message key*. One RC4 state, set up with the
message key, runs over the request's body and sequence number and goes on over the response's body.
Length and digest stay in clear; the digest is always that of the plain text.

RC4 is encryption in name only; the guide itself "highly discourages" it. It is here because meters ask
for it, not to protect anything. Pure Python is enough: 60 bytes take less than a thousandth of their time on the line.

This module does not know about frames or sequence numbers.
"""

from __future__ import annotations

__all__ = ["RC4", "encryption_key", "message_cipher"]

_CONSTANT = bytes.fromhex("388B8FBC36A8558587AFC90FB23A3B99")
"""MEP guide v1.1 p. 257."""

_STATE = 256
_DIGEST_SIZE = 8


class RC4:
    """The stream cipher. Applying it to plain text encrypts, to cipher text decrypts.

    Args:
        key: 16 bytes.
    """

    __slots__ = ("_i", "_j", "_state")

    def __init__(self, key: bytes) -> None:
        state = list(range(_STATE))
        j = 0
        for i, k in enumerate(key * (_STATE // len(key))):
            j = j + state[i] + k & 255
            state[i], state[j] = state[j], state[i]
        self._state = state
        self._i = self._j = 0

    def copy(self) -> RC4:
        """Return a cipher that goes on from here on its own."""
        twin = RC4.__new__(RC4)
        twin._state, twin._i, twin._j = self._state.copy(), self._i, self._j  # noqa: SLF001 - one of us
        return twin

    def apply(self, data: bytes) -> bytes:
        """Encrypt or decrypt the next bytes."""
        state, i, j = self._state, self._i, self._j
        out = bytearray(data)
        for place, byte in enumerate(data):
            i = i + 1 & 255
            x = state[i]
            j = j + x & 255
            y = state[j]
            state[i], state[j] = y, x
            out[place] = byte ^ state[x + y & 255]
        self._i, self._j = i, j
        return bytes(out)


def encryption_key(key: bytes) -> bytes:
    """Return the 16-byte encryption key of a 16-byte meter key."""
    return RC4(key).apply(_CONSTANT)


def message_cipher(key: bytes, request_digest: bytes) -> RC4:
    """Return the cipher for one request and its response.

    Args:
        key: what :func:`encryption_key` returned.
        request_digest: the eight bytes that end the request.
    """
    head = int.from_bytes(key[:_DIGEST_SIZE], "big") ^ int.from_bytes(request_digest, "big")
    return RC4(head.to_bytes(_DIGEST_SIZE, "big") + key[_DIGEST_SIZE:])
