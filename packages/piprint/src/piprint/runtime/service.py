"""The print processor: builds the graph of objects from the configuration and runs it until it is stopped.

::

    Business Central (bc) <- dispatcher -> workers -> printers
                                 |
                              journal           presenter -> status page

Everything runs in one event loop; nothing is global. Business Central or CUPS being away is no reason not to start, nor to
end: the page and the log tell, and what lies on disk is printed. Stopping (SIGTERM, SIGINT) gives back what is not at a
printer, finishes what is going there, and leaves what prints to the next start.

This module knows how the parts are joined, and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack, nullcontext, suppress
from typing import TYPE_CHECKING

from piprint.bc.connect import connect
from piprint.bc.reconnecting import ReconnectingQueue
from piprint.clock import Clock
from piprint.config.load import data_dir
from piprint.config.settings import Config
from piprint.documents.inspect import Inspector
from piprint.errors import ConfigError
from piprint.jobs.dispatcher import Dispatcher
from piprint.jobs.printing.preparation import Preparation
from piprint.journal.store import Journal
from piprint.printers.find import Found, find_printers, listen, open_printer
from piprint.printers.registry import PrinterRegistry
from piprint.web.presenter import Presenter
from servicekit.process import stopped_by_signals
from servicekit.systemd import Notifier

if TYPE_CHECKING:
    from piprint.config.load import Loaded
    from piprint.log import RecentLines
    from piprint.printers.announced import Announcements

__all__ = ["run"]

_log = logging.getLogger(__name__)

_STOP_WITHIN = 18.0
"""Seconds to stop in; 20 are promised, systemd kills after 30."""
_TELL_EVERY = 1.0
_LOGINS = "logins.json"
"""In the data folder: who is logged in at the page, as hashes."""


async def run(
    loaded: Loaded,
    recent: RecentLines,
    *,
    stop: asyncio.Event | None = None,
    started: Callable[[str], None] | None = None,
) -> None:
    """Run the processor until SIGTERM, SIGINT or ``stop``.

    Args:
        loaded: the configuration.
        recent: the log's last lines, for the page.
        stop: ends the run when set; signals are then left alone.
        started: called with the page's address ("" without one) when everything runs.

    Raises:
        JournalError: another processor works with the data folder, or it cannot be used.
    """
    asked = stop or asyncio.Event()
    systemd = Notifier()
    try:
        with nullcontext() if stop else stopped_by_signals(asked):
            async with AsyncExitStack() as stack:
                dispatcher, presenter = await _build(loaded, recent, stack)
                url = await _page(loaded.config, presenter, stack)
                if await _is_started(dispatcher, asked):
                    _log.info("started as %s%s", loaded.config.host, f"; the page is at {url}" if url else "")
                    systemd.ready()
                    if started is not None:
                        started(url)
                    await _work(dispatcher, presenter, systemd, asked)
        _log.info("stopped")
    finally:
        systemd.close()


async def _is_started(dispatcher: Dispatcher, asked: asyncio.Event) -> bool:
    """Start it, unless the end is asked for first: looking for printers takes a while when one does not answer."""
    starting, ending = asyncio.create_task(dispatcher.start()), asyncio.create_task(asked.wait())
    try:
        await asyncio.wait({starting, ending}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
        return starting.done()
    finally:
        starting.cancel()
        ending.cancel()
        await asyncio.gather(starting, ending, return_exceptions=True)


async def _work(dispatcher: Dispatcher, presenter: Presenter, systemd: Notifier, asked: asyncio.Event) -> None:
    """Let it work until the end is asked for; then bring it to a good end."""
    side = asyncio.create_task(_look_after(systemd, presenter))
    try:
        await asked.wait()
    finally:
        _log.info("stopping")
        systemd.stopping()
        side.cancel()
        await dispatcher.stop(_STOP_WITHIN)
        with suppress(asyncio.CancelledError):
            await side


async def _build(loaded: Loaded, recent: RecentLines, stack: AsyncExitStack) -> tuple[Dispatcher, Presenter]:
    """Make the parts; ``stack`` takes them apart in the opposite order."""
    config = loaded.config
    clock = Clock()
    journal = await Journal.open(data_dir(config), clock=clock.now)
    stack.push_async_callback(journal.close)
    queue = ReconnectingQueue(lambda: connect(config, instance=journal.instance, clock=clock), now=clock.now)
    stack.push_async_callback(queue.close)
    inspector = Inspector()
    stack.push_async_callback(inspector.close)
    announcements = await _announcements(config, stack)

    async def find() -> Found:
        return await find_printers(config, announcements)

    registry = PrinterRegistry(config, journal, find, lambda address: open_printer(address, config))
    stack.push_async_callback(registry.close)
    dispatcher = Dispatcher(
        config, queue, journal, registry, Preparation(config, inspector), wall=clock.now, theirs=clock.theirs
    )
    presenter = Presenter(
        config, queue, registry, dispatcher, recent, loaded.warnings, clock=clock, changes=lambda: journal.changes
    )
    return dispatcher, presenter


async def _announcements(config: Config, stack: AsyncExitStack) -> Announcements | None:
    """Begin to listen for announced printers, if that is wanted and possible."""
    if not config.discovery.enabled:
        return None
    try:
        return await stack.enter_async_context(listen())
    except (ConfigError, OSError) as error:
        _log.warning("announced printers cannot be found: %s", error)
        return None


async def _page(config: Config, presenter: Presenter, stack: AsyncExitStack) -> str:
    """Show the page; a port that is taken is told, and printing goes on without the page."""
    if not config.web.enabled:
        return ""
    from piprint.web.server import PageServer  # noqa: PLC0415 - not loaded without a page

    server = PageServer(config.web, presenter, logins=data_dir(config) / _LOGINS)
    try:
        await server.start()
    except OSError as error:
        _log.error(
            "there is no status page: %s cannot be listened on (%s); set another web.listen",
            config.web.listen,
            error.strerror,
        )
        return ""
    stack.push_async_callback(server.close)
    return server.url


async def _look_after(systemd: Notifier, presenter: Presenter) -> None:
    """Keep what people see up to date, and tell systemd; as long as all goes well, that we live."""
    pause = min(_TELL_EVERY, systemd.watchdog_interval or _TELL_EVERY)
    told = ""
    while True:
        try:
            await presenter.refresh()
            told = ""
        except Exception as error:  # noqa: BLE001 - logged once; printing goes on
            if told != str(error):
                _log.exception("the history on the page stands still")
            told = str(error)
        systemd.status(presenter.sentence())
        if presenter.healthy():
            systemd.alive()
        await asyncio.sleep(pause)
