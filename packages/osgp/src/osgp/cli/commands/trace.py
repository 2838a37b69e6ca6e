"""``osgp trace``: what goes over the wire, frame by frame, without secrets.

This module does not know what frames mean.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from osgp.cli.commands.tables import Names
from osgp.cli.opening import Target, run, step
from osgp.cli.options import AsJson, Fast, KeyFile, KeyPadding, Padding, Port, Protection, SecurityName, TokenFile
from osgp.cli.text.terminal import paint, print_json, print_lines
from osgp.errors import MisuseError
from osgp.psem import table_id, table_name

if TYPE_CHECKING:
    from osgp.dissector.frames import Passed

__all__ = ["trace"]


def trace(
    names: Names = None,
    *,
    port: Port = None,
    key_file: KeyFile = None,
    token_file: TokenFile = None,
    security: Protection = SecurityName.AUTO,
    padding: Padding = KeyPadding.ZEROS,
    fast: Fast = False,
    as_json: AsJson = False,
) -> None:
    """Read tables (default: who the meter is and its power) and print every frame with its meaning, secrets masked."""
    target = Target(port, key_file, security, fast, padding, token_file)

    async def work() -> None:
        from osgp.dissector.frames import MepWire, OpticalWire  # noqa: PLC0415
        from osgp.dissector.privacy import holds_secrets  # noqa: PLC0415
        from osgp.ports.transport import Address, wire_tap  # noqa: PLC0415

        wire = OpticalWire() if Address.parse(target.url).optical else MepWire()
        started = time.monotonic()

        def tap(data: bytes, sent: bool) -> None:  # noqa: FBT001 - the tap's signature
            for passed in wire.pass_on(data, sent=sent):
                _print(time.monotonic() - started, passed, as_json=as_json)

        wanted = [table_name(table_id(name)) for name in names or ()]
        for name in wanted:
            if holds_secrets(table_id(name)):
                raise MisuseError(f"{name} is not traced: its frames would show keys or passwords")
        wire_tap.set(tap)
        async with target.meter() as meter:
            if wanted:
                for name in wanted:
                    with step(f"reading {name}"):
                        await meter.read(name)
            else:
                with step("asking who the meter is (BT01, ET03)"):
                    await meter.identity()
                with step("reading BT28"):
                    await meter.read("BT28", 0, 8)

    run(work, as_json=as_json)


def _print(seconds: float, passed: Passed, *, as_json: bool) -> None:
    if as_json:
        document = {"seconds": round(seconds, 3), "sent": passed.sent, "meaning": passed.meaning, "bytes": passed.shown}
        print_json(document, compact=True)
        return
    arrow = paint("->", "green") if passed.sent else paint("<-", "cyan")
    lines = [f"{seconds:8.3f}  {arrow} {passed.meaning}"]
    if passed.shown:
        lines.append(paint(f"{'':13}{passed.shown}", "dim"))
    print_lines(lines)
