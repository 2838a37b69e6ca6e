"""How each kind of fault is carried out while documents are printed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from piprint.contract import JobState
from piprint.journal.entry import Entry
from piprint.journal.steps import Step
from simulation.plan import Fault
from simulation.printing.web import Mood, Reply

if TYPE_CHECKING:
    from simulation.printing.world import Processor, World

__all__ = ["ACTIONS", "TAKES_DOWN"]

Action = Callable[["World", Fault], Coroutine[Any, Any, None]]

TAKES_DOWN = ("kill", "kill_step", "kill_await", "restart", "cut", "cut_printing", "cut_step", "cut_in_write")
"""Faults that end a program: the next fault waits for them."""

_PATIENCE = 120.0
"""Seconds for which a fault waits for the step at which it shall strike."""

# f: clocks.


async def _clock(world: World, fault: Fault) -> None:
    assert isinstance(fault.much, int | float)
    world.host.step(fault.much)
    with world.bad.bad("clock"):
        await asyncio.sleep(fault.span)
    if fault.kind == "clock":
        world.host.put_right()
        world.note("the host's clock is put right", tell=True)


# g: Business Central.


async def _central(world: World, fault: Fault) -> None:
    central, much = world.central, fault.much
    with world.bad.bad("bc"):
        if fault.kind == "bc_away":
            central.place.away = True
            central.place.break_off()
        elif fault.kind == "bc_silent":
            central.place.silent = True
        elif fault.kind == "bc_slow":
            central.web.mood = Mood(seconds=float(much))
        elif fault.kind == "throttle":
            headers = {"Retry-After": str(much)} if much else {}
            central.web.mood = Mood(refusal=Reply(429, b"{}", {"Content-Type": "application/json", **headers}))
        elif fault.kind == "gateway":
            central.web.mood = Mood(refusal=Reply(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}))
        elif fault.kind == "replica":
            central.database.lag.seconds = float(much)
        else:
            setattr(central.web.mood, fault.kind.removeprefix("bc_"), float(much))
        await asyncio.sleep(fault.span)
        central.place.away = central.place.silent = False
        central.web.mood = Mood()
        central.database.lag.seconds = 0
    world.note("Business Central is as before", tell=True)


async def _tokens(world: World, fault: Fault) -> None:
    del fault
    with world.bad.bad("bc"):
        world.central.withdraw_tokens()


async def _restore(world: World, fault: Fault) -> None:
    world.central.back_up()
    await asyncio.sleep(fault.span)
    with world.bad.bad("bc", "restored"):
        world.central.restore()
    world.note("Business Central is restored from its backup", tell=True)


# h: printers.


async def _printer_off(world: World, fault: Fault) -> None:
    device = world.devices[str(fault.much)]
    with world.bad.bad("printer", str(fault.much)):
        if device.name == "desk":
            world.desk.switch_off()
        else:
            device.on = False
        if device.name == "label":
            world.label.away = True
            for end in tuple(world.label.ends):
                end.vanish()
        await asyncio.sleep(fault.span)
        device.on, world.label.away = True, world.label.away and device.name != "label"
        if device.name == "desk":
            world.desk.switch_on()


async def _jam(world: World, fault: Fault) -> None:
    device = world.devices[str(fault.much)]
    with world.bad.bad(device.name, *(("stuck",) if fault.kind == "stuck" else ())):
        if fault.kind == "jam":
            device.jammed = True
        else:
            device.stuck = True
        await asyncio.sleep(fault.span)
        if fault.kind == "jam":
            device.jammed = False
        else:
            device.stuck = False


async def _line(world: World, fault: Fault) -> None:
    with world.bad.bad("line", "office", "desk"):
        mood = Mood(before=float(fault.much)) if fault.kind == "line_before" else Mood(after=float(fault.much))
        world.cups.web.mood = world.desk.web.mood = mood
        await asyncio.sleep(fault.span)
        world.cups.web.mood = world.desk.web.mood = Mood()


async def _line_silent(world: World, fault: Fault) -> None:
    with world.bad.bad("line", "desk", "label"):
        world.desk.place.silent = world.label.silent = True
        await asyncio.sleep(fault.span)
        world.desk.place.silent = world.label.silent = False


async def _cups(world: World, fault: Fault) -> None:
    assert isinstance(fault.much, int | float)
    with world.bad.bad("cups", "office"):
        if fault.kind != "cups_restart":
            world.note("now: cupsd is killed", tell=fault.kind != "cups_kill")
            world.cups.kill()
        else:
            world.cups.stop()
        await asyncio.sleep(fault.much)
        if world.cups.place.away:
            world.cups.start()


async def _begins(world: World) -> bool:
    """Wait until CUPS begins with a document, and a moment more."""
    for _ in range(int(_PATIENCE / 0.05)):
        if not world.cups.busy:
            await asyncio.sleep(0.05)
            continue
        await asyncio.sleep(world.rng.choice((0.2, 0.8, 2.5)) * world.rng.random())
        return True
    return False


async def _cups_printing(world: World, fault: Fault) -> None:
    if await _begins(world):
        await _cups(world, fault)


async def _cut_printing(world: World, fault: Fault) -> None:
    if await _begins(world):
        await _down(world, fault, str(fault.much))


async def _disable(world: World, fault: Fault) -> None:
    with world.bad.bad("cups", "office"):
        world.cups.disable("office")
        await asyncio.sleep(fault.span)
        world.cups.enable("office")


# i: the computer.


def _whom(world: World) -> Sequence[Processor]:
    return [world.rng.choice(world.processors)]


async def _struck(world: World, whom: Sequence[Processor], fault: Fault, power: str = "") -> None:
    """Clear away what was struck, and begin anew."""
    await world.bury(whom)
    await asyncio.sleep(fault.span)
    if power:
        world.cups.start()
    for processor in whom:
        processor.boot()


async def _down(world: World, fault: Fault, how: str) -> None:
    power = how if fault.kind.startswith("cut") else ""
    async with world.power:
        whom = world.processors if power else _whom(world)
        with world.bad.bad("host", *(("cups", "office") if power else ())):
            world.strike(whom, power=power)
            await _struck(world, whom, fault, power)


async def _kill(world: World, fault: Fault) -> None:
    await _down(world, fault, "")


async def _cut(world: World, fault: Fault) -> None:
    await _down(world, fault, str(fault.much))


async def _at_step(world: World, fault: Fault) -> None:
    """End it before or after the so-many-th step of the journal from now."""
    moment, count = str(fault.much).removesuffix(".").split(" the ")
    left, struck = [int(count)], asyncio.Event()
    power = world.rng.choice(("none", "all", "prefix", "sector")) if fault.kind == "cut_step" else ""
    async with world.power:
        whom = world.processors if power else _whom(world)

        def commits(at: str, entry: Entry) -> bool:
            left[0] -= at == moment
            if left[0] > 0 or struck.is_set():
                return False
            world.note(f"now: {at} job {entry.row_no} is {entry.step}", tell=True)
            world.strike(whom, power=power)
            struck.set()
            return True

        for processor in whom:
            processor.at_commit = commits
        await _until(world, struck)
        for processor in whom:
            processor.at_commit = None
        if struck.is_set():
            with world.bad.bad("host", *(("cups", "office") if power else ())):
                await _struck(world, whom, fault, power)


async def _at_await(world: World, fault: Fault) -> None:
    """End it so many rounds of the loop after the next claim."""
    assert isinstance(fault.much, int)
    struck, much = asyncio.Event(), fault.much
    async with world.power:
        whom = _whom(world)

        def commits(at: str, entry: Entry) -> bool:
            if entry.step is Step.CLAIMING and at == "after" and not world.loop.fuse:
                world.loop.fuse, world.loop.struck = much, strike
            return False

        def strike() -> None:
            world.note("now: killed", tell=True)
            world.strike(whom)
            struck.set()

        for processor in whom:
            processor.at_commit = commits
        await _until(world, struck)
        world.loop.fuse = 0
        for processor in whom:
            processor.at_commit = None
        if struck.is_set():
            with world.bad.bad("host"):
                await _struck(world, whom, fault)


async def _until(world: World, struck: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_PATIENCE):
            await struck.wait()
    except TimeoutError:
        world.note("nothing came to be struck")


async def _cut_in_write(world: World, fault: Fault) -> None:
    async with world.power:
        world.disk.arm(world.rng.randrange(1, 60), str(fault.much), world.rng)
        waited = 0.0
        while not world.disk.off and waited < _PATIENCE:
            await asyncio.sleep(0.01)
            waited += 0.01
        world.disk.disarm()
        with world.bad.bad("host", "cups", "office"):
            world.strike(world.processors, power=str(fault.much))
            await _struck(world, world.processors, fault, str(fault.much))


async def _restart(world: World, fault: Fault) -> None:
    async with world.power:
        (processor,) = _whom(world)
        with world.bad.bad("host"):
            await world.halt(processor)
            await asyncio.sleep(fault.span)
            processor.boot()


async def _lag(world: World, fault: Fault) -> None:
    with world.bad.bad("threads"):
        world.fibers.lag = float(fault.much)
        await asyncio.sleep(fault.span)
        world.fibers.lag = 0.0


# j: users.


def _which(world: World, fault: Fault) -> int | None:
    assert isinstance(fault.much, int)
    numbers = sorted(world.central.rows(), reverse=True)
    return numbers[min(fault.much, len(numbers) - 1)] if numbers else None


async def _user(world: World, fault: Fault) -> None:
    number = _which(world, fault)
    if number is None:
        return
    central = world.central
    row = central.row(number)
    world.note(f"it is document {number}, {row.status.name if row else 'gone'}", tell=True)
    if fault.kind == "cancel":
        central.cancel(number)
    elif fault.kind == "reprint":
        central.restart(number)
    elif fault.kind == "delete":
        central.delete(number)
    else:
        central.hold(number)
        await asyncio.sleep(fault.span)
        row = central.row(number)
        if row is not None and row.status is JobState.HOLD:
            central.restart(number)


async def _poison(world: World, fault: Fault) -> None:
    await world.print(str(fault.much), poison=True)


async def _burst(world: World, fault: Fault) -> None:
    assert isinstance(fault.much, int)
    for _ in range(fault.much):
        await world.print("office")


ACTIONS: dict[str, Action] = {
    "clock": _clock,
    "clock_stays": _clock,
    **dict.fromkeys(
        (
            "bc_away",
            "bc_silent",
            "bc_before",
            "bc_after",
            "bc_torn",
            "bc_mute",
            "bc_slow",
            "throttle",
            "gateway",
            "replica",
        ),
        _central,
    ),
    "tokens": _tokens,
    "restore": _restore,
    "printer_off": _printer_off,
    **dict.fromkeys(("jam", "stuck"), _jam),
    **dict.fromkeys(("line", "line_before"), _line),
    "line_silent": _line_silent,
    **dict.fromkeys(("cups_kill", "cups_restart"), _cups),
    "cups_kill_printing": _cups_printing,
    "disable": _disable,
    "kill": _kill,
    **dict.fromkeys(("kill_step", "cut_step"), _at_step),
    "kill_await": _at_await,
    "restart": _restart,
    "cut": _cut,
    "cut_printing": _cut_printing,
    "cut_in_write": _cut_in_write,
    "lag": _lag,
    **dict.fromkeys(("cancel", "hold", "reprint", "delete"), _user),
    "poison": _poison,
    "burst": _burst,
}
