"""What can go wrong, drawn by seed, and each said in words.

A plan is a list of :class:`Fault`; it can be written down, made smaller, and run again. Each kind belongs to one of the classes

====  =============================================================
a     clocks
b     the meter
c     the broker
d     the disk
e     the lines, the computer and its program
====  =============================================================
"""

from __future__ import annotations

import random
from collections.abc import Collection

from simulation.disk import CUTS
from simulation.gateway.packets import Kind as PacketKind
from simulation.plan import DAY, FOR_EVER, HOUR, Fault, Kind, duration, one_of, step

__all__ = ["KINDS", "Fault", "draw", "words"]

YEAR = 365.25 * DAY

_STEPS = (2, -2, 75, -75, 3600, -3600, 7200, -7200, -3 * DAY, 3 * DAY, 10 * YEAR, -10 * YEAR, -40 * YEAR)
PUBACKS = (0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99)
"""Section 3.4.2.1 of MQTT 5."""
CONNACKS = (
    0x80,
    0x81,
    0x82,
    0x83,
    0x84,
    0x85,
    0x86,
    0x87,
    0x88,
    0x89,
    0x8A,
    0x8C,
    0x90,
    0x95,
    0x97,
    0x99,
    0x9A,
    0x9B,
    0x9C,
    0x9D,
    0x9F,
)
"""Section 3.2.2.2."""
SUBACKS = (0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2)
"""Section 3.9.3."""
DISCONNECTS = (
    *(0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99),
    *(0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2),
)
"""Section 3.14.2.1."""

