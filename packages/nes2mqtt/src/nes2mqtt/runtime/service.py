"""The gateway as a process: configuration, log, event loop, exit code. ``nes2mqtt run`` becomes this.

It is a program of its own so that nothing of the command line stays in memory for years.
:func:`become` also bounds the number of memory pools of the C library: by default each thread gets one, and
freed memory in one is of no use to the others.

Exit codes: 0 stopped, 1 ended by a mistake, 2 the configuration is wrong.

This module does not know what the gateway is made of.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import NoReturn

__all__ = ["become", "main", "run_until_stopped"]

_FAILED = 1
_WRONG_CONFIGURATION = 2
_PRIVATE = 0o077
"""What we write is for us alone: the history shows when people are at home."""
_LEAN = {"MALLOC_ARENA_MAX": "1"}
"""glibc's setting (mallopt(3), M_ARENA_MAX); other C libraries ignore it."""


def become(config: Path) -> NoReturn:
    """Replace this process by the gateway; its number and its open files stay."""
    sys.stdout.flush()
    sys.stderr.flush()
    # -P: without it Python looks for modules in the current folder first, and anybody may have put some there.
    command = [sys.executable, "-P", "-m", __name__, str(config)]
    os.execve(sys.executable, command, _LEAN | os.environ)  # noqa: S606 - ourselves, no shell


def main(config: Path) -> int:
    """Run the gateway on a configuration until it is stopped; return the exit code."""
    from nes2mqtt.config.problems import ConfigError  # noqa: PLC0415
    from nes2mqtt.config.settings import load, log_secrets, warnings_for  # noqa: PLC0415 - become() needs none of these

    os.umask(_PRIVATE)
    try:
        settings = load(config)
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)  # noqa: T201 - the log is not set up yet
        return _WRONG_CONFIGURATION
    from nes2mqtt.host import log  # noqa: PLC0415
    from nes2mqtt.runtime import gateway  # noqa: PLC0415

    log.set_up(settings.log_level, log_secrets(settings))
    for warning in warnings_for(settings, config):
        logging.getLogger("nes2mqtt").warning("%s", warning)
    return run_until_stopped(gateway.run(settings))


def run_until_stopped(work: Coroutine[None, None, None]) -> int:
    """Run the gateway; what ends it by mistake goes to the log, where secrets are hidden, not to the terminal."""
    from nes2mqtt.history.errors import HistoryError  # noqa: PLC0415

    log = logging.getLogger("nes2mqtt")
    try:
        asyncio.run(work)
    except HistoryError as error:
        log.critical("stopped: %s", error)
        return _FAILED
    except Exception:
        log.critical("stopped by a mistake of this program; please report it with these lines", exc_info=True)
        return _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
