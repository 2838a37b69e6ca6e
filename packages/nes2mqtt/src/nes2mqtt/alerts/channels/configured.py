"""The channels that a configuration asks for.

This module does not know how they work.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from nes2mqtt.alerts.channels.courier import Courier, Tellings
from nes2mqtt.alerts.config import AlertsConfig
from nes2mqtt.alerts.words import AlertWords
from nes2mqtt.timing.clock import Clock

if TYPE_CHECKING:
    from nes2mqtt.alerts.channels.mail import Mail
    from nes2mqtt.alerts.channels.webhook import Webhook

__all__ = ["channels", "couriers"]

_MAILED_AT_ONCE = 100


def channels(config: AlertsConfig, words: AlertWords, gateway: str) -> Iterator[tuple[str, Webhook | Mail]]:
    """Yield each channel with its name; each one's code is imported here only."""
    if config.webhook is not None:
        from nes2mqtt.alerts.channels.webhook import Webhook  # noqa: PLC0415 - see the docstring

        yield "webhook", Webhook(config.webhook, words, gateway)
    if config.mail is not None:
        from nes2mqtt.alerts.channels.mail import Mail  # noqa: PLC0415

        yield "mail", Mail(config.mail, words, gateway)


def couriers(
    config: AlertsConfig, tellings: Tellings, gateway: str, words: AlertWords, clock: Clock
) -> Iterator[Courier]:
    """Yield what brings things by each channel.

    Args:
        config: the section.
        tellings: what is told.
        gateway: the name of this gateway.
        words: in which it is told.
        clock: of the gateway.
    """

    def now() -> datetime | None:
        return clock.now() if clock.known else None

    for name, channel in channels(config, words, gateway):
        together = config.mail.wait if name == "mail" and config.mail is not None else None
        if together is None:
            yield Courier(name, tellings, channel.bring, now)
        else:
            yield Courier(name, tellings, channel.bring, now, wait=together, at_once=_MAILED_AT_ONCE)
