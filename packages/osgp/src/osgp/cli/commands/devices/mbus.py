"""``osgp mbus``: the gas, water and heat meters behind the electricity meter, as it read them last.

This module does not know how devices are read or shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from osgp.cli.opening import Target, run, step
from osgp.cli.options import AsJson, Fast, KeyFile, KeyPadding, Padding, Port, Protection, SecurityName, TokenFile
from osgp.cli.text.terminal import print_json, print_lines

if TYPE_CHECKING:
    from osgp.tables.mbus.recurring import RecurringRead

__all__ = ["mbus"]


def mbus(
    *,
    port: Port = None,
    key_file: KeyFile = None,
    token_file: TokenFile = None,
    security: Protection = SecurityName.AUTO,
    padding: Padding = KeyPadding.ZEROS,
    fast: Fast = False,
    log: Annotated[
        bool, typer.Option("--log", help="Also show the earlier reads that the meter keeps (ET45).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the gas, water and heat meters behind this meter, as it read them last. Asks none of them: batteries last longer."""
    target = Target(port, key_file, security, fast, padding, token_file)

    async def work() -> None:
        from osgp.cli.text.mbus_devices import device_document, device_lines, read_document, read_lines  # noqa: PLC0415

        async with target.meter() as meter:
            with step("reading the M-Bus devices (ET14, ET16)"):
                devices = await meter.mbus_devices()
            reads: tuple[RecurringRead, ...] = ()
            if log:
                with step("reading the log of their reads (ET45)"):
                    reads = (await meter.mbus_reads()).entries
        if as_json:
            document = {"devices": [device_document(device) for device in devices]}
            print_json(document | ({"log": [read_document(read) for read in reads]} if log else {}))
            return
        blocks = [device_lines(device) for device in devices] or [["No M-Bus device is behind this meter."]]
        if log:
            blocks.append(read_lines(reads) or ["The meter keeps no earlier reads."])
        print_lines("\n\n".join("\n".join(block) for block in blocks).split("\n"))

    run(work, as_json=as_json)
