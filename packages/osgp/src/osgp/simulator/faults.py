"""Faults of the line and of the meter, switched on by name.

``Faults.parse(["loss=0.2", "silence=5@60"])`` reads what a person typed; :class:`FaultyLine` carries it out between
the port and the simulated meter, with random numbers from a seed, so that a run can be repeated.

Where a fault can be made as it comes about in life, it is: a refused key is a request whose digest was damaged on the
way in, and a refused sequence number is one that the meter has jumped past. The meter itself then does what meters do.

This module has no clock: times are passed in, in seconds of any epoch. It does not know about ports or tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from osgp.errors import MisuseError

__all__ = ["FAULTS", "Fault", "Faults", "FaultyLine"]


@dataclass(frozen=True, slots=True)
class Silence:
    """Silent for ``seconds`` from the start on, and again every ``every`` seconds (0: once)."""

    seconds: float
    every: float = 0.0

    def covers(self, age: float) -> bool:
        """Tell whether a meter that has run for ``age`` seconds is silent."""
        return (age % self.every if self.every else age) < self.seconds


@dataclass(frozen=True, slots=True)
class Faults:
    """Which faults are on. Every field's neutral value is no fault."""

    loss: float = 0.0
    noise: float = 0.0
    reply_corrupt: float = 0.0
    truncate: float = 0.0
    delay: float = 0.0
    silence: Silence | None = None
    wrong_sequence: int = 0
    wrong_key: int = 0
    stuck_level_shifter: float = 0.0
    drop_connection: int = 0
    alerts: int = 0
    clock_step: int = 0
    meter_swap: float = 0.0

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Faults:
        """Read ``NAME=VALUE`` texts; of two with one name the later counts.

        Raises:
            MisuseError: says which text is wrong, and which names or values there are.
        """
        values: dict[str, Any] = {}
        for text in texts:
            name, _, value = (part.strip() for part in text.partition("="))
            fault = FAULTS.get(name)
            if fault is None:
                raise MisuseError(f"there is no fault '{name}'; choose from {', '.join(FAULTS)}")
            values[name.replace("-", "_")] = fault.read(name, value)
        return cls(**values)

    def of_optical_port(self) -> Faults:
        """Return those that concern an optical port too; the others need a sequence number, digest or level shifter."""
        return replace(self, wrong_sequence=0, wrong_key=0, stuck_level_shifter=0.0, alerts=0)


@dataclass(frozen=True, slots=True)
class Fault:
    """How one fault is written and what it does."""

    form: str
    does: str
    convert: Callable[[str], float | int | Silence]

    def read(self, name: str, value: str) -> float | int | Silence:
        """Return the value, or raise MisuseError with the form it should have."""
        try:
            return self.convert(value)
        except ValueError:
            raise MisuseError(f"fault {name}: '{value}' is no {self.form}; {name}={self.form} {self.does}") from None


_LONGEST = 1e9
_BYTE = 255


def _share(value: str) -> float:
    share = float(value)
    if not 0 <= share <= 1:
        raise ValueError
    return share


def _seconds(value: str) -> float:
    seconds = float(value)
    if not 0 <= seconds <= _LONGEST:
        raise ValueError
    return seconds


def _nth(value: str) -> int:
    number = int(value)
    if number < 1:
        raise ValueError
    return number


def _flags(value: str) -> int:
    flags = int(value, 0)
    if not 1 <= flags <= _BYTE:
        raise ValueError
    return flags


def _step(value: str) -> int:
    step = int(value)
    if abs(step) > _LONGEST:
        raise ValueError
    return step


def _silence(value: str) -> Silence:
    seconds, at, every = value.partition("@")
    silence = Silence(_seconds(seconds), _seconds(every) if at else 0.0)
    if at and silence.every <= silence.seconds:
        raise ValueError
    return silence


