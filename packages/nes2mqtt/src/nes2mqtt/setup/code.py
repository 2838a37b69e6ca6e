"""The one-time code that opens the first run to who can see this computer's terminal, log or files.

Eight characters of Crockford's base32, 40 random bits, valid for an hour. Each address has five wrong tries and then one every
half minute; twenty wrong ones in all, from wherever, end the code. It is compared in constant time.

It also stands in a file that only the owner of the data folder can read. Whoever runs the first run holds a lock on that file
(flock(2)), so ``nes2mqtt setup-code`` knows whether one is going on; if the code has ended, the command writes a new one there.

This module does not know how the code is shown or sent.
"""

from __future__ import annotations

import contextlib
import fcntl
import hmac
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from servicekit.limits import GuessLimit
from servicekit.page import digest

__all__ = [
    "LIFETIME",
    "MOST_WRONG",
    "USED",
    "Code",
    "CodeFile",
    "Tried",
    "Verdict",
    "ask_for_code",
    "new_code",
    "read_code",
]

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no I, L, O and U."""
LENGTH = 8
LIFETIME = 3600.0
"""Seconds."""
MOST_WRONG = 20
USED = "used"
"""Stands in the file when a password was chosen, which opens the page from then on."""
_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})


def new_code() -> str:
    """Make a code as it is shown: ``K7QM-2XDA``."""
    text = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return f"{text[:4]}-{text[4:]}"


def read_code(text: str) -> str:
    """Return a code as it is compared, whatever case, blanks and dashes it was typed with; O is 0, I and L are 1."""
    kept = "".join(character for character in text.upper() if character.isalnum() and character.isascii())
    return kept.translate(_ALIKE)


class Verdict(StrEnum):
    """What became of a try."""

    RIGHT = "right"
    WRONG = "wrong"
    WAIT = "wait"
    """Not looked at: this address has tried too often."""
    ENDED = "ended"
    """The code is too old, was used, or was guessed at too often."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a try, and what is left."""

    verdict: Verdict
    left: int = 0
    """Wrong tries until the code ends."""
    seconds: float = 0.0
    """To wait before the next try."""


class Code:
    """The code and who has tried it.

    Args:
        file: where it stands; None for no file.
        now: the monotonic clock.
    """

    def __init__(self, file: CodeFile | None, now: Callable[[], float]) -> None:
        self._file = file
        self._now = now
        self._begin(new_code())
        if file is not None:
            file.write(self.text)

    def _begin(self, text: str) -> None:
        self.text = text
        """As it is shown; empty when it has ended."""
        self.ends = self._now() + LIFETIME
        """Moment of the monotonic clock."""
        self._wrong = 0
        self._limit = GuessLimit()

    def valid(self) -> bool:
        """Tell whether the code opens anything now. A new one in the file counts from now on."""
        if self._file is not None:
            written = self._file.read()
            if len(read_code(written)) == LENGTH and written != self.text:
                self._begin(written)
        if self.text and self._now() >= self.ends:
            self.end()
        return bool(self.text)

    def end(self, *, used: bool = False) -> None:
        """Let the code open nothing any more; once it is used there is no new one either."""
        self.text = ""
        if self._file is not None:
            self._file.write(USED if used else "")

    def look(self, typed: str, address: str) -> Tried:
        """Compare what was typed at an address, and count it."""
        if not self.valid():
            return Tried(Verdict.ENDED)
        right = hmac.compare_digest(digest(read_code(typed)), digest(read_code(self.text)))
        # Whoever has to wait is not told whether it was right.
        refused = self._limit.look(address, self._now(), lambda: right)
        if refused is None:
            return Tried(Verdict.RIGHT)
        if refused.seconds:
            return Tried(Verdict.WAIT, MOST_WRONG - self._wrong, refused.seconds)
        self._wrong += 1
        if self._wrong >= MOST_WRONG:
            self.end()
            return Tried(Verdict.ENDED)
        return Tried(Verdict.WRONG, MOST_WRONG - self._wrong)


class CodeFile:
    """The file of the code, as long as the first run goes on: made and locked by :meth:`held`."""

    NAME = "setup-code"

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    @contextmanager
    def held(cls, folder: Path) -> Iterator[Self | None]:
        """Make the file and hold it; None when another first run has it, or the folder cannot be written.

        The file is empty afterwards.
        """
        descriptor = -1
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(folder / cls.NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            os.fchmod(descriptor, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if descriptor >= 0:
                os.close(descriptor)
            yield None
            return
        held = cls(descriptor)
        try:
            yield held
        finally:
            held.write("")
            with contextlib.suppress(OSError):
                (folder / cls.NAME).unlink()
            os.close(descriptor)

    def read(self) -> str:
        """Return the code in the file; empty when there is none."""
        try:
            return os.pread(self._descriptor, 100, 0).decode("ascii", "replace").strip()
        except OSError:
            return ""

    def write(self, code: str) -> None:
        """Put a code there; on a full disk there is none in the file, and it is still shown elsewhere."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{code}\n".encode() if code else b"", 0)


def ask_for_code(folder: Path) -> str | None:
    """Return the code of the first run that goes on, a new one if its code has ended; None when none goes on.

    It is :data:`USED` when a password was chosen.

    Raises:
        PermissionError: the file is somebody else's.
    """
    try:
        descriptor = os.open(folder / CodeFile.NAME, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            pass  # somebody holds it: the first run
        else:
            return None
        file = CodeFile(descriptor)
        code = file.read()
        if not code:
            code = new_code()
            file.write(code)
        return code
    finally:
        os.close(descriptor)
