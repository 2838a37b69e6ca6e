"""The fault script: what goes wrong, with which requests, how often.

A rule is data; carrying it out is :mod:`piprint.simulate.server`'s. Rules are asked in their order, the first that fits
and is not used up decides.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from piprint.errors import PiprintError

__all__ = ["FaultError", "FaultKind", "FaultRule", "FaultScript"]

FaultKind = Literal["status", "html", "reset before", "reset after", "slow body", "cut body", "delay", "late"]
"""What happens.

status: an error answer, with ``status`` and perhaps ``retry_after``; nothing is done.
html: an error answer as a gateway writes it, with ``status``; nothing is done.
reset before: the connection breaks; nothing is done.
reset after: all is done, then the connection breaks before the answer.
slow body: all is done, the first ten bytes of the answer take ``seconds``.
cut body: all is done, the connection breaks in the middle of the answer, after ``size`` bytes of its body.
delay: ``seconds`` pass, then all is done.
late: all is done, then ``seconds`` pass before the answer.
"""


class FaultError(PiprintError):
    """Not a rule."""


@dataclass(slots=True)
class FaultRule:
    """One rule.

    Attributes:
        kind: see :data:`FaultKind`.
        method: of HTTP; "" any.
        path: a part of the decoded path with its query; "" any. The token endpoint's path holds ``/oauth2/``.
        body: a part of the request's body; "" any.
        nth: begins with the nth request that fits, counted from 1.
        times: how many requests are hit; 0: all from then on.
        status: of the answer.
        retry_after: seconds in the Retry-After header; None for no header.
        seconds: see :data:`FaultKind`.
        size: see :data:`FaultKind`.
        seen: requests that fitted so far.
        hit: requests that were hit so far.
    """

    kind: FaultKind
    method: str = ""
    path: str = ""
    body: str = ""
    nth: int = 1
    times: int = 1
    status: int = 503
    retry_after: float | None = None
    seconds: float = 1
    size: int = 1
    seen: int = field(default=0, compare=False)
    hit: int = field(default=0, compare=False)

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> FaultRule:
        """Read a rule from JSON: the attributes by name.

        Raises:
            FaultError: an unknown name, a wrong type or a value out of range.
        """
        places = {place.name: place for place in dataclasses.fields(cls) if place.compare}
        for name, value in told.items():
            if name not in places:
                raise FaultError(f"a fault has no {name!r}; it has {', '.join(places)}")
            wanted = str(places[name].type)
            if not _fits(value, wanted):
                raise FaultError(f"a fault's {name} cannot be {value!r}")
        if told.get("kind") not in get_args(FaultKind):
            raise FaultError(f"a fault's kind is one of: {', '.join(get_args(FaultKind))}")
        rule = cls(**told)
        if not (200 <= rule.status <= 599 and rule.nth >= 1 and rule.times >= 0 and 0 <= rule.seconds <= 3600):  # noqa: PLR2004
            raise FaultError("status is 200 to 599, nth 1 or more, times 0 or more, seconds 0 to 3600")
        return rule

    def fits(self, method: str, path: str, body: bytes) -> bool:
        """Tell whether the rule is about this request."""
        return self.method in {"", method} and self.path in path and self.body.encode() in body


def _fits(value: object, wanted: str) -> bool:
    types: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float), "FaultKind": (str,)}
    if wanted == "float | None":
        return value is None or type(value) in types["float"]
    return type(value) in types[wanted]


class FaultScript:
    """The rules of a stand-in, in their order."""

    def __init__(self, rules: Iterable[FaultRule] = ()) -> None:
        self.rules = list(rules)

    def add(self, kind: FaultKind, **options: Any) -> FaultRule:
        """Add a rule and return it; its ``hit`` tells later how often it struck."""
        rule = FaultRule(kind, **options)
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Let everything go well from now on."""
        self.rules.clear()

    def take(self, method: str, path: str, body: bytes) -> FaultRule | None:
        """Return the rule that strikes this request, and count; None when all goes well."""
        struck: FaultRule | None = None
        for rule in self.rules:
            if not rule.fits(method, path, body):
                continue
            rule.seen += 1
            if struck is None and rule.seen >= rule.nth and (not rule.times or rule.hit < rule.times):
                rule.hit += 1
                struck = rule
        return struck
