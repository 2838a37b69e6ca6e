"""Mail by a server for outgoing mail, encrypted unless that is this machine. What is told together goes into one mail.

This module does not know when something is told.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from nes2mqtt.alerts.channels.courier import Undelivered
from nes2mqtt.alerts.config import MailConfig
from nes2mqtt.alerts.telling import Telling
from nes2mqtt.alerts.words import AlertWords
from servicekit.tls import client_context

__all__ = ["Mail"]

_TIMEOUT = 30.0
_REFUSED_FOR_GOOD = range(500, 600)


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

    async def bring(self, tellings: Sequence[Telling]) -> None:
        """Send one mail.

        Raises:
            Undelivered: it was not taken.
        """
        await asyncio.to_thread(self._send, self.message(tellings))

    def message(self, tellings: Sequence[Telling]) -> EmailMessage:
        """Return the mail."""
        said = [self._words.said(one) for one in tellings]
        mail = EmailMessage()
        mail["From"], mail["To"] = self._config.sender, ", ".join(self._config.to)
        mail["Subject"] = said[0].title if len(said) == 1 else self._words.text("subject_several", count=len(said))
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine answers
        domain = self._config.sender.rpartition("@")[2]
        mail["Message-ID"] = f"<nes2mqtt-{self._gateway}-{tellings[0].number}-{tellings[-1].number}@{domain}>"
        if (when := _latest(tellings)) is not None:
            mail["Date"] = format_datetime(when)
        parts = [f"{one.title}\n{one.text}" for one in said]
        mail.set_content("\n\n".join([*parts, self._words.text("mail_end", gateway=self._gateway)]) + "\n")
        return mail

    def _send(self, mail: EmailMessage) -> None:
        config = self._config
        try:
            with self._connected() as server:
                if config.security == "starttls":
                    server.starttls(context=self._trusted())
                if config.username is not None and config.password is not None:
                    server.login(config.username, config.password.reveal())
                server.send_message(mail)
        except ssl.SSLCertVerificationError as error:
            raise Undelivered(
                f"the certificate of {self.place} is not to be trusted ({error.verify_message}); nothing was sent. Use the name "
                "the certificate is for in host of [alerts.mail]"
            ) from None
        except smtplib.SMTPNotSupportedError:
            raise Undelivered(
                f"{self.place} does not offer what is needed (encryption by STARTTLS, or a log in); nothing was sent. Ask the "
                "provider which security and port it has, and write them in [alerts.mail]"
            ) from None
        except smtplib.SMTPAuthenticationError:
            # The server's own words may repeat who logged in.
            raise Undelivered(
                f"{self.place} refuses the user name or its password. Mend them in [alerts.mail]; some providers want a "
                "password made for programs"
            ) from None
        except smtplib.SMTPRecipientsRefused:
            raise Undelivered(f"{self.place} refuses all addresses in to of [alerts.mail]. Mend them") from None
        except smtplib.SMTPSenderRefused:
            raise Undelivered(f"{self.place} refuses the address in sender of [alerts.mail]. Mend it") from None
        except smtplib.SMTPResponseException as error:
            for_good = error.smtp_code in _REFUSED_FOR_GOOD
            raise Undelivered(f"{self.place} answers {error.smtp_code} and takes no mail", for_good=for_good) from None
        except (OSError, smtplib.SMTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Undelivered(f"{self.place} cannot be reached: {reason}. It is tried again") from None

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


def _latest(tellings: Sequence[Telling]) -> datetime | None:
    return max((one.time for one in tellings if one.time is not None), default=None)
