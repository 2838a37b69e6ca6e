"""Whom a client trusts over TLS: the authorities that this system knows, or those in a file that somebody named.

The same with every Python: 3.13 began to refuse certificates that only lack marks of RFC 5280 (VERIFY_X509_STRICT), as the
authorities that people make at home and those of printers and small servers do, and to take any certificate that is
trusted for the end of a chain (VERIFY_X509_PARTIAL_CHAIN), as it takes to trust a server's own. Here the first is off and the
second is on, as in curl and in mosquitto's own clients. Who signed, until when and for which name is always checked.
"""

from __future__ import annotations

import ssl
from pathlib import Path

__all__ = ["client_context", "trust_file"]

_DER = (b"\x30\x81", b"\x30\x82")
"""What a certificate in DER begins with: a sequence of more than 127 bytes (X.690, 8.1.3.5)."""

_OTHER_PEM = (
    ("CERTIFICATE REQUEST-----", "a request for a certificate; it takes the certificate that was made from it"),
    ("PRIVATE KEY-----", "a private key; it takes the certificate, and the key should not be in this file"),
    ("PUBLIC KEY-----", "a public key; it takes the certificate"),
    ("PKCS7-----", "a PKCS#7 bundle; unpack it with: openssl pkcs7 -print_certs -in FILE"),
)
"""What people name instead of a certificate, by the end of its first line."""


def client_context(
    ca_file: Path | None = None, *, and_system: bool = False, accept_any: bool = False
) -> ssl.SSLContext:
    """Return how a client checks who a server is.

    Args:
        ca_file: trust the certificates in this file; None: the authorities that this system trusts.
        and_system: trust those of this system besides the ones in ``ca_file``.
        accept_any: check nothing; encrypted, but anybody can pretend to be the server.

    Raises:
        ValueError: ``ca_file`` cannot be used; says why, in half a sentence.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file is None or and_system:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if ca_file is not None:
        trust_file(context, ca_file)
    context.verify_flags = (context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
    if accept_any:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def trust_file(context: ssl.SSLContext, path: Path) -> None:
    """Let a context trust the certificates in a file: authorities, or a server's own; PEM, or one in DER.

    Raises:
        ValueError: the file cannot be used; says why, in half a sentence.
    """
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        _trust_unusual(context, _bytes_of(path))
    except OSError as error:
        raise ValueError(error.strerror or "it cannot be read") from None


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(error.strerror or "it cannot be read") from None


def _trust_unusual(context: ssl.SSLContext, data: bytes) -> None:
    """Take what OpenSSL does not: DER, PEM after a byte order mark, in UTF-16 or indented, as editors leave it."""
    try:
        if data.startswith(_DER):
            context.load_verify_locations(cadata=data)
            return
        text = _text_of(data)
        if "-----BEGIN CERTIFICATE-----" in text:
            lines = (line.strip() for line in text[text.index("-----BEGIN CERTIFICATE-----") :].splitlines())
            context.load_verify_locations(cadata="\n".join(line for line in lines if line.isascii()) + "\n")
            return
    except (ssl.SSLError, ValueError):
        raise ValueError("the certificate in it is damaged or cut off") from None
    other = next((said for mark, said in _OTHER_PEM if mark in text), None)
    raise ValueError(f"it holds no certificate but {other}" if other else "it holds no certificate")


def _text_of(data: bytes) -> str:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    return data.decode("utf-16" if wide else "utf-8-sig", errors="replace")
