"""``osgp call``: call a procedure of the meter. A dry run unless ``--allow-writes`` is given.

This module does not know what procedures do.
"""

from __future__ import annotations

from typing import Annotated

import typer

from osgp.cli.confirming import AllowWritesOption, ConfirmOption, confirmed
from osgp.cli.exits import ExitCode
from osgp.cli.opening import Target, run, step
from osgp.cli.options import AsJson, Fast, KeyFile, KeyPadding, Padding, Port, Protection, SecurityName, TokenFile
from osgp.cli.text.terminal import print_json, print_lines
from osgp.psem import EXTENDED

__all__ = ["call"]

_RESULTS = {
    0: "done",
    1: "accepted, but not finished",
    2: "bad parameter",
    3: "in conflict with how the meter is set up",
    4: "not now",
    5: "this key may not do that",
    6: "the meter has no such procedure",
}
"""MEP guide v1.1 p. 53."""


def call(
    procedure: Annotated[str, typer.Argument(help="Procedure to call, such as EP17.")],
    parameters: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TYPE:VALUE]...",
            help="Parameters in order: u8:5 u16:0xFFFF u32:1 i16:-3 text:abc hex:0A0B.",
            show_default=False,
        ),
    ] = None,
    *,
    allow_writes: AllowWritesOption = False,
    confirm: ConfirmOption = None,
    port: Port = None,
    key_file: KeyFile = None,
    token_file: TokenFile = None,
    security: Protection = SecurityName.AUTO,
    padding: Padding = KeyPadding.ZEROS,
    fast: Fast = False,
    as_json: AsJson = False,
) -> None:
    """Call a procedure. Shows what would be sent; sends it only with --allow-writes."""
    target = Target(port, key_file, security, fast, padding, token_file)

    async def work() -> ExitCode:
        from osgp.dissector.values import typed_bytes  # noqa: PLC0415
        from osgp.meter.writing import AllowWrites  # noqa: PLC0415

        allowed = AllowWrites(procedures=(procedure,))  # refuses what is no procedure's name
        data = b"".join([typed_bytes(text) for text in parameters or ()])
        number = int(procedure[2:]) + (EXTENDED if procedure[:1].upper() == "E" else 0)
        if not as_json:
            shown = f"{number.to_bytes(2, 'little').hex(' ')} .. {data.hex(' ')}".rstrip()
            print_lines([f"{procedure}, into BT07 (.. is the sequence number):", f"  {shown}"])
        if not allow_writes:
            if as_json:
                print_json({"procedure": procedure, "parameters": data.hex(), "called": False})
            else:
                print_lines(["Nothing was sent. Give --allow-writes to send this to the meter."])
            return ExitCode.OK
        async with target.meter(allow_writes=allowed) as meter:
            confirmed(procedure, confirm)
            with step(f"calling {procedure}"):
                result = await meter.call(procedure, data)
        words = _RESULTS.get(result.code, f"result {result.code}, which no guide explains")
        if as_json:
            document = {"procedure": procedure, "parameters": data.hex(), "called": True}
            print_json(document | {"result": result.code, "meaning": words, "data": result.data.hex()})
        else:
            data_words = f". Data: {result.data.hex(' ')}" if result.done else ""
            print_lines([f"Result {result.code}: {words}{data_words}"])
        return ExitCode.OK if result.done else ExitCode.METER

    run(work, as_json=as_json)
