"""From options to an open meter: port, key, read budget; and from errors to words and exit codes.

This module does not know what is asked of the meter.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from osgp.cli.exits import ExitCode, exit_code
from osgp.cli.options import KeyPadding, SecurityName
from osgp.cli.text.terminal import is_terminal, note, print_json
from osgp.errors import CorruptFrame, KeyFormatError, LinkError, MisuseError, OsgpError, ResponseTimeout
from osgp.key import MeterKey

if TYPE_CHECKING:
    from osgp.meter import Meter
    from osgp.meter.known import KnownMeter
    from osgp.meter.writing import AllowWrites
    from osgp.optical.settings import SessionSettings
    from osgp.optical.timing import Limits

__all__ = ["Target", "bridge_hint", "error_document", "error_words", "read_text", "run", "step"]


@dataclass(frozen=True, slots=True)
class Target:
    """Which meter, and how to speak to it."""

    port: str | None
    key_file: Path | None = None
    security: SecurityName = SecurityName.AUTO
    fast: bool = False
    padding: KeyPadding = KeyPadding.ZEROS
    token_file: Path | None = None

    @property
    def url(self) -> str:
        """Return the address.

        Raises:
            MisuseError: none was given.
        """
        if not self.port:
            raise MisuseError(
                "which port? Give --port, or set OSGP_PORT, for example serial:///dev/serial/by-id/... or "
                "tcp://127.0.0.1:4000; `osgp ports` lists the serial ports of this computer"
            )
        return self.port

    def key(self) -> MeterKey | None:
        """Return the key if one was given by file or environment.

        Raises:
            MisuseError: the file cannot be read.
            KeyFormatError: what was given is no key.
        """
        if self.key_file is not None:
            return self._parsed(read_text(self.key_file, "the key file"))
        text = os.environ.get("OSGP_KEY")
        return None if text is None else self._parsed(text)

    def key_or_ask(self) -> MeterKey:
        """Return the key; ask at the terminal if none was given.

        Raises:
            MisuseError: none was given, and nobody can be asked.
            KeyFormatError: what was given is no key.
        """
        key = self.key()
        if key is not None:
            return key
        if not (sys.stdin.isatty() and is_terminal(sys.stderr)):
            raise MisuseError("no key. Give --key-file FILE, or set OSGP_KEY or OSGP_KEY_FILE")
        return self._parsed(getpass.getpass("Key of the meter (not shown): "))

    def token(self) -> str:
        """Return the token of the module in the meter; empty if none was given.

        Raises:
            MisuseError: the file cannot be read.
        """
        return "" if self.token_file is None else read_text(self.token_file, "the token's file")

    def session(self, offer: Limits | None = None) -> SessionSettings:
        """Return how to behave at an optical port; ``offer`` asks for other packets than usual."""
        from osgp.optical.key import Padding  # noqa: PLC0415
        from osgp.optical.settings import OFFERED_LIMITS, SessionSettings  # noqa: PLC0415

        return SessionSettings(padding=Padding[self.padding.name], offer=offer or OFFERED_LIMITS)

    def _parsed(self, text: str) -> MeterKey:
        from osgp.ports.transport import Address  # noqa: PLC0415

        if Address.parse(self.url).optical:
            from osgp.optical.key import OpticalKey  # noqa: PLC0415

            return OpticalKey.parse(text)
        return MeterKey.parse(text)

    @asynccontextmanager
    async def meter(
        self,
        *,
        key: MeterKey | None = None,
        allow_writes: AllowWrites | None = None,
        offer: Limits | None = None,
        known: KnownMeter | None = None,
    ) -> AsyncIterator[Meter]:
        """Open the meter; ``key`` stands in for the one of the options, ``offer`` as in :meth:`session`.

        ``known`` is for whoever opens it again after a lost line.

        Raises:
            OsgpError: see :func:`osgp.meter.open_meter`.
        """
        from osgp.meter import open_meter  # noqa: PLC0415
        from osgp.meter.budget import ReadBudget  # noqa: PLC0415

        url, key = self.url, key or self.key_or_ask()
        budget = None if self.fast else ReadBudget()
        async with AsyncExitStack() as stack:
            with step(f"opening {url}"):
                opened = open_meter(
                    url,
                    key=key,
                    security=self.security,
                    session=self.session(offer),
                    read_budget=budget,
                    allow_writes=allow_writes,
                    known=known,
                    token=self.token(),
                )
                meter = await stack.enter_async_context(opened)
            try:
                yield meter
            except LinkError as error:
                if hint := bridge_hint(url, error):
                    error.add_note(hint)
                raise


def bridge_hint(url: str, error: OsgpError) -> str:
    """Return what else to check where the line is behind a network bridge; "" where it is not, or the line is sound."""
    from osgp.ports.transport import Address  # noqa: PLC0415

    address = Address.parse(url)
    if not isinstance(error, ResponseTimeout | CorruptFrame) or address.path or "bridge" in str(error):
        return ""
    return (
        "the bridge's own serial settings count too: 9600 baud, 8 data bits, no parity, 1 stop bit, no flow control; and no "
        "other program may be connected to it"
    )


def read_text(path: Path, what: str) -> str:
    """Return the text of a file; ``-`` is standard input.

    Raises:
        MisuseError: it cannot be read, or is no text.
    """
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise MisuseError(f"cannot read {what} {path}: {reason}") from error


@contextmanager
def step(doing: str) -> Iterator[None]:
    """Name what is done, so that an error can say what failed; the innermost name counts."""
    try:
        yield
    except OsgpError as error:
        if not getattr(error, "__notes__", None):
            error.add_note(doing)
        raise


def error_words(error: OsgpError) -> str:
    """Return one line for people: the step that failed and why."""
    steps = getattr(error, "__notes__", [])
    return f"{steps[0]} failed: {error}" if steps else str(error)


def error_document(error: OsgpError) -> dict[str, Any]:
    """Return the same for scripts."""
    steps = getattr(error, "__notes__", [])
    kind, code = type(error).__name__, exit_code(error)
    return {"error": {"kind": kind, "step": steps[0] if steps else None, "message": str(error), "exit_code": int(code)}}


def run(work: Callable[[], Coroutine[Any, Any, ExitCode | None]], *, as_json: bool) -> None:
    """Run a command to its end and end the program with its exit code."""
    try:
        code = asyncio.run(work())
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except OsgpError as error:
        if as_json:
            print_json(error_document(error))
        note(f"osgp: {error_words(error)}")
        for hint in getattr(error, "__notes__", [])[1:]:
            note(f"hint: {hint}")
        if isinstance(error, KeyFormatError):
            note("hint: a key file holds the key and nothing else")
        code = exit_code(error)
    if code:
        raise typer.Exit(code)
