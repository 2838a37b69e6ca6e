"""What the page, the API and ``/metrics`` answer from.

:class:`~nes2mqtt.outputs.web.output.WebOutput` has all of it and passes itself on. Whoever answers a request is written
against this protocol, so it need not know the output, which opens the port.

This module does not know requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

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
    from nes2mqtt.meters.console import Console
    from nes2mqtt.meters.production.keeper import Production
    from nes2mqtt.meters.profiles import AskedProfiles

__all__ = ["Fuse", "SettingsDesk", "WebContext"]


class SettingsDesk(Protocol):
    """Where settings are looked at and changed. May take a moment: asked in a thread."""

    when_changed: Callable[[], None]
    """Called once who changed them has been told."""

    @property
    def waits_for_owner(self) -> bool:
        """Whether settings that decide where the page can be opened are taken back unless somebody comes to it."""

    def owner_is_here(self) -> None:
        """Hear that somebody who is logged in opened the page."""

    def picture(self, language: str) -> Mapping[str, Any]:
        """Return the settings; no secret is in it. ``closed`` says why they cannot be changed, and is empty when they can."""

    def check(self, revision: str, changes: object) -> Mapping[str, Any]:
        """Return what changes of the state ``revision`` would do, or what is wrong with them.

        Raises:
            ValueError: that is no list of changes.
        """

    def take(self, revision: str, changes: object) -> Mapping[str, Any]:
        """Carry changes out; ``taken`` says whether that was done. Raises as :meth:`check`."""


@dataclass(frozen=True, slots=True)
class Fuse:
    """The main fuse of each phase of a meter, as its owner configured it."""

    amperes: float
    """What it is for."""
    near: float
    """The current in A from which a phase counts as near it."""


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
    fuses: Mapping[str, Fuse]
    """Of the meters whose fuse is configured."""
    production: Production | None
    """What hears the solar inverter; None without its section."""
    profiles: AskedProfiles | None
    """What asks meters for their own load profiles; None where there are none to ask."""
    console: Console | None
    """What reads meters' tables and has the last requests to them; None where there are none to ask."""
    settings: SettingsDesk | None
    """Where settings are changed; None where there are none to show."""
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
