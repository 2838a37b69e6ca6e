"""How a program shows a module that it has the token, before the first byte for the meter.

::

    module:  nes-tap 1 <nonce: 32 hex digits>
    client:  <mode> <proof: 64 hex digits>
    module:  ok              from here on the bytes of the mode
             no <reason>     and the connection is closed

The proof is HMAC-SHA-256 (RFC 2104) by the token over ``nes-tap 1 <mode> <nonce>``. So the token never goes over the network, and a
proof that was overheard is of no use for another nonce. Instead of its first line a module may say ``no`` at once.

This module does not know sockets or clocks; what is random is handed in.
"""

from __future__ import annotations

import binascii
import hashlib
from hmac import compare_digest

from osgp.errors import MisuseError

__all__ = ["BUSY", "LONGEST_LINE", "MODES", "NONCE", "PORT", "RAW", "RFC2217", "WAIT", "WRONG", "Hello", "answer", "hmac_sha256", "nonce_of", "token_bytes"]  # fmt: skip

PORT = 2323
"""Where a module listens, if nothing else is said."""
RAW, RFC2217 = "raw", "rfc2217"
MODES = (RAW, RFC2217)
NONCE = 16
"""Random bytes of one greeting."""
LONGEST_LINE = 128
BUSY, WAIT, WRONG = "busy", "wait", "token"
"""Why a module says no: another program has the line; there were too many wrong guesses; the proof is wrong."""

_NAME = "nes-tap 1"
_BLOCK = 64
_SHORTEST, _LONGEST = 16, 64
_PROOF = 64
"""Letters of a proof."""


def token_bytes(text: str) -> bytes:
    """Return a token as it is used.

    Raises:
        MisuseError: it is none. It does not say what was given.
    """
    text = text.strip()
    if not _SHORTEST <= len(text) <= _LONGEST or any(not 33 <= ord(letter) < 127 for letter in text):  # noqa: PLR2004 - ASCII without blanks
        raise MisuseError(
            f"a token has {_SHORTEST} to {_LONGEST} letters and digits, without blanks. It stands on the label of the module"
        )
    return text.encode()


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """Return what Python's ``hmac`` would, which MicroPython lacks."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    key = key + bytes(_BLOCK - len(key))
    inner = hashlib.sha256(bytes([byte ^ 0x36 for byte in key]) + message).digest()
    return hashlib.sha256(bytes([byte ^ 0x5C for byte in key]) + inner).digest()


def _proof(token: bytes, mode: str, nonce: bytes) -> bytes:
    text = _NAME + " " + mode + " " + _hex(nonce)
    return _hex(hmac_sha256(token, text.encode())).encode()


def _hex(data: bytes) -> str:
    return binascii.hexlify(data).decode()


def nonce_of(line: bytes) -> bytes | None:
    """Return the nonce of a module's first line; None if that is no greeting."""
    words = line.split()
    name = _NAME.encode().split()
    if len(words) != len(name) + 1 or words[: len(name)] != name or len(words[-1]) != 2 * NONCE:
        return None
    try:
        return binascii.unhexlify(words[-1])
    except ValueError:
        return None


def answer(token: bytes, mode: str, nonce: bytes) -> bytes:
    """Return the line that a client answers."""
    return mode.encode() + b" " + _proof(token, mode, nonce) + b"\n"


class Hello:
    """The module's side of one greeting.

    Args:
        token: what the client has to have.
        nonce: random bytes, never used before.
    """

    def __init__(self, token: bytes, nonce: bytes) -> None:
        self._token = token
        self._nonce = nonce
        self._line = b""
        self.line = _NAME.encode() + b" " + _hex(nonce).encode() + b"\r\n"
        """What the module says first."""
        self.mode = ""
        """What the client wants, once it has shown that it has the token."""
        self.wrong = False
        """It has not."""
        self.guessed = False
        """It gave what looks like a proof, right or wrong. The first line of a browser does not, and nobody learns anything by it."""
        self.rest = b""
        """What it sent behind its line."""

    def receive(self, data: bytes) -> None:
        """Take bytes of the client; nothing changes any more after the first line."""
        if self.mode or self.wrong:
            return
        self._line += data
        end = self._line.find(b"\n")
        if end > LONGEST_LINE or (end < 0 and len(self._line) > LONGEST_LINE):
            self.wrong = True
        elif end >= 0:
            self.rest = self._line[end + 1 :]
            self._judge(self._line[:end].split())
        if self.mode or self.wrong:
            self._line = b""

    def _judge(self, words: list[bytes]) -> None:
        given = words[1] if len(words) == 2 else b""  # noqa: PLR2004 - mode and proof
        self.guessed = len(given) == _PROOF
        found = ""
        for mode in MODES:
            # Both are worked out, and compared to the end: how long it takes tells nothing.
            fits = compare_digest(_proof(self._token, mode, self._nonce), given)
            if fits and words[0] == mode.encode():
                found = mode
        self.mode = found
        self.wrong = not found
