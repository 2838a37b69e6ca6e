"""A CUPS of our own: a private ``cupsd`` in one folder, on a loopback port, beside whatever the system has.

It needs no systemd, no D-Bus and no root, so the demo runs for any user, and the tests run several in parallel. Nothing
outside its folder is read or changed but the programs of the Debian packages cups, cups-client and cups-filters.

Settings: cupsd.conf(5), cups-files.conf(5). Queues are made by lpadmin(8), as a person would.
This module knows nothing of print jobs, of IPP or of Business Central.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from piprint.clock import monotonic
from piprint.errors import PrinterError

__all__ = ["CupsServer", "cups_programs", "end_processes", "missing_packages"]

_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
_SERVER_BIN = ("/usr/lib/cups", "/usr/libexec/cups")
"""Where Debian and where others keep CUPS's own programs."""
_NEEDED = {"cups-daemon": "cupsd", "cups-client": "lpadmin"}
_START = 20.0
"""Seconds cupsd may take until it listens; a busy Raspberry Pi needs some of them."""

_FILES_CONF = """\
ServerRoot {folder}/etc
ServerBin {folder}/bin
RequestRoot {folder}/spool
TempDir {folder}/spool/tmp
CacheDir {folder}/cache
StateDir {folder}/state
ServerKeychain {folder}/etc/ssl
AccessLog {folder}/log/access
ErrorLog {folder}/log/error
PageLog {folder}/log/page
{identity}
"""

_CUPSD_CONF = """\
Listen 127.0.0.1:{port}
Listen {folder}/socket
Browsing No
WebInterface No
LogLevel {log_level}
MaxLogSize 0
DirtyCleanInterval {dirty_clean_interval}
JobRetryInterval {retry_interval}
DefaultPaperSize A4
<Location />
  Order allow,deny
  Allow all
</Location>
<Location /admin>
  AuthType Default
  Require user {user}
  Order allow,deny
  Allow all
</Location>
<Policy default>
  JobPrivateAccess all
  JobPrivateValues none
  SubscriptionPrivateAccess all
  SubscriptionPrivateValues none
  <Limit {only_ours}>
    AuthType Default
    Require user {user}
    Order allow,deny
    Allow all
  </Limit>
  <Limit All>
    Order allow,deny
    Allow all
  </Limit>
</Policy>
"""


_ONLY_OURS = (
    "CUPS-Add-Modify-Printer",
    "CUPS-Delete-Printer",
    "CUPS-Add-Modify-Class",
    "CUPS-Delete-Class",
    "CUPS-Set-Default",
    "CUPS-Get-Devices",
    "CUPS-Get-Document",
    "Set-Printer-Attributes",
    "Create-Job-Subscriptions",
)
"""Operations only the user who runs it may ask for. Subscriptions to a printer are let to all: without notifiers
(:data:`_LEFT_OUT`) they run nothing, and the processor sees by one whether CUPS was restarted."""
_FOLDERS = (
    *("etc", "etc/ppd", "etc/ssl", "spool", "spool/tmp", "cache", "cache/rss", "state", "state/certs"),
    *("log", "bin", "bin/backend"),
)
_ENTERED_BY_ALL = 0o755
"""Said for each folder: where whoever starts it keeps new folders to himself (umask 077), the user lp would not reach the
filters, and CUPS would say no more than "Filter failed"."""
_LEFT_OUT = frozenset({"backend", "notifier"})
"""Folders of CUPS's programs: of backends there are only a few, of notifiers (mail, RSS) none."""


def cups_programs() -> Path | None:
    """Return the folder of CUPS's backends and filters; None when CUPS is not installed."""
    return next((Path(each) for each in _SERVER_BIN if (Path(each) / "backend").is_dir()), None)


def missing_packages() -> list[str]:
    """Return the Debian packages to install before :class:`CupsServer` can start."""
    missing = [package for package, command in _NEEDED.items() if shutil.which(command, path=_PATH) is None]
    return missing or ([] if cups_programs() else ["cups-daemon"])


