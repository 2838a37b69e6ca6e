"""``osgp simulate``: serve a simulated meter, or a town of them, until stopped.

This module does not know how the meter works.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from osgp.errors import MisuseError, TransportError
from osgp.image import MeterImage, image_names
from osgp.key import MeterKey
from osgp.optical.key import OpticalKey
from osgp.optical.rights import Access

if TYPE_CHECKING:
    from osgp.simulator import House, SimulatedMeter

__all__ = ["simulate"]

_LOWEST_BAUD = 300
_HIGHEST_BAUD = 115200
"""MEP guide v1.1 p. 83: the rates that ET13 can name."""

_MOST_METERS = 20_000
_LAST_PORT = 65535
_FILES_PER_PORT = 2
"""A listening socket and a connection; of many ports some may have more connections, so twice as many files are opened where that is allowed."""


class _Tls(StrEnum):
    """The names of :class:`osgp.mep.tls_server.TlsRule`."""

    ABSENT = "absent"
    OFFERED = "offered"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """Where to serve: ``pty:PATH`` or ``tcp:HOST:PORT``."""

    option: str
    kind: str
    host: str = ""
    port: int = 0
    path: str | None = None

    @classmethod
    def parse(cls, option: str, text: str) -> _Endpoint:
        kind, _, rest = text.partition(":")
        if kind == "pty":
            return cls(option, kind, path=rest or None)
        host, colon, port = rest.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if kind != "tcp" or not colon or not host or not port.isascii() or not port.isdigit():
            raise MisuseError(f"{option} {text}: write pty:PATH or tcp:HOST:PORT, for example tcp:127.0.0.1:4000")
        if int(port) > _LAST_PORT:
            raise MisuseError(f"{option} {text}: a TCP port is at most {_LAST_PORT}")
        return cls(option, kind, host=host, port=int(port))


def simulate(
    image: Annotated[
        str | None,
        typer.Argument(
            metavar="[IMAGE]",
            help=f"Image of a real meter: a file, or {', '.join(image_names())}. Without it: a house that lives.",
            show_default=False,
        ),
    ] = None,
    *,
    mep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PORT",
            help="MEP port: pty:PATH or tcp:HOST:PORT (port 0: any free one); may be repeated. "
            "Default, unless there is --optical: tcp:127.0.0.1:0.",
            show_default=False,
        ),
    ] = None,
    mep2: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PORT", help="Second MEP port, of meters from firmware 4.0 on; may be repeated.", show_default=False
        ),
    ] = None,
    optical: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PORT", help="Optical port: pty:PATH or tcp:HOST:PORT; may be repeated.", show_default=False
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            envvar="OSGP_KEY",
            help="Basic key (MBK). Others on this computer can see it; better use --key-file.",
            show_default=False,
            show_envvar=True,
        ),
    ] = None,
    key_file: Annotated[Path | None, typer.Option(help="File that holds the basic key.", show_default=False)] = None,
    advanced_key_file: Annotated[
        Path | None, typer.Option(help="File that holds the advanced key (MAK).", show_default=False)
    ] = None,
    rk: Annotated[
        str | None,
        typer.Option(
            envvar="OSGP_RK",
            help="Read-only key (RK) of the optical port. Others on this computer can see it; better use --rk-file.",
            show_default=False,
            show_envvar=True,
        ),
    ] = None,
    rk_file: Annotated[Path | None, typer.Option(help="File that holds the read-only key.", show_default=False)] = None,
    pk_file: Annotated[
        Path | None, typer.Option(help="File that holds the provisioning key (PK).", show_default=False)
    ] = None,
    mk_file: Annotated[
        Path | None, typer.Option(help="File that holds the unique key (MK).", show_default=False)
    ] = None,
    baud: Annotated[int, typer.Option(help="Speed of the line; 0 answers at once.")] = 9600,
    encrypt_only: Annotated[bool, typer.Option("--encrypt-only", help="Refuse requests in plain text.")] = False,
    tls: Annotated[
        _Tls,
        typer.Option(
            help="What the MEP port says to TLS: absent, as on older meters; offered; or required: nothing else."
        ),
    ] = _Tls.ABSENT,
    fault: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A fault; may be repeated. 'list' lists them.", show_default=False),
    ] = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=VALUE][,at=WHEN]",
            help="Something that happens to the house's meter, such as power-cut=90s or clock-set=+2m,at=-1d; may be repeated. "
            "'list' lists them.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Repeats the house and the faults exactly.")] = 1,
    meters: Annotated[int, typer.Option(help="So many meters, on ports one after another.")] = 1,
) -> None:
    """Simulate a meter until Ctrl-C.

    Send it SIGUSR1 to power-cycle its level shifter (see --fault stuck-level-shifter).
    """
    from osgp.mep.tls_server import TlsRule  # noqa: PLC0415 - not for other commands
    from osgp.simulator import (  # noqa: PLC0415 - not for other commands
        FAULTS,
        SCENARIOS,
        Faults,
        SimulatedMeter,
        history_of,
        neighbourhood,
    )

    if fault == ["list"]:
        typer.echo("\n".join(f"{name}={known.form}: {known.does}." for name, known in FAULTS.items()))
        return
    if scenario == ["list"]:
        typer.echo("\n".join(f"{name}{known.usage}: {known.does}." for name, known in SCENARIOS.items()))
        return
    if scenario and image is not None:
        raise MisuseError("--scenario needs the house: to an image of a meter nothing happens; leave out the image")
    if baud and not _LOWEST_BAUD <= baud <= _HIGHEST_BAUD:
        raise MisuseError(f"--baud {baud}: write {_LOWEST_BAUD} to {_HIGHEST_BAUD}, or 0 to answer at once")
    endpoints = [_Endpoint.parse("--mep", text) for text in mep or (() if optical else ("tcp:127.0.0.1:0",))]
    endpoints += [_Endpoint.parse("--mep2", text) for text in mep2 or ()]
    endpoints += [_Endpoint.parse("--optical", text) for text in optical or ()]
    _check_town(meters, endpoints)
    basic, told = _key("--key", key, key_file, MeterKey)
    advanced = None if advanced_key_file is None else _key_in(advanced_key_file, MeterKey)
    read_only, told_optical = _key("--rk", rk, rk_file, OpticalKey)
    optical_keys = {Access.READ_ONLY: read_only}
    optical_keys |= {
        access: _key_in(path, OpticalKey)
        for access, path in ((Access.PROVISIONING, pk_file), (Access.UNIQUE, mk_file))
        if path is not None
    }
    faults = Faults.parse(fault or ())
    sources: Sequence[House | MeterImage]
    if image is None:
        sources = neighbourhood(meters, seed=seed, history=history_of(scenario or (), time.time()))
    else:
        sources = [_image(image)] * meters
    simulated = [
        SimulatedMeter(
            source,
            mbk=basic,
            mak=advanced,
            optical_keys=optical_keys,
            faults=faults,
            seed=seed + number,
            baud=baud,
            encrypt_only=encrypt_only,
            tls=TlsRule[tls.name],
        )
        for number, source in enumerate(sources)
    ]
    known = {"--mep": told, "--mep2": "the same at the second MEP port", "--optical": f"optical port: {told_optical}"}
    used = [known[option] for option in dict.fromkeys(endpoint.option for endpoint in endpoints)]
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(simulated, endpoints, "; ".join(used)))


def _check_town(meters: int, endpoints: Sequence[_Endpoint]) -> None:
    if not 1 <= meters <= _MOST_METERS:
        raise MisuseError(f"--meters {meters}: write 1 to {_MOST_METERS}")
    if meters == 1:
        return
    if len(endpoints) > 1 or endpoints[0].kind != "tcp":
        raise MisuseError(
            "--meters needs exactly one --mep or --optical tcp:HOST:PORT; the meters take the ports from there on"
        )
    if endpoints[0].port and endpoints[0].port + meters - 1 > _LAST_PORT:
        raise MisuseError(f"--meters {meters} from port {endpoints[0].port} on go past port {_LAST_PORT}; begin lower")


_ENVIRONMENT = {"--key": "OSGP_KEY", "--rk": "OSGP_RK"}

_Key = TypeVar("_Key", bound=MeterKey)


def _key(option: str, key: str | None, key_file: Path | None, form: type[_Key]) -> tuple[_Key, str]:
    """Return a port's first key and what to tell about it."""
    variable = _ENVIRONMENT[option]
    hidden = key is not None and key == os.environ.get(variable)
    if key is not None and not hidden and key_file is not None:
        raise MisuseError(f"give {option} or {option}-file, not both")
    if key_file is not None:
        chosen = _key_in(key_file, form)
        return chosen, f"key of {chosen.form} from {key_file}"
    if key is None:
        from osgp.simulator import DEMO_KEY_TEXT  # noqa: PLC0415

        return form.parse(DEMO_KEY_TEXT), f"the public demo key {DEMO_KEY_TEXT}"
    chosen = form.parse(key)
    if hidden:
        return chosen, f"key of {chosen.form} from {variable}"
    typer.echo(
        f"hint: others on this computer can see a key on the command line; {option}-file and {variable} hide it",
        err=True,
    )
    return chosen, f"key of {chosen.form}"


