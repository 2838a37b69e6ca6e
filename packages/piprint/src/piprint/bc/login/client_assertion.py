"""The proof that we hold a certificate's private key: a signed JWT, sent in the place of a client secret.

Source: Microsoft identity platform, "Application authentication certificate credentials"; JWT is RFC 7519, its signature
RFC 7515, ``PS256`` and ``RS256`` RFC 7518 sections 3.5 and 3.3. Microsoft asks for PS256 with ``x5t#S256``; older
servers (AD FS on-premises) know RS256 with ``x5t``.

The files are read each time, once an hour or so: a renewed certificate needs no restart. ``cryptography`` is imported
when it is needed, so that others need not install it.

This module does not know HTTP, nor what becomes of the proof.
"""

from __future__ import annotations

import base64
import json
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from piprint.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

__all__ = ["assertion"]

_GOOD_FOR = timedelta(minutes=5)
_MOST_BYTES = 1_000_000
"""Of a PEM file; another file was meant above that."""


def assertion(
    certificate: Path,
    key: Path,
    *,
    client_id: str,
    audience: str,
    now: datetime,
    algorithm: Literal["PS256", "RS256"] = "PS256",
) -> str:
    """Sign a client assertion, good for five minutes and for one use.

    Args:
        certificate: PEM file with the certificate.
        key: PEM file with its private key, RSA and without a password.
        client_id: who says so, and of whom.
        audience: the token endpoint it is for.
        now: the clock on the wall.
        algorithm: how to sign, and which thumbprint names the certificate.

    Raises:
        ConfigError: the files cannot be used, do not fit each other, or ``cryptography`` is not installed.
    """
    try:
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - only who uses it needs it
        from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415
    except ImportError:
        raise ConfigError(
            'A login by certificate needs the package cryptography: pip install "piprint[certificate]", on 32-bit Raspberry '
            "Pi OS python3-cryptography (docs/printing.md, Running for years)"
        ) from None
    ours, private = _load(certificate, key)
    if algorithm == "PS256":
        thumbprint = {"x5t#S256": _base64url(ours.fingerprint(hashes.SHA256()))}
        how: padding.PSS | padding.PKCS1v15 = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    else:
        thumbprint = {"x5t": _base64url(ours.fingerprint(hashes.SHA1()))}  # noqa: S303 - a name, no protection
        how = padding.PKCS1v15()
    claims = {
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "jti": str(uuid.uuid4()),
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()),
        "exp": int((now + _GOOD_FOR).timestamp()),
    }
    parts = ({"alg": algorithm, "typ": "JWT", **thumbprint}, claims)
    text = ".".join(_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    return f"{text}.{_base64url(private.sign(text.encode(), how, hashes.SHA256()))}"


def _load(certificate: Path, key: Path) -> tuple[Certificate, RSAPrivateKey]:
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        ours = x509.load_pem_x509_certificate(_bytes(certificate))
    except ValueError:
        raise ConfigError(f"login.certificate {certificate} is no certificate in PEM form") from None
    try:
        private = load_pem_private_key(_bytes(key), password=None)
    except (ValueError, TypeError) as error:
        why = "is locked by a password; store it without one, readable only by the service"
        if not isinstance(error, TypeError):
            why = "is no private key in PEM form"
        raise ConfigError(f"login.key {key} {why}") from None
    if not isinstance(private, RSAPrivateKey):
        raise ConfigError(f"login.key {key} is no RSA key; Microsoft Entra takes RSA only")
    if ours.public_key() != private.public_key():
        raise ConfigError(f"login.key {key} is not the key of the certificate {certificate}")
    return ours, private


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
