"""Judges a run by the printers' ledger: was each job printed once, or was it told?

Nothing of the processor is asked. What came out is the ledger's, what people read is Business Central's.

The sentences a run must fulfil:

* Every job ends.
* Not lost: a job that says it was printed came out; one that did not come out says Error.
* Not denied: a job that came out, and says Error, says that something may have come out.
* Told: a job that came out twice says that it may have been printed twice, or, as Error, that it may have been printed. If CUPS printed
  it again after it was reported, Business Central's list of printers may say it instead, by the job's number.
* No false alarm: a job whose life no kill touched says that it was printed, without any doubt, and came out once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from piprint.contract import JobState

__all__ = ["Came", "Finding", "Story", "judge", "tally"]

DOUBT = "may have been printed"
TWICE = "may have been printed twice"
SOME = "may have come out"


@dataclass(frozen=True, slots=True)
class Came:
    """One document that came out.

    Attributes:
        at: seconds since 1970.
        whole: byte by byte the document of the job.
        where: the printer's own number of the job, for people.
    """

    at: float
    whole: bool = True
    where: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """What became of one job.

    Attributes:
        number: in Business Central.
        printer: its printer.
        status: in Business Central, at the end.
        message: likewise.
        beside: what else Business Central says, or said, of this job: in its list of printers.
        came: what came out of the printer, from the ledger.
        touched: the kills that happened while it was on its way, in words; none: nothing happened to it.
        history: for people who look for the cause.
    """

    number: int
    printer: str
    status: JobState
    message: str
    beside: tuple[str, ...] = ()
    came: tuple[Came, ...] = ()
    touched: tuple[str, ...] = ()
    history: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence that does not hold for a job."""

    kind: str
    story: Story

    def __str__(self) -> str:
        story = self.story
        came = ", ".join(f"{each.at:.2f} ({each.where}{'' if each.whole else ', not whole'})" for each in story.came)
        lines = [
            f"{self.kind}: job {story.number} for {story.printer}, {story.status.name}: {story.message}",
            f"  came out: {came or 'never'}",
            *(f"  list of printers: {each}" for each in story.beside),
            *(f"  touched by {each}" for each in story.touched),
            *(f"  {each}" for each in story.history),
        ]
        return "\n".join(lines)


def judge(stories: Iterable[Story]) -> list[Finding]:
    """Return every sentence that does not hold, by job."""
    return [Finding(kind, story) for story in stories for kind in _faults(story)]


def tally(stories: Iterable[Story]) -> str:
    """Count what became of the jobs, in a line."""
    counts: Counter[str] = Counter()
    for story in stories:
        times = sum(each.whole for each in story.came)
        told = "plain" if DOUBT not in story.message else "twice told" if TWICE in story.message else "doubt told"
        told += ", told beside" if story.beside else ""
        counts[f"{story.status.name}, came out {times} x, {told}"] += 1
    return "; ".join(f"{count} {what}" for what, count in sorted(counts.items()))


def _faults(story: Story) -> Iterable[str]:
    if story.status not in {JobState.PRINTED, JobState.ERROR}:
        yield "did not end"
        return
    times = sum(each.whole for each in story.came)
    printed = story.status is JobState.PRINTED
    if times == 0 and printed:
        yield "lost"
    if times > 0 and not printed and DOUBT not in story.message and SOME not in story.message:
        yield "denied"
    wanted = TWICE if printed else DOUBT
    if times > 1 and not any(wanted in text for text in (story.message, *story.beside)):
        yield "doubled without being told"
    if not story.touched and (times != 1 or not printed or DOUBT in story.message or story.beside):
        yield "false alarm" if times == 1 else "not printed once although nothing happened"
