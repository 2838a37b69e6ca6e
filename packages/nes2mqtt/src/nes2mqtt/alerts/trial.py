"""The command ``nes2mqtt alerts test``: sends a test by each channel and says in sentences what became of it.

This module does not know how anything is sent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from nes2mqtt.alerts.channels.configured import channels
from nes2mqtt.alerts.channels.courier import Undelivered
from nes2mqtt.alerts.config import AlertsConfig
from nes2mqtt.alerts.kinds import Kind
from nes2mqtt.alerts.telling import Telling, What
from nes2mqtt.alerts.words import AlertWords

__all__ = ["send_tests"]


async def send_tests(
    config: AlertsConfig, gateway: str, zone: ZoneInfo, names: Mapping[str, str], now: datetime
) -> AsyncIterator[tuple[bool, str]]:
    """Send a test by each channel; yield whether it was taken, and a sentence for people."""
    words = AlertWords(config.language, zone, names)
    # Each test has a number of its own, or a receiver could take the second one for the first again.
    test = Telling(What.TEST, Kind.METER_EVENT, next(iter(names)), time=now, number=int(now.timestamp()))
    for name, channel in channels(config, words, gateway):
        try:
            await channel.bring([test])
        except Undelivered as error:
            yield False, f"{name}: {error}"
        else:
            to = f" for {', '.join(config.mail.to)}" if name == "mail" and config.mail is not None else ""
            yield True, f"{name}: {channel.place} took the test{to}"
