"""A service as a process of its own: started lean, alone with its files, stopped by a signal, ended with a code.

:func:`become` is called by a command, so that nothing of the command line stays in memory for years.

This module does not know what the service is, and sets up no log.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

__all__ = ["FAILED", "become", "keep_to_ourselves", "run_until_ended", "stopped_by_signals"]

FAILED = 1
"""The exit code of a service that a mistake of ours has ended."""
_PRIVATE = 0o077
"""Rights that nobody else gets to what we write (umask(2))."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def become(module: str, config: Path, environment: Mapping[str, str]) -> NoReturn:
    """Replace this process by ``python -m module config``; its number and its open files stay.

    Args:
        module: the program, such as ``nes2mqtt.runtime.service``.
        config: its one argument.
        environment: variables it gets where the environment does not set them itself, such as settings of the C library.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    # -P: without it Python looks for modules in the current folder first, and anybody may have put some there.
    command = [sys.executable, "-P", "-m", module, str(config)]
    os.execve(sys.executable, command, {**environment, **os.environ})  # noqa: S606 - ourselves, no shell


def keep_to_ourselves() -> None:
    """Let nobody else read what this process writes, and let a crash write no image of its memory: secrets are in it.

    systemd's watchdog ends a service with SIGABRT, which would write one, too.
    """
    os.umask(_PRIVATE)
    with suppress(ImportError):  # Windows
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run_until_ended(
    work: Coroutine[None, None, None], log: logging.Logger, known: Mapping[type[Exception], int], mistake: str
) -> int:
    """Run a service to its end and return its exit code; 0 when it was stopped.

    What ends it goes to the log, where secrets are hidden, and never to the terminal.

    Args:
        work: the service.
        log: where it is said why it ended.
        known: exit codes of the errors whose text says enough. Of several that fit the first counts.
        mistake: what is said, with the traceback, of any other error.
    """
    try:
        asyncio.run(work)
    except Exception as error:
        for kind, code in known.items():
            if isinstance(error, kind):
                log.critical("stopped: %s", error)
                return code
        log.critical("%s", mistake, exc_info=True)
        return FAILED
    return 0


@contextmanager
def stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
    """Set ``stop`` on SIGTERM and SIGINT; a second one does what it would do without us.

    By :mod:`signal`, as asyncio's own way is not there on Windows. Whoever handled them before does so again afterwards.
    """
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def stop_once(_number: int, _frame: FrameType | None) -> None:
        restore()
        loop.call_soon_threadsafe(stop.set)  # the loop may sleep; this wakes it

    for number in before:
        signal.signal(number, stop_once)
    try:
        yield
    finally:
        restore()
