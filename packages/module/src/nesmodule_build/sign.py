"""Makes a signed package of what a slot holds: what is uploaded to a module as an update.

This module does not know how it gets there. :mod:`nesmodule.updates.package` says what is in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from nesmodule.updates.package import MAGIC
from nesmodule.updates.slots import LIST

__all__ = ["Signer", "modulus_of", "package_of", "rsa_signer"]


class Signer(Protocol):
    """Signs bytes."""

    def __call__(self, data: bytes, /) -> bytes:
        """Return the signature."""


def package_of(slot: Path, signer: Signer) -> bytes:
    """Return the package of a slot's folder, which has its list."""
    listed = (slot / LIST).read_bytes()
    signature = signer(listed)
    names = [line.split(" ")[2] for line in listed.decode().splitlines()[1:]]
    lengths = len(listed).to_bytes(2, "big") + len(signature).to_bytes(2, "big")
    return MAGIC + lengths + listed + signature + b"".join((slot / name).read_bytes() for name in names)


def rsa_signer(private_key: bytes) -> Signer:
    """Return what signs with a private key of RSA in PEM, without a pass phrase."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - only who signs needs it
    from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415

    key = _loaded(private_key)

    def sign(data: bytes) -> bytes:
        signature: bytes = key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return signature

    return sign


def modulus_of(private_key: bytes) -> bytes:
    """Return the modulus of its public key: what a module knows of it."""
    key = _loaded(private_key)
    number: int = key.public_key().public_numbers().n
    return number.to_bytes(key.key_size // 8, "big")


def _loaded(private_key: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    key: Any = load_pem_private_key(private_key, None)
    if key.key_size < 3072 or key.public_key().public_numbers().e != 65_537:  # noqa: PLR2004
        raise ValueError(
            "the key must be RSA of at least 3072 bits with the exponent 65537: openssl genrsa -out KEY.pem 3072"
        )
    return key
