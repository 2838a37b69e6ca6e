"""How each kind of fault is carried out."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from osgp.errors import OsgpError
from osgp.key import MeterKey
from osgp.meter import open_meter
from osgp.optical.key import OpticalKey
from simulation.disk import FULL, WRITE_ERROR
from simulation.gateway.accounts import check_integrity
from simulation.gateway.broker import Mood
from simulation.gateway.faults import Fault
from simulation.gateway.packets import Kind

if TYPE_CHECKING:
    from simulation.gateway.world import World

__all__ = ["ACTIONS", "TAKES_DOWN"]

Action = Callable[["World", Fault], Awaitable[None]]

TAKES_DOWN = ("cut", "cut_in_write", "kill", "restart", "boot_clock")
"""Faults that end the program: the next fault waits for them."""

# a: clocks.


async def _clock(world: World, fault: Fault) -> None:
    assert isinstance(fault.much, int | float)
    host = world.host
    trusted = fault.kind == "clock_trusted"
    # Linux says that the clock is not synchronised as soon as somebody sets it by hand.
    host.step(fault.much)
    host.synchronised = trusted
    big = abs(fault.much) > 600
    if trusted and abs(fault.much) > 5:
        world.labels_wrong = True
    if big and not trusted:
        world.clock_wrong_since = world.loop.now
    with world.bad.bad("clock"):
        await world.sleep(fault.span)
    host.put_right()
    host.synchronised = True
    world.clock_wrong_since = None
    world.note("the host's clock is put right", tell=True)


async def _no_sync(world: World, fault: Fault) -> None:
    world.host.synchronised = False
    await world.sleep(fault.span)
    world.host.synchronised = True


async def _drift(world: World, fault: Fault) -> None:
    assert isinstance(fault.much, int | float)
    with world.bad.bad("clock"):
        world.host.drift(fault.much)
        await world.sleep(fault.span)
        world.host.put_right()


async def _boot_clock(world: World, fault: Fault) -> None:
    assert isinstance(fault.much, int | float)
    async with world.power:
        with world.bad.bad("clock"):
            await _power_off(world, "none")
            await world.sleep(fault.span)
            world.host.step(fault.much)
            world.host.synchronised = False
            if abs(fault.much) > 600:
                world.clock_wrong_since = world.loop.now
            world.boot()
            await world.sleep(120)
            world.host.put_right()
            world.host.synchronised = True
            world.clock_wrong_since = None
            world.note("time-sync puts the host's clock right", tell=True)


# b: the meter.


async def _layout(world: World, fault: Fault) -> None:
    (world.meters.get(str(fault.much)) or world.meters["house"]).reconfigure()


async def _layout_within(world: World, fault: Fault) -> None:
    """Reconfigure between two messages of one exchange."""
    assert isinstance(fault.much, int)
    for name, meter in world.meters.items():
        line, left = world.line_of(name), [fault.much]

        def heard(_: bytes, left: list[int] = left, name: str = name) -> None:
            left[0] -= 1
            if not left[0]:
                world.line_of(name).heard = None
                world.line_of(name).lose_next = 1
                world.meters[name].reconfigure()
                world.note(f"now: {name} is configured anew", tell=True)

        line.heard = heard
        del meter


async def _swap(world: World, fault: Fault) -> None:
    name = str(fault.much) if fault.much in world.meters else "house"
    meter, line = world.meters[name], world.line_of(name)
    with ExitStack() as stack:
        if fault.span:
            stack.enter_context(world.bad.bad("line"))
            line.deaf = True
            await world.sleep(fault.span)
            line.deaf = False
        shown = meter.energy(world.host.true())
        serial = f"{world.rng.randrange(10**10):010d}"
        meter.swap(serial, shown + 25_310_800 if fault.kind == "swap_used" else 1_000)
        world.watch.swapped.append((name, world.loop.now))


async def _meter_restart(world: World, fault: Fault) -> None:
    with world.bad.bad("line"):
        for name in world.meters:
            world.line_of(name).deaf = True
        await world.sleep(fault.span)
        for name, meter in world.meters.items():
            world.line_of(name).deaf = False
            meter.restart()


async def _resync(world: World, fault: Fault) -> None:
    del fault
    for meter in world.meters.values():
        meter.resynchronise()


async def _silent(world: World, fault: Fault) -> None:
    with world.bad.bad("line"):
        for line in world.lines.by_port.values():
            line.deaf = True
        await world.sleep(fault.span)
        for line in world.lines.by_port.values():
            line.deaf = False


async def _no_values(world: World, fault: Fault) -> None:
    with world.bad.bad("line"):
        for meter in world.meters.values():
            meter.absent = True
        await world.sleep(fault.span)
        for meter in world.meters.values():
            meter.absent = False


async def _second_client(world: World, fault: Fault) -> None:
    """Read by a program that is not ours, as a grid company's reader through the same serial server would."""
    end = world.loop.now + fault.span
    with world.bad.bad("line"):
        for meter, settings in world.config.meters.items():
            del meter
            key = OpticalKey if settings.port.startswith("optical") else MeterKey
            try:
                async with open_meter(settings.port, key=key.parse("SIMULATED-METER-DEMO")) as opened:
                    while world.loop.now < end - fault.span / 2:
                        with suppress(OsgpError):
                            await opened.registers()
                        await world.sleep(1)
            except OsgpError:
                pass
        await world.sleep(end - world.loop.now)


