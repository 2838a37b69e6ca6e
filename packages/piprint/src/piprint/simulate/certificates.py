"""A certificate authority and a server certificate made at start, and the check of client assertions.

Needs ``cryptography`` (``piprint[certificate]``). The keys live in a folder of the stand-in's and die with it.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import ssl
from base64 import urlsafe_b64decode
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from piprint.clock import utc_now

__all__ = ["assertion_holds", "make_authority"]

_DAY = dt.timedelta(days=1)


def make_authority(folder: Path, hosts: tuple[str, ...]) -> tuple[Path, ssl.SSLContext]:
    """Make an authority and a server certificate.

    Args:
        folder: where the files go; private.
        hosts: names and addresses the certificate is for.

    Returns:
        the authority's PEM file, for clients, and the server's TLS context.
    """
    now = utc_now()
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("piprint stand-in authority")
    authority = (
        _builder(ca_name, ca_name, ca_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    certificate = (
        _builder(_name(hosts[0]), ca_name, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    ca_file, pair = folder / "authority.pem", folder / "server.pem"
    ca_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    pair.touch(mode=0o600)
    pair.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    return ca_file, context


def assertion_holds(assertion: str, certificate: bytes, client_id: str, audience: str, moment: dt.datetime) -> bool:
    """Check a client assertion (RFC 7523, 3): signed with the certificate, by this client, for this endpoint, now.

    Args:
        assertion: the JWT.
        certificate: PEM.
        client_id: must be issuer and subject.
        audience: the token endpoint's URL.
        moment: the server's time.
    """
    try:
        head, claims, signature = assertion.split(".")
        header, told = json.loads(_decode(head)), json.loads(_decode(claims))
        key = x509.load_pem_x509_certificate(certificate).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            return False
        filling: padding.AsymmetricPadding = {
            "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH),
            "RS256": padding.PKCS1v15(),
        }[header["alg"]]
        key.verify(_decode(signature), f"{head}.{claims}".encode(), filling, hashes.SHA256())
        skew = 300
        return (
            told["iss"] == told["sub"] == client_id
            and told["aud"] == audience
            and float(told.get("nbf", 0)) - skew <= moment.timestamp() < float(told["exp"]) + skew
        )
    except (ValueError, KeyError, TypeError, InvalidSignature):
        return False


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + 30 * _DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
