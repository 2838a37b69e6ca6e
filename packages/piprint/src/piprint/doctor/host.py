"""Is this host in order: configuration, secrets, disk, the helper for PDFs, the page's port, the service?

Nothing is changed: no folder is made, no file written, for the examination may run as another user than the service.
This module does not know printers or Business Central.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp

from piprint.config.load import Loaded, credentials_beside, data_dir_at_shell, find, listen, load
from piprint.config.problems import ConfigProblems
from piprint.config.settings import Certificate, Config, Web, is_loopback
from piprint.doctor.finding import Finding, State
from piprint.errors import ConfigError, DocumentError, PiprintError
from piprint.journal.lock import is_held
from piprint.journal.reading import lock_of

__all__ = ["configuration", "host"]

_CONFIGURATION = "Configuration"
_HOST = "This host"
_UNITS = (Path("/etc/systemd/system/piprint.service"), Path("/usr/lib/systemd/system/piprint.service"))
_MB = 1024 * 1024


def configuration(given: Path | None) -> tuple[Loaded | None, list[Finding]]:
    """Look at the configuration file; return it when it can be used."""
    try:
        file = find(given)
    except ConfigError as error:
        told, _, fix = str(error).rpartition("; ")
        return None, [_finding("file", State.PROBLEM, told, fix)]
    credentials_beside(file)
    try:
        loaded = load(file)
    except ConfigProblems as error:
        return None, [
            _finding(
                f"line {problem.line}" if problem.line else "file",
                State.PROBLEM,
                f"{problem.setting}: {problem.message}" if problem.setting else problem.message,
                f"edit {file}",
            )
            for problem in error.problems
        ]
    return loaded, [
        _finding("file", State.OK, str(file)),
        *(_finding("rights", State.NOTE, warning) for warning in loaded.warnings),
        _finding("secrets", State.OK, "each is where the file says"),
        *_keys(loaded.config),
    ]


def _keys(config: Config) -> Iterator[Finding]:
    """Look for the files that are read later, at the first call."""
    login = config.business_central.login
    wanted = {"ca_file": config.business_central.ca_file}
    if isinstance(login, Certificate):
        wanted |= {"login.certificate": login.certificate, "login.key": login.key}
    for printer in config.printers:
        wanted[f"{printer.id}.ca_file"] = printer.ca_file
    for name, file in wanted.items():
        if file is not None and not os.access(file.expanduser(), os.R_OK):
            fix = "write the right path, or let the service's user read it"
            yield _finding(name, State.PROBLEM, f"{file} is not there, or this user may not read it", fix)


def _finding(name: str, state: State, told: str = "", fix: str = "") -> Finding:
    return Finding(_CONFIGURATION, name, state, told, fix)


async def host(config: Config) -> AsyncIterator[Finding]:
    """Look at disk, journal, helper, port and service."""
    folder = data_dir_at_shell(config)
    yield _folder(folder)
    yield _room(folder, config)
    journal = _journal(folder)
    running = journal.told.startswith("in use")
    yield journal
    yield await _documents()
    yield await _page(config.web, perhaps_running=running or journal.state is State.NOTE)
    yield _service(running=running)


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    return next((place for place in (folder, *folder.parents) if place.exists()), folder)


def _folder(folder: Path) -> Finding:
    there = _nearest(folder.absolute())
    mine = "chown -R USER" if there == folder.absolute() else "install -d -o USER"  # never the owner of / or /var
    fix = f"let the service's user own it: sudo {mine} {folder.absolute()}; or set another data_dir"
    if there.exists() and not there.is_dir():
        return Finding(_HOST, "data folder", State.PROBLEM, f"{there} is a file, not a folder", "set another data_dir")
    if not os.access(there, os.W_OK | os.X_OK):
        return Finding(_HOST, "data folder", State.PROBLEM, f"this user may not write to {there}", fix)
    if there != folder.absolute():
        return Finding(_HOST, "data folder", State.OK, f"{folder} will be made")
    if os.name == "posix" and folder.stat().st_mode & 0o077:
        fix = f"type: chmod 700 {folder}"
        return Finding(_HOST, "data folder", State.NOTE, f"other users of this host may look into {folder}", fix)
    return Finding(_HOST, "data folder", State.OK, str(folder))


def _room(folder: Path, config: Config) -> Finding:
    free = shutil.disk_usage(_nearest(folder.absolute())).free // _MB
    wanted = config.limits.keep_free_mb
    if free <= wanted:
        told = f"{free} MB free; below {wanted} MB no job is taken (limits.keep_free_mb)"
        return Finding(_HOST, "disk", State.PROBLEM, told, "make room")
    return Finding(_HOST, "disk", State.OK, f"{free:,} MB free")


def _journal(folder: Path) -> Finding:
    lock = lock_of(folder)
    try:
        if not lock.exists():
            return Finding(_HOST, "journal", State.OK, "none yet; made at the first start")
        if is_held(lock):
            return Finding(_HOST, "journal", State.OK, "in use by the running processor")
    except OSError as error:
        fix = "run piprint doctor as the service's user, or as root"
        return Finding(_HOST, "journal", State.NOTE, f"{lock} cannot be looked at: {error.strerror}", fix)
    return Finding(_HOST, "journal", State.OK, "free; no processor runs with it now")


async def _documents() -> Finding:
    """Let the helper process look at a PDF, as it does with every job."""
    from piprint.doctor.sample import check_sample  # noqa: PLC0415 - PDFium is big

    try:
        told = await check_sample()
    except (DocumentError, PiprintError, OSError) as error:
        fix = "install piprint anew (pypdfium2 is missing or damaged), or give the host more memory"
        return Finding(_HOST, "check of PDFs", State.PROBLEM, str(error), fix)
    return Finding(_HOST, "check of PDFs", State.OK, told)


async def _page(web: Web, *, perhaps_running: bool) -> Finding:
    if not web.enabled:
        return Finding(_HOST, "status page", State.OK, "switched off")
    address, port = listen(web.listen)
    shown = f"http://{f'[{address}]' if ':' in address else address}:{port}/"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        if await _is_piprint(address, port):
            if not perhaps_running:
                fix = "end that one (piprint demo?), or set another port: web.listen; else this one prints, but has no page"
                return Finding(_HOST, "status page", State.NOTE, f"{shown} is another piprint's", fix)
            return Finding(_HOST, "status page", State.OK, f"{shown} (the running processor's)")
        told = f"{web.listen} cannot be used: {error.strerror}"
        return Finding(_HOST, "status page", State.PROBLEM, told, "set another port: web.listen")
    reach = "" if is_loopback(address) else ", for everybody in the network who knows the password"
    return Finding(_HOST, "status page", State.OK, f"{shown} is free{reach}")


async def _is_piprint(address: str, port: int) -> bool:
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - compared, not listened on
    url = f"http://{f'[{target}]' if ':' in target else target}:{port}/healthz"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as session,
            session.get(url) as answer,
        ):
            return "default-src 'none'" in answer.headers.get("Content-Security-Policy", "")
    except (aiohttp.ClientError, TimeoutError):
        return False


def _service(*, running: bool) -> Finding:
    if not Path("/run/systemd/system").exists():
        return Finding(_HOST, "service", State.OK, "no systemd here; start it with: piprint run")
    unit = next((unit for unit in _UNITS if unit.exists()), None)
    if unit is None:
        fix = "install it as docs/printing.md says (make install-print)"
        return Finding(_HOST, "service", State.NOTE, "no piprint.service; nothing starts by itself after a reboot", fix)
    enabled = Path("/etc/systemd/system/multi-user.target.wants/piprint.service").exists()
    if not enabled:
        fix = "type: sudo systemctl enable --now piprint"
        return Finding(_HOST, "service", State.NOTE, "installed, but does not start with the host", fix)
    fix = "" if running else "type: sudo systemctl start piprint; then: journalctl -u piprint"
    return Finding(_HOST, "service", State.OK if running else State.NOTE, "running" if running else "not running", fix)
