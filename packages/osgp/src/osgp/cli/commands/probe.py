"""``osgp probe``: is there a meter, on which protocol, and who is it?

It works without a key. On the optical port the meter then still tells who it is. On the MEP port it tells nothing
without its key, but its refusal of a made-up key proves that a meter is connected.

This module does not know how meters are asked.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from osgp.cli.exits import ExitCode, exit_code
from osgp.cli.opening import Target, bridge_hint, error_words, run, step
from osgp.cli.options import AsJson, KeyFile, KeyPadding, Padding, Protection, SecurityName, TokenFile
from osgp.cli.text.terminal import note, paint, print_json, print_lines
from osgp.errors import KeyRejected, MeterRefused, MisuseError, OsgpError, TransportError

if TYPE_CHECKING:
    from osgp.key import MeterKey
    from osgp.mep.security import Security
    from osgp.meter import Identity

__all__ = ["probe"]


@dataclass(slots=True)
class _Finding:
    port: str
    protocol: str
    meter: bool = False
    key_accepted: bool | None = None
    finding: str = ""
    security: str | None = None
    """How the meter talks at its MEP port; None where that is not known."""
    identity: dict[str, str] = field(default_factory=dict)
    exit_code: int = 0


def probe(
    port: Annotated[
        str | None,
        typer.Argument(
            envvar="OSGP_PORT",
            metavar="[PORT]",
            help="Where to look, as in --port of other commands. Without it: all serial ports, both protocols.",
            show_default=False,
        ),
    ] = None,
    *,
    key_file: KeyFile = None,
    token_file: TokenFile = None,
    security: Protection = SecurityName.AUTO,
    padding: Padding = KeyPadding.ZEROS,
    as_json: AsJson = False,
) -> None:
    """Find out whether a meter answers, which protocol it speaks and who it is. Needs no key."""

    async def work() -> ExitCode:
        searching = port is None or port.startswith("/")
        ways = [
            [Target(url, key_file, security, padding=padding, token_file=token_file) for url in urls]
            for urls in _candidates(port)
        ]
        each_port = await asyncio.gather(*(_look_both_ways(targets, searching=searching) for targets in ways))
        found = [finding for findings in each_port for finding in findings]
        if as_json:
            print_json({"probed": [asdict(each) for each in found]})
        else:
            print_lines([line for each in found for line in _lines(each)])
        if any(each.meter for each in found):
            return ExitCode.OK
        return ExitCode(found[0].exit_code) if len(found) == 1 else ExitCode.METER

    run(work, as_json=as_json)


def _candidates(port: str | None) -> list[list[str]]:
    """Return the addresses to try, grouped by port: behind a path may be a meter's MEP port or its optical port."""
    from osgp.ports.transport import serial_ports  # noqa: PLC0415

    paths = serial_ports() if port is None else [port] if port.startswith("/") else []
    if port is not None and not paths:
        return [[port]]
    if not paths:
        from osgp.cli.commands.ports import brltty_hint  # noqa: PLC0415

        hint = brltty_hint()
        raise MisuseError(
            "no serial port is there to probe; plug the adapter in, or name a network port: tcp://HOST:PORT"
            + (f". {hint[0].upper()}{hint[1:]}" if hint else "")
        )
    # The MEP port first: whether it is silent is known in two seconds.
    return [[f"{scheme}://{path}" for scheme in ("serial", "optical")] for path in paths]


async def _look_both_ways(targets: list[Target], *, searching: bool) -> list[_Finding]:
    """Try each protocol on one port until a meter answers; a further try would only disturb the meter."""
    found: list[_Finding] = []
    for target in targets:
        found.append(await _look(target, searching=searching))
        if found[-1].meter or found[-1].exit_code == ExitCode.PORT:
            break
    return found


async def _look(target: Target, *, searching: bool) -> _Finding:
    from osgp.ports.transport import Address  # noqa: PLC0415

    optical = Address.parse(target.url).optical
    found = _Finding(target.url, "optical (C12.18)" if optical else "MEP (OSGP)")
    key = target.key()
    note(f"Listening on {target.url} ...")
    try:
        identity, security = await _identity(target, key, optical=optical, searching=searching)
    except KeyRejected:
        found.meter, found.key_accepted = True, False
        found.finding = (
            "a meter answers; it refuses the key that was given. `osgp login-test` says what to check"
            if key is not None
            else "a meter answers; without its key it does not say more. Give --key-file to see who it is"
        )
        found.key_accepted = None if key is None else False
    except MeterRefused as error:
        found.meter, found.finding = True, f"a meter answers, but: {error}"
    except MisuseError:
        raise
    except OsgpError as error:
        found.finding, found.exit_code = error_words(error), int(exit_code(error))
        if isinstance(error, TransportError):
            found.finding = str(error)
        if hint := bridge_hint(target.url, error):
            found.finding += f". {hint[0].upper()}{hint[1:]}"
    else:
        found.meter, found.finding = True, "a meter answers"
        found.key_accepted = None if key is None else True
        found.security = security
        found.identity = {name: text for name, text in asdict(identity).items() if text}
    return found


async def _identity(
    target: Target, key: MeterKey | None, *, optical: bool, searching: bool
) -> tuple[Identity, Security | None]:
    """Ask the meter who it is, and note how it was talked to.

    If no key is given, ask without a key on the optical port, and with a made-up key on the MEP port. When searching,
    give up after :data:`_SEARCHING` seconds if not a single byte was received from the port.
    """
    from osgp.errors import ResponseTimeout  # noqa: PLC0415
    from osgp.key import MeterKey  # noqa: PLC0415
    from osgp.meter import open_meter  # noqa: PLC0415
    from osgp.optical.diagnosis import Finding, NoMeterAnswers  # noqa: PLC0415
    from osgp.ports.transport import wire_tap  # noqa: PLC0415

    shown = key if key is not None or optical else MeterKey(bytes(16))
    heard = asyncio.Event()

    def tap(_data: bytes, sent: bool) -> None:  # noqa: FBT001 - the tap's signature
        if not sent:
            heard.set()

    async def ask() -> tuple[Identity, Security | None]:
        wire_tap.set(tap)
        async with open_meter(
            target.url, key=shown, security=target.security, session=target.session(), token=target.token()
        ) as meter:
            return await meter.identity(), meter.security

    with step("looking for a meter"):
        asking = asyncio.ensure_future(ask())
        if searching:
            hearing = asyncio.ensure_future(heard.wait())
            await asyncio.wait((asking, hearing), timeout=_SEARCHING, return_when=asyncio.FIRST_COMPLETED)
            hearing.cancel()
            if not asking.done() and not heard.is_set():
                asking.cancel()
                await asyncio.wait((asking,))
                raise NoMeterAnswers(Finding.NO_LIGHT) if optical else ResponseTimeout("nothing at all was heard")
        return await asking


_SEARCHING = 4.5
"""Seconds. In this time a meter is asked twice on the optical port, because it may miss the first packet, and four
times on the MEP port."""


def _lines(found: _Finding) -> list[str]:
    mark = paint("meter", "green") if found.meter else paint("nothing", "red")
    lines = [f"{found.port}  {mark}", f"  {found.protocol}: {found.finding}"]
    if found.security is not None:
        lines.append(f"  security: {found.security}")
    return lines + [f"  {name}: {text}" for name, text in found.identity.items()]
