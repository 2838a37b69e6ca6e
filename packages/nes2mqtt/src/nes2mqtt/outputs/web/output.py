"""The web server as an output of the hub: binds the port, runs the app, tells how it is.

The server runs inside our event loop and leaves signals alone. If the port cannot be
opened, the log says so once, in plain words, and it is tried again for ever; everything else goes on meanwhile.

The web framework is imported in :meth:`WebOutput.run`. This module does not know what is served.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from nes2mqtt.host.resolving import for_resolver
from nes2mqtt.outputs.dabbler import DashDocument
from nes2mqtt.outputs.web.config import Listen, WebConfig
from nes2mqtt.outputs.web.live.feed import LiveFeed
from nes2mqtt.outputs.web.live.recent import POWER_EXPORT, POWER_IMPORT, SPAN, Recent
from nes2mqtt.readings.gateway_info import GatewayInfo
from nes2mqtt.readings.happened import EventLog, RememberedEvents
from nes2mqtt.readings.hub import Hub, OutputStatus
from nes2mqtt.readings.reading import Beside, EntriesRead, Event, Sample

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from nes2mqtt.alerts.keeper import AlertKeeper
    from nes2mqtt.bills.billing import Billing
    from nes2mqtt.history.store import Store
    from nes2mqtt.meters.console import Console
    from nes2mqtt.meters.production.keeper import Production
    from nes2mqtt.meters.profiles import AskedProfiles
    from nes2mqtt.outputs.web.context import Fuse, SettingsDesk

__all__ = ["Serve", "WebOutput"]

Serve = Callable[["ASGIApp", Callable[[], None]], Awaitable[None]]
"""Serves an application until cancelled, and calls its second argument once it can be asked."""

_log = logging.getLogger(__name__)
RETRY = 10.0
"""Seconds between two attempts to get the port."""
BACKLOG = 64
_MOST_RECALLED = 4 * int(SPAN)
"""Readings of an hour, from a meter that is read faster than any we know."""


class CertificateError(OSError):
    """The certificate cannot be used."""


class WebOutput:
    """The page, the API and ``/metrics``.

    Args:
        config: the section ``[web]``.
        gateway: this program's name, version and time zone.
        hub: where the latest values and the other outputs are.
        store: the history, None without one: then there are no days and months.
        event_log: keeps what happened to the meters.
        alerts: watches for what needs attention; None without its section.
        billing: makes bills; None without contracts.
        fuses: of the meters whose main fuse is configured.
        production: hears the solar inverter; None without its section.
        profiles: asks meters for their own load profiles.
        console: reads meters' tables, and has the last requests to them.
        settings: where settings are looked at and changed.
        state_dir: a private folder where logins survive a restart; None forgets them.
        serve: serves the application in place of the port, so that it can be asked in this process without a socket:
            no port is opened, no certificate read, no thread started for it.
    """

    name = "web"

    def __init__(
        self,
        config: WebConfig,
        gateway: GatewayInfo,
        hub: Hub,
        store: Store | None,
        *,
        event_log: EventLog | None = None,
        alerts: AlertKeeper | None = None,
        billing: Billing | None = None,
        fuses: Mapping[str, Fuse] | None = None,
        production: Production | None = None,
        profiles: AskedProfiles | None = None,
        console: Console | None = None,
        settings: SettingsDesk | None = None,
        state_dir: Path | None = None,
        serve: Serve | None = None,
    ) -> None:
        self.config = config
        self.gateway = gateway
        self.hub = hub
        self.store = store
        self.event_log = event_log if event_log is not None else RememberedEvents()
        self.alerts = alerts
        self.billing = billing
        self.fuses = fuses if fuses is not None else {}
        self.production = production
        self.profiles = profiles
        self.console = console
        self.settings = settings
        self.state_dir = state_dir
        self._serve_with = serve
        self.recent = Recent()
        self.dash = DashDocument(hub)
        self.live = LiveFeed(hub, self.recent, most_clients=config.max_live_clients, production=production)
        if alerts is not None:
            alerts.follow(self._alerted)
        self.listening = asyncio.Event()
        """Set while the port is open."""
        self.port = config.address.port
        """The port in use; differs from the configured one when that is 0."""
        self.started = hub.clock.monotonic()
        """When this program started, by the monotonic clock."""
        self._recalled: set[str] = set()
        self._trouble = "starting"

    def offer(self, event: Event) -> None:
        """Take an event; never blocks."""
        if isinstance(event, EntriesRead):
            self.live.tell(event)
        if isinstance(event, Beside):
            return  # the page asks for the rest now and then
        if isinstance(event, Sample):
            self.recent.add(event)
        self.dash.offer(event)
        self.live.offer(event)

    def _alerted(self, meter: str) -> None:
        if self.alerts is not None:
            self.live.alert(meter, [one.rule.key for one in self.alerts.book.of(meter) if one.raised])

    def status(self) -> OutputStatus:
        """Tell how it is."""
        if self._trouble:
            return OutputStatus(self.name, ok=False, message=self._trouble)
        pages = self.live.clients
        return OutputStatus(
            self.name,
            ok=True,
            message=f"{pages} open page{'' if pages == 1 else 's'}",
            code="web_pages",
            params={"pages": pages},
            dropped=self.live.cut_off,
        )

    async def run(self) -> None:
        """Serve until cancelled."""
        if self._serve_with is not None:
            await self._serve_in_process(self._serve_with)
            return
        while True:
            try:
                check_certificate(self.config)
                listener = listen(self.config.address)
            except OSError as error:
                trouble = explain(error, self.config.address)
                if trouble != self._trouble:
                    _log.error("%s", trouble)
                self._trouble = trouble
                await asyncio.sleep(RETRY)
            else:
                self.port = listener.getsockname()[1]
                await self._serve(listener)

    async def _serve(self, listener: socket.socket) -> None:
        from nes2mqtt.outputs.web.app import build_app  # noqa: PLC0415 - the page costs 6 MB: only when it is served
        from nes2mqtt.outputs.web.server import serve  # noqa: PLC0415

        def opened() -> None:
            self._trouble = ""
            self.listening.set()
            if not self.config.address.is_loopback and not self.config.is_https:
                _log.warning(
                    "the page is not encrypted: good enough in your own network; "
                    "to open it to the internet set tls_certificate and tls_key"
                )
            _log.info("page on %s", self.config.public_url or self.url)

        try:
            app = await asyncio.to_thread(build_app, self)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.live.run())
                tasks.create_task(serve(app, listener, self.config, opened))
        finally:
            self.listening.clear()
            self._trouble = "stopped"
            listener.close()

    async def _serve_in_process(self, serve: Serve) -> None:
        from nes2mqtt.outputs.web.app import build_app  # noqa: PLC0415 - as above

        def opened() -> None:
            self._trouble = ""
            self.listening.set()

        try:
            async with asyncio.TaskGroup() as tasks:
                live = tasks.create_task(self.live.run())
                await serve(build_app(self), opened)
                live.cancel()
        finally:
            self.listening.clear()
            self._trouble = "stopped"

    async def recall(self, meter: str) -> None:
        """Fill the last hour of a meter's power from the history, once: what was before this program started."""
        clock = self.hub.clock
        if self.store is None or meter in self._recalled or not clock.known:
            return
        from nes2mqtt.history.errors import HistoryError  # noqa: PLC0415 - loaded already when there is a store

        self._recalled.add(meter)
        now = clock.now()
        keys = [POWER_IMPORT.key, POWER_EXPORT.key]
        try:
            series = await self.store.series(meter, keys, now - timedelta(seconds=SPAN), now, _MOST_RECALLED)
        except HistoryError as error:
            _log.warning("the last hour of meter %s is not on the page: %s", meter, error)
            return
        if series.step is not None:
            return  # averages beside readings would be drawn as steps, or as points with gaps between them
        imported, exported = (series.lines[key].average for key in keys)
        instants = [clock.instant(time) for time in series.times]
        self.recent.fill(meter, zip(instants, imported, exported, strict=True))

    @property
    def url(self) -> str:
        """Return the address of the port."""
        return f"{self.config.own_url.rpartition(':')[0]}:{self.port}"


