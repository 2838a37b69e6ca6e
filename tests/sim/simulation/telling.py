"""What each world is made on and tells while it runs: events for the digest and the story, and sentences that do not hold."""

from __future__ import annotations

import hashlib
import random
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from simulation.fibers import Fibers
from simulation.host import Host
from simulation.loop import SimLoop
from simulation.plan import Failure

__all__ = ["Telling"]


@dataclass
class Telling(ABC):
    """The part of a world that tells; the world calls :meth:`begin` and gives it a folder.

    Args:
        log: where each event is written as well.
    """

    log: TextIO | None = field(default=None, kw_only=True)
    failures: dict[str, Failure] = field(default_factory=dict, kw_only=True)
    story: list[tuple[float, str]] = field(default_factory=list, kw_only=True)
    lines_noted: int = field(default=0, init=False)
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        self.digest = hashlib.sha256()

    def begin(self, name: str, start: float) -> None:
        """Make what time and chance come from.

        Args:
            name: decides all that is left to chance.
            start: true time when the world begins, UTC seconds.
        """
        self.rng = random.Random(name)
        self.loop = SimLoop(self.rng)
        self.host = Host(self.loop.time, start)
        self.fibers = Fibers(self.loop, self.host.wall)

    @abstractmethod
    async def play(self) -> None:
        """Let happen what happens."""

    def run(self) -> None:
        """Let the world happen from begin to end; when it breaks itself, that is a failure like any other."""
        try:
            self.loop.run_until_complete(self.loop.create_task(self.play()))
        except Exception as error:
            self.fail("mistake", f"the world broke: {error!r}"[:300], "world")
            if self.log is not None:
                raise

    def note(self, text: str, *, tell: bool = False) -> None:
        """Note an event: in the digest, and with ``tell`` in the story."""
        self.lines_noted += 1
        text = text.replace(str(self.folder), "DATA")
        line = f"{self.loop.now:.3f} {text}\n"
        self.digest.update(line.encode())
        if self.log is not None:
            self.log.write(line)
        if tell:
            self.story.append((self.loop.now, text))

    def fail(self, rule: str, text: str, part: str = "") -> None:
        """Note that a sentence does not hold; the first time counts."""
        name = f"{rule} {part}".strip()
        if name not in self.failures:
            self.failures[name] = Failure(self.loop.now, rule, text)
            self.note(f"WRONG {name}: {text}", tell=True)
