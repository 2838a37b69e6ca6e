"""What the gate has to say: one defect, where it is, why it is one and what mends it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A defect.

    Attributes:
        file: relative to the extension's folder.
        line: from 1.
        what: what is there.
        why: why that does not work.
        fix: what to do.
    """

    file: str
    line: int
    what: str
    why: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}: {self.why}; {self.fix}"
