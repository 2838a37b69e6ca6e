"""``osgp watch``: a meter's values as they change, until Ctrl-C.

When the meter falls silent or the port goes away, the last values stay, marked with their age, and it is tried again. A
refused key ends it at once.

This module does not know how the screen is painted.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osgp.cli.opening import Target, error_words, run, step
from osgp.cli.options import AsJson, KeyFile, KeyPadding, Padding, Port, Protection, SecurityName, TokenFile
from osgp.cli.text.terminal import is_terminal, note, paint, print_json, print_lines
from osgp.errors import LinkError, TransportError

if TYPE_CHECKING:
    from osgp.key import MeterKey
    from osgp.meter import Identity, Meter
    from osgp.ports.connection import LinkStats
    from osgp.sources import Source

__all__ = ["watch"]

_REGISTERS_EVERY = 10.0
"""Seconds; together with the present values this stays below one table a second on average (MEP guide v1.1 p. 51)."""
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_HISTORY = 400
_OLD = 3
"""Missed readings after which values count as old."""


@dataclass(slots=True)
class _View:
    """What is known now."""

    url: str
    every: float
    identity: Identity | None = None
    values: dict[Source, int] = field(default_factory=dict)
    stats: LinkStats | None = None
    heard: float | None = None
    """On the monotonic clock."""
    took: float = 0.0
    powers: deque[int] = field(default_factory=lambda: deque(maxlen=_HISTORY))
    trouble: str = ""

    @property
    def age(self) -> float:
        return 0.0 if self.heard is None else time.monotonic() - self.heard


def watch(
    *,
    port: Port = None,
    key_file: KeyFile = None,
    token_file: TokenFile = None,
    security: Protection = SecurityName.AUTO,
    padding: Padding = KeyPadding.ZEROS,
    every: Annotated[float, typer.Option(min=1.0, max=3600.0, help="Seconds between readings of power.")] = 2.0,
    count: Annotated[int, typer.Option(min=0, help="End after so many readings; 0 goes on until Ctrl-C.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Show power, phases and registers live, until Ctrl-C. Through a pipe: one line for each reading."""
    target = Target(port, key_file, security, padding=padding, token_file=token_file)

    async def work() -> None:
        view = _View(target.url, every)
        key = target.key_or_ask()
        if as_json or not is_terminal():
            await _follow(target, key, view, count, lambda: _print(view, as_json=as_json))
            return
        await _paint_live(target, key, view, count)

    run(work, as_json=as_json)


async def _paint_live(target: Target, key: MeterKey, view: _View, count: int) -> None:
    """Repaint with each reading and each second, and leave the last picture behind."""
    from osgp.cli.text.screen import Screen  # noqa: PLC0415

    try:
        with Screen() as screen:

            async def tick() -> None:
                while True:
                    screen.paint(_picture(view))
                    await asyncio.sleep(1.0)

            ticking = asyncio.create_task(tick())
            try:
                await _follow(target, key, view, count, lambda: screen.paint(_picture(view)))
            finally:
                ticking.cancel()
    finally:
        if view.values:
            print_lines(_picture(view)[:-1])


async def _follow(target: Target, key: MeterKey, view: _View, count: int, show: Callable[[], None]) -> None:
    """Read until ``count`` readings were shown; open the port again when it is lost."""
    pause, shown = _FIRST_PAUSE, 0
    while True:
        try:
            async with target.meter(key=key) as meter:
                async for _ in _readings(meter, view):
                    pause = _FIRST_PAUSE
                    shown += 1
                    show()
                    if shown == count:
                        return
        except (TransportError, LinkError) as error:
            if view.heard is None:
                raise
            view.trouble = error_words(error)
            _say_trouble(view)
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _say_trouble(view: _View) -> None:
    """Say once, where nothing is painted, that the meter is gone."""
    if not is_terminal():
        note(f"{view.trouble}. Trying again")


async def _readings(meter: Meter, view: _View) -> Any:
    """Yield each time after the view was brought up to date."""
    from osgp.cli.text.measured_values import power_now  # noqa: PLC0415

    view.stats = meter.stats
    with step("asking who the meter is (BT01, ET03)"):
        view.identity = await meter.identity()
    registers_at = float("-inf")
    while True:
        started = time.monotonic()
        if started - registers_at >= _REGISTERS_EVERY:
            with step("reading BT23"):
                view.values.update(await meter.registers())
            registers_at = started
        asked = time.monotonic()
        with step("reading BT28"):
            view.values.update(await meter.present())
        view.heard = time.monotonic()
        view.took, view.trouble = view.heard - asked, ""
        power = power_now(view.values)
        if power is not None:
            view.powers.append(power)
        yield
        await asyncio.sleep(max(0.0, started + view.every - time.monotonic()))


