"""Messages people read: true sentences that do not contradict each other, what to do among them, short enough to arrive."""

from __future__ import annotations

import ast
import asyncio
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import piprint
from piprint.contract import JobState, units
from piprint.documents.inspect import _CRASHED, _TROUBLES, FORBIDDEN
from piprint.errors import PrinterRefused, PrinterUnreachable
from piprint.jobs import wording
from piprint.jobs.active_job import Prepared
from piprint.journal.entry import Outcome
from piprint.printers.printer import Feedback, JobStatus, PrinterState, PrinterStatus, SpoolerState, Ticket
from piprint.printers.reasons import _REMEDIES
from piprint.printers.trouble import _BLOCKING, blocked, helped

SOURCES = Path(piprint.__file__).parent
LONGEST = 2048
ERRORS = {"DocumentError", "PrinterError", "PrinterUnreachable", "PrinterBusy", "PrinterRefused", "SpoolFull"}
TO_DO = re.compile(
    r"\b([Ss]end it|Look|Mend|[Rr]estart|[Pp]rint (it|fewer)|Put|Take|Close|Start|Switch|Release|[Mm]ake room|make it|Press|raise)\b"
)
DOUBT = f"{wording.TWICE}: the printer began again while it printed."
NOTES = {
    "none": (),
    "a fragment": ("colour is not possible at this printer: printed in black",),
    "two": ("9999 copies printed, not 32767", "printed on A4."),
    "a question": ("is the tray closed?",),
    "a doubt": (DOUBT,),
    "a doubt and a note": (f"{wording.TWICE}: the printer no longer knew it after an interruption", "printed on A4"),
    "far too much": tuple(f"note {number} about the paper that was asked for and is not there" for number in range(60)),
    "a doubt and far too much": (DOUBT, *(f"note {number} about what was asked for" for number in range(100))),
}


def status(state: SpoolerState, *reasons: str, message: str = "") -> JobStatus:
    return JobStatus(7, "", "", state, reasons, message)


