"""Keys and lists of packages for tests."""

import hashlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def pem():
    key = rsa.generate_private_key(65_537, 3072)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def listed(files, number):
    lines = [f"{hashlib.sha256(data).hexdigest()} {len(data)} {name}" for name, data in files.items()]
    return "".join(f"{line}\n" for line in (f"number {number}", *lines)).encode()