# c: the broker.


def _mood(world: World, fault: Fault) -> None:
    """Put the broker into the mood that a fault says."""
    mood, much = world.broker.mood, fault.much
    changes: dict[str, object] = {  # type: ignore[assignment]
        "refuse": {"refuse": much, "refused": "*"},
        "refuse_registers": {"refuse": much, "refused": "*/registers"},
        "no_retain": {"retains": False},
        "mute": {"mute": frozenset({Kind[much]}) if isinstance(much, str) else frozenset()},
        "broker_away": {"away": True},
    }.get(fault.kind, {fault.kind: much})
    for name, value in changes.items():
        setattr(mood, name, value)


async def _broker(world: World, fault: Fault) -> None:
    broker = world.broker
    anew = fault.kind in ("greeting", "wish", "largest", "best", "no_retain", "receive", "broker_away")
    with world.bad.bad("broker"):
        _mood(world, fault)
        if fault.kind == "best" and not fault.much:
            world.outbox_gone = True  # what is not confirmed may be lost, and the program says so
        if anew:
            broker.drop_all()  # who sets limits starts the broker again
        # MQTT 3.1.1 has no word for a refusal: nobody can hear it.
        if fault.kind.startswith("refuse"):
            if world.setting.protocol == "5":
                world.refusing_since = world.loop.now
            else:
                world.outbox_gone = True
        await world.sleep(fault.span)
        broker.mood = Mood(lose_acks=broker.mood.lose_acks)
        world.refusing_since = None
        if anew:
            broker.drop_all()
    world.note("the broker is as before", tell=True)


async def _lose_acks(world: World, fault: Fault) -> None:
    assert isinstance(fault.much, int)
    world.broker.mood.lose_acks += fault.much


async def _disconnect(world: World, fault: Fault) -> None:
    assert isinstance(fault.much, int)
    world.broker.drop_all(fault.much)


async def _garbage(world: World, fault: Fault) -> None:
    del fault
    world.broker.garbage()


# d: the disk.


async def _power_off(world: World, how: str) -> None:
    disk = world.disk
    world.loses_by_power()
    if how == "broken":
        world.note("the drive destroys the block that it was writing")
    await world.fall(disk.cut(how, world.rng), how, power=True)
    check_integrity(world, f"after a power cut ({how})")


