"""The processor as a process: configuration, log, event loop, exit code. ``piprint run`` becomes this.

It is a program of its own, so that nothing of the command line stays in memory for years. :func:`become` also bounds the
number of the C library's memory pools: by default each thread gets its own, and memory freed in one is lost to the others.

Exit codes: 0 stopped, 1 ended by a mistake, or the journal cannot be opened just now (systemd starts it again), 2 the configuration
is wrong, 3 another processor has the data folder, or the journal is damaged.

This module does not know what the processor is made of.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

__all__ = ["become", "main"]

_FAILED, _WRONG_CONFIGURATION, _NOT_ALONE = 1, 2, 3
_PRIVATE = 0o077
"""What we write is for us alone: documents are other people's papers."""
_LEAN = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "131072"}
"""glibc's settings (mallopt(3)); other C libraries ignore them."""


def become(config: Path) -> NoReturn:
    """Replace this process by the processor; its number and its open files stay."""
    sys.stdout.flush()
    sys.stderr.flush()
    # -P: without it Python looks for modules in the current folder first, and anybody may have put some there.
    command = [sys.executable, "-P", "-m", __name__, str(config)]
    os.execve(sys.executable, command, _LEAN | os.environ)  # noqa: S606 - ourselves, no shell


def main(config: Path) -> int:
    """Run the processor with a configuration until it is stopped; return the exit code."""
    from piprint.config.load import load  # noqa: PLC0415 - become() needs none of these
    from piprint.errors import ConfigError, JournalError, JournalUnavailable  # noqa: PLC0415

    os.umask(_PRIVATE)
    _leave_no_core()
    try:
        loaded = load(config)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the log is not set up yet
        return _WRONG_CONFIGURATION
    from piprint import log  # noqa: PLC0415
    from piprint.runtime import service  # noqa: PLC0415

    recent = log.set_up(loaded.config.log, loaded.secrets)
    logger = logging.getLogger("piprint")
    for warning in loaded.warnings:
        logger.warning("%s", warning)
    try:
        asyncio.run(service.run(loaded, recent))
    except JournalUnavailable as error:
        logger.critical("%s", error)
        return _FAILED
    except JournalError as error:
        logger.critical("%s", error)
        return _NOT_ALONE
    except ConfigError as error:
        logger.critical("%s", error)
        return _WRONG_CONFIGURATION
    except Exception:
        logger.critical("ended by a mistake in piprint; please report it with these lines", exc_info=True)
        return _FAILED
    return 0


def _leave_no_core() -> None:
    """Let a crash, or systemd's watchdog (SIGABRT), write no image of the memory: secrets and documents are in it."""
    with suppress(ImportError):  # Windows
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
