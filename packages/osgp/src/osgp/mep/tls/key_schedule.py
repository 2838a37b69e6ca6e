"""From the shared key to the keys of a session, and to the proofs that end a handshake.

RFC 4279 section 2 makes the *premaster secret* of the shared key; RFC 5246 sections 5, 6.3, 7.4.9 and 8.1 make the rest of it, with
the function PRF, here over HMAC-SHA-384 as the suite says (RFC 5487 section 3.1). HMAC and hash are Python's own.

Nothing here shows a secret in its ``repr``. Python cannot wipe memory: secrets are dropped as soon as they are used, and
that is all that can be done.

This module does not know messages or records.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

__all__ = [
    "HASH",
    "VERIFY_SIZE",
    "DirectionKeys",
    "SessionKeys",
    "expand",
    "master_secret",
    "session_keys",
    "verify_data",
]

HASH = "sha384"
"""What the suite hashes with."""

VERIFY_SIZE = 12
"""Bytes of the proof in Finished (RFC 5246 section 7.4.9)."""

_MASTER_SIZE = 48
_KEY_SIZE = 32
_IV_SIZE = 4


class DirectionKeys(NamedTuple):
    """What protects the records of one direction."""

    key: bytes
    """32 bytes for AES-256."""
    iv: bytes
    """4 bytes that begin each nonce (RFC 5288 section 3)."""

    def __repr__(self) -> str:
        return "DirectionKeys(not shown)"


class SessionKeys(NamedTuple):
    """The keys of both directions."""

    client: DirectionKeys
    server: DirectionKeys


def expand(secret: bytes, label: bytes, seed: bytes, size: int) -> bytes:
    """Return ``size`` bytes of PRF(secret, label, seed), RFC 5246 section 5."""
    seed = label + seed
    out = b""
    chained = seed
    while len(out) < size:
        chained = hmac.digest(secret, chained, HASH)
        out += hmac.digest(secret, chained + seed, HASH)
    return out[:size]


def master_secret(psk: bytes, client_random: bytes, server_random: bytes) -> bytes:
    """Return the 48-byte master secret of a handshake.

    Args:
        psk: the shared key.
        client_random: 32 bytes of ClientHello.
        server_random: 32 bytes of ServerHello.
    """
    size = len(psk).to_bytes(2, "big")
    # RFC 4279 section 2: where a key exchange would put its secret stand as many zeros as the key has bytes.
    premaster = size + bytes(len(psk)) + size + psk
    return expand(premaster, b"master secret", client_random + server_random, _MASTER_SIZE)


def session_keys(master: bytes, client_random: bytes, server_random: bytes) -> SessionKeys:
    """Return the keys of a session (RFC 5246 section 6.3; AEAD suites have no MAC keys)."""
    block = expand(master, b"key expansion", server_random + client_random, 2 * (_KEY_SIZE + _IV_SIZE))
    ivs = block[2 * _KEY_SIZE :]
    return SessionKeys(
        DirectionKeys(block[:_KEY_SIZE], ivs[:_IV_SIZE]),
        DirectionKeys(block[_KEY_SIZE : 2 * _KEY_SIZE], ivs[_IV_SIZE:]),
    )


def verify_data(master: bytes, label: bytes, transcript_hash: bytes) -> bytes:
    """Return the proof of one side: that it has the key, and saw the same messages.

    Args:
        master: the master secret.
        label: ``client finished`` or ``server finished``.
        transcript_hash: the hash of all handshake messages so far.
    """
    return expand(master, label, transcript_hash, VERIFY_SIZE)
