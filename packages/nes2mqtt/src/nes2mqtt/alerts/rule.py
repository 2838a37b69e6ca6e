"""A rule as data, and the state of one: raised or cleared, never to and fro.

What is wrong has to be so for a while before an alert is raised, and what is right likewise before it is cleared; between the
two limits lies a band in which nothing changes. A value that is absent or old is neither: the state stays what it was, is marked as
unknown, and what was about to change begins anew.

This module does not know clocks, nor where values come from.
"""

from __future__ import annotations

from dataclasses import dataclass

from nes2mqtt.alerts.kinds import Kind

__all__ = ["Change", "Rule", "Watch"]


@dataclass(frozen=True, slots=True)
class Rule:
    """When one alert is raised and cleared.

    Args:
        kind: what it is about.
        meter: the meter's id.
        limit: beyond it something is wrong.
        clear: at it or on its right side all is well again.
        raise_after: seconds for which it has to be wrong.
        clear_after: seconds for which it has to be right.
        below: less than the limit is wrong, in place of more.
        phase: ``l1`` to ``l3``; empty for all together.
        fuse: of the phase, in A.
    """

    kind: Kind
    meter: str
    limit: float
    clear: float
    raise_after: float = 0.0
    clear_after: float = 0.0
    below: bool = False
    phase: str = ""
    fuse: float | None = None

    @property
    def key(self) -> str:
        """Return what tells it from all others: ``house/phase_load/l2``."""
        return "/".join(part for part in (self.meter, self.kind.value, self.phase) if part)

    def wrong(self, value: float) -> bool:
        """Tell whether a value is beyond the limit."""
        return value < self.limit if self.below else value > self.limit

    def right(self, value: float) -> bool:
        """Tell whether a value is well again."""
        return value >= self.clear if self.below else value <= self.clear


@dataclass(frozen=True, slots=True)
class Change:
    """An alert was raised or cleared.

    Args:
        raised: or cleared.
        since: when what led to it began, by the monotonic clock.
        value: that was seen last.
    """

    raised: bool
    since: float
    value: float


@dataclass(slots=True)
class Watch:
    """The state of one rule.

    Args:
        raised: or cleared.
        unknown: whether that is so now cannot be told.
    """

    raised: bool = False
    unknown: bool = True
    _since: float | None = None
    """The moment since which all that was seen speaks for a change."""

    def see(self, rule: Rule, value: float | None, instant: float) -> Change | None:
        """Take a value; return the change if there is one.

        Args:
            rule: whose state this is.
            value: None while it is not known.
            instant: now, by the monotonic clock.
        """
        self.unknown = value is None
        if value is None or not (rule.right(value) if self.raised else rule.wrong(value)):
            self._since = None
            return None
        if self._since is None:
            self._since = instant
        since, hold = self._since, rule.clear_after if self.raised else rule.raise_after
        if instant - since < hold:
            return None
        self.raised, self._since = not self.raised, None
        return Change(self.raised, since, value)
