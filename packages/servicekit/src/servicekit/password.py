"""Passwords as scrypt hashes: made, read, compared.

The text form is ``scrypt:N:r:p:SALT:HASH`` (salt and hash in base64url), so a configuration
file can hold a hash instead of the password. This module does not know who logs in.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass

__all__ = ["PasswordHash"]

_PREFIX = "scrypt"
_COST, _BLOCK, _PARALLEL = 2**14, 8, 1
"""About 16 MB and 50 ms on a Raspberry Pi 4: dear for who guesses, cheap for who knows."""
_MAX_MEMORY = 64 * 1024 * 1024
_LENGTH = 32
_BOUNDS = {"N": (2**12, 2**15), "r": (1, 16), "p": (1, 4)}


@dataclass(frozen=True, slots=True, repr=False)
class PasswordHash:
    """What is kept of a password."""

    cost: int
    block: int
    parallel: int
    salt: bytes
    hash: bytes

    @classmethod
    def of(cls, password: str, salt: bytes | None = None) -> PasswordHash:
        """Hash a password with a new random salt."""
        salt = secrets.token_bytes(16) if salt is None else salt
        return cls(_COST, _BLOCK, _PARALLEL, salt, _scrypt(password, _COST, _BLOCK, _PARALLEL, salt))

    @staticmethod
    def is_one(text: str) -> bool:
        """Tell whether a text means to be a hash rather than a password."""
        return text.startswith(f"{_PREFIX}:") and text.count(":") == 5  # noqa: PLR2004 - the five fields

    @classmethod
    def parse(cls, text: str) -> PasswordHash:
        """Read the text form.

        Raises:
            ValueError: it is damaged, or its costs are outside of what this program will pay.
        """
        try:
            prefix, *costs, salt, digest = text.strip().split(":")
            cost, block, parallel = (int(number) for number in costs)
            hash_ = cls(cost, block, parallel, _decode(salt), _decode(digest))
        except (ValueError, binascii.Error) as error:
            raise ValueError(
                "password: the scrypt hash is damaged; make a new one by the command hash-password"
            ) from error
        within = all(
            low <= value <= high for value, (low, high) in zip((cost, block, parallel), _BOUNDS.values(), strict=True)
        )
        if prefix != _PREFIX or not within or cost & (cost - 1) or len(hash_.hash) != _LENGTH or not hash_.salt:
            raise ValueError(
                "password: the scrypt hash has unusable costs; make a new one by the command hash-password"
            )
        return hash_

    def __str__(self) -> str:
        fields = (_PREFIX, self.cost, self.block, self.parallel, _encode(self.salt), _encode(self.hash))
        return ":".join(str(field) for field in fields)

    def __repr__(self) -> str:
        return "PasswordHash()"

    def matches(self, password: str) -> bool:
        """Compare in constant time. Takes as long as hashing does: call it in a thread."""
        return hmac.compare_digest(self.hash, _scrypt(password, self.cost, self.block, self.parallel, self.salt))


def _scrypt(password: str, cost: int, block: int, parallel: int, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=parallel, maxmem=_MAX_MEMORY, dklen=_LENGTH)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
