"""The processor as a process: configuration, log, event loop, exit code. ``piprint run`` becomes this.

Exit codes: 0 stopped, 1 ended by a mistake, or the journal cannot be opened just now (systemd starts it again), 2 the configuration
is wrong, 3 another processor has the data folder, or the journal is damaged.

This module does not know what the processor is made of.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import NoReturn

from servicekit import process

__all__ = ["become", "main"]

_WRONG_CONFIGURATION, _NOT_ALONE = 2, 3
_LEAN = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "131072"}
"""glibc's settings (mallopt(3)): one memory pool for all threads, and what is freed goes back to the system. Other C libraries ignore them."""


def become(config: Path) -> NoReturn:
    """Replace this process by the processor; its number and its open files stay."""
    process.become(__name__, config, _LEAN)


def main(config: Path) -> int:
    """Run the processor with a configuration until it is stopped; return the exit code."""
    from piprint.config.load import load  # noqa: PLC0415 - become() needs none of these
    from piprint.errors import ConfigError, JournalError, JournalUnavailable  # noqa: PLC0415

    process.keep_to_ourselves()  # documents are other people's papers
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
    return process.run_until_ended(
        service.run(loaded, recent),
        logger,
        {JournalUnavailable: process.FAILED, JournalError: _NOT_ALONE, ConfigError: _WRONG_CONFIGURATION},
        "ended by a mistake in piprint; please report it with these lines",
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