def literals(*names: str) -> Iterator[str]:
    """Return the texts of all errors of these classes that are raised anywhere, X for what is filled in."""
    for path in sorted(SOURCES.rglob("*.py")):
        if path.parent.name == "simulate" or path.name.startswith("demo"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names and node.args:
                told = node.args[0]
                parts = told.values if isinstance(told, ast.JoinedStr) else [told]
                text = "".join(
                    part.value if isinstance(part, ast.Constant) else "X"
                    for part in parts
                    if isinstance(part, ast.FormattedValue | ast.Constant)
                )
                if len(text) > 3:
                    yield text


REASONS = [*literals(*ERRORS), *_TROUBLES.values(), _CRASHED, FORBIDDEN]
LONG = "the printer says: " + "and so on, and on, " * 200

ENDS: dict[str, tuple[Outcome, str]] = {
    "printed": (Outcome.PRINTED, wording.printed("Office", status(SpoolerState.COMPLETED), 3)),
    "printed late": (Outcome.PRINTED, wording.printed_late("Given up after waiting 1 hour for the printer: no paper")),
    "sent": (Outcome.PRINTED, wording.sent("Labels")),
    "cancelled": (Outcome.ERROR, wording.failed(status(SpoolerState.CANCELED, "job-canceled-by-user"), printing=True)),
    "aborted": (Outcome.ERROR, wording.failed(status(SpoolerState.ABORTED), printing=False)),
    "not printed": (Outcome.ERROR, wording.not_printed("the PDF is damaged; print it again")),
    "not printed, remedy": (Outcome.ERROR, wording.not_printed("paper jam", "Take out the jammed paper")),
    "given up": (
        Outcome.ERROR,
        wording.given_up("given up after 1 hour: no paper", printing=True, remedy="Put in paper"),
    ),
    "refused": (Outcome.ERROR, wording.given_up(wording.refused("Filter failed"), printing=False)),
    "uncertain": (Outcome.UNCERTAIN, wording.uncertain("the printer no longer knows it")),
    "uncertain, twice": (Outcome.UNCERTAIN, wording.uncertain("is it switched on?", "Switch it on", often=True)),
    "released": (Outcome.RELEASED, wording.stopped("pi")),
    "not printed, at length": (Outcome.ERROR, wording.not_printed(LONG)),
    "uncertain, at length": (Outcome.UNCERTAIN, wording.uncertain(LONG)),
    "printed late, at length": (Outcome.PRINTED, wording.printed_late(LONG)),
}


def check(text: str, *, to_do: bool = False) -> None:
    """Hold a text to what a reader expects of every one."""
    assert text, "nothing said"
    assert units(text) <= LONGEST
    assert not re.search(r"\.\.|\?\.|!\.|;\.|,\.| \.|  |:\.", text), text
    assert text[0].isupper(), text
    assert text[-1] in ".!?…", text
    for beginning in re.findall(r"(?<=[.!?] )(?!e\.g\.|i\.e\.)\S", text):
        assert not beginning.islower(), text
    if to_do:
        assert TO_DO.search(text), f"what to do is missing: {text}"


def contradicts(text: str) -> str:
    """Return which two things a text says that cannot both be true; "" when there are none."""
    said = {
        "not printed": "Not printed." in text,
        "may be": "may have been printed" in text or "may have come out" in text,
        "twice": "may have been printed twice" in text,
        "printed": bool(re.match(r"Printed (at|after)|Sent to", text)),
        "uncertain": text.startswith("It may have been printed,"),
        "queued": text.startswith("Queued again"),
        "how": any(word in text for word in ("printed in black", "copies printed", "printed on")),
    }
    forbidden = [
        ("not printed", "may be"),
        ("not printed", "printed"),
        ("not printed", "how"),
        ("uncertain", "twice"),
        ("uncertain", "printed"),
        ("queued", "may be"),
        ("queued", "how"),
    ]
    return next((f"{one} and {other}" for one, other in forbidden if said[one] and said[other]), "")


@pytest.mark.parametrize(("end", "notes"), list(product(ENDS, NOTES)))
def test_p7_p12_every_end_with_every_kind_of_note_is_sentences_that_agree(end: str, notes: str) -> None:
    outcome, text = ENDS[end]
    doubtful = "doubt" in notes
    if doubtful and outcome in {Outcome.ERROR, Outcome.RELEASED}:
        return  # with a doubt these do not occur: it becomes uncertain; see below
    told = wording.message(outcome, text, NOTES[notes])
    check(told, to_do=outcome in {Outcome.ERROR, Outcome.UNCERTAIN} and "at length" not in end)
    assert not contradicts(told), told
    if doubtful and outcome is Outcome.PRINTED:
        assert wording.TWICE in told


def test_p12_notes_do_not_run_together() -> None:
    notes = (
        "tray 3 is not there: printed from its default tray",
        "colour is not possible here: printed in black",
        "Ok?",
    )
    assert wording.message(Outcome.PRINTED, "Printed at A: job 1, 1 s.", notes) == (
        "Printed at A: job 1, 1 s. Tray 3 is not there: printed from its default tray. "
        "Colour is not possible here: printed in black. Ok?"
    )


def test_p12_it_is_cut_behind_a_sentence() -> None:
    notes = [f"this is note {number}" for number in range(200)]
    told = wording.message(Outcome.PRINTED, "Printed.", notes)
    assert 2000 < units(told) <= LONGEST
    assert re.search(r" This is note \d+\.$", told)


@given(st.text(max_size=4000), st.lists(st.text(max_size=900), max_size=6), st.sampled_from(Outcome))
def test_p12_whatever_is_said_fits_and_no_doubt_is_lost(text: str, notes: list[str], outcome: Outcome) -> None:
    told = wording.message(outcome, text, [*notes, DOUBT])
    assert units(told) <= LONGEST
    assert outcome is Outcome.UNCERTAIN or DOUBT in told


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_makes_a_message_that_says_what_to_do(reason: str) -> None:
    check(wording.message(Outcome.ERROR, wording.not_printed(reason)), to_do=True)
    check(wording.message(Outcome.UNCERTAIN, wording.uncertain(reason)), to_do=True)
    check(wording.waiting(reason, "", 3600))


@pytest.mark.parametrize("reason", [*literals("DocumentError"), *_TROUBLES.values(), _CRASHED, FORBIDDEN])
def test_a_document_is_not_mended_by_a_restart(reason: str) -> None:
    """What is wrong with a document stays so: its reason says what helps, or it is not the document (our disk, Business Central)."""
    assert wording.says_what_to_do(reason) or "disk" in reason or "sent" in reason or "give the document" in reason


@pytest.mark.parametrize("keyword", sorted(_BLOCKING))
def test_every_trouble_of_a_printer_says_what_to_do(keyword: str) -> None:
    how = PrinterStatus(PrinterState.STOPPED, (f"{keyword}-error",))
    remedy = helped(how)
    check(wording.waiting(blocked(how), remedy, 3600), to_do=True)
    check(wording.holds_up(12, blocked(how), remedy), to_do=True)
    check(wording.given_up(f"Given up: {blocked(how)}", printing=True, remedy=remedy), to_do=True)


def test_remedies_are_for_words_that_are_known() -> None:
    known = _BLOCKING | {"stopped", "printer-stopped", "job-hold-until-specified"}
    assert set(_REMEDIES) <= known


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (3, "3 s"),
        (90, "90 s"),
        (300, "5 minutes"),
        (3600, "1 hour"),
        (5400, "90 minutes"),
        (7200, "2 hours"),
        (86400, "24 hours"),
    ],
)
def test_durations_are_told_as_people_say_them(seconds: float, told: str) -> None:
    assert wording.lasted(seconds) == told