def _key_in(path: Path, form: type[_Key]) -> _Key:
    try:
        return form.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise MisuseError(f"cannot read the key file {path}: {reason}") from error


def _image(name: str) -> MeterImage:
    return MeterImage.load(f"image:{name}" if name in image_names() else name)


async def _serve(simulated: Sequence[SimulatedMeter], endpoints: Sequence[_Endpoint], told: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, _power_cycle, simulated)
    _raise_file_limit(len(simulated) * len(endpoints))
    async with AsyncExitStack() as stack:
        urls = []
        for offset, meter in enumerate(simulated):
            await stack.enter_async_context(meter)
            urls.extend([await _open(meter, endpoint, offset) for endpoint in endpoints])
        many = f"{len(simulated)} simulated meters, {urls[0]} to {urls[-1]}" if len(simulated) > 1 else ""
        # Whoever started us waits for this line, and may read it through a pipe.
        print(f"{many or 'Simulated meter on ' + ' and '.join(urls)}, {told}", flush=True)  # noqa: T201
        await stop.wait()


async def _open(meter: SimulatedMeter, endpoint: _Endpoint, offset: int) -> str:
    port = endpoint.port + offset if endpoint.port else 0
    if endpoint.option == "--optical":
        if endpoint.kind == "pty":
            return meter.serve_optical_pty(endpoint.path)
        return await meter.serve_optical_tcp(endpoint.host, port)
    mep = 2 if endpoint.option == "--mep2" else 1
    if endpoint.kind == "pty":
        return meter.serve_pty(endpoint.path, mep=mep)
    return await meter.serve_tcp(endpoint.host, port, mep=mep)


def _power_cycle(simulated: Sequence[SimulatedMeter]) -> None:
    for meter in simulated:
        meter.power_cycle()
    print("Power-cycled the level shifter", flush=True)  # noqa: T201


def _raise_file_limit(ports: int) -> None:
    """Make room for the sockets of a town."""
    import resource  # noqa: PLC0415 - no such module on Windows, where all else works

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 64 + ports * _FILES_PER_PORT
    if soft == resource.RLIM_INFINITY or soft >= 2 * needed:
        return
    allowed = 2 * needed if hard == resource.RLIM_INFINITY else min(hard, 2 * needed)
    if allowed < needed:
        raise TransportError(f"{ports} ports need {needed} open files, this user may have {hard}; start fewer meters")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))
