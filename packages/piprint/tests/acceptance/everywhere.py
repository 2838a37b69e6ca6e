"""A real IPP Everywhere printer for tests: ``ippeveprinter`` of Debian's cups-ipp-utils.

It insists on announcing itself, so each printer gets a D-Bus and an Avahi of its own, in its folder. Two Avahis quarrel about
names; so each has no network interface at all, and nobody hears it. Avahi's place in /run, where it would meet another one, is
compiled in; so each runs from a copy of the program in which the place has another name of the same length. That takes no right.

All of it ends with the context, also when the test is killed (``setpriv --pdeathsig``).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from free_ports import free_port
from piprint.demo.cups import end_processes

COMMAND = Path(__file__).parent / "shop" / "everywhere.sh"
_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
_START = 20.0
_GUARD = ("setpriv", "--pdeathsig", "KILL")
"""Whoever kills the tests, what they started goes, too."""

_BUS = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={folder}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/> <allow own="*"/> <allow send_destination="*"/> <allow receive_sender="*"/>
  </policy>
</busconfig>
"""

_AVAHI = """\
[server]
host-name={host}
allow-interfaces={interface}
use-ipv6=no
[publish]
publish-hinfo=no
publish-workstation=no
"""

_NO_INTERFACE = "none"
_PLACE = b"/run/avahi-daemon"
"""Where Avahi keeps its socket and its PID file."""


@dataclass(frozen=True, slots=True)
class Out:
    """One job that came out.

    Attributes:
        ticket: IPP attributes as ippeveprinter tells its command: ``IPP_COPIES``, ``IPP_SIDES``, ``IPP_MEDIA`` ...
        sha256: of the document.
        end: when it was out, seconds since 1970.
    """

    ticket: Mapping[str, str]
    sha256: str
    end: float

    @property
    def name(self) -> str:
        """Return the job's name."""
        return self.ticket.get("IPP_JOB_NAME", "")