# ---- Whatever happens -----------------------------------------------------------------------------------------------


async def _run(world: Any, printer: dict[str, Any], rng: random.Random) -> Any:
    """Start a processor whose sending goes wrong in all the ways there are."""
    processor = await world.processor(printers=[printer])
    view = processor.shelf.printer("A")
    real = view.send
    wrong = {
        "off": PrinterUnreachable("it is off", started=False),
        "refused": PrinterRefused("not this one"),
        "broken": PrinterUnreachable("the connection broke; a part may be out", started=True),
    }

    async def send(*told: Any) -> Any:
        moment = rng.choice(["well", "well", "lost", *wrong])
        if moment in wrong:
            raise wrong[moment]
        answer = await real(*told)
        if moment == "lost":
            raise PrinterUnreachable("the answer was lost", started=None)
        return answer

    view.send = send
    return processor


@pytest.mark.parametrize("seed", range(24))
async def test_p7_no_course_of_events_leads_to_a_message_that_contradicts_itself(world: Any, seed: int) -> None:
    """Sends that break before, in and after the document; jobs that stop, hang and are given up; a stop in the middle; both policies."""
    rng = random.Random(seed)
    raw = rng.random() < 0.5
    device = world.device("A", feedback=Feedback.SENT_ONLY if raw else Feedback.FOLLOWED, holds=rng.random() < 0.5)
    rows = [world.server.add(number) for number in range(1, 9)]
    printer = {"id": "A", "uncertain": rng.choice(["hold", "reprint"]), "give_up_after": 60, "stuck_after": 30}
    for row in rows:
        rng.choice([device.hangs.add, device.abort.add, lambda _: None, lambda _: None])(row.document)
        if rng.random() < 0.2:
            device.stops[row.document] = ("job-completed-with-errors",)

    def run() -> Any:
        return _run(world, printer, rng)

    processor = await run()
    for _ in range(3):
        await asyncio.sleep(rng.uniform(1, 200))
        await processor.stop()
        processor = await run()
    await world.settled(3 * 3600)
    for row in rows:
        check(row.message, to_do=row.state is JobState.ERROR)
        assert not contradicts(row.message), row.message
    world.check()


# ---- Notes are about the submission that printed ----

NARROW = "Paper A5 was asked for and is not in this printer, so it was printed on A4."
SMALLER = "The page is A4, larger than the paper (A5), so it was made smaller to fit."
LATER = "99 were printed."


@pytest.mark.parametrize("outcome", Outcome)
def test_p12_only_what_came_out_is_said_to_be_printed_and_only_on_that_condition(outcome: Outcome) -> None:
    told = wording.message(outcome, "The end", (NARROW,))
    expected = {
        Outcome.PRINTED: f"The end. {NARROW}",
        Outcome.UNCERTAIN: f"The end. If it came out, this is true of it: {NARROW}",
    }
    assert told == expected.get(outcome, "The end.")


def prepares(processor: Any, *notes: str) -> None:
    async def prepare(name: str, payload: str, document: Path, printer: Any) -> Prepared:
        return Prepared(Ticket(name), document, notes)

    object.__setattr__(processor.dispatcher._context, "prepare", prepare)


async def test_p12_a_new_preparation_takes_the_place_of_what_the_one_before_noted(world: Any) -> None:
    world.device("A", feedback=Feedback.SENT_ONLY)
    row = world.server.add(1)
    one = await world.processor(printers=[{"id": "A", "give_up_after": 3600}])
    prepares(one, NARROW)

    async def send(*_: Any) -> None:
        raise PrinterUnreachable("connection refused", started=False)

    one.shelf.printer("A").send = send
    await asyncio.sleep(60)
    assert NARROW in (await one.journal.unreported())[0].notes
    await one.kill()
    two = await world.processor(printers=[{"id": "A", "give_up_after": 3600}])
    prepares(two, SMALLER)
    await world.settled()
    assert SMALLER in row.message
    assert NARROW not in row.message


async def test_p12_what_the_printer_refuses_takes_its_note_back(world: Any) -> None:
    device = world.device("A")
    row = world.server.add(1)
    one = await world.processor(printers=[{"id": "A"}])
    prepares(one, SMALLER, LATER)
    printer = one.shelf.printer("A")
    create = printer.create

    async def refuse(ticket: Ticket) -> Any:
        return replace(await create(ticket), ignored=("The printer did not take the scaling.",), untrue=(SMALLER,))

    printer.create = refuse
    await world.settled()
    assert device is not None
    assert LATER in row.message
    assert "did not take the scaling" in row.message
    assert SMALLER not in row.message
