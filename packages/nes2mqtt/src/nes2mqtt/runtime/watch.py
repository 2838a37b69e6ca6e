"""Watch over the program itself: its clock, its parts, and what systemd is told of both.

A part that stands still for good cannot mend itself. The log says so once, and systemd's watchdog gets no
more signs of life: it starts the service anew. Without systemd the log and the status say it.

This module does not know what the parts do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from nes2mqtt.readings.hub import OutputStatus
from nes2mqtt.readings.reading import MeterState
from nes2mqtt.timing.clock import Clock
from servicekit.systemd import Notifier

__all__ = ["watch_clock", "watch_parts"]

_log = logging.getLogger(__name__)

_LOOK_EVERY = 5.0


class WatchedPoller(Protocol):
    """The part of a :class:`~nes2mqtt.meters.poller.Poller` that the watch needs."""

    @property
    def name(self) -> str:
        """The meter's id, for the log."""

    @property
    def state(self) -> MeterState:
        """How the meter is."""

    @property
    def stands_still(self) -> bool:
        """Whether it has not moved for so long that it never will."""


class WatchedOutput(Protocol):
    """The part of an output, in its :class:`~nes2mqtt.outputs.supervise.Supervised`, that the watch needs."""

    name: str

    @property
    def stands_still(self) -> bool:
        """Whether it has not moved for so long that it never will."""

    def status(self) -> OutputStatus:
        """Return what the output says of itself: whether it works, and if not, why."""


async def watch_clock(clock: Clock, *, every: float = _LOOK_EVERY) -> None:
    """Say once when the host's clock is not believed, and once when it is again; until cancelled."""
    said = ""
    while True:
        await asyncio.sleep(every)
        trouble = clock.trouble
        code = trouble.code if trouble is not None else ""
        if code != said:
            said = code
            if trouble is not None:
                _log.warning("%s", trouble.message)
            else:
                _log.info("this computer's clock is believed again")


async def watch_parts(
    notifier: Notifier,
    clock: Clock,
    pollers: Sequence[WatchedPoller],
    outputs: Sequence[WatchedOutput],
) -> None:
    """Show systemd a line of status, and signs of life while all parts move; until cancelled."""
    wait = min(_LOOK_EVERY, notifier.watchdog_interval or _LOOK_EVERY)
    said: set[str] = set()
    while True:
        online = sum(poller.state is MeterState.ONLINE for poller in pollers)
        troubles = [output.name for output in outputs if not output.status().ok]
        if clock.trouble is not None:
            troubles.append("this computer's clock")
        still = [f"the poller of meter {poller.name}" for poller in pollers if poller.stands_still]
        still += [f"output {output.name}" for output in outputs if output.stands_still]
        trouble = f"; not well: {', '.join([*troubles, *still])}" if troubles or still else ""
        notifier.status(f"{online} of {len(pollers)} meters online{trouble}")
        if not still:
            notifier.alive()
        for part in still:
            if part not in said:
                _log.critical(
                    "%s stands still, by a mistake of this program; systemd's watchdog starts the service anew. "
                    "Without systemd start it again yourself. Please report it with these lines",
                    part,
                )
        said = set(still)
        await asyncio.sleep(wait)