FAULTS: Mapping[str, Fault] = {
    "loss": Fault("SHARE", "loses that share (0 to 1) of the requests, and of the replies", _share),
    "noise": Fault("SHARE", "replaces that share (0 to 1) of all bytes, both ways, by random ones", _share),
    "reply-corrupt": Fault("SHARE", "flips one bit in that share (0 to 1) of the replies", _share),
    "truncate": Fault("SHARE", "cuts off the end of that share (0 to 1) of the replies", _share),
    "delay": Fault("SECONDS", "holds each reply back for so long", _seconds),
    "silence": Fault(
        "SECONDS[@EVERY]", "says nothing for so long after the start, and again each EVERY seconds", _silence
    ),
    "wrong-sequence": Fault("N", "refuses the sequence number of every Nth request (0x0C)", _nth),
    "wrong-key": Fault("N", "refuses the key of every Nth request (0x0B); 1 is always", _nth),
    "stuck-level-shifter": Fault(
        "SECONDS", "goes deaf and dumb so long after each power cycle, until the next one", _seconds
    ),
    "drop-connection": Fault("N", "closes the TCP connection instead of every Nth reply", _nth),
    "alerts": Fault("FLAGS", "sends alerts, with these alert flags (1 to 255) in ET13", _flags),
    "clock-step": Fault("SECONDS", "sets the meter's clock ahead by so many whole seconds (or back: negative)", _step),
    "meter-swap": Fault(
        "SECONDS", "puts another meter in after so long: other serial number, other registers (house only)", _seconds
    ),
}
"""Every fault by the name a person types."""


@dataclass(slots=True)
class FaultyLine:
    """Carries bytes between port and meter as badly as asked.

    Args:
        faults: what goes wrong.
        seed: repeats a run exactly.
        started: when the meter got its power.
    """

    faults: Faults
    seed: int = 0
    started: float = 0.0
    _random: Random = field(init=False)
    _powered: float = field(init=False)
    _requests: int = field(init=False, default=0)
    _replies: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._random = Random(f"faults/{self.seed}")  # noqa: S311 - a run must be repeatable
        self._powered = self.started

    def power_cycle(self, now: float) -> None:
        """Take the level shifter's power away and give it back."""
        self._powered = now

    def dead(self, now: float) -> bool:
        """Tell whether nothing gets through at all at this time."""
        faults = self.faults
        if faults.silence is not None and faults.silence.covers(now - self.started):
            return True
        return bool(faults.stuck_level_shifter) and now - self._powered >= faults.stuck_level_shifter

    def towards_meter(self, data: bytes, now: float) -> bytes:
        """Return what the meter hears of bytes that a client sent; a client sends a request in one piece."""
        if not data or self.dead(now) or self._hit(self.faults.loss):
            return b""
        self._requests += 1
        if _due(self.faults.wrong_key, self._requests):
            # A digest that does not verify is what a wrong key looks like from inside the meter.
            data = data[:-1] + bytes((data[-1] ^ 0xFF,))
        return self._noisy(data)

    def jumps_sequence(self) -> bool:
        """Tell, before a request is handled, whether the meter has just moved its sequence number away from it."""
        return _due(self.faults.wrong_sequence, self._requests)

    def drops_connection(self) -> bool:
        """Tell, for each reply, whether the connection breaks instead."""
        self._replies += 1
        return _due(self.faults.drop_connection, self._replies)

    def from_meter(self, reply: bytes, now: float) -> bytes:
        """Return what leaves of a reply."""
        if self.dead(now) or self._hit(self.faults.loss):
            return b""
        if self._hit(self.faults.reply_corrupt):
            at = int(self._random.random() * len(reply))
            bit = 1 << int(self._random.random() * 8)
            reply = reply[:at] + bytes((reply[at] ^ bit,)) + reply[at + 1 :]
        if self._hit(self.faults.truncate):
            reply = reply[: int(self._random.random() * len(reply))]
        return self._noisy(reply)

    def _hit(self, share: float) -> bool:
        return share > 0 and self._random.random() < share

    def _noisy(self, data: bytes) -> bytes:
        if not self.faults.noise:
            return data
        return bytes(int(self._random.random() * 256) if self._hit(self.faults.noise) else byte for byte in data)


def _due(every: int, number: int) -> bool:
    return every > 0 and number % every == 0