def _print(view: _View, *, as_json: bool) -> None:
    """Print one reading on one line."""
    from osgp.cli.text.measured_values import power_now, value_text  # noqa: PLC0415
    from osgp.sources import SOURCES  # noqa: PLC0415

    if as_json:
        document: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "values": {source.key: source.scaled(raw) for source, raw in view.values.items()},
            "link": None if view.stats is None else asdict(view.stats),
        }
        print_json(document, compact=True)
        return
    cells = [f"{datetime.now():%H:%M:%S}"]  # noqa: DTZ005 - the reader's own time
    power = power_now(view.values)
    if power is not None:
        cells.append(f"{power:+7,d} W")
    for key in ("voltage_l1", "voltage_l2", "voltage_l3", "active_energy_import", "active_energy_export"):
        source = SOURCES[key]
        if source in view.values:
            cells.append(f"{source.label} {value_text(source, view.values[source])}")
    print_lines(["  ".join(cells)])


def _picture(view: _View) -> list[str]:
    """Return the screen as lines."""
    from osgp.cli.text.measured_values import energy_lines, phase_lines  # noqa: PLC0415

    who = view.identity
    name = "meter" if who is None else f"{who.manufacturer} {who.model}".strip() or "meter"
    serial = f"  {who.serial}" if who is not None and who.serial else ""
    lines = [f"{paint(name, 'bold')}{serial}  {paint(view.url, 'dim')}", ""]
    if not view.values:
        return [*lines, "Waiting for the first reading ...", "", _foot(view)]
    old = view.age > _OLD * view.every
    lines += [*_power(view, old=old), ""]
    for title, content in (("Phases", phase_lines(view.values)), ("Meter reading", energy_lines(view.values))):
        if content:
            lines += [paint(title, "bold"), *([paint(line, "dim") for line in content] if old else content), ""]
    return [*lines, _link(view), "", _foot(view)]


def _power(view: _View, *, old: bool) -> list[str]:
    from osgp.cli.text.measured_values import power_now  # noqa: PLC0415
    from osgp.cli.text.screen import sparkline  # noqa: PLC0415
    from osgp.cli.text.terminal import duration, width  # noqa: PLC0415

    power = power_now(view.values)
    if power is None:
        return []
    arrow, words, style = ("◀", "to the grid", "green") if power < 0 else ("▶", "from the grid", "yellow")
    shown = list(view.powers)[-min(60, width() - 2) :]
    span = f"the last {duration(len(shown) * view.every)}, up to {max(map(abs, shown)):,d} W" if shown else ""
    # Each reading in the colour of its own direction.
    curve = "".join(
        paint("".join(block for block, _ in run), "green" if given else "yellow")
        for given, run in groupby(zip(sparkline(shown, len(shown)), shown, strict=True), lambda pair: pair[1] < 0)
    )
    text = f"{arrow} {abs(power):,d} W {words}"
    now = paint(text, "dim") if old else paint(paint(text, style), "bold")
    return [f"  {now}", f"  {curve}", f"  {paint(span, 'dim')}"]


def _link(view: _View) -> str:
    stats = view.stats
    if stats is None:
        return ""
    counts = [f"{stats.replies} answers"]
    for number, word in ((stats.retries, "sent again"), (stats.corrupt, "damaged"), (stats.timeouts, "unanswered")):
        if number:
            counts.append(f"{number} {word}")
    return f"Link: {', '.join(counts)}; the last took {view.took * 1000:.0f} ms"


def _foot(view: _View) -> str:
    if view.trouble:
        return paint(f"No reading for {view.age:.0f} s: {view.trouble}. Trying again; Ctrl-C ends.", "red")
    if view.age > _OLD * view.every:
        return paint(f"No reading for {view.age:.0f} s; waiting for the meter. Ctrl-C ends.", "red")
    return paint(f"A reading each {view.every:g} s. Ctrl-C ends.", "dim")
