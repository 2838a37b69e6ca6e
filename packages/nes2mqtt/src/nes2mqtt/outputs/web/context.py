"""What the page, the API and ``/metrics`` answer from.

:class:`~nes2mqtt.outputs.web.output.WebOutput` has all of it and passes itself on. Whoever answers a request is written
against this protocol, so it need not know the output, which opens the port.

This module does not know requests.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nes2mqtt.outputs.dabbler import DashDocument
from nes2mqtt.outputs.web.config import WebConfig
from nes2mqtt.outputs.web.live.feed import LiveFeed
from nes2mqtt.readings.gateway_info import GatewayInfo
from nes2mqtt.readings.happened import EventLog
from nes2mqtt.readings.hub import Hub

if TYPE_CHECKING:
    from nes2mqtt.alerts.keeper import AlertKeeper
    from nes2mqtt.bills.billing import Billing
    from nes2mqtt.history.store import Store
    from nes2mqtt.meters.profiles import AskedProfiles

__all__ = ["WebContext"]


class WebContext(Protocol):
    """One for each page that is served, the same for all requests."""

    config: WebConfig
    """The section ``[web]``."""
    gateway: GatewayInfo
    """This program's name, version and time zone."""
    hub: Hub
    """Where the latest values and the outputs are."""
    store: Store | None
    """The history; None without one."""
    event_log: EventLog
    """What happened to the meters."""
    alerts: AlertKeeper | None
    """What watches for alerts; None without its section."""
    billing: Billing | None
    """What makes bills; None without contracts or without a history."""
    profiles: AskedProfiles | None
    """What asks meters for their own load profiles; None where there are none to ask."""
    state_dir: Path | None
    """Where logins survive a restart; None forgets them."""
    dash: DashDocument
    """The document of the Dabbler firmware's page."""
    live: LiveFeed
    """The live stream."""
    started: float
    """When this program started, by the monotonic clock."""

    async def recall(self, meter: str) -> None:
        """Fill the last hour of a meter's power from the history, once."""
