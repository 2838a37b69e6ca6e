"""How a meter is, told to the log and the outputs: one line and one status for each change, none without.

A meter is online as soon as one of its tables of values is read; what keeps the other from being read stands in the
message. This module does not know how a meter is read.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from nes2mqtt.codes import MISTAKE, NO_VALUES, code_of
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import LinkQuality, MeterInfo, MeterState, MeterStatus, Params
from osgp.ports.tap.health import ModuleHealth

__all__ = ["Health", "Job", "Problem"]

_log = logging.getLogger(__name__)

_STATUS_EVERY = 10.0
"""Link counts are published at most this often, in seconds; the meter's clock as soon as it was read."""
_RELABEL = timedelta(seconds=1)
"""The label of a change of state is put right when it was this wrong."""


class Job(StrEnum):
    """What is read."""

    PRESENT = "present values (BT28)"
    REGISTERS = "registers (BT23)"
    CLOCK = "clock (BT52)"
    DEVICES = "devices behind it (ET14, ET16)"


_VALUES = (Job.PRESENT, Job.REGISTERS)
"""The reads that make a meter worth calling online."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one table of a meter is not read now, though the meter may answer."""

    code: str
    """The kind of the problem, for programs: one of :mod:`nes2mqtt.codes`."""
    text: str
    """What is wrong and what to do, for people."""


class Health:
    """How one meter is.

    Args:
        info: the meter as configured; put in its place by what it says of itself.
        hub: gets the statuses.
    """

    def __init__(self, info: MeterInfo, hub: Hub) -> None:
        self.info = info
        self.state = MeterState.STARTING
        self.link = LinkQuality()
        self.rejected = 0
        self.clock_ahead: float | None = None
        self.security = ""
        self.module: ModuleHealth | None = None
        self.due = 0.0
        """When the next status is due even if nothing changed, by the event loop's clock."""
        self._hub = hub
        self._clocks = hub.clock
        self._since = hub.clock.moment()
        self._message = ""
        self._code = ""
        self._params: Params = {}
        self._problems: dict[Job, Problem] = {}
        self._well: set[Job] = set()
        """The values that are read now."""

    def forget_problems(self) -> None:
        """Begin anew: another meter is there."""
        self._problems.clear()

    def say(self, text: str, *, warning: bool = True) -> None:
        """Write a line about this meter into the log."""
        _log.log(logging.WARNING if warning else logging.INFO, "meter %s: %s", self.info.id, text)

    def note_well(self, job: Job) -> None:
        """Note that a table was read."""
        mended = self._problems.pop(job, None) is not None
        if job not in _VALUES:
            return
        if mended:
            self.say(f"the {job} can be read again", warning=False)
        if mended or job not in self._well:
            self._well.add(job)
            self._show()

    def note_problem(self, job: Job, problem: Problem) -> None:
        """Note that a table cannot be read; say so once."""
        before = self._problems.get(job)
        if before is None or before.code != problem.code:
            self.say(problem.text)
            self._problems[job] = problem
        self._well.discard(job)
        self._show()

    def _show(self) -> None:
        """Tell how the meter is, from which of its values can be read."""
        troubled = next((job for job in _VALUES if job in self._problems), None)
        problem = self._problems[troubled] if troubled is not None else None
        params: Params = {"table": troubled.name.lower()} if troubled is not None else {}
        if self._well:
            self._change(MeterState.ONLINE, problem.text if problem else "", problem.code if problem else "", params)
        elif problem is not None and all(job in self._problems for job in _VALUES):
            text = f"the meter says who it is, but none of its values can be read: {problem.text}"
            self._change(MeterState.NO_VALUES, text, NO_VALUES, params)

    def enter(self, state: MeterState, error: Exception, message: str, address: str) -> None:
        """Note that nothing can be read any more at this address, and why; the error's text if there is no message."""
        self._well.clear()
        code = code_of(error)
        params: Params = {"kind": type(error).__name__} if code == MISTAKE else {}
        if state is MeterState.PORT_GONE:
            self.module = None
            params = {"port": address}
        self._change(state, message or str(error), code, params, error if code == MISTAKE else None)

    def _change(
        self, state: MeterState, message: str, code: str, params: Params, mistake: Exception | None = None
    ) -> None:
        """Change state: one line in the log and one status, and neither when nothing changed."""
        if (state, message) == (self.state, self._message):
            return
        if state is not self.state or mistake is not None:
            self._log_change(state, message, mistake)
            self._since = self._clocks.moment()
        self.state, self._message, self._code, self._params = state, message, code, params
        self.publish()

    def _log_change(self, state: MeterState, message: str, mistake: Exception | None) -> None:
        if state is MeterState.ONLINE:
            serial = f"serial {self.info.serial}" if self.info.serial else "no serial number"
            who = " ".join(part for part in (self.info.manufacturer, self.info.model, serial) if part)
            seconds = round(self._clocks.monotonic() - (self._since.instant or 0.0))
            gone = "" if self.state is MeterState.STARTING else f" again after {timedelta(seconds=seconds)}"
            self.say(f"online{gone}: {who}, firmware {self.info.firmware or 'unknown'}", warning=False)
        else:
            _log.warning("meter %s: %s: %s", self.info.id, state.replace("_", " "), message, exc_info=mistake)

    def publish(self) -> None:
        """Tell the outputs how the meter is now."""
        self.due = asyncio.get_running_loop().time() + _STATUS_EVERY
        instant = self._since.instant or 0.0
        label = self._clocks.label(instant)
        if abs(label - self._since.label) > _RELABEL:
            self._since = replace(self._since, label=label)
        self._hub.publish(
            MeterStatus(
                self.info,
                self.state,
                self._since.label,
                self._message,
                self.link if self.link.rejected == self.rejected else replace(self.link, rejected=self.rejected),
                self.clock_ahead,
                self._code,
                self._params,
                instant,
                self.security,
                self.module,
            )
        )