async def _cut(world: World, fault: Fault) -> None:
    async with world.power:
        await _power_off(world, str(fault.much))
        await world.sleep(fault.span)
        world.boot()


async def _cut_in_write(world: World, fault: Fault) -> None:
    async with world.power:
        disk = world.disk
        disk.arm(world.rng.randrange(1, 60), str(fault.much), world.rng)
        waited = 0.0
        while not disk.off and waited < 900:
            await world.sleep(0.5)
            waited += 0.5
        disk.disarm()
        await _power_off(world, str(fault.much))
        await world.sleep(fault.span)
        world.boot()


async def _disk_fails(world: World, fault: Fault) -> None:
    disk, files = world.disk, world.files
    begun = world.loop.now
    with world.bad.bad("disk"):
        if fault.kind == "full":
            disk.error, files.error = FULL, errno.ENOSPC
        elif fault.kind == "disk_error":
            disk.error, files.error = WRITE_ERROR, errno.EIO
        else:
            disk.read_only, files.error = True, errno.EROFS
        life = world.host.life
        await world.sleep(fault.span)
        disk.error, files.error, disk.read_only = 0, 0, False
        if world.host.life != life:  # what was in memory only is gone with the program
            for losses in (world.losses, world.present_losses):
                losses.append((begun - 120, world.loop.now + 120))


async def _lie(world: World, fault: Fault) -> None:
    assert isinstance(fault.much, int)
    world.disk.lie += fault.much


async def _damage(world: World, fault: Fault) -> None:
    assert isinstance(fault.much, int)
    if world.disk.damage(world.database, fault.much, world.rng):
        world.damaged = world.outbox_gone = True


# e: the lines, the computer and its program.


async def _line(world: World, fault: Fault) -> None:
    lines = list(world.lines.by_port.values())
    with world.bad.bad("line"):
        for line in lines:
            if fault.kind == "loss":
                line.loss = float(fault.much)
            elif fault.kind == "noise":
                line.noise = float(fault.much)
            else:
                line.away = True
                line.break_off()
        await world.sleep(fault.span)
        for line in lines:
            line.loss = line.noise = 0.0
            line.away = False


async def _kill(world: World, fault: Fault) -> None:
    async with world.power:
        world.loses_by_kill()
        await world.fall(world.disk.cut("all", world.rng), "all", power=False)
        await world.sleep(fault.span)
        world.boot()


async def _restart(world: World, fault: Fault) -> None:
    async with world.power:
        await world.halt()
        await world.sleep(fault.span)
        world.boot()


async def _lag(world: World, fault: Fault) -> None:
    with world.bad.bad("threads"):
        world.fibers.lag = float(fault.much)
        await world.sleep(fault.span)
        world.fibers.lag = 0.0


ACTIONS: dict[str, Action] = {
    "clock": _clock,
    "clock_stays": _clock,
    "clock_trusted": _clock,
    "boot_clock": _boot_clock,
    "no_sync": _no_sync,
    "drift": _drift,
    "layout": _layout,
    "layout_within": _layout_within,
    "swap": _swap,
    "swap_used": _swap,
    "meter_restart": _meter_restart,
    "resync": _resync,
    "silent": _silent,
    "no_values": _no_values,
    "second_client": _second_client,
    **dict.fromkeys(
        (
            "broker_away",
            "refuse",
            "refuse_registers",
            "greeting",
            "wish",
            "largest",
            "best",
            "no_retain",
            "receive",
            "mute",
            "slow",
        ),
        _broker,
    ),
    "lose_acks": _lose_acks,
    "disconnect": _disconnect,
    "garbage": _garbage,
    "cut": _cut,
    "cut_in_write": _cut_in_write,
    **dict.fromkeys(("full", "disk_error", "read_only"), _disk_fails),
    "lie": _lie,
    "damage": _damage,
    **dict.fromkeys(("loss", "noise", "bridge"), _line),
    "kill": _kill,
    "restart": _restart,
    "lag": _lag,
}
