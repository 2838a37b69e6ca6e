"""Every error this library raises, and whose fault it is.

One root, :class:`OsgpError`; its children say which side has to act, so that a
program can decide (wait, retry, ask the owner) without reading the text:

==========================  ==========================================  ===============
error                       what happened                               who can mend it
==========================  ==========================================  ===============
:class:`TransportError`     the port or socket is gone or refused       cable, host
:class:`MeterSwapped`       another meter answers at this port          open it anew
:class:`ResponseTimeout`    the meter is silent                         cable, meter
:class:`CorruptFrame`       bytes arrived that no meter would send      cable
:class:`DigestMismatch`     a reply is not signed with our key          cable, attacker
:class:`KeyRejected`        the meter says our digest is wrong (0x0B)   the owner's key
:class:`PasswordRefused`    the optical port refused the key, for good  the owner's key
:class:`LinkRefused`        the meter refuses to talk, not a table      line, other client
:class:`TlsError`           a TLS session broke or did not come about   cable, attacker
:class:`TlsUnavailable`     the meter speaks no TLS, or no more         the owner
:class:`SequenceLost`       the meter keeps refusing our number (0x0C)  another client
:class:`TablesChanging`     the meter changes while it is read          ask again
:class:`WriteUncertain`     a write got no answer                       read it back
:class:`MeterRefused`       the meter understood and said no            the request
:class:`TableError`         table bytes do not fit their description    us, new firmware
:class:`MisuseError`        this program called the library wrongly     the caller
:class:`IllegalMove`        a link broke its own table of states        us
==========================  ==========================================  ===============

The texts are written for the meter's owner: what happened, what it means, what
to do next. They never contain a key.

This module does not know how any of these come about.
"""

from __future__ import annotations

__all__ = [
    "CorruptFrame",
    "DigestMismatch",
    "IllegalMove",
    "KeyFormatError",
    "KeyRejected",
    "LinkError",
    "LinkRefused",
    "MeterRefused",
    "MeterSwapped",
    "MisuseError",
    "OsgpError",
    "PasswordRefused",
    "PortBusy",
    "PortMissing",
    "PortPermission",
    "ResponseTimeout",
    "SequenceLost",
    "TableError",
    "TablesChanging",
    "TlsError",
    "TlsUnavailable",
    "TransportError",
    "WriteUncertain",
    "WritesNotAllowed",
    "WritesTooOften",
]


class OsgpError(Exception):
    """Root of all errors of this library."""


class MisuseError(OsgpError):
    """The calling program broke a rule of this library; nothing was sent."""


class WritesNotAllowed(MisuseError):
    """A write or procedure was asked for without the ``allow_writes`` capability."""


class WritesTooOften(MisuseError):
    """A write or procedure was asked for sooner than the meter's memory bears (MEP guide v1.1 p. 44, 51); nothing was sent.

    ``wait`` is in how many seconds it may be tried again; None: never, it takes too many writes at once.
    """

    def __init__(self, message: str, wait: float | None) -> None:
        super().__init__(message)
        self.wait = wait


class KeyFormatError(MisuseError):
    """A key text has none of the forms a grid company hands out."""


class TransportError(OsgpError):
    """The serial port or the network connection cannot be used (any more)."""


class PortMissing(TransportError):
    """There is no such port or nobody listens at that address."""


class PortPermission(TransportError):
    """The operating system does not let this user open the port."""


class PortBusy(TransportError):
    """Another program holds the port."""


class MeterSwapped(TransportError):
    """Another meter answers than before on the same connection.

    Its values are not given out as those of the old one: open the port anew, or ask who it is first.
    """


class LinkError(OsgpError):
    """The line works but a message did not make it across."""


class ResponseTimeout(LinkError):
    """No reply, although the request was sent again as the guide asks."""


class CorruptFrame(LinkError):
    """What arrived cannot be a frame of this protocol."""


class DigestMismatch(LinkError):
    """A reply arrived whose digest does not verify; its content was dropped."""


class LinkRefused(LinkError):
    """The meter refused, but not what was asked for: it lost the session, is busy, or finds our requests damaged."""


class TlsError(LinkError):
    """The TLS session with the meter broke, or did not come about."""


class TlsUnavailable(TlsError):
    """The meter does not answer in TLS, although it was asked to: it never did, or it does no more."""


class SequenceLost(LinkError):
    """The meter refused our sequence number more often than a lost frame explains."""


class TablesChanging(LinkError):
    """What was read cannot be given out: nothing confirms how the meter's tables were laid out meanwhile."""


class WriteUncertain(LinkError):
    """A write got no answer; the meter may have carried it out or not. Read back before writing again."""


class KeyRejected(OsgpError):
    """The meter could not verify our digest, again and again (response 0x0B)."""


class PasswordRefused(KeyRejected):
    """The meter refused the key of its optical port. It is never shown again by itself: the meter may lock the port."""


class MeterRefused(OsgpError):
    """The meter answered with a response code other than ok.

    ``code`` is the response code as sent (MEP guide v1.1, p. 10-11, table 2.5).
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class TableError(OsgpError):
    """Table data contradict the table's description (too short, impossible count)."""


class IllegalMove(OsgpError):
    """A link was about to do what its table of states does not allow: a mistake of this library."""
