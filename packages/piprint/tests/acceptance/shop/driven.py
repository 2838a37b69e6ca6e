"""The processor, driven by a test: ``driven.py CONFIG [hurried | watchful] [before STEP | after STEP]``.

``watchful`` lets it look for printers every second, not every minute. ``hurried`` lets the seconds between two looks for printers, and until a missing one is given up, be fractions of one.
``before`` and ``after`` kill the process at a step of the journal; only a job claimed in this run counts, one that an
earlier run had begun is carried on in peace (but to CLAIMED come only those). SIGKILL: no handler runs, nothing is flushed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from piprint.jobs import printer_list as offering
from piprint.journal.entry import Entry
from piprint.journal.steps import Step
from piprint.journal.store import Journal
from piprint.printers import registry as shelf
from piprint.runtime.process import main


def hurry() -> None:
    """Look for printers all the time."""
    offering.REFRESH_EVERY = offering._STATE_EVERY = 0.3
    shelf.GRACE = 1.0


def watch() -> None:
    """Look for printers often, and give none up sooner."""
    offering.REFRESH_EVERY = offering._STATE_EVERY = 1.0


def kill_at(when: str, step: Step) -> None:
    """Let this process kill itself at a step."""
    begun: set[tuple[int, int]] = set()
    original = Journal.open

    def observe(moment: str, entry: Entry) -> None:
        key = (entry.row_no, entry.attempt)
        if entry.step is Step.CLAIMING:
            begun.add(key)
        if (moment, entry.step) == (when, step) and (key in begun or step is Step.CLAIMED):
            os.kill(os.getpid(), signal.SIGKILL)

    async def open_observed(folder: Any, **options: Any) -> Journal:
        return await original(folder, **{**options, "observer": observe})

    Journal.open = open_observed  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    config, *words = sys.argv[1:]
    if "hurried" in words:
        hurry()
        words.remove("hurried")
    if "watchful" in words:
        watch()
        words.remove("watchful")
    if words:
        kill_at(words[0], Step(words[1]))
    sys.exit(main(Path(config)))
