"""A POST with JSON for each thing that is told. No redirect is followed, certificates are verified, everything ends in time.

This module does not know when something is told.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import ssl
from collections.abc import Sequence
from functools import partial
from urllib.parse import urlsplit

from nes2mqtt import __version__
from nes2mqtt.alerts.channels.apart import Apart
from nes2mqtt.alerts.channels.courier import Undelivered
from nes2mqtt.alerts.config import WebhookConfig
from nes2mqtt.alerts.telling import Telling
from nes2mqtt.alerts.words import AlertWords
from servicekit.tls import client_context

__all__ = ["Webhook"]

_TIMEOUT = 15.0
"""Seconds without a byte."""
_LIMIT = 60.0
"""Seconds for all of it."""
_GOOD, _TOO_MANY, _TIMED_OUT = range(200, 300), 429, 408


class Webhook:
    """Brings what is told to an address.

    Args:
        config: its section.
        words: in which it is told.
        gateway: the name of this gateway.
    """

    def __init__(self, config: WebhookConfig, words: AlertWords, gateway: str) -> None:
        self._config = config
        self._words = words
        self._gateway = gateway
        self.place = urlsplit(config.url).netloc
        """Whom we ask, for people: the path may hold something that is not for all."""
        self._apart = Apart(self.place, _LIMIT)

    async def bring(self, tellings: Sequence[Telling]) -> None:
        """Send each.

        Raises:
            Undelivered: one was not taken.
        """
        for one in tellings:
            await self._apart.do(partial(self._post, self.body(one), str(one.number)))

    def body(self, one: Telling) -> bytes:
        """Return what is sent."""
        said = self._words.said(one)
        document = {"gateway": self._gateway, "title": said.title, "text": said.text, **one.document()}
        return json.dumps(document, ensure_ascii=False).encode()

    def _post(self, body: bytes, number: str) -> None:
        parts = urlsplit(self._config.url)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": f"nes2mqtt/{__version__}",
            # Numbers begin anew where their file was lost; the same number with other words is another message.
            "Idempotency-Key": f"{self._gateway}-{number}-{hashlib.sha256(body).hexdigest()[:12]}",
        }
        if self._config.secret is not None:
            headers[self._config.header] = self._config.secret.reveal()
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = self._trusted()
            connection = http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=_TIMEOUT, context=context
            )
        else:
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT)
        try:
            connection.request("POST", target, body, headers)
            status = connection.getresponse().status
        except ssl.SSLCertVerificationError as error:
            raise Undelivered(
                f"the certificate of {self.place} is not to be trusted ({error.verify_message}); nothing was sent. Mend the "
                "certificate there, or let this computer trust its authority"
            ) from None
        except http.client.HTTPException:
            # Its own words would be what the server sent, of any length.
            raise Undelivered(
                f"what answers at {self.place} is no web server. Is the address in url of [alerts.webhook] right?"
            ) from None
        except (OSError, ValueError) as error:  # a name that cannot be one is a ValueError
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Undelivered(f"{self.place} cannot be reached: {reason}. It is tried again") from None
        finally:
            connection.close()
        if status not in _GOOD:
            raise _refused(self.place, status)

    def _trusted(self) -> ssl.SSLContext:
        try:
            return client_context(self._config.ca_file)
        except ValueError as error:
            raise Undelivered(f"ca_file of [alerts.webhook] cannot be used: {error}") from None


def _refused(place: str, status: int) -> Undelivered:
    if status in {401, 403}:
        return Undelivered(f"{place} answers {status}: it does not know our secret. Mend secret in [alerts.webhook]")
    if status in range(300, 400):
        return Undelivered(
            f"{place} answers {status}, which sends on to another address. Write that one in url of [alerts.webhook]"
        )
    if status in range(400, 500) and status not in {404, _TOO_MANY, _TIMED_OUT}:
        # What is malformed for it stays so; what comes next may not be.
        return Undelivered(
            f"{place} answers {status} and does not take this message. Does the address expect another form?",
            for_good=True,
        )
    return Undelivered(f"{place} answers {status}. It is tried again")
