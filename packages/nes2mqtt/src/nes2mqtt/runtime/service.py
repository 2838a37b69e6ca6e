"""The gateway as a process: configuration, log, event loop, exit code. ``nes2mqtt run`` becomes this.

Exit codes: 0 stopped, 1 ended by a mistake, 2 the configuration is wrong.

This module does not know what the gateway is made of.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import sys
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from servicekit import process

__all__ = ["become", "main", "run_until_stopped"]

_WRONG_CONFIGURATION = 2
_ITSELF = "nes2mqtt.runtime.service"
"""Its own name, also where it runs as the main module and is called otherwise."""
_LEAN = {"MALLOC_ARENA_MAX": "1", "PYTHONNODEBUGRANGES": "1"}
"""glibc's setting (mallopt(3), M_ARENA_MAX): by default each thread gets a memory pool, and memory freed in one is lost to the others.
Python's (Command line and environment): of each instruction its column is kept, 0.5 MB, to underline a part of a line in a traceback."""


def become(config: Path) -> NoReturn:
    """Replace this process by the gateway; its number and its open files stay."""
    process.become(_ITSELF, config, _LEAN)


def main(config: Path) -> int:
    """Run the gateway on a configuration until it is stopped; return the exit code."""
    from nes2mqtt.host import lean  # noqa: PLC0415

    lean.load_models()
    from nes2mqtt.config.problems import ConfigError  # noqa: PLC0415
    from nes2mqtt.config.settings import forget_checks, load, log_secrets, warnings_for, way_back  # noqa: PLC0415 - become() needs none of these

    process.keep_to_ourselves()  # the history shows when people are at home
    try:
        settings = load(config)
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)  # noqa: T201 - the log is not set up yet
        if back := way_back(config):
            print(back, file=sys.stderr)  # noqa: T201
        return _WRONG_CONFIGURATION
    forget_checks()
    if settings.web is not None:
        lean.load_server()
    from nes2mqtt.host import log  # noqa: PLC0415
    from nes2mqtt.runtime import gateway  # noqa: PLC0415
    from nes2mqtt.runtime.owners_desk import OwnersDesk  # noqa: PLC0415

    _allow_open_files()
    log.set_up(settings.log_level, log_secrets(settings))
    for warning in warnings_for(settings, config):
        logging.getLogger("nes2mqtt").warning("%s", warning)
    begins_anew = False

    async def work() -> None:
        nonlocal begins_anew
        desk = OwnersDesk(config)
        trial: asyncio.Future[None] | None = None

        def started() -> None:
            nonlocal trial
            _collect_seldom()
            # Not before: a start may take minutes, and until then nobody can open the page.
            trial = asyncio.ensure_future(desk.keep_trial())

        try:
            begins_anew = await gateway.run(settings, started=started, desk=desk)
        finally:
            if trial is not None:
                trial.cancel()

    code = run_until_stopped(work())
    if begins_anew:
        become(
            config
        )  # nothing of the old settings stays in memory; the process keeps its number, and systemd its eye on it
    return code


def _allow_open_files() -> None:
    """Open as many files as this user may: each network connection to a meter is one, and a service begins with 1,024.

    The low limit is for programs that use select(2), which takes no higher numbers (systemd.exec(5), LimitNOFILE=); this one does not.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _collect_seldom() -> None:
    """Let Python look for garbage in circles seldom, and never among what lives as long as the program: 4 % of a poll's CPU.

    Readings make no circles, and what makes some (a connection, an exception with its traceback) comes seldom.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def run_until_stopped(work: Coroutine[None, None, None]) -> int:
    """Run the gateway; what ends it by mistake goes to the log, where secrets are hidden, not to the terminal."""
    from nes2mqtt.history.errors import HistoryError  # noqa: PLC0415

    mistake = "stopped by a mistake of this program; please report it with these lines"
    return process.run_until_ended(work, logging.getLogger("nes2mqtt"), {HistoryError: process.FAILED}, mistake)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
