"""Looks whether every sentence holds while documents are printed: all the time, and in the end."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
from collections import Counter
from typing import TYPE_CHECKING

from piprint.config.settings import Limits
from piprint.contract import JobState
from piprint.journal.steps import Step
from piprint.simulate.extension.tables import PrintJob
from simulation.printing.central import Wish, claim_of
from simulation.printing.printers import FINAL

if TYPE_CHECKING:
    from simulation.printing.world import Processor, World

__all__ = ["Watch"]

DOUBT = "may have been printed"
OFTEN = 6
_EVERY = 5.0
_SOON = 80.0
"""Seconds within which a wait has to be told: a minute, and the time of a look."""
_QUIET = 600.0
"""Seconds after which it is told that a job prints without a sign of it (docs/decisions/printing.md)."""
_BLOCKED = 150.0
"""Seconds for which a well printer may stand still with documents waiting: the longest of the pauses after trouble, and more."""
_STOPS = 30.0
_LIMITS = Limits()
_LATE = 150.0
"""Seconds beyond the setting until a job that does not get on has to end."""
_HOUR = 3600.0
_CALLS = 720
_CLAIM = re.compile(r"^Printing at \S+ \[claim [^\]]*\]$")
_TROUBLE = ("bc", "host", "cups", "line", "printer", "office", "desk", "label", "threads", "clock")


class Watch:
    """The watcher of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._said: Counter[tuple[str, int]] = Counter()
        self._log: list[tuple[float, str]] = []
        """Its warnings."""
        self._idle_since: float | None = None
        self.settling = 0.0

    # What the program says.

    def said(self, record: logging.LogRecord) -> None:
        """Hear a line of the log."""
        world, text = self._world, record.getMessage()
        if text.startswith("Unclosed"):
            return  # collected garbage of a program that was killed
        world.note(f"{record.levelname} {text}", tell=record.levelno >= logging.WARNING)
        if record.levelno >= logging.WARNING:
            self._log.append((world.loop.now, text))
        if record.exc_info or record.levelno >= logging.CRITICAL or record.name == "asyncio" or "mistake" in text:
            error = f" ({record.exc_info[1]!r})" if record.exc_info else ""
            world.fail("mistake", f"{text}{error}"[:400])
        if record.levelno >= logging.WARNING:
            hour = int(world.loop.now / _HOUR)
            self._said[text, hour] += 1
            if self._said[text, hour] > OFTEN:
                world.fail("once", f"{self._said[text, hour]} times within an hour: {text}"[:300])

    # All the time.

    async def run(self) -> None:
        """Look every few seconds."""
        rounds = 0
        while True:
            await asyncio.sleep(_EVERY)
            rounds += 1
            if rounds % 60 == 0:
                gc.collect()  # at fixed times only: finalizers run code
            self._calls()
            for number, row in self._world.central.rows().items():
                wish = self._world.central.wishes[number]
                if row.status is JobState.PRINTING:
                    self._printing(wish, row)
                elif row.status is JobState.QUEUED:
                    self._waiting(wish)

    def _holder(self, row: PrintJob) -> Processor | None:
        instance = claim_of(row).partition(".")[0]
        return next((each for each in self._world.processors if each.running and each.instance == instance), None)

    def _well_for(self, *parts: str) -> float:
        return min((self._world.bad.good_for(part) for part in parts), default=float("inf"))

    def _printing(self, wish: Wish, row: PrintJob) -> None:
        """Look at a job that is in hand: it gets on, or it is told why not, or it ends."""
        world, now = self._world, self._world.loop.now
        holder = self._holder(row)
        if holder is None or holder.dispatcher is None:
            return
        number = wish.paper.number
        sheets = [sheet.at for sheet in world.ledger.sheets if sheet.number == number]
        since = max(
            holder.since,
            wish.claims[-1][0] if wish.claims else 0.0,
            *sheets[-1:],
            now - min(self._well_for("bc", "threads", "host"), now),
        )
        still = now - since
        # Of a printer that says that it prints nobody can know at once that it does not.
        stuck = world.bad.touched("stuck", since, now)
        if still > (min(_QUIET, world.setting.give_up) + _SOON if stuck else _SOON):
            self._told(wish, row, holder, since)
        tries = _LIMITS.attempts if stuck and world.setting.uncertain == "reprint" else 1  # what hung is printed anew
        if still > tries * (world.setting.give_up + _LATE) and not self._world.bad.touched("line", since, now):
            world.fail(
                "ends", f"document {number} has been Printing for {still:.0f} s without a sheet", f"at {wish.printer}"
            )

    def _told(self, wish: Wish, row: PrintJob, holder: Processor, since: float) -> None:
        world, number = self._world, wish.paper.number
        view = holder.dispatcher.snapshot()
        on_page = any(job.entry.row_no == row.row_no and job.message for job in view.jobs) or any(
            printer.problem for printer in view.printers if printer.address.printer_id == wish.printer
        )
        named = re.compile(rf"\bjob {row.row_no}\b")
        taken = max(holder.since, wish.claims[-1][0] if wish.claims else 0.0)
        in_log = any(at >= taken and named.search(text) for at, text in self._log)
        printer = next(
            (each for each in world.central.database.tables.printers.values() if each.printer_id == wish.printer), None
        )
        in_central = bool(row.message and not _CLAIM.match(row.message)) or bool(printer and printer.state_message)
        for where, told in (("the page", on_page), ("the log", in_log), ("Business Central", in_central)):
            if not told:
                world.fail(
                    "told",
                    f"document {number} has waited at {wish.printer} for {world.loop.now - since:.0f} s; {where} does not say why",
                    where,
                )

    def _waiting(self, wish: Wish) -> None:
        """Look at a job that waits in Business Central: something comes out of its printer, or that is not well."""
        world, now = self._world, self._world.loop.now
        device = world.devices[wish.printer]
        well = self._well_for(
            "bc", "host", "threads", "line", "clock", wish.printer, "cups" if wish.printer == "office" else wish.printer
        )
        if not any(each.running and now - each.since > _BLOCKED for each in world.processors):
            return
        queued = wish.states[-1][0] if wish.states else now
        still = now - max(queued, device.moving, now - min(well, now), max(wish.touched, default=0.0))
        if still > _BLOCKED:
            world.fail(
                "blocks",
                f"document {wish.paper.number} waits for {wish.printer}, from which nothing has come for {still:.0f} s",
            )

    def _calls(self) -> None:
        """Count the calls of each idle stretch of ten minutes and more."""
        world, now = self._world, self._world.loop.now
        busy = any(row.status in {JobState.QUEUED, JobState.PRINTING} for row in world.central.rows().values())
        bad = any(world.bad.is_bad(part) for part in _TROUBLE)
        if busy or bad or not all(each.running for each in world.processors):
            self._idle_since = None
            return
        if self._idle_since is None:
            self._idle_since = now + 60  # more work is likely for a while
        stretch = now - self._idle_since
        if stretch >= 600:
            window = min(stretch, _HOUR)
            calls = sum(at > now - window for at in world.central.calls)
            allowed = (_CALLS * window / _HOUR + (0 if window == _HOUR else 15)) * len(world.processors)
            if calls > allowed:
                world.fail("calls", f"{calls} calls in {window:.0f} s without work")

    # In the end.

    def in_the_end(self) -> None:
        """Hold the ledger against what users asked for and what Business Central says."""
        world = self._world
        rows = world.central.rows()
        for number, wish in world.central.wishes.items():
            row = rows.get(number)
            self._twice(wish)
            self._alarms(wish)
            if row is None:
                continue
            if row.status in {JobState.QUEUED, JobState.PRINTING}:
                world.fail("lost", f"document {number} is {row.status.name} in the end: {row.message!r}")
            self._honest(wish, row)
            if wish.decided is not None and wish.waited:
                at = wish.decided[0]
                late = [sheet for sheet in world.ledger.sheets if sheet.number == number and sheet.at > at]
                if late:
                    world.fail(
                        "after",
                        f"document {number} was set to {wish.decided[1].name} at {at:.0f} s while it waited; {len(late)} sheets came out since",
                    )
            self._stops(wish)
        for job in (*world.cups.jobs.values(), *world.desk.jobs.values()):
            if job.state not in FINAL:
                world.fail(
                    "left",
                    f"the printer {job.queue or 'desk'} still has job {job.id}, {job.name}, in state {job.state}",
                )
        if len(world.processors) == 1:
            self._order()

    def _stops(self, wish: Wish) -> None:
        world = self._world
        if wish.decided is None or wish.waited or wish.printer == "label":
            return
        at = wish.decided[0]
        late = [
            sheet.at for sheet in world.ledger.sheets if sheet.number == wish.paper.number and sheet.at > at + _STOPS
        ]
        if late and not any(world.bad.touched(part, at - 60, late[-1]) for part in _TROUBLE):
            world.fail(
                "stops",
                f"document {wish.paper.number} was taken back at {at:.0f} s, and a page came out at {late[-1]:.0f} s",
            )

    def _twice(self, wish: Wish) -> None:
        world, number = self._world, wish.paper.number
        most, asked = world.ledger.most(number), len(wish.asked)
        if most > asked and not wish.told(DOUBT):
            times = ", ".join(f"{sheet.at:.1f}" for sheet in world.ledger.sheets if sheet.number == number)
            message = wish.messages[-1][1] if wish.messages else ""
            world.fail(
                "twice",
                f"document {number} ({wish.paper.pages} pages, {wish.printer}) came out {most} times and was asked for {asked} times (sheets at {times}); Business Central says {message!r}",
            )

    def _honest(self, wish: Wish, row: PrintJob) -> None:
        world, number = self._world, wish.paper.number
        if row.status is JobState.PRINTED:
            times = (
                1
                if DOUBT in row.message or wish.restored
                else sum(state is JobState.PRINTED for _, state in wish.states)
            )
            trusted = wish.printer != "label" or not world.bad.ever("label")
            if trusted and world.ledger.whole(wish.paper) < min(times, len(wish.asked)):
                world.fail(
                    "whole",
                    f"document {number} is Printed {times} times and came out whole {world.ledger.whole(wish.paper)} times",
                )
        if row.status is JobState.ERROR and row.message.startswith("Not printed") and len(wish.asked) == 1:
            came = world.ledger.most(number)
            if came and DOUBT not in row.message:
                world.fail("nothing", f"of document {number} pages came out, and Business Central says {row.message!r}")

    def _alarms(self, wish: Wish) -> None:
        world = self._world
        parts = [
            "host",
            "cups",
            "line",
            "printer",
            "stuck",
            "restored",
            "threads",
            *(("bc",) if len(world.processors) > 1 else ()),
        ]
        for at, message in wish.messages:
            if DOUBT in message and not any(world.bad.touched(part, wish.asked[0] - 60, at) for part in parts):
                world.fail(
                    "alarm", f"nothing broke, and document {wish.paper.number} is told to be doubtful: {message!r}"
                )

    def _order(self) -> None:
        world = self._world
        first: dict[int, float] = {}
        for sheet in world.ledger.sheets:
            first.setdefault(sheet.number, sheet.at)
        for printer in world.devices:
            last: tuple[float, int] = (0.0, 0)
            for number, wish in sorted(world.central.wishes.items()):
                plain = wish.printer == printer and number in first and len(wish.asked) == 1 and len(wish.claims) == 1
                if (
                    not plain
                    or wish.touched
                    or any(world.bad.touched(part, wish.asked[0] - 60, first[number]) for part in _TROUBLE)
                ):
                    continue
                if first[number] < last[0]:
                    world.fail("order", f"at {printer} document {number} came out before {last[1]}")
                last = first[number], number

    def leftovers(self) -> None:
        """Look into the spools when no program runs any more."""
        world = self._world
        for processor in world.processors:
            spool = processor.folder / "spool"
            wanted = {
                f"{row}-{attempt}"
                for (row, attempt), (entry, _) in processor.known.items()
                if entry.step is not Step.REPORTED
            }
            left = (
                [path.name for path in spool.iterdir() if path.name.split(".", 1)[0] not in wanted]
                if spool.is_dir()
                else []
            )
            if left:
                world.fail("spool", f"{', '.join(sorted(left))} of jobs that were reported, or never were")
