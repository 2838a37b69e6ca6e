"""Mail by a server for outgoing mail, encrypted unless that is this machine. What is told together goes into one mail.

This module does not know when something is told.
"""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from functools import partial

from nes2mqtt.alerts.channels.apart import Apart
from nes2mqtt.alerts.channels.courier import Undelivered
from nes2mqtt.alerts.config import MailConfig
from nes2mqtt.alerts.telling import Telling
from nes2mqtt.alerts.words import AlertWords
from servicekit.tls import client_context

__all__ = ["Mail"]

_TIMEOUT = 30.0
"""Seconds without a byte."""
_LIMIT = 180.0
"""Seconds for all of it."""
_FOR_GOOD = range(500, 600)


class Mail:
    """Brings what is told by mail.

    Args:
        config: its section.
        words: in which it is told.
        gateway: the name of this gateway.
    """

    def __init__(self, config: MailConfig, words: AlertWords, gateway: str) -> None:
        self._config = config
        self._words = words
        self._gateway = gateway
        self.place = f"{config.host}:{config.server_port}"
        self._apart = Apart(self.place, _LIMIT)

    async def bring(self, tellings: Sequence[Telling]) -> None:
        """Send one mail.

        Raises:
            Undelivered: it was not taken, or not for everybody.
        """
        await self._apart.do(partial(self._send, self.message(tellings)))

    def message(self, tellings: Sequence[Telling]) -> EmailMessage:
        """Return the mail."""
        said = [self._words.said(one) for one in tellings]
        mail = EmailMessage()
        mail["From"], mail["To"] = self._config.sender, ", ".join(self._config.to)
        mail["Subject"] = _line(
            said[0].title if len(said) == 1 else self._words.text("subject_several", count=len(said))
        )
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine answers
        domain = self._config.sender.rpartition("@")[2]
        # Who sorts out what came twice looks at this. Numbers begin anew where their file was lost, so they are not enough.
        unlike = hashlib.sha256(repr([one.document() for one in tellings]).encode()).hexdigest()[:12]
        numbers = f"{tellings[0].number}-{tellings[-1].number}"
        mail["Message-ID"] = f"<nes2mqtt-{self._gateway}-{numbers}-{unlike}@{domain}>"
        if (when := _latest(tellings)) is not None:
            mail["Date"] = format_datetime(when)
        parts = [f"{one.title}\n{one.text}" for one in said]
        mail.set_content("\n\n".join([*parts, self._words.text("mail_end", gateway=self._gateway)]) + "\n")
        return mail

    def _send(self, mail: EmailMessage) -> None:
        try:
            refused = self._hand_over(mail)
        except smtplib.SMTPResponseException as error:
            raise _answered(self.place, error) from None
        except smtplib.SMTPRecipientsRefused as error:
            if any(code not in _FOR_GOOD for code, _ in error.recipients.values()):
                raise Undelivered(f"{self.place} takes mail for these addresses later. It is tried again") from None
            raise Undelivered(f"{self.place} refuses all addresses in to of [alerts.mail]. Mend them") from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise _failed(self.place, error) from None
        if refused:
            raise Undelivered(
                f"{self.place} took the mail, but not for {refused} of the {len(self._config.to)} addresses in to of "
                "[alerts.mail]. Mend them",
                for_good=True,
            )

    def _hand_over(self, mail: EmailMessage) -> int:
        """Hand the mail over; return how many addresses were refused, if not all were."""
        config = self._config
        with self._connected() as server:
            if config.security == "starttls":
                server.starttls(context=self._trusted())
            if config.username is not None and config.password is not None:
                server.login(config.username, config.password.reveal())
            return len(server.send_message(mail))

    def _connected(self) -> smtplib.SMTP:
        config = self._config
        if config.security == "tls":
            context = self._trusted()
            return smtplib.SMTP_SSL(config.host, config.server_port, timeout=_TIMEOUT, context=context)
        return smtplib.SMTP(config.host, config.server_port, timeout=_TIMEOUT)

    def _trusted(self) -> ssl.SSLContext:
        try:
            return client_context(self._config.ca_file)
        except ValueError as error:
            raise Undelivered(f"ca_file of [alerts.mail] cannot be used: {error}") from None


def _answered(place: str, error: smtplib.SMTPResponseException) -> Undelivered:
    """Return what a server's answer means. Its own words may repeat who logged in, so they are not told."""
    for_good = error.smtp_code in _FOR_GOOD
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Undelivered(
            f"{place} refuses the user name or its password. Mend them in [alerts.mail]; some providers want a "
            "password made for programs"
        )
    if isinstance(error, smtplib.SMTPSenderRefused):
        if for_good:
            return Undelivered(f"{place} refuses the address in sender of [alerts.mail]. Mend it")
        return Undelivered(f"{place} takes mail from us later. It is tried again")
    # Only who has seen the mail can refuse it for good; before that it is us who are refused, for now.
    for_good = for_good and isinstance(error, smtplib.SMTPDataError)
    return Undelivered(f"{place} answers {error.smtp_code} and takes no mail", for_good=for_good)


def _failed(place: str, error: Exception) -> Undelivered:
    """Return what it means that there was no answer, or none that was awaited."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Undelivered(
            f"the certificate of {place} is not to be trusted ({error.verify_message}); nothing was sent. Use the name "
            "the certificate is for in host of [alerts.mail]"
        )
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Undelivered(
            f"{place} does not offer what is needed (encryption by STARTTLS, or a log in); nothing was sent. Ask the "
            "provider which security and port it has, and write them in [alerts.mail]"
        )
    if isinstance(error, UnicodeEncodeError):
        # Python's SMTP sends what logs in as ASCII. Its own words would tell a letter of the password.
        return Undelivered(
            f"the user name or the password for {place} has a letter that is not in ASCII (a to z, digits and signs), "
            "or host has a part that no name can have. Mend them in [alerts.mail]; a password made for programs has none"
        )
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return Undelivered(f"{place} cannot be reached: {reason}. It is tried again")


def _line(text: str) -> str:
    """Return a text in one line: what people call a meter may be written in several, and a header must not be."""
    return "".join(letter if letter.isprintable() else " " for letter in " ".join(text.split()))


def _latest(tellings: Sequence[Telling]) -> datetime | None:
    return max((one.time for one in tellings if one.time is not None), default=None)
