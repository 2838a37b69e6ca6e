"""The client's end of a MEP line that finds out itself whether the meter speaks TLS.

The guide strongly suggests TLS where a meter has it (MEP guide v1.1 p. 6), but nothing that could be read beforehand says
so: the tables that tell (ET89, ET97) stand behind the same port. So the first request begins with a TLS hello. Who answers
it in TLS is talked to in TLS, and never in RC4 mode again: somebody on the line could have made the difference. Who refuses it,
or is silent, is asked in RC4 mode; if that is answered, TLS is not asked about again for a day.

In RC4 mode requests are not encrypted. No encrypted message is printed anywhere, and no reader in the field encrypts;
who wants it says so (:attr:`~osgp.mep.security.Security.RC4`).

This module does not know how either mode works.
"""

from __future__ import annotations

from dataclasses import replace

from osgp.errors import KeyRejected, ResponseTimeout, TlsUnavailable
from osgp.mep.client import MepClient
from osgp.mep.events import ClientEvent, RequestFailed, ResponseReceived, Retried, SecurityChosen, TlsSessionOpened
from osgp.mep.security import Security, SecuritySeen
from osgp.mep.tls_client import TlsClient
from osgp.mep.tls_failures import downgraded
from osgp.psem import PartialRead, Read, Request

__all__ = ["ChoosingClient"]

ASK_AGAIN = 24 * 3600.0
"""Seconds after which a meter that answers in RC4 mode is asked about TLS again: its firmware may be a new one."""


class ChoosingClient:
    """A client's end of the line. It is used as :class:`osgp.mep.client.MepClient` is.

    Args:
        tls: asks in TLS mode; None where this computer has no library for it.
        rc4: asks in RC4 mode.
        seen: what was seen at this port before; is kept up to date.
    """

    def __init__(self, tls: TlsClient | None, rc4: MepClient, seen: SecuritySeen) -> None:
        self._tls = tls
        self._rc4 = rc4
        self._seen = seen
        self._now: TlsClient | MepClient = tls or rc4
        self._chosen: Security | None = None
        self._asked = False
        """TLS was tried for the request under way."""
        self._declined = False
        """The meter declined TLS, or was silent, and has not answered in RC4 mode yet."""
        self._request: Request = Read(0)

    @property
    def chosen(self) -> Security | None:
        """How the meter is talked to; None as long as it has answered nothing."""
        return self._chosen

    @property
    def busy(self) -> bool:
        """Tell whether a request is under way."""
        return self._now.busy

    @property
    def quiet(self) -> bool:
        """Tell whether no TLS session is open, and nothing under way in one."""
        return self._tls is None or self._tls.quiet

    @property
    def proven(self) -> bool:
        """Tell whether the meter has shown that it has our key."""
        return self._rc4.proven or (self._tls is not None and self._tls.proven)

    def request(self, request: Request, now: float) -> None:
        """Ask. The answer comes as :class:`ResponseReceived` or :class:`RequestFailed`, exactly one of them.

        Raises:
            MisuseError: a request is under way, or this one does not fit a frame.
        """
        self._request = request
        if self._chosen is None:
            self._now = self._rc4 if self._tls is None or self._is_known_for_rc4(now) else self._tls
        self._asked = self._now is self._tls
        self._now.request(request, now)

    def abandon(self) -> None:
        """Forget the request under way."""
        self._now.abandon()

    def close(self, now: float) -> None:
        """Forget the request under way and end the TLS session, if there may be one."""
        self._rc4.abandon()
        if self._tls is not None:
            self._tls.close(now)

    def bytes_to_send(self) -> bytes:
        """Return what has to go out now."""
        return self._now.bytes_to_send()

    def deadline(self) -> float | None:
        """Return when :meth:`expire` must be called at the latest; None: not before something else happens."""
        return self._now.deadline()

    def expire(self, now: float) -> list[ClientEvent]:
        """Act on the time that has passed. Calling too early or too often does no harm."""
        return self._heard(self._now.expire(now), now)

    def receive(self, data: bytes, now: float) -> list[ClientEvent]:
        """Take bytes from the line, in chunks of any size."""
        return self._heard(self._now.receive(data, now), now)

    def _heard(self, events: list[ClientEvent], now: float) -> list[ClientEvent]:
        told: list[ClientEvent] = []
        for event in events:
            match event:
                case TlsSessionOpened():
                    told.append(event)
                    self._choose(Security.TLS, "the meter answered in TLS", told)
                case ResponseReceived() if self._now is self._rc4:
                    self._choose(Security.RC4_PLAIN, self._why_rc4, told)
                    if self._declined:
                        self._seen.rc4_at, self._declined = now, False
                    told.append(event)
                case Retried() if self._now is self._tls and not self._tls.spoke_tls:
                    told.append(replace(event, ordinary=True))
                case RequestFailed(error=TlsUnavailable() | ResponseTimeout()) if self._may_leave_tls():
                    self._now, self._declined = self._rc4, True
                    self._now.request(self._request, now)
                case RequestFailed(error=TlsUnavailable()) if self._seen.tls:
                    told.append(RequestFailed(event.request, downgraded()))
                case RequestFailed(error=KeyRejected()) if self._may_have_tls_now():
                    self._seen.rc4_at = self._chosen = None
                    self._now, self._asked = self._tls or self._rc4, True
                    self._now.request(self._request, now)
                case RequestFailed() if self._now is self._rc4 and self._knows_nothing(event):
                    # Perhaps a meter that was not there: next time it is asked again.
                    self._chosen = None
                    told.append(event)
                case _:
                    told.append(event)
        return told

    def _is_known_for_rc4(self, now: float) -> bool:
        answered = self._seen.rc4_at
        return not self._seen.tls and answered is not None and now - answered < ASK_AGAIN

    def _may_leave_tls(self) -> bool:
        return isinstance(self._now, TlsClient) and not self._now.spoke_tls and not self._seen.tls

    def _may_have_tls_now(self) -> bool:
        """Tell whether a refusal in RC4 mode can be that of a meter that requires TLS since it was last asked.

        A write is not tried in both modes: nothing proves that it was not carried out in the first.
        """
        is_read = isinstance(self._request, Read | PartialRead)
        return self._now is self._rc4 and self._tls is not None and not self._asked and is_read

    def _knows_nothing(self, failed: RequestFailed) -> bool:
        """Tell whether a failure in RC4 mode leaves open what the meter speaks: a silent line is no meter without TLS."""
        if isinstance(failed.error, KeyRejected):
            self._seen.rc4_at = None
        return self._chosen is None or isinstance(failed.error, KeyRejected)

    @property
    def _why_rc4(self) -> str:
        if self._tls is None:
            return "TLS was not tried: cryptography is not installed"
        return (
            "the meter did not answer in TLS"
            if self._declined
            else "the meter did not answer in TLS less than a day ago"
        )

    def _choose(self, security: Security, why: str, told: list[ClientEvent]) -> None:
        if self._chosen is not security:
            self._chosen = security
            told.append(SecurityChosen(security, why))
