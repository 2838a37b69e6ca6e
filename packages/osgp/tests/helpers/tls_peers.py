"""TLS by other people, for tests: GnuTLS and Mbed TLS, each as a client and as a meter, without sockets.

GnuTLS is Debian's libgnutls30, called through ctypes: no binding for Python carries the identity. Mbed TLS, which the guide
says the meters use (MEP guide v1.1 p. 18), comes with python-mbedtls; it has wheels for Python 3.11 on x86-64 only, takes
an identity as text, so only bytes below 0x80 get through, and is an optional second opinion elsewhere.

A peer is fed what the other side sent and gives what it wants to send, as a stream; :class:`Flights` cuts that into what one frame of a MEP
port carries.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

__all__ = ["PEERS", "Flights", "GnuTls", "MbedTls", "PeerError"]

HAS_MBEDTLS = sys.version_info[:2] == (3, 11) and platform.machine() == "x86_64"
if HAS_MBEDTLS:  # and if it is missing there, that is an error
    from mbedtls import tls
    from mbedtls.exceptions import TLSError

_SUITES = b"NONE:+VERS-TLS1.2:+AEAD:+AES-256-GCM:+PSK:+SIGN-ALL:+COMP-NULL:%NO_EXTENSIONS"


class PeerError(Exception):
    """The other stack ended the handshake or the session."""


class Flights:
    """Cuts a stream of records into flights."""

    def __init__(self) -> None:
        self._data = b""
        self._flight = b""
        self._sealed = False

    def feed(self, data: bytes) -> list[bytes]:
        """Return the flights that ``data`` completed."""
        self._data += data
        done = []
        while len(self._data) >= 5:
            end = 5 + int.from_bytes(self._data[3:5], "big")
            if len(self._data) < end:
                break
            record, self._data = self._data[:end], self._data[end:]
            self._flight += record
            if self._ends(record):
                done.append(self._flight)
                self._flight = b""
        return done

    def _ends(self, record: bytes) -> bool:
        kind = record[0]
        if kind == 20:
            self._sealed = True
            return False
        if kind == 22 and not self._sealed:
            return any(kind in {1, 14} for kind in self._messages(record[5:]))
        return True

    @staticmethod
    def _messages(data: bytes) -> list[int]:
        kinds = []
        while data:
            kinds.append(data[0])
            data = data[4 + int.from_bytes(data[1:4], "big") :]
        return kinds


class _Datum(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_uint))


_PUSH = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_PULL = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_KEY_OF = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_Datum), ctypes.POINTER(_Datum))
_MALLOC = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_size_t)


class GnuTls:
    """One end of a session by GnuTLS.

    Args:
        keys: for a client one identity and its key, for a meter all.
        server: which end.
    """

    _CLIENT, _SERVER, _PSK_CREDENTIALS, _AGAIN, _INTERRUPTED = 2, 1, 4, -28, -52

    def __init__(self, keys: Mapping[bytes, bytes], *, server: bool) -> None:
        self._lib = lib = ctypes.CDLL("libgnutls.so.30")
        for name in ("gnutls_record_send", "gnutls_record_recv"):
            getattr(lib, name).restype = ctypes.c_ssize_t
            getattr(lib, name).argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
        lib.gnutls_strerror.restype = ctypes.c_char_p
        self._keys = dict(keys)
        self._in, self._out = b"", b""
        self._session = ctypes.c_void_p()
        self._done(lib.gnutls_init(ctypes.byref(self._session), self._SERVER if server else self._CLIENT))
        self._done(lib.gnutls_priority_set_direct(self._session, _SUITES, None))
        self._credentials = ctypes.c_void_p()
        # ctypes forgets callbacks that nobody holds.
        self._callbacks: list[Any] = [_PUSH(self._push), _PULL(self._pull), _KEY_OF(self._key_of)]
        if server:
            self._done(lib.gnutls_psk_allocate_server_credentials(ctypes.byref(self._credentials)))
            lib.gnutls_psk_set_server_credentials_function2(self._credentials, self._callbacks[2])
        else:
            self._done(lib.gnutls_psk_allocate_client_credentials(ctypes.byref(self._credentials)))
            ((identity, key),) = keys.items()
            who, what = self._datum(identity), self._datum(key)
            self._done(
                lib.gnutls_psk_set_client_credentials2(self._credentials, ctypes.byref(who), ctypes.byref(what), 0)
            )
        self._done(lib.gnutls_credentials_set(self._session, self._PSK_CREDENTIALS, self._credentials))
        lib.gnutls_transport_set_push_function(self._session, self._callbacks[0])
        lib.gnutls_transport_set_pull_function(self._session, self._callbacks[1])

    def exchange(self, data: bytes = b"") -> bytes:
        """Take what the other side sent in the handshake; return what it is to get."""
        self._in += data
        code = self._lib.gnutls_handshake(self._session)
        out, self._out = self._out, b""
        if code not in {0, self._AGAIN, self._INTERRUPTED} and not out:
            raise PeerError(self._lib.gnutls_strerror(code).decode())
        return out

    def seal(self, message: bytes) -> bytes:
        """Return a message as the other side is to get it."""
        self._done(self._lib.gnutls_record_send(self._session, message, len(message)))
        out, self._out = self._out, b""
        return out

    def open(self, data: bytes) -> bytes:
        """Return the message that the other side sent."""
        self._in += data
        buffer = ctypes.create_string_buffer(1024)
        size = self._done(self._lib.gnutls_record_recv(self._session, buffer, len(buffer)))
        return buffer.raw[:size]

    def _done(self, code: int) -> int:
        if code < 0:
            raise PeerError(self._lib.gnutls_strerror(code).decode())
        return code

    def _datum(self, data: bytes) -> _Datum:
        held = ctypes.create_string_buffer(data, len(data))
        datum = _Datum(ctypes.cast(held, ctypes.c_void_p), len(data))
        datum.held = held
        return datum

    def _push(self, _transport: int, data: int, size: int) -> int:
        self._out += ctypes.string_at(data, size)
        return size

    def _pull(self, _transport: int, room: int, size: int) -> int:
        if not self._in:
            self._lib.gnutls_transport_set_errno(self._session, errno.EAGAIN)
            return -1
        part, self._in = self._in[:size], self._in[size:]
        ctypes.memmove(room, part, len(part))
        return len(part)

    def _key_of(self, _session: int, user: Any, key: Any) -> int:
        found = self._keys.get(ctypes.string_at(user.contents.data, user.contents.size))
        if found is None:
            return -1
        place = _MALLOC.in_dll(self._lib, "gnutls_malloc")(len(found))
        ctypes.memmove(place, found, len(found))
        key.contents.data, key.contents.size = place, len(found)
        return 0


class MbedTls:
    """One end of a session by Mbed TLS; arguments as of :class:`GnuTls`."""

    def __init__(self, keys: Mapping[bytes, bytes], *, server: bool) -> None:
        names = {identity.decode("ascii"): key for identity, key in keys.items()}
        settings: dict[str, Any] = {
            "validate_certificates": False,
            "ciphers": ("TLS-PSK-WITH-AES-256-GCM-SHA384",),
            "lowest_supported_version": tls.TLSVersion.TLSv1_2,
            "highest_supported_version": tls.TLSVersion.TLSv1_2,
        }
        if server:
            self._tls = tls.ServerContext(tls.TLSConfiguration(pre_shared_key_store=names, **settings)).wrap_buffers()
        else:
            ((name, key),) = names.items()
            # None and not "": that would go out as an empty server name.
            self._tls = tls.ClientContext(tls.TLSConfiguration(pre_shared_key=(name, key), **settings)).wrap_buffers(
                None
            )

    def exchange(self, data: bytes = b"") -> bytes:
        """Take what the other side sent in the handshake; return what it is to get."""
        if data:
            self._tls.receive_from_network(data)
        out = b""
        for _ in range(30):  # a step each
            try:
                self._tls.do_handshake()
            except (tls.WantReadError, tls.WantWriteError):
                pass
            except ValueError:
                break  # it was over before
            except TLSError as error:
                out += self._outgoing()
                if not out:
                    raise PeerError(str(error)) from error
                break
            out += self._outgoing()
        return out + self._outgoing()

    def seal(self, message: bytes) -> bytes:
        """Return a message as the other side is to get it."""
        self._tls.write(message)
        return self._outgoing()

    def open(self, data: bytes) -> bytes:
        """Return the message that the other side sent."""
        self._tls.receive_from_network(data)
        try:
            return bytes(self._tls.read(1024))
        except TLSError as error:
            raise PeerError(str(error)) from error

    def _outgoing(self) -> bytes:
        out = b""
        with suppress(BlockingIOError):
            while part := bytes(self._tls.peek_outgoing(4096)):
                self._tls.consume_outgoing(len(part))
                out += part
        return out


PEERS: dict[str, Callable[..., GnuTls | MbedTls]] = {"GnuTLS": GnuTls}
"""The stacks that run on this computer."""
if HAS_MBEDTLS:
    PEERS["Mbed TLS"] = MbedTls
