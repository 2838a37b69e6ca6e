"""What all workers share: the settings, Business Central, the printers, the journal, and the active jobs.

This module does not know how any of it is made or used.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from piprint.bc.queue import Probe, Queue
from piprint.config.settings import Config
from piprint.jobs.active_job import ActiveJob, Prepare
from piprint.jobs.outcome_reporter import OutcomeReporter
from piprint.journal.steps import Step
from piprint.journal.store import Journal
from piprint.printers.find import settings_of
from piprint.printers.printer import Printer

__all__ = ["Context", "Printers"]


class Printers(Protocol):
    """Where printers are got from."""

    problems: tuple[str, ...]
    """What could not be listed, for people."""

    def printer(self, printer_id: str) -> Printer | None:
        """Return a printer, None while this host has none of that name."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a worker works with.

    Attributes:
        config: the settings.
        queue: Business Central.
        journal: every step goes there first.
        printers: the printers of this host.
        prepare: checks documents and decides how they are printed.
        reporter: takes jobs that have ended.
        rng: blurs waiting times.
        jobs: the active jobs by row number, from before the claim until the report is accepted.
        suspected: set when a printer, or its spooler, may have restarted.
        heard: by printer and the number of its run, its own clock (printer-up-time) when that run was last heard of.
        unheard: printers at which a job began and ended within one second: heard of once more, they show that it did so once.
        taken: row number and printer of the jobs that Business Central may have counted as waiting and that no longer are.
        no_room: by printer, a waiting job that the disk has no room for, and why, for people.
        defer: called with a row number that could not be claimed, so that it is not tried again at once.
        idle: called when a worker has nothing to do.
    """

    config: Config
    queue: Queue
    journal: Journal
    printers: Printers
    prepare: Prepare
    reporter: OutcomeReporter
    rng: random.Random
    defer: Callable[[int], None]
    idle: Callable[[], None]
    jobs: dict[int, ActiveJob] = field(default_factory=dict)
    taken: dict[int, str] = field(default_factory=dict)
    no_room: dict[str, tuple[int, str]] = field(default_factory=dict)
    heard: dict[tuple[str, int], int] = field(default_factory=dict)
    suspected: asyncio.Event = field(default_factory=asyncio.Event)
    unheard: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def count(self, *, beat: bool) -> Probe:
        """Have Business Central count the jobs that wait. Claims made before the question are no longer among them."""
        known = [no for no in self.taken if no not in self.jobs or self.jobs[no].entry.step is not Step.CLAIMING]
        probe = await self.queue.probe(beat=beat)
        for row_no in known:
            self.taken.pop(row_no, None)
        return probe

    def policy(self, printer_id: str) -> Literal["hold", "reprint"]:
        """Return what shall become of a printer's uncertain jobs."""
        return settings_of(printer_id, self.config).uncertain

    def give_up_after(self, printer_id: str) -> float:
        """Return how many seconds a job may wait for a printer."""
        return settings_of(printer_id, self.config).give_up_after

    def stuck_after(self, printer_id: str) -> float:
        """Return how many seconds a job may print without a sign of progress."""
        return settings_of(printer_id, self.config).stuck_after
