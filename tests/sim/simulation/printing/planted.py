"""Faults planted into the print processor, or into Business Central's guards, one for each sentence: the proof that it can fail."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import Any

import piprint.jobs.printing.carrier
import piprint.jobs.printing.printer_session
import piprint.jobs.printing.takeover
import piprint.jobs.returned_jobs
from piprint.contract import JobState
from piprint.jobs import wording
from piprint.jobs.context import Context
from piprint.jobs.dispatcher import Dispatcher
from piprint.jobs.polling.leases import LeaseWatch
from piprint.jobs.polling.poll_interval import PollInterval
from piprint.jobs.printing.carrier import Carrier
from piprint.jobs.recovery import Action
from piprint.jobs.worker import Item, Worker
from piprint.journal.entry import Outcome
from piprint.journal.store import Journal
from piprint.simulate.extension import actions
from simulation import planting
from simulation.plan import Fault
from simulation.planting import Replace, plant
from simulation.printing.world import Setting, World

__all__ = ["PLANTED", "Planted", "plant"]


@dataclass(frozen=True, slots=True)
class Planted(planting.Planted[World, Fault]):
    """One fault in the product.

    Args:
        more: what the world has to be like.
    """

    more: tuple[tuple[str, Any], ...] = ()

    def setting(self) -> Setting:
        """Return the world that shows it."""
        changes = {"minutes": 1.5, "jobs": 3, "save_after": 0.0, "give_up": 100.0, **dict(self.more)}
        return replace(Setting(3, self.faults), **changes)


def _prints_again(_: World, swap: Replace) -> None:
    end, done = Carrier._end_printed, set[int]()

    async def again(carrier: Carrier, job: Any, *args: Any) -> None:
        if job.entry.row_no in done:
            await end(carrier, job, *args)
        else:
            done.add(job.entry.row_no)
            await carrier._again(job)

    swap(Carrier, "_end_printed", again)


def _drops_some(_: World, swap: Replace) -> None:
    add = Worker.add
    swap(Worker, "add", lambda worker, item: item.row.row_no % 2 == 0 and add(worker, item))


def _aborted_is_printed(_: World, swap: Replace) -> None:
    carrier: Any = piprint.jobs.printing.carrier
    decide = carrier.decide

    def instead(*args: Any, **more: Any) -> Action:
        action = decide(*args, **more)
        return Action.END_PRINTED if action is Action.END_ABORTED else action

    swap(carrier, "decide", instead)


def _says_not_printed(_: World, swap: Replace) -> None:
    async def end(carrier: Carrier, job: Any, *_: Any) -> None:
        await carrier._end(job, Outcome.ERROR, wording.not_printed("no reason"))

    swap(Carrier, "_end_printed", end)


def _always_doubts(_: World, swap: Replace) -> None:
    printed = wording.printed
    swap(wording, "printed", lambda *args: f"{printed(*args)} {wording.TWICE}.")


def _no_guard(_: World, swap: Replace) -> None:
    swap(actions._Asked, "expect_ours", lambda _: None)


def _claims_anything(_: World, swap: Replace) -> None:
    claim = actions._ACTIONS["claim"]

    def instead(asked: Any) -> Any:
        queued = replace(asked.job, status=JobState.QUEUED)
        return claim(replace(asked, job=queued))

    swap(actions, "_ACTIONS", {**actions._ACTIONS, "claim": instead})


def _cancels_nothing(_: World, swap: Replace) -> None:
    async def cancel(*_: Any) -> None:
        pass

    for module in (
        piprint.jobs.printing.carrier,
        piprint.jobs.printing.printer_session,
        piprint.jobs.printing.takeover,
    ):
        for name in {"cancel", "cancel_by_name"} & set(vars(module)):
            swap(module, name, cancel)
    swap(piprint.jobs.returned_jobs, "cancel", cancel)


def _youngest_first(_: World, swap: Replace) -> None:
    import heapq  # noqa: PLC0415

    def add(worker: Worker, item: Item) -> bool:
        if item.row.row_no in worker._listed:
            return False
        worker._listed.add(item.row.row_no)
        heapq.heappush(worker._items, (item.row.row_no, item))
        worker._items.sort(reverse=True)
        worker._called.set()
        return True

    def pop(items: list[Any]) -> Any:
        return items.pop(0)

    swap(Worker, "add", add)
    import piprint.jobs.worker  # noqa: PLC0415

    swap(piprint.jobs.worker, "heapq", type("Heap", (), {"heappop": staticmethod(pop), "heappush": heapq.heappush}))


def _not_synced(_: World, swap: Replace) -> None:
    make = Journal.__init__

    def careless(journal: Journal, folder: Any, **more: Any) -> None:
        make(journal, folder, **{**more, "durable": False})

    swap(Journal, "__init__", careless)


def _takes_at_once(_: World, swap: Replace) -> None:
    swap(LeaseWatch, "abandoned", lambda _, rows, *__: list(rows))


def _asks_each_second(_: World, swap: Replace) -> None:
    swap(PollInterval, "next", lambda *_, **__: 1.0)


def _keeps_documents(_: World, swap: Replace) -> None:
    async def keep(*_: Any) -> None:
        pass

    swap(Journal, "remove_document", keep)


def _keeps_silent(_: World, swap: Replace) -> None:
    for name in ("carrier", "failures", "printer_wait"):
        swap(logging.getLogger(f"piprint.jobs.printing.{name}"), "disabled", True)


def _waits_for_ever(_: World, swap: Replace) -> None:
    swap(Context, "give_up_after", lambda *_: 1e9)


def _sulks(_: World, swap: Replace) -> None:
    end = Carrier._end

    async def slowly(carrier: Carrier, job: Any, outcome: Outcome, text: str) -> None:
        await end(carrier, job, outcome, text)
        if outcome is Outcome.ERROR:
            await asyncio.sleep(300)

    swap(Carrier, "_end", slowly)


def _talks_too_much(_: World, swap: Replace) -> None:
    poll = Dispatcher._poll

    async def talking(dispatcher: Dispatcher) -> bool:
        logging.getLogger("piprint.jobs.dispatcher").warning("asking")
        return await poll(dispatcher)

    swap(Dispatcher, "_poll", talking)


def _trips(_: World, swap: Replace) -> None:
    async def trip(*_: Any) -> None:
        raise ZeroDivisionError

    swap(Carrier, "_follow", trip)


_POISON = (Fault(20, "poison", 0, "desk"),)
_SLOW = (("page_seconds", 8.0), ("jobs", 0))
_BURST = Fault(20, "burst", 0, 3)


def _jam(seconds: float) -> tuple[Fault, ...]:
    return (Fault(1, "jam", seconds, "office"), _BURST)


PLANTED = (
    Planted("twice", "each job is printed once more, without a word", _prints_again),
    Planted("lost", "every second job is left alone", _drops_some),
    Planted("whole", "what the printer gave up counts as printed", _aborted_is_printed, _POISON),
    Planted("nothing", "what was printed is said to be not printed", _says_not_printed),
    Planted("alarm", "every job is said to be doubtful", _always_doubts),
    Planted(
        "cancelled",
        "Business Central takes the report of a job that a user cancelled",
        _no_guard,
        (_BURST, Fault(30, "cancel", 0, 2)),
        _SLOW,
    ),
    Planted(
        "after",
        "Business Central lets a cancelled job be claimed",
        _claims_anything,
        (_BURST, Fault(30, "cancel", 0, 0)),
        _SLOW,
    ),
    Planted(
        "stops",
        "what is taken back prints on",
        _cancels_nothing,
        (Fault(20, "burst", 0, 1), Fault(30, "cancel", 0, 0)),
        (("page_seconds", 45.0), ("jobs", 0)),
    ),
    Planted("left", "what is given up stays at the printer", _cancels_nothing, (Fault(20, "poison", 0, "office"),)),
    Planted("order", "the youngest job goes first", _youngest_first, (Fault(20, "burst", 0, 5),), _SLOW),
    Planted("journal", "the journal is not synced", _not_synced, (Fault(100, "cut", 5, "none"),)),
    Planted(
        "lease",
        "every job of another processor is taken over at once",
        _takes_at_once,
        (Fault(120, "burst", 0, 3),),
        (*_SLOW, ("processors", 2), ("extension", "1.0")),
    ),
    Planted("calls", "it asks each second", _asks_each_second, (), (("minutes", 14.0), ("jobs", 0))),
    Planted("spool", "documents are kept", _keeps_documents),
    Planted("told", "the log does not say what a job waits for", _keeps_silent, _jam(130), (("jobs", 0),)),
    Planted("ends", "a printer is waited for for ever", _waits_for_ever, _jam(310), (("jobs", 0),)),
    Planted("blocks", "after a failed job the printer rests", _sulks, _POISON, (("minutes", 2.0), ("jobs", 6))),
    Planted("once", "each question is a warning", _talks_too_much),
    Planted("mistake", "to follow a job divides by zero", _trips),
)