class CupsServer:
    """One private ``cupsd``. Use it as a context manager: it runs inside, and is gone after, with all it started.

    Args:
        folder: everything is kept here; must exist. Anybody must be able to enter it: as root, CUPS runs its filters
            as the user lp.
        backends: further backends, name -> script; a queue reaches one by a device URI that begins with its name. They
            run as this user.
        dirty_clean_interval: seconds until CUPS writes a new job to disk. 30 is its own default, by which a power cut
            loses jobs it has accepted; 0 writes at once.
        retry_interval: seconds until a job that failed is tried again.
        port: 0 takes any free one.
        log_level: as in cupsd.conf.

    Raises:
        PrinterError: CUPS is not installed, or does not start; the message says what to type.
    """

    def __init__(
        self,
        folder: Path,
        *,
        backends: dict[str, str] | None = None,
        dirty_clean_interval: int = 0,
        retry_interval: int = 2,
        port: int = 0,
        log_level: str = "warn",
    ) -> None:
        self.folder = folder
        self.port = port or _free_port()
        self.dirty_clean_interval = dirty_clean_interval
        self.retry_interval = retry_interval
        self.log_level = log_level
        self._process: subprocess.Popen[bytes] | None = None
        self._lay_out(backends or {})

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Return the address, as the setting ``cups.url`` takes it."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def address(self) -> str:
        """Return host and port, as CUPS's commands take them after ``-h``."""
        return f"127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        """Tell whether ``cupsd`` lives."""
        return self._process is not None and self._process.poll() is None

    def queue_uri(self, queue: str) -> str:
        """Return a queue's IPP address."""
        return f"ipp://{self.address}/printers/{queue}"

    def start(self) -> None:
        """Start ``cupsd`` and wait until it listens."""
        self._configure()
        command = [
            _program("cupsd"), "-f", "-c", str(self.folder / "etc/cupsd.conf"), "-s", str(self.folder / "etc/cups-files.conf")
        ]  # fmt: skip
        with (self.folder / "log/output").open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
                ending_with_us(command), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        end = monotonic() + _START
        while not self._listens():
            if not self.running or monotonic() > end:
                said = (self.folder / "log/output").read_text(errors="replace").strip()[-500:]
                self.stop()
                raise PrinterError(
                    f"the private CUPS did not start; it says: {said or 'nothing'}. See {self.folder}/log"
                )
            time.sleep(0.02)

    def kill(self) -> None:
        """End ``cupsd`` as a power cut would. What it had started (filters, backends) lives on, as after a crash."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def stop(self) -> None:
        """End ``cupsd`` and everything it started."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None
        end_processes("CUPS_SERVERROOT", f"{self.folder}/etc")

    def restart(self, *, dirty_clean_interval: int | None = None) -> None:
        """Stop in good order (everything is saved), and start again."""
        if dirty_clean_interval is not None:
            self.dirty_clean_interval = dirty_clean_interval
        self.stop()
        self.start()

    def add_queue(self, name: str, uri: str, *, ppd: Path | None = None, options: dict[str, str] | None = None) -> None:
        """Make a queue, enabled and accepting; raw unless a driver is given.

        Args:
            name: the queue's name.
            uri: the device URI.
            ppd: a driver as a PPD file.
            options: such as ``printer-error-policy``; see lpadmin(8), option -o.
        """
        driver = [] if ppd is None else ["-P", str(ppd)]
        chosen = [word for key, value in (options or {}).items() for word in ("-o", f"{key}={value}")]
        self.command("lpadmin", "-p", name, "-E", "-v", uri, *driver, *chosen)

    def command(self, program: str, *words: str) -> str:
        """Run one of CUPS's commands against this server; return what it prints.

        By a socket, where the system says who asks: only this user may change queues. Others on this computer can print,
        no more: a queue's driver may name programs, which would run as this user.

        Raises:
            PrinterError: it failed; the message is its own.
        """
        # On a very busy machine CUPS's commands give up to connect at once, before cupsd has looked at its socket.
        for pause in (0.2, 1.0, 3.0, 0.0):
            done = subprocess.run(  # noqa: S603 - an argument list, no shell
                [_program(program), "-h", f"{self.folder}/socket", *words],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
                env={**os.environ, "CUPS_SERVER": f"{self.folder}/socket", "LC_ALL": "C.UTF-8"},
            )
            if not done.returncode or not pause or "Unable to connect to server" not in done.stderr:
                break
            time.sleep(pause)
        if done.returncode:
            # lpadmin warns of every driver and every raw queue; the last line is the reason
            reason = done.stderr.strip().rpartition("\n")[2]
            raise PrinterError(f"{program} {' '.join(words)} failed: {reason}")
        return done.stdout

    def _lay_out(self, backends: dict[str, str]) -> None:
        programs = cups_programs()
        if programs is None:
            raise PrinterError("CUPS is not installed; type: sudo apt-get install cups-daemon cups-client cups-filters")
        for part in _FOLDERS:
            (self.folder / part).mkdir(exist_ok=True)
            (self.folder / part).chmod(_ENTERED_BY_ALL)
        for each in programs.iterdir():
            if each.name not in _LEFT_OUT:
                _link(self.folder / "bin" / each.name, each)
        for name in ("ipp", "socket"):
            if (programs / "backend" / name).exists():
                shutil.copy(programs / "backend" / name, self.folder / "bin/backend" / name)
        for name in ("ipps", "http", "https"):
            _link(self.folder / "bin/backend" / name, Path("ipp"))
        for name, script in backends.items():
            path = self.folder / "bin/backend" / name
            path.write_text(script)
            path.chmod(0o700)  # CUPS then runs it as this user, also where that is root

    def _configure(self) -> None:
        user, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
        identity = "SystemGroup root" if os.geteuid() == 0 else f"User {user}\nGroup {group}\nSystemGroup {group}"
        (self.folder / "etc/cups-files.conf").write_text(_FILES_CONF.format(folder=self.folder, identity=identity))
        (self.folder / "etc/cupsd.conf").write_text(
            _CUPSD_CONF.format(
                port=self.port,
                folder=self.folder,
                user=user,
                only_ours=" ".join(_ONLY_OURS),
                dirty_clean_interval=self.dirty_clean_interval,
                retry_interval=self.retry_interval,
                log_level=self.log_level,
            )
        )

    def _listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.5)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def ending_with_us(command: list[str]) -> list[str]:
    """Return a command whose process is killed when the thread that started it ends, also by SIGKILL (Linux: prctl(2), PR_SET_PDEATHSIG)."""
    guard = shutil.which("setpriv", path=_PATH)
    return command if guard is None else [guard, "--pdeathsig", "KILL", *command]


def end_processes(variable: str, value: str) -> None:
    """Kill all processes that have this in their environment: what a program of ours started, however far removed."""
    mark = f"{variable}={value}".encode()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # another user's, or gone meanwhile
            if mark in entry.read_bytes().split(b"\0"):
                os.kill(int(entry.parent.name), signal.SIGKILL)


def _program(name: str) -> str:
    found = shutil.which(name, path=_PATH)
    if found is None:
        raise PrinterError(f"{name} is missing; type: sudo apt-get install {' '.join(missing_packages())}")
    return found


def _link(link: Path, target: Path) -> None:
    if not link.is_symlink():
        link.symlink_to(target)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
