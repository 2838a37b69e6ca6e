"""An office in which everything is killed by a plan while people print, and what became of each job.

Business Central's stand-in and CUPS's printers are the only ones who live on: they are the oracle. Between them and the
processor are relays (:mod:`relay`). Disks after a power cut: :mod:`powercut`. Who judges: :mod:`oracle`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from everywhere import EverywherePrinter
from killplan import Kill
from office import FINAL, Office, Processor
from oracle import Came, Finding, Story, judge, tally
from papers import pdf
from powercut import SpoolerDisk, forget_unsynced
from printshop import until
from relay import Relay

from piprint.contract import JobState
from piprint.demo.cups import end_processes
from piprint.simulate.limits import Limits

__all__ = ["KillWorld"]

_UP = 2.0
"""Seconds that belong to a kill after everything is up again: who was away looks around first."""
_MOMENT = 4.0
"""Seconds to wait at most until a job is at a printer."""
_OFFERED = 60.0
"""Seconds until a printer that Business Central was told is gone must be offered again."""
_TOLD = 15.0
"""Seconds after the last printing within which a doubt must be told."""
_STARTS = 1.5
"""Seconds in which a processor is up and has looked for CUPS in vain."""
_SLEEPS = (0.02, 0.2, 0.6, 1.2)
"""Seconds the printers need for a document."""
_ACTIVE = ("now printing", "disabled")


@dataclass
class _Life:
    """One job as Business Central had it, seconds since 1970."""

    printer: str
    digest: str
    claimed: float | None = None
    ended: float | None = None
    history: list[str] = field(default_factory=list)
    version: int = -1


@dataclass
class _Window:
    """A kill, from when it may have undone something until everything was up again."""

    kill: Kill
    begin: float
    at: float
    end: float = float("inf")


class KillWorld(Office):
    """Four CUPS queues, the second a label printer that reprints, and a printer that cannot hold jobs.

    Args:
        extension: of Business Central.
        eve: with the printer that cannot hold jobs.
        saved: DirtyCleanInterval of the first CUPS.
        quiet: seconds without any change after which a job counts as one that never ends.

    Attributes:
        one: the processor.
        disk: CUPS's folder.
        stories: what became of each job, once :meth:`judged`.
    """

    def __init__(self, extension: str = "2.0", *, eve: bool = True, saved: int = 0, quiet: float = 60.0) -> None:
        limits = Limits(requests=10**9)  # years of starts
        super().__init__(
            "a", "b", "c", "d", extension=extension, poll=0.05, cups={"log_level": "none"}, bc={"limits": limits}
        )
        self.saved = saved
        self.quiet = quiet
        self.eve = EverywherePrinter(color=False, duplex=False) if eve else None
        self.stories: list[Story] = []
        self.one: Processor
        self._lives: dict[int, _Life] = {}
        self._remarks: set[str] = set()
        """What the printers' rows said."""
        self._windows: list[_Window] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._spooler = asyncio.Lock()
        """Whoever ends CUPS or the network to it has it until all is well."""
        self._office_line = asyncio.Lock()

    @property
    def printers(self) -> tuple[str, ...]:
        """Return all printers' ids."""
        return (*self.queues, *(["eve"] if self.eve else []))

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        try:
            await self._set_up()
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await super().__aexit__(None, None, None)  # the stories tell more than the end of a long log

    async def _set_up(self) -> None:
        self.disk = SpoolerDisk(self.cups.folder)
        self.office_line = await self._stack.enter_async_context(Relay(self.bc.port).listening())
        self.printer_line = await self._stack.enter_async_context(Relay(self.cups.port).listening())
        self._lines = [self.printer_line]
        more = '[[printers]]\nid = "b"\nuncertain = "reprint"\n'
        if self.eve is not None:
            await self._stack.enter_async_context(self.eve)
            line = await self._stack.enter_async_context(Relay(self.eve.port).listening())
            self._lines.append(line)
            uri = self.eve.uri.replace(str(self.eve.port), str(line.port))
            more += f'[[printers]]\nid = "eve"\nuri = "{uri}"\n'
            self.eve.behave(sleep=0.3)
        self.config = more
        for queue, seconds in zip(self.queues, _SLEEPS, strict=True):
            self.cups.behave(queue, sleep=seconds)
        self.cups.restart(dirty_clean_interval=self.saved)  # the queues themselves are saved by now
        self.bc.listeners.add(self._note)
        self.one = self.processor()
        self.one.watchful = True
        self.one.start()
        await self.offers(*self.printers)

    def config_text(self, data: Path, web: int, *, host: str, more: str) -> str:
        """Return the configuration with the relays in place of the servers."""
        text = super().config_text(data, web, host=host, more=more)
        for server, relay in ((self.bc.port, self.office_line.port), (self.cups.port, self.printer_line.port)):
            text = text.replace(f":{server}/", f":{relay}/")
        return text

    # people

    def print_one(self, printer: str, text: str) -> int:
        """Press Print; return the job's number."""
        document = pdf(text)
        number = self.print(printer, document)
        self._lives[number] = _Life(printer, hashlib.sha256(document).hexdigest())
        self._note()
        return number

    def _note(self) -> None:
        """Note what changed in Business Central."""
        now = time.time()
        self._remarks.update(row.state_message for row in self.bc.database.tables.printers.values())
        for number, life in self._lives.items():
            job = self.bc.database.tables.jobs[number]
            if job.version == life.version:
                continue
            life.version = job.version
            line = f"{job.status.name} {job.message}".strip()
            if life.history and life.history[-1].endswith(f"  {line}"):
                continue
            life.history.append(f"{now:.2f}  {line}")
            if job.status is JobState.PRINTING and life.claimed is None:
                life.claimed = now
            life.ended = now if job.status in FINAL and life.ended is None else life.ended

    def spool_says(self, state: int) -> bool:
        """Tell whether CUPS has written down that a job is in that state (RFC 8011 5.3.7), its document included."""
        cache = self.cups.folder / "cache" / "job.cache"
        return cache.exists() and f"State {state}\n" in cache.read_text() and "\nFile 1 " in cache.read_text()

    # kills

    async def run(self, plan: Sequence[Kill], jobs: int, dice: random.Random) -> None:
        """Let people print while the plan is carried out."""
        for index, kill in enumerate(plan):
            for _ in range(jobs * index // len(plan), jobs * (index + 1) // len(plan)):
                printer = dice.choice(self.printers)
                await self._offered(printer)
                self.print_one(printer, str(dice.random()))
            await asyncio.sleep(kill.wait)
            await self.strike(kill)
        await self.all_up()

    async def _offered(self, printer: str) -> None:
        try:
            await self.offers(printer, seconds=_OFFERED)
        except AssertionError:
            for task in self._tasks:
                if task.done():
                    task.result()  # what went wrong here comes first
            raise

    async def strike(self, kill: Kill) -> None:
        """Carry out one kill; what comes back later than at once does so in the background."""
        if kill.moment:
            with contextlib.suppress(AssertionError):
                await until(self.somebody_prints, _MOMENT)
        if kill.kind == "processor":
            window = self._begin(kill)
            self.one.kill()
            await asyncio.sleep(kill.back)
            self.one.start()
            self._end(window)
        elif kill.kind == "power":
            await self._power_cut(kill)
        else:
            lock = self._office_line if kill.kind == "office network" else self._spooler
            await lock.acquire()
            task = asyncio.create_task(self._away(kill, lock))
            self._tasks.add(task)
            if kill.back < 1:
                await task

    async def _away(self, kill: Kill, lock: asyncio.Lock) -> None:
        window = self._begin(kill)
        lines = [self.office_line] if kill.kind == "office network" else self._lines
        try:
            if kill.kind == "cupsd":
                lines = lines[:1]
                self.cups.kill()
            for line in lines:
                await line.fail("cut" if kill.kind == "cupsd" else kill.failure)
            await asyncio.sleep(kill.back)
            if kill.kind == "cupsd":
                self._start_cups(kill.saved)
            for line in lines:
                await line.heal()
        finally:
            self._end(window)
            lock.release()

    async def _power_cut(self, kill: Kill) -> None:
        async with self._spooler:
            self.disk.remember()
            await asyncio.sleep(kill.age)
            await self.cut(kill)

    async def cut(self, kill: Kill) -> None:
        """Cut the power of the host, and start all again; the names on disk are those remembered last."""
        window = self._begin(kill)
        self.one.kill()
        self.cups.kill()
        end_processes("CUPS_SERVERROOT", f"{self.cups.folder}/etc")
        end_processes("PIPRINT_TEST", str(self.one.folder))
        await self.printer_line.fail("cut")
        self.disk.lose(kill.documents)
        forget_unsynced(self.one.data)
        await asyncio.sleep(kill.back)
        if kill.processor_first:
            self.one.start()
            await asyncio.sleep(_STARTS)
        self._start_cups(kill.saved)
        await self.printer_line.heal()
        if not kill.processor_first:
            self.one.start()
        self._end(window)

    def _start_cups(self, saved: int) -> None:
        self.cups.dirty_clean_interval = saved
        self.cups.start()

    def _begin(self, kill: Kill) -> _Window:
        now = time.time()
        undone = 0.0
        if kill.kind in {"cupsd", "power"}:
            undone = self.cups.dirty_clean_interval + 1 + kill.age
        window = _Window(kill, now - undone, now)
        self._windows.append(window)
        return window

    def _end(self, window: _Window) -> None:
        window.end = time.time() + _UP

    def somebody_prints(self) -> bool:
        """Tell whether a document is coming out; one that does not within seconds was killed, or is empty."""
        out = {(each.queue, each.job, each.start) for each in self.cups.ledger()}
        lately = time.time() - max(_SLEEPS) - 1
        return any(each.at > lately and (each.queue, each.job, each.at) not in out for each in self.cups.begun())

    # the end

    async def all_up(self) -> None:
        """Wait until whatever was killed is back."""
        if self._tasks:
            await asyncio.gather(*self._tasks)

    async def judged(self) -> list[Finding]:
        """Wait until everything is over; return what is wrong."""
        await self.all_up()
        await self._over()
        with contextlib.suppress(AssertionError):
            await until(self._idle, 60)
        with contextlib.suppress(AssertionError):
            await until(lambda: not (self._findings() or self.left_in_cups()), _TOLD)
        return self._findings()

    @property
    def summary(self) -> str:
        """Return a line for people."""
        kinds = ", ".join(
            f"{sum(window.kill.kind == kind for window in self._windows)} {kind}"
            for kind in dict.fromkeys(window.kill.kind for window in self._windows)
        )
        return f"{len(self._windows)} kills ({kinds}) under {len(self._lives)} jobs: {tally(self.stories)}"

    def left_in_cups(self) -> list[str]:
        """Return the jobs CUPS still has not done with."""
        return self.cups.command("lpstat", "-W", "not-completed", "-o").splitlines()

    async def _over(self) -> None:
        """Wait until every job has ended, or nothing has changed for a while."""
        loop = asyncio.get_running_loop()
        changed, seen = loop.time(), ""
        while loop.time() - changed < self.quiet:
            states = self.states()
            if all(states[number] in FINAL for number in self._lives):
                return
            if (now := f"{sorted(states.items())} {len(self.cups.begun())}") != seen:
                changed, seen = loop.time(), now
            await asyncio.sleep(0.1)

    def _idle(self) -> bool:
        told = self.cups.command("lpstat", "-p")
        return not any(word in told for word in _ACTIVE)

    def _findings(self) -> list[Finding]:
        self.stories = list(self._tell())
        return judge(self.stories)

    def _tell(self) -> Iterable[Story]:
        came: dict[int, list[Came]] = {number: [] for number in self._lives}
        begun: dict[int, list[str]] = {number: [] for number in self._lives}
        for out in self.cups.ledger():
            number = _number(out.title)
            whole = out.sha256 == self._lives[number].digest
            came[number].append(Came(out.end, whole, f"CUPS's job {out.job}, begun {out.start:.2f}"))
        for start in self.cups.begun():
            begun[_number(start.title)].append(f"{start.at:.2f}  CUPS's job {start.job} begins at {start.queue}")
        for sheet in self.eve.printed() if self.eve is not None else ():
            number = _number(sheet.name)
            came[number].append(Came(sheet.end, sheet.sha256 == self._lives[number].digest, sheet.name))
        for number, life in self._lives.items():
            job = self.job(number)
            touched = tuple(self._touched(life))
            history = [*life.history, *begun[number], *self._log_of(number)]
            beside = tuple(text for text in self._remarks if re.search(rf"\b[jJ]ob {number}\b", text))
            yield Story(
                number, life.printer, job.status, job.message, beside, tuple(came[number]), touched, tuple(history)
            )

    def _touched(self, life: _Life) -> Iterable[str]:
        begin = float("inf") if life.claimed is None else life.claimed
        end = float("inf") if life.ended is None else life.ended
        for window in self._windows:
            if window.begin <= end and window.end >= begin:
                yield f"{window.at:.2f}  {window.kill}, all up {window.end - _UP:.2f}"

    def _log_of(self, number: int) -> list[str]:
        return [f"log: {line}" for line in self.one.log.splitlines() if f"job {number} " in line or f"job {number}:" in line or f"job {number}," in line]  # fmt: skip


def _number(name: str) -> int:
    """Return the number of the job in Business Central, from its name at the printer."""
    return int(name.split("-")[-2])