def check_certificate(config: WebConfig) -> None:
    """Try the certificate before anything is opened.

    Raises:
        CertificateError: it cannot be used.
    """
    if config.tls_certificate is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(config.tls_certificate, config.tls_key)
    except ssl.SSLError as error:
        raise CertificateError("certificate and key are no PEM files that fit together") from error
    except OSError as error:
        raise CertificateError(f"certificate or key cannot be read: {error.strerror}") from error


def listen(address: Listen) -> socket.socket:
    """Open the port.

    Raises:
        OSError: it cannot be had; :func:`explain` says what to do.
    """
    family, kind, protocol, _, place = socket.getaddrinfo(
        for_resolver(address.host), address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and address.host == "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(place)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def explain(error: OSError, address: Listen) -> str:
    """Say in plain words why the port cannot be had, and which setting to change."""
    if isinstance(error, CertificateError):
        return f"the page cannot start: {error}; mend tls_certificate and tls_key in the section [web]"
    if isinstance(error, socket.gaierror):
        return f"the page cannot start: nothing is called {address.host}; mend listen in the section [web]"
    if error.errno == errno.EADDRINUSE:
        return (
            f"the page cannot start: port {address.port} is in use by another program (maybe this one, started twice). "
            f'Stop that, or set another port: [web] listen = "{address.host}:{address.port + 1}"'
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"the page cannot start: this machine has no address {address.host}. "
            'Set [web] listen to one that it has, or to "127.0.0.1:8099"'
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        return (
            f"the page cannot start: ports below 1024 such as {address.port} are for root. "
            f'Set [web] listen = "{address.host}:8099"'
        )
    return f"the page cannot start on {address}: {error.strerror}; mend listen in the section [web]"