KINDS: dict[str, Kind] = {
    # a: clocks. The host says that it is not synchronised while its clock is wrong, unless the kind's name says otherwise.
    "clock": Kind("a", "the host's clock goes {much} and is put right {span} later", one_of(*_STEPS), common=2),
    "clock_stays": Kind("a", "the host's clock goes {much} for ever", one_of(*_STEPS), (FOR_EVER,), common=0.5),
    "clock_trusted": Kind(
        "a",
        "the host's clock goes {much} while it says that it is synchronised, and is put right {span} later",
        one_of(*_STEPS),
        common=0.5,
    ),
    "boot_clock": Kind(
        "a",
        "the power is gone for {span}; the computer comes back with its clock {much}, and time-sync comes 120 s later",
        one_of(-3 * DAY, 7200, -7200, 3600, 10 * YEAR, -40 * YEAR, -1800),
    ),
    "no_sync": Kind("a", "there is no time-sync for {span}; the clock is right", spans=(900, 3600)),
    "drift": Kind(
        "a",
        "the host's clock drifts by {much} parts in a million for {span}",
        one_of(300, -300, 5000, -5000),
        (900, 3600),
    ),
    # b: the meter.
    "layout": Kind(
        "b", "the grid company configures {much} anew: its tables change", one_of("house", "cottage"), common=2
    ),
    "layout_within": Kind(
        "b",
        "the grid company configures both meters anew, just before the meter hears the {much}th message from now; "
        "the next answer is lost",
        lambda rng: rng.randint(1, 40),
        common=2,
    ),
    "swap": Kind(
        "b", "{much} is replaced by a new meter, {span} without an answer", one_of("house", "cottage"), (0, 5, 40, 200)
    ),
    "swap_used": Kind(
        "b",
        "{much} is replaced by a used meter that shows more, {span} without an answer",
        one_of("house", "cottage"),
        (0, 5, 40, 200),
    ),
    "meter_restart": Kind("b", "the meters lose their power for {span}", spans=(1, 5, 40)),
    "resync": Kind("b", "the meters' sequence numbers move by themselves", spans=(0,)),
    "silent": Kind("b", "the meters do not answer for {span}"),
    "no_values": Kind("b", "all present values are 0x80000000 for {span}"),
    "second_client": Kind("b", "a second program reads on the same lines for {span}", spans=(30, 200), common=2),
    # c: the broker.
    "broker_away": Kind("c", "the broker is away for {span}"),
    "lose_acks": Kind(
        "c",
        "the broker takes {much} messages and breaks off before it confirms them",
        lambda rng: rng.randint(1, 3),
        (0,),
    ),
    "refuse": Kind("c", "the broker refuses each message with reason code {code} for {span}", one_of(*PUBACKS)),
    "refuse_registers": Kind(
        "c", "the broker refuses register readings with reason code {code} for {span}", one_of(*PUBACKS), common=2
    ),
    "greeting": Kind("c", "the broker greets with reason code {code} for {span}", one_of(*CONNACKS)),
    "wish": Kind("c", "the broker refuses subscriptions with reason code {code} for {span}", one_of(*SUBACKS)),
    "disconnect": Kind("c", "the broker breaks off with reason code {code}", one_of(*DISCONNECTS), (0,)),
    "largest": Kind(
        "c", "the broker takes packets of {much} bytes at most, for {span}", one_of(60, 400, 2000, 10_000, 20_000)
    ),
    "best": Kind("c", "the broker takes quality of service {much} at most, for {span}", one_of(0, 1)),
    "no_retain": Kind("c", "the broker keeps no messages for {span}"),
    "receive": Kind("c", "the broker takes {much} unconfirmed messages at most, for {span}", one_of(1, 5)),
    "mute": Kind(
        "c",
        "the broker takes {name} and does not answer them, for {span}",
        one_of(
            *(kind.name for kind in (PacketKind.CONNECT, PacketKind.PUBLISH, PacketKind.SUBSCRIBE, PacketKind.PINGREQ))
        ),
    ),
    "slow": Kind("c", "the broker answers {much} s late for {span}", one_of(0.3, 5, 15)),
    "garbage": Kind("c", "the broker sends bytes that are no MQTT", spans=(0,)),
    # d: the disk.
    "cut": Kind("d", "power cut (of what was not synced is left: {name}), back after {span}", one_of(*CUTS), common=4),
    "cut_in_write": Kind(
        "d",
        "power cut within a write of the database (of what was not synced is left: {name}), back after {span}",
        one_of(*CUTS),
        common=2,
    ),
    "full": Kind("d", "the disk is full for {span}"),
    "disk_error": Kind("d", "the disk fails (EIO) for {span}"),
    "read_only": Kind("d", "the disk is mounted read-only for {span}"),
    "lie": Kind(
        "d",
        "the disk says of {much} writes that they failed, though they are there",
        lambda rng: rng.randint(1, 5),
        (0,),
    ),
    "damage": Kind("d", "page {much} of the history is destroyed", lambda rng: rng.randint(0, 12), (0,)),
    # e: the lines, the computer and its program.
    "loss": Kind("e", "the lines lose {share} of the messages for {span}", one_of(0.05, 0.3, 0.9)),
    "noise": Kind("e", "the lines damage {share} of the messages for {span}", one_of(0.05, 0.3)),
    "bridge": Kind("e", "the serial servers are away for {span}"),
    "kill": Kind("e", "kill -9", spans=(1,), common=2),
    "restart": Kind("e", "restart"),
    "lag": Kind("e", "threads get a processor {lag} late, for {span}", one_of(1, 10, 50), (40, 200)),
}


def words(fault: Fault) -> str:
    """Say what a fault is."""
    much = fault.much
    return KINDS[fault.kind].words.format(
        much=step(much) if fault.kind.startswith(("clock", "boot")) else much,
        code=f"0x{much:02X}" if isinstance(much, int) else much,
        name=much,
        share=f"{much:.0%}" if isinstance(much, float) else much,
        lag=f"{much} s",
        span=duration(fault.span),
    )


def draw(rng: random.Random, hours: float, kinds: Collection[str], many: tuple[int, int] = (2, 5)) -> list[Fault]:
    """Draw a plan of so many faults, none in the first five minutes nor in the last quarter of an hour."""
    chosen = [kind for kind in KINDS if kind in kinds]
    weights = [KINDS[kind].common for kind in chosen]
    faults = []
    for name in rng.choices(chosen, weights, k=rng.randint(*many)):
        at = round(rng.uniform(300, hours * HOUR - 900), 1)
        longer = rng.choice((1, 3, 10)) if hours > 6 else 1
        faults.append(Fault(at, name, rng.choice(KINDS[name].spans) * longer, KINDS[name].much(rng)))
    return sorted(faults, key=lambda fault: fault.at)
