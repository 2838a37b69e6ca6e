"""Real printers for tests: a private CUPS whose backend keeps a ledger, and a sink for port 9100.

The ledger is the truth: what is in it came out on paper, once per line, in that order. IPP Everywhere printers are in
:mod:`everywhere`, documents in :mod:`papers`.

Everything a test starts ends with its context, also when the test is killed, and leaves nothing in /tmp.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from piprint.demo.cups import CupsServer

CAPTURE = Path(__file__).parent / "shop" / "capture.sh"
NULL = "null"
"""The device URI scheme of a queue that eats documents at once, for benches."""
HOST_STATUS = b"~HS\r\n"
"""ZPL's question how the printer is."""
_NULL_BACKEND = "#!/bin/sh\nexit 0\n"


@dataclass(frozen=True, slots=True)
class Printed:
    """One document that came out.

    Attributes:
        queue: the CUPS queue.
        job: CUPS's job id.
        user: requesting-user-name.
        title: the job's name.
        copies: as CUPS told the backend.
        options: the rest of the ticket, as CUPS told the backend.
        sha256: of the bytes that reached the printer; a raw queue passes a document on unchanged.
        size: bytes.
        start: when the backend began, seconds since 1970.
        end: when the document was out.
    """

    queue: str
    job: int
    user: str
    title: str
    copies: int
    options: str
    sha256: str
    size: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Begun:
    """The printer began with a document; seconds since 1970."""

    queue: str
    job: int
    title: str
    at: float


class PrivateCups(CupsServer):
    """A private ``cupsd`` with the capture backend; ``with`` or ``async with`` starts and ends it.

    Args:
        dirty_clean_interval: 0 writes jobs to disk at once, 30 is CUPS's default (jobs get lost by a kill).
        retry_interval: seconds until a failed job is tried again.
        log_level: of CUPS's error log.
    """

    def __init__(self, *, dirty_clean_interval: int = 0, retry_interval: int = 1, log_level: str = "warn") -> None:
        folder = Path(tempfile.mkdtemp(prefix="printshop-"))
        folder.chmod(0o755)
        self.out = folder / "out"
        self.control = self.out / "control"
        self.control.mkdir(parents=True)
        super().__init__(
            folder,
            backends={"capture": CAPTURE.read_text(), NULL: _NULL_BACKEND},
            dirty_clean_interval=dirty_clean_interval,
            retry_interval=retry_interval,
            log_level=log_level,
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            super().__exit__(kind, error, trace)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def add_printer(
        self,
        name: str,
        *,
        error_policy: str = "retry-job",
        ppd: Path | None = None,
        null: bool = False,
    ) -> str:
        """Make a queue whose documents go to the ledger (``null``: nowhere); return its IPP address."""
        uri = f"{NULL}:/" if null else f"capture:{self.out}"
        self.add_queue(name, uri, ppd=ppd, options={"printer-error-policy": error_policy})
        return self.queue_uri(name)

    def behave(self, queue: str, **how: object) -> None:
        """Make a printer misbehave, or behave again: ``sleep=1.5``, ``exit=4``, ``exits=[1, 1]``, ``state="STATE: +media-jam-error"``, ``dead=True``; None takes it back."""
        for what, value in how.items():
            path = self.control / f"{queue}.{what}"
            if value is None or value is False:
                path.unlink(missing_ok=True)
                continue
            text = "\n".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            fresh = path.with_suffix(".fresh")
            fresh.write_text(text + "\n")
            fresh.rename(path)

    def keep_documents(self) -> None:
        """Keep what comes out; see :meth:`document`."""
        (self.control / "keep").touch()

    def document(self, printed: Printed) -> bytes:
        """Return the bytes that reached the printer; ask :meth:`keep_documents` before."""
        return (self.out / f"{printed.queue}-{printed.job}.document").read_bytes()

    def ledger(self, queue: str = "") -> list[Printed]:
        """Return what came out so far, oldest first; of one queue, or of all."""
        path = self.out / "ledger"
        if not path.exists():
            return []
        found = []
        for line in path.read_text().splitlines():
            name, job, user, title, copies, options, digest, size, start, end = line.split("\t")
            if queue in ("", name):
                found.append(
                    Printed(
                        name, int(job), user, title, int(copies), options, digest, int(size), float(start), float(end)
                    )
                )
        return found

    def begun(self) -> list[Begun]:
        """Return how often a printer began with a document, also where nothing came out in the end."""
        path = self.out / "begun"
        lines = path.read_text().splitlines() if path.exists() else []
        return [
            Begun(queue, int(job), title, float(at)) for queue, job, title, at in (line.split("\t") for line in lines)
        ]

    async def wait_ledger(self, count: int, *, queue: str = "", seconds: float = 90) -> list[Printed]:
        """Wait until ``count`` documents came out; return them."""
        await until(lambda: len(self.ledger(queue)) >= count, seconds, f"{count} documents on paper")
        return self.ledger(queue)


async def until(condition: Callable[[], Any], seconds: float = 60.0, what: str = "condition") -> Any:
    """Ask ``condition`` again and again until it is true; return its value."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError, ValueError, KeyError):
            if value := condition():
                return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true within {seconds} s")
        await asyncio.sleep(0.02)


class LabelPrinter:
    """A label printer's port 9100: takes whatever comes, answers nothing, and hangs up when it is asked how it is.

    Attributes:
        received: the bytes of each connection that sent any, in order; others only ask whether it is on.
        refuse: close connections at once, as a printer does that has another's.
    """

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.refuse = False
        self.port = 0

    @property
    def uri(self) -> str:
        """Return the address as the setting ``printers.uri`` takes it."""
        return f"socket://127.0.0.1:{self.port}"

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Self]:
        """Listen while the context is open."""
        server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            sent = b""
            while not self.refuse and sent != HOST_STATUS and (part := await reader.read(1 << 16)):
                sent += part
            if sent not in {b"", HOST_STATUS}:
                self.received.append(sent)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
