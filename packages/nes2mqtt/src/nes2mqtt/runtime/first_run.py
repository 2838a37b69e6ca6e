"""The first run as part of a process: in the browser, in the terminal, from a file; then the gateway takes its place.

This module does not know the steps of it.
"""

from __future__ import annotations

import asyncio
import getpass
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from nes2mqtt.config.settings import default_data_dir
from nes2mqtt.setup.addresses import others_reach
from nes2mqtt.setup.answers import AnswersError, read_answers, take_answers
from nes2mqtt.setup.code import CodeFile
from nes2mqtt.setup.terminal import Terminal
from nes2mqtt.setup.web.server import SetupServer, open_port
from nes2mqtt.setup.wizard import Wizard
from nes2mqtt.setup.words import Words
from nes2mqtt.setup.writing import Place, Saved
from servicekit.process import stopped_by_signals

__all__ = ["FirstRun", "from_file", "in_browser", "in_terminal", "stopped_when"]


@dataclass(frozen=True, slots=True)
class FirstRun:
    """One in the browser.

    Args:
        config: the file to write; it must not be there.
        words: the language of the terminal.
        command: what people type for one in the terminal.
    """

    config: Path
    words: Words
    command: str = "nes2mqtt setup"

    @asynccontextmanager
    async def opened(self, port: int) -> AsyncIterator[SetupServer]:
        """Open its port, the first free one from ``port`` on, and make its code.

        Raises:
            OSError: no port can be had.
        """
        with open_port(port) as listener, CodeFile.held(default_data_dir()) as code_file:
            yield SetupServer(Place.at(self.config, socket.gethostname()), listener, code_file)

    def lines(self, server: SetupServer) -> list[str]:
        """Return what to tell people."""
        return server.lines(self.words, self.command)


@contextmanager
def stopped_when(event: asyncio.Event, stop: asyncio.Event | None) -> Iterator[asyncio.Event]:
    """Give an event that is set when ``event`` is, or ``stop``; without a ``stop`` also on SIGTERM and SIGINT."""
    ended = asyncio.Event()

    async def pass_on(source: asyncio.Event) -> None:
        await source.wait()
        ended.set()

    tasks = [asyncio.ensure_future(pass_on(source)) for source in (event, stop) if source is not None]
    try:
        if stop is None:
            with stopped_by_signals(ended):
                yield ended
        else:
            yield ended
    finally:
        for task in tasks:
            task.cancel()


def from_file(first_run: FirstRun, file: Path, port: int) -> tuple[Saved | None, list[str]]:
    """Take all answers from a file; return what was written, and what is wrong, in lines for people."""
    try:
        answers, trials = read_answers(file)
    except AnswersError as error:
        return None, [str(error)]
    place = Place.at(first_run.config, socket.gethostname())
    saved, found = asyncio.run(take_answers(answers, trials, place, port))
    lines = [f"[{step}] {f'{said.field}: ' if said.field else ''}{first_run.words.said(said)}" for step, said in found]
    return saved, [] if saved is not None else lines


def in_terminal(first_run: FirstRun, port: int) -> Saved | None:
    """Ask in this terminal; return what was written and is to be started, None when nothing is."""
    words = first_run.words
    try:
        with open_port(port) as listener:
            free = listener.getsockname()[1]
    except OSError:
        free = port
    place = Place.at(first_run.config, socket.gethostname())
    terminal = Terminal(Wizard(place, free), words, print, input, getpass.getpass)
    try:
        saved = asyncio.run(terminal.run())
    except (KeyboardInterrupt, EOFError):
        print(f"\n{words.text('nothing_saved')}")  # noqa: T201 - a terminal is what this is for
        return None
    if saved is None:
        return None
    print(words.text("terminal_saved", {"file": saved.config}))  # noqa: T201
    for url in _page_addresses(saved):
        print(words.text("terminal_page", {"url": url}))  # noqa: T201
    return saved


def _page_addresses(saved: Saved) -> list[str]:
    web = saved.settings.web
    if web is None:
        return []
    others = [] if web.address.is_loopback else list(others_reach(web.address.port, socket.gethostname()))
    return others or [f"http://127.0.0.1:{web.address.port}"]


async def in_browser(
    first_run: FirstRun, port: int, say: Callable[[str], None], *, stop: asyncio.Event | None = None
) -> Saved | None:
    """Serve the first run until the configuration is written or it is stopped.

    Args:
        first_run: what it writes.
        port: of its page; the next free one if it is taken.
        say: prints a line.
        stop: ends it, as a signal does; signals are then left alone.

    Raises:
        OSError: no port can be had.
    """
    async with first_run.opened(port) as server:
        for line in first_run.lines(server):
            say(line)
        with stopped_when(server.finished, stop) as ended:
            serving = asyncio.ensure_future(server.serve())
            stopping = asyncio.ensure_future(ended.wait())
            await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
            for task in (serving, stopping):
                task.cancel()
            ends = await asyncio.gather(serving, stopping, return_exceptions=True)
            if isinstance(ends[0], Exception):
                raise ends[0]  # the page ended by a mistake, which must not look as if somebody had stopped it
        return server.saved