class EverywherePrinter:
    """One ``ippeveprinter``; ``with`` or ``async with`` starts and ends it.

    Args:
        name: what it announces.
        duplex: it prints both sides.
        formats: MIME types it takes.
        color: it prints colour.
        attributes: what it tells of itself in place of all that, as ``ippeveprinter -a`` reads it.
    """

    def __init__(
        self,
        name: str = "Everywhere",
        *,
        duplex: bool = True,
        formats: str = "application/pdf",
        color: bool = True,
        attributes: str = "",
    ) -> None:
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix="printshop-"))
        self.folder.chmod(0o755)
        for part in ("spool", "jobs", "ssl"):
            (self.folder / part).mkdir()
        self.port = free_port()
        two_sided = ["-2"] if duplex else []
        speeds = ["-s", "20,10"] if color else ["-s", "20"]
        self._options = ["-r", "off", *two_sided, *speeds, "-f", formats]
        if attributes:
            more = f"ATTR mimeMediaType document-format-supported {formats}\n"
            (self.folder / "attributes").write_text(attributes + more)
            self._options = ["-r", "off", "-a", str(self.folder / "attributes")]
        self.avahi = Path()
        """Where its Avahi keeps socket and PID file."""
        self._parts: list[subprocess.Popen[bytes]] = []

    @property
    def uri(self) -> str:
        """Return its IPP address."""
        return f"ipp://localhost:{self.port}/ipp/print"

    @property
    def certificate(self) -> Path:
        """Return the certificate it makes for itself at the first ``ipps`` connection."""
        return self.folder / "ssl" / "localhost.crt"

    @property
    def log(self) -> str:
        """Return what the printer said so far: every IPP request with its status."""
        return (self.folder / "printer.log").read_text(errors="replace")

    def __enter__(self) -> Self:
        try:
            self._announcer()
            self.power_on()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def power_on(self) -> None:
        """Start the printer; it remembers nothing of before."""
        self._run("printer", *_GUARD, "ippeveprinter", "-v", "-k", "-d", str(self.folder / "spool"), "-n", "localhost",
                  "-K", str(self.folder / "ssl"), "-p", str(self.port), "-c", str(COMMAND), *self._options, self.name)  # fmt: skip
        self._wait(lambda: _listens(self.port), "printer")

    def power_off(self) -> None:
        """End the printer in mid-air."""
        printer = self._parts.pop()
        printer.kill()
        printer.wait(10)

    def behave(self, **how: object) -> None:
        """Make it misbehave, or behave again: ``sleep=1.5``, ``exit=1``, ``state="STATE: +media-jam-error"``; None takes it back."""
        for what, value in how.items():
            path = self.folder / what
            if value is None:
                path.unlink(missing_ok=True)
            else:
                path.write_text(f"{value}\n")

    def printed(self) -> list[Out]:
        """Return what came out so far, oldest first."""
        found = []
        for path in sorted((self.folder / "jobs").iterdir()):
            ticket = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
            found.append(Out(ticket, ticket.pop("DOCUMENT_SHA256"), float(path.name)))
        return found

    async def wait_printed(self, count: int, *, seconds: float = 90) -> list[Out]:
        """Wait until ``count`` jobs came out; return them."""
        end = time.monotonic() + seconds
        while len(self.printed()) < count:
            assert time.monotonic() < end, (
                f"{len(self.printed())} of {count} jobs came out within {seconds} s:\n{self.log}"
            )
            await asyncio.sleep(0.02)
        return self.printed()

    def _announcer(self) -> None:
        """Start a D-Bus and an Avahi for the printer."""
        (self.folder / "bus.conf").write_text(_BUS.format(folder=self.folder))
        host = self.folder.name.replace("_", "-").lower()
        (self.folder / "avahi.conf").write_text(_AVAHI.format(host=host, interface=_NO_INTERFACE))
        self._run("bus", *_GUARD, "dbus-daemon", f"--config-file={self.folder}/bus.conf", "--nofork", "--nopidfile")
        self._wait(lambda: _takes(self.folder / "bus"), "bus")
        self._run("avahi", *_GUARD, str(self._own_avahi()), "-f", str(self.folder / "avahi.conf"), "--no-rlimits",
                  "--no-chroot", "--no-drop-root")  # fmt: skip
        self._wait(lambda: "startup complete" in (self.folder / "avahi.log").read_text(errors="replace"), "avahi")

    def _own_avahi(self) -> Path:
        """Return a copy of the program that has a place of its own instead of the one in /run."""
        self.avahi = Path(tempfile.mkdtemp(prefix="av-", suffix=_PLACE[-1:].decode(), dir="/tmp"))
        place = str(self.avahi).encode()
        assert len(place) == len(_PLACE)
        program = shutil.which("avahi-daemon", path=_PATH)
        assert program, "avahi-daemon is not installed"
        own = self.folder / "avahi-daemon"
        # Compilers cut the name into pieces of 16 bytes, so its last byte stays.
        own.write_bytes(Path(program).read_bytes().replace(_PLACE[:16], place[:16]))
        own.chmod(0o755)
        return own

    def _run(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._parts.append(
                subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    env={
                        **os.environ,
                        "PATH": _PATH,
                        "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.folder}/bus",
                        "SHOP": str(self.folder),
                    },
                )
            )

    def _wait(self, ready: Callable[[], bool], name: str) -> None:
        end = time.monotonic() + _START
        while not ready():
            if self._parts[-1].poll() is not None or time.monotonic() > end:
                raise AssertionError(f"{name} did not start: {(self.folder / f'{name}.log').read_text()}")
            time.sleep(0.01)

    def _stop(self) -> None:
        for part in reversed(self._parts):
            part.kill()
            part.wait(10)
        self._parts.clear()
        end_processes("SHOP", str(self.folder))
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.avahi.name:
            shutil.rmtree(self.avahi, ignore_errors=True)


def _takes(path: Path) -> bool:
    """Whether somebody takes connections there: a socket has its name some moments before."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
