"""TLS 1.2 with a key both sides have, in the one form that meters speak, both ends, sans-IO.

A MEP port can require TLS (MEP guide v1.1 p. 8-9, 14-15, 18-19): version 1.2, cipher suite TLS_PSK_WITH_AES_256_GCM_SHA384
(0x00A9), no session cache. No library that Python can load everywhere carries the guide's identity, which holds a zero
byte (docs/decisions/dependencies.md); so the messages are written here. What is cryptography, AES-GCM, HMAC and SHA-384,
stays with the libraries. There are no certificates, nothing is negotiated, and no session is resumed.

:mod:`~osgp.mep.tls.handshake` opens a :class:`~osgp.mep.tls.session.Session`, which seals and opens messages. RFC 5246 is TLS 1.2,
RFC 4279 its pre-shared keys, RFC 5487 the suite, RFC 5288 AES-GCM in TLS, RFC 5746 the signal against renegotiation.

This package is for the line to a meter and nothing else. It does not know frames of the MEP port, time, or how bytes travel.
"""
