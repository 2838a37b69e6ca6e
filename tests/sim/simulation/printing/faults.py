"""What can go wrong while documents are printed, drawn by seed, and each said in words.

Each kind belongs to one of the classes

====  =============================================================
f     clocks
g     Business Central and the way to it
h     printers, CUPS, and the way to them
i     the computer, its disk and the program
j     users
====  =============================================================
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence

from simulation.disk import CUTS
from simulation.plan import DAY, Fault, Kind, duration, one_of, step

__all__ = ["KINDS", "PRINTERS", "draw", "words"]

PRINTERS = ("office", "desk", "label")
"""A queue of CUPS; a printer by IPP that holds nothing and takes one job at a time; one at port 9100."""

_STEPS = (2, -2, 75, -75, 3600, -3600, -7200, 3 * DAY, -3 * DAY, -400 * DAY, 400 * DAY)
_SOUND = tuple(cut for cut in CUTS if cut != "broken")
_BACK = (0.0, 0.1, 0.9, 2.0, 20.0)

KINDS: dict[str, Kind] = {
    "clock": Kind("f", "the host's clock goes {much} and is put right {span} later", one_of(*_STEPS), (5, 40, 200)),
    "clock_stays": Kind("f", "the host's clock goes {much} for ever", one_of(*_STEPS), (0,), 0.5),
    # g: Business Central.
    "bc_away": Kind("g", "Business Central refuses connections for {span}"),
    "bc_silent": Kind("g", "nothing comes through to Business Central for {span}", spans=(40, 200)),
    "bc_before": Kind(
        "g", "{share} of the requests to Business Central are lost for {span}", one_of(0.3, 0.7), (40, 200)
    ),
    "bc_after": Kind(
        "g",
        "Business Central does what is asked and {share} of its answers are lost, for {span}",
        one_of(0.2, 0.5, 0.9),
        (40, 200),
        2,
    ),
    "bc_torn": Kind(
        "g", "{share} of Business Central's answers break off in the middle, for {span}", one_of(0.3), (40,)
    ),
    "bc_mute": Kind(
        "g",
        "Business Central does what is asked and keeps silent about {share} of it, for {span}",
        one_of(0.2),
        (40, 200),
    ),
    "bc_slow": Kind("g", "Business Central takes {much} s for each answer, for {span}", one_of(2, 8, 25), (40, 200)),
    "throttle": Kind("g", "Business Central answers 429, retry after {much} s, for {span}", one_of(0, 1, 20), (5, 40)),
    "gateway": Kind("g", "a gateway answers 502 for Business Central, for {span}", spans=(5, 40, 200)),
    "tokens": Kind("g", "all tokens are withdrawn", spans=(0,)),
    "replica": Kind("g", "Business Central's replica lags {much} s behind, for {span}", one_of(5, 30), (200,)),
    "restore": Kind(
        "g", "Business Central is backed up, and {span} later restored from that", spans=(20, 100, 300), common=0.5
    ),
    # h: printers.
    "printer_off": Kind("h", "the printer {much} is switched off for {span}", one_of(*PRINTERS)),
    "jam": Kind("h", "the printer {much} has no paper for {span}", one_of(*PRINTERS)),
    "stuck": Kind(
        "h",
        "the printer {much} says that it prints and does nothing, for {span}",
        one_of("office", "desk"),
        (40, 200, 900),
    ),
    "line": Kind(
        "h", "{share} of the answers of CUPS and of the printer desk are lost, for {span}", one_of(0.1, 0.4), (40, 200)
    ),
    "line_before": Kind(
        "h", "{share} of the requests to CUPS and to the printer desk are lost, for {span}", one_of(0.1, 0.4), (40, 200)
    ),
    "line_silent": Kind("h", "nothing comes through to the printers desk and label for {span}", spans=(5, 40, 200)),
    "cups_kill": Kind("h", "kill -9 of cupsd, back {much} s later", one_of(*_BACK), (0,), 3),
    "cups_kill_printing": Kind(
        "h",
        "kill -9 of cupsd soon after it begins with the next document, back {much} s later",
        one_of(*_BACK),
        (0,),
        3,
    ),
    "cups_restart": Kind("h", "cupsd is restarted, back {much} s later", one_of(0.9, 2.0), (0,)),
    "disable": Kind("h", "the queue office is stopped for {span}", spans=(40, 200)),
    # i: the computer.
    "kill": Kind("i", "kill -9, back after {span}", spans=(0.1, 1, 20), common=2),
    "kill_step": Kind(
        "i",
        "kill -9 {much} step of the journal from then, back after {span}",
        lambda rng: f"{rng.choice(('before', 'after'))} the {rng.randint(1, 25)}.",
        (0.1, 1, 20),
        3,
    ),
    "kill_await": Kind(
        "i",
        "kill -9 {much} rounds of the loop after the next claim, back after {span}",
        lambda rng: rng.randint(1, 400),
        (0.1, 1, 20),
        3,
    ),
    "restart": Kind("i", "restart", spans=(1, 20)),
    "cut": Kind(
        "i",
        "power cut of processor and CUPS (of what was not synced is left: {name}), back after {span}",
        one_of(*_SOUND),
        (5, 40),
        2,
    ),
    "cut_step": Kind(
        "i",
        "power cut of processor and CUPS {much} step of the journal from then, back after 20 s",
        lambda rng: f"{rng.choice(('before', 'after'))} the {rng.randint(1, 25)}.",
        (20,),
        2,
    ),
    "cut_printing": Kind(
        "i",
        "power cut of processor and CUPS soon after the next document begins to come out (of what was not synced is left: {name}), back after {span}",
        one_of(*_SOUND),
        (5, 40),
        2,
    ),
    "cut_in_write": Kind(
        "i",
        "power cut of processor and CUPS within a write of the journal (of what was not synced is left: {name}), back after {span}",
        one_of(*_SOUND),
        (5, 40),
    ),
    "lag": Kind("i", "threads get a processor {lag} late, for {span}", one_of(1, 10), (40,), 0.5),
    # j: users. How much is which document: 0 the youngest, 1 the one before.
    "cancel": Kind("j", "a user cancels document {ago}", one_of(0, 0, 1, 2), (0,), 2),
    "hold": Kind("j", "a user holds document {ago}, and lets it go {span} later", one_of(0, 0, 1, 2), (5, 40, 200)),
    "reprint": Kind("j", "a user restarts document {ago}", one_of(0, 0, 1, 2, 3), (0,), 2),
    "delete": Kind("j", "a user deletes document {ago}", one_of(0, 1), (0,), 0.5),
    "poison": Kind(
        "j", "a user prints a document at {much} that filters and printers refuse", one_of("office", "desk"), (0,)
    ),
    "burst": Kind("j", "a user prints {much} documents at office at once", one_of(3, 12), (0,)),
}

_AGO = ("the youngest", "the one before the youngest", "the third from the end", "the fourth from the end")


def words(fault: Fault) -> str:
    """Say what a fault is."""
    much = fault.much
    return KINDS[fault.kind].words.format(
        much=step(much) if fault.kind.startswith("clock") else much,
        name=much,
        share=f"{much:.0%}" if isinstance(much, float) else much,
        lag=f"{much} s",
        ago=_AGO[much] if isinstance(much, int) and 0 <= much < len(_AGO) else much,
        span=duration(fault.span),
    )


def draw(
    rng: random.Random, minutes: float, kinds: Collection[str], prints: Sequence[float], many: tuple[int, int] = (1, 6)
) -> list[Fault]:
    """Draw a plan of so many faults, two of three within seconds of a document that is printed; ``prints`` says when those are."""
    names = [kind for kind in KINDS if kind in kinds]
    weights = [KINDS[kind].common for kind in names]
    faults = []
    for name in rng.choices(names, weights, k=rng.randint(*many)):
        at = rng.choice(prints) + rng.choice((2, 8, 30)) * rng.random() if rng.random() < 0.67 else 0.0
        at = at or rng.uniform(20, minutes * 60)
        faults.append(Fault(round(at, 1), name, rng.choice(KINDS[name].spans), KINDS[name].much(rng)))
    return sorted(faults, key=lambda fault: fault.at)
